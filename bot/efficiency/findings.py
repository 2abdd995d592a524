"""What costs a company time, with its figures, and what would change that: findings over the last full months.

Pure: `bot.bootstrap.findings` reads the figures and rehearses the remedies, `bot.efficiency.reports` cuts findings for
each reader.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256

from bot.alerts.subscriptions import weekly_line
from bot.approvals.plan import label_rule
from bot.chat.parsing import command_line
from bot.chat.report_days import WEEKDAYS
from bot.efficiency.figures import divide, measure_alerts, median, month_before, percent, took
from bot.efficiency.folding import LEAST
from bot.efficiency.lead_times import STEPS, LeadCase, Step, by_partner
from bot.efficiency.questions import QuestionHour, UnreadSentence
from bot.efficiency.waits import AlertWait, DecisionWait
from bot.erp.kinds import PURCHASE_ORDERS
from bot.rulefiles.versions import RuleSubject
from bot.words.phrase import Phrase, phrase

MONTHS = 3
"""Full months that are looked at, as far as there are figures of them."""
LEAST_CASES = 20
"""Decisions or alerts in these months, fewer are no finding."""
SLOW = timedelta(hours=24)
"""The median from which a level is slow."""
UNCHANGED = 90
"""Percent of decisions that approve what stays unchanged, from which the level changes nothing."""
IGNORED = 70
"""Percent of alerts that nobody takes up, from which a rule is noise."""
CARD = timedelta(minutes=2)
"""What a card costs that nobody needed: so cards can be compared with hours."""
LATE = 40
"""Percent of a vendor's orders that came after the promised day, from which the vendor is slow."""
LEAST_ORDERS = 10
"""Received orders of one vendor in these months: of fewer, two bad weeks would make 40 %."""
MANY_ASK = LEAST + 1
"""People who ask the same in the same hour: so many that none of them can be made out, by another of them either."""
WEEKS = 4
"""Weeks of a month in which they do so: every month has each weekday that often."""
ASKING = timedelta(minutes=1)
"""What it costs to ask for what could come by itself."""
LOOKING_UP = timedelta(minutes=10)
"""What it costs to find without the bot what it did not understand."""
FOUR_WEEKS = timedelta(days=28)
PURCHASING: Step = next(step for step in STEPS if step.start == PURCHASE_ORDERS)
"""From purchase orders to the last of their goods."""
MONDAY, MORNING = 1, time(9)
"""When a vendor's late orders come: in time to call the vendor in this week."""
_TENTH = Decimal("0.1")


class FindingTopic(StrEnum):
    """What a finding is about, which says who may see it."""

    APPROVALS = "approvals"
    ALERTS = "alerts"
    VENDORS = "vendors"
    QUESTIONS = "questions"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleEdit:
    """A remedy: a rule file in a new text, with the reason that stands beside its version."""

    subject: RuleSubject
    text: str
    what: Phrase
    """What is changed, in a few words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineToSend:
    """A remedy: a line that its reader may send, such as a subscription."""

    line: str
    what: Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What a remedy would have done: cases in a week before and with it, by the same replay of ``days`` days."""

    before: Decimal
    after: Decimal
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was seen, why it matters, and what would change it.

    ``id`` names its cause in addresses, the same on each day. Findings are ordered by ``cost``, the time that each
    costs in four weeks. ``evidence`` is the line that lists its cases, as far as its reader may see them. A `RuleEdit`
    has either a rehearsal or the reason why there is none; without a remedy ``unrehearsed`` says why.
    """

    id: str
    topic: FindingTopic
    seen: Phrase
    reason: Phrase
    cost: timedelta
    evidence: str = ""
    subject: str = ""
    """The rule, as its figures name it."""
    level: int = 0
    """The level of approvals; 0 for anything else."""
    kinds: frozenset[str] = frozenset()
    """The commands of the documents that approvals decided: who may see all of those sees the finding."""
    remedy: RuleEdit | LineToSend | None = None
    rehearsed: Rehearsed | None = None
    unrehearsed: Phrase | None = None


@dataclass(frozen=True, slots=True)
class FoundFindings:
    """All findings, and the decisions that they are about, by which they are cut for a reader."""

    findings: tuple[Finding, ...]
    decisions: Mapping[date, Sequence[DecisionWait]]
    alerts: Mapping[date, Sequence[AlertWait]]


def tell_effect(finding: Finding) -> Phrase | None:
    """Return what a rehearsal found, in words."""
    if finding.rehearsed is None:
        return None
    found = {name: str(getattr(finding.rehearsed, name)) for name in ("days", "after", "before")}
    if finding.topic is FindingTopic.ALERTS:
        return phrase("Rehearsed on %(days)s days: %(after)s cards a week instead of %(before)s.", **found)
    return phrase("Rehearsed on %(days)s days: this rule for %(after)s orders a week instead of %(before)s.", **found)


def weekly(count: int, days: int) -> Decimal:
    """Return how many there are in a week, of a count in some days."""
    return (Decimal(7 * count) / days).quantize(_TENTH)


def finding_id(topic: FindingTopic, *cause: object) -> str:
    """Return the id of a finding about a cause."""
    return sha256("\n".join(map(str, (topic, *cause))).encode()).hexdigest()[:12]


def order_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings, the most expensive first."""
    return tuple(sorted(findings, key=lambda finding: (-finding.cost, finding.id)))


