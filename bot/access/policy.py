"""Decides who may use which command where, and what they may see of its answer, with the reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType

from bot.access.grants import EVERYTHING, FULL_GRANT, NO_GRANT, SHARED_GRANT, Grant, common_grant, merge_grants
from bot.access.people import Person
from bot.access.presets import ROLE_NAMES, with_synonyms
from bot.access.rules import ANY, AccessRule
from bot.words.disclosure import SHARED_FIELDS, FieldClass
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase
from bot.words.role_labels import label_role, label_roles


class RuleIndex:
    """Rules in order; ``shared`` ones name nobody."""

    def __init__(self, rules: Iterable[AccessRule]) -> None:
        self.rules = tuple(rules)
        personal = [(number, rule) for number, rule in enumerate(self.rules) if not rule.shared]
        self._for_all = tuple(number for number, rule in personal if rule.is_for_all)
        self._by_role = _arrange((number, rule.roles) for number, rule in personal)
        self._by_department = _arrange((number, rule.departments) for number, rule in personal)
        self._by_person = _arrange((number, rule.people) for number, rule in personal)

    def naming(self, person: Person, roles: frozenset[str]) -> Sequence[AccessRule]:
        """Return the rules that name a person who has ``roles``."""
        found = {*self._for_all, *self._by_person.get(person.user_id or "", ())}
        for role in roles:
            found.update(self._by_role.get(role, ()))
        for department in person.departments | person.department_names:
            found.update(self._by_department.get(department, ()))
        return [self.rules[number] for number in sorted(found)]


def _arrange(named: Iterable[tuple[int, frozenset[str]]]) -> Mapping[str, Sequence[int]]:
    found: dict[str, list[int]] = {}
    for number, names in named:
        for name in names:
            found.setdefault(name, []).append(number)
    return found


ADMIN = "admin"
"""The role of every administrator of the organisation; the role to ask if nothing else is configured."""

KEY_RULE = "api key"
"""Replaces a rule's name if the key of a program does not open what it asks."""

NO_RULE = "default"
"""Replaces the name of a rule if no rule covers the request."""

READ_ONLY = phrase("The bot only reads at present: it changes nothing in the ERP.")
READ_ONLY_RULE = "access.read_only"

RESERVED_RULE = "reserved"
"""Replaces a rule's name if no rule opens a reserved command."""

OUTSIDER_FIELDS = frozenset({FieldClass.QUANTITY})
"""The most that a shared card shows in a conversation with an outsider."""

_KEPT = 100_000
"""The number of cached decisions: those of 20 000 people about some commands each."""

_LISTS_KEPT = 1_000
"""The number of people whose closed commands are cached: a set of names takes 2 KB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequest:
    """A request to run ``command`` in a conversation; ``writes`` if it may change the ERP.

    ``governed``: other rules, such as those of approvals, decide for each document who may change it. ``reserved``:
    only for administrators, and for people to whom a rule grants the command by name.
    """

    command: str
    conversation_id: str = ""
    writes: bool = False
    governed: bool = False
    reserved: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class CommandRequests:
    """The requests of all commands, in their asker's own chat; one list that is known by its identity."""

    requests: tuple[AccessRequest, ...]


@dataclass(frozen=True, slots=True)
class AccessVerdict:
    """The decision, its reason, and the roles that could help.

    ``grant`` is what the person alone may see of the answer, ``rule`` the names of the deciding rules.
    """

    allowed: bool
    reason: Phrase
    ask: tuple[str, ...] = ()
    grant: Grant = NO_GRANT
    rule: str = NO_RULE


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsideredRule:
    """A rule about a command, and whether it applies in the conversation and names the person."""

    rule: AccessRule
    holds_here: bool
    names_person: bool


class Denied(DingerpError):
    """The access policy refused; ``verdict`` holds the reason and whom to ask."""

    def __init__(self, verdict: AccessVerdict) -> None:
        super().__init__(str(verdict.reason))
        self.verdict = verdict

    def tell(self) -> Phrase:
        return self.verdict.reason


