"""Views full of values that nothing else on a card looks like, one for each class of fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, get_args, get_type_hints

from bot.alerts.alert import Alert, AlertCard, AlertState, CardState, CardWithAlerts
from bot.alerts.event import Event, EventType
from bot.alerts.view_builder import build_alert_view, build_card_view, build_list_view
from bot.cards.view import View
from bot.erp.model import Money
from bot.outbox.place import Place, PlaceKind
from bot.words.disclosure import ALL_FIELDS, FREE_TEXT, ClassedBy, FieldClass, Stating, classed_fields
from bot.words.phrase import Phrase
from bot.words.severity import Severity

FIGURES = {FieldClass.QUANTITY: 71317, FieldClass.AMOUNT: 82427, FieldClass.COST: 93537}
NAMES = {FieldClass.PARTNER: "Zzpartner", FieldClass.CONTACT: "Zzcontact", FieldClass.MATERIALS: "Zzmaterial"}
FREE = "Zzfree"
NOW = datetime(2026, 11, 5, 2, tzinfo=UTC)


def marks_of(field_class: FieldClass) -> tuple[str, ...]:
    """Return how the values of a class look, on a card and in a token."""
    if field_class in NAMES:
        return (NAMES[field_class],)
    figure = FIGURES[field_class]
    return (str(figure), f"{figure:,}")


def forbidden_marks(visible: Iterable[FieldClass]) -> tuple[str, ...]:
    """Return what a reader of these classes must not see."""
    hidden = ALL_FIELDS - {*visible}
    marks = [mark for field_class in hidden for mark in marks_of(field_class)]
    return (*marks, FREE) if hidden else tuple(marks)


def fill(record: Any) -> Any:
    """Return a record in which each field with a class holds values of that class, also where it had none."""
    changes: dict[str, Any] = {}
    hints = get_type_hints(type(record))
    for name, marks, _ in classed_fields(type(record)):
        value = getattr(record, name)
        if FREE_TEXT in marks:
            changes[name] = MappingProxyType({"note": FREE})
        elif classes := _classes(record, marks):
            changes[name] = _marked(value, hints[name], min(classes))
        elif not any(isinstance(mark, ClassedBy) for mark in marks):
            changes[name] = fill_value(value)
    return replace(record, **{name: value for name, value in changes.items() if value is not getattr(record, name)})


def fill_value(value: Any) -> Any:
    if isinstance(value, (Money, Phrase)):
        return value
    if is_dataclass(value):
        return fill(value)
    if isinstance(value, (tuple, frozenset)):
        return type(value)(map(fill_value, value))
    if isinstance(value, Mapping):
        return MappingProxyType({key: fill_value(item) for key, item in value.items()})
    return value


def _classes(record: Any, marks: Iterable[object]) -> frozenset[FieldClass]:
    classes: set[FieldClass] = set()
    for mark in marks:
        if isinstance(mark, FieldClass):
            classes.add(mark)
        elif isinstance(mark, Stating):
            classes.add(mark.field_class)
        elif isinstance(mark, ClassedBy) and (said := getattr(record, mark.attribute)):
            classes |= {said} if isinstance(said, FieldClass) else said
    return frozenset(classes)


def _marked(value: Any, hint: Any, field_class: FieldClass) -> Any:
    """Return a value of the class, of the kind that the field has or may have."""
    figure = Decimal(FIGURES.get(field_class, 0))
    text = NAMES.get(field_class) or f"{figure}"
    if isinstance(value, Phrase):
        params = {
            name: _marked(item, None, field_class) if isinstance(item, (Money, Decimal, Phrase)) else item
            for name, item in value.params.items()
        }
        return Phrase(value.msgid, MappingProxyType(params))
    if isinstance(value, tuple) and value:
        return tuple(_marked(item, None, field_class) for item in value)
    if isinstance(value, (bool, int)):
        return value
    if is_dataclass(value) and not isinstance(value, Money):
        return _named(fill(value), NAMES.get(field_class))
    kinds = {*_kinds(hint)} if value is None or value == () else {type(value)}
    if Money in kinds and field_class in FIGURES:
        made: Any = Money(figure, "CNY")
    elif Decimal in kinds:
        made = figure
    else:
        made = text if str in kinds else value
    return (made,) if value == () and made != () else made


def _named(record: Any, name: str | None) -> Any:
    """Return a record of a class that is told by name, such as a component, called ``name``."""
    if name is None or not is_dataclass(record) or isinstance(record, type):
        return record
    held = {part.name: getattr(record, part.name) for part in fields(record)}
    named = {part: name if part == "name" else _named(value, name) for part, value in held.items()}
    return replace(record, **named)


def _kinds(hint: Any) -> Iterator[Any]:
    yield hint
    for part in get_args(hint):
        yield from _kinds(part)


def marked_event(event_type: str) -> Event:
    """Return an event of a type with all that its figures may show."""
    money = Money(Decimal(FIGURES[FieldClass.COST if event_type.startswith("po.") else FieldClass.AMOUNT]), "CNY")
    quantity = str(FIGURES[FieldClass.QUANTITY])
    words = f"{NAMES[FieldClass.PARTNER]} pays ¥{money.amount}"
    custom = {"text": words, "facts": {"Amount": str(money.amount), "Who": NAMES[FieldClass.PARTNER]}}
    names = ("available", "on_hand", "reorder_point", "incoming", "produced", "scrapped")
    return Event(
        source="main",
        id=f"E-{event_type}",
        type=event_type,
        subject="N-1",
        at=NOW,
        received_at=NOW,
        severity=Severity.WARNING,
        customer=NAMES[FieldClass.PARTNER],
        supplier=NAMES[FieldClass.PARTNER],
        amount=money,
        quantity=Decimal(quantity),
        title=words if event_type.startswith("custom.") else "A name",
        data={
            **dict.fromkeys(names, quantity),
            "reason": f"dearer than {money.amount}",
            "changes": [f"amount: {money.amount}"],
        }
        if not event_type.startswith("custom.")
        else custom,
        tags={"customer": FREE},
    )


def marked_alerts() -> list[Alert]:
    """Return an open alert of each type."""
    types = [*map(str, EventType), "custom.payment"]
    return [
        Alert(
            id=f"a{number}",
            key=f"{event_type}:N-1",
            event=marked_event(event_type),
            state=AlertState.OPEN,
            severity=Severity.WARNING,
            opened_at=NOW,
            last_at=NOW,
        )
        for number, event_type in enumerate(types)
    ]


def alert_views() -> list[View]:
    """Return what all cards about alerts show of them."""
    alerts = marked_alerts()
    card = AlertCard(
        id="c1",
        place=Place(PlaceKind.GROUP, "cid"),
        route="r",
        group="g",
        alerts=tuple(alert.id for alert in alerts),
        state=CardState.SHOWN,
        opened_at=NOW,
        shown_at=NOW,
    )
    group = build_card_view(CardWithAlerts(card, tuple(alerts)), NOW)
    digest = build_card_view(CardWithAlerts(card, tuple(alerts * 2)), NOW)
    assert group is not None
    assert digest is not None
    lists = [group, digest, build_list_view(alerts, NOW, line="/alerts")]
    return [*(build_alert_view(alert, NOW) for alert in alerts), *lists]


def reachable(kind: type) -> Iterator[type]:
    """Yield a dataclass and all that its fields may hold."""
    seen: set[type] = set()
    waiting = [kind]
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        yield current
        hints = get_type_hints(current)
        for field in fields(current):
            waiting += [part for part in _kinds(hints[field.name]) if isinstance(part, type) and is_dataclass(part)]
