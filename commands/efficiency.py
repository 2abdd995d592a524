"""/efficiency: how long decisions and alerts waited in a month, and what was asked; one's own figures to everybody."""

from __future__ import annotations

from collections.abc import Set
from datetime import date, tzinfo

from bot.access.policy import AccessPolicy, AccessVerdict, Denied
from bot.approvals.service import ApprovalService
from bot.cards.view import View
from bot.chat.arguments import Keyword
from bot.chat.context import QuestionContext
from bot.chat.days import DaysOrMonth
from bot.chat.parsing import command_line
from bot.chat.registry import command
from bot.efficiency.figures import month_before
from bot.efficiency.port import EfficiencyReader, FindingReader
from bot.efficiency.reports import (
    FigureReader,
    figure_reader,
    latest_month,
    month_of_days,
    own_decisions,
    page_of,
    people_line,
    report_alerts,
    report_decisions,
    report_findings,
    report_predictions,
    report_questions,
)
from bot.efficiency.speeds import measure_speeds
from bot.efficiency.views import (
    AlertEfficiency,
    DecisionEfficiency,
    EfficiencyFindings,
    QuestionEfficiency,
    SpentCalls,
    efficiency_line,
)
from bot.outbox.spending import Purpose
from bot.words.phrase import Phrase, phrase


class EfficiencyPart(Keyword, changes=False):
    """Of what the figures are; without it, of decisions."""

    ALERTS = phrase("alerts"), "预警", "告警", "提醒"
    QUESTIONS = phrase("questions"), "提问", "查询"
    FINDINGS = phrase("findings"), "发现", "改进", "改进建议"


MOST_PREDICTIONS = 5
"""What became of more changes than these is not told: the newest matter."""
FINDINGS_LINE = command_line("efficiency", EfficiencyPart.FINDINGS)


@command(
    "efficiency",
    aliases=("效率", "xl", "流程效率"),
    examples=("/efficiency", "/效率 上个月", "/efficiency 2026-10 alerts", "/效率 改进"),
    shows=(),
    changes=False,
    summary=phrase("How long approvals and alerts wait, and what is asked, by month"),
    place=84,
    personal=True,
    slashed=True,
)
async def efficiency(
    *,
    days: DaysOrMonth | None = None,
    part: EfficiencyPart | None = None,
    figures: EfficiencyReader,
    findings: FindingReader,
    service: ApprovalService,
    policy: AccessPolicy,
    context: QuestionContext,
) -> View:
    """Show a month's figures, as far as the asker may see them."""
    reader = figure_reader(policy, context)
    if part is EfficiencyPart.FINDINGS:
        return await _findings(findings, reader, context)
    month = month_of_days(days, context, latest=latest_month(reader, context))
    if month > latest_month(reader, context):
        return await _running(figures, month, part, reader)
    if part is EfficiencyPart.ALERTS:
        return await _alerts(figures, month, reader, context)
    if part is EfficiencyPart.QUESTIONS:
        return await _questions(figures, month, reader, context)
    return await _decisions(figures, findings, month, reader, service.ruled_kinds, context)


async def _findings(findings: FindingReader, reader: FigureReader, context: QuestionContext) -> EfficiencyFindings:
    _require(allowed=reader.finds)
    found, zone = await findings.found(), _zone(context)
    reported = report_findings(found, reader, zone, findings.address)
    return EfficiencyFindings(
        rows=page_of(reported.lines, context, EfficiencyFindings.page_size),
        total=len(reported.lines),
        offset=context.offset,
        line=FINDINGS_LINE,
        folded=reported.folded,
        predictions=report_predictions((await findings.predictions())[:MOST_PREDICTIONS], found, reader, zone),
    )


def _zone(context: QuestionContext) -> tzinfo:
    zone = context.now.tzinfo
    assert zone is not None, "a question's time is in the company's zone"
    return zone


