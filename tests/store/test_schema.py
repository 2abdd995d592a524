"""The models of the tables and the migrations make the same database."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, inspect, text
from sqlalchemy.engine import Connection
from sqlmodel import SQLModel

from bot.store.database import Database
from bot.store.tables import METADATA, StoreTable
from tests.rows import each_row

pytestmark = pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")

Schema = dict[str, dict[str, Any]]


def schema_of(connection: Connection) -> Schema:
    """Return all that the database itself says of its tables."""
    inspector = inspect(connection)
    return {name: _table(connection, name) for name in inspector.get_table_names() if name != "alembic_version"}


def _table(connection: Connection, name: str) -> dict[str, Any]:
    inspector = inspect(connection)
    unique = {constraint["name"]: constraint["column_names"] for constraint in inspector.get_unique_constraints(name)}
    return {
        "columns": [
            (column["name"], str(column["type"]), column["nullable"], column["default"])
            for column in inspector.get_columns(name)
        ],
        "primary_key": inspector.get_pk_constraint(name)["constrained_columns"],
        "unique": {
            constraint["name"]: constraint["column_names"] for constraint in inspector.get_unique_constraints(name)
        },
        "indices": {
            index["name"]: (index["column_names"], bool(index["unique"]), _condition(index))
            for index in inspector.get_indexes(name)
            if index["name"] not in unique
        },
        "expressions": _indices_of_expressions(connection, name),
        "options": _options(connection, name),
    }


def _indices_of_expressions(connection: Connection, name: str) -> list[str]:
    """Return the statements of those indices that SQLAlchemy does not tell of on SQLite."""
    if connection.dialect.name != "sqlite":
        return []
    made = text("SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = :name AND sql LIKE '%(%(%'")
    return list(connection.execute(made, {"name": name}).scalars())


def _condition(index: Any) -> str:
    where = index["dialect_options"].get("sqlite_where", index["dialect_options"].get("postgresql_where", ""))
    return str(where)


def _options(connection: Connection, name: str) -> list[str]:
    if connection.dialect.name != "sqlite":
        return []
    made = connection.scalar(
        text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name"), {"name": name}
    )
    return re.findall("WITHOUT ROWID|AUTOINCREMENT", str(made))


async def compare(database: Database) -> Schema:
    """Compare what migrations make of an empty database with what the models make of it."""
    await database.migrate()
    migrated = await database.run(schema_of)
    await database.run(METADATA.drop_all)
    await database.run(METADATA.create_all)
    assert await database.run(schema_of) == migrated
    await database.close()
    return migrated


async def test_models_and_migrations_agree_on_sqlite(tmp_path: Path) -> None:
    schema = await compare(Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}"))
    assert set(schema) == set(METADATA.tables)
    assert schema["indexed_product"]["options"] == ["WITHOUT ROWID"]
    assert schema["event"]["options"] == schema["approval_audit"]["options"] == ["AUTOINCREMENT"]
    assert schema["alert"]["indices"]["ix_alert_held"] == (["number"], False, "held")
    assert schema["alert"]["expressions"] == ["CREATE INDEX ix_alert_key_start ON alert (substr(key, 1, 18), number)"]
    open_card = (["shared", "place"], True, "state <> 'closed'")
    assert schema["alert_card"]["indices"]["uq_alert_card_shared"] == open_card


@pytest.mark.process
async def test_models_and_migrations_agree_on_postgresql(empty_postgres_url: str) -> None:
    schema = await compare(Database(empty_postgres_url))
    assert set(schema) == set(METADATA.tables)
    assert "state" in schema["delivery"]["indices"]["ix_delivery_queued"][2]


@each_row("table", METADATA.tables.values())
def test_every_table_is_a_model_that_says_what_it_holds(table: Table) -> None:
    models = {model.__tablename__: model for model in StoreTable.__subclasses__()}
    model = models[table.name]
    assert model.__doc__
    assert issubclass(model, SQLModel)
    assert len(model.model_fields) == len(table.columns)


def test_the_tables_of_the_bot_and_of_adapters_never_mix() -> None:
    from bot.kit.company.tables import DemoTable

    assert not METADATA.tables.keys() & DemoTable.metadata.tables.keys()
    assert not METADATA.tables.keys() & SQLModel.metadata.tables.keys()


def test_nothing_is_prepared_for_checks_that_no_table_makes() -> None:
    """Without this each start would take longer, and each process more memory."""
    models = StoreTable.__subclasses__()
    assert models
    assert not [model.__name__ for model in models if model.__pydantic_complete__]
