"""Saves the bot's database to a file, and restores it from one.

A SQLite backup is taken from the running bot without interrupting it; it is one file, complete and checked. PostgreSQL
is saved and restored by its own programs.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url

from bot.admin.database import (
    OperatorAction,
    audit_log,
    open_database,
    operator,
    record_action,
    require_alone,
    require_database,
    using,
)
from bot.admin.output import align_columns, count_noun, escape_invisible
from bot.bootstrap.database import make_database
from bot.mechanisms.private_files import make_private_file, make_private_folder
from bot.settings import Settings
from bot.store.database import Database
from bot.store.engines import is_pooled, look_into, sqlite_file
from bot.store.errors import store_unavailable
from bot.store.held_rights import confirm_held, find_held, hold_rights
from bot.store.owner import own_database
from bot.store.revisions import check_version, latest_revision
from bot.store.tables.upkeep import DATA_KEY
from bot.words.errors import ConfigurationError
from bot.words.phrase import phrase
from bot.words.sealing import WrongDataKey

_BESIDE: Final = ("", "-wal", "-shm")
"""The suffixes of SQLite's side files."""

_VERSION: Final = "alembic_version"
_HOW_TO_CONFIRM: Final = (
    "they do not work until their owner taps the card that the bot sends, or you run `dingerp db confirm --user ID`"
    " (--all for everybody)",
)
_COPIED: Final = re.compile(r"^COPY (?:\w+\.)?(\w+) \(([\w, ]+)\) FROM stdin;\n((?:.*\n)*?)\\\.$", re.MULTILINE)
"""The rows of a table in a PostgreSQL script: its name, its columns, its lines."""


async def back_up(settings: Settings, target: Path) -> str:
    """Save the database to a new file, also beside a running bot, and return its revision.

    Raises `ConfigurationError`, and then leaves no file.
    """
    _require_new(target)
    file = sqlite_file(settings.database)
    if file is None:
        return await _dump(make_url(settings.database), target)
    return await asyncio.to_thread(_copy, file, target)


async def restore(settings: Settings, source: Path, now: datetime) -> tuple[str, Path | None]:
    """Replace the database with a backup while no bot runs, and upgrade it to this version.

    Rights that people may have given up since then wait for confirmation (`bot.store.held_rights`). Returns the
    revision, and the file that holds the previous database, None if there was none. Raises `ConfigurationError`, and
    then leaves the database unchanged.
    """
    _require_file(source)
    file = sqlite_file(settings.database)
    if file is None:
        return await _load(settings, source, now), None
    await asyncio.to_thread(_revision_of, source)
    await _require_key(settings, source)
    return await _replace(settings, file, source, now)


async def check_database(settings: Settings) -> str:
    """Check the database, also beside a running bot, and return its revision; empty if there is none.

    Raises `ConfigurationError` for a damaged one, and for one of a newer version.
    """
    file = sqlite_file(settings.database)
    if file is not None:
        return await asyncio.to_thread(_revision_or_none, file)
    async with using(Database(settings.database, looking=True)) as database:
        revision = await database.revision()
    check_version(revision)
    return revision or ""


def _require_new(target: Path) -> None:
    if target.exists():
        raise ConfigurationError(f"{target} is there already; a backup replaces nothing")


def _require_file(file: Path) -> None:
    if not file.is_file():
        raise ConfigurationError(f"there is no file {file}")


async def _require_key(settings: Settings, backup: Path, *, tables_in: Path | None = None) -> None:
    """Check that the bot will be able to read a backup. Raises `ConfigurationError`.

    ``tables_in`` is the SQLite database that holds its keys, if the backup itself is none.
    """
    source = make_database(settings, looking=True).keys.source
    url = URL.create("sqlite", database=str(tables_in or backup)).render_as_string()
    async with using(Database(url, source, looking=True)) as database:
        try:
            await database.run(database.keys.read_if_there)
        except WrongDataKey as error:
            raise ConfigurationError(
                f"{backup} cannot be read with this key, and nothing was changed: {error.detail}. Was the key changed"
                " since? Then put that of its time behind the present one"
            ) from error


