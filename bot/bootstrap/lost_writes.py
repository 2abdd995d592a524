"""Notices at the start that the database lacks its last writes, and has the existing cards reviewed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.mechanisms.health import WELL, PartHealth, degraded
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from bot.store.outbox.ledger import CardLedger, LostWrites, review_cards
from bot.words.phrase import phrase

log = structlog.get_logger(__name__)

TOLD_FOR = timedelta(days=1)
"""How long the bot reports that its database had lost data."""


async def review_lost_writes(database: Database, ledger: CardLedger, now: datetime) -> LostWrites | None:
    """Queue the existing cards unknown to the database; None if it lacks nothing.

    Must run before any other card is queued: a new finding would otherwise be shown as a card that does not exist.
    """
    try:
        noted, last_beat = await asyncio.to_thread(lambda: (ledger.read(), ledger.last_beat()))
        lost = await database.run(partial(review_cards, noted=noted, last_beat=last_beat, now=now))
        await asyncio.to_thread(ledger.tidy)
    except (OSError, StoreUnavailable) as error:
        log.error("store.not_reviewed", error=type(error).__name__, detail=str(error))
        return None
    if lost is not None:
        since = None if lost.since is None else lost.since.isoformat()
        log.error("store.last_writes_lost", cards=lost.cards, complete_until=since, lost_until=lost.until.isoformat())
    return lost


def lost_writes_health(lost: LostWrites | None, found_at: datetime, now: Callable[[], datetime]) -> PartHealth:
    """Return the health report on it, for one day."""
    if lost is None or now() - found_at > TOLD_FOR:
        return WELL
    zone = now().tzinfo
    until = f"{lost.until.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    since = f"{lost.since.astimezone(zone):%Y-%m-%d %H:%M:%S}" if lost.since is not None else "?"
    return degraded(
        phrase(
            "what was written from %(since)s to %(until)s is lost; the cards of that time (%(num)d) are reviewed. Let"
            " the systems that report events send those of that time again",
            since=since,
            until=until,
            num=lost.cards,
        )
    )
