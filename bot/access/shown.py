"""What an answer shows: its field classes, and the document numbers among its records.

Fields declare their class (`bot.words.disclosure`). In every record the field ``number`` is a document number;
``subject`` is an alert's subject: a number or code, or one followed by words, which are left out here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple, TypeVar, get_args, get_type_hints

from bot.words.disclosure import ClassedBy, FieldClass

SENSITIVE = frozenset(FieldClass) - {FieldClass.QUANTITY}
"""Classes whose display is recorded."""

_NUMBER, _SUBJECT = "number", "subject"


class ShownData(NamedTuple):
    """What a record shows: sensitive classes, and document numbers in order."""

    classes: frozenset[FieldClass]
    documents: tuple[str, ...]


def find_shown(record: object) -> ShownData:
    """Return what a view or another record shows; cut values (`bot.words.disclosure`) count as not shown."""
    classes: set[FieldClass] = set()
    documents: dict[str, None] = {}
    _look_into(record, classes, documents)
    return ShownData(frozenset(classes), tuple(documents))


def find_opened(record: object) -> tuple[str, ...]:
    """Return the numbers of the documents a view is about, excluding its rows and other lists."""
    documents: dict[str, None] = {}
    _look_into(record, set(), documents, lists=False)
    return tuple(documents)


class _Field(NamedTuple):
    """A field that may show something: by its class, as a number, or by its contents.

    ``classed_by`` is the record's attribute that gives the classes, if any.
    """

    name: str
    declared: FieldClass | None
    classed_by: str
    is_number: bool
    holds_more: bool


def _look_into(value: object, classes: set[FieldClass], documents: dict[str, None], *, lists: bool = True) -> None:
    """Collect what a record and all records inside it show; those in ``lists`` only if requested."""
    kind: Any = type(value)
    plan = _plan_of(kind)
    if plan is not None:
        for name, declared, classed_by, is_number, holds_more in plan:
            held = getattr(value, name)
            # Zero is a figure; any other false value is empty, or the mark that replaces a cut one.
            if not held and (held is None or not isinstance(held, (int, Decimal))):
                continue
            if declared is not None:
                classes.add(declared)
            elif classed_by:
                classes |= _sensitive(getattr(value, classed_by))
            if is_number and type(held) is str and (name == _NUMBER or is_code(held)):
                documents[held] = None
            if holds_more:
                _look_into(held, classes, documents, lists=lists)
    elif not lists:
        return
    elif isinstance(value, tuple | list | set | frozenset):
        for part in value:
            _look_into(part, classes, documents)
    elif isinstance(value, Mapping):
        for part in value.values():
            _look_into(part, classes, documents)


@cache
def _plan_of(record: type[Any]) -> tuple[_Field, ...] | None:
    """Return the fields of a dataclass worth checking, None for other types.

    Most fields are not: checking an answer takes some tens of microseconds.
    """
    if not is_dataclass(record):
        return None
    return tuple(field for field in _fields_of(record, ()) if _is_worth_a_look(field))


def is_code(text: str) -> bool:
    """Return whether a text is a single number or code, and not a name or a sentence."""
    return len(text.split()) == 1 and any(map(str.isdigit, text))


def _is_worth_a_look(field: _Field) -> bool:
    return field.declared is not None or bool(field.classed_by) or field.is_number or field.holds_more


def _sensitive(said: FieldClass | frozenset[FieldClass] | None) -> frozenset[FieldClass]:
    """Return the classes that a record gives for one of its fields."""
    if said is None:
        return frozenset()
    return SENSITIVE & (frozenset({said}) if isinstance(said, FieldClass) else said)


def _fields_of(record: type[Any], around: tuple[type[Any], ...]) -> Iterator[_Field]:
    hints = get_type_hints(record, include_extras=True)
    for field in fields(record):
        hint = hints[field.name]
        found = _mark_in(hint)
        yield _Field(
            name=field.name,
            declared=found if isinstance(found, FieldClass) and found in SENSITIVE else None,
            classed_by=found.attribute if isinstance(found, ClassedBy) else "",
            is_number=field.name in (_NUMBER, _SUBJECT),
            holds_more=_may_hold_more(hint, (*around, record)),
        )


def _may_hold_more(hint: Any, around: tuple[type[Any], ...]) -> bool:
    """Return whether a value of this type may be, or hold, a record that shows something."""
    if isinstance(hint, type) and is_dataclass(hint):
        if hint in around:
            return False  # the records around it are checked anyway
        if hint.__subclasses__():
            return True
        return any(map(_is_worth_a_look, _fields_of(hint, around)))
    if arguments := get_args(hint):
        return any(_may_hold_more(part, around) for part in arguments)
    return hint in (Any, object) or isinstance(hint, TypeVar)


def _mark_in(hint: Any) -> FieldClass | ClassedBy | None:
    """Return the class in the annotations of a type or of a type inside it, or the attribute that gives it."""
    for part in (*getattr(hint, "__metadata__", ()), *get_args(hint)):
        found = part if isinstance(part, FieldClass | ClassedBy) else _mark_in(part)
        if found is not None:
            return found
    return None
