"""The models of the tables and the migrations make the same database."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, inspect, text
from sqlalchemy.engine import Connection
from sqlmodel import SQLModel

from bot.store import first_tables
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from bot.store.revisions import latest_revision
from bot.store.tables import METADATA, StoreTable
from tests.rows import each_row
from tests.store.migrating import migrate_to

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


def rows_and_triggers(connection: Connection) -> tuple[Any, ...]:
    """Return what is made of an empty database besides its tables."""
    statements = ("SELECT * FROM audit_head", "SELECT * FROM alembic_version", _TRIGGERS)
    return tuple(connection.execute(text(statement)).all() for statement in statements)


_TRIGGERS = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"


async def test_the_first_tables_are_what_all_migrations_make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate_to(tmp_path / "migrated.sqlite3", "head")
    databases = [Database(f"sqlite:///{tmp_path / name}.sqlite3") for name in ("first", "migrated")]
    monkeypatch.setattr("bot.store.database.make_first_tables", first_tables.make_first_tables)  # and no copy of others
    await databases[0].migrate()
    schema, expected = [await database.run(schema_of) for database in databases]
    assert schema == expected
    made, expected_rows = [await database.run(rows_and_triggers) for database in databases]
    assert made == expected_rows
    for database in databases:
        await database.close()
    assert set(schema) == set(METADATA.tables)
    assert schema["indexed_product"]["options"] == ["WITHOUT ROWID"]
    assert schema["event"]["options"] == schema["approval_audit"]["options"] == ["AUTOINCREMENT"]
    assert schema["alert"]["indices"]["ix_alert_held"] == (["number"], False, "held")
    assert schema["alert"]["expressions"] == ["CREATE INDEX ix_alert_key_start ON alert (substr(key, 1, 18), number)"]
    open_card = (["shared", "place"], True, "state <> 'closed'")
    assert schema["alert_card"]["indices"]["uq_alert_card_shared"] == open_card


async def test_a_first_start_that_ends_early_leaves_no_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    with monkeypatch.context() as broken:
        broken.setattr("bot.store.database.make_first_tables", first_tables.make_first_tables)  # and no copy of others
        broken.setattr(first_tables, "put_back_guards", _fail)
        with pytest.raises(StoreUnavailable):
            await database.migrate()
    assert await database.run(schema_of) == {}
    await database.migrate()
    assert await database.revision() == latest_revision()
    await database.close()


def _fail(*_: object) -> None:
    raise OSError("no space left on device")


@pytest.mark.process
async def test_models_and_migrations_agree_on_postgresql(empty_postgres_url: str) -> None:
    database = Database(empty_postgres_url)
    await database.migrate()
    schema = await database.run(schema_of)
    await database.run(METADATA.drop_all)
    await database.run(METADATA.create_all)
    assert await database.run(schema_of) == schema
    await database.close()
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
