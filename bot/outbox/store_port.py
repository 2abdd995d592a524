"""What is owed, as the worker takes and settles it: the port to the outbox's tables (`bot.store.outbox`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.outbox.budgets import FoldKey, SendLimits
from bot.outbox.delivery import Delivery, DeliveryResult, OutboxRow

LEASE = timedelta(seconds=90)
"""How long a row belongs to who took it: longer than one delivery may take, so that no card is sent twice at a time."""


@dataclass(frozen=True, slots=True)
class FoldBatch:
    """Rows that a digest is to stand for."""

    fold: FoldKey
    rows: tuple[OutboxRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedRows:
    """Rows that belong to the worker until they are settled or their lease ends; none is in two hands."""

    rows: tuple[OutboxRow, ...] = ()
    foldings: tuple[FoldBatch, ...] = ()
    look_at: datetime | None = None
    """When there will be something to do that is known of now; None: nothing."""


class OutboxStore(Protocol):
    """All calls are one transaction each and raise `bot.store.errors.StoreUnavailable` when nothing was stored."""

    async def enqueue(self, *deliveries: Delivery, now: datetime) -> None:
        """Owe the newest state of cards."""
        ...

    async def claim(self, worker: str, limits: SendLimits, *, room: int, sparing: bool, now: datetime) -> ClaimedRows:
        """Take up to ``room`` rows that are due and within the budgets, and all that have to be folded."""
        ...

    async def settle(self, worker: str, row: OutboxRow, result: DeliveryResult, now: datetime) -> bool:
        """Store what became of a row; False when the lease was over and the row is somebody else's."""
        ...

    async def settle_fold(self, worker: str, rows: Sequence[OutboxRow], result: DeliveryResult, now: datetime) -> None:
        """Store what became of rows that were to be folded."""
        ...

    async def release(self, worker: str, now: datetime) -> int:
        """Give back what a worker still holds and return how many rows that were."""
        ...

    async def recover(self, now: datetime) -> int:
        """Free the rows of a process that died, where it is certain that there is no other; return how many."""
        ...

    async def prune(self, before: datetime) -> None:
        """Forget rows that are settled, and steps, from before that time."""
        ...

    async def waiting(self) -> int:
        """Return how many rows are queued."""
        ...
