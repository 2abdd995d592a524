"""The ``data`` of each event type; published as JSON Schema in ``docs/reference/events``.

Strict where a wrong value would make a wrong card, tolerant of unknown keys, since senders evolve. Amounts and
quantities are text, whole numbers or JSON numbers read as `Decimal`; a float has already lost digits and is refused.
Codes and numbers are never truncated, because a truncated one names something else; texts for people are, because a
card holds some hundred characters and the whole event is kept beside it.

Docs: contracts.md#event-types
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bot.alerts.event import CUSTOM, EventType
from bot.words.disclosure import FieldClass
from bot.words.severity import Severity

MAX_ITEMS = 500
MAX_CODE = 200
MAX_LINE, MAX_TEXT = 200, 2_000
"""Characters of a word for people, and of a text."""


def _blank(value: Any) -> Any:
    """Treat an empty field as missing: many ERPs cannot omit a field."""
    return None if value is None or (isinstance(value, str) and not value.strip()) else value


def _number(value: Any) -> Any:
    if isinstance(value, float | bool):
        # In Python ``bool`` is a kind of ``int``.
        raise ValueError("must be text or an exact number")
    return _blank(value)


def _day(value: Any) -> Any:
    if _blank(value) is None or isinstance(value, date):
        return _blank(value)
    try:
        # A number is not a date: pydantic would read it as seconds since 1970. A time of day is ignored.
        return date.fromisoformat(value.strip()[:10])
    except (AttributeError, ValueError):
        raise ValueError("must be a date as text, such as 2026-11-24") from None


def _code(value: Any) -> Any:
    """Turn whole numbers into text: some ERPs send document numbers as JSON numbers."""
    return "" if value is None else str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _cut(limit: int) -> BeforeValidator:
    def cut(value: Any) -> Any:
        value = _code(value)
        return value if not isinstance(value, str) or len(value) <= limit else f"{value[: limit - 1].rstrip()}…"

    return BeforeValidator(cut)


Number = Annotated[Annotated[Decimal, Field(max_digits=24, decimal_places=9)] | None, BeforeValidator(_number)]
Day = Annotated[date | None, BeforeValidator(_day)]
Code = Annotated[Annotated[str, Field(max_length=MAX_CODE)], BeforeValidator(_code)]
Line = Annotated[str, _cut(MAX_LINE)]
Prose = Annotated[str, _cut(MAX_TEXT)]
Address = Annotated[Annotated[str, Field(max_length=1_000)], BeforeValidator(_code)]


class EventData(BaseModel):
    """The fields of every type; unknown keys are kept with the event but not used."""

    # A type's validator is built with its first event, not at every start.
    model_config = ConfigDict(
        frozen=True, extra="ignore", str_strip_whitespace=True, allow_inf_nan=False, defer_build=True
    )
    severity: ClassVar[Severity] = Severity.INFO
    """The default: critical for a standstill, warning if a person has to act."""
    named_by: ClassVar[str] = "number"
    """The field that names the subject; it overrides the CloudEvent's ``subject``."""
    example: ClassVar[Mapping[str, object]] = {}

    company: Code = Field("", description="Company or organisation, as its code in the ERP.")
    warehouse: Code = Field("", description="Warehouse, as its code in the ERP.")
    owner: Code = Field("", description="Whose it is in the ERP: salesperson, buyer, planner.")
    category: Code = Field("", description="Category of the product.")
    customer: Line = Field("", description="Customer, as people call it.")
    supplier: Line = Field("", description="Supplier, as people call it.")
    amount: Number = Field(None, description="Amount in question; needs `currency`.")
    currency: str = Field("", pattern="^([A-Z]{3})?$", description="ISO code of the currency, such as `CNY`.")
    quantity: Number = Field(None, description="Quantity in question, in `unit`.")
    unit: Line = Field("", description="Unit of all quantities.")
    due_on: Day = Field(None, description="When it was or is due, such as `2026-11-24`.")
    title: Line = Field("", description="What it is called.")
    link: Address = Field("", description="Where it is seen in the ERP; cards show addresses that begin with https.")
    tags: dict[Code, Line] = Field({}, max_length=20, description="Words by which rules may tell events apart.")
    resolved: bool | None = Field(None, strict=True, description="True: the matter is over.")
    items: tuple[dict[str, Any], ...] = Field(
        (),
        max_length=MAX_ITEMS,
        description="Several subjects in one event: each entry has the fields of this type; what it leaves out is "
        "taken from the event. Each becomes an event of its own.",
    )

    @model_validator(mode="after")
    def _amount_has_a_currency(self) -> EventData:
        if self.amount is not None and not self.currency:
            raise ValueError("amount needs a currency")
        return self

    @property
    def over(self) -> bool:
        """Whether the problem is resolved."""
        return self.resolved is True

    @property
    def figure(self) -> Decimal | None:
        """The quantity that thresholds compare."""
        return self.quantity

    @property
    def headline(self) -> str:
        """The subject's name."""
        return self.title


