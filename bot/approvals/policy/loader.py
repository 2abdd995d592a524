"""Turns ``approvals.toml`` into rules, or into all errors with their lines; follows the file while it is edited."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path

from bot.approvals.plan import ExpiryAction, Quorum, is_within
from bot.approvals.policy.feasibility import find_substitution_loop, find_uncovered_amounts, is_unreachable
from bot.approvals.policy.gate_rules import read_gate_rule
from bot.approvals.policy.rule_policy import DEFAULT_ROLE, DEFAULT_RULES, RuleBasedPolicy
from bot.approvals.policy.rules import (
    DEFAULT_KINDS,
    ApprovalRule,
    ApprovalRuleSet,
    ApproverSelector,
    AwayRule,
    RuleLevel,
    RuleScope,
    SelectorKind,
    SingleLimit,
    Substitute,
)
from bot.approvals.policy.values import (
    format_money,
    read_approvers,
    read_bounds,
    read_currencies,
    read_limit,
    read_limits,
    read_person,
    read_requesters,
    read_span,
    read_substitutes,
)
from bot.checks.document_checks import CHECKS
from bot.erp.kinds import DECIDED, decided_kind
from bot.erp.model import Money, PartnerKind
from bot.rulefiles.absence import NoRules
from bot.rulefiles.document import Reviewed, RuleTable, read_document, refuse_namesakes
from bot.rulefiles.errors import did_you_mean
from bot.rulefiles.followed_file import FollowedFile, RuleContent
from bot.rulefiles.names_in_force import NamesInForce
from bot.rulefiles.values import read_flag, read_moment, read_name, read_whole_names
from bot.words.names import NOTHING_KNOWN, KnownNames, NameKind
from bot.words.phrase import phrase

NO_APPROVAL_RULES = NoRules("default", phrase("the members of the role %(role)s decide", role=f"{DEFAULT_ROLE!r}"))

MAX_ENTRIES = 200
"""The number of rules, levels, limits or substitutes in one document: comparing all pairs stays fast."""

_DAY = timedelta(days=1)
_NO_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
_LEVELS_EXAMPLE = 'levels = [{any = ["role:purchasing"]}, {all = ["person:cfo01", "manager:2"]}]'


def read_policy(
    content: bytes, zone: tzinfo, known: KnownNames = NOTHING_KNOWN, *, name: str = "approvals.toml"
) -> ApprovalRuleSet:
    """Return the rules of a document; errors call it ``name``. Raises `RulesError` with all errors."""
    return review_policy(content, zone, known, name=name).rules


def review_policy(
    content: bytes, zone: tzinfo, known: KnownNames = NOTHING_KNOWN, *, name: str = "approvals.toml"
) -> Reviewed[ApprovalRuleSet]:
    """Return the rules of a document with warnings. Raises `RulesError` with all errors.

    ``zone`` applies to dates without one; ``known`` are the names that may be referenced.
    """
    return _review_content(content, zone, known, name=name).become(lambda content: content.rules)


def _review_content(
    content: bytes, zone: tzinfo, known: KnownNames, *, name: str
) -> Reviewed[RuleContent[ApprovalRuleSet]]:
    version = hashlib.sha256(content).hexdigest()[:12]

    def read(document: RuleTable) -> RuleContent[ApprovalRuleSet]:
        says_none = NO_APPROVAL_RULES.is_chosen(document)
        if says_none and document.tables("rules"):
            document.wrong(
                "default", phrase("it says that %(effect)s, and there are rules", effect=NO_APPROVAL_RULES.effect)
            )
        rules = _RuleParser(document, zone, known).rules(version)
        return RuleContent(rules=rules, decides=rules.rules is not DEFAULT_RULES.rules, says_none=says_none)

    return read_document(content, read, name=name, known=known)


class _RuleParser:
    def __init__(self, document: RuleTable, zone: tzinfo, known: KnownNames) -> None:
        self._document = document
        self._zone = zone
        self._roles = known.roles or {}
        self._sources = {source.casefold(): source for source in known.sources or ()}

    def rules(self, version: str) -> ApprovalRuleSet:
        document = self._document
        tables = document.few_tables("rules", MAX_ENTRIES)
        rules = tuple(map(self._rule, tables))
        refuse_namesakes(tables, (rule.name for rule in rules))
        if not document.errors.found:
            _warn_of_coverage(tables, [rule.scope for rule in rules])
        substitutes = self._substitutes()
        limits = self._limits()
        self._warn_of_lower_limits(substitutes, limits)
        gate_tables = document.few_tables("gate", MAX_ENTRIES)
        gate = tuple(read_gate_rule(table, self._step, self._people) for table in gate_tables)
        refuse_namesakes(gate_tables, (rule.name for rule in gate))
        away = self._away()
        document.finish()
        # A document may hold substitutes or limits alone: then the role ``approver`` decides, as without rules.
        return ApprovalRuleSet(
            version=version,
            rules=rules or DEFAULT_RULES.rules,
            substitutes=substitutes,
            limits=limits,
            gate=gate,
            away=away,
        )

    def _away(self) -> AwayRule:
        table = self._document.table("away")
        substitutes = table.take("substitutes", read_substitutes, ())
        _refer_people(table, "substitutes", substitutes)
        found = AwayRule(substitutes=substitutes, longest=table.take("longest", read_span, AwayRule().longest))
        table.finish()
        return found

    def _rule(self, table: RuleTable) -> ApprovalRule:
        scope = self._scope(table)
        rule = ApprovalRule(
            name=table.need("name", read_name("small amounts"), table.called("rule"), 'name = "small amounts"'),
            scope=scope,
            steps=self._steps(table, scope),
            confirm_from=table.take("confirm_from", read_limit, None),
            daily_limits=table.take("daily_limit", read_limits, ()),
            remind_after=table.take("remind", _read_reminders, ()),
            deadline=table.take("deadline", read_span, None),
            on_expiry=table.take("on_expiry", _read_expiry, ExpiryAction.NOTHING),
            escalate_to=self._people(table, "escalate_to"),
            todo=table.take("todo", read_flag, None),
        )
        table.finish()
        if not table.has_errors:
            _check_time(table, rule)
            _check_amounts(table, rule)
        return rule

    def _scope(self, table: RuleTable) -> RuleScope:
        at_least, below = table.take("amount", read_bounds, (None, None))
        sources = table.take("sources", _read_words, frozenset())
        table.refer("sources", NameKind.SOURCE, sorted(self._sources.get(source, source) for source in sources))
        scope = RuleScope(
            kinds=table.take("kinds", _read_kinds, DEFAULT_KINDS),
            sources=sources,
            companies=table.take("companies", _read_words, frozenset()),
            departments=table.take_names("departments", _read_words, frozenset(), NameKind.DEPARTMENT_ID),
            suppliers=table.take("suppliers", _read_words, frozenset()),
            customers=table.take("customers", _read_words, frozenset()),
            categories=table.take("categories", _read_words, frozenset()),
            requesters=table.take("requesters", read_requesters, ()),
            currencies=table.take("currencies", read_currencies, frozenset()),
            at_least=at_least,
            below=below,
            flags=table.take("flags", _read_flags, frozenset()),
        )
        _refer_people(table, "requesters", scope.requesters)
        _check_partners(table, scope)
        _check_flags(table, scope)
        bound = at_least or below
        if bound is not None and scope.currencies and scope.currencies != {bound.currency}:
            table.wrong(
                "currencies",
                phrase("the amount says %(currency)s already; leave one of them out", currency=bound.currency),
            )
        return scope

    def _steps(self, table: RuleTable, scope: RuleScope) -> tuple[RuleLevel, ...]:
        levels = table.tables("levels")
        if not levels and not table.has_errors:
            table.miss(
                phrase(
                    "a rule says who decides, level by level; an example is %(example)s",
                    example=_LEVELS_EXAMPLE,
                )
            )
        if len(levels) > MAX_ENTRIES:
            table.wrong("levels", phrase("more than %(max_entries)s", max_entries=MAX_ENTRIES))
            return ()
        steps = tuple(map(self._step, levels))
        _check_fields(table, scope, steps)
        if not any(level.has_errors for level in levels):
            _check_twice_needed(levels, steps)
        return steps

    def _step(self, level: RuleTable) -> RuleLevel:
        some, every = self._people(level, "any"), self._people(level, "all")
        level.finish()
        if not level.has_errors and ("any" in level) == ("all" in level):
            level.miss(
                phrase('a level is agreed to by any or by all of some people, an example is {any = ["role:finance"]}')
            )
        return RuleLevel(Quorum.ANY, some) if "any" in level else RuleLevel(Quorum.ALL, every)

    def _people(self, table: RuleTable, key: str) -> tuple[ApproverSelector, ...]:
        found = table.take(key, read_approvers, ())
        _refer_people(table, key, found)
        return found

    def _substitutes(self) -> tuple[Substitute, ...]:
        tables = self._document.few_tables("substitutes", MAX_ENTRIES)
        found = tuple(map(self._substitute, tables))
        if not any(table.has_errors for table in tables):
            loop = find_substitution_loop(found)
            if loop:
                people = " → ".join(found[place].person for place in (*loop, loop[0]))
                reason = phrase(
                    "they stand in for each other at the same time (%(people)s): nobody of them is there", people=people
                )
                tables[max(loop)].miss(reason)
        return found

    def _substitute(self, table: RuleTable) -> Substitute:
        read = read_moment(self._zone)
        person = table.need("person", read_person, "", 'person = "manager01"')
        by = table.need("by", read_person, "", 'by = "manager02"')
        for key, name in (("person", person), ("by", by)):
            table.refer(key, NameKind.PERSON, filter(None, (name,)))
        begins = table.need("from", read, _NO_MOMENT, "from = 2026-10-01")
        ends = table.need("until", _read_end(self._zone), _NO_MOMENT, "until = 2026-10-07")
        table.finish()
        if not table.has_errors and person == by:
            table.wrong("by", phrase("nobody stands in for themselves"))
        if not table.has_errors and begins >= ends:
            table.wrong("until", phrase("it ends before it begins; a day alone counts to its end"))
        return Substitute(person=person, by=by, begins=begins, ends=ends)

    def _warn_of_lower_limits(self, substitutes: Sequence[Substitute], limits: Sequence[SingleLimit]) -> None:
        """Warn when a substitute's own limit is lower than that of the person they replace."""
        for table, entry in zip(self._document.few_tables("substitutes", MAX_ENTRIES), substitutes, strict=False):
            theirs, own = (self._limit_of(person, limits) for person in (entry.person, entry.by))
            if theirs is None or not theirs.binds_stand_ins or (own is not None and _is_as_low(own, theirs)):
                continue
            most = ", ".join(map(format_money, theirs.amounts))
            table.warn(
                "by",
                phrase(
                    "in the place of %(person)s, %(by)s may approve no more than %(most)s either",
                    person=entry.person,
                    by=entry.by,
                    most=most,
                ),
            )

    def _limit_of(self, person: str, limits: Sequence[SingleLimit]) -> SingleLimit | None:
        """Return the first limit that names a person, directly or through a role of the settings."""
        roles = {role for role, members in self._roles.items() if person in members}
        names = {ApproverSelector(SelectorKind.ROLE, role) for role in roles}
        names.add(ApproverSelector(SelectorKind.PERSON, person))
        return next((limit for limit in limits if not names.isdisjoint(limit.approvers)), None)

    def _limits(self) -> tuple[SingleLimit, ...]:
        limits = []
        named: set[ApproverSelector] = set()
        for table in self._document.few_tables("limits", MAX_ENTRIES):
            if "who" not in table:
                table.miss(phrase('who is missing, an example is who = ["role:purchasing"]'))
            who = self._people(table, "who")
            amounts = table.need("up_to", read_limits, (), 'up_to = ["20000 CNY", "3000 USD"]')
            binds = table.take("binds_stand_ins", read_flag, True)
            table.finish()
            for selector in who:
                if selector in named:
                    table.warn(
                        "who",
                        phrase("%(selector)s has a limit above already, and the first one counts", selector=selector),
                    )
            named.update(who)
            limits.append(SingleLimit(approvers=who, amounts=amounts, binds_stand_ins=binds))
        return tuple(limits)


