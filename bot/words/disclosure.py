"""The classes of fields that a company hides from some readers, and the mark that replaces hidden values.

A field declares its class in its record: ``total: Annotated[Money | None, FieldClass.AMOUNT]``. Views, lists, alerts
and exports are built from the same records, so none of them can forget it. `cut` removes from any of them what a reader
may not see.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sized
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from functools import cache, lru_cache
from operator import attrgetter, is_
from types import MappingProxyType, MemberDescriptorType, NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

import structlog

from bot.words.phrase import Phrase

log = structlog.get_logger(__name__)

T = TypeVar("T")


class FieldClass(StrEnum):
    """What a field reveals about the company's business. Fields without a class are visible to every reader."""

    QUANTITY = "quantity"
    """Quantities in stock, ordered, delivered or produced."""
    AMOUNT = "amount"
    """Money in sales: prices, totals, receivables."""
    COST = "cost"
    """Money in purchasing and production: purchase prices, totals, margins."""
    PARTNER = "partner"
    """The name of a customer or vendor."""
    CONTACT = "contact"
    """Phone numbers, addresses and accounts of people outside the company."""
    MATERIALS = "materials"
    """A product's components, and the products that contain it."""


ALL_FIELDS = frozenset(FieldClass)
"""The classes of a reader who may see everything."""

SHARED_FIELDS = frozenset({FieldClass.QUANTITY, FieldClass.PARTNER, FieldClass.MATERIALS})
"""The classes on a shared card unless a rule says otherwise (docs: contracts.md#smallest-configurations)."""

MONEY_FIELDS = frozenset({FieldClass.AMOUNT, FieldClass.COST})
"""The classes required for money whose field declares none."""

_FIGURES = MONEY_FIELDS | {FieldClass.QUANTITY}
"""The same for any other figure."""


@dataclass(frozen=True, slots=True)
class ClassedBy:
    """Annotates a field whose classes depend on its record: ``attribute`` is a `FieldClass`, several, or None."""

    attribute: str


@dataclass(frozen=True, slots=True)
class ChosenBy:
    """Annotates a value chosen by comparing figures, such as the rows above an amount: ``attribute`` holds their
    classes.

    Readers who may not see all of these see nothing of it, not even that it is empty; for others it is cut as usual.
    """

    attribute: str


@dataclass(frozen=True, slots=True)
class Stating:
    """Annotates words that may state figures of a class.

    Figures in a phrase are hidden, and plain text as a whole if it contains a digit.
    """

    field_class: FieldClass


class _Marker(Enum):
    FREE_TEXT = "free text"
    WITHHELD = "withheld"


FREE_TEXT: Final = _Marker.FREE_TEXT
"""Annotates an ERP's own text, which may contain anything: only readers who may see everything see it.

No built-in card shows it, so a card without it is not marked as withholding something.
"""

WITHHELD: Final = _Marker.WITHHELD
"""Annotates the field (a ``frozenset[FieldClass]``) in which `cut` notes the removed classes."""