class _Stock(EventData):
    named_by: ClassVar[str] = "sku"

    sku: Code = Field("", description="Product code; the event's subject.")
    name: Line = Field("", description="Name of the product.")
    available: Number = Field(None, description="What may still be promised.")
    on_hand: Number = Field(None, description="What is there.")
    reorder_point: Number = Field(None, description="Below this it is low.")
    incoming: Number = Field(None, description="What is on its way.")

    @property
    def over(self) -> bool:
        """Whether stock suffices again: available (or on hand) is no longer below the reorder point."""
        if self.resolved is not None:
            return self.resolved
        return self.figure is not None and self.reorder_point is not None and self.figure >= self.reorder_point

    @property
    def figure(self) -> Decimal | None:
        """The available quantity, or the quantity on hand if the sender gives no other."""
        figures = (self.available, self.on_hand, self.quantity)
        return next((figure for figure in figures if figure is not None), None)

    @property
    def headline(self) -> str:
        """The product's name."""
        return self.title or self.name


class StockLow(_Stock):
    """A product is below its reorder point, until enough is available or `resolved` is set."""

    severity: ClassVar[Severity] = Severity.WARNING
    example: ClassVar[Mapping[str, object]] = {
        "sku": "SKU123", "name": "M8 hex bolt", "warehouse": "SH", "available": "12", "reorder_point": "50",
        "unit": "pcs", "owner": "buyer01",
    }  # fmt: skip


class StockOut(_Stock):
    """No stock of a product is available."""

    severity: ClassVar[Severity] = Severity.CRITICAL
    example: ClassVar[Mapping[str, object]] = {
        "sku": "SKU123", "name": "M8 hex bolt", "unit": "pcs", "reorder_point": "50",
        "items": [{"warehouse": "SH", "available": "0"}, {"warehouse": "BJ", "available": "0", "owner": "buyer02"}],
    }  # fmt: skip


class _Document(EventData):
    number: Code = Field("", description="Number of the document; the event's subject.")
    status: Line = Field("", description="Status as the ERP calls it.")


class InvoiceOverdue(_Document):
    """A customer's invoice is past its due date and not fully paid; `amount` is the open part."""

    severity: ClassVar[Severity] = Severity.WARNING
    example: ClassVar[Mapping[str, object]] = {
        "number": "INV-7", "customer": "Shanghai Pump Works", "amount": "12800.00", "currency": "CNY",
        "due_on": "2026-10-31", "owner": "sales01",
    }  # fmt: skip

    total: Number = Field(None, description="The whole invoice.")
    order_number: Code = Field("", description="Sales order that it belongs to.")


class InvoicePaid(_Document):
    """A customer's invoice is paid in full; `amount` is the payment."""

    example: ClassVar[Mapping[str, object]] = {
        "number": "INV-7", "customer": "Shanghai Pump Works", "amount": "12800.00", "currency": "CNY",
    }  # fmt: skip

    paid_on: Day = Field(None, description="When it was paid.")
    order_number: Code = Field("", description="Sales order that it belongs to.")


class OrderCreated(_Document):
    """A customer ordered; `amount` is the order's total and `due_on` the promised date."""

    example: ClassVar[Mapping[str, object]] = {
        "number": "SO-1001", "customer": "Shanghai Pump Works", "amount": "56000", "currency": "CNY",
        "due_on": "2026-12-05", "owner": "sales01",
    }  # fmt: skip

    ordered_on: Day = Field(None, description="When it was ordered.")


class OrderChanged(OrderCreated):
    """A customer's order was changed."""

    example: ClassVar[Mapping[str, object]] = {"number": "SO-1001", "changes": ["due_on: 2026-12-05 → 2026-12-12"]}

    changes: tuple[Line, ...] = Field((), max_length=50, description="What changed, a line each.")


class OrderLate(OrderCreated):
    """An order has been late since `due_on`."""

    severity: ClassVar[Severity] = Severity.WARNING
    example: ClassVar[Mapping[str, object]] = {
        "number": "SO-1001", "customer": "Shanghai Pump Works", "due_on": "2026-11-20", "owner": "sales01",
    }  # fmt: skip


class PoSubmitted(_Document):
    """A purchase order waits for approval."""

    severity: ClassVar[Severity] = Severity.WARNING
    example: ClassVar[Mapping[str, object]] = {
        "number": "PO-1001", "supplier": "Ningbo Steel", "amount": "98000", "currency": "CNY",
        "requester": "buyer01", "pending_for": ["manager01"],
    }  # fmt: skip

    requester: Code = Field("", description="Who asked for it, as the ERP's account.")
    requester_name: Line = Field("", description="What people call the requester.")
    pending_for: tuple[Code, ...] = Field((), max_length=50, description="Whose approval is awaited.")
    pending_names: tuple[Line, ...] = Field((), max_length=50, description="What people call these, in their order.")
    version: Code = Field("", description="Changes with every edit.")


