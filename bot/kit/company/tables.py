"""The demo ERP's own tables. Columns ending in ``_key`` hold folded text (`fold`) for comparisons."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Index, MetaData, Table
from sqlmodel import Field, SQLModel

from bot.mechanisms.column_types import ExactDecimal, UtcTime

_SIGNS = str.maketrans({"×": "x", "*": "x"})


def fold(text: str) -> str:
    """Return ``text`` in its comparable form (``Ｍ４×10 `` and ``m4*10`` are the same)."""
    whole = text.encode(errors="replace").decode()  # half a surrogate pair is text to Python but not to SQLite
    return unicodedata.normalize("NFKC", whole).casefold().translate(_SIGNS).strip()


def whole_number(text: str) -> int | None:
    """Return the number spelled by ``text`` in plain digits, if a database can hold it."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


def one_a_line(texts: Iterable[str]) -> str:
    """Return texts with a line end on both sides of each, so that only whole ones match."""
    return "".join(f"\n{text}\n" for text in texts)


class DemoTable(SQLModel):
    """Base of the demo's tables: their own metadata, so that they never mix with the bot's."""

    metadata = MetaData()


def table(model: type[DemoTable]) -> Table:
    """Return the SQL table behind a model."""
    return DemoTable.metadata.tables[str(model.__tablename__)]


class MetaRow(DemoTable, table=True):
    """The origin of the database's data; a difference causes a rebuild."""

    __tablename__ = "demo_meta"

    name: str = Field(primary_key=True)
    value: str


class WarehouseRow(DemoTable, table=True):
    """A place where products are stored."""

    __tablename__ = "demo_warehouse"

    code: str = Field(primary_key=True)
    name: str
    position: int
    """Position in the company's list of warehouses."""


class ProductRow(DemoTable, table=True):
    """A product. ``search`` holds all searchable texts, folded."""

    __tablename__ = "demo_product"

    sku_key: str = Field(primary_key=True)
    sku: str
    name: str
    name_key: str
    spec: str
    unit: str
    category: str
    barcode: str
    initials: str
    search: str
    reorder_point: Decimal | None = Field(sa_type=ExactDecimal)
    list_price: Decimal = Field(sa_type=ExactDecimal)
    """In CNY."""


class StockRow(DemoTable, table=True):
    """One product in one warehouse."""

    __tablename__ = "demo_stock"

    sku_key: str = Field(primary_key=True)
    warehouse: str = Field(primary_key=True)
    on_hand: Decimal = Field(sa_type=ExactDecimal)
    reserved: Decimal = Field(sa_type=ExactDecimal)
    incoming: Decimal = Field(sa_type=ExactDecimal)
    outgoing: Decimal = Field(sa_type=ExactDecimal)


class LotRow(DemoTable, table=True):
    """A lot of a product in a warehouse with the received quantity; the rest follows from the stock there."""

    __tablename__ = "demo_lot"

    sku_key: str = Field(primary_key=True)
    warehouse: str = Field(primary_key=True)
    number: str = Field(primary_key=True)
    quantity: Decimal = Field(sa_type=ExactDecimal)
    expires_on: date | None


class DocumentRow(DemoTable):
    """Base of documents, by folded number."""

    number_key: str = Field(primary_key=True)
    number: str
    status: str
    changed_at: datetime = Field(sa_type=UtcTime)


class DocumentLineRow(DemoTable):
    """Base of document lines, counted from 1."""

    number_key: str = Field(primary_key=True)
    position: int = Field(primary_key=True)
    sku: str
    name: str
    unit: str
    quantity: Decimal = Field(sa_type=ExactDecimal)


class PartnerRow(DemoTable):
    """Base of customers and vendors, by folded code."""

    number_key: str = Field(primary_key=True)
    code: str
    name: str
    name_key: str
    contact: str
    phone: str
    email: str
    address: str
    payment_terms: str
    is_active: bool
    changed_at: datetime = Field(sa_type=UtcTime)


class OrderRow(DocumentRow, table=True):
    """A sales order; its currency applies to its lines too."""

    __tablename__ = "demo_order"
    __table_args__ = (Index("demo_order_newest", "ordered_on", "number_key"),)

    customer: str
    customer_key: str
    delivery: str
    billing: str
    payment: str
    ordered_on: date
    promised_on: date | None
    total: Decimal = Field(sa_type=ExactDecimal)
    currency: str
    salesperson: str


