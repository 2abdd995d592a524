"""Tables of the bot's own upkeep."""

from __future__ import annotations

from sqlalchemy import BigInteger
from sqlmodel import Field

from bot.store.tables.base import StoreTable, core_table


class HeartbeatRow(StoreTable, table=True):
    """One row, written every few seconds to learn whether the database can be written."""

    __tablename__ = "heartbeat"

    id: int = Field(primary_key=True)
    at_ms: int = Field(sa_type=BigInteger)


HEARTBEAT = core_table(HeartbeatRow)
