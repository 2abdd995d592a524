"""A worker as a process of its own, to be killed: ``python -m tests.outbox.worker_process DATABASE SIMULATOR NAME``.

Its clock runs thirty times as fast as ours, so that leases of the dead end soon. What a card shows is the revision that
is owed at the moment.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from bot.dingtalk.openapi import pooled_session
from bot.mechanisms.metrics import Metrics
from bot.outbox.ports import ComposedCard
from bot.store.database import Database
from bot.store.tables import DELIVERY
from tests.outbox.conftest import StubView, outbox_of, places_at

SPEED = 30
_START = datetime(2026, 1, 1, tzinfo=UTC)
_REAL = 1_767_225_600.0


def fast_clock() -> datetime:
    """The same moment in all processes."""
    return _START + timedelta(seconds=(time.time() - _REAL) * SPEED)


class StubComposer:
    """Composes what the table owes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def compose(self, ref: str) -> ComposedCard:
        query = select(DELIVERY.c.wanted).where(DELIVERY.c.card == ref)
        revision = await self._database.run(lambda connection: connection.execute(query).scalar_one())
        return ComposedCard(StubView(words=f"{ref} r{revision}"), revision)

    async def fold(self, refs: Sequence[str], place: str) -> None:
        raise AssertionError("budgets are wide here")


async def work(url: str, simulator: str, name: str) -> None:
    database, metrics = Database(url), Metrics()
    async with pooled_session() as session:
        messenger = places_at(simulator, session, metrics)
        outbox = outbox_of(
            database, StubComposer(database), messenger, fast_clock, worker=name, metrics=metrics, at_once=8, tries=50
        )
        print("works", flush=True)
        await outbox.run()


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
