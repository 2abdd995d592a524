"""Reads of the demo ERP's documents of any kind. Each runs within one trip to the database thread."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache, partial
from typing import Any, Generic, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, Select, Table, bindparam, false, func, or_, select
from sqlalchemy.engine import Connection

from bot.erp.errors import NotFound
from bot.erp.model import Approval, ErpRecord, Review, ReviewState, Slice
from bot.erp.port import NEWEST_FIRST, Filter, ListQuery
from bot.kit.company import tables as t
from bot.kit.company.owners import with_creator, with_owner
from bot.kit.company.reviews import next_approvers
from bot.kit.company.rows import Record, record_of
from bot.kit.company.supply import NAMES
from bot.kit.company.tables import fold

T = TypeVar("T", bound=ErpRecord)
Build: TypeAlias = Callable[[Record, str, Iterable[Record]], T]
"""Builds a document from its row, its source and the rows of its lines."""

_PRODUCT, _REVIEW = t.table(t.ProductRow), t.table(t.ReviewRow)
_FAR = 2**31
"""Beyond the end of every list, and still valid for SQLite."""


@dataclass(frozen=True, slots=True)
class DocumentQuery(Generic[T]):
    """The query definition of one kind of document: its tables, searched columns, the order of `Filter.ALL`, and other
    filters.

    A filter has today's condition, and the date that sorts the most urgent first. ``partner`` holds the folded name of
    the customer or vendor; lists contain only rows that are ``listed``.
    """

    table: Table
    lines: Table | None
    searched: tuple[ColumnElement[str], ...]
    newest: ColumnElement[date] | None
    due: ColumnElement[date] | None
    filters: Mapping[Filter, tuple[Callable[[date], ColumnElement[bool]], ColumnElement[date]]]
    build: Build[T]
    partner: ColumnElement[str] | None = None
    listed: ColumnElement[bool] | None = None
    reviewed: str = ""
    """The command of the kind, where some of its documents wait for approval."""

    def document(self, connection: Connection, number: str, source: str) -> T:
        """Return one document with its lines; raises `NotFound`."""
        row = connection.execute(by_number(self.table), {"key": fold(number)}).one_or_none()
        if row is None:
            raise NotFound(number, source=source)
        lines = () if self.lines is None else connection.execute(lines_of(self.lines), {"key": row.number_key})
        return next(iter(self._told(connection, [with_creator(self.build(row, source, lines))])))

    def documents(self, connection: Connection, numbers: Iterable[str], source: str) -> tuple[T, ...]:
        """Return the existing documents among many numbers, with their lines."""
        keys = sorted({fold(number) for number in numbers})
        lines: dict[str, list[Record]] = defaultdict(list)
        if self.lines is not None:
            columns = self.lines.c
            wanted = select(self.lines).where(columns.number_key.in_(keys)).order_by(columns.position)
            for line in connection.execute(wanted):
                lines[line.number_key].append(line)
        rows = connection.execute(select(self.table).where(self.table.c.number_key.in_(keys)))
        return self._told(connection, [with_creator(self.build(row, source, lines[row.number_key])) for row in rows])

    def page(self, connection: Connection, query: ListQuery, today: date, source: str) -> Slice[T]:
        """Return a page of the list, without lines."""
        conditions = list(self._conditions(query, today))
        matching = select(self.table).where(*conditions)
        wanted = matching.order_by(*self._order(query)).limit(query.limit).offset(min(query.offset, _FAR))
        count = select(func.count()).select_from(self.table).where(*conditions)
        rows = connection.execute(wanted).all()
        lines = self._lines_with(connection, query.product, rows) if query.product else {}
        return Slice(
            items=self._told(
                connection, [with_creator(self.build(row, source, lines.get(row.number_key, ()))) for row in rows]
            ),
            total=connection.scalar(count) or 0,
        )

    def _lines_with(
        self, connection: Connection, product: str, documents: Iterable[Record]
    ) -> Mapping[str, list[Record]]:
        """Return a product's lines in documents, keyed by folded document number."""
        found: dict[str, list[Record]] = defaultdict(list)
        if self.lines is not None:
            columns, numbers = self.lines.c, [row.number_key for row in documents]
            wanted = select(self.lines).where(columns.number_key.in_(numbers), _is_of(self.lines, product))
            for line in connection.execute(wanted.order_by(columns.position)):
                found[line.number_key].append(line)
        return found

    def _conditions(self, query: ListQuery, today: date) -> Iterator[ColumnElement[bool]]:
        if self.listed is not None:
            yield self.listed
        if query.filter is not Filter.ALL:
            condition, _ = self._list_named(query.filter)
            yield condition(today)
        if text := fold(query.text):
            yield or_(*(column.contains(text, autoescape=True) for column in self.searched))
        for day, period in ((self._day_in(query.filter), query.during), (self.due, query.due)):
            if period is not None:
                yield false() if day is None else day.between(period.first, period.last)
        if query.product:
            held = (
                None if self.lines is None else select(self.lines.c.number_key).where(_is_of(self.lines, query.product))
            )
            yield false() if held is None else self.table.c.number_key.in_(held)
        if query.partner:
            yield false() if self.partner is None else self.partner == fold(query.partner)

    def _order(self, query: ListQuery) -> Iterator[ColumnElement[Any]]:
        if query.filter not in NEWEST_FIRST:
            _, day = self._list_named(query.filter)
            yield day.is_(None)
            yield day
        elif (newest := self._day_in(query.filter)) is not None:
            yield newest.is_(None)
            yield newest.desc()
        yield self.table.c.number_key

    def _list_named(self, wanted: Filter) -> tuple[Callable[[date], ColumnElement[bool]], ColumnElement[date]]:
        if wanted in self.filters or not self.reviewed or self.newest is None:
            return self.filters[wanted]
        waits = select(_REVIEW.c.number_key).where(
            _REVIEW.c.kind == self.reviewed, _REVIEW.c.status == ReviewState.WAITING
        )
        return (lambda _: self.table.c.number_key.in_(waits)), self.newest

    def _told(self, connection: Connection, records: Sequence[T]) -> tuple[T, ...]:
        """Return records with how far they are on their way through their approval."""
        if not self.reviewed or not records:
            return tuple(records)
        keys = [fold(record.number) for record in records]
        wanted = select(_REVIEW).where(_REVIEW.c.kind == self.reviewed, _REVIEW.c.number_key.in_(keys))
        found = {
            row.number_key: review_told(row, partial(next_approvers, self.reviewed))
            for row in connection.execute(wanted)
        }
        if not found:
            return tuple(records)
        return tuple(replace(record, review=found.get(fold(record.number))) for record in records)  # type: ignore[call-arg]  # a kind that is reviewed

    def _day_in(self, wanted: Filter) -> ColumnElement[date] | None:
        """Return the date column of a list; completed documents use their completion date."""
        return self.filters[wanted][1] if wanted in NEWEST_FIRST and wanted in self.filters else self.newest


