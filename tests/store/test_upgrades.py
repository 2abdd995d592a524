"""Upgrades from every earlier revision with data in all tables, and the way back by a backup."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection

from bot.admin.backups import back_up, restore
from bot.settings import load_settings
from bot.store.database import Database
from bot.store.errors import DatabaseIsNewer
from bot.store.revisions import MIGRATIONS, latest_revision
from tests.store.migrating import migrate_to, upgrade
from tests.store.test_schema import schema_of

# SQLite's indices of expressions: `tests.store.test_schema` reads what they say.
pytestmark = pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")

REVISIONS = sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def fill_all(file: Path) -> None:
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        fill(connection)
    engine.dispose()


def fill(connection: Connection) -> None:
    """Put a row into each empty table of SQLite. Asking SQLAlchemy for all tables takes ten times as long."""
    for (table,) in connection.exec_driver_sql(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    ).all():
        if connection.exec_driver_sql(f"SELECT 1 FROM {table}").first() is None:
            columns = connection.exec_driver_sql("SELECT name, type FROM pragma_table_info(?)", (table,)).all()
            row = tuple(value_of(*column) for column in columns)
            connection.exec_driver_sql(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)


def value_of(column: str, kind: str) -> object:
    if kind in ("BOOLEAN", "INTEGER", "BIGINT"):
        return 1
    return "waiting" if column == "state" else "x"


def counts(file: Path) -> dict[str, int]:
    with closing(sqlite3.connect(file)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}


async def test_no_step_loses_a_row(tmp_path: Path) -> None:
    """One database grows from the first revision to the last, with rows in all tables before each step."""
    file, rows = tmp_path / "growing.sqlite3", dict[str, int]()
    database = Database(f"sqlite:///{file}")
    for revision in REVISIONS:
        await database.run(partial(upgrade, revision=revision))
        left = counts(file)
        assert {name: left.get(name) for name in rows} == rows, revision
        fill_all(file)
        rows = counts(file)
    await database.close()


@pytest.mark.parametrize("revision", [REVISIONS[0], *REVISIONS[-2:]])
async def test_an_upgrade_keeps_every_row(revision: str, tmp_path: Path) -> None:
    """All steps at once, as the bot takes them at a start."""
    file = tmp_path / "old.sqlite3"
    migrate_to(file, revision)
    fill_all(file)
    before = counts(file)
    database = Database(f"sqlite:///{file}")
    await database.migrate()
    after = counts(file)
    assert {name: after.get(name) for name in before} == before
    new = Database(f"sqlite:///{tmp_path / 'new.sqlite3'}")
    await new.migrate()
    assert await database.run(schema_of) == await new.run(schema_of)
    for opened in (database, new):
        await opened.close()


async def test_the_way_back_is_the_backup_from_before(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path)
    file = tmp_path / "dingerp.sqlite3"
    migrate_to(file, REVISIONS[-1])
    fill_all(file)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM data_key")  # a key that opens nothing would be refused
    before, target = counts(file), tmp_path / "before.sqlite3"
    assert await back_up(settings, target) == latest_revision()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'later'")  # as a newer version leaves it

    database = Database(settings.database)
    with pytest.raises(DatabaseIsNewer):
        await database.migrate()
    await database.close()
    await restore(settings, target, datetime(2026, 11, 27, tzinfo=UTC))
    database = Database(settings.database)
    await database.migrate()
    # Rights that somebody may have given up wait: an account, unbound, and a watch without its title. The own key's row
    # does not open, like all sealed values here, and absences, mutes, logins and questions end, with the key that a
    # login gave (`bot.store.held_rights`).
    ended = (
        "absence",
        "agent_grant",
        "api_key",
        "erp_key",
        "erp_key_link",
        "inbox",
        "mute",
        "page_confirmation",
        "page_session",
    )
    gone = dict.fromkeys((*ended, "watch"), 0)
    assert counts(file) == before | gone | {"data_key": 2, "held_right": before["held_right"] + 2}
    await database.close()
