"""Units of work in memory, for tests of whatever works with a repository."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Generic, TypeVar

R = TypeVar("R")
T = TypeVar("T")


class MemoryTransactions(Generic[R]):
    """Implements `bot.mechanisms.unit_of_work.Transactions` by copies of the repository; what fails leaves nothing."""

    def __init__(self, repository: R) -> None:
        self.repository = repository

    async def transact(self, work: Callable[[R], T]) -> T:
        """Return what ``work`` returns, and keep what it did."""
        return self._work(work)

    async def query(self, work: Callable[[R], T]) -> T:
        """Return what ``work`` finds; what it changes is not kept."""
        return work(copy(self.repository))

    def _work(self, work: Callable[[R], T]) -> T:
        twin = copy(self.repository)
        result = work(twin)
        self.repository = twin
        return result
