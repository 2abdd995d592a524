"""The rules of what programs ask leave for: read from ``[[gate]]`` tables, and applied to one request.

Conditions are those of alert rules: ``type`` is the class of the request, ``data`` has its facts, ``source`` is the id
of the key and ``owner`` whose it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.alerts.event import Event
from bot.alerts.rules.expression import UnanswerableCondition, parse_expression
from bot.alerts.rules.facts import Facts
from bot.alerts.rules.values import read_patterns
from bot.approvals.document import REQUESTED
from bot.approvals.plan import ApprovalLevel, ApprovalPlan, CompanyDirectory
from bot.approvals.policy.planner import named_people, people_by_role
from bot.approvals.policy.rules import REPORT_WITHIN, ApproverSelector, GateRule, RuleLevel, SelectorKind
from bot.approvals.policy.values import read_span
from bot.rulefiles.document import RuleTable
from bot.rulefiles.values import read_flag, read_name, read_text
from bot.words.phrase import Phrase, phrase
from bot.words.severity import Severity

_EXAMPLE = phrase('one of allow = true, deny = true, levels = [{any = ["role:finance"]}]')


def read_gate_rule(
    table: RuleTable,
    step: Callable[[RuleTable], RuleLevel],
    people: Callable[[RuleTable, str], tuple[ApproverSelector, ...]],
) -> GateRule:
    """Return the rule of a table; ``step`` and ``people`` read levels and approvers as in other rules."""
    allows, denies = table.take("allow", read_flag, False), table.take("deny", read_flag, False)
    rule = GateRule(
        name=table.need("name", read_name("refunds"), table.called("gate"), 'name = "refunds"'),
        classes=table.need("classes", read_patterns, (), 'classes = ["refund"]'),
        when=table.take("when", lambda value: parse_expression(read_text(value)), None),
        denies=denies,
        steps=tuple(map(step, table.tables("levels"))),
        sample=table.take("sample", _read_share, 0.0),
        told=people(table, "tell"),
        budget=table.take("budget", _read_budget, None),
        report_within=table.take("report", read_span, REPORT_WITHIN),
    )
    table.finish()
    if not table.has_errors:
        _check(table, rule, allows=allows)
    return rule


def _check(table: RuleTable, rule: GateRule, *, allows: bool) -> None:
    if [allows, rule.denies, bool(rule.steps)].count(True) != 1:
        table.miss(phrase("a rule says what becomes of a request: %(example)s", example=_EXAMPLE))
    if bool(rule.sample) != bool(rule.told) or (rule.sample and not allows):
        table.wrong(
            "sample" if "sample" in table else "tell",
            phrase('people are told a sample of what is allowed: allow = true, sample = 0.05, tell = ["role:finance"]'),
        )
    selectors = (*rule.told, *(each for one in rule.steps for each in one.approvers))
    if any(each.by is SelectorKind.FIELD for each in selectors):
        table.wrong("levels", phrase("a request has no field that names somebody; write a person, a role, a manager"))


def _read_share(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise ValueError(phrase("a share above 0 and up to 1 is expected, an example is 0.05"))
    return float(value)


def _read_budget(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(phrase("a number of requests a day is expected, an example is 20"))
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class GateQuestion:
    """What a program asks: leave for an action of a class, on facts. ``key`` is its key's id, ``owner`` a userId."""

    key: str
    owner: str
    gate_class: str
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRuling:
    """What the rules say: people decide by a ``plan`` with levels, one without any allows; without a plan it is no."""

    plan: ApprovalPlan | None
    reason: Phrase
    rule: GateRule | None = None
    told: tuple[str, ...] = ()
    """The userIds of who is told a sample."""


def rule_on(rules: Sequence[GateRule], asked: GateQuestion, company: CompanyDirectory, now: datetime) -> GateRuling:
    """Return what the first rule that fits says. What cannot be answered or decided is no.

    A condition that cannot be answered ends the search: a rule that denies must not be passed by a fact left out.
    """
    facts = Facts(_event_of(asked, now), Severity.INFO, now)
    for rule in rules:
        if not any(_fits(pattern, asked.gate_class) for pattern in rule.classes):
            continue
        try:
            if rule.when is not None and not rule.when.holds(facts):
                continue
        except UnanswerableCondition as error:
            unanswered = phrase("“%(rule)s” cannot be answered: %(why)s.", rule=rule.name, why=str(error))
            return GateRuling(plan=None, reason=unanswered, rule=rule)
        return _apply(rule, asked.owner, company)
    return GateRuling(plan=None, reason=phrase("No rule is for such a request."))


def _fits(pattern: str, gate_class: str) -> bool:
    return gate_class.startswith(pattern[:-1]) if pattern.endswith("*") else gate_class == pattern


def _event_of(asked: GateQuestion, now: datetime) -> Event:
    return Event(
        source=asked.key,
        id="",
        type=asked.gate_class,
        subject="",
        at=now,
        received_at=now,
        severity=Severity.INFO,
        owner=asked.owner,
        data=asked.facts,
    )


def _apply(rule: GateRule, owner: str, company: CompanyDirectory) -> GateRuling:
    if rule.denies:
        return GateRuling(plan=None, reason=phrase("“%(rule)s” denies it.", rule=rule.name), rule=rule)
    levels = tuple(_level(number, step, owner, company) for number, step in enumerate(rule.steps, 1))
    empty = next((level.number for level in levels if not level.approvers), None)
    if empty is not None:
        nobody = phrase("“%(rule)s” leaves nobody for level %(level)s.", rule=rule.name, level=empty)
        return GateRuling(plan=None, reason=nobody, rule=rule)
    plan = ApprovalPlan(
        rule=rule.name,
        levels=levels,
        by_role=people_by_role([each for step in rule.steps for each in step.approvers], company),
    )
    verb = (
        phrase("“%(rule)s” asks people.", rule=rule.name) if levels else phrase("“%(rule)s” allows it.", rule=rule.name)
    )
    return GateRuling(plan=plan, reason=verb, rule=rule, told=_people(rule.told, owner, company))


def _level(number: int, step: RuleLevel, owner: str, company: CompanyDirectory) -> ApprovalLevel:
    """Return a level without the key's owner: nobody lets their own program do something."""
    named = _people(step.approvers, owner, company)
    excluded = {owner: REQUESTED.theirs} if owner in named else {}
    approvers = tuple(user_id for user_id in named if user_id != owner)
    return ApprovalLevel(number=number, quorum=step.quorum, approvers=approvers, excluded=excluded)


def _people(selectors: Sequence[ApproverSelector], owner: str, company: CompanyDirectory) -> tuple[str, ...]:
    return tuple(dict.fromkeys(who for each in selectors for who in named_people(each, owner, company)))
