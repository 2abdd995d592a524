"""The table of documents that people begin."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from bot.store.sealed_columns import Sealed
from bot.store.tables.base import StoreTable, core_table, partial_index


class CreationRow(StoreTable, table=True):
    """A document that somebody begins (see `bot.creation.creation.Creation`)."""

    __tablename__ = "creation"
    __table_args__ = (
        Index("ix_creation_user_id", "user_id"),
        Index("ix_creation_made_us", "made_us"),
        partial_index("ix_creation_due_us", "due_us", where="due_us IS NOT NULL"),
    )

    id: str = Field(primary_key=True)
    user_id: str
    state: str
    made_us: int = Field(sa_type=BigInteger)
    due_us: int | None = Field(sa_type=BigInteger)
    """When something is to be done next."""
    body: str = Field(sa_type=Sealed("creation.body"))
    """The rest as JSON."""


CREATION = core_table(CreationRow)
