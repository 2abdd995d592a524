"""From the rules and a document to its plan."""

from __future__ import annotations

from collections.abc import Mapping

from bot.approvals.document import Document
from bot.approvals.policy.fitting import misfit
from bot.approvals.policy.rule import Rule, RuleSet, Step
from bot.approvals.policy.selecting import select
from bot.approvals.ruling import Company, Level, Plan, Planning
from bot.erp.model import Money
from bot.phrase import Phrase, phrase

_REQUESTED = phrase("They requested it.")
_CHANGED = phrase("They changed it.")


def make_plan(rules: RuleSet, document: Document, company: Company) -> Planning:
    """Return the plan by the first rule that fits, and a line for each rule up to it."""
    reasons: list[Phrase] = []
    for rule in rules.rules:
        why_not = misfit(rule.scope, document, company)
        if why_not is None:
            reasons.append(phrase("“%(rule)s” decides.", rule=rule.name))
            return Planning(_plan(rule, rules, document, company), tuple(reasons))
        reasons.append(phrase("“%(rule)s” does not apply: %(reason)s.", rule=rule.name, reason=why_not))
    reasons.append(phrase("No rule is for this document, so it is decided in the ERP."))
    return Planning(None, tuple(reasons))


def _plan(rule: Rule, rules: RuleSet, document: Document, company: Company) -> Plan:
    total = document.order.total
    levels = tuple(_level(number, step, document, company) for number, step in enumerate(rule.steps, 1))
    escalate_to = select(rule.escalate_to, document, company)
    return Plan(
        rule=rule.name,
        levels=levels,
        confirm=rule.confirm_from is not None and (total is None or _reaches(total, rule.confirm_from)),
        remind_after=rule.remind_after,
        deadline=rule.deadline,
        on_expiry=rule.on_expiry,
        escalate_to=tuple(one for one in escalate_to if _conflict(one, document) is None),
        single_limits=_single_limits(rules, document, company),
        daily_limits=rule.daily_limits,
    )


def _level(number: int, step: Step, document: Document, company: Company) -> Level:
    named = select(step.approvers, document, company)
    excluded = {one: reason for one in named if (reason := _conflict(one, document)) is not None}
    approvers = tuple(one for one in named if one not in excluded)
    return Level(number=number, need=step.need, approvers=approvers, excluded=excluded)


def _conflict(user_id: str, document: Document) -> Phrase | None:
    """Return why somebody must not decide about this document, whoever names them."""
    if user_id == document.requester:
        return _REQUESTED
    return _CHANGED if user_id in document.editors else None


def _reaches(total: Money, limit: Money) -> bool:
    return total.currency != limit.currency or total.amount >= limit.amount


def _single_limits(rules: RuleSet, document: Document, company: Company) -> Mapping[str, tuple[Money, ...]]:
    """Return what the first limit that names a person allows them."""
    found: dict[str, tuple[Money, ...]] = {}
    for limit in rules.limits:
        for user_id in select(limit.approvers, document, company):
            found.setdefault(user_id, limit.amounts)
    return found