def _refer_people(table: RuleTable, key: str, people: Sequence[ApproverSelector]) -> None:
    for kind, by in ((NameKind.PERSON, SelectorKind.PERSON), (NameKind.CONFIGURED_ROLE, SelectorKind.ROLE)):
        table.refer(key, kind, [selector.value for selector in people if selector.by is by])


def _is_as_low(own: SingleLimit, theirs: SingleLimit) -> bool:
    """Return whether a limit allows nothing beyond another."""
    return all(is_within(theirs.amounts, most) for most in own.amounts)


def _check_time(table: RuleTable, rule: ApprovalRule) -> None:
    deadline = rule.deadline
    if deadline is None and "on_expiry" in table:
        table.wrong("on_expiry", phrase('there is no deadline, an example is deadline = "2d"'))
    if deadline is not None and any(after >= deadline for after in rule.remind_after):
        table.wrong("remind", phrase('the deadline comes first, an example is remind = ["4h"], deadline = "2d"'))
    if rule.on_expiry is ExpiryAction.ESCALATE and not rule.escalate_to:
        table.wrong("on_expiry", phrase('to whom? An example is escalate_to = ["manager:2"]'))
    if rule.on_expiry is not ExpiryAction.ESCALATE and rule.escalate_to:
        table.wrong("escalate_to", phrase('nothing is escalated; write on_expiry = "escalate"'))


