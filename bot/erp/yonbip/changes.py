"""What changed since a cursor, by ``pubts``: the time of a record's last change, in whole seconds.

Docs: platform/erp/yonbip.md#changes
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bot.erp.cursor import TimeCursor
from bot.erp.errors import Invalid, Unsupported
from bot.erp.model import Area, Change, Changes
from bot.erp.yonbip.client import YonBipClient, condition
from bot.erp.yonbip.documents import production_number
from bot.erp.yonbip.mapping import Row, ValueReader, code
from bot.erp.yonbip.query import PRODUCTION, PURCHASES, RECEIVABLES, SALES

_LATE = timedelta(minutes=3)
"""How much later than its own time a change may appear: as long as a transaction of the ERP may take."""
_REPEATED_HOUR = timedelta(hours=1)
"""Where clocks are put back, an hour's times come twice."""
_UNORDERED = (Area.FINANCE, Area.PRODUCTION)
_FIRST, _LAST = datetime(1990, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
_IN_TIME = {"queryOrders": [{"field": "pubts", "order": "asc"}, {"field": "id", "order": "asc"}]}


class ChangeReader:
    """Follows the areas whose lists tell ``pubts``; keeps nothing between calls."""

    def __init__(self, client: YonBipClient, values: ValueReader, *, now: Callable[[], datetime], days: int) -> None:
        self._client = client
        self._values = values
        self._now = now
        self._days = timedelta(days=days)
        self._late = _LATE + _REPEATED_HOUR if values.has_daylight_saving else _LATE

    async def next(self, area: Area, text: str, *, limit: int) -> Changes:
        """Return the next changes of an area; raises `Invalid` for a cursor that is none."""
        if area in (Area.PRODUCTS, Area.STOCK):
            raise Unsupported(f"{area} tell no time of change", source=self._client.source)
        cursor = TimeCursor.parse(text)
        if cursor.at is not None and not _FIRST < cursor.at < _LAST:
            raise Invalid("a cursor of no time in which ERPs work", source=self._client.source)
        since = cursor.since(self._late) or self._beginning(area)
        start = f"{self._values.local(since):%Y-%m-%d %H:%M:%S}"
        rows = await self._rows(area, start, cursor.fetch_size(limit))
        name = production_number if area is Area.PRODUCTION else _number
        return cursor.next_changes(area, self._changes(area, rows, name), limit=limit, overlap=self._late)

    def _beginning(self, area: Area) -> datetime:
        """Return where an empty cursor starts: lists without an order are read whole, so not from the first day on."""
        return self._now() - self._days if area in _UNORDERED else _FIRST

    async def _rows(self, area: Area, start: str, count: int) -> list[Row]:
        """Return records changed since ``start``: ``count`` in order of time, or all where a list has no order."""
        since = {"simpleVOs": [condition("pubts", "egt", start)]}
        match area:
            case Area.FINANCE:
                asked = {"simple": {"open_pubts_begin": start}, "isSum": True}
                return await self._client.rows(f"{RECEIVABLES}/list", asked)
            case Area.PRODUCTION:
                return await self._client.rows(f"{PRODUCTION}/list", since)
            case _:
                path = SALES if area is Area.SALES else PURCHASES
                return await self._client.rows(f"{path}/list", {**since, **_IN_TIME, "isSum": True}, limit=count)

    def _changes(self, area: Area, rows: list[Row], name: Callable[[Row], str]) -> list[Change]:
        latest: dict[str, datetime] = {}
        for row in rows:
            try:
                at = self._values.time(row.get("pubts"))
            except ValueError as error:
                raise Invalid(f"a time that is none in an answer: {error}", source=self._client.source) from error
            if at is not None:
                latest[name(row)] = max(at.astimezone(UTC), latest.get(name(row), _FIRST))
        changes = (Change(area=area, key=key, changed_at=at) for key, at in latest.items())
        return sorted(changes, key=lambda change: (change.changed_at, change.key))


def _number(row: Row) -> str:
    return code(row.get("code"))
