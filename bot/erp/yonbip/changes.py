"""Changes since a cursor by ``pubts``, the time of a record's last change in whole seconds.

Docs: platform/erp/yonbip.md#changes
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from bot.erp.concurrency import gather_rows
from bot.erp.errors import NotPermitted, Unsupported
from bot.erp.following import TRANSACTION, StreamPage, follow, latest
from bot.erp.model import Area, Changes, Feed, Followed
from bot.erp.values import code
from bot.erp.yonbip.client import YonBipClient
from bot.erp.yonbip.documents import production_number
from bot.erp.yonbip.mapping import Row
from bot.erp.yonbip.query import (
    ACCOUNTING,
    ISSUES,
    PAYABLES,
    PRODUCTION,
    PURCHASES,
    RECEIVABLES,
    SALES,
    SETTLING,
    condition,
    of_changes,
)

_FIRST = datetime(1990, 1, 1, tzinfo=UTC)
_PATHS: Mapping[Followed, str] = {
    Area.SALES: SALES,
    Area.PURCHASING: PURCHASES,
    Area.FINANCE: RECEIVABLES,
    Area.PRODUCTION: PRODUCTION,
    Feed.BILLS: PAYABLES,
    Feed.DELIVERIES: ISSUES,
}
_UNORDERED = (Area.FINANCE, Area.PRODUCTION, Feed.BILLS, Feed.DELIVERIES)
"""What has lists that cannot be ordered by time, so they are read in full."""
_SETTLED = "bodyItem_grandsonItem_srcGrandson_event_srcBillCode"
_BALANCED = "bodyItem_grandsonItem_pubts"
_IN_TIME = {"queryOrders": [{"field": "pubts", "order": "asc"}, {"field": "id", "order": "asc"}]}


class ChangeReader:
    """Reads the changes of areas whose lists have ``pubts``; keeps no state between calls."""

    def __init__(self, client: YonBipClient) -> None:
        self._client = client
        self._days = timedelta(days=client.options.list_days)

    async def next(self, area: Followed, cursor: str, *, limit: int) -> Changes:
        """Return the next changes of an area; raises `Invalid` for a malformed cursor."""
        if area not in _PATHS:
            raise Unsupported(f"{area} tell no time of change", source=self._client.source)
        overlap = self._client.values.overlap(TRANSACTION)
        return await follow(area, cursor, limit=limit, overlap=overlap, read=partial(self._stream, area))

    async def _stream(self, area: Followed, since: datetime | None, count: int) -> list[StreamPage]:
        # A list that is read in full must not start at the first day.
        first = self._client.now() - self._days if area in _UNORDERED else _FIRST
        start = f"{self._client.values.local(since or first):%Y-%m-%d %H:%M:%S}"
        body: Row = {"simpleVOs": [condition("pubts", "egt", start)]}
        limit: int | None = None
        match area:
            case Area.FINANCE | Feed.BILLS:
                body = of_changes(_PATHS[area], start)
            case Feed.DELIVERIES:
                body = {**body, "isSum": True}
            case Area.SALES | Area.PURCHASING:
                body, limit = {**body, **_IN_TIME, "isSum": True}, count
        settled = StreamPage({})
        if since is not None and _PATHS[area] in SETTLING:
            settled = await self._settled(_PATHS[area], start)
        rows = await self._client.rows(f"{_PATHS[area]}/list", body, limit=limit)
        times = [
            (
                production_number(row) if area is Area.PRODUCTION else code(row.get("code")),
                self._client.values.time(row.get("pubts")),
            )
            for row in rows
        ]
        return [settled, StreamPage(latest(times), times[-1][1] if len(rows) == limit else None)]

    async def _settled(self, path: str, start: str) -> StreamPage:
        """Return when the balances of bills changed: to settle a bill leaves its own time as it is."""
        asked: Row = {"simple": {"open_pubts_begin": start}, "isSum": False}
        try:
            rows = await self._client.rows(f"{SETTLING[path]}/list", asked)
            bills = dict.fromkeys(code(row.get(_SETTLED)) for row in rows)
            # A receipt or payment is settled too, and is not found in the accounting of bills.
            asked_bills = ({"bizBillCode": bill} for bill in bills if bill)
            found = await gather_rows(*(self._client.rows(f"{ACCOUNTING[path]}/list", each) for each in asked_bills))
        except NotPermitted:
            return StreamPage({})
        times = ((code(row.get("bizBillCode")), self._client.values.time(row.get(_BALANCED))) for row in found)
        return StreamPage(latest(times))
