"""Views and records as JSON, and the JSON Schema of that, both made from the same annotated types.

Amounts are ``{"amount": "12.50", "currency": "CNY"}``, other decimals are strings, days and times are in ISO 8601,
phrases are in the reader's language. What the reader may not see is never left out: ``{"hidden": "amount"}`` stands in
its place and names the class of the field (`bot.words.disclosure`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

from bot.cards.language import Language
from bot.cards.view import View
from bot.erp.model import PurchaseOrder
from bot.words.disclosure import (
    FREE_TEXT,
    HIDDEN,
    WITHHELD,
    ChosenBy,
    ClassedBy,
    FieldClass,
    Stating,
    classed_fields,
)
from bot.words.phrase import Phrase

Json: TypeAlias = Any
Schema: TypeAlias = dict[str, Any]

TEXT = "text"
"""What hides an ERP's own text, which only readers see who may see everything."""
HIDDEN_SCHEMA: Schema = {
    "type": "object",
    "description": "Stands for what the key's owner may not see, and says of which class it is.",
    "properties": {"hidden": {"enum": [*map(str, FieldClass), TEXT]}},
    "required": ["hidden"],
    "additionalProperties": False,
}
HIDDEN_REF: Schema = {"$ref": "#/components/schemas/Hidden"}
_PLUMBING = frozenset({"shared", "apart", "closed", "told_by", "untold", "inherited", "instead"})
"""Fields of every view that tell of its drawing."""
_OF_REVIEW: Mapping[type, Mapping[str, str]] = {
    PurchaseOrder: {
        "status": "state",
        **{name: name for name in ("version", "approval", "requester", "changed_by", "people")},
    }
}
"""What programs read of a document itself that its review says now: its name there."""
_DECIMAL: Schema = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
_PLAIN: Mapping[type, Schema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    Decimal: _DECIMAL,
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    time: {"type": "string", "format": "time"},
    timedelta: {"type": "number", "description": "seconds"},
    NoneType: {"type": "null"},
    Phrase: {"type": "string"},
}


class _FieldMarks(NamedTuple):
    """What the annotation of a field says of its classes: its own, and attributes of the record that have some."""

    name: str
    classes: frozenset[FieldClass]
    attributes: tuple[str, ...]
    is_free: bool

    def hidden(self, record: Any, withheld: Collection[FieldClass]) -> Json:
        """Return what stands for the hidden value of a record."""
        if self.is_free:
            return {"hidden": TEXT}
        said = [getattr(record, attribute) for attribute in self.attributes]
        classes = self.classes.union(*({each} if isinstance(each, FieldClass) else each or () for each in said))
        return hidden_mark(classes, withheld)


def hidden_mark(classes: Collection[FieldClass], withheld: Collection[FieldClass]) -> Json:
    """Return what stands for a hidden value: of its classes the first that was withheld."""
    possible = sorted({*classes} & {*withheld} or classes or withheld or {FieldClass.AMOUNT})
    return {"hidden": str(possible[0])}


def write_view(view: View, language: Language) -> Json:
    """Return a view that is cut already as JSON: the name of its card, and its record."""
    return {"card": view.card, **_Writer(language, view.withheld).write(view)}


class _Writer:
    """Writes values for one reader."""

    def __init__(self, language: Language, withheld: Collection[FieldClass]) -> None:
        self._say = language.say
        self._withheld = withheld

    def write(self, value: Any) -> Json:
        """Return a value as JSON."""
        kind: Any = type(value)
        if kind is str or kind is int or kind is bool or value is None:
            return value
        write = _writing(kind)
        return str(value) if write is None else write(self, value)

    def record(self, record: Any) -> Json:
        made = {}
        kind: Any = type(record)
        for marks in _marked_fields(kind):
            value = getattr(record, marks.name)
            made[marks.name] = marks.hidden(record, self._withheld) if value is HIDDEN else self.write(value)
        return made | {name: made["review"][part] for name, part in _OF_REVIEW.get(kind, {}).items()}

    def items(self, items: Any) -> Json:
        return [self.write(item) for item in items]

    def sorted_items(self, items: Any) -> Json:
        return sorted(map(self.write, items), key=str)

    def named(self, value: Any) -> Json:
        return {name: self.write(getattr(value, name)) for name in value._fields}

    def mapping(self, items: Mapping[Any, Any]) -> Json:
        return {str(key): self.write(value) for key, value in items.items()}

    def words(self, words: Phrase) -> Json:
        return self._say(words)

    def hidden(self, _value: Any) -> Json:
        return hidden_mark((), self._withheld)


@cache
def _writing(kind: type) -> Callable[[_Writer, Any], Json] | None:
    """Return what writes values of a type; None for one that is told as its text."""
    if kind is type(HIDDEN):
        return _Writer.hidden
    if issubclass(kind, Phrase):
        return _Writer.words
    if is_dataclass(kind):
        return _Writer.record
    if issubclass(kind, Mapping):
        return _Writer.mapping
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return _Writer.named
    if issubclass(kind, (tuple, list)):
        return _Writer.items
    if issubclass(kind, (frozenset, set)):
        return _Writer.sorted_items
    return next((write for base, write in _SCALARS.items() if issubclass(kind, base)), None)


