"""Builds the bot's records out of values, which may come from a database or from JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Generic, TypeVar

from bot.erp import kinds
from bot.erp.kinds import D, Kind
from bot.erp.kinds.quotations import Quotation
from bot.erp.mapped import schema
from bot.erp.mapped.reader import MappingContext, RecordBuilder, RecordFields
from bot.erp.model import (
    Approval,
    Area,
    Bill,
    Customer,
    Followed,
    Invoice,
    InvoiceStatus,
    Lot,
    Money,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentDirection,
    Product,
    ProductionOrder,
    Progress,
    PurchaseLine,
    PurchaseOrder,
    Quantities,
    Review,
    ReviewState,
    SalesOrder,
    StockLevel,
    Supplier,
    WarehouseStock,
    by_expiry,
)
from bot.erp.model.goods import DeliveryLine, GoodsDelivery, GoodsLine, GoodsReceipt, ReceiptLine

FIGURES = ("on_hand", "reserved", "available", "incoming", "outgoing", "forecast")

R = TypeVar("R")

_VERSION = "~"
"""Separates the ERP's own version from our fingerprint."""

_BY_DELIVERY = {Progress.PARTIAL: OrderStatus.PARTLY_DELIVERED, Progress.FULL: OrderStatus.DELIVERED}


@dataclass(frozen=True, slots=True)
class DocumentMapping(Generic[D]):
    """One kind of document, its layout and its lines' layout."""

    kind: Kind[D]
    layout: RecordBuilder[D]
    lines: RecordBuilder[Any] | None = None

    @property
    def section(self) -> str:
        """The name of its section in a configuration."""
        return section_of(self.kind)


def section_of(kind: Kind[Any]) -> str:
    """Return the name of the section of a kind: its area, if it stands for it, else its own."""
    return kind.area if kind in kinds.AREA_KINDS else kind.list_call


def product_of(values: RecordFields, _lines: tuple[Any, ...], _context: MappingContext) -> Product:
    """Return the product that a row names."""
    return values.record(Product)


def _place(values: RecordFields, _lines: tuple[Any, ...], _context: MappingContext) -> WarehouseStock:
    return WarehouseStock(code=values["code"], name=values["name"] or values["code"], quantities=figures_of(values))


def figures_of(values: RecordFields) -> Quantities:
    """Return the figures of one place, or of all together."""
    return with_available(Quantities(**values.some(*FIGURES)))


def with_available(figures: Quantities) -> Quantities:
    """Return figures with what is available: as the ERP says, else what is on hand and not reserved."""
    if figures.available is not None or figures.on_hand is None or figures.reserved is None:
        return figures
    return replace(figures, available=figures.on_hand - figures.reserved)


def made_of(kind: type[R]) -> Callable[[RecordFields, tuple[Any, ...], MappingContext], R]:
    """Return the builder of records that are nothing but their fields."""
    return lambda values, _lines, _context: values.record(kind)


def _with_lines(kind: type[R]) -> Callable[[RecordFields, tuple[Any, ...], MappingContext], R]:
    return lambda values, lines, _context: values.record(kind, lines=lines)


@dataclass(frozen=True, slots=True)
class StockTotal:
    """A product's figures over all places, as far as the ERP has them."""

    quantities: Quantities
    reorder_point: Decimal | None = None
    as_of: datetime | None = None
    company: str = ""


def _total(values: RecordFields, _lines: tuple[Any, ...], _context: MappingContext) -> StockTotal:
    return StockTotal(figures_of(values), values["reorder_point"], values["as_of"], values["company"])


def stock_level(
    product: Product,
    total: StockTotal | None,
    places: tuple[WarehouseStock, ...],
    mapped: frozenset[str],
    context: MappingContext,
    lots: Iterable[Lot] = (),
) -> StockLevel:
    """Return a product's stock. Figures that ``total`` lacks are the sums of the places.

    ``mapped``: the figures that places have. They are zero for a product that is in no place; a figure that any place
    lacks is unknown in total. Several rows of a place, such as its batches, are added up.
    """
    total = total or StockTotal(Quantities(on_hand=None))
    places = _by_code(places)
    together = sum_of(place.quantities for place in places)
    figures: dict[str, Decimal | None] = {}
    for name in FIGURES:
        figure = getattr(total.quantities, name)
        summed = getattr(together, name) if name in mapped else None
        figures[name] = summed if figure is None else figure
    return StockLevel(
        product=product,
        total=with_available(Quantities(**figures)),
        per_warehouse=places,
        reorder_point=total.reorder_point,
        as_of=total.as_of or context.now(),
        company=total.company,
        lots=by_expiry(lots),
        source=context.source,
    )


def _by_code(rows: tuple[WarehouseStock, ...]) -> tuple[WarehouseStock, ...]:
    places: dict[str, list[WarehouseStock]] = {}
    for row in rows:
        places.setdefault(row.code, []).append(row)
    return tuple(
        replace(of_place[0], quantities=sum_of(row.quantities for row in of_place)) for of_place in places.values()
    )