class AccessPolicy:
    """Role, department or person × command × conversation. Without rules every member may ask and nobody may write.

    A command covered by rules is only for the people they name; a denial overrides all grants. ``closed`` commands are
    for nobody unless a rule covers them. Writes are denied unless a rule grants them; of a governed command, the rules
    of each document decide later. ``roles`` maps a role to the user ids that have it by configuration; roles of the
    directory come with the `Person`. With ``read_only`` nobody writes, whatever the rules say.

    Rules never change: new ones make a new policy. So decisions are remembered for as long as a person, with roles and
    departments, stays the same; those in conversations that no rule names are one.

    Docs: contracts.md#smallest-configurations
    """

    def __init__(
        self,
        rules: Iterable[AccessRule] = (),
        roles: Mapping[str, frozenset[str]] = MappingProxyType({}),
        *,
        closed: Collection[str] = (),
        read_only: bool = False,
    ) -> None:
        self._rules = tuple(
            rule if rule.name else replace(rule, name=f"rule {number}") for number, rule in enumerate(rules, 1)
        )
        self._roles_by_user = _by_user(roles)
        self._read_only = read_only
        self._about = {
            command: RuleIndex(rule for rule in self._rules if rule.is_about(command))
            for command in {ANY}.union(*(rule.commands for rule in self._rules))
        }
        self._closed = tuple(command for command in closed if not self._opened(command))
        self._named_conversations = frozenset[str]().union(*(rule.conversations for rule in self._rules))
        self._decide = lru_cache(_KEPT)(self._decide_anew)
        self._share = lru_cache(_KEPT)(self._share_anew)
        self._find_closed = lru_cache(_LISTS_KEPT)(self._find_closed_anew)

    @property
    def rules(self) -> tuple[AccessRule, ...]:
        """The rules; unnamed ones are called by their number."""
        return self._rules

    @property
    def closed(self) -> tuple[str, ...]:
        """The commands closed to everybody, since no rule opens them."""
        return self._closed

    @property
    def read_only(self) -> bool:
        """Whether writes to the ERP are off, whatever the rules grant."""
        return self._read_only

    def roles_of(self, person: Person) -> frozenset[str]:
        """Return the person's roles from the directory and from the settings."""
        held = person.roles | self.configured_roles(person)
        return held | {ADMIN} if person.is_admin or ROLE_NAMES[ADMIN] in held else held

    def configured_roles(self, person: Person) -> frozenset[str]:
        """Return the person's roles from the settings."""
        return self._roles_by_user.get(person.user_id or "", frozenset())

    def decide(self, person: Person, request: AccessRequest) -> AccessVerdict:
        """Return whether ``person`` may make the request, why, and what they may see of the answer."""
        if person.key is not None and not _opens(person.key.commands, request.command):
            return _refusal(phrase("This key does not open /%(command)s.", command=request.command), (), rule=KEY_RULE)
        where = self._named_or_any(request.conversation_id)
        return self._decide(person, request.command, where, request.writes, request.governed, request.reserved)

    def decide_creation(
        self, person: Person, request: AccessRequest, kind: str, quantities: Sequence[Decimal]
    ) -> AccessVerdict:
        """Return whether ``person`` may begin a document of a kind with these quantities, and why."""
        verdict = self.decide(person, request)
        if not verdict.allowed:
            return verdict
        if self._read_only:
            return _refusal(READ_ONLY, (ADMIN,), rule=READ_ONLY_RULE)
        naming = self._rules_about(request.command).naming(person, with_synonyms(self.roles_of(person)))
        here = [rule for rule in naming if rule.allows and rule.holds_in(request.conversation_id)]
        rights = [(rule, rule.creates) for rule in here if rule.creates is not None and kind in rule.creates.kinds]
        if not rights:
            reason = phrase("No rule lets you create such documents (/%(command)s).", command=kind)
            return _refusal(reason, (ADMIN,))
        if permitting := [rule for rule, right in rights if right.permits(quantities)]:
            return replace(verdict, rule=_listed(permitting))
        rule, right = rights[-1]
        most = right.most_quantity
        told = {"rule": rule.name, "lines": right.most_lines}
        reason = (
            phrase("That is more than rule “%(rule)s” allows: lines up to %(lines)s.", **told)
            if most is None
            else phrase(
                "That is more than rule “%(rule)s” allows: lines up to %(lines)s, quantity of each up to %(quantity)s.",
                **told,
                quantity=most,
            )
        )
        return _refusal(reason, (ADMIN,), [rule])

    def closed_to(self, person: Person, asked: CommandRequests, conversation_id: str) -> frozenset[str]:
        """Return the names of those commands that ``person`` may not use in a conversation."""
        return self._find_closed(person, asked, self._named_or_any(conversation_id))

    def decide_area(self, person: Person, command: str, conversation_id: str = "") -> AccessVerdict:
        """Return whether ``person`` may see the documents that ``command`` shows, wherever they appear.

        `bot.access.areas.command_of` names the command of an alert.
        """
        if person.key is not None:
            if not _opens(person.key.documents, command):
                reason = phrase("This key does not open what /%(command)s shows.", command=command)
                return _refusal(reason, (), rule=KEY_RULE)
            person = replace(person, key=None)
        return self.decide(person, AccessRequest(command=command, conversation_id=conversation_id))

    def is_closed_to_all(self, request: AccessRequest) -> bool:
        """Return whether the request is forbidden to everybody; a conversation's members are unknown."""
        if request.writes and self._read_only:
            return True
        about = self._rules_about(request.command).rules
        here = [rule for rule in about if rule.holds_in(request.conversation_id)]
        if any(rule.takes_command and rule.is_for_all for rule in here):
            return True
        if request.reserved:
            return False  # administrators may
        if any(rule.allows and not rule.shared for rule in here):
            return False
        return (request.writes and not request.governed) or any(rule.allows and not rule.shared for rule in about)

    def sees_all(self, person: Person, commands: Iterable[str], conversation_id: str = "") -> bool:
        """Return whether a person may see all documents of these commands."""
        verdicts = (self.decide_area(person, command, conversation_id) for command in commands)
        return all(verdict.allowed and EVERYTHING in verdict.grant.scopes for verdict in verdicts)

    def consider(self, person: Person, request: AccessRequest) -> tuple[ConsideredRule, ...]:
        """Return the rules about the command, in order, and why each does not apply to this request."""
        about = self._rules_about(request.command)
        naming = about.naming(person, with_synonyms(self.roles_of(person)))
        return tuple(
            ConsideredRule(rule=rule, holds_here=rule.holds_in(request.conversation_id), names_person=rule in naming)
            for rule in about.rules
        )

    def shared_grant(self, conversation_id: str, command: str, *, outsiders: bool) -> Grant:
        """Return what a shared card may show of the documents of ``command``.

        DingTalk does not reveal a group's members. So it is what every member of the organisation may see, unless a
        shared rule adds more. ``outsiders``: an outsider is known to be there, and sees only what a shared rule names.
        """
        return self._share(self._named_or_any(conversation_id), command, outsiders)

    def shared_grants(
        self, conversation_id: str, command: str, shows: Collection[str], *, outsiders: bool
    ) -> Mapping[str, Grant]:
        """Return what an answer to ``command`` may show a whole conversation, by the command that owns the documents.

        The command's own entry holds the rules on itself; an answer that ``shows`` no documents has no entry.
        """
        grants = {each: self.shared_grant(conversation_id, each, outsiders=outsiders) for each in shows}
        if grants and command not in grants:
            # With outsiders present, a rule has to name the documents, but not each command that shows them.
            grants[command] = self.shared_grant(conversation_id, command, outsiders=False)
        return grants

    def shared_answer(self, conversation_id: str, command: str, shows: Collection[str], *, outsiders: bool) -> Grant:
        """Return the part of an answer to ``command`` that a whole conversation may see."""
        grants = self.shared_grants(conversation_id, command, shows, outsiders=outsiders)
        return common_grant(grants.values()) if grants else plain_grant(outsiders=outsiders)

    def _named_or_any(self, conversation_id: str) -> str:
        """Return the conversation if a rule names it: decisions in all others are the same."""
        return conversation_id if conversation_id in self._named_conversations else ""

    def _find_closed_anew(self, person: Person, asked: CommandRequests, where: str) -> frozenset[str]:
        here = (replace(request, conversation_id=where) for request in asked.requests)
        return frozenset(request.command for request in here if not self.decide(person, request).allowed)

    def _decide_anew(
        self, person: Person, command: str, where: str, writes: bool, governed: bool, reserved: bool
    ) -> AccessVerdict:
        return self._judge(
            person,
            AccessRequest(command=command, conversation_id=where, writes=writes, governed=governed, reserved=reserved),
        )

    def _judge(self, person: Person, request: AccessRequest) -> AccessVerdict:
        if person.is_external:
            return _refusal(phrase("Only members of the organisation may ask the ERP."), (ADMIN,))
        if request.writes and self._read_only:
            return _refusal(READ_ONLY, (ADMIN,), rule=READ_ONLY_RULE)
        about = self._rules_about(request.command)
        held = with_synonyms(self.roles_of(person))
        mine = [rule for rule in about.naming(person, held) if rule.holds_in(request.conversation_id)]
        denials = [rule for rule in mine if not rule.allows]
        if taken := [rule for rule in denials if rule.takes_command]:
            reason = phrase(
                "Rule “%(rule)s” does not let you use /%(command)s.", rule=taken[0].name, command=request.command
            )
            return _refusal(reason, (ADMIN,), taken)
        granting = [rule for rule in mine if rule.allows]
        if request.reserved and not any(request.command in rule.commands for rule in granting):
            return _decide_reserved(about.rules, held, denials, request)
        if granting:
            return AccessVerdict(
                True,
                _why_allowed(granting, request.command, person, held),
                grant=_without(merge_grants(rule.grant for rule in granting), denials),
                rule=_listed([*granting, *denials]),
            )
        covering = [rule for rule in about.rules if rule.allows and not rule.shared]
        if open_here := [rule for rule in covering if rule.holds_in(request.conversation_id)]:
            named = _named_by(open_here)
            reason = phrase("/%(command)s is only for: %(roles)s.", command=request.command, roles=label_roles(named))
            return _refusal(reason, named, open_here)
        if covering:
            reason = phrase("/%(command)s is not open in this conversation.", command=request.command)
            return _refusal(reason, (ADMIN,), covering)
        if request.command in self._closed:
            return _refusal(phrase("No rule says who may use /%(command)s.", command=request.command), (ADMIN,))
        if request.writes and not request.governed:
            return _refusal(phrase("Nobody may change the ERP unless a rule grants it."), (ADMIN,))
        reason = _BY_DOCUMENT if request.governed else _BY_DEFAULT
        return AccessVerdict(True, reason, grant=_without(FULL_GRANT, denials), rule=_listed(denials))

    def _share_anew(self, conversation_id: str, command: str, outsiders: bool) -> Grant:
        about = self._rules_about(command).rules
        here = [rule for rule in about if rule.holds_in(conversation_id)]
        shared = [rule for rule in here if rule.shared and rule.allows]
        denials = [rule for rule in here if not rule.allows]
        of_all = [rule for rule in denials if rule.shared or rule.is_for_all]
        if any(rule.takes_command for rule in of_all):
            return NO_GRANT
        if shared:
            named = _without(merge_grants(rule.grant for rule in shared), of_all)
            return replace(named, fields=named.fields & OUTSIDER_FIELDS) if outsiders else named
        if outsiders or command in self._closed or any(rule.takes_command for rule in denials):
            return NO_GRANT
        granting = [rule for rule in about if rule.allows and not rule.shared]
        return _without(_grant_of_all(granting, conversation_id) if granting else SHARED_GRANT, denials)

    def _opened(self, command: str) -> bool:
        return any(rule.allows and not rule.shared for rule in self._rules_about(command).rules)

    def _rules_about(self, command: str) -> RuleIndex:
        return self._about.get(command, self._about[ANY])


