"""What administrators look after: the parts of the bot, its ERPs, DingTalk's quotas, and the cards that are owed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.cards.notices import QuotaReport
from bot.mechanisms.health import HealthReport
from bot.mechanisms.tracing import Trace
from bot.outbox.ports import DeliveryDesk
from bot.words.phrase import Words


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """How one ERP does. ``calls`` and ``failed`` count since the start, ``milliseconds`` is the mean of a call.

    ``trouble`` is why it does not answer now, ``rejected`` the number of records that were kept aside, ``synced_at``
    until when all changes of its kept documents are known; None while they are not, or none are kept.
    """

    name: str
    vendor: str
    trouble: Words
    calls: int
    failed: int
    milliseconds: int | None
    rejected: int
    synced_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """Reads that cost neither DingTalk nor an ERP a call. Each may raise a `bot.words.errors.DingerpError`."""

    health: Callable[[], Awaitable[HealthReport]]
    sources: Callable[[], Awaitable[Sequence[SourceState]]]
    quotas: Callable[[], Awaitable[Sequence[QuotaReport]]]
    misread: Callable[[], tuple[int, int]]
    """How many questions since the start were not understood, of how many."""
    deliveries: DeliveryDesk
    owed: Callable[[], None]
    """Called when cards were queued."""
    trace: Callable[[str], Awaitable[Trace | None]]
    """Finds the trace with a reference, None where it is not kept."""
    group_name: Callable[[str], str]
    """The name of a conversation; empty where it is unknown."""
