"""Copies the bot's database into another, empty one, such as from SQLite to PostgreSQL, while no bot runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import Final

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.engine import Connection

from bot.admin.database import require_alone, require_database, using
from bot.admin.output import align_columns, count_noun, escape_invisible
from bot.bootstrap.database import make_database
from bot.settings import Settings
from bot.store.audit.chain import WITNESS_FILE, AuditWitness, ChainLink
from bot.store.audit.checks import check_log
from bot.store.data_keys import KeyFile, KeysOfCopy
from bot.store.database import Database, check_folder
from bot.store.engines import keep_from_moving, sqlite_file
from bot.store.errors import DatabaseIsNewer, StoreUnavailable
from bot.store.owner import own_database
from bot.store.revisions import check_version, is_current, latest_revision
from bot.store.table_copies import (
    TableCount,
    begin_filling,
    begin_snapshot,
    copy_tables,
    tables_there,
    tables_with_rows,
)
from bot.words.errors import ConfigurationError
from bot.words.secret_values import Secret

_SECRET: Final = TypeAdapter(Secret)

_REACHED_IN = 10.0
"""Seconds in which the other database has to answer."""

_TARGET = "the database to copy to"
_NAMED = 5
"""How many tables, and how many breaks of the audit log, are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copied:
    """What was copied, and the result of checking the audit log in the copy."""

    tables: list[TableCount]
    entries: int
    end: ChainLink
    broken: list[str]


async def copy_database(settings: Settings, address: str) -> list[str]:
    """Copy everything into the database at ``address``, and return lines on what was copied and what to set.

    ``address`` may be ``env:NAME`` or ``file:PATH``, as in the configuration. Raises `ConfigurationError`, and then
    leaves the other database unchanged, except perhaps for empty tables.
    """
    url = _read_address(address)
    _require_another(settings, url)
    async with _source(settings) as source, _target(url, source) as target:
        await target.migrate()
        copied = await _copy_all(source, target, _witnessed(settings))
    return [*_told(copied), *_to_set(settings, source, copied)]


def _read_address(address: str) -> str:
    try:
        return _SECRET.validate_python(address).get_secret_value()
    except ValidationError as error:
        why = error.errors(include_url=False, include_input=False)[0]["msg"].removeprefix("Value error, ")
        raise ConfigurationError(f"--to: {why}") from None


def _require_another(settings: Settings, url: str) -> None:
    file, target = sqlite_file(settings.database), sqlite_file(url)
    if file is not None and target is not None and file.resolve() == target.resolve():
        raise ConfigurationError(f"{target} is the database that is to be copied; name another one")


@asynccontextmanager
async def _source(settings: Settings) -> AsyncIterator[Database]:
    """Open the configured database read-only, while no bot uses it."""
    file = sqlite_file(settings.database)
    if file is not None and not file.exists():
        require_database(None)
    database = make_database(settings, looking=True)
    if file is None and database.dialect == "sqlite":
        raise ConfigurationError("the database is no file that could be copied")
    with own_database(file), _unmoved(file):
        async with using(database):
            await _require_this_version(database)
            await database.unlock()
            if file is None:
                await require_alone(database)
            yield database


@contextmanager
def _unmoved(file: Path | None) -> Iterator[None]:
    if file is None:
        yield
        return
    try:
        with keep_from_moving(file):
            yield
    except StoreUnavailable as error:
        raise ConfigurationError(f"the database cannot be used: {error.detail}") from error


async def _require_this_version(database: Database) -> None:
    revision = await database.revision()
    check_version(revision)
    if revision is None:
        require_database(None)
    if revision not in (None, latest_revision()) and is_current(revision):
        raise ConfigurationError(f"a newer version has added to the database (revision {revision}); copy it with that")
    if not is_current(revision):
        raise ConfigurationError("the database is of an older version; `dingerp db upgrade` brings it to this one")