class PoChanged(PoSubmitted):
    """A purchase order that waits for approval was changed."""

    example: ClassVar[Mapping[str, object]] = {"number": "PO-1001", "changes": ["amount: 98000 → 91000"]}

    changes: tuple[Line, ...] = Field((), max_length=50, description="What changed, a line each.")


class PoDecided(_Document):
    """A purchase order was approved, rejected or withdrawn."""

    example: ClassVar[Mapping[str, object]] = {"number": "PO-1001", "decision": "approved", "decided_by": "manager01"}

    decision: Literal["approved", "rejected", "withdrawn"] = Field(description="What became of it.")
    decided_by: Line = Field("", description="Who decided.")
    reason: Prose = Field("", description="The words given for it.")


class PoLate(_Document):
    """Goods of an approved purchase order have been late since `due_on`."""

    severity: ClassVar[Severity] = Severity.WARNING
    example: ClassVar[Mapping[str, object]] = {
        "number": "PO-1001", "supplier": "Ningbo Steel", "due_on": "2026-11-20", "owner": "buyer01",
    }  # fmt: skip


class ProductionLate(_Document):
    """A production order has been late since `due_on`; `quantity` is the planned one."""

    severity: ClassVar[Severity] = Severity.WARNING
    example: ClassVar[Mapping[str, object]] = {
        "number": "MO-1001", "sku": "PUMP-10", "quantity": "40", "produced": "25", "unit": "pcs",
        "due_on": "2026-11-20",
    }  # fmt: skip

    sku: Code = Field("", description="What is made.")
    name: Line = Field("", description="Name of what is made.")
    produced: Number = Field(None, description="What is made already.")
    scrapped: Number = Field(None, description="What was spoiled.")

    @property
    def headline(self) -> str:
        """The product's name."""
        return self.title or self.name


class ProductionDone(ProductionLate):
    """A production order is finished."""

    severity: ClassVar[Severity] = Severity.INFO
    example: ClassVar[Mapping[str, object]] = {
        "number": "MO-1001",
        "sku": "PUMP-10",
        "quantity": "40",
        "produced": "40",
    }


class Fact(BaseModel):
    """A value with its field class, for readers who may not see everything."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: Line = Field("", description="What is shown.")
    field_class: FieldClass = Field(alias="class", description="What it tells.")

    @model_validator(mode="before")
    @classmethod
    def _as_text(cls, data: Any) -> Any:
        return {**data, "value": _fact(data.get("value"))} if isinstance(data, dict) else data


class Custom(EventData):
    """Any other event, with its own texts: `custom.` and a name. With `resolved` it stays open until that is true."""

    named_by: ClassVar[str] = ""
    example: ClassVar[Mapping[str, object]] = {
        "title": "Cold store 2 is too warm", "text": "Above 5 °C since 08:10.",
        "facts": {"temperature": "7.4 °C", "goods at risk": {"value": "128000", "class": "amount"}}, "resolved": False,
    }  # fmt: skip

    title: Line = Field(min_length=1, description="What happened, in a few words.")
    text: Prose = Field("", description="More about it.")
    facts: dict[Line, Fact | Line] = Field(
        {},
        max_length=50,
        description="Names and values, shown as a list. In place of a value, an object with `value` and `class`"
        " (`quantity`, `amount`, `cost`, `partner` or `contact`) says what it tells and so who may see it. Without a"
        " class a fact whose name or value speaks of money is an amount, and so is text that does.",
    )

    @model_validator(mode="before")
    @classmethod
    def _facts_as_text(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("facts"), dict):
            data = {**data, "facts": {name: _fact(value) for name, value in data["facts"].items()}}
        return data


def _fact(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return "" if value is None else "true" if value else "false"
    if isinstance(value, Decimal):
        # 1E+900000000 would print that many zeros.
        return f"{value:f}" if value.is_finite() and abs(value.adjusted()) < 30 else str(value)
    return value


SCHEMAS: Mapping[str, type[EventData]] = {
    EventType.STOCK_LOW: StockLow,
    EventType.STOCK_OUT: StockOut,
    EventType.INVOICE_OVERDUE: InvoiceOverdue,
    EventType.INVOICE_PAID: InvoicePaid,
    EventType.ORDER_CREATED: OrderCreated,
    EventType.ORDER_CHANGED: OrderChanged,
    EventType.ORDER_LATE: OrderLate,
    EventType.PO_SUBMITTED: PoSubmitted,
    EventType.PO_CHANGED: PoChanged,
    EventType.PO_DECIDED: PoDecided,
    EventType.PO_LATE: PoLate,
    EventType.PRODUCTION_LATE: ProductionLate,
    EventType.PRODUCTION_DONE: ProductionDone,
}


def schema_of(event_type: str) -> type[EventData] | None:
    """Return the data model of a type, None for an unknown type."""
    return Custom if event_type.startswith(CUSTOM) else SCHEMAS.get(event_type)
