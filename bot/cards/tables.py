"""Tables: what a view has to say in rows and columns, for files that people take along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Self

from bot.words.columns import Column
from bot.words.phrase import Phrase


def _numbered(row: Any) -> str:
    return "\0".join((row.source, *getattr(row, "books", ()), row.number))


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows below headings. The values are those of the view, so that what was cut from it is hidden here as well.

    ``keys`` tell equal rows of several pages apart from others; ``total`` counts all rows that there are. ``more``:
    there are others that nobody counted. ``facts`` are said of the whole, each with its name.
    """

    headings: tuple[Phrase, ...]
    rows: tuple[tuple[object, ...], ...]
    keys: tuple[str, ...]
    total: int
    as_of: datetime | None = None
    more: bool = False
    facts: tuple[tuple[Phrase, object], ...] = ()

    @classmethod
    def of_rows(
        cls,
        columns: Sequence[Column],
        rows: Sequence[Any],
        *,
        total: int,
        today: date | None = None,
        as_of: datetime | None = None,
        more: bool = False,
        key_of: Callable[[Any], str] = _numbered,
    ) -> Self:
        """Return a table of records; ``key_of`` tells them apart, where they have no number.

        ``today`` is needed for columns that count days.
        """
        return cls(
            headings=tuple(column.heading for column in columns),
            rows=tuple(tuple(column.of(row, today) for column in columns) for row in rows),
            keys=tuple(map(key_of, rows)),
            total=total,
            as_of=as_of,
            more=more,
        )

    @classmethod
    def of_values(
        cls, headings: tuple[Phrase, ...], rows: Sequence[tuple[object, ...]], as_of: datetime | None
    ) -> Self:
        """Return a table of values, whose rows only their place tells apart."""
        keys = tuple(map(str, range(len(rows))))
        return cls(headings=headings, rows=tuple(rows), keys=keys, total=len(rows), as_of=as_of)

    def continued(self, page: Table) -> Self:
        """Return this table with the rows of the next page that it does not have yet."""
        known = set(self.keys)
        new = [(key, row) for key, row in zip(page.keys, page.rows, strict=True) if key not in known]
        return replace(
            self,
            rows=(*self.rows, *(row for _, row in new)),
            keys=(*self.keys, *(key for key, _ in new)),
            total=page.total,
        )

    def first(self, count: int) -> Self:
        """Return a table with the first ``count`` rows."""
        return replace(self, rows=self.rows[:count], keys=self.keys[:count])
