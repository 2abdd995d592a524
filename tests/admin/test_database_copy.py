"""The database is copied from SQLite to PostgreSQL and elsewhere, whole and sealed as it was, or not at all."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import select, text, update
from sqlalchemy.engine import make_url

from bot.access.audit import AuditEntry, AuditKind
from bot.admin.database import audit_log
from bot.admin.database_copy import copy_database
from bot.bootstrap.database import make_database
from bot.settings import Settings, load_settings
from bot.store import table_copies
from bot.store.data_keys import KEY_FILE, GivenKeys, KeyFile
from bot.store.database import Database
from bot.store.errors import DatabaseInUse, StoreUnavailable
from bot.store.owner import own_database
from bot.store.table_copies import tables_with_rows
from bot.store.tables import APPROVAL_AUDIT, ERP_COPY, METADATA
from bot.words.errors import ConfigurationError
from bot.words.sealing import CompanyKey
from tests.erp.sql.postgres_server import PASSWORD, Postgres, new_database
from tests.store.test_upgrades import fill

SECRET = "甲公司 1280.00"
LARGE = 2**62
DELETED = 41
"""Number of an event that is no longer there."""


@dataclass(frozen=True, slots=True)
class Original:
    """A bot's database with a row in each table, whose bot does not run."""

    settings: Settings
    file: Path

    def rows(self) -> dict[str, list[Any]]:
        return rows_in(self.file)

    @property
    def keys(self) -> GivenKeys:
        return GivenKeys(tuple(KeyFile(path=self.file.with_name(KEY_FILE)).read()))


def rows_in(file: Path) -> dict[str, list[Any]]:
    """Return all rows as they lie in a file, also those by which SQLite counts."""
    with closing(sqlite3.connect(file)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in names}


def at(settings: Settings, url: str) -> Settings:
    return settings.model_copy(update={"database_url": SecretStr(url)})