def sum_of(rows: Iterable[Quantities]) -> Quantities:
    """Return the sum of several figures; what any of them lacks is unknown."""
    known = tuple(rows)
    return Quantities(**{name: _sum(name, known) for name in FIGURES})


def _sum(name: str, rows: Iterable[Quantities]) -> Decimal | None:
    figures = [getattr(row, name) for row in rows]
    return None if None in figures else sum(figures, Decimal(0))


def _sales_order(values: RecordFields, lines: tuple[OrderLine, ...], _context: MappingContext) -> SalesOrder:
    status = values["status"]
    if status is OrderStatus.OPEN:
        # Most ERPs have one word for open and keep what was delivered beside it
        # (docs: platform/erp/records.md#sales-orders).
        status = _BY_DELIVERY.get(values["delivery"], status)
    return values.record(SalesOrder, status=status, lines=lines, review=_reviewed(values))


def _invoice(values: RecordFields, _lines: tuple[Any, ...], _context: MappingContext) -> Invoice:
    return values.record(Invoice, **_owed(values))


def _bill(values: RecordFields, _lines: tuple[Any, ...], _context: MappingContext) -> Bill:
    return values.record(Bill, **_owed(values), review=_reviewed(values))


def _owed(values: RecordFields) -> dict[str, Any]:
    """Return the state and the amounts of an invoice or bill."""
    total, open_amount = values.money("total"), values.money("open_amount")
    credit = values["is_credit_note"]
    if credit is None:
        credit = total is not None and total.amount < 0
    if credit:
        # Many ERPs keep what they owe as a positive amount of another kind of document.
        total, open_amount = (each and type(each)(-abs(each.amount), each.currency) for each in (total, open_amount))
    status = unpaid_status(values["status"], total, open_amount)
    return {"status": status, "total": total, "open_amount": open_amount, "is_credit_note": credit}


def unpaid_status(status: InvoiceStatus, total: Money | None, open_amount: Money | None) -> InvoiceStatus:
    """Return the state of an invoice or bill: one word for what is not paid may hide that a part is."""
    if status is not InvoiceStatus.UNPAID or total is None or open_amount is None:
        return status
    return InvoiceStatus.PART_PAID if 0 < abs(open_amount.amount) < abs(total.amount) else status


_OTHER_WAY = {
    PaymentDirection.RECEIVED: PaymentDirection.SPENT,
    PaymentDirection.SPENT: PaymentDirection.RECEIVED,
}


def _payment(values: RecordFields, settles: tuple[str, ...], _context: MappingContext) -> Payment:
    amount, direction = values.money("amount"), values["direction"]
    if amount is not None and amount.amount < 0:
        # A refund among receipts is money that went the other way.
        amount, direction = Money(-amount.amount, amount.currency), _OTHER_WAY[direction]
    return values.record(Payment, direction=direction, amount=amount, settles=settles)


def _settled(values: RecordFields, _lines: tuple[Any, ...], _context: MappingContext) -> str:
    return str(values["number"])


def _moved(kind: type[R]) -> Callable[[RecordFields, tuple[Any, ...], MappingContext], R]:
    """Return the builder of deliveries or receipts."""

    def build(values: RecordFields, lines: tuple[GoodsLine, ...], _context: MappingContext) -> R:
        returned = values["is_return"] is True
        if returned:
            # Many ERPs keep what goes back as a positive quantity of another kind of document.
            lines = tuple(replace(line, quantity=-abs(line.quantity)) for line in lines)
        return values.record(kind, is_return=returned, lines=lines)

    return build


def _purchase_order(values: RecordFields, lines: tuple[PurchaseLine, ...], _context: MappingContext) -> PurchaseOrder:
    return values.record(PurchaseOrder, review=_review(values, values["status"]), lines=lines)


def _quotation(values: RecordFields, lines: tuple[OrderLine, ...], _context: MappingContext) -> Quotation:
    return values.record(Quotation, review=_reviewed(values), lines=lines)


def _reviewed(values: RecordFields) -> Review | None:
    """Return how far a document is, None where the ERP does not tell: its own state is another."""
    return None if values["review"] is None else _review(values, values["review"])


def _review(values: RecordFields, state: ReviewState) -> Review:
    version = f"{values['version']}{_VERSION}{_fingerprint(values)}"
    return values.record(Review, state=state, approval=_approval(values, state), version=version)


def _approval(values: RecordFields, state: ReviewState) -> Approval | None:
    fields = values.some("pending_for", "level", "levels", "decided_by", "decided_at", "reason", "task_id")
    known = {name: value for name, value in fields.items() if value not in (None, "", ())}
    if not known and state is not ReviewState.WAITING:
        return None
    return Approval(**known)


def own_version(version: str) -> str:
    """Return the ERP's own version from that of a review, empty if it is not mapped."""
    return version.rpartition(_VERSION)[0]


