"""What people asked for in chats, as a rehearsal lets it happen again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.engine import Connection

from bot.alerts.board import Watch
from bot.alerts.ledger import Mute
from bot.store.alert_rows import milliseconds, mute_of, watch_of
from bot.store.tables import MUTE, WATCH


def read_wishes(connection: Connection, since: datetime) -> tuple[Mute | Watch, ...]:
    """Return the mutes that held at that time or later, at any place, and the watches that there are now."""
    mutes = connection.execute(select(MUTE).where(MUTE.c.until_ms > milliseconds(since)))
    return (*map(mute_of, mutes), *map(watch_of, connection.execute(select(WATCH))))
