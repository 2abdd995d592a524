"""Changes since a cursor, by several times of change: the ERP has no running number.

Each time field of an area is a separate stream. So are workflow decisions, which may leave the order unchanged.

Docs: platform/erp/kingdee.md#changes
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import chain

from bot.erp.concurrency import gather_or_cancel
from bot.erp.conditions import all_of
from bot.erp.errors import NotPermitted
from bot.erp.following import EARLIEST, TRANSACTION, StreamPage, follow, latest
from bot.erp.kingdee import query
from bot.erp.kingdee.client import KingdeeClient
from bot.erp.kingdee.decisions import BillApprovals
from bot.erp.kingdee.mapping import Row, code
from bot.erp.kingdee.query import Form
from bot.erp.model import Area, Changes, Feed, Followed

_DECIDED = "FCompletedTime"


@dataclass(frozen=True, slots=True)
class _ChangeSource:
    """How to follow an area: its form, the record's key unless it is the bill's number, and its time fields."""

    form: Form
    key: str = ""
    times: tuple[str, ...] = ("FModifyDate", "FApproveDate")
    order: str = "FID"

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the keys that name the record and order its lines."""
        lines = (self.form.line,) if self.form.line else ()
        return (*self.order.split(","), self.key or "FBillNo", *lines)

    def name(self, row: Row) -> str:
        """Return the product's code or the document's number."""
        return code(row[self.key]) if self.key else self.form.number(row)


_SOURCES: Mapping[Followed, tuple[_ChangeSource, ...]] = {
    Area.PRODUCTS: (_ChangeSource(query.MATERIALS, "FNumber", order="FNumber,FUseOrgId.FNumber"),),
    Area.STOCK: (_ChangeSource(query.INVENTORY, "FMaterialId.FNumber", times=("FUpdateTime",)),),
    Area.SALES: (_ChangeSource(query.SALES),),
    Area.FINANCE: (_ChangeSource(query.RECEIVABLES),),
    Area.PURCHASING: (_ChangeSource(query.PURCHASES),),
    Area.PRODUCTION: (_ChangeSource(query.PRODUCTION, order="FID,FTreeEntity_FSeq"),),
    Feed.BILLS: (_ChangeSource(query.PAYABLES),),
    Feed.PAYMENTS: (_ChangeSource(query.RECEIPTS), _ChangeSource(query.OUTGOING)),
    Feed.DELIVERIES: (_ChangeSource(query.SHIPMENTS),),
}


class ChangeReader:
    """Reads the changes of areas; keeps no state between calls."""

    def __init__(self, client: KingdeeClient, approvals: Mapping[Form, BillApprovals]) -> None:
        self._client = client
        self._approvals = approvals

    async def next(self, area: Followed, cursor: str, *, limit: int) -> Changes:
        """Return the next changes of an area; raises `Invalid` for a malformed cursor."""
        return await follow(
            area,
            cursor,
            limit=limit,
            overlap=self._client.values.overlap(TRANSACTION),
            read=partial(self._streams, area),
            complete=partial(self._complete, area),
        )

    async def _streams(self, area: Followed, since: datetime | None, count: int) -> list[StreamPage]:
        # Records without this time would come first.
        start = self._client.values.local(since or EARLIEST)
        streams: list[Coroutine[None, None, StreamPage]]
        streams = [
            self._stream(source, time, start, count) for source in _SOURCES[area] for time in await self._times(source)
        ]
        approvals = self._approvals_in(area)
        if approvals is not None:
            streams += [
                self._decisions(approvals, form, start, count) for form in (query.RUNNING_TASKS, query.PAST_TASKS)
            ]
        return await gather_or_cancel(*streams)

    async def _stream(self, source: _ChangeSource, time: str, start: datetime, count: int) -> StreamPage:
        times = await self._times(source)
        rows = await self._client.query(
            source.form,
            all_of(source.form.only, query.since(time, start)),
            keys=tuple(dict.fromkeys((*source.keys, *times))),
            order=f"{time},{source.order}",
            limit=count,
        )
        return self._page(latest(self._seen(source, rows, times)), rows, time, count)

    def _approvals_in(self, area: Followed) -> BillApprovals | None:
        source, *_ = _SOURCES[area]
        return self._approvals.get(source.form)

    async def _decisions(self, approvals: BillApprovals, form: Form, start: datetime, count: int) -> StreamPage:
        where = all_of(approvals.tasks, "FStatus='1'", query.since(_DECIDED, start))
        keys = ("FBILLNUMBER", _DECIDED, *form.order.split(","))
        try:
            rows = await self._client.query(form, where, keys=keys, order=f"{_DECIDED},{form.order}", limit=count)
        except NotPermitted:
            return StreamPage({})
        seen = latest((code(row["FBILLNUMBER"]), self._client.values.time(row[_DECIDED])) for row in rows)
        return self._page(seen, rows, _DECIDED, count)

    def _page(self, seen: Mapping[str, datetime], rows: Sequence[Row], time: str, count: int) -> StreamPage:
        return StreamPage(seen, self._client.values.time(rows[-1][time]) if len(rows) == count else None)

    async def _times(self, source: _ChangeSource) -> list[str]:
        """Return the time fields that the form has at this installation."""
        return [time for time in source.times if await self._client.has(source.form, time)]

    def _seen(
        self, source: _ChangeSource, rows: Iterable[Row], times: Sequence[str]
    ) -> Iterable[tuple[str, datetime | None]]:
        return ((source.name(row), self._client.values.time(row[time])) for row in rows for time in times)

    async def _complete(self, area: Followed, known: dict[str, datetime]) -> Mapping[str, datetime]:
        """Return the latest time of each record, since a stream may have shown an earlier one."""
        source, *_ = _SOURCES[area]
        approvals = self._approvals_in(area)
        if not source.key and approvals is None:
            return known
        # A product has several lines, each with its own times; a decision has another time than its bill.
        field, times = source.key or "FBillNo", await self._times(source)
        rows = await self._client.query_each(source.form, field, list(known), keys=(field, *times))
        seen = [*self._seen(source, rows, times)]
        if approvals is None:
            return latest(chain(known.items(), seen))
        # Decisions on bills of another organisation, or on deleted ones, are left out.
        found = {source.name(row): known[source.name(row)] for row in rows if source.name(row) in known}
        try:
            tasks = await approvals.both(list(found))
        except NotPermitted:
            tasks = []
        decided = ((task.bill, task.done_at) for task in tasks if task.bill in found)
        return latest(chain(found.items(), seen, decided))