def _check_amounts(table: RuleTable, rule: ApprovalRule) -> None:
    scope = rule.scope
    bound = scope.at_least or scope.below
    currencies = {bound.currency} if bound is not None else scope.currencies
    limits = {money.currency: money for money in rule.daily_limits}
    missing = sorted(currencies - limits.keys())
    if limits and missing:
        table.wrong(
            "daily_limit", phrase("there is none in %(missing)s, so that nobody could approve", missing=missing[0])
        )
    elif limits and not currencies:
        table.warn(
            "daily_limit", phrase("nobody can approve in other currencies than %(limits)s", limits=tuple(limits))
        )
    least = scope.at_least
    if least is not None and least.currency in limits and limits[least.currency].amount < least.amount:
        limit = format_money(limits[least.currency])
        table.wrong("daily_limit", phrase("%(limit)s is less than any amount of this rule", limit=limit))
    confirm = rule.confirm_from
    if confirm is not None and currencies and confirm.currency not in currencies:
        table.warn(
            "confirm_from", phrase("it is in %(currency)s, so everything is asked for twice", currency=confirm.currency)
        )
    if confirm is not None and scope.below is not None and _reaches(confirm, scope.below):
        table.warn(
            "confirm_from",
            phrase("amounts here stay below %(below)s: never asked twice", below=format_money(scope.below)),
        )


