"""The words and figures of events: one table for all types.

Figures come from the event's own fields and from ``data`` as the schemas (`bot.alerts.intake.schemas`) let it pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, TypeAlias

from bot.access.areas import command_of
from bot.alerts.event import CUSTOM, UNREADABLE, Event, EventType, has_figure, names_money
from bot.cards.status_labels import status_label
from bot.erp.model import InvoiceStatus, Money, OrderStatus, ProductionStatus, Progress, ReviewState
from bot.words.disclosure import ClassedBy, FieldClass
from bot.words.phrase import Phrase, phrase

CardFactValue: TypeAlias = Decimal | Money | date | Phrase | str | tuple[str, ...]

MAX_LINES, MAX_FACTS = 4, 6
"""The number of the sender's own lines and facts shown: more does not fit a card."""


@dataclass(frozen=True, slots=True)
class CardFact:
    """One figure of an alert; ``unit`` belongs to a quantity, ``classes`` are its field classes."""

    label: Phrase | str
    value: Annotated[CardFactValue, ClassedBy("classes")]
    unit: str = ""
    classes: frozenset[FieldClass] = frozenset()


@dataclass(frozen=True, slots=True)
class _TypeLabels:
    """The texts of a type while open and when resolved, its figures, the command that queries the ERP, and the Chinese
    names that people type.
    """

    word: Phrase
    over: Phrase
    facts: Callable[[Event, date], Iterator[CardFact]]
    command: str
    names: tuple[str, ...]


_UNREADABLE_HEADLINE = phrase("A matter that cannot be read")
_UNREADABLE_REMEDY = (
    phrase("Its entry in the bot's database was changed or damaged."),
    phrase("Please tell an administrator. Only a backup brings it back; the ERP reports again what still holds."),
)


def type_label(event_type: str) -> Phrase | str:
    """Return the display name of a type; custom types keep their name."""
    found = _LABELS.get(event_type)
    return found.word if found else event_type.removeprefix(CUSTOM)


def type_by_label(text: str) -> str | None:
    """Return the type with this Chinese name; None for any other word, including a type's own id."""
    return _TYPES.get(text)


def headline(event: Event, *, is_over: bool = False) -> Phrase | str:
    """Return the headline; for custom types, the sender's own."""
    found = _LABELS.get(event.type)
    if event.type == UNREADABLE:
        return _UNREADABLE_HEADLINE
    if found is None:
        return event.title or type_label(event.type)
    return found.over if is_over else found.word


def subject_label(event: Event) -> str:
    """Return code or number, and the name."""
    if event.type not in _LABELS or not event.title or event.title == event.subject:
        return event.subject
    return f"{event.subject} {event.title}"


def facts(event: Event, today: date, *, is_over: bool = False) -> tuple[CardFact, ...]:
    """Return the most relevant figures; days are counted up to ``today``, or to the end of a resolved alert."""
    found = _LABELS.get(event.type)
    shown = tuple(found.facts(event, today) if found else _custom_facts(event))
    return tuple(map(_past, shown)) if is_over else shown


def lines(event: Event) -> tuple[Phrase | str, ...]:
    """Return the sender's own lines: the changes, or the text of a custom event."""
    if event.type == UNREADABLE:
        return _UNREADABLE_REMEDY
    changes = event.data.get("changes")
    if isinstance(changes, Sequence) and not isinstance(changes, str):
        return tuple(_change(line) for change in changes if (line := str(change).strip()))[:MAX_LINES]
    written = [] if event.type in _LABELS else _text(event, "text").splitlines()
    return tuple(line for line in map(str.strip, written) if line)[:MAX_LINES]


def lines_classes(event: Event) -> frozenset[FieldClass]:
    """Return the field classes of the sender's lines: when they list changes, any figure may be an amount."""
    written = "\n".join(map(str, lines(event)))
    if "changes" in event.data and any(map(str.isdigit, written)):
        return event.money_classes | event.classes_of(written)
    return event.classes_of(written)


def _past(fact: CardFact) -> CardFact:
    """Return a delay in the past tense: a resolved alert is no longer late."""
    label = next((was for now, was in _DELAYS if fact.label == now), None)
    return fact if label is None else replace(fact, label=label)


def _change(line: str) -> Phrase | str:
    """Return a line of `bot.alerts.intake.transitions.describe_changes` in readable words; any other line unchanged."""
    parts = _CHANGE.fullmatch(line)
    label = None if parts is None else _CHANGED.get(parts["name"])
    if parts is None or label is None:
        return line
    before, now = (_STATES.get(parts[side], parts[side]) for side in ("before", "now"))
    return phrase("%(what)s: %(before)s → %(now)s", what=label, before=before, now=now)


