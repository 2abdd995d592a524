"""The database is saved from the running bot, and a lost one is there again after a restore."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.engine import Connection

from bot.admin.backups import back_up, check_database, restore
from bot.bootstrap.database import make_database
from bot.settings import Settings, load_settings
from bot.store.data_keys import KEY_FILE, KeyFile
from bot.store.database import Database
from bot.store.errors import DatabaseInUse
from bot.store.owner import own_database
from bot.store.revisions import latest_revision
from bot.words.errors import ConfigurationError
from bot.words.sealing import CompanyKey

NOW = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Saved:
    """A bot's database, open as by the running bot."""

    settings: Settings
    database: Database
    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "data" / "dingerp.sqlite3"

    async def choose(self, language: str) -> None:
        """Let somebody choose a language."""
        words = text("INSERT INTO language VALUES ('keeper01', :language)")

        def choose(connection: Connection) -> None:
            connection.execute(text("DELETE FROM language"))
            connection.execute(words, {"language": language})

        await self.database.run(choose)

    def chosen(self, file: Path) -> str:
        with closing(sqlite3.connect(file)) as connection:
            (language,) = connection.execute("SELECT code FROM language").fetchone()
        return str(language)


@pytest.fixture
async def saved(tmp_path: Path) -> AsyncIterator[Saved]:
    settings = load_settings(data_dir=tmp_path / "data")
    database = Database(settings.database)
    await database.migrate()
    yield Saved(settings, database, tmp_path)
    await database.close()


async def test_a_running_bots_database_is_saved_whole_and_private(saved: Saved) -> None:
    target = saved.folder / "backups" / "monday.sqlite3"
    with own_database(saved.file):
        await saved.choose("en")
        assert await back_up(saved.settings, target) == latest_revision()
        await saved.choose("zh_CN")
    assert [path.name for path in target.parent.iterdir()] == [target.name], "one file, with nothing beside it"
    assert saved.chosen(target) == "en"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with pytest.raises(ConfigurationError, match="is there already"):
        await back_up(saved.settings, target)


async def test_a_lost_database_is_there_again(saved: Saved) -> None:
    target = saved.folder / "monday.sqlite3"
    await saved.choose("en")
    await back_up(saved.settings, target)
    await saved.choose("zh_CN")
    await saved.database.close()
    saved.file.write_bytes(b"the disk has lost it " * 1000)
    with pytest.raises(ConfigurationError, match="damaged"):
        await check_database(saved.settings)

    revision, kept = await restore(saved.settings, target, NOW)
    assert (revision, kept) == (latest_revision(), saved.file.with_name("dingerp.sqlite3.replaced-20261127-093000"))
    assert await check_database(saved.settings) == latest_revision()
    assert saved.chosen(saved.file) == "en"
    assert stat.S_IMODE(saved.file.stat().st_mode) == 0o600
    assert kept is not None
    assert kept.read_bytes().startswith(b"the disk has lost it")
    again = Database(saved.settings.database)
    await again.migrate()
    await again.close()


async def test_under_a_running_bot_nothing_is_restored(saved: Saved) -> None:
    target = saved.folder / "monday.sqlite3"
    await back_up(saved.settings, target)
    with own_database(saved.file), pytest.raises(DatabaseInUse):
        await restore(saved.settings, target, NOW)
    assert await saved.database.revision() == latest_revision()


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough to be looked at " * 20])
async def test_a_file_that_is_no_backup_changes_nothing(content: bytes, saved: Saved) -> None:
    wrong = saved.folder / "wrong.sqlite3"
    wrong.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"wrong\.sqlite3"):
        await restore(saved.settings, wrong, NOW)
    assert await check_database(saved.settings) == latest_revision()


async def test_a_backup_of_a_newer_version_changes_nothing(saved: Saved) -> None:
    target = saved.folder / "monday.sqlite3"
    await back_up(saved.settings, target)
    with closing(sqlite3.connect(target)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigurationError, match="newer version"):
        await restore(saved.settings, target, NOW)
    assert await check_database(saved.settings) == latest_revision()


