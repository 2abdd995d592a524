"""What the figures are made of, as the store has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol

from bot.efficiency.findings import Finding, FoundFindings
from bot.efficiency.predictions import Prediction
from bot.efficiency.questions import QuestionCount, QuestionHour, UnreadSentence
from bot.efficiency.speeds import TimeCount
from bot.efficiency.waits import AlertWait, DecisionWait


class EfficiencyReader(Protocol):
    """Reads whole months, named by their first day in the company's zone; implemented by `bot.store.efficiency`.

    Months alone: figures of two spans of days that differ by one day would tell of that day. All raise a `DingerpError`
    when the store is unavailable.
    """

    async def decisions(self, month: date) -> Sequence[DecisionWait]:
        """Return the decisions of a month, the oldest first."""
        ...

    async def alerts(self, month: date) -> Sequence[AlertWait]:
        """Return the alerts that opened in a month, the oldest first."""
        ...

    async def questions(self, month: date) -> Sequence[QuestionCount]:
        """Return how often what was asked in a month, in no order."""
        ...

    async def question_hours(self, month: date) -> Sequence[QuestionHour]:
        """Return what was asked in which hours of a month; only of the last one and the running one."""
        ...

    async def unread_sentences(self, month: date) -> Sequence[UnreadSentence]:
        """Return what many asked in the weeks that ended in a month, and was not understood."""
        ...

    async def calls(self, month: date) -> Mapping[str, int]:
        """Return DingTalk's calls of a month by their purpose."""
        ...

    async def speeds(self, month: date) -> Sequence[TimeCount]:
        """Return how fast answers and calls to ERPs were in a month, in no order."""
        ...

    async def departments(self) -> Mapping[str, str]:
        """Return the names of departments by their id."""
        ...


class FindingReader(Protocol):
    """Finds what costs time; implemented by `bot.bootstrap.findings`."""

    async def found(self) -> FoundFindings:
        """Return the findings over the last full months, as the rule files are now. Raises a `DingerpError`."""
        ...

    async def predictions(self) -> Sequence[Prediction]:
        """Return what was predicted of rules that were changed because of findings, the newest first.

        Raises a `DingerpError`.
        """
        ...

    def address(self, finding: Finding) -> str:
        """Return the page on which a finding's remedy is a draft; empty where there are no pages."""
        ...


class PredictionStore(Protocol):
    """Keeps predictions for two years; implemented by `bot.store.predictions`. All raise a `DingerpError`."""

    async def keep(self, prediction: Prediction) -> None:
        """Keep a prediction, in place of an earlier one about the same text."""
        ...

    async def all(self) -> Sequence[Prediction]:
        """Return all of them, the newest first."""
        ...

    async def measure(self) -> None:
        """Count the cases of those whose four weeks are over, and delete old ones."""
        ...
