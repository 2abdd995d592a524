"""The base of all tables of the bot.

A model documents a table and its fields. Statements are Core, on the tables from `core_table`: rows are processed in
batches, and nothing needs them as objects. Field names ending in ``_ms`` and ``_us`` are times in milliseconds and
microseconds since 1970.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Index, Integer, MetaData, Table, event, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Our own, so that an adapter's tables never mix with the bot's."""

ROW_NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""Type of auto-incremented keys: SQLite increments only ``INTEGER``."""


class StoreTable(SQLModel, registry=registry(metadata=METADATA)):
    """Base of the bot's tables. Values are not validated against it, so pydantic builds no validator."""

    # As a class argument it would be lost: SQLModel passes on only some of those.
    model_config = {"defer_build": True}


def core_table(model: type[StoreTable]) -> Table:
    """Return the table behind a model, for statements."""
    return METADATA.tables[str(model.__tablename__)]


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """Return an index of the rows that satisfy ``where``."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where))


@event.listens_for(METADATA, "before_create")
def _copy_conditions(metadata: MetaData, connection: Connection, **_: Any) -> None:
    """Give indices on PostgreSQL the same conditions.

    Naming that dialect at the index's definition would load it into every SQLite process, for 2 MB.
    """
    if connection.dialect.name != "postgresql":
        return
    for index in (index for table in metadata.tables.values() for index in table.indexes):
        if (where := index.dialect_options["sqlite"].get("where")) is not None:
            index.dialect_options["postgresql"]["where"] = where
