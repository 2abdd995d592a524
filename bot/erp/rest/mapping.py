"""Reads whole lists of an API, and makes records of what it answers, with the meaning of ids looked up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bot.erp.errors import Invalid
from bot.erp.expiring import ExpiringMapping
from bot.erp.mapped import values
from bot.erp.mapped.reader import MappingContext, RecordMapping, RecordReader
from bot.erp.rest.client import RestClient
from bot.erp.rest.options import RestOptions
from bot.erp.rest.query import as_list, fill, look
from bot.erp.rest.requests import ListRead, RowsRead

_LOOKUPS_HOLD = timedelta(minutes=10)

RECORD = "^"
"""The key under which a row that is inside a record has this record."""


class RestRecords:
    """The lists of one source, and its layouts by the places of its configuration."""

    def __init__(
        self,
        api: RestClient,
        options: RestOptions,
        mapped: Mapping[str, RecordMapping[Any]],
        context: MappingContext,
        now: Callable[[], datetime],
    ) -> None:
        self.mapped = mapped
        self.reader = RecordReader(context, look, meaning=self._meaning)
        self._api = api
        self._options = options
        self._lookups = {
            name: ExpiringMapping(partial(self._read_lookup, name), now=now, holds=_LOOKUPS_HOLD)
            for name in options.lookups
        }
        self._meanings: dict[str, Mapping[str, Any]] = {}

    async def all(self, read: ListRead, place: str, **given: Any) -> list[Any]:
        """Return all records of a list; raises `Invalid` where they are too many."""
        most = self._options.most_rows
        asked = {"text": "", "today": self.reader.context.today().isoformat(), **given}
        part = await self._api.part(read, asked, want=most + 1)
        if len(part.items) > most or (part.total or 0) > most:
            source = self.reader.context.source
            raise Invalid(f"{place} has more than {most} records: let the API choose, or page itself", source=source)
        return part.items

    async def rows(self, part: RowsRead[Any, Any], place: str, **given: Any) -> list[Any]:
        """Return the rows of a list that count: its records, or what is inside of them."""
        records = await self.all(part.list, f"{place}.list", **given)
        only = {path: {values.key(fill(text, given)) for text in texts} for path, texts in part.only.items()}
        return [row for row in _rows(records, part.inside) if _counts(row, only)]

    async def many(self, place: str, rows: Sequence[Any]) -> list[Any]:
        """Return the readable records of rows."""
        await self.learn(place, rows)
        return self.reader.many(self.mapped[place], rows)

    async def learn(self, place: str, rows: Iterable[Any], lines: Iterable[Any] = ()) -> None:
        """Read the lists in which fields of rows are looked up, unless they were read a moment ago and have them."""
        mapped = self.mapped[place]
        wanted = [*_looked_up(mapped, rows), *(_looked_up(mapped.lines, lines) if mapped.lines else ())]
        keys: dict[str, set[str]] = {}
        for name, found in wanted:
            keys.setdefault(name, set()).update(found)
        for name in sorted(keys):
            self._meanings[name] = await self._lookups[name].of(keys[name])

    async def _read_lookup(self, name: str) -> Mapping[str, Any]:
        """Return what the ids of a list mean."""
        calls = self._options.lookups[name]
        rows = await self.all(calls.list, f"lookups.{name}.list")
        return {str(look(row, calls.key)): look(row, calls.value) for row in rows}

    def _meaning(self, name: str, value: Any) -> Any:
        """Return what an id means; the id itself where its list does not have it."""
        return self._meanings.get(name, {}).get(str(value), value)


def _looked_up(mapped: RecordMapping[Any], rows: Iterable[Any]) -> Iterator[tuple[str, set[str]]]:
    """Yield the lists in which fields are looked up, each with the ids that rows have."""
    records = list(rows)
    for origin in mapped.fields.values():
        if origin.lookup:
            found = (look(row, origin.from_) for row in records)
            yield origin.lookup, {str(key) for key in found if isinstance(key, int | str) and key != ""}


def _rows(records: Iterable[Any], inside: str) -> Iterator[Any]:
    if not inside:
        yield from records
        return
    for record in records:
        items = as_list(look(record, inside))
        for item in items if isinstance(items, list) else ():
            yield {**item, RECORD: record}


def _counts(row: Any, only: Mapping[str, set[str]]) -> bool:
    return all(values.key(look(row, path)) in wanted for path, wanted in only.items())
