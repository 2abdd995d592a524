"""The documents kept of ERPs, in the bot's database: sealed, but for numbers, days, states and codes of products.

Reading 20 000 documents takes some 300 ms, most of it to open and decode them: `work` is done in the thread that reads,
so that nothing but the result comes back to the event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

import orjson
from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.engine import Connection

from bot.erp.index.folding import fold, key_of
from bot.erp.model import (
    Approval,
    Area,
    Invoice,
    Money,
    OrderLine,
    ProductionOrder,
    PurchaseLine,
    PurchaseOrder,
    SalesOrder,
)
from bot.read_model.port import (
    AREAS,
    Document,
    DocumentLine,
    DocumentSelection,
    DocumentWithLine,
    FollowedArea,
    Partner,
    day_of,
    is_open,
    partner_of,
)
from bot.store.database import Database
from bot.store.record_codec import DATE, DECIMAL, IN_MILLISECONDS, PlainCodec, RecordCodec
from bot.store.statements import chunks, insert_into, replace_into
from bot.store.tables import FOLLOWED_AREA, KEPT_DOCUMENT, KEPT_LINE

T = TypeVar("T")

_F, _D, _L = FOLLOWED_AREA.c, KEPT_DOCUMENT.c, KEPT_LINE.c

_POSITION = RecordCodec(
    FollowedArea,
    {**IN_MILLISECONDS, date: PlainCodec(date.toordinal, date.fromordinal)},
    names={
        "began_at": "began_ms",
        "walked_at": "walked_ms",
        "synced_at": "synced_ms",
        "complete_since": "complete_day",
    },
)
_VALUES: Mapping[Any, Any] = {
    datetime: PlainCodec(datetime.isoformat, datetime.fromisoformat),
    date: DATE,
    Decimal: DECIMAL,
    Money: PlainCodec(
        lambda money: [str(money.amount), money.currency], lambda value: Money(Decimal(value[0]), value[1])
    ),
}
_SPARSE = ("url", "changed_at", "extra")
_DOCUMENT: Mapping[Area, RecordCodec[Any]] = {
    Area.SALES: RecordCodec(SalesOrder, _VALUES, skip=("source", "lines"), sparse=_SPARSE),
    Area.FINANCE: RecordCodec(Invoice, _VALUES, skip=("source",), sparse=_SPARSE),
    Area.PURCHASING: RecordCodec(
        PurchaseOrder,
        {**_VALUES, Approval: RecordCodec(Approval, _VALUES)},
        skip=("source", "lines"),
        sparse=(*_SPARSE, "people"),
    ),
    Area.PRODUCTION: RecordCodec(ProductionOrder, _VALUES, skip=("source",), sparse=_SPARSE),
}
_LINE: Mapping[Area, RecordCodec[Any]] = {
    Area.SALES: RecordCodec(OrderLine, _VALUES),
    Area.PURCHASING: RecordCodec(PurchaseLine, _VALUES),
}


_AT_ONCE = 1_000
"""Rows that are fetched at a time."""


class StoredDocuments:
    """Implements `bot.read_model.port.DocumentStore`. Raises `bot.store.errors.StoreUnavailable`.

    ``reads`` is where questions are answered; it may be ``database`` itself where that has threads to spare.
    """

    def __init__(self, database: Database, reads: Database) -> None:
        self._database = database
        self._reads = reads

    async def positions(self) -> Mapping[tuple[str, Area], FollowedArea]:
        """Return how far each area of each source has been followed."""
        rows = await self._reads.read(lambda connection: connection.execute(select(FOLLOWED_AREA)).all())
        found = [_POSITION.read_row(row) for row in rows]
        return {(position.source, position.area): position for position in found}

    async def advance(
        self,
        before: FollowedArea | None,
        after: FollowedArea,
        *,
        documents: Sequence[Document] = (),
        with_lines: bool = False,
        gone: Collection[str] = (),
        anew: bool = False,
    ) -> bool:
        """Keep documents and the position behind them at once; False where another process moved on from ``before``."""

        def step(connection: Connection) -> bool:
            if not _move(connection, before, after):
                return False
            if anew:
                _drop(connection, _D.source == after.source, _D.area == after.area)
            for numbers in chunks({key_of(number) for number in gone}):
                _drop(connection, _D.source == after.source, _D.area == after.area, _D.number.in_(numbers))
            if documents:
                _keep(connection, after, documents, with_lines=with_lines)
            return True

        return await self._database.run(step)

    async def unseen(self, position: FollowedArea, limit: int) -> Sequence[str]:
        """Return numbers of documents that the current walk has not come upon."""
        own = (_D.source == position.source, _D.area == position.area, _D.walk < position.walk)
        return await self._numbers(limit, *own)

    async def without_lines(self, source: str, area: Area, limit: int) -> Sequence[str]:
        """Return numbers of open documents whose lines have not been read."""
        return await self._numbers(limit, _D.source == source, _D.area == area, _D.is_open, ~_D.has_lines)

    async def _numbers(self, limit: int, *conditions: ColumnElement[bool]) -> Sequence[str]:
        wanted = select(_D.number).where(*conditions).order_by(_D.number).limit(limit)
        return await self._database.run(lambda connection: connection.execute(wanted).scalars().all())

    async def forget(self, source: str, area: Area, before: date) -> None:
        """Drop documents that are over and of an earlier day."""
        old = (_D.source == source, _D.area == area, _D.day < before.toordinal(), ~_D.is_open)
        await self._database.run(lambda connection: _drop(connection, *old))

    async def keep_only(self, sources: Collection[str]) -> None:
        """Drop all that belongs to other sources."""

        def drop(connection: Connection) -> None:
            for table in (KEPT_LINE, KEPT_DOCUMENT, FOLLOWED_AREA):
                connection.execute(delete(table).where(table.c.source.not_in(sources)))

        await self._database.run(drop)

    async def count(self, source: str) -> int:
        """Return how many documents of a source are kept."""
        wanted = select(func.count()).select_from(KEPT_DOCUMENT).where(_D.source == source)
        return await self._reads.read(lambda connection: connection.scalar(wanted) or 0)

    async def documents(self, wanted: DocumentSelection, work: Callable[[Iterator[Document]], T]) -> T:
        """Return what ``work`` makes of documents without lines, the newest first."""
        query = select(_D.source, _D.document).where(*_conditions(wanted)).order_by(_D.day.desc(), _D.number)

        def read(connection: Connection) -> T:
            decode = _DOCUMENT[wanted.area].read
            with connection.execute(query.execution_options(yield_per=_AT_ONCE)) as rows:
                return work(decode(orjson.loads(text), source=source) for source, text in rows)

        return await self._reads.run(read)

    async def lines_of(self, sku: str, wanted: DocumentSelection, work: Callable[[Iterator[DocumentWithLine]], T]) -> T:
        """Return what ``work`` makes of the lines of one product (its folded code), the newest documents first."""
        same = (_L.source == _D.source) & (_L.area == _D.area) & (_L.number == _D.number)
        query = (
            select(_D.source, _D.document, _L.line)
            .select_from(KEPT_LINE.join(KEPT_DOCUMENT, same))
            .where(_L.sku == sku, *_conditions(wanted))
            .order_by(_D.day.desc(), _D.number, _L.position)
        )

        def read(connection: Connection) -> T:
            with connection.execute(query.execution_options(yield_per=_AT_ONCE)) as rows:
                return work(_read_line(wanted.area, *row) for row in rows)

        return await self._reads.run(read)

    async def partners(self, areas: Iterable[Area], sources: Collection[str]) -> Sequence[Partner]:
        """Return all customers and vendors, in the order of their names."""
        newest = func.row_number().over(partition_by=(_D.source, _D.area, _D.partner), order_by=_D.day.desc())
        ranked = (
            select(_D.source, _D.area, _D.number, newest.label("place"))
            .where(_D.area.in_(list(areas)), _D.source.in_(sources), _D.partner != "")
            .subquery()
        )
        same = (_D.source == ranked.c.source) & (_D.area == ranked.c.area) & (_D.number == ranked.c.number)
        query = (
            select(_D.source, _D.area, _D.document)
            .select_from(KEPT_DOCUMENT.join(ranked, same))
            .where(ranked.c.place == 1)
        )

        def read(connection: Connection) -> list[Partner]:
            found = []
            for source, area, text in connection.execute(query):
                document = _DOCUMENT[Area(area)].read(orjson.loads(text), source=source)
                found.append(Partner(Area(area), source, partner_of(document)))
            return sorted(found, key=lambda partner: (fold(partner.name), partner.area, partner.source))

        return await self._reads.read(read)


def _conditions(wanted: DocumentSelection) -> list[ColumnElement[bool]]:
    conditions = [_D.area == wanted.area, _D.source.in_(sorted(wanted.sources))]
    if wanted.since is not None:
        conditions.append(_D.day >= wanted.since.toordinal())
    if wanted.until is not None:
        conditions.append(_D.day <= wanted.until.toordinal())
    if wanted.open_only:
        conditions.append(_D.is_open)
    if wanted.partner:
        conditions.append(_D.partner == wanted.partner)
    return conditions


def _read_line(area: Area, source: str, document: str, line: str) -> DocumentWithLine:
    read = _DOCUMENT[area].read(orjson.loads(document), source=source)
    return DocumentWithLine(read, _LINE[area].read(orjson.loads(line)) if line else None)


def _move(connection: Connection, before: FollowedArea | None, after: FollowedArea) -> bool:
    """Change an area's position if it is still ``before``."""
    row = _POSITION.write(after)
    if before is None:
        first = insert_into(FOLLOWED_AREA, connection.dialect.name).values(**row).on_conflict_do_nothing()
        return connection.scalar(first.returning(_F.source)) is not None
    still = (
        _F.source == before.source,
        _F.area == before.area,
        _F.cursor == before.cursor,
        _F.walk == before.walk,
        _F.place == before.place,
    )
    moved = update(FOLLOWED_AREA).where(*still).values(**row)
    return connection.scalar(moved.returning(_F.source)) is not None