def _reaches(amount: Money, bound: Money) -> bool:
    return amount.currency == bound.currency and amount.amount >= bound.amount


def _check_twice_needed(levels: Sequence[RuleTable], steps: Sequence[RuleLevel]) -> None:
    """Report levels that need the same person twice: nobody agrees twice to a document, so it would never end."""
    needed: dict[ApproverSelector, int] = {}
    for number, (level, step) in enumerate(zip(levels, steps, strict=True), 1):
        for selector in step.approvers:
            if selector.by is SelectorKind.ROLE or (step.quorum is Quorum.ANY and len(step.approvers) > 1):
                continue
            before = needed.setdefault(selector, number)
            if before != number:
                level.miss(
                    phrase(
                        "levels %(before)s and %(number)s both need %(selector)s, and nobody agrees twice",
                        before=before,
                        number=number,
                        selector=selector,
                    )
                )


def _warn_of_coverage(tables: Sequence[RuleTable], scopes: Sequence[RuleScope]) -> None:
    for place, (table, scope) in enumerate(zip(tables, scopes, strict=True)):
        if is_unreachable(scope, scopes[:place]):
            table.errors.warn(table.path, phrase("no document ever comes to this rule: those before it take them all"))
    for hole in find_uncovered_amounts(scopes):
        reason = phrase(
            "no rule is for amounts from %(low)s to below %(high)s %(currency)s",
            low=f"{hole.low:f}",
            high=f"{hole.high:f}",
            currency=hole.currency,
        )
        tables[hole.above].warn("amount", reason)


_read_whole_names = read_whole_names('["ACME", "华东机械有限公司"]')


def _read_kinds(value: object) -> frozenset[str]:
    known = [kind.command for kind in DECIDED]
    if value == []:
        raise ValueError(phrase('the list is empty, so that nothing would fit; an example is ["po", "bill"]'))
    found = _read_words(value)
    for unknown in sorted(found.difference(known)):
        raise ValueError(
            phrase("%(value)s; %(hint)s", value=f"{unknown!r:.40}", hint=did_you_mean(unknown[:40], known))
        )
    return found


