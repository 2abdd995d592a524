"""Records of a company in one vocabulary for every ERP (docs: platform/erp/records.md#records, #states).

Amounts are `Decimal` with an ISO currency code, quantities `Decimal` with the unit as the ERP spells it, times are
timezone-aware. ``None`` means that the ERP does not provide the value, which always differs from zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, ClassVar, Generic, TypeAlias, TypeVar

from bot.disclosure import FREE_TEXT, HIDDEN, MONEY_FIELDS, ClassedBy, FieldClass, Stating

T = TypeVar("T")

_NOTHING: Mapping[str, str] = MappingProxyType({})


class Area(StrEnum):
    """The five business areas, plus the products that they all refer to."""

    PRODUCTS = "products"
    STOCK = "stock"
    SALES = "sales"
    FINANCE = "finance"
    PURCHASING = "purchasing"
    PRODUCTION = "production"


class Feed(StrEnum):
    """Documents besides those that stand for their areas: some ERPs tell their changes, too."""

    BILLS = "bills"
    PAYMENTS = "payments"
    DELIVERIES = "deliveries"


Followed: TypeAlias = Area | Feed
"""What changes are told of: the records that stand for an area, or other documents."""


def parse_followed(name: str) -> Followed:
    """Return the area or feed of a name; raises `ValueError` for none."""
    return Feed(name) if name in tuple(Feed) else Area(name)


class Progress(StrEnum):
    """How much of a document was delivered, received, billed or paid."""

    NONE = "none"
    PARTIAL = "partial"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class DocumentRef:
    """A document, named by its source and its number there."""

    source: str
    number: str


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency; amounts of different currencies are never added. Zero has no sign."""

    unclassed: ClassVar[frozenset[FieldClass]] = MONEY_FIELDS
    """What a reader must be allowed to see where the field of an amount does not say its class."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not self.amount and self.amount.is_signed():
            object.__setattr__(self, "amount", abs(self.amount))


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency by its code, which cards call by its name."""

    code: str

    def __str__(self) -> str:
        return self.code


Quantity: TypeAlias = Annotated[Decimal, FieldClass.QUANTITY]
SalesAmount: TypeAlias = Annotated[Money, FieldClass.AMOUNT]
Cost: TypeAlias = Annotated[Money, FieldClass.COST]
PartnerName: TypeAlias = Annotated[str, FieldClass.PARTNER]
ContactDetail: TypeAlias = Annotated[str, FieldClass.CONTACT]
ExtraFields: TypeAlias = Annotated[Mapping[str, str], FREE_TEXT]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpUser:
    """A person's account in the ERP; what the ERP does not tell of it is empty."""

    account: str
    """As decisions name it (see `Decision.by`)."""
    name: str
    job_number: str = ""
    mobile: ContactDetail = ""
    mail: ContactDetail = ""
    is_active: bool = True
    """False where nobody can log in with it any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """An item that can be stocked, sold, bought or made."""

    sku: str
    name: str
    spec: str = ""
    unit: str
    category: str = ""
    barcode: str = ""
    is_active: bool = True
    """False for one that the ERP has disabled: it is told when somebody asks for its code, and not found else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantities:
    """Quantities in one place, all in the product's unit."""

    on_hand: Quantity | None
    reserved: Quantity | None = None
    available: Quantity | None = None
    incoming: Quantity | None = None
    outgoing: Quantity | None = None
    forecast: Quantity | None = None

    @property
    def is_negative(self) -> bool:
        """Whether more was booked out than was ever booked in."""
        return self.on_hand is not None and self.on_hand < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseStock:
    """The quantities of one product in one warehouse."""

    code: str
    name: str
    quantities: Quantities


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """A batch or a serial number of a product in one warehouse, named by the warehouse's code."""

    number: str
    quantity: Quantity | None
    expires_on: date | None = None
    warehouse: str = ""

    def is_expired(self, today: date) -> bool:
        """Return whether its last day is over."""
        return self.expires_on is not None and self.expires_on < today