async def _decisions(
    figures: EfficiencyReader,
    findings: FindingReader,
    month: date,
    reader: FigureReader,
    decided: Set[str],
    context: QuestionContext,
) -> DecisionEfficiency:
    months = {each: await figures.decisions(each) for each in (month, month_before(month), month_before(month, 12))}
    zone = _zone(context)
    decisions = report_decisions(months, month, reader, zone)
    found = await findings.found()
    # Who wants many rows at once, such as a page, has all findings beside them.
    reported = () if context.rows else report_findings(found, reader, zone, findings.address).lines
    news = [each for each in await findings.predictions() if each.is_news(context.now)]
    return DecisionEfficiency(
        rows=page_of(decisions.lines, context, DecisionEfficiency.page_size),
        total=len(decisions.lines),
        offset=context.offset,
        line=efficiency_line(month),
        month=month,
        parts=_other_parts(month, reader, None),
        folded=decisions.folded,
        own_only=reader.decisions.isdisjoint(decided),
        beside_lines=_beside(month, reader),
        findings=reported[: EfficiencyFindings.page_size],
        outcomes=report_predictions(news, found, reader, zone),
    )


async def _alerts(
    figures: EfficiencyReader, month: date, reader: FigureReader, context: QuestionContext
) -> AlertEfficiency:
    _require(allowed=reader.alerts)
    lines, folded = report_alerts(await figures.alerts(month), reader)
    return AlertEfficiency(
        rows=page_of(lines, context, AlertEfficiency.page_size),
        total=len(lines),
        offset=context.offset,
        line=efficiency_line(month, EfficiencyPart.ALERTS),
        month=month,
        parts=_other_parts(month, reader, EfficiencyPart.ALERTS),
        folded=folded,
    )


async def _questions(
    figures: EfficiencyReader, month: date, reader: FigureReader, context: QuestionContext
) -> QuestionEfficiency:
    _require(allowed=reader.spending)
    asked, before = await figures.questions(month), await figures.questions(month_before(month))
    calls = await figures.calls(month)
    found = report_questions(asked, before, await figures.departments(), reader)
    spent = calls.get(Purpose.QUESTION.value, 0)
    return QuestionEfficiency(
        rows=page_of(found.lines, context, QuestionEfficiency.page_size),
        total=len(found.lines),
        offset=context.offset,
        line=efficiency_line(month, EfficiencyPart.QUESTIONS),
        month=month,
        parts=_other_parts(month, reader, EfficiencyPart.QUESTIONS),
        folded=found.folded,
        calls=tuple(SpentCalls(purpose=name, calls=number) for name, number in calls.items()),
        per_thousand=round(1_000 * spent / found.number) if found.number else None,
        # With the number of answers, which may not be told of few people.
        speeds=() if found.number is None else measure_speeds(await figures.speeds(month)),
    )


async def _running(
    figures: EfficiencyReader, month: date, part: EfficiencyPart | None, reader: FigureReader
) -> DecisionEfficiency:
    """Show somebody's own decisions of the running month; nothing else of it is for them yet."""
    if part is not None:
        raise Denied(AccessVerdict(False, phrase("The figures of a month can be seen when it has ended.")))
    own = own_decisions(await figures.decisions(month), reader)
    return DecisionEfficiency(
        rows=own, total=len(own), line=efficiency_line(month), month=month, running=True, own_only=True
    )


def _require(*, allowed: bool) -> None:
    if not allowed:
        raise Denied(AccessVerdict(False, phrase("These figures are for those who may see what they are made of.")))


def _other_parts(month: date, reader: FigureReader, shown: EfficiencyPart | None) -> tuple[tuple[str, Phrase], ...]:
    parts = (
        (None, True, phrase("Decisions")),
        (EfficiencyPart.ALERTS, reader.alerts, phrase("Alerts")),
        (EfficiencyPart.QUESTIONS, reader.spending, phrase("Questions")),
    )
    found = [(efficiency_line(month, part or ""), name) for part, may, name in parts if may and part is not shown]
    if reader.finds:
        found.insert(0, (FINDINGS_LINE, phrase("Findings")))
    return (*found, (people_line(month), phrase("By person"))) if reader.people else tuple(found)


def _beside(month: date, reader: FigureReader) -> tuple[str, ...]:
    """Return the lines of all other parts that the reader may see, for the page."""
    return tuple(line for line, _ in _other_parts(month, reader, None))