def build_of(kind: type[T], line: type[Any] | None = None) -> Build[T]:
    """Return the builder of records stored completely in their rows, with lines of type ``line`` if they have any."""

    def build(row: Record, source: str, lines: Iterable[Record]) -> T:
        own: dict[str, Any] = {"id": row.number if "number" in row._fields else row.code, "source": source}
        if line is not None:
            own["lines"] = tuple(record_of(line, each, currency=getattr(row, "currency", "")) for each in lines)
        return with_owner(record_of(kind, row, **own))

    return build


def review_told(row: Record, approvers: Callable[[int, str, str], tuple[str, ...]]) -> Review:
    """Return what a row tells of an approval; ``approvers`` are those of a level but who asked and who decided."""
    waits = row.status == ReviewState.WAITING
    pending = approvers(row.level, row.requester, row.decided_by) if waits else ()
    return record_of(
        Review,
        row,
        state=ReviewState(row.status),
        version=str(row.version),
        approval=record_of(Approval, row, pending_for=pending) if waits or row.decided_by else None,
        people=NAMES,
    )


def _is_of(lines: Table, product: str) -> ColumnElement[bool]:
    """Return the condition for a product's lines: they spell its code exactly."""
    return lines.c.sku.in_(select(_PRODUCT.c.sku).where(_PRODUCT.c.sku_key == fold(product)))


@lru_cache
def by_number(table: Table) -> Select[Any]:
    """Return the query for the row of a folded number."""
    return select(table).where(table.c.number_key == bindparam("key"))


@lru_cache
def lines_of(table: Table) -> Select[Any]:
    """Return the query for the lines of a document, in order."""
    return select(table).where(table.c.number_key == bindparam("key")).order_by(table.c.position)
