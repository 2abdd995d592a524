"""Reads rows of a database or objects of an API, field by field, as the configuration maps them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from bot.erp.errors import Invalid
from bot.erp.mapped import values as read
from bot.erp.mapped.bad_values import BadValue, BadValues
from bot.erp.mapped.schema import MONEY, FieldKind, FieldSpec, Schema
from bot.erp.mapped.sources import Fields, FieldSource
from bot.erp.mapped.values import ValueUnreadable
from bot.erp.model import Area, Money, Progress

R = TypeVar("R")

ReadField = Callable[[Any, str], Any]
"""Returns what a row has under a column or path, None for nothing."""

_EMPTY: Mapping[Any, Any] = {FieldKind.KEY: "", FieldKind.TEXT: "", FieldKind.NAMES: ()}
_MAY_BE_EMPTY = FieldKind.TEXT
"""Of the required sorts: a customer without a name is odd, and an order all the same."""

FLOAT = "comes as a binary float and may have lost digits: keep it as text or an exact number, or cast it in the query"


class RecordUnreadable(Exception):
    """A record lacks something without which it cannot be told."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field} {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class MappingContext:
    """What holds for all records of a source."""

    source: str
    zone: ZoneInfo
    currency: str
    unit: str
    now: Callable[[], datetime]
    bad_values: BadValues

    def today(self) -> date:
        """Return the date that it is at the source."""
        return self.now().astimezone(self.zone).date()


@dataclass(frozen=True, slots=True)
class RecordFields:
    """The fields of one record, each of its sort; what the ERP does not say is None, “” or ()."""

    fields: Mapping[str, Any]
    currency: str
    unit: str

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    def some(self, *names: str) -> dict[str, Any]:
        """Return several fields by name."""
        return {name: self.fields[name] for name in names}

    def money(self, name: str) -> Money | None:
        """Return an amount; one without a currency is not told."""
        amount = self.fields[name]
        return None if amount is None or not self.currency else Money(amount, self.currency)


@dataclass(frozen=True, slots=True)
class RecordBuilder(Generic[R]):
    """One kind of record: its area, its shape, which field is its key, and how it is made of its values and lines."""

    area: Area
    shape: Schema
    key: str
    build: Callable[[RecordFields, tuple[Any, ...], MappingContext], R]


@dataclass(frozen=True, slots=True)
class RecordMapping(Generic[R]):
    """A layout with where its fields come from, and the same of its lines if it has any."""

    layout: RecordBuilder[R]
    fields: Fields
    lines: RecordMapping[Any] | None = None