async def test_a_backup_that_the_key_does_not_open_changes_nothing(saved: Saved) -> None:
    target = saved.folder / "monday.sqlite3"
    await saved.database.unlock()
    await back_up(saved.settings, target)
    before = KeyFile(path=saved.file.with_name(KEY_FILE)).read()
    changed = (CompanyKey.generate(), CompanyKey.generate())
    KeyFile(path=saved.file.with_name(KEY_FILE), ours=True).write(changed)
    with pytest.raises(ConfigurationError, match=f"nothing was changed: .*{before[0].name}.* behind the present one"):
        await restore(saved.settings, target, NOW)
    assert [path.name for path in saved.file.parent.glob("*.replaced-*")] == []
    KeyFile(path=saved.file.with_name(KEY_FILE), ours=True).write((*changed, *before))
    assert (await restore(saved.settings, target, NOW))[0] == latest_revision()


async def test_without_a_database_there_is_nothing_to_save(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path / "data")
    assert await check_database(settings) == ""
    with pytest.raises(ConfigurationError, match="there is no file"):
        await back_up(settings, tmp_path / "backups" / "monday.sqlite3")
    assert os.listdir(tmp_path) == []


@pytest.mark.process
async def test_postgresql_is_saved_and_restored(empty_postgres_url: str, tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path).model_copy(update={"database_url": SecretStr(empty_postgres_url)})
    saved = Saved(settings, make_database(settings), tmp_path)
    await saved.database.migrate()
    await saved.choose("en")
    target = tmp_path / "monday.dump"
    assert await back_up(settings, target) == latest_revision()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    await saved.choose("zh_CN")
    with pytest.raises(ConfigurationError, match="stop every bot"):
        await restore(settings, target, NOW)
    await saved.database.close()
    assert await restore(settings, target, NOW) == (latest_revision(), None)
    assert await check_database(settings) == latest_revision()
    again = Database(empty_postgres_url)
    chosen = text("SELECT code FROM language")
    assert await again.run(lambda connection: connection.scalar(chosen)) == "en"
    await again.close()


async def test_a_backup_needs_postgresql_itself(tmp_path: Path) -> None:
    address = SecretStr("postgresql://owner@127.0.0.1/dingerp?pooled=true")
    settings = load_settings(data_dir=tmp_path).model_copy(update={"database_url": address})
    with pytest.raises(ConfigurationError, match="without a pooler"):
        await back_up(settings, tmp_path / "monday.dump")


@pytest.fixture
async def dumped(empty_postgres_url: str, tmp_path: Path) -> Saved:
    """A bot's database on PostgreSQL, sealed, whose bot does not run."""
    settings = load_settings(data_dir=tmp_path).model_copy(update={"database_url": SecretStr(empty_postgres_url)})
    database = make_database(settings)
    await database.migrate()
    await database.unlock()
    return Saved(settings, database, tmp_path)


async def _is_as_it_was(saved: Saved) -> bool:
    database, language = Database(saved.settings.database, looking=True), text("SELECT code FROM language")
    try:
        chosen = await database.run(lambda connection: connection.scalar(language))
        return chosen == "zh_CN" and await database.revision() == latest_revision()
    finally:
        await database.close()


@pytest.mark.process
async def test_a_dump_that_the_key_does_not_open_changes_nothing(dumped: Saved) -> None:
    target, keys = dumped.folder / "monday.dump", KeyFile(path=dumped.folder / KEY_FILE, ours=True)
    await dumped.choose("en")
    await back_up(dumped.settings, target)
    await dumped.choose("zh_CN")
    await dumped.database.close()
    before = keys.read()
    keys.write((CompanyKey.generate(),))
    with pytest.raises(ConfigurationError, match=f"nothing was changed: .*{before[0].name}.* behind the present one"):
        await restore(dumped.settings, target, NOW)
    assert await _is_as_it_was(dumped)
    keys.write((*keys.read(), *before))
    assert (await restore(dumped.settings, target, NOW))[0] == latest_revision()


@pytest.mark.process
async def test_a_dump_of_a_newer_version_changes_nothing(dumped: Saved) -> None:
    target, version = dumped.folder / "monday.dump", text("UPDATE alembic_version SET version_num = :version")
    await dumped.database.run(lambda connection: connection.execute(version, {"version": "9999"}))
    await back_up(dumped.settings, target)
    await dumped.database.run(lambda connection: connection.execute(version, {"version": latest_revision()}))
    await dumped.choose("zh_CN")
    await dumped.database.close()
    with pytest.raises(ConfigurationError, match="newer version"):
        await restore(dumped.settings, target, NOW)
    assert await _is_as_it_was(dumped)