def _drop(connection: Connection, *conditions: ColumnElement[bool]) -> None:
    numbers = select(_D.source, _D.area, _D.number).where(*conditions).subquery()
    same = (_L.source == numbers.c.source, _L.area == numbers.c.area, _L.number == numbers.c.number)
    connection.execute(delete(KEPT_LINE).where(select(1).where(*same).exists()))
    connection.execute(delete(KEPT_DOCUMENT).where(*conditions))


def _keep(connection: Connection, position: FollowedArea, documents: Sequence[Document], *, with_lines: bool) -> None:
    lined = with_lines or position.area is Area.PRODUCTION
    rows = {key_of(each.number): _document_row(position, each, lined=lined) for each in documents}
    upsert = replace_into(KEPT_DOCUMENT, connection.dialect.name, keep=() if lined else ("has_lines",))
    connection.execute(upsert, list(rows.values()))
    if not lined:
        return
    own = (_L.source == position.source, _L.area == position.area)
    for numbers in chunks(rows):
        connection.execute(delete(KEPT_LINE).where(*own, _L.number.in_(numbers)))
    lines = {(row["number"], row["position"]): row for each in documents for row in _line_rows(position, each)}
    if lines:
        connection.execute(insert(KEPT_LINE), list(lines.values()))


def _document_row(position: FollowedArea, document: Document, *, lined: bool) -> dict[str, Any]:
    day = day_of(document)
    return {
        "source": position.source,
        "area": position.area.value,
        "number": key_of(document.number),
        "day": None if day is None else day.toordinal(),
        "is_open": is_open(document),
        "has_lines": lined,
        "walk": position.walk,
        "partner": fold(partner_of(document)),
        "document": orjson.dumps(_DOCUMENT[AREAS[type(document)]].write(document)).decode(),
    }


def _line_rows(position: FollowedArea, document: Document) -> Iterator[dict[str, Any]]:
    lines: Sequence[DocumentLine | ProductionOrder] = ()
    match document:
        case ProductionOrder():
            lines = (document,)
        case SalesOrder() | PurchaseOrder():
            lines = document.lines
    for number, line in enumerate(lines):
        own = isinstance(line, ProductionOrder)
        yield {
            "source": position.source,
            "area": position.area.value,
            "number": key_of(document.number),
            "position": number,
            "sku": key_of(line.sku),
            "line": "" if own else orjson.dumps(_LINE[position.area].write(line)).decode(),
        }
