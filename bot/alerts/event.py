"""An event in its normal form, however it came, and its correlation: the alert it belongs to and its effect."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

from bot.erp.model import ExtraFields, Money, PartnerName, Quantity
from bot.words.disclosure import FREE_TEXT, MONEY_FIELDS, ClassedBy, FieldClass
from bot.words.severity import Severity

_NOTHING: Mapping[str, str] = MappingProxyType({})


class EventType(StrEnum):
    """The types the bot understands, besides those beginning with ``custom.``.

    Docs: contracts.md#event-types
    """

    STOCK_LOW = "stock.low"
    STOCK_OUT = "stock.out"
    INVOICE_OVERDUE = "invoice.overdue"
    INVOICE_PAID = "invoice.paid"
    ORDER_CREATED = "order.created"
    ORDER_CHANGED = "order.changed"
    ORDER_LATE = "order.late"
    PO_SUBMITTED = "po.submitted"
    PO_CHANGED = "po.changed"
    PO_DECIDED = "po.decided"
    PO_LATE = "po.late"
    PRODUCTION_LATE = "production.late"
    PRODUCTION_DONE = "production.done"


UNREADABLE = "unreadable"
"""The type of an alert whose event cannot be read back from the database."""

CUSTOM = "custom."
"""Prefix of custom types, which have their own title, text and facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact about one subject. An event about several items or owners is split into one part for each.

    ``id`` is unique within ``source`` for the event as received, and ``part`` numbers the parts of a split event.
    ``data`` has passed the type's schema (`bot.alerts.intake.schemas`): JSON types, with decimals and dates as text.
    """

    source: str
    id: str
    part: int = 0
    type: str
    subject: Annotated[str, ClassedBy("words_classes")]
    """The SKU or document number; for ``custom.*`` the sender's own name for it."""
    at: datetime
    """When it happened, by the sender's clock."""
    received_at: datetime
    severity: Severity
    resolved: bool = False
    """The sender declares it resolved."""
    company: str = ""
    warehouse: str = ""
    customer: PartnerName = ""
    supplier: PartnerName = ""
    category: str = ""
    owner: str = ""
    """The responsible person in the ERP: salesperson, buyer, planner."""
    amount: Annotated[Money | None, ClassedBy("money_classes")] = None
    quantity: Quantity | None = None
    due_on: date | None = None
    title: Annotated[str, ClassedBy("words_classes")] = ""
    link: str = ""
    data: Annotated[Mapping[str, object], FREE_TEXT] = field(default_factory=lambda: MappingProxyType({}))
    standing: bool = False
    """It already held at the source's first poll."""
    tags: ExtraFields = field(default_factory=lambda: _NOTHING)
    """The sender's own labels, available to rules."""

    @property
    def ref(self) -> str:
        """``source/id``, the event's name in the history."""
        return f"{self.source}/{self.id}"

    @property
    def money_classes(self) -> frozenset[FieldClass]:
        """The field classes of its amounts; those of custom types may belong to either side."""
        if self.type.startswith(CUSTOM):
            return MONEY_FIELDS
        return frozenset({FieldClass.COST if self.type.startswith(_PURCHASING) else FieldClass.AMOUNT})

    @property
    def words_classes(self) -> frozenset[FieldClass]:
        """The field classes of subject and title, where custom senders may write anything."""
        return self.classes_of(self.title) | (self.classes_of(self.subject) if self.type.startswith(CUSTOM) else set())

    def classes_of(self, words: str) -> frozenset[FieldClass]:
        """Return the field classes of a sender's own words: a partner's name, or an amount.

        An amount is recognised by its currency; in custom types also by a word for money beside a figure.
        """
        named = any(name and name in words for name in (self.customer, self.supplier))
        classes = {FieldClass.PARTNER} if named else set()
        tells = _AMOUNT.search(words) or (self.type.startswith(CUSTOM) and names_money(words) and has_figure(words))
        return self.money_classes | classes if tells else frozenset(classes)

    @property
    def occurred_at(self) -> datetime:
        """When it happened, at most the time of receipt: a sender with a fast clock cannot outdo later events."""
        return min(self.at, self.received_at)

    @property
    def began_unknown(self) -> bool:
        """Whether it already held at the source's first poll, with an unknown start."""
        return self.standing and self.received_at - self.at < _JUST_NOW

    def age_days(self, today: date) -> int:
        """Return the days since the due date; 0 before it or without one."""
        return 0 if self.due_on is None else max(0, (today - self.due_on).days)


