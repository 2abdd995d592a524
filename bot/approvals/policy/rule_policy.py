"""The policy from a company's rules: who decides, whether a person may vote now, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from bot.approvals.absence import Absence
from bot.approvals.document import ApprovalDocument
from bot.approvals.plan import (
    DEFAULT_RULE,
    ApprovalLevel,
    CompanyDirectory,
    Eligibility,
    PlanResult,
    Quorum,
    VoteContext,
    is_within,
    label_rule,
    missing_approvers,
    tally,
)
from bot.approvals.policy.planner import amount_bounds, make_plan, own_limits, single_limits
from bot.approvals.policy.rules import (
    ApprovalRule,
    ApprovalRuleSet,
    ApproverSelector,
    GateRule,
    RuleLevel,
    SelectorKind,
    Substitute,
)
from bot.approvals.standing_in import LeadsTo, find_stand_ins
from bot.erp.model import Currency, Money, Verdict
from bot.words.phrase import Phrase, phrase


def evaluate(vote_context: VoteContext, user_id: str, verdict: Verdict, leads_to: LeadsTo) -> Eligibility:
    """Return the ruling; the checks run in the order in which people would ask."""
    document, plan = vote_context.document, vote_context.plan
    if (involvement := document.involvement(user_id)) is not None:
        return _refuse(involvement.own)
    waited = tally(plan, vote_context.votes)
    if isinstance(waited, Verdict):
        return _refuse(phrase("It has been decided already."))
    if any(vote.user_id == user_id for vote in vote_context.votes):
        return _refuse(phrase("You have agreed already; others have to decide as well."))
    level, rule = plan.level(waited), label_rule(plan.rule)
    left = missing_approvers(level, vote_context.votes)
    own = user_id in left
    principals = ("",) if own else _principals(user_id, left, vote_context, verdict, leads_to)
    if not principals:
        return _not_named(user_id, vote_context, level, left)
    over: list[Phrase] = []
    for principal in principals:
        limit = _over_limits(user_id, principal, vote_context) if verdict is Verdict.APPROVE else None
        if limit is None:
            named = phrase("“%(rule)s” names you for level %(level)s.", rule=rule, level=waited)
            stands_in = phrase("You stand in for %(person)s, named by “%(rule)s”.", person=principal, rule=rule)
            reasons = (named if own else stands_in,)
            return Eligibility(allowed=True, reasons=reasons, level=waited, on_behalf_of=principal)
        over.append(limit)
    return _refuse(over[0], ask=tuple(approver for approver in left if approver != user_id))


def _refuse(*reasons: Phrase, ask: tuple[str, ...] = ()) -> Eligibility:
    return Eligibility(allowed=False, reasons=reasons, ask=ask)


def _principals(
    user_id: str, left: Sequence[str], vote_context: VoteContext, verdict: Verdict, leads_to: LeadsTo
) -> tuple[str, ...]:
    """Return the awaited approvers for whom the person currently substitutes."""
    return tuple(approver for approver in left if user_id in find_stand_ins(approver, vote_context, verdict, leads_to))


def _not_named(user_id: str, vote_context: VoteContext, level: ApprovalLevel, left: tuple[str, ...]) -> Eligibility:
    plan = vote_context.plan
    if not level.approvers:
        return _refuse(
            phrase("“%(rule)s” leaves nobody for level %(level)s.", rule=label_rule(plan.rule), level=level.number)
        )
    if any(user_id in other.approvers for other in plan.levels[level.number :]):
        return _refuse(phrase("It is not your turn yet: level %(level)s comes first.", level=level.number), ask=left)
    spoken_for = next((vote for vote in vote_context.votes if vote.on_behalf_of == user_id), None)
    if spoken_for is not None and spoken_for.level == level.number:
        return _refuse(phrase("%(person)s has already stood in for you.", person=spoken_for.name), ask=left)
    if any(user_id in other.approvers for other in plan.levels[: level.number]):
        return _refuse(phrase("Your level has decided already; level %(level)s is next.", level=level.number), ask=left)
    return _refuse(phrase("You are not an approver of this document."), ask=left)


def _over_limits(user_id: str, principal: str, vote_context: VoteContext) -> Phrase | None:
    """Return the limit that this approval would exceed: the voter's own, or that of the approver they replace."""
    people = (user_id, principal) if principal else (user_id,)
    for person in people:
        if (over := _over_single_limit(person, vote_context, in_place=person == principal)) is not None:
            return over
    # Both sums are locked until the vote is stored, always in the same order.
    spent = (_over_daily_limit(person, vote_context, in_place=person == principal) for person in sorted(people))
    return next((over for over in spent if over is not None), None)


