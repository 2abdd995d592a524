"""The reports of how the bot is, as the outbox keeps them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from bot.outbox.delivery import Delivery
from bot.outbox.health_reports import HEALTH_REPORT
from bot.store.database import Database
from bot.store.outbox import enqueue
from bot.store.tables import DELIVERY

_D = DELIVERY.c
_LAST = select(_D.ref).where(_D.kind == HEALTH_REPORT).order_by(_D.changed_ms.desc()).limit(1)


class StoredHealthReports:
    """Implements `bot.outbox.health_reports.TroubleReportStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def last(self) -> str | None:
        """Return the ``ref`` of the newest report of any process."""
        return await self._database.read(lambda connection: connection.execute(_LAST).scalar())

    async def tell(self, deliveries: Sequence[Delivery]) -> None:
        """Queue the cards."""
        await self._database.run(lambda connection: enqueue(connection, *deliveries, now=deliveries[0].due_at))
