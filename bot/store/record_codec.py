"""Converts dataclasses to rows and JSON and back, by the types of their fields.

A codec is built once per dataclass. It gives the stored names that differ from the fields', and the encoding of values
that JSON lacks, such as times. Enums are stored by value, sets in order, tuples as lists.

Pydantic's adapters do not fit the existing data: whole microseconds, and names that differ from the fields'.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, Field, fields
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from operator import attrgetter
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, Union, get_args, get_origin, get_type_hints

import orjson

from bot.outbox.place import Place
from bot.store.row_times import from_ms, to_ms

T = TypeVar("T")

_AS_THEY_ARE = frozenset({str, int, bool, object})
"""Types whose values are stored unchanged."""


class ValueCodec(Protocol):
    """Stores values of a type and restores them; it is never given None."""

    def write(self, value: Any, /) -> Any:
        """Return the stored form."""
        ...

    def read(self, value: Any, /) -> Any:
        """Return the value of a stored form."""
        ...


class PlainCodec(NamedTuple):
    """A codec from two functions."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


Codecs = Mapping[Any, ValueCodec]
"""Annotated field type → encoding of its values."""

IN_MILLISECONDS: Codecs = {datetime: PlainCodec(to_ms, from_ms), Place: PlainCodec(str, Place.parse)}
"""For tables with times in milliseconds, rounded down."""
DATE = PlainCodec(date.isoformat, date.fromisoformat)
DECIMAL = PlainCodec(str, Decimal)
AS_IT_IS = PlainCodec(lambda value: value, lambda value: value)


class RecordCodec(Generic[T]):
    """Stores a dataclass as a mapping of names to values."""

    def __init__(
        self,
        record: type[T],
        codecs: Codecs,
        *,
        names: Mapping[str, str] = MappingProxyType({}),
        skip: Collection[str] = (),
        sparse: Collection[str] = (),
    ) -> None:
        """``names`` maps fields to other stored names. Fields in ``skip`` are stored separately, or not at all. Fields
        in ``sparse`` are left out when they have their default.
        """
        self._record = record
        chosen = [(name, names.get(name, name), codec) for name, codec in field_codecs(record, codecs, skip).items()]
        always = [column for column in chosen if column[0] not in sparse]
        self._plain = [(name, stored) for name, stored, codec in always if codec is None]
        self._coded = [(name, stored, codec.write, codec.read) for name, stored, codec in always if codec is not None]
        self._sparse = [
            (name, stored, (codec or AS_IT_IS).write, _default_of(record, name))
            for name, stored, codec in chosen
            if name in sparse
        ]
        self._readers = {stored: (name, None if codec is None else codec.read) for name, stored, codec in chosen}

    def write(self, record: T) -> dict[str, Any]:
        """Return the stored values by name."""
        values = {stored: getattr(record, name) for name, stored in self._plain}
        for name, stored, write, _ in self._coded:
            value = getattr(record, name)
            values[stored] = None if value is None else write(value)
        for name, stored, write, default in self._sparse:
            value = getattr(record, name)
            if value != default:
                values[stored] = write(value)
        return values

    def read(self, values: Mapping[str, Any], **skipped: Any) -> T:
        """Return the record of stored values; ``skipped`` supplies the fields that are not among them."""
        readers = self._readers
        for stored, value in values.items():
            if stored in readers:
                name, read = readers[stored]
                skipped[name] = value if read is None or value is None else read(value)
        return self._record(**skipped)

    def read_row(self, row: Any, **skipped: Any) -> T:
        """Return the record of a row, whose columns are attributes."""
        for name, stored in self._plain:
            skipped[name] = getattr(row, stored)
        for name, stored, _, read in self._coded:
            value = getattr(row, stored)
            skipped[name] = None if value is None else read(value)
        return self._record(**skipped)


class ListCodec(Generic[T]):
    """Stores a small dataclass, whose fields are never None, as a list of values."""

    def __init__(self, record: type[T], codecs: Codecs) -> None:
        self._record = record
        self._columns = [(name, codec or AS_IT_IS) for name, codec in field_codecs(record, codecs).items()]

    def write(self, record: T) -> list[Any]:
        """Return the stored values."""
        return [codec.write(getattr(record, name)) for name, codec in self._columns]

    def read(self, values: list[Any]) -> T:
        """Return the record of stored values; fields newer than the record have their defaults."""
        columns = zip(self._columns, values, strict=False)
        return self._record(**{name: codec.read(value) for (name, codec), value in columns})


