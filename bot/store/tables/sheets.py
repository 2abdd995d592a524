"""The table of shared tables."""

from __future__ import annotations

from sqlalchemy import BigInteger
from sqlmodel import Field

from bot.store.sealed_columns import Sealed
from bot.store.tables.base import StoreTable, core_table


class SheetStateRow(StoreTable, table=True):
    """What the bot remembers of a shared table (see `bot.sheets.sheet.SheetState`), and how its last round went."""

    __tablename__ = "sheet_state"

    name: str = Field(primary_key=True)
    refreshed_us: int | None = Field(sa_type=BigInteger)
    failed_us: int | None = Field(sa_type=BigInteger)
    """When a round failed since the last refresh."""
    failure: str = Field(sa_type=Sealed("sheet_state.failure"))
    """Why, as words that can be translated; empty if none did."""
    body: str = Field(sa_type=Sealed("sheet_state.body"))
    """Its records and edits as JSON."""


SHEET_STATE = core_table(SheetStateRow)
