"""Notices at the start that the database lacks what was written last, and lets the cards be reviewed that stand."""

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
"""So long the bot says of itself that its database had lost something."""


async def review_lost_writes(database: Database, ledger: CardLedger, now: datetime) -> LostWrites | None:
    """Queue the cards that stand and that the database does not know; None where it lacks nothing.

    It has to be done before anything else owes a card: what is found anew would be shown as a card that is not there.
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
    """Return what there is to say of it, for a day."""
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
