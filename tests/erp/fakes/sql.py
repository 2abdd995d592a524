"""A company's self-made database with the reference company, for sources of the vendor ``sql``.

In SQLite, amounts and quantities are text (its numbers would lose digits) and times are text in Shanghai's time without
a zone; in PostgreSQL they are ``numeric``, ``date`` and ``timestamptz``. States are typical codes of such databases.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Engine,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    create_engine,
    delete,
    insert,
    inspect,
)
from sqlalchemy.engine import Connection
from sqlalchemy.event import listen

from bot.erp.goods import DeliveryStatus, GoodsDelivery, GoodsReceipt
from bot.erp.model import (
    Approval,
    Area,
    Bill,
    Customer,
    Invoice,
    InvoiceStatus,
    Lot,
    Money,
    OrderLine,
    OrderStatus,
    PartnerKind,
    Payment,
    PaymentDirection,
    PaymentStatus,
    Product,
    ProductionOrder,
    ProductionStatus,
    Progress,
    PurchaseLine,
    PurchaseOrder,
    PurchaseStatus,
    Quantities,
    SalesOrder,
    StockLevel,
    Supplier,
)
from bot.kit.testing.company import Clock, ReferenceCompany, snapshot_of
from bot.kit.testing.fake_erp import Installation
from bot.kit.testing.reference_goods import order_of_line

ZONE = ZoneInfo("Asia/Shanghai")

SALES_STATES = dict(zip(OrderStatus, (5, 10, 15, 20, 30, 40, 90), strict=True))
INVOICE_STATES = dict(zip(InvoiceStatus, "DUPXV", strict=True))
PURCHASE_STATES = dict(zip(PurchaseStatus, (0, 1, 2, 3, 4, 9), strict=True))
PRODUCTION_STATES = dict(zip(ProductionStatus, ("plan", "free", "run", "hold", "end", "stop"), strict=True))
PAYMENT_STATES = dict(zip(PaymentStatus, "DBX", strict=True))
DELIVERY_STATES = dict(zip(DeliveryStatus, "PRSX", strict=True))
PROGRESS = {Progress.NONE: "N", Progress.PARTIAL: "P", Progress.FULL: "F"}

_FIGURES = ("on_hand", "reserved", "free", "coming", "going", "expected")

_meta = MetaData()
_amount = Numeric().with_variant(Text(), "sqlite")
_day = Date().with_variant(Text(), "sqlite")
_flag = Boolean().with_variant(Integer(), "sqlite")
_time = DateTime(timezone=True).with_variant(Text(), "sqlite")


def _table(name: str, key: str, columns: str = "", **others: Any) -> Table:
    texts = [Column(each, Text()) for each in (key, *columns.split())]
    return Table(name, _meta, *texts, *(Column(each, kind) for each, kind in others.items()))


ITEMS = _table(
    "items",
    "item_no",
    "title spec uom grp ean cur",
    minimum=_amount,
    list_price=_amount,
    gone=_flag,
    counted=_time,
    changed=_time,
)
STORES = _table("stores", "code", "title")
HOLDINGS = _table("holdings", "item_no", "store", **dict.fromkeys(_FIGURES, _amount))
BATCHES = _table("batches", "item_no", "store batch", quantity=_amount, expires_on=_day)
OFFERS = _table("offers", "item_no", "supplier their_no", pos=Integer(), days=Integer())
PARTS = _table("parts", "item_no", "part_no", pos=Integer(), quantity=_amount)
ORDERS = _table(
    "orders",
    "no",
    "customer delivered billed paid cur seller",
    id=Integer(),
    state=Integer(),
    placed_on=_day,
    promised_on=_day,
    total=_amount,
    changed=_time,
)
ORDER_ROWS = _table(
    "order_rows",
    "no",
    "item_no title uom",
    pos=Integer(),
    due_on=_day,
    **dict.fromkeys(("quantity", "delivered", "invoiced", "price", "amount"), _amount),
)
BILLS = _table(
    "bills",
    "no",
    "customer state cur order_no",
    id=Integer(),
    issued_on=_day,
    due_on=_day,
    total=_amount,
    unpaid=_amount,
    credit=_flag,
    changed=_time,
)
PURCHASES = _table(
    "purchases",
    "no",
    "supplier received cur requester editor buyer approvers decided_by reason revision",
    id=Integer(),
    state=Integer(),
    level=Integer(),
    levels=Integer(),
    placed_on=_day,
    due_on=_day,
    total=_amount,
    decided=_time,
    changed=_time,
)
PURCHASE_ROWS = _table(
    "purchase_rows",
    "no",
    "item_no title uom",
    pos=Integer(),
    **dict.fromkeys(("quantity", "received", "price", "amount"), _amount),
)
WORKS = _table(
    "works",
    "no",
    "item_no title uom state order_no",
    id=Integer(),
    planned=_amount,
    done=_amount,
    scrap=_amount,
    starts_on=_day,
    due_on=_day,
    finished_on=_day,
    ready=_flag,
    changed=_time,
)

_PARTNER = "title person phone mail address terms cur"
CUSTOMERS = _table(
    "customers",
    "code",
    f"{_PARTNER} seller",
    id=Integer(),
    credit=_amount,
    owes=_amount,
    gone=_flag,
    changed=_time,
)
SUPPLIERS = _table(
    "suppliers",
    "code",
    f"{_PARTNER} buyer",
    id=Integer(),
    owed=_amount,
    gone=_flag,
    changed=_time,
)
VENDOR_BILLS = _table(
    "vendor_bills",
    "no",
    "supplier paper_no state cur order_no",
    id=Integer(),
    issued_on=_day,
    due_on=_day,
    total=_amount,
    unpaid=_amount,
    credit=_flag,
    changed=_time,
)
PAYMENTS = _table(
    "payments",
    "no",
    "partner side way state method cur",
    id=Integer(),
    paid_on=_day,
    amount=_amount,
    changed=_time,
)
SETTLEMENTS = _table("settlements", "payment_no", "document_no", pos=Integer())

SHIPMENTS = _table(
    "shipments",
    "no",
    "order_no customer state carrier tracking seller store",
    id=Integer(),
    planned_on=_day,
    left_on=_day,
    changed=_time,
)
SHIPMENT_ROWS = _table("shipment_rows", "no", "item_no title uom", pos=Integer(), quantity=_amount)
RECEIPTS = _table(
    "receipts",
    "no",
    "order_nos supplier store people",
    id=Integer(),
    back=_flag,
    came_on=_day,
    changed=_time,
)
RECEIPT_ROWS = _table("receipt_rows", "no", "order_no item_no title uom lot", pos=Integer(), quantity=_amount)

_TABLES: Mapping[Area, tuple[Table, ...]] = {
    Area.PRODUCTS: (ITEMS,),
    Area.STOCK: (ITEMS, HOLDINGS, BATCHES),
    Area.SALES: (ORDERS, ORDER_ROWS),
    Area.FINANCE: (BILLS,),
    Area.PURCHASING: (PURCHASES, PURCHASE_ROWS),
    Area.PRODUCTION: (WORKS,),
}

_Rows = list[tuple[Table, dict[str, Any]]]


class SqlInstallation(Installation):
    """Tables at an SQLAlchemy URL; existing content of tables with these names is replaced."""

    _held: ClassVar[dict[str, list[Any]]] = {}
    """The company in each database of a server: writing one takes 60 ms, and most tests only read."""
    _files: ClassVar[deque[tuple[list[Any], bytes]]] = deque(maxlen=4)
    """Companies and their SQLite files, to be copied."""

    def __init__(self, company: ReferenceCompany, clock: Clock, url: str) -> None:
        super().__init__(company, clock)
        self.url = url
        self._engine: Engine | None = None

    @classmethod
    def in_folder(cls, company: ReferenceCompany, clock: Clock, folder: Path) -> SqlInstallation:
        """Return an installation in an SQLite file."""
        return cls(company, clock, f"sqlite:///{folder / 'company.db'}")

    @property
    def engine(self) -> Engine:
        """Return an engine for tests that corrupt the tables."""
        assert self._engine is not None
        self._held.pop(self.url, None)
        return self._engine

    async def start(self) -> None:
        """Write the company unless it is there unchanged, and all its later changes."""
        self._engine = create_engine(self.url)
        if self._engine.dialect.name == "sqlite":
            listen(self._engine, "connect", _never_sync)
        company = snapshot_of(self.company)
        if self._engine.url.database and self._engine.dialect.name == "sqlite":
            self._copy(Path(self._engine.url.database), company)
        elif self._held.get(self.url) != company:
            self._fill()
            self._held[self.url] = company
        self.company.watch(self._follow)

    def _copy(self, file: Path, company: list[Any]) -> None:
        for known, written in self._files:
            if known == company and not file.exists():
                file.write_bytes(written)
                return
        self._fill()
        self._files.append((company, file.read_bytes()))

    def _fill(self) -> None:
        with self.engine.begin() as connection:
            existing = set(inspect(connection).get_table_names())
            for table in _meta.sorted_tables:
                if table.name in existing:
                    connection.execute(delete(table))
                else:
                    table.create(connection)
            rows: _Rows = [(STORES, {"code": code, "title": name}) for code, name in self.company.warehouses.items()]
            for area in set(Area) - {Area.PRODUCTS}:
                for key in self.company.records(area):
                    rows += self._rows(area, key)
            _add(connection, rows + self._of_partners())

    async def stop(self) -> None:
        """Close the database."""
        if self._engine is not None:
            self._engine.dispose()

    def _follow(self, area: Area, key: str) -> None:
        with self.engine.begin() as connection:
            for table in _TABLES[Area.STOCK if area is Area.PRODUCTS else area]:
                connection.execute(delete(table).where(next(iter(table.c)) == key))
            _add(connection, self._rows(Area.STOCK if area is Area.PRODUCTS else area, key))

    def _rows(self, area: Area, key: str) -> _Rows:
        record = self.company.records(area)[key]
        match record:
            case StockLevel():
                return self._item(record)
            case SalesOrder():
                return [(ORDERS, _order(record)), *_numbered(ORDER_ROWS, record.number, map(_order_row, record.lines))]
            case Invoice():
                return [(BILLS, _bill(record))]
            case PurchaseOrder():
                lines = map(_purchase_row, record.lines)
                return [(PURCHASES, _purchase(record)), *_numbered(PURCHASE_ROWS, record.number, lines)]
            case ProductionOrder():
                return [(WORKS, _work(record))]
            case _:
                raise TypeError(type(record).__name__)

    def _of_partners(self) -> _Rows:
        company = self.company
        shipped = [
            row
            for delivery in company.deliveries.values()
            for row in ((SHIPMENTS, _shipment(delivery)), *_numbered(SHIPMENT_ROWS, delivery.number, _sent(delivery)))
        ]
        taken_in = [
            row
            for receipt in company.receipts.values()
            for row in (
                (RECEIPTS, _receipt(receipt)),
                *_numbered(RECEIPT_ROWS, receipt.number, _taken_in(receipt, company)),
            )
        ]
        settled = [
            (SETTLEMENTS, {"payment_no": payment.number, "pos": n, "document_no": number})
            for payment in company.payments.values()
            for n, number in enumerate(payment.settles, 1)
        ]
        return [
            *((CUSTOMERS, _customer(customer)) for customer in company.customers.values()),
            *((SUPPLIERS, _supplier(vendor)) for vendor in company.vendors.values()),
            *((VENDOR_BILLS, _vendor_bill(bill)) for bill in company.bills.values()),
            *((PAYMENTS, _payment(payment)) for payment in company.payments.values()),
            *settled,
            *shipped,
            *taken_in,
            *self._of_products(),
        ]

    def _of_products(self) -> _Rows:
        company = self.company
        offers = [
            (OFFERS, {"item_no": sku, "pos": n, "supplier": each.vendor, "their_no": each.code, "days": each.lead_days})
            for sku, supplies in company.supplies.items()
            for n, each in enumerate(supplies, 1)
        ]
        parts = [
            (PARTS, {"item_no": sku, "pos": n, "part_no": each.sku, "quantity": each.quantity})
            for sku, components in company.components.items()
            for n, each in enumerate(components, 1)
        ]
        return [*offers, *parts]

    def _item(self, level: StockLevel) -> _Rows:
        product: Product = self.company.products[level.product.sku]
        item = {
            "item_no": product.sku,
            "title": product.name,
            "spec": product.spec,
            "uom": product.unit,
            "grp": product.category,
            "ean": product.barcode,
            "gone": not product.is_active,
            "minimum": level.reorder_point,
            "list_price": _value(self.company.list_prices[product.sku]),
            "cur": _currency(self.company.list_prices[product.sku]),
            "counted": level.as_of,
            "changed": self.company.product_changes[product.sku],
        }
        held: _Rows = [
            (HOLDINGS, {"item_no": product.sku, "store": place.code, **_figures(place.quantities)})
            for place in level.per_warehouse
        ]
        batches: _Rows = [(BATCHES, {"item_no": product.sku, **_batch(lot)}) for lot in level.lots]
        return [(ITEMS, item), *held, *batches]


def _never_sync(connection: Any, record: object) -> None:
    connection.execute("PRAGMA synchronous = OFF")


def _add(connection: Connection, rows: _Rows) -> None:
    """Insert rows, together for each table."""
    text_only = connection.dialect.name == "sqlite"
    of_table: dict[Table, list[dict[str, Any]]] = {}
    for table, row in rows:
        values = {name: _as_text(value) for name, value in row.items()} if text_only else row
        of_table.setdefault(table, []).append(values)
    for table, kept_rows in of_table.items():
        connection.execute(insert(table), kept_rows)


def _as_text(value: Any) -> Any:
    match value:
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.astimezone(ZONE).replace(tzinfo=None).isoformat(" ")
        case date():
            return value.isoformat()
        case _:
            return value


def _numbered(table: Table, number: str, lines: Iterable[dict[str, Any]]) -> _Rows:
    return [(table, {"no": number, "pos": 10 * n, **line}) for n, line in enumerate(lines, 1)]


def _figures(quantities: Quantities) -> dict[str, Any]:
    figures = (getattr(quantities, each.name) for each in fields(quantities))
    return dict(zip(_FIGURES, figures, strict=True))


def _batch(lot: Lot) -> dict[str, Any]:
    return {"store": lot.warehouse, "batch": lot.number, "quantity": lot.quantity, "expires_on": lot.expires_on}


def _value(money: Money | None) -> Decimal | None:
    return None if money is None else money.amount


def _currency(money: Money | None) -> str | None:
    return None if money is None else money.currency


def _progress(progress: Progress | None) -> str | None:
    return None if progress is None else PROGRESS[progress]


def _order(order: SalesOrder) -> dict[str, Any]:
    return {
        "id": int(order.id),
        "no": order.number,
        "customer": order.customer,
        "state": SALES_STATES[order.status],
        "delivered": _progress(order.delivery),
        "billed": _progress(order.billing),
        "paid": _progress(order.payment),
        "placed_on": order.ordered_on,
        "promised_on": order.promised_on,
        "total": _value(order.total),
        "cur": _currency(order.total),
        "seller": order.salesperson,
        "changed": order.changed_at,
    }


def _row(line: OrderLine | PurchaseLine) -> dict[str, Any]:
    return {
        "item_no": line.sku,
        "title": line.name,
        "uom": line.unit,
        "quantity": line.quantity,
        "price": _value(line.price),
        "amount": _value(line.amount),
    }


def _order_row(line: OrderLine) -> dict[str, Any]:
    return _row(line) | {"delivered": line.delivered, "invoiced": line.invoiced, "due_on": line.due_on}


def _purchase_row(line: PurchaseLine) -> dict[str, Any]:
    return _row(line) | {"received": line.received}


def _bill(invoice: Invoice) -> dict[str, Any]:
    return {**_owed(invoice), "customer": invoice.customer}


def _vendor_bill(bill: Bill) -> dict[str, Any]:
    return {**_owed(bill), "supplier": bill.vendor, "paper_no": bill.reference}


def _owed(invoice: Invoice | Bill) -> dict[str, Any]:
    return {
        "id": int(invoice.id),
        "no": invoice.number,
        "state": INVOICE_STATES[invoice.status],
        "issued_on": invoice.issued_on,
        "due_on": invoice.due_on,
        "total": _value(invoice.total),
        "unpaid": _value(invoice.open_amount),
        "cur": _currency(invoice.total),
        "credit": invoice.is_credit_note,
        "order_no": invoice.order_number,
        "changed": invoice.changed_at,
    }


def _shipment(delivery: GoodsDelivery) -> dict[str, Any]:
    return {
        "id": int(delivery.id),
        "no": delivery.number,
        "order_no": delivery.order_number,
        "customer": delivery.customer,
        "state": DELIVERY_STATES[delivery.status],
        "carrier": delivery.carrier,
        "tracking": delivery.tracking,
        "seller": delivery.salesperson,
        "store": delivery.warehouse,
        "planned_on": delivery.planned_on,
        "left_on": delivery.shipped_on,
        "changed": delivery.changed_at,
    }


def _sent(delivery: GoodsDelivery) -> Iterable[dict[str, Any]]:
    for line in delivery.lines:
        yield {"item_no": line.sku, "title": line.name, "uom": line.unit, "quantity": line.quantity}


def _receipt(receipt: GoodsReceipt) -> dict[str, Any]:
    return {
        "id": int(receipt.id),
        "no": receipt.number,
        "order_nos": ",".join(receipt.order_numbers),
        "supplier": receipt.vendor,
        "store": receipt.warehouse,
        "people": ",".join(receipt.owners),
        "back": receipt.is_return,
        "came_on": receipt.received_on,
        "changed": receipt.changed_at,
    }


def _taken_in(receipt: GoodsReceipt, company: ReferenceCompany) -> Iterable[dict[str, Any]]:
    for line in receipt.lines:
        yield {
            "order_no": order_of_line(receipt, line, company.purchases).number,
            "item_no": line.sku,
            "title": line.name,
            "uom": line.unit,
            "lot": line.lot,
            "quantity": abs(line.quantity),
        }


def _partner(partner: Customer | Supplier) -> dict[str, Any]:
    return {
        "id": int(partner.id),
        "code": partner.code,
        "title": partner.name,
        "person": partner.contact,
        "phone": partner.phone,
        "mail": partner.email,
        "address": partner.address,
        "terms": partner.payment_terms,
        "gone": not partner.is_active,
        "changed": partner.changed_at,
    }


def _customer(customer: Customer) -> dict[str, Any]:
    return {
        **_partner(customer),
        "seller": customer.salesperson,
        "credit": _value(customer.credit_limit),
        "owes": _value(customer.receivable),
        "cur": _currency(customer.receivable),
    }


def _supplier(vendor: Supplier) -> dict[str, Any]:
    return {
        **_partner(vendor),
        "buyer": vendor.buyer,
        "owed": _value(vendor.payable),
        "cur": _currency(vendor.payable),
    }


def _payment(payment: Payment) -> dict[str, Any]:
    return {
        "id": int(payment.id),
        "no": payment.number,
        "partner": payment.partner,
        "side": "S" if payment.partner_kind is PartnerKind.VENDOR else "C",
        "way": "in" if payment.direction is PaymentDirection.RECEIVED else "out",
        "state": PAYMENT_STATES[payment.status],
        "method": payment.method,
        "cur": _currency(payment.amount),
        "paid_on": payment.paid_on,
        "amount": _value(payment.amount),
        "changed": payment.changed_at,
    }


def _purchase(order: PurchaseOrder) -> dict[str, Any]:
    approval = order.approval
    known = approval or Approval()
    return {
        "id": int(order.id),
        "no": order.number,
        "supplier": order.vendor,
        "state": PURCHASE_STATES[order.status],
        "requester": order.requester,
        "editor": order.changed_by,
        "buyer": order.buyer,
        "placed_on": order.ordered_on,
        "due_on": order.due_on,
        "total": _value(order.total),
        "cur": _currency(order.total),
        "received": _progress(order.received),
        "approvers": ", ".join(known.pending_for),
        "level": known.level if approval else None,
        "levels": known.levels if approval else None,
        "decided_by": known.decided_by or None,
        "decided": known.decided_at,
        "reason": known.reason or None,
        "revision": order.version,
        "changed": order.changed_at,
    }


def _work(order: ProductionOrder) -> dict[str, Any]:
    return {
        "id": int(order.id),
        "no": order.number,
        "item_no": order.sku,
        "title": order.name,
        "uom": order.unit,
        "planned": order.planned,
        "done": order.produced,
        "scrap": order.scrapped,
        "state": PRODUCTION_STATES[order.status],
        "starts_on": order.start_on,
        "due_on": order.due_on,
        "finished_on": order.finished_on,
        "ready": order.material_ready,
        "order_no": order.sales_order,
        "changed": order.changed_at,
    }