_BY_DEFAULT = phrase("Every member may ask.")
_BY_DOCUMENT = phrase("Rules of its own say who may, for every document.")


def _opens(scope: frozenset[str] | None, command: str) -> bool:
    """Return whether the scope of a key has a command in it."""
    return scope is None or command in scope


def _by_user(roles: Mapping[str, frozenset[str]]) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for role, members in roles.items():
        for user_id in members:
            found.setdefault(user_id, set()).add(role)
    return {user_id: frozenset(held) for user_id, held in found.items()}


def _why_allowed(rules: Sequence[AccessRule], command: str, person: Person, held: frozenset[str]) -> Phrase:
    if any(rule.is_for_all for rule in rules):
        return phrase("Every member may use /%(command)s.", command=command)
    if roles := sorted(_union(rule.roles for rule in rules) & held):
        return phrase("Your role “%(role)s” allows it.", role=label_role(roles[0]))
    mine = person.departments | person.department_names
    if departments := sorted(_union(rule.departments for rule in rules) & mine):
        return phrase("Your department “%(department)s” allows it.", department=departments[0])
    return phrase("“%(rule)s” names you.", rule=rules[0].name)


def _named_by(rules: Iterable[AccessRule]) -> tuple[str, ...]:
    return tuple(sorted(_union(rule.roles | rule.departments | rule.people for rule in rules)))