class Hidden:
    """Replaces a value that the reader may not see; there is one instance, `HIDDEN`.

    It is false and empty, equals nothing else, and returns itself for every attribute, item and sum, so that no
    template fails on it; it is displayed as a lock.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "HIDDEN"

    def __str__(self) -> str:
        return "🔒"

    def __format__(self, spec: str) -> str:
        return str(self)

    def __reduce__(self) -> str:
        return "HIDDEN"

    def __bool__(self) -> bool:
        return False

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[NoReturn]:
        return iter(())

    def __contains__(self, item: object) -> bool:
        return False

    def __getattr__(self, name: str) -> Hidden:
        if name.startswith("_"):
            raise AttributeError(name)
        return self

    def __call__(self, *args: object, **kwargs: object) -> Hidden:
        return self

    def _itself(self, *others: object) -> Hidden:
        return self

    def _never(self, other: object) -> bool:
        return False

    __getitem__ = __neg__ = __pos__ = __abs__ = __round__ = _itself
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _itself
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _itself
    __lt__ = __le__ = __gt__ = __ge__ = _never


HIDDEN: Final[Any] = Hidden()
"""Replaces a value that the reader may not see; any field may hold it after `cut`."""


def cut(record: T, fields: frozenset[FieldClass]) -> T:
    """Return ``record`` with `HIDDEN` for everything outside ``fields``; the same object if nothing is replaced.

    Nested records in tuples, sets and mappings are cut too. A value that is None or empty reveals nothing and stays.
    Money and numbers in fields without a class are shown only to readers who may see all figures.
    """
    if fields >= ALL_FIELDS:
        return record
    shown: T = _cutter(fields).cut_whole(record)
    return shown


def cut_part(record: T, fields: frozenset[FieldClass]) -> tuple[T, frozenset[FieldClass]]:
    """Cut a part of a view like `cut`, and return it with the removed classes, for the view to note."""
    if fields >= ALL_FIELDS:
        return record, frozenset()
    shown, classes = _cutter(fields).cut_noting(record)
    return shown, classes


class _Taken:
    """The classes removed by one call of `cut`, and the records it made: many views hold the lines of a document
    twice.
    """

    __slots__ = ("classes", "made")

    def __init__(self) -> None:
        self.classes: set[FieldClass] = set()
        self.made: dict[int, Any] = {}


_Cut = Callable[[Any, _Taken], Any]
"""Returns a value cut or unchanged, and notes the removed classes."""
_Copy = Callable[[Any, Mapping[str, Any]], Any]
"""Returns a record with other values in some of its fields."""


@dataclass(frozen=True, slots=True)
class _FieldRules:
    """The handling of a record's fields, by name, for one set of visible classes."""

    hide: tuple[tuple[str, frozenset[FieldClass]], ...]
    drop: tuple[str, ...]
    ask: tuple[tuple[str, str], ...]
    chosen: tuple[tuple[str, str], ...]
    words: tuple[tuple[str, FieldClass], ...]
    walk: tuple[str, ...]
    note: str


class _Cuts(dict[type, _Cut]):
    """The cutter of each type, built on first use. Every record of an answer is looked up here."""

    def __init__(self, compile_cut: Callable[[type], _Cut]) -> None:
        super().__init__()
        self._compile = compile_cut

    def __missing__(self, kind: type) -> _Cut:
        return self.setdefault(kind, self._compile(kind))


