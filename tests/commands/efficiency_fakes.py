"""Figures in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from bot.efficiency.figures import month_before
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


def _month_of(day: date) -> date:
    return month_before(day, 0)
