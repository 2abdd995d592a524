"""The tables. Table models do not validate: what reaches them was checked at the edge."""

from __future__ import annotations

from sqlalchemy import MetaData
from sqlalchemy import Table as SqlTable
from sqlmodel import Field, SQLModel

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Table(SQLModel):
    """Base of our tables: metadata of their own, so that an adapter's tables never mix with the bot's."""

    metadata = MetaData(naming_convention=NAMING)


class InboxRow(Table, table=True):
    """A question that was acknowledged to DingTalk. Times are milliseconds since 1970."""

    __tablename__ = "inbox"

    msg_id: str = Field(primary_key=True)
    state: str = Field(index=True)
    received_ms: int = Field(index=True, sa_column_kwargs={"nullable": False})
    payload: str = ""
    """The message as DingTalk sent it; emptied as soon as it is answered (it holds the reply address)."""


class LanguageRow(Table, table=True):
    """The language that a person chose."""

    __tablename__ = "language"

    user_id: str = Field(primary_key=True)
    code: str


class ApiMonthRow(Table, table=True):
    """Calls of one month that count against the organisation's quota."""

    __tablename__ = "api_month"

    month: str = Field(primary_key=True)
    """As ``2026-11``."""
    calls: int = 0


# SQLModel types columns as their values; statements are built from the tables themselves.
INBOX: SqlTable = InboxRow.__table__  # type: ignore[attr-defined]  # made by SQLModel's metaclass
LANGUAGE: SqlTable = LanguageRow.__table__  # type: ignore[attr-defined]
API_MONTH: SqlTable = ApiMonthRow.__table__  # type: ignore[attr-defined]