class _Cutter:
    """Cuts for readers with one set of classes; it reads the annotations of each type once."""

    def __init__(self, visible: frozenset[FieldClass]) -> None:
        self._visible = visible
        self._cuts = _Cuts(self._compile)
        self._notes: dict[type, str] = {}

    def cut_whole(self, record: Any) -> Any:
        taken = _Taken()
        result = self._cuts[type(record)](record, taken)
        if taken.classes and (note := self._notes.get(type(record))):
            result = replace(result, **{note: getattr(record, note) | taken.classes})
        return result

    def cut_noting(self, record: Any) -> tuple[Any, frozenset[FieldClass]]:
        taken = _Taken()
        return self._cuts[type(record)](record, taken), frozenset(taken.classes)

    def _compile(self, kind: type) -> _Cut:
        if issubclass(kind, Phrase):
            return self._cut_phrase
        if is_dataclass(kind):
            return self._compile_record(kind)
        if issubclass(kind, Decimal):
            return self._hiding(_FIGURES)
        if issubclass(kind, Mapping):
            return self._cut_mapping
        return self._cut_items if issubclass(kind, (tuple, list, frozenset)) else _same

    def _compile_record(self, kind: type) -> _Cut:
        if classes := getattr(kind, "unclassed", None):
            return self._hiding(classes)
        rules = _read_rules(kind, self._visible)
        if rules.note:
            self._notes[kind] = rules.note
        if not any((rules.hide, rules.drop, rules.ask, rules.chosen, rules.words, rules.walk)):
            return _same
        copy, walk, cuts = _copier(kind), rules.walk, self._cuts
        hides = any((rules.hide, rules.drop, rules.ask, rules.chosen, rules.words))

        def cut_once(record: Any, taken: _Taken) -> Any:
            if taken.made and (known := taken.made.get(id(record))) is not None:
                return known
            changes = self._hide_fields(record, rules, taken) if hides else {}
            for name in walk:
                value = changes.get(name, getattr(record, name))
                cut_value = cuts[type(value)]
                if cut_value is not _same and (value or isinstance(value, Decimal)):
                    shown = cut_value(value, taken)
                    if shown is not value:
                        changes[name] = shown
            if not changes:
                return record
            made = taken.made[id(record)] = copy(record, changes)
            return made

        return cut_once

    def _hiding(self, classes: frozenset[FieldClass]) -> _Cut:
        missing = classes - self._visible
        if not missing:
            return _same

        def hide(_value: Any, taken: _Taken) -> Any:
            taken.classes |= missing
            return HIDDEN

        return hide

    def _hide_fields(self, record: Any, rules: _FieldRules, taken: _Taken) -> dict[str, Any]:
        """Return the changed fields, without those that hold records."""
        changes: dict[str, Any] = {}
        for name, missing in rules.hide:
            value = getattr(record, name)
            if value is not None and not _tells_nothing(value):
                changes[name] = HIDDEN
                taken.classes |= missing
        for name in rules.drop:
            if not _tells_nothing(getattr(record, name)):
                changes[name] = HIDDEN
        for name, attribute in rules.ask:
            missing = _classes(getattr(record, attribute)) - self._visible
            if missing and not _tells_nothing(getattr(record, name)):
                changes[name] = HIDDEN
                taken.classes |= missing
        for name, attribute in rules.chosen:
            if missing := _classes(getattr(record, attribute)) - self._visible:
                changes[name] = HIDDEN
                taken.classes |= missing
        for name, field_class in rules.words:
            value = getattr(record, name)
            shown = self._cut_words(value, field_class, taken)
            if shown is not value:
                changes[name] = shown
        return changes

    def _cut_items(self, items: Any, taken: _Taken) -> Any:
        cuts = self._cuts
        shown = [cuts[type(item)](item, taken) for item in items]
        if all(map(is_, shown, items)):
            return items
        make = getattr(type(items), "_make", type(items))  # a named tuple is not built from a list
        return make(shown)

    def _cut_mapping(self, items: Mapping[Any, Any], taken: _Taken) -> Mapping[Any, Any]:
        cuts = self._cuts
        shown = {key: cuts[type(value)](value, taken) for key, value in items.items()}
        return items if all(map(is_, shown.values(), items.values())) else MappingProxyType(shown)

    def _cut_phrase(self, phrase: Phrase, taken: _Taken) -> Phrase:
        if not phrase.params:
            return phrase
        params = self._cut_mapping(phrase.params, taken)
        return phrase if params is phrase.params else Phrase(phrase.msgid, params)

    def _cut_words(self, words: Any, field_class: FieldClass, taken: _Taken) -> Any:
        """Hide the figures in words of a class that the reader may not see."""
        if isinstance(words, str):
            tells = any(map(str.isdigit, words))
        elif isinstance(words, Phrase):
            return self._cut_stating(words, field_class, taken)
        elif isinstance(words, tuple):
            shown = tuple(self._cut_words(each, field_class, taken) for each in words)
            return words if all(map(is_, shown, words)) else shown
        else:
            tells = _is_figure(words)
        if not tells:
            return words
        taken.classes.add(field_class)
        return HIDDEN

    def _cut_stating(self, words: Phrase, field_class: FieldClass, taken: _Taken) -> Phrase:
        params = {
            name: self._cut_words(value, field_class, taken) if _is_figure(value) else value
            for name, value in words.params.items()
        }
        unchanged = all(map(is_, params.values(), words.params.values()))
        return words if unchanged else Phrase(words.msgid, MappingProxyType(params))


@lru_cache(maxsize=64)
def _cutter(visible: frozenset[FieldClass]) -> _Cutter:
    return _Cutter(visible)


def _copier(kind: type) -> _Copy:
    """Return a function that copies a record with some new values: for slots in a fraction of the time of `replace`."""
    names = tuple(field.name for field in fields(kind))
    slots = {name: slot for name in names if isinstance(slot := getattr(kind, name, None), MemberDescriptorType)}
    if len(slots) < max(2, len(names)) or hasattr(kind, "__post_init__"):
        return lambda record, changes: replace(record, **changes)
    values = attrgetter(*names)
    fill = tuple(slot.__set__ for slot in slots.values())
    put = {name: slot.__set__ for name, slot in slots.items()}

    def copy(record: Any, changes: Mapping[str, Any]) -> Any:
        made: Any = object.__new__(kind)
        for fill_slot, value in zip(fill, values(record), strict=True):
            fill_slot(made, value)
        for name, value in changes.items():
            put[name](made, value)
        return made

    return copy


def _same(value: Any, _taken: _Taken) -> Any:
    return value


