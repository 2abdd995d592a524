"""Units of work: changes of alerts and approvals to their records, stored together or not at all.

A package keeps a repository and defines how a unit of work on it begins; the store implements `Transactions`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, Protocol, TypeVar

from bot.mechanisms.uninterrupted import UninterruptedWork
from bot.words.errors import DingerpError

R = TypeVar("R")
U = TypeVar("U")
T = TypeVar("T")
R_co = TypeVar("R_co", covariant=True)

MAX_TRIES = 5
"""Attempts at a unit of work while other processes are faster."""


class WriteConflict(DingerpError):
    """Another process changed the same thing first: read again and redo it."""

    retry: ClassVar[bool] = True


class Transactions(Protocol[R_co]):
    """Opens a repository for one unit of work at a time; implemented on the database by `bot.store.transactions`."""

    async def transact(self, work: Callable[[R_co], T]) -> T:
        """Return the result of ``work`` after its commit; it may run in another thread.

        Raises `WriteConflict` if another process was faster, another `DingerpError` when the store is unavailable, and
        whatever ``work`` raises; nothing is stored then.
        """
        ...

    async def query(self, work: Callable[[R_co], T]) -> T:
        """Return the result of ``work``, which only reads: nothing is locked, so the result may be outdated at once.

        Raises a `DingerpError` when the store is unavailable, and whatever ``work`` raises.
        """
        ...


class UnitOfWorkRunner(Generic[R, U]):
    """Runs units of work, and reports each commit."""

    def __init__(
        self, store: Transactions[R], begin: Callable[[R], U], on_commit: Callable[[], None] = lambda: None
    ) -> None:
        """``begin`` creates the unit for a repository when the store has opened it."""
        self.store = store
        self._begin = begin
        self._on_commit = on_commit
        self._writes = UninterruptedWork()

    async def query(self, work: Callable[[U], T], begin: Callable[[R], U] | None = None) -> T:
        """Return the result of ``work`` in a unit in which it must not change anything; nothing is locked."""
        begin = begin or self._begin
        return await self.store.query(lambda repository: work(begin(repository)))

    async def transact(
        self,
        work: Callable[[U], T],
        begin: Callable[[R], U] | None = None,
        *,
        on_commit: Callable[[], None] | None = None,
    ) -> T:
        """Return the result of ``work`` once stored; raises `WriteConflict` if others keep being faster.

        Started work is finished even if the caller goes away: a click that ran out of time was still made.
        """
        begin = begin or self._begin
        told = (self._on_commit, on_commit) if on_commit is not None else (self._on_commit,)
        return await self._writes.run(self._transact(lambda repository: work(begin(repository)), told))

    async def _transact(self, work: Callable[[R], T], told: Sequence[Callable[[], None]]) -> T:
        for tries_left in reversed(range(MAX_TRIES)):
            try:
                result = await self.store.transact(work)
            except WriteConflict:
                if not tries_left:
                    raise
                continue
            for tell in told:
                tell()
            return result
        raise AssertionError("the last try returns or raises")
