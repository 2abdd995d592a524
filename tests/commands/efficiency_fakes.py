"""Figures in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from bot.efficiency.figures import month_before
from bot.efficiency.findings import (
    Finding,
    FoundFindings,
    RuleEdit,
    find_noisy_rules,
    find_repeated_questions,
    find_slow_levels,
    find_slow_vendors,
    find_unread_sentences,
    months_of_findings,
    order_findings,
)
from bot.efficiency.lead_times import LeadCase
from bot.efficiency.predictions import Prediction
from bot.efficiency.questions import QuestionCount, QuestionHour, UnreadSentence
from bot.efficiency.speeds import TimeCount
from bot.efficiency.waits import AlertWait, DecisionWait
from tests.commands.company import NOW


@dataclass
class MemoryFigures:
    """A `bot.efficiency.port.EfficiencyReader`."""

    decided: list[DecisionWait] = field(default_factory=list)
    shown: list[AlertWait] = field(default_factory=list)
    asked: dict[date, list[QuestionCount]] = field(default_factory=dict)
    asked_in_hours: list[QuestionHour] = field(default_factory=list)
    unread: list[UnreadSentence] = field(default_factory=list)
    """Of the last month."""
    spent: dict[str, int] = field(default_factory=dict)
    times: list[TimeCount] = field(default_factory=list)

    async def decisions(self, month: date) -> Sequence[DecisionWait]:
        return [wait for wait in self.decided if _month_of(wait.at.astimezone(NOW.tzinfo).date()) == month]

    async def alerts(self, month: date) -> Sequence[AlertWait]:
        return [wait for wait in self.shown if _month_of(wait.at.astimezone(NOW.tzinfo).date()) == month]

    async def questions(self, month: date) -> Sequence[QuestionCount]:
        return self.asked.get(month, [])

    async def question_hours(self, month: date) -> Sequence[QuestionHour]:
        return [hour for hour in self.asked_in_hours if _month_of(hour.day) == month]

    async def unread_sentences(self, month: date) -> Sequence[UnreadSentence]:
        return self.unread

    async def calls(self, month: date) -> Mapping[str, int]:
        return self.spent

    async def speeds(self, month: date) -> Sequence[TimeCount]:
        return self.times

    async def departments(self) -> Mapping[str, str]:
        return {"1": "仓储部", "2": "采购部"}


@dataclass
class MemoryFindings:
    """A `bot.efficiency.port.FindingReader` of these figures, without rehearsals."""

    figures: MemoryFigures
    remedy: RuleEdit | None = None
    received: list[LeadCase] = field(default_factory=list)
    """Purchase orders of the last month."""
    predicted: list[Prediction] = field(default_factory=list)

    async def found(self) -> FoundFindings:
        months = months_of_findings(NOW.date())
        decisions = {month: await self.figures.decisions(month) for month in months}
        alerts = {month: await self.figures.alerts(month) for month in months}
        of_rules = (
            replace(each, remedy=self.remedy) for each in (*find_slow_levels(decisions), *find_noisy_rules(alerts))
        )
        hours = await self.figures.question_hours(months[0])
        others = (
            *find_slow_vendors({months[0]: self.received}),
            *find_repeated_questions(hours, months[0]),
            *find_unread_sentences(await self.figures.unread_sentences(months[0]), months[0]),
        )
        return FoundFindings(order_findings((*of_rules, *others)), decisions, alerts)

    async def predictions(self) -> Sequence[Prediction]:
        return self.predicted

    def address(self, finding: Finding) -> str:
        return f"https://erp.example.com/rules/alerts?finding={finding.id}"


def _month_of(day: date) -> date:
    return month_before(day, 0)
