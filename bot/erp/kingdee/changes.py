"""What changed since a cursor: the ERP has no running number, only times of change, and several of them.

Each area is followed in streams, each a question ordered by one of its times. Up to the last time that all streams
reach, everything is known; a record is told at the latest of its times, once.

Docs: platform/erp/kingdee.md#changes
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.erp.concurrency import gather_or_cancel
from bot.erp.cursor import TimeCursor
from bot.erp.errors import Invalid, NotPermitted
from bot.erp.kingdee import query
from bot.erp.kingdee.client import KingdeeClient
from bot.erp.kingdee.decisions import PURCHASE_TASKS, PurchaseApprovals
from bot.erp.kingdee.documents import DocumentMapper
from bot.erp.kingdee.mapping import Row, code
from bot.erp.kingdee.query import (
    INVENTORY,
    MATERIALS,
    PAST_TASKS,
    PRODUCTION,
    PURCHASES,
    RECEIVABLES,
    RUNNING_TASKS,
    SALES,
    Form,
)
from bot.erp.model import Area, Change, Changes

_LATE = timedelta(minutes=3)
"""How much later than its own time a change may appear: as long as a transaction of the ERP may take."""
_REPEATED_HOUR = timedelta(hours=1)
"""Where clocks are put back, an hour's times come twice."""
_WIDEN = 4
_FIRST, _LAST = datetime(1900, 1, 2, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _ChangeSource:
    """How an area is followed: its form, what identifies a record, its times."""

    form: Form
    key: str
    times: tuple[str, ...] = ("FModifyDate", "FApproveDate")
    also: tuple[str, ...] = ()
    order: str = "FID"
    repeats: bool = False
    """Whether several lines with times of their own belong to one record."""


_AREAS = {
    Area.PRODUCTS: _ChangeSource(MATERIALS, "FNumber", order="FNumber,FUseOrgId.FNumber", repeats=True),
    Area.STOCK: _ChangeSource(INVENTORY, "FMaterialId.FNumber", times=("FUpdateTime",), repeats=True),
    Area.SALES: _ChangeSource(SALES, "FBillNo"),
    Area.FINANCE: _ChangeSource(RECEIVABLES, "FBillNo"),
    Area.PURCHASING: _ChangeSource(PURCHASES, "FBillNo"),
    Area.PRODUCTION: _ChangeSource(PRODUCTION, "FBillNo", also=("FTreeEntity_FSeq",), order="FID,FTreeEntity_FSeq"),
}


@dataclass(frozen=True, slots=True)
class _StreamPage:
    """What a stream gave: the latest times seen of its records, and up to which time it is complete (None: its end)."""

    seen: dict[str, datetime]
    until: datetime | None


class ChangeReader:
    """Follows areas; keeps nothing between calls."""

    def __init__(self, client: KingdeeClient, workflow: PurchaseApprovals, documents: DocumentMapper) -> None:
        self._client = client
        self._workflow = workflow
        self._documents = documents
        self._values = documents.values
        self._late = _LATE + (_REPEATED_HOUR if documents.values.has_daylight_saving else timedelta(0))

    async def next(self, area: Area, text: str, *, limit: int) -> Changes:
        """Return the next changes of an area; raises `Invalid` for a cursor that is none."""
        cursor = TimeCursor.parse(text)
        followed = _AREAS[area]
        since = self._start(cursor)
        count = cursor.fetch_size(limit)
        while True:
            parts = await gather_or_cancel(*self._streams(area, followed, since, count))
            until = min((part.until for part in parts if part.until is not None), default=None)
            known = await self._times(area, followed, _merged(parts, until))
            rows = sorted(
                (
                    Change(area=area, key=key, changed_at=at)
                    for key, at in known.items()
                    if (since is None or at >= since) and (until is None or at <= until)
                ),
                key=lambda change: (change.changed_at, change.key),
            )
            found = cursor.next_changes(area, rows, limit=limit, overlap=self._late, more=until is not None)
            if found.items or until is None:
                return found
            # All that came is known already or belongs to a later time: look further.
            count *= _WIDEN

    def _start(self, cursor: TimeCursor) -> datetime | None:
        if cursor.at is None:
            return None
        if not _FIRST < cursor.at < _LAST:
            raise Invalid("a cursor of no time in which ERPs work", source=self._client.source)
        return cursor.since(self._late)

    def _streams(
        self, area: Area, followed: _ChangeSource, since: datetime | None, count: int
    ) -> list[Coroutine[None, None, _StreamPage]]:
        streams = [self._stream(followed, time, since, count) for time in followed.times]
        if area is Area.PURCHASING:
            # A decision in a workflow need not touch the order itself.
            streams += [self._decisions(form, since, count) for form in (RUNNING_TASKS, PAST_TASKS)]
        return streams

    async def _stream(self, followed: _ChangeSource, time: str, since: datetime | None, count: int) -> _StreamPage:
        form = followed.form
        if not await self._client.has(form, time):
            return _StreamPage({}, None)
        times = [each for each in followed.times if await self._client.has(form, each)]
        rows = await self._client.query(
            form,
            self._since(time, since),
            keys=(*dict.fromkeys((*followed.order.split(","), followed.key, *followed.also, *times)),),
            order=f"{time},{followed.order}",
            limit=count,
        )
        seen: dict[str, datetime] = {}
        for row in rows:
            self._note(seen, _key(followed, row), *(row[each] for each in times))
        return self._part(seen, rows, time, count)

    async def _decisions(self, form: Form, since: datetime | None, count: int) -> _StreamPage:
        time = "FCompletedTime"
        where = query.all_of(PURCHASE_TASKS, "FStatus='1'", self._since(time, since))
        keys = ("FBILLNUMBER", time, *form.order.split(","))
        try:
            rows = await self._client.query(form, where, keys=keys, order=f"{time},{form.order}", limit=count)
        except NotPermitted:
            return _StreamPage({}, None)
        seen: dict[str, datetime] = {}
        for row in rows:
            self._note(seen, code(row["FBILLNUMBER"]), row[time])
        return self._part(seen, rows, time, count)

    def _since(self, time: str, since: datetime | None) -> str:
        # A record that never met this time has none, and would come first.
        start = self._values.local(since) if since else _FIRST
        return query.since(time, start)

    def _part(self, seen: dict[str, datetime], rows: Sequence[Row], time: str, count: int) -> _StreamPage:
        if len(rows) < count:
            return _StreamPage(seen, None)
        return _StreamPage(seen, self._time(rows[-1][time]))

    async def _times(self, area: Area, followed: _ChangeSource, known: dict[str, datetime]) -> dict[str, datetime]:
        """Return the latest time of change of each record, of which a stream may have shown an earlier one."""
        keys = list(known)
        if followed.repeats:
            times = [each for each in followed.times if await self._client.has(followed.form, each)]
            rows = await self._client.query_each(followed.form, followed.key, keys, keys=(followed.key, *times))
            for row in rows:
                self._note(known, _key(followed, row), *(row[each] for each in times))
        if area is Area.PURCHASING:
            await self._complete(keys, known)
        return known

    async def _complete(self, numbers: Sequence[str], known: dict[str, datetime]) -> None:
        """Add to each order's times those of its decisions, and to decisions those of their order."""
        times = [each for each in ("FModifyDate", "FApproveDate") if await self._client.has(PURCHASES, each)]
        rows = await self._client.query_each(PURCHASES, "FBillNo", numbers, keys=("FBillNo", *times))
        seen = {code(row["FBillNo"]) for row in rows}
        for number in set(known) - seen:
            # A decision on an order of another organisation, or one that was deleted.
            del known[number]
        for row in rows:
            self._note(known, code(row["FBillNo"]), *(row[each] for each in times))
        try:
            tasks = await self._workflow.both(numbers)
        except NotPermitted:
            return
        for task in tasks:
            if task.done_at is not None and task.bill in known:
                known[task.bill] = max(known[task.bill], task.done_at)

    def _note(self, seen: dict[str, datetime], key: str, *times: object) -> None:
        for told in times:
            at = self._time(told)
            if at is not None:
                seen[key] = max(at, seen.get(key, at))

    def _time(self, value: object) -> datetime | None:
        try:
            return self._values.time(value)
        except ValueError as error:
            raise Invalid(f"a time that is none in an answer: {error}", source=self._client.source) from error


def _key(followed: _ChangeSource, row: Row) -> str:
    return PRODUCTION.number(row) if followed.form is PRODUCTION else code(row[followed.key])


def _merged(parts: Iterable[_StreamPage], until: datetime | None) -> dict[str, datetime]:
    """Return the records whose latest known time lies in what is complete."""
    merged: dict[str, datetime] = {}
    for part in parts:
        for key, at in part.seen.items():
            merged[key] = max(at, merged.get(key, at))
    return {key: at for key, at in merged.items() if until is None or at <= until}
