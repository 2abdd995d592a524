"""Column types whose values are sealed in the database.

SQLAlchemy's statements seal and open automatically; code that bypasses it (`bot.store.statements.execute_many`, the
JSON of the inbox and of events) calls the type.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from sqlalchemy import Column, Text
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from bot.words.sealing import KeyRing


class RingHolder(Protocol):
    """Provides the keys of one database."""

    @property
    def ring(self) -> KeyRing:
        """Return the data keys; raises `bot.words.sealing.WrongDataKey`."""
        ...

    def unlock(self, connection: Connection) -> KeyRing:
        """Load the keys, and create the first ones if there are none."""
        ...

    def open(self, sealed: str, place: str) -> str:
        """Return an opened value, even if its key is newer than the loaded `ring`."""
        ...


_KEYS: ContextVar[RingHolder] = ContextVar("keys of the database in use")
"""Columns are shared by all databases of a process, and so are compiled statements: neither can hold keys."""


@contextmanager
def sealed_by(keys: RingHolder) -> Iterator[None]:
    """Seal and open columns with these keys within the block."""
    token = _KEYS.set(keys)
    try:
        yield
    finally:
        _KEYS.reset(token)


def keys_in_use() -> RingHolder:
    """Return the keys of the database in use."""
    return _KEYS.get()


class Sealed(TypeDecorator[str]):
    """Text that cannot be searched. ``place`` names the column: a value moved elsewhere does not open."""

    impl = Text
    cache_ok = True

    def __init__(self, place: str, stored: TypeEngine[str] | None = None, *, short_lived: bool = False) -> None:
        """``stored`` is the column's type in the database; ``short_lived`` values are not worth compressing."""
        super().__init__()
        self.place = place
        self.short_lived = short_lived
        self._stored = stored or Text()

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the column's type in the database."""
        return self._stored

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the value in its stored form."""
        return None if value is None else self.seal(value, keys_in_use().ring)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the value of a stored form."""
        return None if value is None else self.open(value, keys_in_use())

    def seal(self, text: str, ring: KeyRing) -> str:
        """Return ``text`` in its stored form."""
        return ring.seal(text, self.place, compressed=not self.short_lived)

    def open(self, stored: str, keys: RingHolder) -> str:
        """Return the text of a stored form."""
        return keys.open(stored, self.place)


class SealedKey(Sealed):
    """Text that is searched as a whole: equal texts are equal in the database, too."""

    cache_ok = True

    def seal(self, text: str, ring: KeyRing) -> str:
        """Return ``text`` in its stored form."""
        return ring.seal_same(text, self.place)

    def open(self, stored: str, keys: RingHolder) -> str:
        """Return the text of a stored form."""
        return keys.ring.open_same(stored, self.place)


class SealedKeyStart(SealedKey):
    """The stored beginning of such a text, where only that is indexed: for conditions, not for columns."""

    cache_ok = True

    def __init__(self, place: str, length: int) -> None:
        super().__init__(place)
        self.length = length

    def seal(self, text: str, ring: KeyRing) -> str:
        """Return the beginning of ``text`` in its stored form."""
        return super().seal(text, ring)[: self.length]


def seal(column: Column[Any], text: str, ring: KeyRing) -> str:
    """Return ``text`` as stored in a sealed column, for code that bypasses SQLAlchemy."""
    assert isinstance(column.type, Sealed)
    return column.type.seal(text, ring)