_CHANGE = re.compile(r"(?P<name>\w+): (?P<before>.*) → (?P<now>.*)")
_CHANGED: Mapping[str, Phrase] = {
    "status": phrase("Status"),
    "delivery": phrase("Delivered"),
    "billing": phrase("Billed"),
    "payment": phrase("Paid"),
    "received": phrase("Received"),
    "level": phrase("Level of approval"),
    "due_on": phrase("Due"),
    "amount": phrase("Amount"),
    "open": phrase("Open"),
}
"""The display names of fields whose changes are reported."""
_STATES: Mapping[str, Phrase | str] = {
    str(member.value): status_label(member)
    for kind in (Progress, InvoiceStatus, ReviewState, ProductionStatus, OrderStatus)
    for member in kind
}
"""The display names of our own states; an ERP's own words stay as they are."""
_DELAYS = (
    (phrase("Days late"), phrase("Days it was late")),
    (phrase("Days overdue"), phrase("Days it was overdue")),
)


def erp_question(event: Event) -> tuple[str, str] | None:
    """Return the command and argument that query the ERP about the subject; None if no command can."""
    found = _LABELS.get(event.type)
    return (found.command, event.subject) if found and event.subject else None


def access_command(event_type: str) -> str:
    """Return the command whose access rules govern events of a type."""
    return command_of(event_type) or "alerts"


def _stock(event: Event, _today: date) -> Iterator[CardFact]:
    unit = _text(event, "unit")
    available, on_hand = _number(event, "available"), _number(event, "on_hand")
    if available is None and on_hand is None:
        yield from _quantity(phrase("Available"), event.quantity, unit)
    yield from _quantity(phrase("Available"), available, unit)
    yield from _quantity(phrase("Reorder point"), _number(event, "reorder_point"), unit)
    yield from _quantity(phrase("On hand"), on_hand, unit)
    yield from _quantity(phrase("Incoming"), _number(event, "incoming"), unit)
    yield from _plain(phrase("Warehouse"), event.warehouse)


def _invoice(event: Event, today: date) -> Iterator[CardFact]:
    is_overdue = event.type == EventType.INVOICE_OVERDUE
    yield from _plain(phrase("Customer"), event.customer, _PARTNER)
    yield from _plain(phrase("Open") if is_overdue else phrase("Amount"), event.amount, event.money_classes)
    yield from _due(phrase("Due"), event, today, late=phrase("Days overdue") if is_overdue else None)
    yield from _plain(phrase("Received on"), _day(event, "paid_on"))
    yield from _plain(phrase("Salesperson"), event.owner)


def _order(event: Event, today: date) -> Iterator[CardFact]:
    yield from _plain(phrase("Customer"), event.customer, _PARTNER)
    yield from _plain(phrase("Amount"), event.amount, event.money_classes)
    is_late = event.type == EventType.ORDER_LATE
    yield from _due(phrase("Promised"), event, today, late=phrase("Days late") if is_late else None)
    status = _text(event, "status")
    yield from _plain(phrase("Status"), _STATES.get(status, status))
    yield from _plain(phrase("Salesperson"), event.owner)


def _purchase(event: Event, today: date) -> Iterator[CardFact]:
    yield from _plain(phrase("Vendor"), event.supplier, _PARTNER)
    yield from _plain(phrase("Amount"), event.amount, event.money_classes)
    is_late = event.type == EventType.PO_LATE
    yield from _due(phrase("Delivery date"), event, today, late=phrase("Days late") if is_late else None)
    yield from _plain(phrase("Requested by"), _text(event, "requester_name") or _text(event, "requester"))
    yield from _plain(phrase("Awaits"), _words(event, "pending_names") or _words(event, "pending_for"))
    yield from _plain(phrase("Decision"), _DECISIONS.get(_text(event, "decision"), ""))
    yield from _plain(phrase("Decided by"), _text(event, "decided_by"))
    reason = _text(event, "reason")
    yield from _plain(phrase("Reason"), reason, event.money_classes if any(map(str.isdigit, reason)) else _OPEN)
    yield from _plain(phrase("Buyer"), event.owner)


_DECISIONS: Mapping[str, Phrase] = {
    "approved": phrase("Approved"),
    "rejected": phrase("Rejected"),
    "withdrawn": phrase("Withdrawn"),
}


def _production(event: Event, today: date) -> Iterator[CardFact]:
    unit = _text(event, "unit")
    yield from _plain(phrase("Product"), _text(event, "sku"))
    yield from _quantity(phrase("Planned quantity"), event.quantity, unit)
    yield from _quantity(phrase("Made"), _number(event, "produced"), unit)
    yield from _quantity(phrase("Scrapped"), _number(event, "scrapped"), unit)
    is_late = event.type == EventType.PRODUCTION_LATE
    yield from _due(phrase("Planned finish"), event, today, late=phrase("Days late") if is_late else None)
    yield from _plain(phrase("Planner"), event.owner)


def _custom_facts(event: Event) -> Iterator[CardFact]:
    given = event.data.get("facts")
    if isinstance(given, Mapping):
        for label, stated in list(given.items())[:MAX_FACTS]:
            value, said = _stated(stated)
            yield from _plain(str(label), value, _custom_classes(event, str(label), value, said))