def _fingerprint(values: RecordFields) -> str:
    """Return a hash of a document's values: it shows edits within one tick of a clock.

    The last editor is left out: saving without a change is no new version.
    """
    parts = [(name, _plain(value)) for name, value in sorted(values.fields.items()) if name != "changed_by"]
    return blake2b(repr((parts, values.currency)).encode(errors="replace"), digest_size=8).hexdigest()


def _plain(value: Any) -> str:
    # 100 and 100.00 are one amount, and +08:00 and UTC one time.
    if isinstance(value, Decimal):
        whole, _, fraction = format(value, "f").partition(".")
        return f"{whole}.{fraction.rstrip('0')}"
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


PRODUCT = RecordBuilder(Area.PRODUCTS, schema.PRODUCT, "sku", product_of)
PLACE = RecordBuilder(Area.STOCK, schema.PLACE, "code", _place)
LOT = RecordBuilder(Area.STOCK, schema.LOT, "number", made_of(Lot))
TOTAL = RecordBuilder(Area.STOCK, schema.STOCK, "company", _total)

SALES: DocumentMapping[SalesOrder] = DocumentMapping(
    kinds.SALES_ORDERS,
    RecordBuilder(Area.SALES, schema.SALES_ORDER, "number", _sales_order),
    RecordBuilder(Area.SALES, schema.ORDER_LINE, "sku", made_of(OrderLine)),
)
FINANCE: DocumentMapping[Invoice] = DocumentMapping(
    kinds.INVOICES, RecordBuilder(Area.FINANCE, schema.INVOICE, "number", _invoice)
)
PURCHASING: DocumentMapping[PurchaseOrder] = DocumentMapping(
    kinds.PURCHASE_ORDERS,
    RecordBuilder(Area.PURCHASING, schema.PURCHASE_ORDER, "number", _purchase_order),
    RecordBuilder(Area.PURCHASING, schema.PURCHASE_LINE, "sku", made_of(PurchaseLine)),
)
PRODUCTION: DocumentMapping[ProductionOrder] = DocumentMapping(
    kinds.PRODUCTION_ORDERS,
    RecordBuilder(Area.PRODUCTION, schema.PRODUCTION_ORDER, "number", made_of(ProductionOrder)),
)
CUSTOMERS: DocumentMapping[Customer] = DocumentMapping(
    kinds.CUSTOMERS, RecordBuilder(Area.SALES, schema.CUSTOMER, "code", made_of(Customer))
)
VENDORS: DocumentMapping[Supplier] = DocumentMapping(
    kinds.VENDORS, RecordBuilder(Area.PURCHASING, schema.VENDOR, "code", made_of(Supplier))
)
BILLS: DocumentMapping[Bill] = DocumentMapping(
    kinds.BILLS, RecordBuilder(Area.PURCHASING, schema.BILL, "number", _bill)
)
PAYMENTS: DocumentMapping[Payment] = DocumentMapping(
    kinds.PAYMENTS,
    RecordBuilder(Area.FINANCE, schema.PAYMENT, "number", _payment),
    RecordBuilder(Area.FINANCE, schema.SETTLED, "number", _settled),
)
DELIVERIES: DocumentMapping[GoodsDelivery] = DocumentMapping(
    kinds.DELIVERIES,
    RecordBuilder(Area.SALES, schema.DELIVERY, "number", _moved(GoodsDelivery)),
    RecordBuilder(Area.SALES, schema.DELIVERY_LINE, "sku", made_of(DeliveryLine)),
)
RECEIPTS: DocumentMapping[GoodsReceipt] = DocumentMapping(
    kinds.RECEIPTS,
    RecordBuilder(Area.PURCHASING, schema.RECEIPT, "number", _moved(GoodsReceipt)),
    RecordBuilder(Area.PURCHASING, schema.RECEIPT_LINE, "sku", made_of(ReceiptLine)),
)
QUOTATIONS: DocumentMapping[Quotation] = DocumentMapping(
    kinds.QUOTATIONS,
    RecordBuilder(Area.SALES, schema.QUOTATION, "number", _quotation),
    RecordBuilder(Area.SALES, schema.ORDER_LINE, "sku", made_of(OrderLine)),
)
DOCUMENTS: tuple[DocumentMapping[Any], ...] = (
    *(SALES, FINANCE, PURCHASING, PRODUCTION),
    *(CUSTOMERS, VENDORS, BILLS, PAYMENTS, DELIVERIES, RECEIPTS, QUOTATIONS),
)


def _change(values: RecordFields, _lines: tuple[Any, ...], _context: MappingContext) -> tuple[str, datetime]:
    return values["key"], values["changed_at"]


def change_builder(area: Followed) -> RecordBuilder[tuple[str, datetime]]:
    """Return the layout of changes: key and time."""
    own = area if isinstance(area, Area) else kinds.kind_followed(area).area
    return RecordBuilder(own, schema.CHANGE, "key", _change)