def months_of_findings(today: date) -> tuple[date, ...]:
    """Return the first days of the full months that are looked at, the newest first."""
    return tuple(month_before(today, number) for number in range(1, MONTHS + 1))


def find_slow_levels(months: Mapping[date, Sequence[DecisionWait]]) -> list[Finding]:
    """Return the levels of rules that wait long and approve nearly everything unchanged."""
    waits = [wait for of in months.values() for wait in of]
    return [
        _slow_level(rule, level, of, months)
        for (rule, level), of in _by_level(waits).items()
        if len(of) >= LEAST_CASES and _median(of) >= SLOW and _unchanged(of) >= UNCHANGED
    ]


def level_of(wait: DecisionWait) -> tuple[str, int]:
    """Return what a finding about a decision names: its rule and level."""
    return wait.rule, wait.level


def _by_level(waits: Sequence[DecisionWait]) -> dict[tuple[str, int], Sequence[DecisionWait]]:
    return {level_of(of[0]): of for of in divide(waits, level_of).groups.values()}


def _median(waits: Sequence[DecisionWait]) -> timedelta:
    return median(wait.waited for wait in waits) or timedelta(0)


def _unchanged(waits: Sequence[DecisionWait]) -> int:
    return percent(sum(wait.approved and not wait.changed for wait in waits), len(waits)) or 0


def _slow_level(
    rule: str, level: int, waits: Sequence[DecisionWait], months: Mapping[date, Sequence[DecisionWait]]
) -> Finding:
    return Finding(
        id=finding_id(FindingTopic.APPROVALS, rule, level),
        topic=FindingTopic.APPROVALS,
        seen=phrase(
            "Level %(level)s of “%(rule)s” waits %(median)s in the median, and %(share)s%% of %(count)s decisions"
            " approve what stays unchanged.",
            level=str(level),
            rule=label_rule(rule),
            median=took(_median(waits)),
            share=str(_unchanged(waits)),
            count=str(len(waits)),
        ),
        reason=phrase("Goods come later by as long as their orders wait here, and nearly no order is changed by it."),
        cost=_median(waits) * len(waits) * (FOUR_WEEKS / _span(months)),
        evidence=_cases(months),
        subject=rule,
        level=level,
        kinds=frozenset(wait.kind for wait in waits),
    )


def find_noisy_rules(months: Mapping[date, Sequence[AlertWait]]) -> list[Finding]:
    """Return the alert rules of which nobody takes up nearly any alert."""
    waits = [wait for of in months.values() for wait in of]
    return [
        _noisy_rule(str(rule), of, months)
        for rule, of in divide(waits, lambda wait: wait.rule).groups.items()
        if len(of) >= LEAST_CASES and (measure_alerts(of).ignored or 0) >= IGNORED
    ]


def _noisy_rule(rule: str, waits: Sequence[AlertWait], months: Mapping[date, Sequence[AlertWait]]) -> Finding:
    ignored = sum(wait.ignored for wait in waits)
    return Finding(
        id=finding_id(FindingTopic.ALERTS, rule),
        topic=FindingTopic.ALERTS,
        seen=phrase(
            "Nobody took up %(share)s%% of the %(count)s alerts of “%(rule)s”.",
            share=str(percent(ignored, len(waits))),
            count=str(len(waits)),
            rule=rule,
        ),
        reason=phrase("Who gets many alerts that need nothing overlooks the one that does."),
        cost=CARD * ignored * (FOUR_WEEKS / _span(months)),
        evidence=command_line("efficiency", f"{max(months):%Y-%m}", "alerts"),
        subject=rule,
    )


def find_slow_vendors(months: Mapping[date, Sequence[LeadCase]]) -> list[Finding]:
    """Return the vendors whose orders often come after the promised day, of orders received in these months."""
    promised = [case for of in months.values() for case in of if case.is_late is not None]
    return [
        _slow_vendor(vendor, late, len(cases), months)
        for vendor, cases in by_partner(promised).items()
        if (late := [case for case in cases if case.is_late])
        and len(cases) >= LEAST_ORDERS
        and 100 * len(late) >= LATE * len(cases)
    ]


