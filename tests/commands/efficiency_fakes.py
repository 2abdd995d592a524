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
    find_slow_levels,
    months_of_findings,
    order_findings,
)
from bot.efficiency.questions import QuestionDay
from bot.efficiency.waits import AlertWait, DecisionWait
from tests.commands.company import NOW


@dataclass
class MemoryFigures:
    """A `bot.efficiency.port.EfficiencyReader`."""

    decided: list[DecisionWait] = field(default_factory=list)
    shown: list[AlertWait] = field(default_factory=list)
    asked: list[QuestionDay] = field(default_factory=list)
    spent: dict[str, int] = field(default_factory=dict)

    async def decisions(self, month: date) -> Sequence[DecisionWait]:
        return [wait for wait in self.decided if _month_of(wait.at.astimezone(NOW.tzinfo).date()) == month]

    async def alerts(self, month: date) -> Sequence[AlertWait]:
        return [wait for wait in self.shown if _month_of(wait.at.astimezone(NOW.tzinfo).date()) == month]

    async def questions(self, month: date) -> Sequence[QuestionDay]:
        return [day for day in self.asked if _month_of(day.day) == month]

    async def calls(self, month: date) -> Mapping[str, int]:
        return self.spent

    async def departments(self) -> Mapping[str, str]:
        return {"1": "仓储部", "2": "采购部"}


@dataclass
class MemoryFindings:
    """A `bot.efficiency.port.FindingReader` of these figures, without rehearsals."""

    figures: MemoryFigures
    remedy: RuleEdit | None = None

    async def found(self) -> FoundFindings:
        months = months_of_findings(NOW.date())
        decisions = {month: await self.figures.decisions(month) for month in months}
        alerts = {month: await self.figures.alerts(month) for month in months}
        found = (*find_slow_levels(decisions), *find_noisy_rules(alerts))
        return FoundFindings(order_findings(replace(each, remedy=self.remedy) for each in found), decisions, alerts)

    def address(self, finding: Finding) -> str:
        return f"https://erp.example.com/rules/alerts?finding={finding.id}"


def _month_of(day: date) -> date:
    return month_before(day, 0)