def _copy(file: Path, target: Path) -> str:
    _require_file(file)
    with _whole_or_nothing(target) as unfinished:
        try:
            with closing(look_into(file)) as source, closing(sqlite3.connect(unfinished)) as copy:
                source.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
        except sqlite3.Error as error:
            raise ConfigurationError(f"{file} cannot be saved: {store_unavailable(error).detail}") from error
        return _revision_of(unfinished)


async def _replace(settings: Settings, file: Path, source: Path, now: datetime) -> tuple[str, Path | None]:
    with own_database(file), _whole_or_nothing(file, replaces=True) as unfinished:
        await asyncio.to_thread(shutil.copyfile, source, unfinished)
        try:
            await _bring_over(settings, unfinished, now)
        finally:
            await asyncio.to_thread(_make_one_file, unfinished)
        kept = _set_aside(file, now)
    return latest_revision(), kept


async def _bring_over(settings: Settings, file: Path, now: datetime) -> None:
    """Upgrade a backup to this version and suspend its rights, before it replaces the database."""
    keys = make_database(settings, looking=True).keys.source
    url = URL.create("sqlite", database=str(file)).render_as_string()
    async with using(Database(url, keys), named=str(file)) as database:
        await _hold(database, now)


async def _hold(database: Database, now: datetime) -> None:
    await database.migrate()
    await database.unlock()
    await database.run(partial(hold_rights, now=now), durable=True)


