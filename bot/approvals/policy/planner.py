"""From the rules and a document to its plan: the matching rule, and the people it names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from bot.approvals.document import ApprovalDocument
from bot.approvals.plan import ApprovalLevel, ApprovalPlan, CompanyDirectory, PlanResult, label_rule
from bot.approvals.policy.rules import (
    ApprovalRule,
    ApprovalRuleSet,
    ApproverSelector,
    RuleLevel,
    RuleScope,
    SelectorKind,
    SingleLimit,
)
from bot.checks.document_checks import CHECKS
from bot.erp.model import Currency, Money, PartnerKind
from bot.words.phrase import Phrase, phrase


def resolve_approvers(
    selectors: Iterable[ApproverSelector], document: ApprovalDocument, company: CompanyDirectory
) -> tuple[str, ...]:
    """Return the userIds that the selectors name for this document, each once, in the rule's order."""
    found: dict[str, None] = {}
    for selector in selectors:
        found.update(dict.fromkeys(_resolve(selector, document, company)))
    return tuple(found)


def _resolve(selector: ApproverSelector, document: ApprovalDocument, company: CompanyDirectory) -> tuple[str, ...]:
    if selector.by is not SelectorKind.FIELD:
        return named_people(selector, document.requester, company)
    account = getattr(document.record, selector.value, "")
    person = company.person_of(document.source, account) if account else ""
    return (person,) if person else ()


def named_people(selector: ApproverSelector, requester: str, company: CompanyDirectory) -> tuple[str, ...]:
    """Return the userIds that a selector names for a requester's wish; of a document's field it knows nothing."""
    match selector.by:
        case SelectorKind.PERSON:
            return (selector.value,)
        case SelectorKind.ROLE:
            return company.members_of(selector.value)
        case SelectorKind.MANAGER:
            chain = company.managers_of(requester) if requester else ()
            nearest = int(selector.value) - 1
            return chain[nearest : nearest + 1]
        case SelectorKind.FIELD:
            return ()


def find_mismatch(scope: RuleScope, document: ApprovalDocument, company: CompanyDirectory) -> Phrase | None:
    """Return the first reason why the document is outside the scope; None if it is inside."""
    side, partner = document.kind.partners, (document.partner,)
    named = (
        (scope.kinds, (document.kind.command,), phrase("it is for other kinds of documents")),
        (scope.sources, (document.source,), phrase("it is for other ERPs")),
        (scope.companies, (document.company,), phrase("it is for other companies")),
        (scope.departments, (document.department,), phrase("it is for other departments")),
        (scope.suppliers, partner if side is PartnerKind.VENDOR else (), phrase("it is for other vendors")),
        (scope.customers, partner if side is PartnerKind.CUSTOMER else (), phrase("it is for other customers")),
        (scope.categories, document.categories, phrase("it is for other product categories")),
    )
    for wanted, has, reason in named:
        if wanted and not wanted & set(map(str.casefold, has)):
            return reason
    if scope.requesters and document.requester not in resolve_approvers(scope.requesters, document, company):
        return phrase("it is for other requesters")
    if scope.flags and not flagging_checks(scope, document):
        return phrase("none of these checks flags it: %(checks)s", checks=_titles(scope.flags))
    return _amount_mismatch(scope, document.total)


def flagging_checks(scope: RuleScope, document: ApprovalDocument) -> tuple[str, ...]:
    """Return those of a scope's checks that flag a document, or that could not look at it."""
    results = {result.check: result for result in document.checks}
    wanted = (name for name, check in CHECKS.items() if name in scope.flags and check.kind == document.kind)
    return tuple(name for name in wanted if name not in results or results[name].counts_as_flagged)


def _titles(names: Iterable[str]) -> tuple[Phrase, ...]:
    return tuple(check.title for name, check in CHECKS.items() if name in names)


def _amount_mismatch(scope: RuleScope, total: Money | None) -> Phrase | None:
    bounds = [bound for bound in (scope.at_least, scope.below) if bound is not None]
    if not bounds and not scope.currencies:
        return None
    if total is None:
        return phrase("the ERP does not tell the amount")
    if scope.currencies and total.currency not in scope.currencies:
        return phrase("it is for amounts in %(currencies)s", currencies=_named(scope.currencies))
    if other := {bound.currency for bound in bounds} - {total.currency}:
        return phrase("it is for amounts in %(currencies)s", currencies=_named(other))
    if scope.at_least is not None and total.amount < scope.at_least.amount:
        return phrase("it is for amounts from %(amount)s", amount=scope.at_least)
    if scope.below is not None and total.amount >= scope.below.amount:
        return phrase("it is for amounts below %(amount)s", amount=scope.below)
    return None


def _named(currencies: Iterable[str]) -> tuple[Currency, ...]:
    return tuple(map(Currency, sorted(currencies)))


def make_plan(rules: ApprovalRuleSet, document: ApprovalDocument, company: CompanyDirectory) -> PlanResult:
    """Return the plan by the first matching rule, with a line for each rule up to it."""
    reasons: list[Phrase] = []
    for rule in rules.rules:
        why_not = find_mismatch(rule.scope, document, company)
        if why_not is None:
            reasons.append(phrase("“%(rule)s” decides.", rule=label_rule(rule.name)))
            reasons.extend(_explain_flags(rule, document))
            return PlanResult(_plan(rule, rules, document, company), tuple(reasons))
        reasons.append(phrase("“%(rule)s” does not apply: %(reason)s.", rule=label_rule(rule.name), reason=why_not))
    reasons.append(phrase("No rule is for this document, so it is decided in the ERP."))
    return PlanResult(None, tuple(reasons))