def _slow_vendor(
    vendor: str, late: Sequence[LeadCase], count: int, months: Mapping[date, Sequence[LeadCase]]
) -> Finding:
    delays = [(case.ended - case.due) for case in late if case.ended and case.due]
    late_orders = command_line(PURCHASE_ORDERS.command, "late", vendor)
    return Finding(
        id=finding_id(FindingTopic.VENDORS, vendor),
        topic=FindingTopic.VENDORS,
        seen=phrase(
            "“%(vendor)s” was late with %(share)s%% of %(count)s orders, by %(delay)s in the median.",
            vendor=vendor,
            share=str(percent(len(late), count)),
            count=str(count),
            delay=took(median(delays) or timedelta(0)),
        ),
        reason=phrase("Whatever needs these goods begins later as well, or more of them is kept in stock."),
        cost=sum(delays, timedelta(0)) * (FOUR_WEEKS / _span(months)),
        evidence=command_line(PURCHASE_ORDERS.command, vendor),
        subject=vendor,
        remedy=LineToSend(
            line=weekly_line(late_orders, MONDAY, MORNING),
            what=phrase("the late orders of “%(vendor)s” come by themselves each Monday", vendor=vendor),
        ),
    )


def find_repeated_questions(asked: Sequence[QuestionHour], month: date) -> list[Finding]:
    """Return the lines that many people ask by hand in one hour of the week, nearly every week of a month."""
    found: dict[tuple[str, int, int], list[QuestionHour]] = {}
    for each in asked:
        if each.people >= MANY_ASK:
            found.setdefault((each.line, each.day.isoweekday(), each.hour), []).append(each)
    return [
        _repeated_question(line, weekday, hour, of, month)
        for (line, weekday, hour), of in found.items()
        if len(of) >= WEEKS
    ]


def _repeated_question(line: str, weekday: int, hour: int, asked: Sequence[QuestionHour], month: date) -> Finding:
    at, days = time(hour), WEEKDAYS[weekday]
    return Finding(
        id=finding_id(FindingTopic.QUESTIONS, line, weekday, hour),
        topic=FindingTopic.QUESTIONS,
        seen=phrase(
            "At least %(people)s people asked %(line)s by hand, on %(count)s days in the hour from %(time)s: %(days)s.",
            people=str(min(each.people for each in asked)),
            line=line,
            count=str(len(asked)),
            time=f"{at:%H:%M}",
            days=days,
        ),
        reason=phrase("Who has to ask for the same each week could have it come by itself, to all at once in a group."),
        cost=ASKING * sum(each.number for each in asked) * (FOUR_WEEKS / (month_before(month, -1) - month)),
        evidence=command_line("efficiency", f"{month:%Y-%m}", "questions"),
        subject=line,
        remedy=LineToSend(
            line=weekly_line(line, weekday, at),
            what=phrase("%(line)s comes by itself: %(days)s, %(time)s", line=line, days=days, time=f"{at:%H:%M}"),
        ),
    )


def find_unread_sentences(unread: Sequence[UnreadSentence], month: date) -> list[Finding]:
    """Return the sentences that many people asked in a month, and none of them got an answer to."""
    return [_unread_sentence(each, month) for each in unread if each.people >= MANY_ASK]


def _unread_sentence(unread: UnreadSentence, month: date) -> Finding:
    return Finding(
        id=finding_id(FindingTopic.QUESTIONS, unread.text),
        topic=FindingTopic.QUESTIONS,
        seen=phrase(
            "%(people)s people asked “%(sentence)s” in %(month)s, %(count)s times and in %(weeks)s of its weeks, and"
            " were not understood.",
            people=str(unread.people),
            sentence=unread.text,
            count=str(unread.number),
            weeks=str(unread.weeks),
            month=f"{month:%Y-%m}",
        ),
        reason=phrase("Who is not understood looks it up elsewhere, and asks the bot less."),
        cost=LOOKING_UP * unread.number * (FOUR_WEEKS / (month_before(month, -1) - month)),
        subject=unread.text,
        unrehearsed=phrase(
            "Teach the bot the word: in the company's own file of words (setting %(setting)s); %(command)s lists all.",
            setting="understanding.sentences",
            command="dingerp understand review",
        ),
    )


def _cases(months: Mapping[date, Sequence[object]]) -> str:
    last = month_before(max(months), -1) - timedelta(days=1)
    return command_line("decisions", "decided", f"{_first(months)}..{last}")


def _span(months: Mapping[date, Sequence[object]]) -> timedelta:
    """Return how long the months are that have figures."""
    return month_before(max(months), -1) - _first(months)


def _first(months: Mapping[date, Sequence[object]]) -> date:
    return min((month for month, of in months.items() if of), default=max(months))
