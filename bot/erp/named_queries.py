"""What an administrator asks of a database by a query of their own: the query, its values, and the port to ask it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, TypeAlias

QueryValue: TypeAlias = str | Decimal | date
"""What a query is asked with. The driver passes it; it is never part of the query's text."""


class ValueKind(StrEnum):
    """What a column of a query holds."""

    TEXT = "text"
    NUMBER = "number"
    """Digits exactly as they are, as `Decimal`."""
    DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedQuery:
    """A query that only reads: its text, what is read of its rows, and its limits.

    ``columns`` may hold more names than are shown, such as those that tell whose a row is. ``seconds`` is the time for
    all of it.
    """

    sql: str
    columns: Mapping[str, ValueKind]
    seconds: float


@dataclass(frozen=True, slots=True)
class FoundRows:
    """Rows by the names of their columns, None where the database has nothing; ``more``: there are others."""

    rows: tuple[Mapping[str, QueryValue | None], ...]
    more: bool


class QueryDatabase(Protocol):
    """A database that answers queries without being able to write."""

    def check(self, query: NamedQuery, functions: frozenset[str]) -> frozenset[str]:
        """Return the parameters of a query; raises `ValueError` unless it certainly only reads.

        ``functions`` are the database's own ones that it may call besides the usual ones.
        """
        ...

    async def ask(self, query: NamedQuery, values: Mapping[str, QueryValue], *, most: int) -> FoundRows:
        """Return the first ``most`` rows; raises the classes of `bot.erp.errors`."""
        ...

    async def close(self) -> None:
        """Give the connections back."""
        ...