def _check_partners(table: RuleTable, scope: RuleScope) -> None:
    """Refuse partners of a side of the business on which no document of the rule's kinds has one."""
    sides = {decided_kind(command).partners for command in scope.kinds}
    for key, named, side in (
        ("suppliers", scope.suppliers, PartnerKind.VENDOR),
        ("customers", scope.customers, PartnerKind.CUSTOMER),
    ):
        if named and side not in sides:
            kinds = ", ".join(sorted(scope.kinds))
            table.wrong(
                key, phrase("documents of these kinds have none, so that nothing would fit: %(kinds)s", kinds=kinds)
            )


def _read_flags(value: object) -> frozenset[str]:
    found = _read_words(value)
    for unknown in sorted(found.difference(CHECKS)):
        raise ValueError(
            phrase("%(value)s; %(hint)s", value=f"{unknown!r:.40}", hint=did_you_mean(unknown[:40], list(CHECKS)))
        )
    return found


def _check_flags(table: RuleTable, scope: RuleScope) -> None:
    """Refuse checks of other kinds of documents than the rule's."""
    for name in sorted(scope.flags):
        if CHECKS[name].kind.command not in scope.kinds:
            kinds = ", ".join(sorted(scope.kinds))
            table.wrong("flags", phrase("%(name)s is no check of %(kinds)s", name=name, kinds=kinds))


def _check_fields(table: RuleTable, scope: RuleScope, steps: Sequence[RuleLevel]) -> None:
    """Refuse people whom a field names that documents of some of the rule's kinds lack: nobody would decide these."""
    fields = {each.value for step in steps for each in step.approvers if each.by is SelectorKind.FIELD}
    for command in sorted(scope.kinds):
        for name in sorted(fields - set(decided_kind(command).record.__dataclass_fields__)):
            table.wrong(
                "levels", phrase("field:%(name)s: documents of %(kind)s have no such field", name=name, kind=command)
            )


def _read_words(value: object) -> frozenset[str]:
    return frozenset(map(str.casefold, _read_whole_names(value)))


def _read_reminders(value: object) -> tuple[timedelta, ...]:
    if not isinstance(value, str | list):
        raise ValueError(phrase('a list of durations is expected, an example is ["4h", "1d"]'))
    return tuple(sorted(set(map(read_span, [value] if isinstance(value, str) else value))))


def _read_expiry(value: object) -> ExpiryAction:
    known = [expiry.value for expiry in ExpiryAction]
    if value not in known:
        raise ValueError(
            phrase("%(value)s; %(hint)s", value=f"{value!r:.40}", hint=did_you_mean(str(value)[:40], known))
        )
    return ExpiryAction(str(value))


def _read_end(zone: tzinfo) -> Callable[[object], datetime]:
    """Return the parser of end times: a bare date means the end of that day, as people write holidays."""
    read = read_moment(zone)

    def read_end(value: object) -> datetime:
        found = read(value)
        if isinstance(value, str) and len(value) == len("2026-10-07"):
            value = date.fromisoformat(value)
        if isinstance(value, date) and not isinstance(value, datetime):
            return read(value + _DAY)
        return found

    return read_end


def follow_policy(places: Sequence[Path], zone: tzinfo, names: NamesInForce) -> FollowedFile[RuleBasedPolicy]:
    """Return the rules in force, reloaded with the file; without a file members of the role ``approver`` decide.

    ``current`` is the ``policy`` of `bot.approvals.unit_of_work.CaseTransactions`; ``names`` checks the names used in
    the file. Raises `RulesError` if the file is wrong.
    """

    def read(content: bytes, name: str, known: KnownNames) -> Reviewed[RuleContent[RuleBasedPolicy]]:
        return _review_content(content, zone, known, name=name).become(in_policy)

    def in_policy(found: RuleContent[ApprovalRuleSet]) -> RuleContent[RuleBasedPolicy]:
        return RuleContent(rules=RuleBasedPolicy(found.rules), decides=found.decides, says_none=found.says_none)

    def default() -> RuleContent[RuleBasedPolicy]:
        return RuleContent(rules=RuleBasedPolicy(), decides=False)

    return FollowedFile(places, read, default, none=NO_APPROVAL_RULES, names=names)
