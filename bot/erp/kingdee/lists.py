"""Lists of documents, with as little read as their order and total allow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Generic

from bot.erp.errors import Invalid
from bot.erp.kingdee import wording
from bot.erp.kingdee.client import Client, Form, Row
from bot.erp.kingdee.values import Values, code, text
from bot.erp.listing import D, Listing
from bot.erp.model import Slice
from bot.erp.port import Filter, ListQuery


def bill_number(row: Row) -> str:
    """Return the number of the bill that a line belongs to."""
    return code(row["FBillNo"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Generic[D]):
    """How one kind of document is listed."""

    form: Form
    listing: Listing[D]
    read: Callable[[Sequence[str]], Awaitable[Sequence[D]]]
    """Reads documents by their keys, in any order."""
    texts: tuple[str, ...]
    """What is searched, besides the number."""
    day: str = "FDate"
    """The day by which the list is ordered."""
    dated: str = "FDate"
    """The day that every document has, by which old ones are left out."""
    key: str = "FID"
    also: tuple[str, ...] = ()
    number: Callable[[Row], str] = bill_number
    narrow: Mapping[Filter, str] = field(default_factory=dict)
    """Conditions that leave all that a filter wants, and perhaps more."""


class Lister:
    """Answers `ListQuery`; raises what `Client.query` raises."""

    def __init__(self, client: Client, values: Values, *, days: int) -> None:
        self._client = client
        self._values = values
        self._days = days

    async def pick(self, listed: Listed[D], query: ListQuery, today: date) -> Slice[D]:
        """Return part of a list.

        What a filter leaves is read whole and picked from. A list of everything is not: first its numbers and days,
        which give order and total, then the documents of the part that is asked for.
        """
        if query.filter is not Filter.ALL:
            return await self._picked(listed, query, today)
        rows = await self._keys(listed, query, today)
        keys = [code(row[listed.key]) for row in rows[query.offset : query.offset + query.limit]]
        documents = await listed.read(keys) if keys else ()
        places = {number: place for place, number in enumerate(map(listed.number, rows))}
        # A document may have gone, or changed its number, between the two questions.
        found = [document for document in documents if document.number in places]
        return Slice(items=tuple(sorted(found, key=lambda each: places[each.number])), total=len(rows))

    async def _picked(self, listed: Listed[D], query: ListQuery, today: date) -> Slice[D]:
        where = listed.narrow.get(query.filter)
        if where is None:
            return listed.listing.pick((), query, today)
        rows = await self._client.query(listed.form, where, keys=(listed.key,), order=listed.key)
        keys = list(dict.fromkeys(code(row[listed.key]) for row in rows))
        return listed.listing.pick(await listed.read(keys) if keys else (), query, today)

    async def _keys(self, listed: Listed[Any], query: ListQuery, today: date) -> list[Row]:
        """Return a line per document that a query for everything matches, in the port's order."""
        since = f"{listed.dated}>={wording.day_text(today - timedelta(days=self._days))}"
        matching = wording.contains(("FBillNo", *listed.texts), query.text) if query.text else ""
        keys = dict.fromkeys(("FID", listed.key, "FBillNo", *listed.also, listed.day, *listed.texts))
        rows = await self._client.query(
            listed.form, wording.all_of(since, matching), keys=list(keys), order=",".join({"FID": 0, listed.key: 0})
        )
        wanted = query.text.casefold()
        found = []
        for row in rows:
            parts = (listed.number(row), *(text(row[key]) for key in listed.texts))
            if any(wanted in part.casefold() for part in parts):
                found.append((self._day(row[listed.day]), listed.number(row), row))
        found.sort(key=lambda hit: hit[1])
        found.sort(key=lambda hit: hit[0], reverse=True)
        return [row for _, _, row in found]

    def _day(self, value: Any) -> date:
        try:
            return self._values.day(value) or date.min
        except ValueError as error:
            raise Invalid(f"a day that is none in an answer: {error}", source=self._client.source) from error
