"""Writes a set of rules as the document that it is read from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.approvals.policy.rules import (
    ApprovalRule,
    ApprovalRuleSet,
    AwayRule,
    RuleLevel,
    RuleScope,
    SingleLimit,
    Substitute,
)
from bot.approvals.policy.values import format_money
from bot.rulefiles.values import written_duration


def document_of(rules: ApprovalRuleSet) -> str:
    lines: list[str] = []
    for rule in rules.rules:
        lines += ["[[rules]]", *_rule(rule)]
    for substitute in rules.substitutes:
        lines += ["[[substitutes]]", *_substitute(substitute)]
    for limit in rules.limits:
        lines += ["[[limits]]", *_limit(limit)]
    lines += ["[away]", *_away(rules.away)]
    return "\n".join(lines) + "\n"


def _away(away: AwayRule) -> Iterator[str]:
    yield f'longest = "{written_duration(away.longest)}"'
    if away.substitutes:
        yield f"substitutes = {_texts(map(str, away.substitutes))}"


def _rule(rule: ApprovalRule) -> Iterator[str]:
    yield f"name = {_text(rule.name)}"
    yield from _scope(rule.scope)
    yield f"levels = [{', '.join(map(_step, rule.steps))}]"
    if rule.confirm_from is not None:
        yield f'confirm_from = "{format_money(rule.confirm_from)}"'
    if rule.daily_limits:
        yield f"daily_limit = {_texts(map(format_money, rule.daily_limits))}"
    if rule.remind_after:
        yield f"remind = {_texts(map(written_duration, rule.remind_after))}"
    if rule.deadline is not None:
        yield f'deadline = "{written_duration(rule.deadline)}"'
        yield f'on_expiry = "{rule.on_expiry}"'
    if rule.escalate_to:
        yield f"escalate_to = {_texts(map(str, rule.escalate_to))}"
    if rule.todo is not None:
        yield f"todo = {str(rule.todo).lower()}"


def _scope(scope: RuleScope) -> Iterator[str]:
    for key in ("sources", "companies", "departments", "suppliers", "categories", "currencies", "flags"):
        if words := getattr(scope, key):
            yield f"{key} = {_texts(sorted(words))}"
    if scope.requesters:
        yield f"requesters = {_texts(map(str, scope.requesters))}"
    bounds = []
    if scope.at_least is not None:
        bounds.append(f"from {format_money(scope.at_least)}")
    if scope.below is not None:
        bounds.append(f"below {format_money(scope.below)}")
    if bounds:
        yield f'amount = "{" to ".join(bounds)}"'


def _step(step: RuleLevel) -> str:
    return f"{{{step.quorum} = {_texts(map(str, step.approvers))}}}"


def _substitute(one: Substitute) -> Iterator[str]:
    yield f"person = {_text(one.person)}"
    yield f"by = {_text(one.by)}"
    yield f"from = {one.begins.isoformat()}"
    yield f"until = {one.ends.isoformat()}"


def _limit(limit: SingleLimit) -> Iterator[str]:
    yield f"who = {_texts(map(str, limit.approvers))}"
    yield f"up_to = {_texts(map(format_money, limit.amounts))}"


def _texts(words: Iterable[str]) -> str:
    return f"[{', '.join(map(_text, words))}]"


def _text(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
