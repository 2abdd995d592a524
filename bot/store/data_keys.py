"""The keys of one database: its data keys, and the company key that unwraps them, from a file or the settings.

A source may hold several keys, the newest first: while the key is being changed, older ones still open the database.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Row, delete, insert, inspect, select, update
from sqlalchemy.engine import Connection

from bot.mechanisms.private_files import create_private_file, make_private_folder, replace_private_file
from bot.store.row_times import to_ms
from bot.store.statements import insert_into
from bot.store.tables.upkeep import DATA_KEY
from bot.words.sealing import (
    KEY_BYTES,
    LOOKUP_BYTES,
    BrokenSeal,
    CompanyKey,
    KeyRing,
    RandomBytes,
    UnknownDataKey,
    WrongDataKey,
    parse_keys,
)
from bot.words.sealing import KEY_FILE as KEY_FILE

_HEAD = "# Opens what dingerp keeps in its database. Keep a copy elsewhere: without it the database cannot be read.\n"
_LOOKUP = 0
"""The number of the key for searchable values."""


class CompanyKeySource(Protocol):
    """Holds the company's keys."""

    def read(self) -> Sequence[CompanyKey]:
        """Return the keys, the newest first; empty if the first is still to be created. Raises `WrongDataKey`."""
        ...

    def make(self) -> Sequence[CompanyKey]:
        """Create the first key, and return the keys. Raises `WrongDataKey` if keys cannot be created here."""
        ...


@dataclass(frozen=True, slots=True)
class GivenKeys:
    """Keys from the settings, as one text separated by blanks or commas."""

    keys: tuple[CompanyKey, ...]

    @classmethod
    def parse(cls, text: str) -> GivenKeys:
        """Return the keys in ``text``. Raises `WrongDataKey`."""
        return cls(parse_keys(text))

    def read(self) -> Sequence[CompanyKey]:
        return self.keys

    def make(self) -> Sequence[CompanyKey]:
        """Return the existing keys."""
        return self.keys


@dataclass(frozen=True, slots=True)
class KeysOfCopy:
    """The company's keys for a copied database, which receives its data keys with the other rows and creates none."""

    original: CompanyKeySource

    def read(self) -> Sequence[CompanyKey]:
        return self.original.read()

    def make(self) -> Sequence[CompanyKey]:
        """Raise `WrongDataKey`: a data key of its own would open nothing."""
        raise WrongDataKey("a copy has the data keys of its original")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFile:
    """A file with one key per line."""

    path: Path
    ours: bool = False
    """Whether the bot creates and changes it. A configured file comes from elsewhere."""
    random: RandomBytes = os.urandom

    def read(self) -> Sequence[CompanyKey]:
        """Return the keys of the file; empty if it is the bot's own and does not exist."""
        try:
            text = self.path.read_text(encoding="ascii")
        except FileNotFoundError:
            if self.ours:
                return ()
            raise WrongDataKey(f"there is no key file {self.path}") from None
        except (OSError, ValueError) as error:
            raise WrongDataKey(f"the key file {self.path} cannot be read: {type(error).__name__}") from None
        if not any(line.strip() and not line.startswith("#") for line in text.splitlines()):
            raise WrongDataKey(f"the key file {self.path} holds no key")
        return parse_keys(text)

    def make(self) -> Sequence[CompanyKey]:
        """Create the file with a first key, unless it exists."""
        if not self.read():
            with self._writing(), suppress(FileExistsError):  # another process, started at the same time, created it
                create_private_file(self.path, _lines((CompanyKey.generate(self.random),)))
        return self.read()

    def write(self, keys: Sequence[CompanyKey]) -> None:
        """Replace the keys in the file atomically and durably. Raises `WrongDataKey`."""
        with self._writing():
            replace_private_file(self.path, _lines(keys))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            make_private_folder(self.path.parent)
            yield
        except OSError as error:
            raise WrongDataKey(f"the key file {self.path} cannot be written: {error.strerror}") from None


def _lines(keys: Sequence[CompanyKey]) -> str:
    return _HEAD + "".join(f"{key.text}\n" for key in keys)


def own_keys(database: str | None, folder: Path) -> CompanyKeySource:
    """Return the key source for a database without a configured key: a file beside it.

    ``database`` is SQLite's file, None for another database, whose key is in ``folder``. An in-memory database has a
    key that dies with it.
    """
    if database in ("", ":memory:"):
        return GivenKeys((CompanyKey.generate(),))
    return KeyFile(path=(folder if database is None else Path(database).parent) / KEY_FILE, ours=True)


