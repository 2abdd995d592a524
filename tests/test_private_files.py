"""What the bot stores is readable by its own account only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.mechanisms.private_files import make_private_file, make_private_folder
from bot.store.database import Database


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_folder_is_private_and_an_old_one_stays(tmp_path: Path) -> None:
    make_private_folder(tmp_path / "srv" / "data")
    assert mode(tmp_path / "srv" / "data") == 0o700
    (tmp_path / "shared").mkdir(mode=0o750)
    make_private_folder(tmp_path / "shared")
    assert mode(tmp_path / "shared") == 0o750


def test_a_file_becomes_private_and_keeps_its_content(tmp_path: Path) -> None:
    file = tmp_path / "old"
    file.write_text("kept")
    assert mode(file) == 0o644
    make_private_file(file)
    assert (mode(file), file.read_text()) == (0o600, "kept")


def test_what_is_no_file_keeps_its_mode(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", mode=0o644)
    make_private_file(tmp_path / "pipe")
    (tmp_path / "folder").mkdir(mode=0o755)
    make_private_file(tmp_path / "folder")
    assert (mode(tmp_path / "pipe"), mode(tmp_path / "folder")) == (0o644, 0o755)


async def test_the_database_and_its_log_are_private(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'data' / 'bot.sqlite3'}")
    assert list((tmp_path / "data").iterdir()) == [], "a database that is only named is not made"
    await database.migrate()
    await database.run(lambda connection: connection.execute(text("DELETE FROM inbox")))
    files = sorted((tmp_path / "data").iterdir())
    assert [file.name for file in files] == ["bot.sqlite3", "bot.sqlite3-shm", "bot.sqlite3-wal", "dingerp.key"]
    assert {mode(file) for file in files} == {0o600}
    assert mode(tmp_path / "data") == 0o700
    await database.close()