def _explain_flags(rule: ApprovalRule, document: ApprovalDocument) -> Iterator[Phrase]:
    """Yield which checks made a rule fit; one that could not look at the document is told apart."""
    found = flagging_checks(rule.scope, document)
    flagged = {result.check for result in document.checks if result.flags}
    if seen := [name for name in found if name in flagged]:
        yield phrase("Flagged by the check: %(checks)s.", checks=_titles(seen))
    elif found:
        yield phrase("Taken for flagged, since it could not be checked: %(checks)s.", checks=_titles(found))


def amount_bounds(rules: ApprovalRuleSet, document: ApprovalDocument, company: CompanyDirectory) -> tuple[Money, ...]:
    """Return the amounts at which rules that are for such a document, whatever it comes to, begin or end."""
    scopes = (rule.scope for rule in rules.rules)
    alike = (
        scope
        for scope in scopes
        if find_mismatch(replace(scope, at_least=None, below=None, flags=frozenset()), document, company) is None
    )
    bounds = (bound for scope in alike for bound in (scope.at_least, scope.below) if bound is not None)
    return tuple(dict.fromkeys(bounds))


def _plan(
    rule: ApprovalRule, rules: ApprovalRuleSet, document: ApprovalDocument, company: CompanyDirectory
) -> ApprovalPlan:
    total = document.total
    levels = tuple(_level(number, step, document, company) for number, step in enumerate(rule.steps, 1))
    escalate_to = resolve_approvers(rule.escalate_to, document, company)
    named = (*(selector for step in rule.steps for selector in step.approvers), *rule.escalate_to)
    return ApprovalPlan(
        rule=rule.name,
        levels=levels,
        confirm=rule.confirm_from is not None and (total is None or _reaches(total, rule.confirm_from)),
        remind_after=rule.remind_after,
        deadline=rule.deadline,
        on_expiry=rule.on_expiry,
        escalate_to=tuple(user_id for user_id in escalate_to if document.involvement(user_id) is None),
        todo=rule.todo,
        single_limits=single_limits(rules, document, company),
        own_limits=own_limits(rules, document, company),
        daily_limits=rule.daily_limits,
        by_role=people_by_role(named, company),
        by_manager=_by_manager(named, document, company),
    )


def _by_manager(
    selectors: Sequence[ApproverSelector], document: ApprovalDocument, company: CompanyDirectory
) -> Mapping[str, str]:
    """Return people named only as a manager, with the level of that manager."""
    others = [selector for selector in selectors if selector.by is not SelectorKind.MANAGER]
    otherwise = resolve_approvers(others, document, company)
    return {
        user_id: selector.value
        for selector in selectors
        if selector.by is SelectorKind.MANAGER
        for user_id in _resolve(selector, document, company)
        if user_id not in otherwise
    }


def people_by_role(selectors: Sequence[ApproverSelector], company: CompanyDirectory) -> Mapping[str, tuple[str, ...]]:
    """Return the roles of people named only by role, who lose the right with it."""
    roles = dict.fromkeys(selector.value for selector in selectors if selector.by is SelectorKind.ROLE)
    people = {selector.value for selector in selectors if selector.by is SelectorKind.PERSON}
    found: dict[str, tuple[str, ...]] = {}
    for role in roles:
        for user_id in company.members_of(role):
            if user_id not in people:
                found[user_id] = (*found.get(user_id, ()), role)
    return found


def _level(number: int, step: RuleLevel, document: ApprovalDocument, company: CompanyDirectory) -> ApprovalLevel:
    named = resolve_approvers(step.approvers, document, company)
    excluded = {user_id: found.theirs for user_id in named if (found := document.involvement(user_id)) is not None}
    approvers = tuple(user_id for user_id in named if user_id not in excluded)
    return ApprovalLevel(number=number, quorum=step.quorum, approvers=approvers, excluded=excluded)


def _reaches(total: Money, limit: Money) -> bool:
    return total.currency != limit.currency or total.amount >= limit.amount


def single_limits(
    rules: ApprovalRuleSet, document: ApprovalDocument, company: CompanyDirectory
) -> Mapping[str, tuple[Money, ...]]:
    """Return what the first limit that names a person allows them."""
    return {user_id: limit.amounts for user_id, limit in _limits(rules, document, company).items()}


def own_limits(rules: ApprovalRuleSet, document: ApprovalDocument, company: CompanyDirectory) -> tuple[str, ...]:
    """Return the people whose limit does not bind their substitutes."""
    return tuple(user_id for user_id, limit in _limits(rules, document, company).items() if not limit.binds_stand_ins)


def _limits(rules: ApprovalRuleSet, document: ApprovalDocument, company: CompanyDirectory) -> Mapping[str, SingleLimit]:
    """Return the first limit that names each person."""
    found: dict[str, SingleLimit] = {}
    for limit in rules.limits:
        for user_id in resolve_approvers(limit.approvers, document, company):
            found.setdefault(user_id, limit)
    return found