class OrderLineRow(DocumentLineRow, table=True):
    """One line of a sales order."""

    __tablename__ = "demo_order_line"

    delivered: Decimal = Field(sa_type=ExactDecimal)
    invoiced: Decimal = Field(sa_type=ExactDecimal)
    price: Decimal = Field(sa_type=ExactDecimal)
    amount: Decimal = Field(sa_type=ExactDecimal)
    due_on: date | None


class QuotationRow(DocumentRow, table=True):
    """A quotation; the currency holds for its lines too."""

    __tablename__ = "demo_quotation"
    __table_args__ = (Index("demo_quotation_newest", "quoted_on", "number_key"),)

    customer: str
    customer_key: str
    quoted_on: date
    valid_until: date | None
    total: Decimal = Field(sa_type=ExactDecimal)
    currency: str
    salesperson: str
    order_number: str


class QuotationLineRow(DocumentLineRow, table=True):
    """One line of a quotation."""

    __tablename__ = "demo_quotation_line"

    price: Decimal = Field(sa_type=ExactDecimal)
    amount: Decimal = Field(sa_type=ExactDecimal)


class InvoiceRow(DocumentRow, table=True):
    """A customer invoice or credit note."""

    __tablename__ = "demo_invoice"
    __table_args__ = (Index("demo_invoice_newest", "issued_on", "number_key"),)

    customer: str
    customer_key: str
    issued_on: date
    due_on: date | None
    total: Decimal = Field(sa_type=ExactDecimal)
    open_amount: Decimal = Field(sa_type=ExactDecimal)
    currency: str
    is_credit_note: bool
    order_number: str


class PurchaseRow(DocumentRow, table=True):
    """A purchase order. ``version`` grows with every edit; ``decided_…`` is the last recorded approval.

    ``changed_by`` is who made the last edit or decision.
    """

    __tablename__ = "demo_purchase"
    __table_args__ = (Index("demo_purchase_newest", "ordered_on", "number_key"),)

    vendor: str
    vendor_key: str
    requester: str
    changed_by: str
    buyer: str
    ordered_on: date
    due_on: date | None
    total: Decimal = Field(sa_type=ExactDecimal)
    currency: str
    received: str
    level: int
    levels: int
    decided_by: str
    decided_at: datetime | None = Field(sa_type=UtcTime)
    reason: str
    version: int


class PurchaseLineRow(DocumentLineRow, table=True):
    """One line of a purchase order."""

    __tablename__ = "demo_purchase_line"

    received: Decimal = Field(sa_type=ExactDecimal)
    price: Decimal = Field(sa_type=ExactDecimal)
    amount: Decimal = Field(sa_type=ExactDecimal)


class DecisionRow(DemoTable, table=True):
    """One recorded decision. The key ensures that a version is decided once."""

    __tablename__ = "demo_approval"

    kind: str = Field("po", primary_key=True)
    """The command of the document's kind."""
    number_key: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    level: int
    verdict: str
    by: str
    at: datetime = Field(sa_type=UtcTime)
    reason: str


class CreatedRow(DemoTable, table=True):
    """A document that was begun from outside; ``kind`` is the command of its kind."""

    __tablename__ = "demo_created"

    mark: str = Field(primary_key=True)
    kind: str
    number: str


class ReviewRow(DemoTable, table=True):
    """The approval of a document that is no purchase order; ``kind`` is the command of its kind. See `PurchaseRow`."""

    __tablename__ = "demo_review"

    kind: str = Field(primary_key=True)
    number_key: str = Field(primary_key=True)
    status: str
    requester: str
    changed_by: str
    level: int
    levels: int
    decided_by: str
    decided_at: datetime | None = Field(sa_type=UtcTime)
    reason: str
    version: int


class ProductionRow(DocumentRow, table=True):
    """A production order."""

    __tablename__ = "demo_production"
    __table_args__ = (Index("demo_production_newest", "start_on", "number_key"),)

    sku: str
    name: str
    product_key: str
    unit: str
    planned: Decimal = Field(sa_type=ExactDecimal)
    produced: Decimal = Field(sa_type=ExactDecimal)
    scrapped: Decimal = Field(sa_type=ExactDecimal)
    start_on: date
    due_on: date | None
    finished_on: date | None
    material_ready: bool
    sales_order: str