def _make_one_file(file: Path) -> None:
    """Merge the side files of a database into it."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


async def list_held(settings: Settings) -> list[str]:
    """Return lines on the rights that await confirmation since a backup was restored."""
    async with open_database(settings, None) as database:
        found = await require_database(database).read(find_held)
    if not found:
        return ["no right waits for a confirmation"]
    named = align_columns((each.user_id, each.kind.value, escape_invisible(each.about)) for each in found)
    return [f"{count_noun(len(found), 'right waits', 'rights wait')} for a confirmation:", *named]


async def confirm_rights(settings: Settings, user_id: str, now: datetime) -> list[str]:
    """Reinstate the rights of one person or, with an empty ``user_id``, of everybody."""
    async with open_database(settings, None) as database:
        ready = require_database(database)
        found = await ready.read(partial(find_held, user_id=user_id))
        await record_action(settings, ready, OperatorAction(command="db confirm", detail=user_id or "everybody"))
        confirmed = await ready.run(partial(confirm_held, rights=found, by=operator(), now=now), durable=True)
    overtaken = len(found) - confirmed
    more = f"; {overtaken} had a newer one in their place" if overtaken else ""
    return [f"{count_noun(confirmed, 'right is', 'rights are')} in force again{more}"]


async def report_restore(settings: Settings, source: Path) -> list[str]:
    """Record that a backup was restored, and return lines on what awaits confirmation."""
    async with open_database(settings, OperatorAction(command="db restore", detail=source.name)) as database:
        missing = (await audit_log(settings, require_database(database)).check_end(1)).unaccepted
    lines = await list_held(settings)
    accept = ["`dingerp audit accept --reason …` records why the audit log lacks entries"] if missing else []
    return [*lines, *_HOW_TO_CONFIRM, *accept] if len(lines) > 1 else accept


def _set_aside(file: Path, now: datetime) -> Path | None:
    if not file.exists():
        return None
    kept = file.with_name(f"{file.name}.replaced-{now:%Y%m%d-%H%M%S}")
    for end in _BESIDE:
        part = Path(f"{file}{end}")
        if part.exists():
            part.rename(f"{kept}{end}")
    return kept


@contextmanager
def _whole_or_nothing(target: Path, *, replaces: bool = False) -> Iterator[Path]:
    """Provide a private file to write to, which becomes ``target`` once it is complete and on disk."""
    unfinished = target.with_name(f"{target.name}.unfinished")
    try:
        make_private_folder(target.absolute().parent)
        unfinished.unlink(missing_ok=True)
        make_private_file(unfinished)
        yield unfinished
        _synchronise(unfinished)
        if not replaces:
            _require_new(target)
        unfinished.replace(target)
        _synchronise(target.absolute().parent)
    except OSError as error:
        raise ConfigurationError(f"{target} cannot be written: {error.strerror or type(error).__name__}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _synchronise(path: Path) -> None:
    if path.is_dir() and os.name != "posix":
        return  # only there can a folder be opened
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _revision_or_none(file: Path) -> str:
    return _revision_of(file) if file.is_file() else ""


def _revision_of(file: Path, named: Path | None = None) -> str:
    """Return the revision of a database file after checking all of its pages. Raises `ConfigurationError`.

    ``named`` is the file that errors name, if it differs.
    """
    try:
        with closing(look_into(file)) as connection:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":
                raise ConfigurationError(f"{file} is damaged: {found}")
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        why = store_unavailable(error).detail
        raise ConfigurationError(f"{named or file} is no database of dingerp, or cannot be read: {why}") from error
    if row is None and named is not None:
        raise ConfigurationError(f"{named} is no database of dingerp")
    revision = str(row[0]) if row else ""
    check_version(revision or None)
    return revision


async def _dump(url: URL, target: Path) -> str:
    with _whole_or_nothing(target) as unfinished:
        await _run_program("pg_dump", url, "--format=custom", "--no-owner", f"--file={unfinished}")
    database = Database(url.render_as_string(hide_password=False), looking=True)
    try:
        return await database.revision() or ""
    finally:
        await database.close()


async def _load(settings: Settings, source: Path, now: datetime) -> str:
    url = make_url(settings.database)
    await _require_usable(settings, url, source)
    async with using(make_database(settings)) as database:
        await require_alone(database)
        options = ("--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error")
        await _run_program("pg_restore", url, *options, str(source))
        await _hold(database, now)
        return await database.revision() or ""


async def _require_usable(settings: Settings, url: URL, dump: Path) -> None:
    """Check that this version and its key can read a PostgreSQL dump. Raises `ConfigurationError`.

    The relevant tables are extracted from the dump and checked like a SQLite backup.
    """
    tables = [f"--table={name}" for name in (_VERSION, DATA_KEY.name)]
    script = await _run_program("pg_restore", url, "--data-only", *tables, "--file=-", str(dump), connects=False)
    with TemporaryDirectory() as folder:
        extract = Path(folder) / "extract.sqlite3"
        await asyncio.to_thread(_write_extract, extract, script)
        await asyncio.to_thread(_revision_of, extract, dump)
        await _require_key(settings, dump, tables_in=extract)


def _write_extract(file: Path, script: str) -> None:
    """Write the rows of a PostgreSQL script to a SQLite database."""
    engine = create_engine(URL.create("sqlite", database=str(file)))
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE {_VERSION} (version_num TEXT)"))
        for name, columns, rows in _COPIED.findall(script):
            if name == DATA_KEY.name:
                DATA_KEY.create(connection)
            values = ", ".join(f":{column}" for column in columns.split(", "))
            for row in rows.splitlines():
                # The rows hold numbers, names and base64, for which PostgreSQL writes no backslash.
                named = dict(zip(columns.split(", "), row.split("\t"), strict=True))
                connection.execute(text(f"INSERT INTO {name} ({columns}) VALUES ({values})"), named)  # noqa: S608
    engine.dispose()


async def _run_program(name: str, url: URL, *arguments: str, connects: bool = True) -> str:
    """Run one of PostgreSQL's programs, on a database if it ``connects``, and return its output.

    Raises `ConfigurationError`.
    """
    program = shutil.which(name)
    if program is None:
        raise ConfigurationError(f"{name} is not installed; it comes with PostgreSQL's client programs")
    if connects and is_pooled(url):
        # It sets what holds for its connection, which a pooler would give to the bot next.
        raise ConfigurationError(phrase("%(name)s needs the address of PostgreSQL itself, without a pooler", name=name))
    address = url.set(drivername="postgresql", password=None).render_as_string()
    # In the environment: program arguments are visible to everybody on the machine.
    environment = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    target = (f"--dbname={address}",) if connects else ()
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        program, *target, *arguments, env=environment, stdout=pipe, stderr=pipe
    )
    written, said = await process.communicate()
    if process.returncode:
        lines = said.decode(errors="replace").strip().splitlines()
        raise ConfigurationError(f"{name} failed: {lines[0] if lines else f'exit code {process.returncode}'}")
    return written.decode()
