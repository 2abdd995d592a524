"""Copies of the ERPs' documents in the bot's database: sealed except for numbers, days, states and product codes.

Reading 20 000 documents takes some 300 ms, mostly for opening and decoding: ``work`` runs in the reading thread, so
that only the result reaches the event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

import orjson
from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.engine import Connection

from bot.chat.parsing import command_line
from bot.erp.index.folding import fold, key_of
from bot.erp.kinds import FOLLOWED, WITH_LINES, Kind, kind_of
from bot.erp.model import (
    Approval,
    Area,
    ErpRecord,
    Followed,
    Money,
    Payment,
    ProductionOrder,
    PurchaseOrder,
    Review,
    parse_followed,
)
from bot.outbox.happenings import Happening, HappeningType, Receiver
from bot.read_model.records import (
    DocumentSelection,
    DocumentWithLine,
    FollowedArea,
    Partner,
)
from bot.read_model.tallies import Tallies, Tally, TallyKey, TallySelection, tally_documents
from bot.store.database import Database
from bot.store.outbox.happenings import tell
from bot.store.record_codec import DATE, DECIMAL, IN_MILLISECONDS, PlainCodec, RecordCodec
from bot.store.statements import chunks, insert_into, replace_into
from bot.store.tables import FOLLOWED_AREA, KEPT_DOCUMENT, KEPT_LINE, KEPT_TALLY, STOCK_DAY

T = TypeVar("T")

_F, _D, _L, _T = FOLLOWED_AREA.c, KEPT_DOCUMENT.c, KEPT_LINE.c, KEPT_TALLY.c

_POSITION = RecordCodec(
    FollowedArea,
    {**IN_MILLISECONDS, date: PlainCodec(date.toordinal, date.fromordinal), Followed: PlainCodec(str, parse_followed)},
    names={
        "began_at": "began_ms",
        "walked_at": "walked_ms",
        "synced_at": "synced_ms",
        "complete_since": "complete_day",
    },
)
_PLAIN_VALUES: Mapping[Any, Any] = {
    datetime: PlainCodec(datetime.isoformat, datetime.fromisoformat),
    date: DATE,
    Decimal: DECIMAL,
    Money: PlainCodec(
        lambda money: [str(money.amount), money.currency], lambda value: Money(Decimal(value[0]), value[1])
    ),
}
_APPROVALS = {**_PLAIN_VALUES, Approval: RecordCodec(Approval, _PLAIN_VALUES, sparse={"passed_by"})}
_VALUES = {**_APPROVALS, Review: RecordCodec(Review, _APPROVALS, sparse={"people"})}
_SPARSE = ("url", "changed_at", "extra", "is_reversed", "awaits_goods", "review", "settles")


class _FlatCodec(RecordCodec[PurchaseOrder]):
    """Keeps what the review of a purchase order says beside its other fields, as all versions have done."""

    def write(self, record: PurchaseOrder) -> dict[str, Any]:
        values = super().write(record)
        review = values.pop("review")
        return {**values, **review, "status": review["state"]}

    def read(self, values: Mapping[str, Any], **skipped: Any) -> PurchaseOrder:
        return super().read({**values, "review": {**values, "state": values["status"]}}, **skipped)


def _codec(kind: Kind[Any]) -> RecordCodec[Any]:
    """Return the storage codec for documents of a kind, without lines, which are stored separately."""
    codec = _FlatCodec if kind.record is PurchaseOrder else RecordCodec
    return codec(kind.record, _VALUES, skip=("source", "books", "lines"), sparse=_SPARSE)


_DOCUMENT: Mapping[Followed, RecordCodec[Any]] = {kind.followed: _codec(kind) for kind in FOLLOWED}
_LINE: Mapping[Followed, RecordCodec[Any]] = {
    kind.followed: RecordCodec(kind.line, _PLAIN_VALUES) for kind in WITH_LINES if kind.line
}

_SUMS = PlainCodec(
    lambda sums: {currency: str(amount) for currency, amount in sums.items() if amount},
    lambda sums: {currency: Decimal(amount) for currency, amount in sums.items()},
)
_TALLY = RecordCodec(Tally, {dict[str, Decimal]: _SUMS})

_AT_ONCE = 1_000
"""Rows fetched at a time."""


def _utc() -> datetime:
    return datetime.now(UTC)


class StoredDocuments:
    """Stores kept documents. Raises `bot.store.errors.StoreUnavailable`.

    ``reads`` is the database for questions; it may be ``database`` itself if that has threads to spare. ``receivers``
    are told of changes, by lines that name the source if it is one of several (``names_source``).
    """

    def __init__(
        self,
        database: Database,
        reads: Database,
        *,
        receivers: Sequence[Receiver] = (),
        names_source: bool = False,
        now: Callable[[], datetime] = _utc,
    ) -> None:
        self._database = database
        self._reads = reads
        self._receivers = receivers
        self._names_source = names_source
        self._now = now

    async def positions(self) -> Mapping[tuple[str, Followed], FollowedArea]:
        rows = await self._reads.read(lambda connection: connection.execute(select(FOLLOWED_AREA)).all())
        found = [_POSITION.read_row(row) for row in rows]
        return {(position.source, position.area): position for position in found}

    async def advance(
        self,
        before: FollowedArea | None,
        after: FollowedArea,
        *,
        documents: Sequence[ErpRecord] = (),
        with_lines: bool = False,
        gone: Collection[str] = (),
        anew: bool = False,
        forget_before: date | None = None,
        are_changes: bool = False,
    ) -> bool:
        """Store documents and the new position at once; False if another process has moved on from ``before``."""

        def step(connection: Connection) -> bool:
            if not _move(connection, before, after):
                return False
            kept = _AreaRows(connection, after)
            if anew:
                kept.clear()
            kept.drop(gone)
            if forget_before is not None:
                kept.forget(forget_before)
            kept.keep(documents, with_lines=with_lines)
            kept.count()
            if are_changes:
                books = (after.source,) if self._names_source else ()
                changes = [change_of(after.source, document, self._now(), books) for document in documents]
                tell(connection, self._receivers, changes, now=self._now())
            return True

        return await self._database.run(step)

    async def unseen(self, position: FollowedArea, limit: int) -> Sequence[str]:
        """Return numbers of documents that the current walk has not met."""
        own = (_D.source == position.source, _D.area == position.area, _D.walk < position.walk)
        return await self._numbers(limit, *own)

    async def without_lines(self, source: str, area: Followed, limit: int) -> Sequence[str]:
        return await self._numbers(limit, _D.source == source, _D.area == area, _D.is_open, ~_D.has_lines)

    async def _numbers(self, limit: int, *conditions: ColumnElement[bool]) -> Sequence[str]:
        wanted = select(_D.area, _D.document).where(*conditions).order_by(_D.number).limit(limit)
        rows = await self._database.rows(wanted)
        return [_DOCUMENT[parse_followed(row.area)].read(orjson.loads(row.document)).number for row in rows]

    async def keep_only(self, sources: Collection[str]) -> None:
        def drop(connection: Connection) -> None:
            for table in (KEPT_LINE, KEPT_TALLY, KEPT_DOCUMENT, FOLLOWED_AREA, STOCK_DAY):
                connection.execute(delete(table).where(table.c.source.not_in(sources)))

        await self._database.run(drop)

    async def count(self, source: str) -> int:
        wanted = select(func.count()).select_from(KEPT_DOCUMENT).where(_D.source == source)
        return await self._reads.read(lambda connection: connection.scalar(wanted) or 0)

    async def documents(self, wanted: DocumentSelection, work: Callable[[Iterator[ErpRecord]], T]) -> T:
        query = select(_D.source, _D.document).where(*_conditions(wanted)).order_by(_D.day.desc(), _D.number)

        def read(connection: Connection) -> T:
            decode = _DOCUMENT[wanted.area].read
            with connection.execute(query.execution_options(yield_per=_AT_ONCE)) as rows:
                return work(decode(orjson.loads(text), source=source) for source, text in rows)

        return await self._reads.run(read)

    async def tallies(self, wanted: Sequence[TallySelection]) -> Sequence[Tallies]:
        """Return the daily tallies of each selection.

        A report needs eight of them: read one by one, each would wait for a thread and for the event loop.
        """
        return await self._reads.read(lambda connection: [_read_tallies(connection, each) for each in wanted])

    async def lines_of(self, sku: str, wanted: DocumentSelection, work: Callable[[Iterator[DocumentWithLine]], T]) -> T:
        same = (_L.source == _D.source) & (_L.area == _D.area) & (_L.number == _D.number)
        query = (
            select(_D.source, _D.document, _L.line)
            .select_from(KEPT_LINE.join(KEPT_DOCUMENT, same))
            .where(*([_L.sku == sku] if sku else []), *_conditions(wanted))
            .order_by(_D.day.desc(), _D.number, _L.position)
        )

        def read(connection: Connection) -> T:
            with connection.execute(query.execution_options(yield_per=_AT_ONCE)) as rows:
                return work(_read_lines(wanted.area, rows))

        return await self._reads.run(read)

    async def partners(self, areas: Iterable[Followed], sources: Collection[str]) -> Sequence[Partner]:
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
                kind = parse_followed(area)
                document = _DOCUMENT[kind].read(orjson.loads(text), source=source)
                found.append(Partner(kind, source, kind_of(document).partner_of(document)))
            return sorted(found, key=lambda partner: (fold(partner.name), partner.area, partner.source))

        return await self._reads.read(read)


def change_of(source: str, document: ErpRecord, at: datetime, books: Iterable[str] = ()) -> Happening:
    """Return the change of a document, as programs are told of it."""
    kind = kind_of(document)
    return Happening(
        type=HappeningType.DOCUMENT_CHANGED,
        at=at,
        source=source,
        subject=f"{kind.command}/{document.number}",
        line=command_line(kind.command, document.number, books=books),
        card=kind.card,
    )


def _read_tallies(connection: Connection, wanted: TallySelection) -> Tallies:
    query = select(_T.day, _T.tally).where(
        _T.area == wanted.area, _T.source.in_(sorted(wanted.sources)), _T.kind == wanted.kind
    )
    if wanted.since is not None or wanted.until is not None:
        first, last = wanted.since or date.min, wanted.until or date.max
        query = query.where(_T.day.between(_day_number(first), _day_number(last)))
    found: dict[date | None, Tally] = {}
    for day, text in connection.execute(query):
        at = date.fromordinal(day) if day else None
        found.setdefault(at, Tally()).add(_TALLY.read(orjson.loads(text)))
    return found


def _conditions(wanted: DocumentSelection) -> list[ColumnElement[bool]]:
    conditions = [_D.area == wanted.area, _D.source.in_(sorted(wanted.sources))]
    if wanted.since is not None:
        conditions.append(_D.day >= wanted.since.toordinal())
    if wanted.until is not None:
        conditions.append(_D.day <= wanted.until.toordinal())
    if wanted.unfinished:
        conditions.append(_D.is_open)
    if wanted.partner:
        conditions.append(_D.partner == wanted.partner)
    return conditions


def _read_lines(area: Followed, rows: Iterable[Any]) -> Iterator[DocumentWithLine]:
    """Yield lines with their documents; lines of one document, which are adjacent, share it."""
    known, read = ("", ""), None
    for source, document, line in rows:
        if read is None or known != (source, document):
            known, read = (source, document), _DOCUMENT[area].read(orjson.loads(document), source=source)
        yield DocumentWithLine(read, _LINE[area].read(orjson.loads(line)) if line else None)


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


class _AreaRows:
    """The documents of one area of one source within a transaction, with their lines and tallies."""

    def __init__(self, connection: Connection, position: FollowedArea) -> None:
        self._connection = connection
        self._position = position
        self._own = (_D.source == position.source, _D.area == position.area)
        self._own_lines = (_L.source == position.source, _L.area == position.area)
        self._own_tallies = (_T.source == position.source, _T.area == position.area)
        self._changes: dict[TallyKey, Tally] = {}

    def clear(self) -> None:
        """Delete all."""
        self._connection.execute(delete(KEPT_LINE).where(*self._own_lines))
        self._connection.execute(delete(KEPT_TALLY).where(*self._own_tallies))
        self._connection.execute(delete(KEPT_DOCUMENT).where(*self._own))

    def drop(self, numbers: Iterable[str]) -> None:
        """Delete the documents with these numbers."""
        for some in chunks({key_of(number) for number in numbers}):
            self._take_back(some)
            self._drop_lines(some)
            self._connection.execute(delete(KEPT_DOCUMENT).where(*self._own, _D.number.in_(some)))

    def forget(self, before: date) -> None:
        """Delete closed documents from before a day."""
        old = select(_D.number).where(*self._own, _D.day < before.toordinal(), ~_D.is_open)
        self.drop(self._connection.execute(old).scalars().all())

    def keep(self, documents: Sequence[ErpRecord], *, with_lines: bool) -> None:
        """Store documents, replacing their earlier versions."""
        if not documents:
            return
        position, newest = self._position, {key_of(each.number): each for each in documents}
        lined = with_lines or position.area is Area.PRODUCTION
        for some in chunks(newest):
            before = self._take_back(some)
            if lined:
                self._drop_lines(some)
            else:
                newest |= {number: _as_known(newest[number], each) for number, each in before.items()}
        self._change(newest.values(), 1)
        upsert = replace_into(KEPT_DOCUMENT, self._connection.dialect.name, keep=() if lined else ("has_lines",))
        self._connection.execute(upsert, [_document_row(position, each, lined=lined) for each in newest.values()])
        lines = [row for each in newest.values() for row in _line_rows(position, each)] if lined else []
        if lines:
            self._connection.execute(insert(KEPT_LINE), lines)

    def count(self) -> None:
        """Write the changed tallies."""
        changes = {key: change for key, change in self._changes.items() if change != Tally()}
        tallies = self._tallies(changes)
        for key, change in changes.items():
            tallies.setdefault(key, Tally()).add(change)
        for key, tally in tallies.items():
            at = (_T.kind == key.kind, _T.day == _day_number(key.day))
            if tally.count == 0:
                self._connection.execute(delete(KEPT_TALLY).where(*self._own_tallies, *at))
        rows = [self._tally_row(key, tally) for key, tally in tallies.items() if tally.count]
        if rows:
            self._connection.execute(replace_into(KEPT_TALLY, self._connection.dialect.name), rows)

    def _tallies(self, keys: Iterable[TallyKey]) -> dict[TallyKey, Tally]:
        found: dict[TallyKey, Tally] = {}
        wanted = {(key.kind.value, _day_number(key.day)): key for key in keys}
        for days in chunks({day for _, day in wanted}):
            query = select(_T.kind, _T.day, _T.tally).where(*self._own_tallies, _T.day.in_(days))
            for kind, day, text in self._connection.execute(query):
                if key := wanted.get((kind, day)):
                    found[key] = _TALLY.read(orjson.loads(text))
        return found

    def _tally_row(self, key: TallyKey, tally: Tally) -> dict[str, Any]:
        return {
            "source": self._position.source,
            "area": self._position.area.value,
            "kind": key.kind.value,
            "day": _day_number(key.day),
            "tally": orjson.dumps(_TALLY.write(tally)).decode(),
        }

    def _take_back(self, numbers: Collection[str]) -> Mapping[str, ErpRecord]:
        """Subtract stored documents from the tallies, and return them."""
        query = select(_D.number, _D.document).where(*self._own, _D.number.in_(numbers))
        decode, source = _DOCUMENT[self._position.area].read, self._position.source
        rows = self._connection.execute(query).all()
        before = {number: decode(orjson.loads(text), source=source) for number, text in rows}
        self._change(before.values(), -1)
        return before

    def _change(self, documents: Iterable[ErpRecord], times: int) -> None:
        for key, tally in tally_documents(documents).items():
            self._changes.setdefault(key, Tally()).add(tally, times)

    def _drop_lines(self, numbers: Collection[str]) -> None:
        self._connection.execute(delete(KEPT_LINE).where(*self._own_lines, _L.number.in_(numbers)))


def _as_known(document: ErpRecord, before: ErpRecord) -> ErpRecord:
    """Return a document of a list, with what it settles as it is known: lists leave that out."""
    if not (isinstance(document, Payment) and isinstance(before, Payment)):
        return document
    return replace(document, settles=document.settles or before.settles)


def _day_number(day: date | None) -> int:
    return 0 if day is None else day.toordinal()


def _document_row(position: FollowedArea, document: ErpRecord, *, lined: bool) -> dict[str, Any]:
    day = kind_of(document).day(document)
    return {
        "source": position.source,
        "area": position.area.value,
        "number": key_of(document.number),
        "day": None if day is None else day.toordinal(),
        "is_open": kind_of(document).is_unfinished(document),
        "has_lines": lined,
        "walk": position.walk,
        "partner": fold(kind_of(document).partner_of(document)),
        "document": orjson.dumps(_DOCUMENT[kind_of(document).followed].write(document)).decode(),
    }


def _line_rows(position: FollowedArea, document: ErpRecord) -> Iterator[dict[str, Any]]:
    """Yield the rows of a document's lines; a production order is its own line."""
    is_own = isinstance(document, ProductionOrder)
    codec = _LINE.get(position.area)
    lines = getattr(document, kind_of(document).inside) if codec else (document,) if is_own else ()
    for number, line in enumerate(lines):
        yield {
            "source": position.source,
            "area": position.area.value,
            "number": key_of(document.number),
            "position": number,
            "sku": key_of(line.sku),
            "line": orjson.dumps(codec.write(line)).decode() if codec else "",
        }
