"""AI tables (AI 表格): bases with their sheets, whose records people and apps edit.

Docs: platform/dingtalk/ai-tables.md
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_TEXT = "text"


class SimTableError(Exception):
    """Carries DingTalk's error code and HTTP status."""

    def __init__(self, code: str, status: int = 400) -> None:
        super().__init__(code)
        self.code, self.status = code, status


@dataclass(slots=True, kw_only=True)
class SimTable:
    """One sheet of a base. ``editors`` and ``readers`` are unionIds; ``records`` hold cells by the names of columns."""

    base: str
    name: str
    editors: set[str]
    readers: set[str] = field(default_factory=set)
    fields: dict[str, str] = field(default_factory=lambda: {"标题": _TEXT})
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    inserted: dict[str, list[str]] = field(default_factory=dict)
    """The records of each `clientToken`."""

    def render(self) -> dict[str, Any]:
        """Return the sheet as its page shows it."""
        records = [{"id": record, "fields": dict(cells)} for record, cells in self.records.items()]
        return {"base": self.base, "sheet": self.name, "columns": [*self.fields], "records": records}


class SimTables:
    """All AI tables of the organisation. ``changed`` is called after each change."""

    def __init__(self, rng: random.Random, changed: Callable[[], None]) -> None:
        self._rng = rng
        self._changed = changed
        self._tables: dict[tuple[str, str], SimTable] = {}

    def __iter__(self) -> Iterator[SimTable]:
        return iter(self._tables.values())

    def add(self, base: str, name: str, *, editors: Sequence[str], readers: Sequence[str] = ()) -> SimTable:
        """Add a sheet, with an empty record as the client makes it."""
        table = SimTable(base=base, name=name, editors={*editors}, readers={*readers})
        self._tables[base, name] = table
        table.records[self._id()] = {}
        self._changed()
        return table

    def find(self, base: str, name: str) -> SimTable:
        """Return a sheet or raise `SimTableError`."""
        if not any(table.base == base for table in self):
            raise SimTableError("invalidRequest.document.notFound", 404)
        if (base, name) not in self._tables:
            raise SimTableError("invalidRequest.resource.notFound", 404)
        return self._tables[base, name]

    def add_field(self, table: SimTable, name: str, kind: str) -> str:
        """Add a column."""
        if name in table.fields:
            raise SimTableError("invalidRequest.inputArgs.invalid")
        table.fields[name] = kind
        self._changed()
        return name

    def insert(self, table: SimTable, rows: Sequence[Mapping[str, Any]], token: str = "") -> list[str]:
        """Add records; the same token again adds none."""
        if token and token in table.inserted:
            return table.inserted[token]
        for row in rows:
            _check(table, row)
        made = [self._id() for _ in rows]
        table.records |= {record: dict(row) for record, row in zip(made, rows, strict=True)}
        if token:
            table.inserted[token] = made
        self._changed()
        return made

    def update(self, table: SimTable, changes: Mapping[str, Mapping[str, Any]]) -> None:
        """Change cells: all of them or, if one is wrong, none."""
        for record, cells in changes.items():
            if record not in table.records:
                raise SimTableError("invalidRequest.resource.notFound", 404)
            _check(table, cells)
        for record, cells in changes.items():
            table.records[record].update(cells)
        self._changed()

    def delete(self, table: SimTable, records: Sequence[str]) -> None:
        """Delete records."""
        if not {*records} <= {*table.records}:
            raise SimTableError("invalidRequest.resource.notFound", 404)
        for record in records:
            table.records.pop(record, None)
        self._changed()

    def clear(self) -> None:
        """Remove all."""
        self._tables.clear()
        self._changed()

    def _id(self) -> str:
        return f"rec{self._rng.getrandbits(40):010x}"


def _check(table: SimTable, cells: Mapping[str, Any]) -> None:
    """Refuse cells without a column, and what is no text in one of text."""
    for name, value in cells.items():
        if name not in table.fields:
            raise SimTableError("invalidRequest.resource.notFound", 404)
        if table.fields[name] == _TEXT and not isinstance(value, str):
            raise SimTableError("invalidRequest.inputArgs.invalid")
