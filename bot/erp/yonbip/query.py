"""Lists of documents: what is read of each kind, and how the part that is asked for is found in it.

The platform filters by exact values of its own fields only, so that headers are read, searched and ordered here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any, Generic

from bot.erp.listing import D, Listing
from bot.erp.port import Filter, ListQuery
from bot.erp.yonbip.client import YonBipClient, condition, either
from bot.erp.yonbip.documents import (
    APPROVED,
    APPROVING,
    OWED_GOODS,
    PRODUCTION_UNFINISHED,
    received_whole,
    settled,
)
from bot.erp.yonbip.mapping import Row, ValueReader, code, text

SALES = "yonbip/sd/voucherorder"
PURCHASES = "yonbip/scm/purchaseorder"
RECEIVABLES = "yonbip/EFI/receivable"
PRODUCTION = "yonbip/mfg/productionorder"
BY_ID: Row = {"queryOrders": [{"field": "id", "order": "asc"}]}
"""An order that does not change while pages are read."""
_LONG_AGO = date(1990, 1, 1)


class HeaderReader:
    """Reads the headers that a list may hold: those of the last days, or those that a filter is about."""

    def __init__(self, client: YonBipClient, values: ValueReader, *, days: int) -> None:
        self._client = client
        self._days = days
        self._values = values

    async def orders(self, wanted: Filter, today: date) -> list[Row]:
        """Return headers of sales orders; those that owe goods by today, for `Filter.LATE`."""
        asked: Row = {**BY_ID, "isSum": True}
        if wanted is Filter.ALL:
            return await self._client.rows(f"{SALES}/list", {**asked, "open_vouchdate_begin": self._begin(today)})
        rows: list[Row] = []
        for state in OWED_GOODS:
            late = {"nextStatusName": state, "open_hopeReceiveDate_end": _end(today - timedelta(days=1))}
            rows += await self._client.rows(f"{SALES}/list", {**asked, **late})
        return rows

    async def purchases(self, wanted: Filter, today: date) -> list[Row]:
        """Return headers of purchase orders; for `Filter.LATE`, of those that still await goods."""
        path, asked = f"{PURCHASES}/list", {**BY_ID, "isSum": True}
        match wanted:
            case Filter.LATE:
                since = condition("vouchdate", "egt", self._begin(today))
                approved = {**BY_ID, "isSum": False, "simpleVOs": [condition("status", "eq", APPROVED), since]}
                # What arrived is told line by line.
                return [row for row in await self._client.rows(path, approved) if not received_whole(row)]
            case Filter.PENDING:
                waiting = [condition("status", "eq", APPROVING), condition("verifystate", "eq", "1")]
                return await self._client.rows(path, {**asked, "simpleVOs": [{"logicOp": "or", "conditions": waiting}]})
            case _:
                since = condition("vouchdate", "egt", self._begin(today))
                return await self._client.rows(path, {**asked, "simpleVOs": [since]})

    async def receivables(self, wanted: Filter, today: date) -> list[Row]:
        """Return rows of receivables, of which some lines may repeat the header; open ones for `Filter.OVERDUE`."""
        asked = {"open_billDate_begin": self._begin(today), "isSum": False}
        if wanted is Filter.OVERDUE:
            rows = await self._client.rows(f"{RECEIVABLES}/list", {**asked, "verifyState": ["2"]})
            return [row for row in rows if not settled(row)]
        return await self._client.rows(f"{RECEIVABLES}/list", asked)

    async def productions(self, wanted: Filter, today: date) -> list[Row]:
        """Return lines of production orders; unfinished ones whose day has gone, for `Filter.LATE`."""
        path = f"{PRODUCTION}/list"
        if wanted is Filter.LATE:
            gone = {"OrderProduct!finishDate": _range(_LONG_AGO, today - timedelta(days=1))}
            return await self._client.rows(path, {**gone, "simpleVOs": either("status", PRODUCTION_UNFINISHED)})
        since = _range(today - timedelta(days=self._days), today + timedelta(days=self._days))
        return await self._client.rows(path, {"vouchdate": since})

    def _begin(self, today: date) -> str:
        return f"{today - timedelta(days=self._days)} 00:00:00"


def _end(day: date) -> str:
    return f"{day} 23:59:59"


def _range(start: date, end: date) -> str:
    """Return a range as production orders want it: from, a bar, to."""
    return f"{start}|{_end(end)}"


class HeaderIndex(Generic[D]):
    """Headers in the order of a list of everything, as far as a text matches them."""

    def __init__(self, listing: Listing[D], values: ValueReader, *, day: str, partner: str) -> None:
        self.listing: Listing[D] = listing
        self._values = values
        self._day = day
        self._partner = partner

    def ids(self, rows: Iterable[Row], query: ListQuery) -> list[str]:
        """Return the ids of documents that match, newest first, equal days by number."""
        wanted = query.text.casefold()
        found = {
            code(row["id"]): (self._values.day(row.get(self._day)) or date.min, code(row["code"]))
            for row in rows
            if wanted in code(row["code"]).casefold() or wanted in text(row.get(self._partner)).casefold()
        }
        ordered = sorted(found, key=lambda each: found[each][1])
        return sorted(ordered, key=lambda each: found[each][0], reverse=True)


def distinct(rows: Iterable[Row], key: Callable[[Row], Any]) -> list[Row]:
    """Return rows without repeats: a record may move to a later page while pages are read."""
    return list({key(row): row for row in rows}.values())
