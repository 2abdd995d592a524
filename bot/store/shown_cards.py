"""Cards that the bot showed by itself, as clicks find them: by the ids that DingTalk knows them by."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from bot.outbox.place import Place
from bot.outbox.record import What
from bot.store.database import Database
from bot.store.outbox import milliseconds
from bot.store.outbox_sql import step
from bot.store.tables import DELIVERY, DELIVERY_STEP


class StoredShownCards:
    """Implements `bot.chat.clicks.ShownCards` on the outbox."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def clicked(self, track_id: str, by: str, now: datetime) -> Place | None:
        """Record a click and return where the card stands, None for one that nobody remembers.

        ``by`` is a userId. Raises `bot.store.errors.StoreUnavailable`.
        """

        def call(connection: Connection) -> Place | None:
            query = select(DELIVERY.c.card, DELIVERY.c.place).where(DELIVERY.c.track == track_id)
            row = connection.execute(query).first()
            if row is None:
                return None
            line = step(row.card, milliseconds(now), What.CLICKED, 0, detail=by)
            connection.execute(insert(DELIVERY_STEP), line)
            return Place.parse(row.place)

        return await self._database.run(call) if track_id else None