class DatabaseKeys:
    """The keys of one database.

    ``reread`` reads the table on another connection than the running statement's: a value may have been sealed with a
    key that an operator's command created after this process started.
    """

    def __init__(self, source: CompanyKeySource, reread: Callable[[], Sequence[Row[Any]]] | None) -> None:
        self.source = source
        self._reread = reread
        self._ring: KeyRing | None = None
        self._trouble = "the database is sealed and was not opened with its key"

    @property
    def unlocked(self) -> bool:
        """Whether the keys are loaded."""
        return self._ring is not None

    @property
    def ring(self) -> KeyRing:
        """Return the data keys. Raises `WrongDataKey` if the company's key does not open them."""
        if self._ring is None:
            raise WrongDataKey(self._trouble)
        return self._ring

    def open(self, sealed: str, place: str) -> str:
        try:
            return self.ring.open(sealed, place)
        except UnknownDataKey:
            if self._reread is None:
                raise
            self._ring = _unwrap(self._reread(), self.source.read())
            return self._ring.open(sealed, place)

    def unlock(self, connection: Connection) -> KeyRing:
        """Load the keys, and create the first ones if there are none. Raises `WrongDataKey`."""
        if not _rows(connection):
            try:
                _make_first(connection, self.source.make()[0])
            except WrongDataKey as error:
                self._trouble = error.detail
                raise
        self.read(connection)
        return self.ring

    def read(self, connection: Connection) -> None:
        """Load the keys, if there are any yet. Raises `WrongDataKey`."""
        try:
            rows = _rows(connection)
            if rows:
                self._ring = _unwrap(rows, self.source.read())
        except WrongDataKey as error:
            self._trouble = error.detail
            raise

    def read_if_there(self, connection: Connection) -> None:
        """Load the keys of a database that may be too old to have any. Raises `WrongDataKey`."""
        if inspect(connection).has_table(DATA_KEY.name):
            self.read(connection)


def add_data_key(connection: Connection, keys: Sequence[CompanyKey], now: datetime) -> None:
    """Create a data key, and wrap all data keys with the first of the company's ``keys``. Raises `WrongDataKey`."""
    rows = _rows(connection)
    for row in rows:
        secret = _unwrapped(row, keys)
        wrapped = keys[0].wrap(secret, _label(row.number))
        this = update(DATA_KEY).where(DATA_KEY.c.number == row.number)
        connection.execute(this.values(wrapped=wrapped, company_key=keys[0].name))
    newest = max(row.number for row in rows)
    connection.execute(insert(DATA_KEY), _row(newest + 1, os.urandom(KEY_BYTES), keys[0], to_ms(now)))


def newest_since(connection: Connection) -> int:
    """Return since when the newest data key is in use, in milliseconds; 0 for the first."""
    made: int = _rows(connection)[-1].made_ms
    return made


def drop_data_keys(connection: Connection, numbers: frozenset[int]) -> None:
    """Delete data keys that no longer seal anything."""
    connection.execute(delete(DATA_KEY).where(DATA_KEY.c.number.in_(numbers)))


def company_key_of(connection: Connection) -> str:
    """Return the name of the company key that opens the database; empty before the first start."""
    rows = _rows(connection)
    return rows[-1].company_key if rows else ""


def _rows(connection: Connection) -> Sequence[Row[Any]]:
    return connection.execute(select(DATA_KEY).order_by(DATA_KEY.c.number)).all()


def _make_first(connection: Connection, key: CompanyKey) -> None:
    first = insert_into(DATA_KEY, connection.dialect.name).on_conflict_do_nothing()
    rows = [_row(_LOOKUP, os.urandom(LOOKUP_BYTES), key, 0), _row(1, os.urandom(KEY_BYTES), key, 0)]
    connection.execute(first, rows)


def _row(number: int, secret: bytes, key: CompanyKey, made_ms: int) -> dict[str, Any]:
    return {
        "number": number,
        "wrapped": key.wrap(secret, _label(number)),
        "company_key": key.name,
        "made_ms": made_ms,
    }


def _unwrap(rows: Sequence[Row[Any]], keys: Sequence[CompanyKey]) -> KeyRing:
    secrets = {row.number: _unwrapped(row, keys) for row in rows}
    lookup = secrets.pop(_LOOKUP, None)
    if lookup is None or not secrets:
        raise WrongDataKey("the database has lost its data keys; restore a backup")
    return KeyRing(secrets, lookup)


def _unwrapped(row: Row[Any], keys: Sequence[CompanyKey]) -> bytes:
    for key in keys:
        if key.name == row.company_key:
            try:
                return key.unwrap(row.wrapped, _label(row.number))
            except BrokenSeal:
                raise WrongDataKey(f"data key {row.number} of the database was changed; restore a backup") from None
    given = ", ".join(key.name for key in keys) or "none"
    raise WrongDataKey(
        f"the data key does not open this database: it was sealed with key {row.company_key}, and the key given is"
        f" {given}; set DINGERP_DATA_KEY or DINGERP_DATA_KEY_FILE to the key of this database"
    )


def _label(number: int) -> str:
    return f"data_key {number}"