def _union(several: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*several)


def _decide_reserved(
    about: Iterable[AccessRule], held: frozenset[str], denials: Iterable[AccessRule], request: AccessRequest
) -> AccessVerdict:
    if ADMIN in held:
        reason = phrase("Your role “%(role)s” allows it.", role=label_role(ADMIN))
        return AccessVerdict(True, reason, grant=_without(FULL_GRANT, denials), rule=RESERVED_RULE)
    naming = (rule for rule in about if request.command in rule.commands and rule.allows and not rule.shared)
    further = {*_named_by(rule for rule in naming if rule.holds_in(request.conversation_id))} - {ROLE_NAMES[ADMIN]}
    named = tuple(sorted({ADMIN, *further}))
    reason = phrase("/%(command)s is only for: %(roles)s.", command=request.command, roles=label_roles(named))
    return _refusal(reason, named, rule=RESERVED_RULE)


def out_of_scope(verdict: AccessVerdict) -> AccessVerdict:
    """Return the refusal for one document, when ``verdict`` allows others."""
    reason = phrase("Rule “%(rule)s” does not let you see this document.", rule=verdict.rule)
    return AccessVerdict(False, reason, (ADMIN,), rule=verdict.rule)


def _refusal(
    reason: Phrase, ask: tuple[str, ...], rules: Iterable[AccessRule] = (), *, rule: str = ""
) -> AccessVerdict:
    return AccessVerdict(False, reason, ask, rule=rule or _listed(rules))