def _over_single_limit(person: str, vote_context: VoteContext, *, in_place: bool) -> Phrase | None:
    """Return the per-document limit that this approval would exceed. Amounts without a comparison exceed any limit."""
    total, limits = vote_context.document.total, vote_context.plan.limits_of(person, in_place=in_place)
    if is_within(limits, total):
        return None
    if total is None:
        return _for(person, _NO_AMOUNT, in_place=in_place)
    most = _in_currency(limits, total.currency)
    if most is None:
        return _for(person, _NO_LIMIT, in_place=in_place, currency=Currency(total.currency))
    return _for(person, _SINGLE_LIMIT, in_place=in_place, amount=most)


def _over_daily_limit(person: str, vote_context: VoteContext, *, in_place: bool) -> Phrase | None:
    total, plan = vote_context.document.total, vote_context.plan
    if not plan.daily_limits:
        return None
    if total is None:
        return _for(person, _NO_AMOUNT, in_place=in_place)
    most = _in_currency(plan.daily_limits, total.currency)
    if most is None:
        currency = Currency(total.currency)
        return phrase("“%(rule)s” has no limit per day in %(currency)s.", rule=label_rule(plan.rule), currency=currency)
    spent = vote_context.spending.approved_today(person, total.currency)
    if spent.amount + total.amount > most.amount:
        return _for(person, _DAILY_LIMIT, in_place=in_place, amount=most, spent=spent)
    return None


_NO_AMOUNT = (
    phrase("The ERP does not tell the amount, and you have a limit."),
    phrase("The ERP does not tell the amount, and %(person)s, for whom you stand in, has a limit."),
)
_NO_LIMIT = (
    phrase("You have no limit in %(currency)s."),
    phrase("%(person)s, for whom you stand in, has no limit in %(currency)s."),
)
_SINGLE_LIMIT = (
    phrase("You may approve up to %(amount)s in one document."),
    phrase("%(person)s, for whom you stand in, may approve up to %(amount)s in one document."),
)
_DAILY_LIMIT = (
    phrase("You may approve up to %(amount)s in one day, and %(spent)s are used."),
    phrase("%(person)s, for whom you stand in, may approve up to %(amount)s in one day, and %(spent)s are used."),
)
"""The text for the voter's own limit, and for that of the person they replace."""


def _for(person: str, said: tuple[Phrase, Phrase], *, in_place: bool, **values: Money | Currency) -> Phrase:
    own, others = said
    if in_place:
        return Phrase(others.msgid, MappingProxyType({"person": person, **values}))
    return Phrase(own.msgid, MappingProxyType({**values}))


def _in_currency(amounts: Sequence[Money], currency: str) -> Money | None:
    return next((money for money in amounts if money.currency == currency), None)


DEFAULT_ROLE = "approver"
"""The role that decides if a company wrote no rules (docs: contracts.md#smallest-configurations)."""

DEFAULT_RULES = ApprovalRuleSet(
    version="default",
    rules=(
        ApprovalRule(
            name=DEFAULT_RULE, steps=(RuleLevel(Quorum.ANY, (ApproverSelector(SelectorKind.ROLE, DEFAULT_ROLE),)),)
        ),
    ),
)


