"""Column types whose values are sealed in the database.

Statements of SQLAlchemy seal and open by themselves; what goes past it (`bot.store.statements.execute_many`, the JSON
of the inbox and of events) asks the type.
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
    """Gives the keys of one database."""

    @property
    def ring(self) -> KeyRing:
        """The data keys; raises `bot.words.sealing.WrongDataKey`."""
        ...

    def unlock(self, connection: Connection) -> KeyRing:
        """Read the keys, and make the first ones if there are none."""
        ...

    def open(self, sealed: str, place: str) -> str:
        """Return what was sealed, also by a key that came after `ring` was read."""
        ...


_KEYS: ContextVar[RingHolder] = ContextVar("keys of the database in use")
"""Columns are shared by all databases of a process, and so are compiled statements: neither can hold keys."""


@contextmanager
def sealed_by(keys: RingHolder) -> Iterator[None]:
    """Seal and open columns by these keys within the block."""
    token = _KEYS.set(keys)
    try:
        yield
    finally:
        _KEYS.reset(token)


def keys_in_use() -> RingHolder:
    """Return the keys of the database in use."""
    return _KEYS.get()


class Sealed(TypeDecorator[str]):
    """Text that cannot be searched for. ``place`` names the column: a value that is moved elsewhere does not open."""

    impl = Text
    cache_ok = True

    def __init__(self, place: str, stored: TypeEngine[str] | None = None, *, short_lived: bool = False) -> None:
        """``stored`` is the type of the column in the database; ``short_lived`` values are not worth compressing."""
        super().__init__()
        self.place = place
        self.short_lived = short_lived
        self._stored = stored or Text()

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type of the column in the database."""
        return self._stored

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the value as it is stored."""
        return None if value is None else self.seal(value, keys_in_use().ring)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the value that was stored."""
        return None if value is None else self.open(value, keys_in_use())

    def seal(self, text: str, ring: KeyRing) -> str:
        """Return ``text`` as it is stored."""
        return ring.seal(text, self.place, compressed=not self.short_lived)

    def open(self, stored: str, keys: RingHolder) -> str:
        """Return the text that was stored."""
        return keys.open(stored, self.place)


class SealedKey(Sealed):
    """Text that is searched for as a whole: equal texts are equal in the database, too."""

    cache_ok = True

    def seal(self, text: str, ring: KeyRing) -> str:
        """Return ``text`` as it is stored."""
        return ring.seal_same(text, self.place)

    def open(self, stored: str, keys: RingHolder) -> str:
        """Return the text that was stored."""
        return keys.ring.open_same(stored, self.place)


class SealedKeyStart(SealedKey):
    """What such a text begins with in the database, where only that is indexed: for conditions, not for columns."""

    cache_ok = True

    def __init__(self, place: str, length: int) -> None:
        super().__init__(place)
        self.length = length

    def seal(self, text: str, ring: KeyRing) -> str:
        """Return the start of ``text`` as it is stored."""
        return super().seal(text, ring)[: self.length]


def seal(column: Column[Any], text: str, ring: KeyRing) -> str:
    """Return ``text`` as it is stored in a sealed column, for what goes past SQLAlchemy."""
    assert isinstance(column.type, Sealed)
    return column.type.seal(text, ring)