@asynccontextmanager
async def _target(url: str, source: Database) -> AsyncIterator[Database]:
    """Open the other, still empty, database with the keys of the first."""
    check_folder(url)
    file = sqlite_file(url)
    target = Database(url, KeysOfCopy(source.keys.source))
    if file is None and target.dialect == "sqlite":
        raise ConfigurationError(f"{_TARGET} has to be on PostgreSQL or a file of SQLite: sqlite:///PATH")
    with own_database(file):
        async with using(target, named=_TARGET):
            await _require_empty(target)
            yield target


async def _require_empty(target: Database) -> None:
    revision = await target.revision(timeout=_REACHED_IN)
    try:
        check_version(revision)
    except DatabaseIsNewer as error:
        raise ConfigurationError(f"{_TARGET}: {error.detail}") from None
    if revision is None and (theirs := await target.run(tables_there)):
        raise ConfigurationError(
            f"{_TARGET} has tables of another program ({_first(each.name for each in theirs)}); make one for the bot"
        )
    await target.run(_require_no_rows)


def _require_no_rows(connection: Connection) -> None:
    if names := tables_with_rows(connection):
        raise ConfigurationError(
            f"{_TARGET} holds rows already ({_first(names)}); make an empty one, and start no bot on it before"
        )


def _first(names: Iterator[str] | list[str]) -> str:
    named = list(names)
    return ", ".join([*named[:_NAMED], *(["…"] if len(named) > _NAMED else [])])


async def _copy_all(source: Database, target: Database, known: list[ChainLink]) -> _Copied:
    """Copy in the databases' threads; interrupting the command stops the copy, too."""
    stop = Event()
    try:
        return await source.run(partial(_copy_into, target, known, stop.is_set))
    except asyncio.CancelledError:
        stop.set()
        raise


def _copy_into(target: Database, known: list[ChainLink], stopped: Callable[[], bool], source: Connection) -> _Copied:
    begin_snapshot(source)
    checked = check_log(source, known)

    def fill(connection: Connection) -> _Copied:
        begin_filling(connection)
        _require_no_rows(connection)
        tables = copy_tables(source, connection, stopped)
        target.keys.read(connection)
        if check_log(connection, known) != checked:
            raise ConfigurationError("the audit log in the copy differs, and nothing was changed")
        end, broken, entries = checked
        return _Copied(tables=tables, entries=entries, end=end, broken=broken)

    try:
        return target.run_blocking(fill, durable=True)
    except StoreUnavailable as error:
        raise ConfigurationError(f"{_TARGET} cannot be used, and nothing was changed: {error.detail}") from error


def _witnessed(settings: Settings) -> list[ChainLink]:
    try:
        known = AuditWitness(settings.data_dir).read()
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{settings.data_dir / WITNESS_FILE} cannot be read: {error}") from None
    return [] if known is None else [known]


def _told(copied: _Copied) -> Iterator[str]:
    filled = [each for each in copied.tables if each.rows]
    yield from align_columns((each.name, f"{each.rows:,}") for each in filled)
    rows = sum(each.rows for each in filled)
    tables = count_noun(len(filled), "table", "tables")
    yield f"{count_noun(rows, 'row', 'rows')} in {tables} copied, and the same in both databases"
    if not copied.broken:
        yield f"audit log: {count_noun(copied.entries, 'entry', 'entries')} in good order, the newest {copied.end}"
        return
    yield "the audit log is broken in both databases, and the copy keeps it so:"
    yield from map(escape_invisible, copied.broken[:_NAMED])
    if len(copied.broken) > _NAMED:
        yield f"and {len(copied.broken) - _NAMED} more"


def _to_set(settings: Settings, source: Database, copied: _Copied) -> Iterator[str]:
    keys = source.keys.source
    yield "for `dingerp run` on the copy, set"
    yield "  DINGERP_DATABASE_URL to the address that --to names"
    if isinstance(keys, KeyFile):
        yield f"  DINGERP_DATA_KEY to the key in {keys.path}, or DINGERP_DATA_KEY_FILE to a file with it, for every bot"
    else:
        yield "  DINGERP_DATA_KEY to the same key as here, for every bot"
    if copied.end.seq:
        yield f"keep {settings.data_dir / WITNESS_FILE} in DINGERP_DATA_DIR: it proves the end of the audit log"
    yield "start no bot on the old database again: it would do everything a second time"
