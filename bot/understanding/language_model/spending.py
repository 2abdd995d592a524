"""The monthly budget of a language model."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.understanding.language_model.ports import ModelUse, ModelUseStore


class ModelBudget:
    """Counts calls before they are made, so that neither a crash nor a second process exceeds the month's limit."""

    def __init__(self, store: ModelUseStore, *, monthly_calls: int, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._month = ""
        self.monthly_calls = monthly_calls
        self._used = ModelUse()

    async def load(self) -> None:
        """Load this month's use. Raises a `DingerpError` when the store is unavailable."""
        await self._add(ModelUse())

    @property
    def used(self) -> ModelUse:
        """This month's use, as far as this process knows."""
        return self._used if self._month == self._this_month() else ModelUse()

    @property
    def is_spent(self) -> bool:
        """Whether the month's calls are used up."""
        return self.used.calls >= self.monthly_calls

    async def reserve(self) -> bool:
        """Count a call about to be made; False, and it must not be made, if the month allows no more.

        Raises a `DingerpError` when the store is unavailable: then nothing is spent either.
        """
        if self.is_spent:
            return False
        await self._add(ModelUse(calls=1))
        return self._used.calls <= self.monthly_calls

    async def note(self, prompt_tokens: int, answer_tokens: int) -> None:
        """Count the tokens of a call."""
        await self._add(ModelUse(prompt_tokens=prompt_tokens, answer_tokens=answer_tokens))

    async def _add(self, use: ModelUse) -> None:
        month = self._this_month()
        self._used = await self._store.add(month, use)
        self._month = month

    def _this_month(self) -> str:
        return f"{self._now():%Y-%m}"
