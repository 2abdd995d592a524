"""One table of the document while it is read: which keys were taken, which are left, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from bot.rulefiles.meant import did_you_mean
from bot.rulefiles.positions import Path, Positions
from bot.rulefiles.wrong import Wrong

T = TypeVar("T")
D = TypeVar("D")


class Errors:
    """Everything that is wrong with one document."""

    def __init__(self, positions: Positions) -> None:
        self._positions = positions
        self._found: set[Wrong] = set()
        self._warnings: set[Wrong] = set()

    def add(self, path: Path, reason: str) -> None:
        """Keep an error of what stands at ``path``."""
        self._found.add(Wrong(self._positions.line(*path), reason))

    def warn(self, path: Path, reason: str) -> None:
        """Keep what can be obeyed and is hardly meant, of what stands at ``path``."""
        self._warnings.add(Wrong(self._positions.line(*path), reason))

    @property
    def warnings(self) -> tuple[Wrong, ...]:
        """Return the warnings by their lines."""
        return tuple(sorted(self._warnings))

    @property
    def found(self) -> tuple[Wrong, ...]:
        """Return the errors by their lines."""
        return tuple(sorted(self._found))


class Table:
    """The keys of one table; each is taken once by a reader that raises `ValueError` with the reason."""

    def __init__(self, values: Mapping[str, object], path: Path, errors: Errors) -> None:
        self.path = path
        self.errors = errors
        self._values = values
        self._known: list[str] = []
        self.flawed = False
        """Whether a key of this table was wrong: what else seems wrong with it may only follow from that."""

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def take(self, key: str, read: Callable[[object], T], default: D) -> T | D:
        """Return what ``read`` makes of the key's value; ``default`` if it is absent or wrong."""
        self._known.append(key)
        if key not in self._values:
            return default
        try:
            return read(self._values[key])
        except ValueError as error:
            self.wrong(key, f"{_shown(key)}: {error}")
            return default

    def need(self, key: str, read: Callable[[object], T], default: D, example: str) -> T | D:
        """Return what `take` returns; that the key is absent is an error too."""
        if key not in self:
            self.miss(f"{key} is missing, an example is {example}")
        return self.take(key, read, default)

    def table(self, key: str) -> Table:
        """Return the table under ``key``, an empty one if it is absent."""
        self._known.append(key)
        value = self._values.get(key, {})
        if not isinstance(value, dict):
            self.wrong(key, f"{_shown(key)}: is written as a table, [{'.'.join([*self._names, _shown(key)])}]")
            value = {}
        return Table(value, (*self.path, key), self.errors)

    def tables(self, key: str) -> list[Table]:
        """Return the tables under ``key``, which are written ``[[key]]``."""
        self._known.append(key)
        value = self._values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.wrong(key, f"{key}: is written as tables, [[{'.'.join([*self._names, key])}]]")
            return []
        return [Table(one, (*self.path, key, number), self.errors) for number, one in enumerate(value)]

    def called(self, kind: str) -> str:
        """Return how one of several tables is called that has no name of its own: its kind and its number from 1."""
        return f"{kind} {int(self.path[-1]) + 1}"

    @property
    def _names(self) -> list[str]:
        return [part for part in self.path if isinstance(part, str)]

    def wrong(self, key: str, reason: str) -> None:
        """Keep an error of a key."""
        self.flawed = True
        self.errors.add((*self.path, key), reason)

    def miss(self, reason: str) -> None:
        """Keep an error of the table itself."""
        self.flawed = True
        self.errors.add(self.path, reason)

    def warn(self, key: str, reason: str) -> None:
        """Keep a warning about a key."""
        self.errors.warn((*self.path, key), reason)

    def finish(self) -> None:
        """Say which keys nobody knows."""
        for key in self._values:
            if key not in self._known:
                self.wrong(key, f"unknown key {key!r:.60}; {did_you_mean(key, self._known)}")


def _shown(key: str) -> str:
    """Return a key as it is written, or what fits on a line of it."""
    return key if key.isprintable() and len(key) <= 60 else f"{key!r:.60}"
