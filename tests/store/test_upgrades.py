"""Upgrades from every earlier revision with data in all tables, and the way back by a backup."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, create_engine
from sqlalchemy.engine import Connection

from bot.admin.backups import back_up, restore
from bot.settings import load_settings
from bot.store.database import Database
from bot.store.errors import DatabaseIsNewer
from bot.store.revisions import MIGRATIONS, latest_revision
from tests.store.migrating import migrate_to
from tests.store.test_schema import schema_of

# SQLite's indices of expressions: `tests.store.test_schema` reads what they say.
pytestmark = pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")

REVISIONS = sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


@pytest.fixture(scope="module")
def left_by(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return what gives the database that a version with some revision left, with rows in all tables."""
    folder = tmp_path_factory.mktemp("left")
    growing, files = folder / "growing.sqlite3", {}
    for revision in REVISIONS:
        migrate_to(growing, revision)
        files[revision] = Path(shutil.copy(growing, folder / f"{revision}.sqlite3"))

    def filled(revision: str) -> Path:
        fill_all(files[revision])
        return files[revision]

    return filled


def fill_all(file: Path) -> None:
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        fill(connection)
    engine.dispose()


def fill(connection: Connection) -> None:
    """Put a row into each table that an upgrade leaves empty."""
    tables = MetaData()
    tables.reflect(connection)
    for table in tables.sorted_tables:
        if table.name != "alembic_version" and connection.execute(table.select()).first() is None:
            connection.execute(table.insert(), {column.name: value_of(column) for column in table.columns})


def value_of(column: Column[Any]) -> object:
    if isinstance(column.type, Boolean):
        return True
    return 1 if isinstance(column.type, Integer | BigInteger) else "waiting" if column.name == "state" else "x"


def counts(file: Path) -> dict[str, int]:
    with closing(sqlite3.connect(file)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}


@pytest.mark.parametrize(
    "revision",
    [*(pytest.param(revision, marks=pytest.mark.sampled(3)) for revision in REVISIONS[:-2]), *REVISIONS[-2:]],
)
async def test_an_upgrade_keeps_every_row(revision: str, left_by: Callable[[str], Path], tmp_path: Path) -> None:
    file = left_by(revision)
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
    # Rights that somebody may have given up wait: an account, unbound, a watch without its title, and a program's key.
    # The own key's row does not open, like all sealed values here, and absences, mutes, logins and questions end
    # (`bot.store.held_rights`).
    ended = ("absence", "api_key", "erp_key", "erp_key_link", "inbox", "mute", "page_confirmation", "page_session")
    gone = dict.fromkeys((*ended, "watch"), 0)
    assert counts(file) == before | gone | {"data_key": 2, "held_right": before["held_right"] + 3}
    await database.close()