def _is_figure(value: object) -> bool:
    """Return whether a parameter of a phrase may be a figure; a document number is not one."""
    if isinstance(value, str):
        return _FRACTION.fullmatch(value) is not None
    return isinstance(value, (Decimal, Phrase)) or hasattr(type(value), "unclassed")


def _tells_nothing(value: object) -> bool:
    return not value and (value is None or isinstance(value, Sized))


def _classes(said: FieldClass | frozenset[FieldClass] | None) -> frozenset[FieldClass]:
    if said is None:
        return frozenset()
    return frozenset({said}) if isinstance(said, FieldClass) else said


def _read_rules(kind: type, visible: frozenset[FieldClass]) -> _FieldRules:
    """Return the handling of each field of a record, from its annotation."""
    hide: list[tuple[str, frozenset[FieldClass]]] = []
    ask: list[tuple[str, str]] = []
    chosen: list[tuple[str, str]] = []
    words: list[tuple[str, FieldClass]] = []
    drop, walk, note = [], [], ""
    for name, marks, hint in classed_fields(kind):
        classes = frozenset(mark for mark in marks if isinstance(mark, FieldClass))
        asked = [mark.attribute for mark in marks if isinstance(mark, ClassedBy)]
        chosen.extend((name, mark.attribute) for mark in marks if isinstance(mark, ChosenBy))
        stated = [mark.field_class for mark in marks if isinstance(mark, Stating)]
        if WITHHELD in marks:
            note = name
        elif FREE_TEXT in marks:
            drop.append(name)
        elif classes:
            if missing := classes - visible:
                hide.append((name, missing))
        elif asked:
            ask.extend((name, attribute) for attribute in asked)
        elif stated:
            words.extend((name, field_class) for field_class in stated if field_class not in visible)
        elif not _is_plain(hint):
            walk.append(name)
        if (classes or asked) and _holds_records(hint):
            walk.append(name)  # a reader who may see the list may not see all of its records
    return _FieldRules(tuple(hide), tuple(drop), tuple(ask), tuple(chosen), tuple(words), tuple(walk), note)


@cache
def classed_fields(kind: type) -> tuple[tuple[str, tuple[object, ...], Any], ...]:
    """Return the name of each field of a dataclass, the marks of its annotation, and its type.

    They are the same for every reader, and reading the annotations takes longer than cutting a record.
    """
    try:
        hints = get_type_hints(kind, include_extras=True)
    except NameError as error:
        log.error("disclosure.unreadable_type", record=kind.__qualname__, why=str(error))
        hints = {field.name: _readable_hint(kind, field.name) for field in fields(kind)}
    return tuple((field.name, tuple(_marks(hints[field.name])), hints[field.name]) for field in fields(kind))


def _readable_hint(kind: type, name: str) -> Any:
    """Return the type of a field; one with an unresolvable name counts as carrying every class."""
    for base in kind.__mro__:
        annotations = inspect.get_annotations(base)
        if name in annotations:
            single = type(name, (), {"__annotations__": {name: annotations[name]}, "__module__": base.__module__})
            try:
                return get_type_hints(single, include_extras=True)[name]
            except NameError:
                break
    return Annotated[(object, *FieldClass)]


def _marks(hint: Any) -> Iterator[object]:
    """Yield the annotations of a type and of its component types."""
    if get_origin(hint) is Annotated:
        yield from hint.__metadata__
    for part in get_args(hint):
        yield from _marks(part)


_FRACTION = re.compile(r"[-+]?\d[\d,]*\.\d+")
_PLAIN = (str, int, date, datetime, time, timedelta, Enum, NoneType)
_CONTAINERS = (tuple, list, frozenset, Mapping, Union, UnionType)


def _holds_records(hint: Any) -> bool:
    """Return whether values of a type hold records whose fields have classes."""
    if isinstance(hint, type) and is_dataclass(hint):
        return not hasattr(hint, "unclassed") and not issubclass(hint, Phrase)
    return any(map(_holds_records, get_args(hint)))


def _is_plain(hint: Any) -> bool:
    """Return whether values of a type can hold nothing with a class."""
    origin = get_origin(hint)
    if origin is Literal:
        return True
    if origin is not None:
        parts = [part for part in get_args(hint) if part is not Ellipsis]
        return (origin in _CONTAINERS or origin is Mapping) and all(map(_is_plain, parts))
    return isinstance(hint, type) and issubclass(hint, _PLAIN)