def _listed(rules: Iterable[AccessRule]) -> str:
    return ", ".join(dict.fromkeys(rule.name for rule in rules)) or NO_RULE


def _without(grant: Grant, denials: Iterable[AccessRule]) -> Grant:
    taken = frozenset[FieldClass]().union(*(rule.fields or frozenset() for rule in denials))
    return replace(grant, fields=grant.fields - taken) if taken else grant


def _grant_of_all(granting: Iterable[AccessRule], conversation_id: str) -> Grant:
    """Return what every member may see by allowing rules, whatever their roles.

    The rules for everybody grant their documents to all. Fields differ: a person to whom a further rule shows other
    documents sees, on all of them, only the fields that each of their rules shows (`merge_grants`).
    """
    here = [rule for rule in granting if rule.holds_in(conversation_id)]
    of_all = [rule.grant for rule in here if rule.is_for_all]
    common = merge_grants(of_all)
    given = [scope for grant in of_all for scope in grant.scopes]
    further = [rule.grant.fields for rule in here if not any(scope.includes(rule.scope) for scope in given)]
    # One member's own documents are not another's.
    scopes = tuple(scope for scope in common.scopes if not scope.own)
    fields = SHARED_FIELDS.intersection(common.fields, *further)
    return Grant(fields=fields, scopes=scopes) if scopes else NO_GRANT


def plain_grant(*, outsiders: bool) -> Grant:
    """Return what a shared card without documents may show, such as /help."""
    return replace(SHARED_GRANT, fields=SHARED_FIELDS & OUTSIDER_FIELDS) if outsiders else SHARED_GRANT