def connected(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def entry(number: int) -> AuditEntry:
    return AuditEntry(
        kind=AuditKind.OPERATOR,
        at=datetime(2026, 11, 27, 9, number, tzinfo=UTC),
        actor="王芳",
        action="access explain",
        documents=(f"P-{number}",),
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with such a database; making one takes a second."""
    folder = tmp_path_factory.mktemp("made")
    asyncio.run(_make(load_settings(data_dir=folder)))
    return folder


async def _make(settings: Settings) -> None:
    database = make_database(settings)
    await database.migrate()
    await database.unlock()
    audit = audit_log(settings, database)
    for number in range(3):
        audit.record(entry(number))
    await audit.flush()
    await database.run(fill)
    await database.run(lambda c: c.execute(update(ERP_COPY).values(value=SECRET, as_of_ms=LARGE)))
    await database.run(lambda c: c.execute(text(f"UPDATE sqlite_sequence SET seq = {DELETED} WHERE name = 'event'")))
    await database.close()


@pytest.fixture
def original(made: Path, tmp_path: Path) -> Original:
    folder = tmp_path / "data"
    folder.mkdir()
    for file in made.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return Original(load_settings(data_dir=folder), folder / "dingerp.sqlite3")


async def holds_nothing(url: str) -> bool:
    database = Database(url, looking=True)
    try:
        return not await database.run(tables_with_rows)
    finally:
        await database.close()


@pytest.mark.process
async def test_every_row_comes_back_from_postgresql_as_it_was(
    original: Original, empty_postgres_url: str, postgres_server: Postgres, tmp_path: Path
) -> None:
    before = original.rows()
    assert all(before[name] for name in METADATA.tables)
    lines = await copy_database(original.settings, empty_postgres_url)
    assert original.rows() == before
    assert f"{len(METADATA.tables)} tables copied" in "\n".join(lines)

    again = tmp_path / "again" / "bot.sqlite3"
    with new_database(postgres_server) as another:
        await copy_database(at(original.settings, empty_postgres_url), another.admin_url)
        settings = at(original.settings, another.admin_url)
        with pytest.raises(ConfigurationError, match="set DINGERP_DATA_KEY"):
            await copy_database(settings.model_copy(update={"data_dir": tmp_path}), f"sqlite:///{again}")
        await copy_database(settings, f"sqlite:///{again}")
    assert rows_in(again) == before


@pytest.mark.process
async def test_a_copy_on_postgresql_opens_with_the_key_and_goes_on(original: Original, empty_postgres_url: str) -> None:
    await copy_database(original.settings, empty_postgres_url)
    settings = at(original.settings, empty_postgres_url).model_copy(update={"data_dir": original.file.parent})
    database = make_database(settings)
    await database.migrate()
    await database.unlock()
    kept = await database.run(lambda c: c.execute(select(ERP_COPY.c.value, ERP_COPY.c.as_of_ms)).one())
    assert (kept.value, kept.as_of_ms) == (SECRET, LARGE)

    def next_number(sequence: str) -> int:
        with connected(empty_postgres_url) as connection:
            row = connection.execute("SELECT nextval(%s)", (sequence,)).fetchone()
        assert row is not None
        return int(row[0])

    assert next_number("event_seq_seq") == DELETED + 1
    assert next_number("delivery_step_id_seq") == 2
    audit = audit_log(settings, database)
    audit.record(entry(4))
    await audit.flush()
    found = await audit.verify()
    assert (found.entries, found.broken, found.witnessed) == (4, (), True)
    with pytest.raises(StoreUnavailable):
        await database.run(lambda c: c.execute(update(APPROVAL_AUDIT).values(what="another")))
    await database.close()


async def test_the_lines_say_what_was_copied_and_what_to_set(original: Original, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path / 'other' / 'bot.sqlite3'}?"
    lines = await copy_database(original.settings, target)
    said = "\n".join(lines)
    assert ["alert", "1"] in [line.split() for line in lines]
    assert "audit log: 3 entries in good order, the newest 3:" in said
    assert "DINGERP_DATABASE_URL" in said
    assert f"DINGERP_DATA_KEY to the key in {original.file.with_name(KEY_FILE)}" in said
    assert str(original.file.with_name("audit.head")) in said
    (key,) = original.keys.read()
    assert key.text not in said


async def test_a_running_bots_database_is_not_copied(original: Original, tmp_path: Path) -> None:
    target = tmp_path / "other.sqlite3"
    with own_database(original.file), pytest.raises(DatabaseInUse, match=r"process \d+ on .* stop it first"):
        await copy_database(original.settings, f"sqlite:///{target}")
    assert not target.exists()


@pytest.mark.process
async def test_a_database_of_postgresql_that_others_use_is_not_copied(
    original: Original, empty_postgres_url: str, tmp_path: Path
) -> None:
    await copy_database(original.settings, empty_postgres_url)
    target = tmp_path / "other.sqlite3"
    with (
        connected(empty_postgres_url),
        pytest.raises(DatabaseInUse, match=r"1 connection: owner from 127\.0\.0\.1"),
    ):
        await copy_database(at(original.settings, empty_postgres_url), f"sqlite:///{target}")
    assert not target.exists()


async def test_without_its_key_nothing_is_copied(original: Original, tmp_path: Path) -> None:
    target = tmp_path / "other.sqlite3"
    original.file.with_name(KEY_FILE).unlink()
    with pytest.raises(ConfigurationError, match="the key given is none"):
        await copy_database(original.settings, f"sqlite:///{target}")
    KeyFile(path=original.file.with_name(KEY_FILE), ours=True).write((CompanyKey.generate(),))
    with pytest.raises(ConfigurationError, match="set DINGERP_DATA_KEY"):
        await copy_database(original.settings, f"sqlite:///{target}")
    assert not target.exists()


async def test_nothing_is_copied_over_rows_that_are_there(original: Original, tmp_path: Path) -> None:
    target = tmp_path / "other.sqlite3"
    used = Database(f"sqlite:///{target}", original.keys)
    await used.migrate()
    await used.run(lambda c: c.execute(text("INSERT INTO language VALUES ('keeper01', 'en')")))
    await used.close()
    before = rows_in(target)
    with pytest.raises(ConfigurationError, match=r"holds rows already .*language"):
        await copy_database(original.settings, f"sqlite:///{target}")
    assert rows_in(target) == before


async def test_tables_without_rows_are_filled(original: Original, tmp_path: Path) -> None:
    target = tmp_path / "other.sqlite3"
    empty = Database(f"sqlite:///{target}")
    await empty.migrate()
    await empty.close()
    await copy_database(original.settings, f"sqlite:///{target}")
    assert rows_in(target) == original.rows()


async def test_tables_of_another_program_are_left_alone(original: Original, tmp_path: Path) -> None:
    target = tmp_path / "other.sqlite3"
    with closing(sqlite3.connect(target)) as connection:
        connection.execute("CREATE TABLE audit_head (name TEXT)")
    with pytest.raises(ConfigurationError, match=r"another program \(audit_head\)"):
        await copy_database(original.settings, f"sqlite:///{target}")
    assert rows_in(target) == {"audit_head": []}


@pytest.mark.parametrize("which", ["original", "copy"])
async def test_a_newer_version_is_refused_on_either_side(which: str, original: Original, tmp_path: Path) -> None:
    target = tmp_path / "other.sqlite3"
    empty = Database(f"sqlite:///{target}")
    await empty.migrate()
    await empty.close()
    with closing(sqlite3.connect(original.file if which == "original" else target)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigurationError, match="newer version"):
        await copy_database(original.settings, f"sqlite:///{target}")
    assert rows_in(target)["language"] == []


async def test_an_older_original_is_not_changed(original: Original, tmp_path: Path) -> None:
    with closing(sqlite3.connect(original.file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0025'")
    before = original.file.read_bytes()
    with pytest.raises(ConfigurationError, match="`dingerp db upgrade`"):
        await copy_database(original.settings, f"sqlite:///{tmp_path / 'other.sqlite3'}")
    assert original.file.read_bytes() == before


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("mysql://bot:hush@host/db", "no such database"),
        ("no address: hush", "cannot use the database address"),
        ("sqlite://", "a file of SQLite"),
        ("env:DINGERP_NO_SUCH_VARIABLE", "there is no variable"),
        ("postgresql://bot:hush@127.0.0.1:1/db", "not reached"),
    ],
)
async def test_a_wrong_address_is_told_without_its_password(address: str, said: str, original: Original) -> None:
    with pytest.raises(ConfigurationError, match=said) as refused:
        await copy_database(original.settings, address)
    assert "hush" not in str(refused.value)


async def test_a_server_that_says_nothing_is_not_waited_for(original: Original) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://bot:hush@127.0.0.1:{silent.getsockname()[1]}/db?connect_timeout=2"
        with pytest.raises(ConfigurationError, match="to copy to cannot be used: the database is not reached"):
            await copy_database(original.settings, url)


async def test_a_database_is_not_copied_onto_itself(original: Original) -> None:
    beside = original.file.parent / ".." / "data" / original.file.name
    with pytest.raises(ConfigurationError, match="name another"):
        await copy_database(original.settings, f"sqlite:///{beside}")


async def test_without_a_database_there_is_nothing_to_copy(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no database yet"):
        await copy_database(load_settings(data_dir=tmp_path / "data"), f"sqlite:///{tmp_path / 'other.sqlite3'}")
    assert os.listdir(tmp_path) == []


@pytest.mark.process
async def test_an_account_without_rights_is_told_so(original: Original, postgres_server: Postgres) -> None:
    url = make_url(postgres_server.admin_url).set(username="reader", password=PASSWORD)
    with pytest.raises(ConfigurationError, match="lacks a right"):
        await copy_database(original.settings, url.render_as_string(hide_password=False))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.process)])
def target_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'other.sqlite3'}"
    else:
        yield request.getfixturevalue("empty_postgres_url")


async def test_an_interrupted_copy_leaves_no_rows_and_can_be_repeated(
    original: Original, target_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, write = asyncio.get_running_loop(), table_copies._write
    wrote, interrupted = asyncio.Event(), threading.Event()

    def write_and_wait(*arguments: Any) -> None:
        write(*arguments)
        loop.call_soon_threadsafe(wrote.set)
        assert interrupted.wait(60)

    monkeypatch.setattr(table_copies, "_write", write_and_wait)
    copying = asyncio.create_task(copy_database(original.settings, target_url))
    await wrote.wait()
    copying.cancel()
    for _ in range(10):  # until the command has learned of it
        await asyncio.sleep(0)
    interrupted.set()
    with pytest.raises(asyncio.CancelledError):
        await copying
    assert await holds_nothing(target_url)
    monkeypatch.undo()
    await copy_database(original.settings, target_url)
    assert not await holds_nothing(target_url)


async def test_a_row_that_the_target_does_not_take_names_its_table(original: Original, empty_postgres_url: str) -> None:
    with closing(sqlite3.connect(original.file)) as connection, connection:
        connection.execute("UPDATE person SET name = 'a' || char(0)")
    with pytest.raises(ConfigurationError, match="a row of table person"):
        await copy_database(original.settings, empty_postgres_url)
    assert await holds_nothing(empty_postgres_url)


async def test_a_copy_that_differs_is_not_kept(
    original: Original, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, write = tmp_path / "other.sqlite3", table_copies._write

    def write_less(connection: Any, each: Any, batch: Any) -> None:
        if each.name != "watch":
            write(connection, each, batch)

    monkeypatch.setattr(table_copies, "_write", write_less)
    with pytest.raises(ConfigurationError, match="table watch differs: 0 rows of 1"):
        await copy_database(original.settings, f"sqlite:///{target}")
    assert await holds_nothing(f"sqlite:///{target}")


async def test_a_broken_audit_log_is_copied_as_it_is_and_said(original: Original, tmp_path: Path) -> None:
    with closing(sqlite3.connect(original.file)) as connection, connection:
        connection.execute("DROP TRIGGER audit_unchanged")
        connection.execute("UPDATE audit SET actor = 'somebody' WHERE seq = 2")
    lines = await copy_database(original.settings, f"sqlite:///{tmp_path / 'other.sqlite3'}")
    assert "the audit log is broken in both databases, and the copy keeps it so:" in lines
    assert "entry 2 was changed: its content does not have its hash" in lines


async def test_more_rows_than_a_batch_are_copied(original: Original, tmp_path: Path) -> None:
    many = 2 * table_copies.BATCH + 1
    with closing(sqlite3.connect(original.file)) as connection, connection:
        connection.execute("DELETE FROM language")
        connection.executemany("INSERT INTO language VALUES (?, 'en')", [(f"user{n}",) for n in range(many)])
    lines = await copy_database(original.settings, f"sqlite:///{tmp_path / 'other.sqlite3'}")
    assert ["language", f"{many:,}"] in [line.split() for line in lines]
    assert len(rows_in(tmp_path / "other.sqlite3")["language"]) == many