def _stated(fact: object) -> tuple[str, FieldClass | None]:
    """Return a fact's value, and its class if the sender states it (`bot.alerts.intake.schemas.Fact`)."""
    if not isinstance(fact, Mapping):
        return str(fact), None
    said = fact.get("field_class")
    return str(fact.get("value", "")), None if said is None else FieldClass(said)


_OPEN: frozenset[FieldClass] = frozenset()
_PARTNER = frozenset({FieldClass.PARTNER})
_QUANTITY = frozenset({FieldClass.QUANTITY})


def _custom_classes(event: Event, label: str, value: str, said: FieldClass | None) -> frozenset[FieldClass]:
    """Return the field classes of a custom figure: the sender's statement, otherwise those that name and value suggest.

    A currency in the value makes it an amount, whatever the sender states.
    """
    told = event.classes_of(value)
    if said is not None:
        return told | {said}
    return told | (event.money_classes if names_money(label) and has_figure(value) else _OPEN)


def _plain(
    label: Phrase | str, value: CardFactValue | None, classes: frozenset[FieldClass] = _OPEN
) -> Iterator[CardFact]:
    if value is not None and value not in ("", ()):
        yield CardFact(label, value, classes=classes)


def _quantity(label: Phrase, value: Decimal | None, unit: str) -> Iterator[CardFact]:
    if value is not None:
        yield CardFact(label, value, unit, _QUANTITY)


def _due(label: Phrase, event: Event, today: date, *, late: Phrase | None = None) -> Iterator[CardFact]:
    """Yield the due date, and the days since then labelled ``late``."""
    yield from _plain(label, event.due_on)
    if late and (days := event.age_days(today)):
        yield CardFact(late, Decimal(days))


def _text(event: Event, key: str) -> str:
    value = event.data.get(key)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _words(event: Event, key: str) -> tuple[str, ...]:
    value = event.data.get(key)
    return tuple(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else ()


def _number(event: Event, key: str) -> Decimal | None:
    """Return a figure, which the schemas keep as text."""
    try:
        number = Decimal(_text(event, key))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _day(event: Event, key: str) -> date | None:
    try:
        return date.fromisoformat(_text(event, key))
    except ValueError:
        return None


_LABELS: Mapping[str, _TypeLabels] = {
    EventType.STOCK_LOW: _TypeLabels(
        phrase("Low stock"), phrase("Enough stock again"), _stock, "stock", ("低库存", "库存不足", "库存预警")
    ),
    EventType.STOCK_OUT: _TypeLabels(
        phrase("Out of stock"), phrase("In stock again"), _stock, "stock", ("缺货", "断货")
    ),
    EventType.INVOICE_OVERDUE: _TypeLabels(
        phrase("Invoice overdue"), phrase("Invoice settled"), _invoice, "invoice", ("发票逾期", "逾期发票", "逾期")
    ),
    EventType.INVOICE_PAID: _TypeLabels(
        phrase("Invoice paid"), phrase("Invoice paid"), _invoice, "invoice", ("发票已付", "回款")
    ),
    EventType.ORDER_CREATED: _TypeLabels(
        phrase("New sales order"), phrase("New sales order"), _order, "order", ("新订单",)
    ),
    EventType.ORDER_CHANGED: _TypeLabels(
        phrase("Sales order changed"), phrase("Sales order changed"), _order, "order", ("订单变更",)
    ),
    EventType.ORDER_LATE: _TypeLabels(
        phrase("Sales order late"), phrase("Sales order no longer late"), _order, "order", ("订单延期", "延期订单")
    ),
    EventType.PO_SUBMITTED: _TypeLabels(
        phrase("Purchase order to approve"),
        phrase("Purchase order no longer waits"),
        _purchase,
        "po",
        ("采购待审批", "待审批"),
    ),
    EventType.PO_CHANGED: _TypeLabels(
        phrase("Purchase order changed"), phrase("Purchase order no longer waits"), _purchase, "po", ("采购变更",)
    ),
    EventType.PO_DECIDED: _TypeLabels(
        phrase("Purchase order decided"), phrase("Purchase order decided"), _purchase, "po", ("采购已审批",)
    ),
    EventType.PO_LATE: _TypeLabels(
        phrase("Purchase order late"),
        phrase("Purchase order no longer late"),
        _purchase,
        "po",
        ("采购延期", "采购逾期"),
    ),
    EventType.PRODUCTION_LATE: _TypeLabels(
        phrase("Production late"), phrase("Production no longer late"), _production, "mo", ("生产延期",)
    ),
    EventType.PRODUCTION_DONE: _TypeLabels(
        phrase("Production finished"), phrase("Production finished"), _production, "mo", ("生产完成", "完工")
    ),
}
_TYPES = {name: str(event_type) for event_type, labels in _LABELS.items() for name in labels.names}
