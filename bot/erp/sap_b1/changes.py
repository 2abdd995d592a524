"""Changes since a cursor by ``UpdateDate`` and ``UpdateTime``; only the day can be filtered.

Each entity of an area is a stream, and so are the decisions on drafts.

Docs: platform/erp/sap-b1.md#changes
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from bot.erp.concurrency import gather_or_cancel
from bot.erp.conditions import all_of
from bot.erp.errors import NotPermitted, Unsupported
from bot.erp.following import EARLIEST, TRANSACTION, StreamPage, follow, latest
from bot.erp.kinds import BILLS, DELIVERIES, INVOICES, PURCHASE_ORDERS, SALES_ORDERS
from bot.erp.model import Area, Changes, Feed, Followed
from bot.erp.sap_b1 import query
from bot.erp.sap_b1.client import SapB1Client
from bot.erp.sap_b1.decisions import DraftApprovals
from bot.erp.sap_b1.query import ENTITIES, ITEMS, DocumentEntity

_AT_LEAST = 200
"""Minimum number of records to request: filters start at the day, so the first ones may be older than the cursor."""
_PRODUCTS = DocumentEntity(name=ITEMS, key="ItemCode", number_field="ItemCode", day="UpdateDate", texts=(), select=())
_ENTITIES: Mapping[Followed, tuple[DocumentEntity, ...]] = {
    Area.PRODUCTS: (_PRODUCTS,),
    Area.SALES: ENTITIES[SALES_ORDERS],
    Area.FINANCE: ENTITIES[INVOICES],
    Area.PURCHASING: ENTITIES[PURCHASE_ORDERS],
    Feed.BILLS: ENTITIES[BILLS],
    Feed.DELIVERIES: ENTITIES[DELIVERIES],
}


class ChangeReader:
    """Reads the changes of areas whose records have a time of change; keeps no state between calls."""

    def __init__(self, client: SapB1Client, approvals: Mapping[Followed, DraftApprovals]) -> None:
        self._client = client
        self._approvals = approvals
        self._days = timedelta(days=client.options.approval_days)

    async def next(self, area: Followed, cursor: str, *, limit: int) -> Changes:
        """Return the next changes of an area; raises `Invalid` for a malformed cursor."""
        if area not in _ENTITIES:
            raise Unsupported(f"{area} tell no time of change", source=self._client.source)
        read, overlap = partial(self._streams, area), self._client.values.overlap(TRANSACTION)
        return await follow(area, cursor, limit=limit, overlap=overlap, read=read, least=_AT_LEAST)

    async def _streams(self, area: Followed, since: datetime | None, count: int) -> list[StreamPage]:
        approvals = self._approvals.get(area)
        decided = StreamPage({}) if approvals is None else await self._decided(approvals, since)
        pages = await gather_or_cancel(*(self._stream(entity, since, count) for entity in _ENTITIES[area]))
        return [decided, *pages]

    async def _stream(self, entity: DocumentEntity, since: datetime | None, count: int) -> StreamPage:
        # Records that were never changed may lack this time, and would come first.
        rows = await self._client.rows(
            entity.name,
            select=tuple(dict.fromkeys((entity.key, entity.number_field, "UpdateDate", "UpdateTime"))),
            where=all_of(entity.where, entity.current, f"UpdateDate ge {self._day(since or EARLIEST)}"),
            order=f"UpdateDate,UpdateTime,{entity.key}",
            limit=count,
        )
        times = [(entity.number(row), self._client.values.changed(row)) for row in rows]
        return StreamPage(latest(times), times[-1][1] if len(rows) == count else None)

    async def _decided(self, approvals: DraftApprovals, since: datetime | None) -> StreamPage:
        """Return the times of the last decisions on drafts: a decision may leave the draft unchanged."""
        now = self._client.now()
        try:
            requests = await approvals.followed(self._day(min(since or now, now) - self._days))
        except NotPermitted:
            return StreamPage({})
        drafts = approvals.approval.drafts
        return StreamPage(
            {
                drafts.number({drafts.key: draft}): request.decided_at.astimezone(UTC)
                for draft, request in requests.items()
                if request.decided_at is not None and not request.generated
            }
        )

    def _day(self, moment: datetime) -> str:
        return query.day_text(self._client.values.local(moment).date(), self._client.version)
