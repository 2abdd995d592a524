"""Decides who may use which command where, with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from bot.access.people import Person
from bot.errors import DingerpError
from bot.phrase import Phrase, phrase

ADMIN = "admin"
"""Role of every administrator of the organisation; the one to ask when nothing else is configured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequest:
    """A request to run ``command`` in a conversation; ``writes`` where the ERP may change.

    ``governed`` means that other rules, such as those of approvals, decide for each document who may change it.
    ``reserved`` means that only administrators may, and those to whom a rule grants the command by its name.
    """

    command: str
    conversation_id: str = ""
    writes: bool = False
    governed: bool = False
    reserved: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRule:
    """Grants ``commands`` (``*``: all) to ``roles`` (``*``: every member), optionally in some conversations only."""

    commands: frozenset[str]
    roles: frozenset[str]
    conversations: frozenset[str] = frozenset()

    def covers(self, request: AccessRequest) -> bool:
        """Return whether the rule applies to this command in this conversation."""
        here = not self.conversations or request.conversation_id in self.conversations
        return here and ("*" in self.commands or request.command in self.commands)


@dataclass(frozen=True, slots=True)
class AccessVerdict:
    """The decision, its reason, the roles that could help, and the name of the rule that decided."""

    allowed: bool
    reason: Phrase
    ask: tuple[str, ...] = ()
    rule: str = ""


_DEFAULT, _RESERVED, _RULES = "default", "reserved", "access.rules"
"""Names of what decides."""

_ALLOWED_FOR_MEMBERS = AccessVerdict(True, phrase("Every member may ask."), rule=_DEFAULT)
_ALLOWED_BY_DOCUMENT_RULES = AccessVerdict(
    True, phrase("Rules of its own say who may, for every document."), rule=_DEFAULT
)


class Denied(DingerpError):
    """The access policy said no; ``verdict`` holds the reason and whom to ask."""

    def __init__(self, verdict: AccessVerdict) -> None:
        super().__init__(str(verdict.reason))
        self.verdict = verdict

    def tell(self) -> Phrase:
        return self.verdict.reason


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """Roles × command × conversation. Without rules every member may ask and nobody may write.

    As soon as rules cover a command, it is only for the roles that they name. Writes are denied unless a rule grants
    them; of a governed command, the rules of each document decide later. ``roles`` maps a role to the user ids that
    have it by configuration; roles of the directory come with the `Person`.

    Docs: contracts.md#smallest-configurations
    """

    rules: tuple[AccessRule, ...] = ()
    roles: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))

    def roles_of(self, person: Person) -> frozenset[str]:
        """Return the person's roles from the directory and from the configuration."""
        configured = {role for role, members in self.roles.items() if person.user_id in members}
        return person.roles | configured | ({ADMIN} if person.is_admin else set())

    def decide(self, person: Person, request: AccessRequest) -> AccessVerdict:
        """Return whether ``person`` may do ``request``, and why."""
        if person.is_external:
            return AccessVerdict(False, phrase("Only members of the organisation may ask the ERP."), (ADMIN,), _DEFAULT)
        if request.reserved:
            return self._decide_reserved(person, request)
        if not self.rules and (request.governed or not request.writes):
            return _default_verdict(request)
        covering = [rule for rule in self.rules if rule.covers(request)]
        granted = frozenset[str]().union(*(rule.roles for rule in covering))
        held = self.roles_of(person)
        if "*" in granted:
            return AccessVerdict(
                True, phrase("Every member may use /%(command)s.", command=request.command), rule=_RULES
            )
        if by := sorted(granted & held):
            return AccessVerdict(True, phrase("Your role “%(role)s” allows it.", role=by[0]), rule=_RULES)
        if covering:
            return AccessVerdict(
                False,
                phrase(
                    "/%(command)s is only for: %(roles)s.", command=request.command, roles=", ".join(sorted(granted))
                ),
                tuple(sorted(granted)),
                _RULES,
            )
        if any(rule.commands & {request.command, "*"} for rule in self.rules if rule.conversations):
            return AccessVerdict(
                False,
                phrase("/%(command)s is not open in this conversation.", command=request.command),
                (ADMIN,),
                _RULES,
            )
        if request.writes and not request.governed:
            return AccessVerdict(
                False, phrase("Nobody may change the ERP unless a rule grants it."), (ADMIN,), _DEFAULT
            )
        return _default_verdict(request)

    def _decide_reserved(self, person: Person, request: AccessRequest) -> AccessVerdict:
        naming = (rule for rule in self.rules if request.command in rule.commands and rule.covers(request))
        granted = frozenset({ADMIN}).union(*(rule.roles for rule in naming))
        if by := sorted(granted & self.roles_of(person)):
            return AccessVerdict(True, phrase("Your role “%(role)s” allows it.", role=by[0]), rule=_RESERVED)
        if "*" in granted:
            return AccessVerdict(
                True, phrase("Every member may use /%(command)s.", command=request.command), rule=_RESERVED
            )
        roles = tuple(sorted(granted))
        reason = phrase("/%(command)s is only for: %(roles)s.", command=request.command, roles=", ".join(roles))
        return AccessVerdict(False, reason, roles, _RESERVED)


def _allowed_for_all(request: AccessRequest, rule: str) -> AccessVerdict:
    return AccessVerdict(True, phrase("Every member may use /%(command)s.", command=request.command), rule=rule)


def _default_verdict(request: AccessRequest) -> AccessVerdict:
    return _ALLOWED_BY_DOCUMENT_RULES if request.governed else _ALLOWED_FOR_MEMBERS