class GoodsDeliveryRow(DocumentRow, table=True):
    """Goods shipped, or to be shipped, to a customer together."""

    __tablename__ = "demo_delivery"
    __table_args__ = (Index("demo_delivery_order", "order_key"),)

    order_number: str
    order_key: str
    customer: str
    customer_key: str
    planned_on: date | None
    shipped_on: date | None
    carrier: str
    tracking: str
    is_return: bool
    salesperson: str
    warehouse: str


class DeliveryLineRow(DocumentLineRow, table=True):
    """One product of a delivery."""

    __tablename__ = "demo_delivery_line"


class GoodsReceiptRow(DemoTable, table=True):
    """Goods received from a vendor together. ``orders`` and ``owners`` hold one number or name a line.

    ``order_keys`` does so too, with a line end on both sides of each folded number.
    """

    __tablename__ = "demo_receipt"
    __table_args__ = (Index("demo_receipt_newest", "received_on", "number_key"),)

    number_key: str = Field(primary_key=True)
    number: str
    orders: str
    order_keys: str
    vendor: str
    vendor_key: str
    received_on: date | None
    warehouse: str
    is_return: bool
    owners: str
    changed_at: datetime = Field(sa_type=UtcTime)


class ReceiptLineRow(DocumentLineRow, table=True):
    """One product of a receipt."""

    __tablename__ = "demo_receipt_line"

    lot: str


class ComponentRow(DemoTable, table=True):
    """A component of one unit of a product (``sku_key``), counted from 1."""

    __tablename__ = "demo_component"
    __table_args__ = (Index("demo_component_part", "part_key"),)

    sku_key: str = Field(primary_key=True)
    position: int = Field(primary_key=True)
    part_key: str
    quantity: Decimal = Field(sa_type=ExactDecimal)


class SupplyRow(DemoTable, table=True):
    """A vendor of a product, the first one first."""

    __tablename__ = "demo_supply"

    sku_key: str = Field(primary_key=True)
    position: int = Field(primary_key=True)
    vendor: str
    code: str
    lead_days: int | None


class CustomerRow(PartnerRow, table=True):
    """A customer."""

    __tablename__ = "demo_customer"

    salesperson: str
    credit_limit: Decimal | None = Field(sa_type=ExactDecimal)
    currency: str


class VendorRow(PartnerRow, table=True):
    """A vendor."""

    __tablename__ = "demo_vendor"

    buyer: str


class BillRow(DocumentRow, table=True):
    """An invoice or credit note by a vendor."""

    __tablename__ = "demo_bill"
    __table_args__ = (Index("demo_bill_newest", "issued_on", "number_key"),)

    vendor: str
    vendor_key: str
    issued_on: date
    due_on: date | None
    total: Decimal = Field(sa_type=ExactDecimal)
    open_amount: Decimal = Field(sa_type=ExactDecimal)
    currency: str
    is_credit_note: bool
    order_number: str
    reference: str


class PaymentRow(DocumentRow, table=True):
    """A receipt or payment."""

    __tablename__ = "demo_payment"
    __table_args__ = (Index("demo_payment_newest", "paid_on", "number_key"),)

    partner: str
    partner_key: str
    partner_kind: str
    direction: str
    paid_on: date
    amount: Decimal = Field(sa_type=ExactDecimal)
    currency: str
    method: str


class SettledRow(DemoTable, table=True):
    """An invoice or bill that a payment settles, counted from 1."""

    __tablename__ = "demo_settled"

    number_key: str = Field(primary_key=True)
    position: int = Field(primary_key=True)
    document: str


class ChangeRow(DemoTable, table=True):
    """The last change of each record. ``revision`` grows with every change, even if times are equal."""

    __tablename__ = "demo_change"
    __table_args__ = (Index("demo_change_record", "area", "key", unique=True),)

    revision: int | None = Field(default=None, primary_key=True)
    area: str
    key: str
    changed_at: datetime = Field(sa_type=UtcTime)