class RuleBasedPolicy:
    """An approval policy evaluated from the company's rules."""

    def __init__(self, rules: ApprovalRuleSet = DEFAULT_RULES) -> None:
        self._rules = rules

    @property
    def version(self) -> str:
        return self._rules.version

    def plan(self, document: ApprovalDocument, company: CompanyDirectory) -> PlanResult:
        return make_plan(self._rules, document, company)

    def single_limits(self, document: ApprovalDocument, company: CompanyDirectory) -> Mapping[str, tuple[Money, ...]]:
        return single_limits(self._rules, document, company)

    def own_limits(self, document: ApprovalDocument, company: CompanyDirectory) -> tuple[str, ...]:
        return own_limits(self._rules, document, company)

    def bounds(self, document: ApprovalDocument, company: CompanyDirectory) -> tuple[Money, ...]:
        return amount_bounds(self._rules, document, company)

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(kind for rule in self._rules.rules for kind in rule.scope.kinds)

    @property
    def gate(self) -> tuple[GateRule, ...]:
        """The rules of what programs ask leave for."""
        return self._rules.gate

    @property
    def asks_categories(self) -> bool:
        return any(rule.scope.categories for rule in self._rules.rules)

    @property
    def asks_checks(self) -> bool:
        """Whether a rule is for what a check flags."""
        return any(rule.scope.flags for rule in self._rules.rules)

    @property
    def asks_directory(self) -> bool:
        return any(map(_asks_directory, self._rules.rules)) or _by_manager(
            selector for limit in self._rules.limits for selector in limit.approvers
        )

    @property
    def asks_todos(self) -> bool:
        """Whether any rule asks for to-dos."""
        return any(rule.todo for rule in self._rules.rules)

    def substitutes_of(self, user_id: str, now: datetime) -> tuple[str, ...]:
        found = (
            substitute.by
            for substitute in self._rules.substitutes
            if substitute.by and substitute.person == user_id and substitute.is_active(now)
        )
        return tuple(dict.fromkeys(found))

    def principals_of(self, user_id: str, now: datetime) -> tuple[str, ...]:
        active = [substitute for substitute in self._rules.substitutes if substitute.is_active(now)]
        found = {user_id: None}
        for by in (ahead := [user_id]):
            nearer = {each.person: None for each in active if each.by == by and each.person not in found}
            found |= nearer
            ahead.extend(nearer)
        return tuple(found)[1:]

    def away_until(self, user_id: str, now: datetime) -> datetime | None:
        return max(
            (each.ends for each in self._rules.substitutes if each.person == user_id and each.is_active(now)),
            default=None,
        )

    @property
    def longest_absence(self) -> timedelta:
        """How long people may say that they are away."""
        return self._rules.away.longest

    def possible_substitutes(self, company: CompanyDirectory) -> tuple[str, ...]:
        """Return the userIds of those whom people may name as their substitutes; empty if the rules let nobody."""
        found: dict[str, None] = {}
        for selector in self._rules.away.substitutes:
            is_person = selector.by is SelectorKind.PERSON
            found.update(dict.fromkeys((selector.value,) if is_person else company.members_of(selector.value)))
        return tuple(found)

    def with_absences(self, absences: Iterable[Absence], company: CompanyDirectory) -> RuleBasedPolicy:
        """Return the policy with what people arranged themselves, as far as the rules allow it now."""
        allowed = self.possible_substitutes(company)
        arranged = tuple(
            Substitute(
                person=absence.user_id,
                by=absence.substitute if absence.substitute in allowed else "",
                begins=absence.begins,
                ends=absence.ends,
            )
            for absence in absences
        )
        return RuleBasedPolicy(replace(self._rules, substitutes=(*self._rules.substitutes, *arranged)))

    def may(self, vote_context: VoteContext, user_id: str, verdict: Verdict) -> Eligibility:
        return evaluate(vote_context, user_id, verdict, lambda person: self.substitutes_of(person, vote_context.now))


def _asks_directory(rule: ApprovalRule) -> bool:
    named = (selector for step in rule.steps for selector in step.approvers)
    return bool(rule.scope.departments) or _by_manager((*named, *rule.escalate_to, *rule.scope.requesters))


def _by_manager(selectors: Iterable[ApproverSelector]) -> bool:
    return any(selector.by is SelectorKind.MANAGER for selector in selectors)