def by_expiry(lots: Iterable[Lot]) -> tuple[Lot, ...]:
    """Return lots with the nearest expiry first, and those without a last day at the end."""
    return tuple(sorted(lots, key=lambda lot: (lot.expires_on or date.max, lot.number, lot.warehouse)))


@dataclass(frozen=True, slots=True, kw_only=True)
class StockLevel:
    """A product's stock, in total and per warehouse, as of ``as_of``."""

    product: Product
    total: Quantities
    per_warehouse: tuple[WarehouseStock, ...]
    reorder_point: Quantity | None
    as_of: datetime
    company: str = ""
    source: str = ""
    lots: tuple[Lot, ...] = ()
    """What is in stock there by batch or serial number, nearest expiry first; empty where the ERP does not tell."""
    is_stocked: bool = True
    """Whether the ERP keeps stock of the product at all; it does not of services."""

    @property
    def below_reorder_point(self) -> bool:
        """Whether the available quantity (or, if the ERP lacks it, the quantity on hand) is below the reorder point."""
        on_hand = self.total.available if self.total.available is not None else self.total.on_hand
        return self.reorder_point is not None and on_hand is not None and on_hand < self.reorder_point


class OrderStatus(StrEnum):
    """State of a sales order (docs: platform/erp/records.md#sales-orders)."""

    DRAFT = "draft"
    OPEN = "open"
    ON_HOLD = "on_hold"
    """Confirmed, but nobody is to deliver for now."""
    PARTLY_DELIVERED = "partly_delivered"
    DELIVERED = "delivered"
    CLOSED = "closed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpRecord:
    """What all records that people ask for have in common."""

    id: str
    url: str = ""
    changed_at: datetime | None = None
    source: str = ""
    extra: ExtraFields = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """One line of a sales order; quantities in ``unit``."""

    sku: str
    name: str
    unit: str
    quantity: Quantity
    delivered: Quantity | None = None
    invoiced: Quantity | None = None
    price: SalesAmount | None = None
    amount: SalesAmount | None = None
    taxed: bool | None = field(default=None, compare=False)
    """Whether the amount includes taxes."""
    due_on: date | None = None

    @property
    def comes_back(self) -> bool:
        """Whether goods are returned, as in an exchange."""
        return self.quantity < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesOrder(ErpRecord):
    """An order by a customer."""

    number: str
    customer: PartnerName
    status: OrderStatus
    delivery: Progress | None
    billing: Progress | None = None
    payment: Progress | None = None
    ordered_on: date | None
    promised_on: date | None
    total: SalesAmount | None
    lines: tuple[OrderLine, ...] = ()
    """Empty in lists: only a single order is read with its lines."""
    salesperson: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it is confirmed and goods are still owed, be it on hold."""
        return self.status in {OrderStatus.OPEN, OrderStatus.ON_HOLD, OrderStatus.PARTLY_DELIVERED}

    def days_late(self, today: date) -> int:
        """Return the days since the promised date if goods are still owed, else 0."""
        if self.promised_on is None or self.status not in {OrderStatus.OPEN, OrderStatus.PARTLY_DELIVERED}:
            return 0
        return max(0, (today - self.promised_on).days)


class InvoiceStatus(StrEnum):
    """State of a customer invoice (docs: platform/erp/records.md#invoices)."""

    DRAFT = "draft"
    UNPAID = "unpaid"
    PART_PAID = "part_paid"
    PAID = "paid"
    VOID = "void"


_UNSETTLED = frozenset({InvoiceStatus.UNPAID, InvoiceStatus.PART_PAID})


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceRecord(ErpRecord):
    """What invoices to customers and by vendors have in common; credit notes are among them."""

    number: str
    """The ERP's own number."""
    status: InvoiceStatus
    issued_on: date | None
    due_on: date | None
    total: Money | None
    open_amount: Money | None
    is_credit_note: bool = False
    order_number: str = ""
    """The order that it bills."""

    @property
    def is_open(self) -> bool:
        """Whether it is not settled yet; so is a credit note that nobody set off."""
        return self.status in _UNSETTLED

    def days_overdue(self, today: date) -> int:
        """Return the days since the due date if something is open, else 0; computed here as ERPs disagree."""
        # Who may not see the amount still sees that it is late.
        owed = self.open_amount is HIDDEN or (self.open_amount is not None and self.open_amount.amount > 0)
        if self.due_on is None or not owed or not self.is_open:
            return 0
        return max(0, (today - self.due_on).days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice(InvoiceRecord):
    """An invoice to a customer, or a credit note."""

    customer: PartnerName
    total: SalesAmount | None
    open_amount: SalesAmount | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill(InvoiceRecord):
    """An invoice by a vendor, or the vendor's credit note (docs: platform/erp/records.md#bills)."""

    vendor: PartnerName
    total: Cost | None
    open_amount: Cost | None
    reference: str = ""
    """The number that is on the vendor's paper."""


class PaymentStatus(StrEnum):
    """State of a receipt or payment (docs: platform/erp/records.md#payments)."""

    DRAFT = "draft"
    BOOKED = "booked"
    CANCELLED = "cancelled"


class PaymentDirection(StrEnum):
    """Whether the company receives money or spends it."""

    RECEIVED = "received"
    SPENT = "spent"


class PartnerKind(StrEnum):
    """Which side of the company's business a partner is on."""

    CUSTOMER = "customer"
    VENDOR = "vendor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment(ErpRecord):
    """Money that came from a partner, or went to one; the amount is never negative."""

    number: str
    partner: PartnerName
    partner_kind: PartnerKind
    direction: PaymentDirection
    status: PaymentStatus
    paid_on: date | None
    amount: Annotated[Money | None, ClassedBy("amount_class")]
    method: str = ""
    """How it was paid, in the ERP's words: a bank account, a way of paying."""
    settles: tuple[str, ...] = ()
    """The numbers of the invoices or bills that it settles; empty in lists."""

    @property
    def amount_class(self) -> FieldClass:
        """What the amount tells: what customers pay is money of sales, what vendors get is cost, refunds included."""
        return FieldClass.COST if self.partner_kind is PartnerKind.VENDOR else FieldClass.AMOUNT


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerRecord(ErpRecord):
    """What customers and vendors have in common (docs: platform/erp/records.md#partners)."""

    code: str
    name: PartnerName
    contact: ContactDetail = ""
    """The person to speak to."""
    phone: ContactDetail = ""
    email: ContactDetail = ""
    address: ContactDetail = ""
    payment_terms: str = ""
    is_active: bool = True

    @property
    def number(self) -> str:
        """The code: what it is called among records with numbers."""
        return self.code


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer(PartnerRecord):
    """Somebody whom the company sells to."""

    salesperson: str = ""
    credit_limit: SalesAmount | None = None
    """None where there is none, or the ERP does not tell."""
    receivable: SalesAmount | None = None
    """What the customer owes, where the ERP itself states it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplier(PartnerRecord):
    """A vendor: somebody whom the company buys from."""

    buyer: str = ""
    payable: Cost | None = None
    """What the company owes, where the ERP itself states it."""


class PurchaseStatus(StrEnum):
    """State of a purchase order (docs: platform/erp/records.md#purchase-orders)."""

    DRAFT = "draft"
    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseLine:
    """One line of a purchase order; quantities in ``unit``."""

    sku: str
    name: str
    unit: str
    quantity: Quantity
    received: Quantity | None = None
    price: Cost | None = None
    amount: Cost | None = None
    taxed: bool | None = field(default=None, compare=False)
    """Whether the amount includes taxes."""

    @property
    def comes_back(self) -> bool:
        """Whether goods are returned to the vendor."""
        return self.quantity < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """The people whose turn it is, the level, and the last decision."""

    pending_for: tuple[str, ...] = ()
    level: int = 1
    levels: int = 1
    decided_by: str = ""
    decided_at: datetime | None = None
    reason: Annotated[str, Stating(FieldClass.COST)] = ""
    task_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseOrder(ErpRecord):
    """An order to a vendor; ``version`` is opaque and changes with every edit.

    ``requester``, ``changed_by`` and the people of ``approval`` are accounts of the ERP, as used by decisions;
    ``people`` are their names, if the ERP provides them.
    """

    number: str
    vendor: PartnerName
    status: PurchaseStatus
    approval: Approval | None
    requester: str = ""
    changed_by: str = ""
    """The last writer, which in most ERPs includes submitting and deciding; empty if the ERP does not provide it."""
    buyer: str = ""
    ordered_on: date | None
    due_on: date | None
    total: Cost | None
    received: Progress | None
    lines: tuple[PurchaseLine, ...] = ()
    version: str
    people: Mapping[str, str] = field(default_factory=lambda: _NOTHING)

    def named(self, account: str) -> str:
        """Return the name of an account, or the account itself if the ERP does not provide the name."""
        return self.people.get(account, account)

    def names(self, accounts: Iterable[str]) -> tuple[str, ...]:
        """Return the names of several accounts."""
        return tuple(map(self.named, accounts))

    @property
    def is_open(self) -> bool:
        """Whether it is approved and goods are still awaited."""
        return self.status is PurchaseStatus.APPROVED and self.received is not Progress.FULL

    def days_late(self, today: date) -> int:
        """Return the days since the due date if goods are still awaited, else 0."""
        if self.due_on is None or not self.is_open:
            return 0
        return max(0, (today - self.due_on).days)


class ProductionStatus(StrEnum):
    """State of a production order (docs: platform/erp/records.md#production-orders)."""

    PLANNED = "planned"
    RELEASED = "released"
    RUNNING = "running"
    ON_HOLD = "on_hold"
    """Stopped, and may be resumed."""
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductionOrder(ErpRecord):
    """An order to produce a product; quantities in ``unit``."""

    number: str
    sku: str
    name: str
    unit: str
    planned: Quantity
    produced: Quantity | None
    scrapped: Quantity | None = None
    status: ProductionStatus
    start_on: date | None
    due_on: date | None
    material_ready: bool | None = None
    sales_order: str = ""

    def days_late(self, today: date) -> int:
        """Return the days since the due date if the order is neither finished nor stopped, else 0."""
        resting = {ProductionStatus.DONE, ProductionStatus.CANCELLED, ProductionStatus.ON_HOLD}
        if self.due_on is None or self.status in resting:
            return 0
        return max(0, (today - self.due_on).days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice(Generic[T]):
    """A part of a longer list, in the port's order."""

    items: tuple[T, ...]
    total: int
    """The total number of matches over all slices."""


class Verdict(StrEnum):
    """A person's verdict on a purchase order."""

    APPROVE = "approve"
    REJECT = "reject"


class DecisionOutcome(StrEnum):
    """The outcome of a decision, after the document was read again (docs: platform/erp/records.md#outcomes)."""

    APPLIED = "applied"
    MORE_APPROVALS_NEEDED = "recorded_more_approvals_needed"
    ALREADY_DECIDED = "already_decided"
    NOT_PERMITTED = "not_permitted"
    CHANGED_SINCE_SHOWN = "changed_since_shown"
    UNKNOWN = "unknown_after_timeout"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A person's verdict on one revision of a purchase order."""

    number: str
    version: str
    """The version that the person saw; if the ERP has another, the outcome is `DecisionOutcome.CHANGED_SINCE_SHOWN`."""
    verdict: Verdict
    by: str
    """The ERP user on whose behalf the decision is made."""
    reason: Annotated[str, Stating(FieldClass.COST)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionResult:
    """The outcome, the order as it is afterwards, and the ERP's message."""

    outcome: DecisionOutcome
    order: PurchaseOrder | None
    text: Annotated[str, Stating(FieldClass.COST)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A record that was created or changed."""

    area: Followed
    key: str
    """The SKU or document number."""
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Changes in order, and the cursor for the next call, without gaps or repeats."""

    items: tuple[Change, ...]
    cursor: str
    more: bool