class RecordReader:
    """Makes records of rows."""

    def __init__(self, context: MappingContext, look: ReadField) -> None:
        self.context = context
        self._look = look

    def single(self, mapped: RecordMapping[R], row: Any, lines: Iterable[Any] = ()) -> R:
        """Return a record with its lines; raises `Invalid` where one of them cannot be told."""
        try:
            values = self.values(mapped, row)
            told = tuple(self.line(mapped.lines, line, values) for line in lines) if mapped.lines else ()
        except RecordUnreadable as unfit:
            self._note(mapped, row, unfit.field, unfit.reason, kept=False)
            raise Invalid(f"{mapped.layout.area}: {unfit}", source=self.context.source) from None
        return mapped.layout.build(values, told, self.context)

    def many(self, mapped: RecordMapping[R], rows: Iterable[Any]) -> list[R]:
        """Return the records that can be told, without lines; the others are kept aside."""
        told = []
        for row in rows:
            try:
                values = self.values(mapped, row)
            except RecordUnreadable as unfit:
                self._note(mapped, row, unfit.field, unfit.reason, kept=False)
            else:
                told.append(mapped.layout.build(values, (), self.context))
        return told

    def key(self, mapped: RecordMapping[Any], row: Any) -> str:
        """Return a row's SKU or number as far as it can be read."""
        origin = mapped.fields.get(mapped.layout.key)
        try:
            return "" if origin is None else read.key(self._raw(origin, row))
        except ValueUnreadable:
            return ""

    def line(self, mapped: RecordMapping[R], row: Any, parent: RecordFields) -> R:
        """Return one line of a record; raises `RecordUnreadable`."""
        return mapped.layout.build(self.values(mapped, row, parent.currency), (), self.context)

    def values(self, mapped: RecordMapping[Any], row: Any, currency: str = "") -> RecordFields:
        """Return the fields of a row; raises `RecordUnreadable`. ``currency``: of its amounts if it names none
        itself.
        """
        found: dict[str, Any] = {}
        for name, item in mapped.layout.shape.items():
            origin = mapped.fields.get(name)
            found[name] = _EMPTY.get(item.kind) if origin is None else self._field(mapped, name, item, origin, row)
        unit = found.get("unit") or self.context.unit
        currency = (found.get("currency") or currency or self.context.currency).upper()
        if any(found.get(name) is not None for name in MONEY) and not (len(currency) == 3 and currency.isalpha()):
            self._note(mapped, row, "currency", "is none: three letters such as CNY are", kept=True)
            currency = ""
        return RecordFields(found, currency, unit)

    def _field(self, mapped: RecordMapping[Any], name: str, item: FieldSpec, origin: FieldSource, row: Any) -> Any:
        try:
            raw = self._raw(origin, row)
            if isinstance(raw, float) and read.loses_digits(raw):
                self.context.bad_values.warn(mapped.layout.area, name, FLOAT)
            value = None if raw is None else _of_kind(item, origin, raw, self.context.zone)
        except ValueUnreadable as error:
            if item.required:
                raise RecordUnreadable(name, str(error)) from None
            self._note(mapped, row, name, str(error), kept=True)
            value = None
        if item.required and item.kind is not _MAY_BE_EMPTY and value in (None, ""):
            raise RecordUnreadable(name, "is missing")
        return _EMPTY.get(item.kind) if value is None else value

    def _raw(self, origin: FieldSource, row: Any) -> Any:
        """Return what the ERP has, by our words where it is one of the mapped ones; None for nothing."""
        raw = self._look(row, origin.from_) if origin.from_ else None
        if origin.words and raw is not None and not isinstance(raw, list | tuple | dict):
            said = read.key(raw)
            known = origin.word(said)
            raw = raw if known == said else known
        return origin.default if raw is None or raw == "" or (isinstance(raw, str) and not raw.strip()) else raw

    def _note(self, mapped: RecordMapping[Any], row: Any, name: str, reason: str, *, kept: bool) -> None:
        self.context.bad_values.note(BadValue(mapped.layout.area, self.key(mapped, row), name, reason, kept, row))


def _of_kind(item: FieldSpec, origin: FieldSource, raw: Any, zone: ZoneInfo) -> Any:
    match item.kind:
        case FieldKind.KEY:
            return read.key(raw)
        case FieldKind.TEXT:
            return read.text(raw)
        case FieldKind.NUMBER:
            return read.number(raw, origin.factor)
        case FieldKind.COUNT:
            return read.count(raw)
        case FieldKind.DAY:
            return read.day(raw, origin, zone)
        case FieldKind.MOMENT:
            return read.moment(raw, origin, zone)
        case FieldKind.FLAG:
            return read.flag(raw)
        case FieldKind.NAMES:
            return tuple(origin.word(name) for name in read.names(raw, origin.split))
        case kind if kind is Progress:
            return read.progress(raw, origin.full)
        case kind:
            return read.word(kind, raw)


def matching(rows: Sequence[Any], wanted: str, key: Callable[[Any], str], *, source: str) -> Any | None:
    """Return the one row whose key is ``wanted``, in its case or else in any; None if there is none.

    What a lookup finds beyond that (a number that only starts alike) is not taken for it. Raises `Invalid` where
    several are as good: which one is meant cannot be known.
    """
    exact = [row for row in rows if key(row) == wanted]
    found = exact or [row for row in rows if key(row).casefold() == wanted.casefold()]
    if len(found) > 1:
        raise Invalid(f"{len(found)} records have this number", source=source)
    return found[0] if found else None