def pack_body(values: Mapping[str, Any], stored: str = "", known: Mapping[str, Any] | None = None) -> str:
    """Return the JSON of a record's values.

    ``stored`` is the JSON that it replaces, and ``known`` the values that were read of it: what a newer version has
    stored beside them stays, since two versions run side by side during an upgrade.
    """
    packed = orjson.dumps(values)
    if known is None:
        return packed.decode()
    read = orjson.dumps(known)
    if read == stored.encode():
        return packed.decode()
    return orjson.dumps(_with_unknown(orjson.loads(packed), orjson.loads(stored), orjson.loads(read))).decode()


def _with_unknown(new: Any, stored: Any, known: Any) -> Any:
    """Return a new value with what the stored one has, at any depth, and the one that was read of it has not.

    An item of a list belongs to the stored one that was read as the same, or else to the one in its place.
    """
    match new, stored, known:
        case dict(), dict(), dict():
            carried = {name: value for name, value in stored.items() if name not in known}
            kept = {name: _with_unknown(value, stored.get(name), known.get(name)) for name, value in new.items()}
            return carried | kept
        case list(), list(), list() if len(stored) > len(known):
            return [*new, *stored[len(known) :]]  # a record whose fields are a list
        case list(), list(), list():
            before = [*zip(stored, known, strict=True)]
            # In a list that lost items, places say nothing.
            places = before if len(new) >= len(before) else []
            return [_with_unknown(item, *_replaced(item, before, places[at : at + 1])) for at, item in enumerate(new)]
    return new


def _replaced(item: Any, before: list[tuple[Any, Any]], in_place: list[tuple[Any, Any]]) -> tuple[Any, Any]:
    same = [pair for pair in before if pair[1] == item]
    return next(iter([*same, *in_place]), (None, None))


def field_codecs(record: type[Any], codecs: Codecs, skip: Collection[str] = ()) -> dict[str, ValueCodec | None]:
    """Return the codec of each field, None for values stored unchanged. Raises `TypeError` for other types."""
    hints = get_type_hints(record)
    return {field.name: _codec_of(hints[field.name], codecs) for field in fields(record) if field.name not in skip}


def _codec_of(hint: Any, codecs: Codecs) -> ValueCodec | None:
    if hint in codecs:
        return codecs[hint]
    if hint in _AS_THEY_ARE:
        return None
    if isinstance(hint, type) and issubclass(hint, Enum):
        return PlainCodec(attrgetter("value"), {member.value: member for member in hint}.__getitem__)
    arguments = [argument for argument in get_args(hint) if argument not in (NoneType, Ellipsis)]
    match get_origin(hint):
        case origin if origin in (UnionType, Union) and len(arguments) == 1:
            return _codec_of(arguments[0], codecs)
        case origin if origin is tuple and len(arguments) == 1:
            return _tuple_codec(_codec_of(arguments[0], codecs))
        case origin if origin is frozenset:
            return PlainCodec(sorted, frozenset)
        case origin if origin is Mapping:
            return _mapping_codec(_codec_of(arguments[1], codecs))
    raise TypeError(f"no codec for {hint}")


def _tuple_codec(item: ValueCodec | None) -> ValueCodec:
    if item is None:
        return PlainCodec(list, tuple)
    write, read = item.write, item.read
    return PlainCodec(lambda values: list(map(write, values)), lambda values: tuple(map(read, values)))


def _mapping_codec(item: ValueCodec | None) -> ValueCodec:
    if item is None:
        return PlainCodec(dict, MappingProxyType)
    write, read = item.write, item.read
    return PlainCodec(
        lambda values: {key: write(value) for key, value in values.items()},
        lambda values: MappingProxyType({key: read(value) for key, value in values.items()}),
    )


def _default_of(record: type[Any], name: str) -> Any:
    field: Field[Any] = record.__dataclass_fields__[name]
    return field.default if field.default_factory is MISSING else field.default_factory()
