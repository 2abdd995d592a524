"""What changed since a cursor: ``UpdateDate`` and ``UpdateTime``, of which conditions know the day.

Each area is followed in streams, one for each of its entities in order of time. Up to the last time that all streams
reach, everything is known. A stream is read in one answer: over several pages, a record that changes meanwhile would
move to the end and push another one out of sight.

Docs: platform/erp/sap-b1.md#changes
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.erp.concurrency import gather_or_cancel
from bot.erp.cursor import TimeCursor
from bot.erp.errors import Invalid, NotPermitted, Unsupported
from bot.erp.model import Area, Change, Changes
from bot.erp.sap_b1 import query
from bot.erp.sap_b1.client import SapB1Client
from bot.erp.sap_b1.decisions import PurchaseApprovals
from bot.erp.sap_b1.mapping import Row, ValueReader
from bot.erp.sap_b1.query import (
    CREDIT_NOTES,
    INVOICE_DRAFTS,
    INVOICES,
    ORDER_DRAFTS,
    ORDERS,
    PURCHASE_DRAFTS,
    PURCHASES,
    DocumentEntity,
)
from bot.erp.sap_b1.stock import ITEMS

_LATE = timedelta(minutes=3)
"""How much later than its own time a change may appear: as long as a transaction of the ERP may take."""
_REPEATED_HOUR = timedelta(hours=1)
"""Where clocks are put back, an hour's times come twice."""
_AT_LEAST = 200
_WIDEN = 4
_FIRST, _LAST = datetime(1900, 1, 2, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
_PRODUCTS = DocumentEntity(name=ITEMS, key="ItemCode", count="ItemCode", day="UpdateDate", texts=(), select=())
_ENTITIES: Mapping[Area, tuple[DocumentEntity, ...]] = {
    Area.PRODUCTS: (_PRODUCTS,),
    Area.SALES: (ORDERS, ORDER_DRAFTS),
    Area.FINANCE: (INVOICES, CREDIT_NOTES, INVOICE_DRAFTS),
    Area.PURCHASING: (PURCHASES, PURCHASE_DRAFTS),
}


@dataclass(frozen=True, slots=True)
class _StreamPage:
    """What a stream gave: times by number, and up to which time it is complete (None: its end)."""

    seen: Mapping[str, datetime]
    until: datetime | None


class ChangeReader:
    """Follows the areas whose records tell when they changed; keeps nothing between calls."""

    def __init__(
        self,
        client: SapB1Client,
        approvals: PurchaseApprovals,
        values: ValueReader,
        *,
        now: Callable[[], datetime],
        days: int,
    ) -> None:
        self._client = client
        self._approvals = approvals
        self._values = values
        self._now = now
        self._days = timedelta(days=days)
        self._late = _LATE + (_REPEATED_HOUR if values.has_daylight_saving else timedelta(0))

    async def next(self, area: Area, text: str, *, limit: int) -> Changes:
        """Return the next changes of an area; raises `Invalid` for a cursor that is none."""
        if area not in _ENTITIES:
            raise Unsupported(f"{area} tell no time of change", source=self._client.source)
        cursor = TimeCursor.parse(text)
        if cursor.at is not None and not _FIRST < cursor.at < _LAST:
            raise Invalid("a cursor of no time in which ERPs work", source=self._client.source)
        since = cursor.since(self._late)
        count = max(cursor.fetch_size(limit), _AT_LEAST)
        decided = await self._decided(since) if area is Area.PURCHASING else {}
        while True:
            parts = await gather_or_cancel(*(self._stream(entity, since, count) for entity in _ENTITIES[area]))
            until = min((part.until for part in parts if part.until is not None), default=None)
            rows = _changes(area, _latest(*(part.seen for part in parts), decided), since, until)
            found = cursor.next_changes(area, rows, limit=limit, overlap=self._late, more=until is not None)
            if found.items or until is None:
                return found
            # All that came is known already or older than the cursor's hour of the day: look further.
            count *= _WIDEN

    async def _stream(self, entity: DocumentEntity, since: datetime | None, count: int) -> _StreamPage:
        # Records that were never changed may have no such time, and would come first.
        rows = await self._client.rows(
            entity.name,
            select=tuple(dict.fromkeys((entity.key, entity.count, "UpdateDate", "UpdateTime"))),
            where=query.all_of(entity.where, entity.living, f"UpdateDate ge {self._day(since or _FIRST)}"),
            order=f"UpdateDate,UpdateTime,{entity.key}",
            limit=count,
        )
        seen: dict[str, datetime] = {}
        at = None
        for row in rows:
            number, at = self._told(entity, row)
            if at is not None:
                seen[number] = at
        return _StreamPage(seen, at if len(rows) == count else None)

    def _told(self, entity: DocumentEntity, row: Row) -> tuple[str, datetime | None]:
        try:
            at = self._values.changed(row)
            return entity.number(row), at.astimezone(UTC) if at else None
        except (KeyError, ValueError) as error:
            raise Invalid(f"a time that is none in an answer: {error}", source=self._client.source) from error

    async def _decided(self, since: datetime | None) -> dict[str, datetime]:
        """Return the times of the last decisions on drafts: a decision need not touch the draft itself."""
        now = self._now()
        try:
            requests = await self._approvals.followed(self._day(min(since or now, now) - self._days))
        except NotPermitted:
            return {}
        return {
            PURCHASE_DRAFTS.number({PURCHASE_DRAFTS.key: draft}): request.decided_at.astimezone(UTC)
            for draft, request in requests.items()
            if request.decided_at is not None and not request.generated
        }

    def _day(self, moment: datetime) -> str:
        return query.day_text(self._values.local(moment).date(), self._client.version)


def _latest(*parts: Mapping[str, datetime]) -> dict[str, datetime]:
    """Return the latest time of each record."""
    latest: dict[str, datetime] = {}
    for part in parts:
        for key, at in part.items():
            latest[key] = max(at, latest.get(key, at))
    return latest


def _changes(
    area: Area, known: Mapping[str, datetime], since: datetime | None, until: datetime | None
) -> Iterable[Change]:
    """Return what changed in the time that is looked at, oldest first."""
    rows = (
        Change(area=area, key=key, changed_at=at)
        for key, at in known.items()
        if (since is None or at >= since) and (until is None or at <= until)
    )
    return sorted(rows, key=lambda change: (change.changed_at, change.key))