_SCALARS: Mapping[type, Callable[[_Writer, Any], Json]] = {
    Enum: lambda _writer, value: value.value,
    str: lambda _writer, value: str(value),
    Decimal: lambda _writer, value: f"{value:f}",
    float: lambda _writer, value: value,
    datetime: lambda _writer, value: value.isoformat(),
    date: lambda _writer, value: value.isoformat(),
    time: lambda _writer, value: value.isoformat(),
    timedelta: lambda _writer, value: value.total_seconds(),
}


@cache
def _marked_fields(kind: type) -> tuple[_FieldMarks, ...]:
    is_view = issubclass(kind, View)
    found = []
    for name, marks, _ in classed_fields(kind):
        if WITHHELD in marks or (is_view and name in _PLUMBING):
            continue
        classes = {mark for mark in marks if isinstance(mark, FieldClass)}
        classes |= {mark.field_class for mark in marks if isinstance(mark, Stating)}
        attributes = tuple(mark.attribute for mark in marks if isinstance(mark, ClassedBy | ChosenBy))
        found.append(_FieldMarks(name, frozenset(classes), attributes, FREE_TEXT in marks))
    return tuple(found)


class Schemas:
    """The schemas of records, each under the name of its class."""

    def __init__(self) -> None:
        self.made: dict[str, Schema] = {"Hidden": HIDDEN_SCHEMA}

    def of_view(self, kind: type[View]) -> Schema:
        """Return a reference to the schema of a view: its record, with the name of its card."""
        return self._record(kind, {"card": {"const": kind.card}})

    def of(self, hint: Any) -> Schema:
        """Return the schema of a type's values."""
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is Annotated:
            return self.of(arguments[0])
        if origin is Literal:
            return {"enum": [*arguments]}
        if origin in (Union, UnionType):
            return {"anyOf": [self.of(each) for each in arguments]}
        if origin is tuple and arguments[1:] != (...,):
            return {"type": "array", "prefixItems": [*map(self._item, arguments)], "minItems": len(arguments)}
        if origin in (tuple, list, frozenset, set) or _is_collection(origin):
            return {"type": "array", "items": self._item(arguments[0])}
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return {"type": "object", "additionalProperties": self._item(arguments[1])}
        if isinstance(origin, type) and is_dataclass(origin):
            return self._record(origin)
        return self._of_class(hint)

    def _of_class(self, hint: Any) -> Schema:
        if not isinstance(hint, type) or isinstance(hint, TypeVar):
            return {}
        if is_dataclass(hint) and not issubclass(hint, Phrase):
            return self._record(hint)
        if issubclass(hint, Enum):
            # A base of several enumerations has no members of its own.
            return {"enum": [member.value for member in hint]} if len(hint) else {"type": "string"}
        if issubclass(hint, tuple) and hasattr(hint, "_fields"):
            hints = get_type_hints(hint, include_extras=True)
            return _object({name: self._item(each) for name, each in hints.items()})
        return dict(next((schema for base, schema in _PLAIN.items() if issubclass(hint, base)), {}))

    def _item(self, hint: Any) -> Schema:
        """Return the schema of an item, which may be hidden where it is a figure."""
        schema = self.of(hint)
        return {"anyOf": [schema, HIDDEN_REF]} if schema and _may_be_figure(hint) else schema

    def _record(self, kind: type, more: Mapping[str, Schema] | None = None) -> Schema:
        name = kind.__name__
        if name not in self.made:
            self.made[name] = {}  # a record may hold others of its kind
            properties = dict(more or {})
            shown = {marks.name: marks for marks in _marked_fields(kind)}
            for field_name, marks, hint in classed_fields(kind):
                if field_name in shown:
                    properties[field_name] = self._field(hint, marks, shown[field_name])
            for known, part in _OF_REVIEW.get(kind, {}).items():
                properties[known] = {**self.made["Review"]["properties"][part], "deprecated": True}
            self.made[name] = _object(properties)
        return {"$ref": f"#/components/schemas/{name}"}

    def _field(self, hint: Any, marks: tuple[object, ...], shown: _FieldMarks) -> Schema:
        schema = self.of(hint)
        if not schema or not (marks or _may_be_figure(hint)):
            return schema
        hidden: Schema = dict(HIDDEN_REF)
        if shown.classes and not shown.attributes:
            hidden["description"] = f"if the key's owner may not see: {', '.join(sorted(shown.classes))}"
        return {"anyOf": [schema, hidden]}


def _object(properties: Mapping[str, Schema]) -> Schema:
    return {"type": "object", "properties": dict(properties), "required": [*properties]}


def _is_collection(origin: Any) -> bool:
    return isinstance(origin, type) and issubclass(origin, Collection) and not issubclass(origin, Mapping)


def _may_be_figure(hint: Any) -> bool:
    """Return whether a value may be a figure, which is hidden also where its field has no class."""
    if isinstance(hint, type):
        return issubclass(hint, Decimal) or hasattr(hint, "unclassed")
    return any(map(_may_be_figure, get_args(hint)))
