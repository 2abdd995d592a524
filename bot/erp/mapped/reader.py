"""Reads rows of a database or objects of an API, field by field, as the configuration maps them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from bot.erp.errors import Invalid
from bot.erp.keys import spelled_alike
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
"""Of the required kinds: an order whose customer has no name is odd, but it is an order."""

FLOAT = "comes as a binary float and may have lost digits: keep it as text or an exact number, or cast it in the query"


class RecordUnreadable(Exception):
    """A record lacks a field without which it cannot be shown."""

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
    """The fields of a record, each of its kind; a field that the ERP leaves empty is None, “” or ()."""

    fields: Mapping[str, Any]
    currency: str
    unit: str
    source: str

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    def some(self, *names: str) -> dict[str, Any]:
        """Return several fields by name."""
        return {name: self.fields[name] for name in names}

    def record(self, kind: type[R], /, **more: Any) -> R:
        """Return the record that these fields make, with what they lack, or what they do not tell as it is."""
        names = [field.name for field in fields(kind)]  # type: ignore[arg-type]  # only called with dataclasses
        return kind(**{name: self._value(name) for name in names if name in self.fields or name == "source"} | more)

    def _value(self, name: str) -> Any:
        if name in MONEY:
            return self.money(name)
        match name:
            case "id":
                return self.fields["id"] or self.fields.get("number") or self.fields["code"]
            case "unit":
                return self.unit
            case "source":
                return self.source
            case "is_active":
                return self.fields["is_active"] is not False
            case _:
                return self.fields[name]

    def money(self, name: str) -> Money | None:
        """Return an amount, or None without a currency."""
        amount = self.fields[name]
        return None if amount is None or not self.currency else Money(amount, self.currency)


@dataclass(frozen=True, slots=True)
class RecordBuilder(Generic[R]):
    """How a kind of record is built: area, shape, the field that is its key, and a function of values and lines."""

    area: Area
    shape: Schema
    key: str
    build: Callable[[RecordFields, tuple[Any, ...], MappingContext], R]


@dataclass(frozen=True, slots=True)
class RecordMapping(Generic[R]):
    """A builder with the sources of its fields, and the same of its lines if it has any."""

    layout: RecordBuilder[R]
    fields: Fields
    lines: RecordMapping[Any] | None = None


class RecordReader:
    """Builds records out of rows."""

    def __init__(
        self, context: MappingContext, look: ReadField, *, meaning: Callable[[str, Any], Any] | None = None
    ) -> None:
        """``meaning`` returns what a value means in a list of lookups."""
        self.context = context
        self._look = look
        self._meaning = meaning

    def single(self, mapped: RecordMapping[R], row: Any, lines: Iterable[Any] = ()) -> R:
        """Return a record with its lines; raises `Invalid` if the record or a line is unreadable."""
        try:
            values = self.values(mapped, row)
            built = tuple(self.line(mapped.lines, line, values) for line in lines) if mapped.lines else ()
        except RecordUnreadable as error:
            self._note(mapped, row, error.field, error.reason, kept=False)
            raise Invalid(f"{mapped.layout.area}: {error}", source=self.context.source) from None
        return mapped.layout.build(values, built, self.context)

    def many(self, mapped: RecordMapping[R], rows: Iterable[Any]) -> list[R]:
        """Return the readable records, without lines; the others are noted."""
        records = []
        for row in rows:
            try:
                values = self.values(mapped, row)
            except RecordUnreadable as error:
                self._note(mapped, row, error.field, error.reason, kept=False)
            else:
                records.append(mapped.layout.build(values, (), self.context))
        return records

    def key(self, mapped: RecordMapping[Any], row: Any) -> str:
        """Return a row's SKU or number as far as it can be read."""
        origin = mapped.fields.get(mapped.layout.key)
        try:
            return "" if origin is None else read.key(self._raw(origin, row))
        except ValueUnreadable:
            return ""

    def line(self, mapped: RecordMapping[R], row: Any, parent: RecordFields) -> R:
        """Return a line of a record; raises `RecordUnreadable`."""
        return mapped.layout.build(self.values(mapped, row, parent.currency), (), self.context)

    def values(self, mapped: RecordMapping[Any], row: Any, currency: str = "") -> RecordFields:
        """Return the fields of a row; raises `RecordUnreadable`. ``currency`` is for amounts of a row without one."""
        found: dict[str, Any] = {}
        for name, item in mapped.layout.shape.items():
            origin = mapped.fields.get(name)
            found[name] = _EMPTY.get(item.kind) if origin is None else self._field(mapped, name, item, origin, row)
        unit = found.get("unit") or self.context.unit
        currency = (found.get("currency") or currency or self.context.currency).upper()
        if any(found.get(name) is not None for name in MONEY) and not (len(currency) == 3 and currency.isalpha()):
            self._note(mapped, row, "currency", "is none: three letters such as CNY are", kept=True)
            currency = ""
        return RecordFields(found, currency, unit, self.context.source)

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
        """Return the ERP's value, translated where it is a mapped word; None for nothing."""
        raw = self._look(row, origin.from_) if origin.from_ else None
        if origin.lookup and self._meaning is not None and raw is not None:
            raw = self._meaning(origin.lookup, raw)
        if origin.words and raw is not None and not isinstance(raw, list | tuple | dict):
            theirs = read.key(raw)
            ours = origin.word(theirs)
            raw = raw if ours == theirs else ours
        if raw is None or (isinstance(raw, str) and not raw.strip()):
            return origin.default
        if origin.present is not None:
            return origin.default if raw in (0, "0", False, [], {}) else origin.present
        return raw

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
    """Return the row whose key is ``wanted``, to the letter or else in any case; None if there is none.

    Other rows of a lookup, such as numbers that start alike, are ignored. Raises `Invalid` for several equal matches:
    to take any would be a guess.
    """
    found = spelled_alike(rows, wanted, key)
    if len(found) > 1:
        raise Invalid(f"{len(found)} records have this number", source=source)
    return found[0] if found else None