_PURCHASING = "po."
"""The type prefixes of events about purchase orders, including later ones: their amounts are costs."""

_JUST_NOW = timedelta(minutes=5)
"""An event no older than this on arrival carries the time of the poll itself."""

_CODES = "CNY|RMB|USD|EUR|HKD|JPY|GBP|TWD|KRW|SGD|CHF|AUD|CAD|INR"
_AMOUNT = re.compile(rf"[¥￥$€£]\s*\d|\d\s*(?:[万亿]?元|[¥￥€£]|{_CODES})|\b(?:{_CODES})\s*\d", re.IGNORECASE)
"""An amount in free text; figures without a currency reveal nothing."""

_MONEY = re.compile(
    r"[金总余]额|[单总进售]价|价格|价值|货款|合计|成本|利润|毛利|欠款|应[收付]|[已未待]付|付款|收款|损失|费用"
    r"|amount|price|total|cost|margin|profit|balance|debt|invoice value|worth|\bpaid\b|\bowes?\b|\bfees?\b",
    re.IGNORECASE,
)
_FIGURE = re.compile(r"\d|[一二三四五六七八九十百千万亿]\s*[万亿]")


def names_money(words: str) -> bool:
    """Return whether the text mentions money."""
    return _MONEY.search(words) is not None


def has_figure(words: str) -> bool:
    """Return whether the text contains a figure that may be an amount."""
    return _FIGURE.search(words) is not None


class Effect(StrEnum):
    """The effect of an event on its alert."""

    OPENS = "opens"
    RESOLVES = "resolves"
    """If nothing was open, it is news."""
    INFORMS = "informs"
    """News: nothing stays open."""


@dataclass(frozen=True, slots=True)
class Correlation:
    """Events with the same ``key`` belong to the same alert."""

    key: str
    effect: Effect


_KINDS = {
    EventType.STOCK_LOW: ("stock", Effect.OPENS),
    EventType.STOCK_OUT: ("stock", Effect.OPENS),
    EventType.INVOICE_OVERDUE: ("invoice", Effect.OPENS),
    EventType.INVOICE_PAID: ("invoice", Effect.RESOLVES),
    EventType.ORDER_CREATED: ("order-news", Effect.INFORMS),
    EventType.ORDER_CHANGED: ("order-news", Effect.INFORMS),
    EventType.ORDER_LATE: ("order", Effect.OPENS),
    EventType.PO_SUBMITTED: ("po", Effect.OPENS),
    EventType.PO_CHANGED: ("po", Effect.OPENS),
    EventType.PO_DECIDED: ("po", Effect.RESOLVES),
    EventType.PO_LATE: ("receipt", Effect.OPENS),
    EventType.PRODUCTION_LATE: ("production", Effect.OPENS),
    EventType.PRODUCTION_DONE: ("production", Effect.RESOLVES),
}
"""Low and out are two states of one alert, and so are overdue and paid: the card changes, and no second one appears."""


def correlate(event: Event) -> Correlation:
    """Return the event's key and effect. Sources and companies never share an alert."""
    if event.type.startswith(CUSTOM):
        kind, effect = event.type, Effect.OPENS if "resolved" in event.data else Effect.INFORMS
    else:
        kind, effect = _KINDS[EventType(event.type)]
    if event.resolved:
        effect = Effect.RESOLVES
    where = f"@{event.warehouse}" if kind == "stock" and event.warehouse else ""
    return Correlation(f"{kind}:{event.source}:{event.company}:{event.subject}{where}", effect)
