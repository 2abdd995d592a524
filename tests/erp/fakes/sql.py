"""A company's self-made database with the reference company, for sources of the vendor ``sql``.

In SQLite, amounts and quantities are text (its numbers would lose digits) and times are text in Shanghai's time without
a zone; in PostgreSQL they are ``numeric``, ``date`` and ``timestamptz``. States are typical codes of such databases.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import NoneType
from typing import Any, ClassVar, get_args, get_origin, get_type_hints
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

from bot.erp import kinds
from bot.erp.kinds.quotations import Quotation, QuotationStatus
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
    Quantities,
    ReviewState,
    SalesOrder,
    StockLevel,
    Supplier,
)
from bot.erp.model.goods import DeliveryLine, DeliveryStatus, GoodsDelivery, GoodsReceipt, ReceiptLine
from bot.kit.testing.company import Clock, ReferenceCompany, snapshot_of
from bot.kit.testing.fake_erp import Installation
from bot.kit.testing.reference_goods import order_of_line
from tests.erp.fakes.shapes import fields_of, named

ZONE = ZoneInfo("Asia/Shanghai")

SALES_STATES = dict(zip(OrderStatus, (5, 10, 15, 20, 30, 40, 90), strict=True))
INVOICE_STATES = dict(zip(InvoiceStatus, "DUPXV", strict=True))
PURCHASE_STATES = dict(zip(ReviewState, (0, 1, 2, 3, 4, 9), strict=True))
PRODUCTION_STATES = dict(zip(ProductionStatus, ("plan", "free", "run", "hold", "end", "stop"), strict=True))
PAYMENT_STATES = dict(zip(PaymentStatus, "DBX", strict=True))
DELIVERY_STATES = dict(zip(DeliveryStatus, "PRSX", strict=True))
QUOTATION_STATES = dict(zip(QuotationStatus, "DSALX", strict=True))
PROGRESS = {Progress.NONE: "N", Progress.PARTIAL: "P", Progress.FULL: "F"}

_ITEM = "sku=item_no name=title unit=uom"
_LINE = f"{_ITEM} quantity price amount"
_OWED = (
    "id number=no status=state issued_on due_on total total.currency=cur open_amount=unpaid is_credit_note=credit "
    "order_number=order_no changed_at=changed"
)
_PARTNER_SHAPE = "id code name=title contact=person phone email=mail address payment_terms=terms changed_at=changed"
_SHAPES: Mapping[type, str] = {
    Quantities: "on_hand reserved available=free incoming=coming outgoing=going forecast=expected",
    Lot: "warehouse=store number=batch quantity expires_on",
    SalesOrder: "id number=no customer status=state delivery=delivered billing=billed payment=paid "
    "ordered_on=placed_on promised_on total total.currency=cur salesperson=seller changed_at=changed",
    OrderLine: f"{_LINE} delivered invoiced due_on",
    Quotation: "id number=no customer status=state quoted_on=placed_on valid_until=holds_until total "
    "total.currency=cur salesperson=seller order_number=order_no changed_at=changed",
    Invoice: f"{_OWED} customer",
    Bill: f"{_OWED} vendor=supplier reference=paper_no",
    PurchaseOrder: "id number=no vendor=supplier review.state=state review.requester=requester "
    "review.changed_by=editor buyer ordered_on=placed_on "
    "due_on total total.currency=cur received review.version=revision changed_at=changed",
    Approval: "level levels decided_at=decided",
    PurchaseLine: f"{_LINE} received",
    ProductionOrder: f"id number=no {_ITEM} planned produced=done scrapped=scrap status=state "
    "start_on=starts_on due_on finished_on material_ready=ready sales_order=order_no changed_at=changed",
    Customer: f"{_PARTNER_SHAPE} salesperson=seller credit_limit=credit receivable=owes receivable.currency=cur",
    Supplier: f"{_PARTNER_SHAPE} buyer payable=owed payable.currency=cur",
    Payment: "id number=no partner status=state method amount.currency=cur paid_on amount changed_at=changed",
    GoodsDelivery: "id number=no order_number=order_no customer status=state carrier tracking salesperson=seller "
    "warehouse=store planned_on shipped_on=left_on changed_at=changed",
    DeliveryLine: f"{_ITEM} quantity",
    GoodsReceipt: "id number=no order_numbers=order_nos vendor=supplier warehouse=store owners=people is_return=back "
    "received_on=came_on changed_at=changed",
    ReceiptLine: f"{_ITEM} lot",
}
"""What these tables tell of each record: the fields, and the columns where these are called otherwise."""
_STATES: Mapping[type, Mapping[Any, Any]] = {
    OrderStatus: SALES_STATES,
    QuotationStatus: QUOTATION_STATES,
    InvoiceStatus: INVOICE_STATES,
    ReviewState: PURCHASE_STATES,
    ProductionStatus: PRODUCTION_STATES,
    PaymentStatus: PAYMENT_STATES,
    DeliveryStatus: DELIVERY_STATES,
    Progress: PROGRESS,
}

_meta = MetaData()
_KINDS: Mapping[type, Any] = {
    str: Text(),
    tuple: Text(),
    int: Integer(),
    bool: Boolean().with_variant(Integer(), "sqlite"),
    Decimal: Numeric().with_variant(Text(), "sqlite"),
    Money: Numeric().with_variant(Text(), "sqlite"),
    date: Date().with_variant(Text(), "sqlite"),
    datetime: DateTime(timezone=True).with_variant(Text(), "sqlite"),
}


def _table(name: str, key: str, *records: type, **columns: type) -> Table:
    """Return a table of what is told of records, of the types that their fields have, and of more ``columns``."""
    told = {column: _type_of(record, path) for record in records for path, column in fields_of(_SHAPES[record])}
    kinds = {key: str, **told, **columns}
    return Table(name, _meta, *(Column(each, _KINDS[kind]) for each, kind in kinds.items()))


def _type_of(record: type, path: str) -> type:
    """Return how a field is stored; a state as its code."""
    if path == "id":
        return int
    kind: Any = record
    for name in path.split("."):
        hint = get_type_hints(kind)[name]
        kind = get_args(hint)[0] if NoneType in get_args(hint) else hint
    kind = get_origin(kind) or kind
    return type(next(iter(_STATES[kind].values()))) if kind in _STATES else kind


ITEMS = _table(
    "items",
    "item_no",
    **dict.fromkeys(("title", "spec", "uom", "grp", "ean", "cur"), str),
    minimum=Decimal,
    list_price=Decimal,
    gone=bool,
    counted=datetime,
    changed=datetime,
)
STORES = _table("stores", "code", title=str)
HOLDINGS = _table("holdings", "item_no", Quantities, store=str)
BATCHES = _table("batches", "item_no", Lot)
OFFERS = _table("offers", "item_no", supplier=str, their_no=str, pos=int, days=int)
PARTS = _table("parts", "item_no", part_no=str, pos=int, quantity=Decimal)
ORDERS = _table("orders", "no", SalesOrder)
ORDER_ROWS = _table("order_rows", "no", OrderLine, pos=int)
QUOTES = _table("quotes", "no", Quotation)
QUOTE_ROWS = _table("quote_rows", "no", OrderLine, pos=int)
BILLS = _table("bills", "no", Invoice)
PURCHASES = _table("purchases", "no", PurchaseOrder, Approval, approvers=str, decided_by=str, reason=str)
PURCHASE_ROWS = _table("purchase_rows", "no", PurchaseLine, pos=int)
WORKS = _table("works", "no", ProductionOrder)
CUSTOMERS = _table("customers", "code", Customer, gone=bool)
SUPPLIERS = _table("suppliers", "code", Supplier, gone=bool)
VENDOR_BILLS = _table("vendor_bills", "no", Bill)
PAYMENTS = _table("payments", "no", Payment, side=str, way=str)
SETTLEMENTS = _table("settlements", "payment_no", document_no=str, pos=int)
SHIPMENTS = _table("shipments", "no", GoodsDelivery)
SHIPMENT_ROWS = _table("shipment_rows", "no", DeliveryLine, pos=int)
RECEIPTS = _table("receipts", "no", GoodsReceipt)
RECEIPT_ROWS = _table("receipt_rows", "no", ReceiptLine, order_no=str, pos=int, quantity=Decimal)

_TABLES: Mapping[Area, tuple[Table, ...]] = {
    Area.PRODUCTS: (ITEMS,),
    Area.STOCK: (ITEMS, HOLDINGS, BATCHES),
    Area.SALES: (ORDERS, ORDER_ROWS),
    Area.FINANCE: (BILLS,),
    Area.PURCHASING: (PURCHASES, PURCHASE_ROWS),
    Area.PRODUCTION: (WORKS,),
}

_UNCHANGED: tuple[tuple[Table, kinds.Kind[Any]], ...] = (
    (CUSTOMERS, kinds.CUSTOMERS),
    (SUPPLIERS, kinds.VENDORS),
    (VENDOR_BILLS, kinds.BILLS),
    (PAYMENTS, kinds.PAYMENTS),
)
"""Tables of records that no test changes while it reads."""
_WITH_LINES: tuple[tuple[tuple[Table, Table], kinds.Kind[Any]], ...] = (
    ((SHIPMENTS, SHIPMENT_ROWS), kinds.DELIVERIES),
    ((QUOTES, QUOTE_ROWS), kinds.QUOTATIONS),
)
"""Likewise, with those of their lines."""

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
        if isinstance(record, StockLevel):
            return self._item(record)
        [table, *of_lines] = _TABLES[area]
        return [(table, _row(record)), *(row for each in of_lines for row in _lines(each, record))]

    def _of_partners(self) -> _Rows:
        company = self.company
        with_lines = [
            row
            for (table, of_lines), kind in _WITH_LINES
            for document in company.documents(kind).values()
            for row in ((table, _row(document)), *_lines(of_lines, document))
        ]
        taken_in = [
            row
            for each in company.receipts.values()
            for row in ((RECEIPTS, _row(each)), *_numbered(RECEIPT_ROWS, each.number, _taken_in(each, company)))
        ]
        settled = [
            (SETTLEMENTS, {"payment_no": payment.number, "pos": n, "document_no": number})
            for payment in company.payments.values()
            for n, number in enumerate(payment.settles, 1)
        ]
        return [
            *((table, _row(document)) for table, kind in _UNCHANGED for document in company.documents(kind).values()),
            *settled,
            *with_lines,
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
        price = self.company.list_prices[product.sku]
        item = {
            "item_no": product.sku,
            "title": product.name,
            "spec": product.spec,
            "uom": product.unit,
            "grp": product.category,
            "ean": product.barcode,
            "gone": not product.is_active,
            "minimum": level.reorder_point,
            "list_price": price.amount,
            "cur": price.currency,
            "counted": level.as_of,
            "changed": self.company.product_changes[product.sku],
        }
        held: _Rows = [
            (HOLDINGS, {"item_no": product.sku, "store": place.code, **_row(place.quantities)})
            for place in level.per_warehouse
        ]
        batches: _Rows = [(BATCHES, {"item_no": product.sku, **_row(lot)}) for lot in level.lots]
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


def _lines(table: Table, record: Any) -> _Rows:
    return _numbered(table, record.number, map(_row, record.lines))


def _numbered(table: Table, number: str, lines: Iterable[dict[str, Any]]) -> _Rows:
    return [(table, {"no": number, "pos": 10 * n, **line}) for n, line in enumerate(lines, 1)]


def _row(record: Any) -> dict[str, Any]:
    """Return the row of a record of the company."""
    told = {column: _spelled(column, value) for column, value in named(record, _SHAPES[type(record)]).items()}
    match record:
        case PurchaseOrder():
            return told | _decided(record.review.approval)
        case Customer() | Supplier():
            return told | {"gone": not record.is_active}
        case Payment():
            side = "S" if record.partner_kind is PartnerKind.VENDOR else "C"
            return told | {"side": side, "way": "in" if record.direction is PaymentDirection.RECEIVED else "out"}
        case ReceiptLine():
            return told | {"quantity": abs(record.quantity)}
        case _:
            return told


def _spelled(column: str, value: Any) -> Any:
    match value:
        case Money():
            return value.amount
        case tuple():
            return ",".join(value)
        case _ if column == "id":
            return int(value)
        case _:
            return _STATES[type(value)][value] if type(value) in _STATES else value


def _decided(approval: Approval | None) -> dict[str, Any]:
    if approval is None:
        nothing = dict.fromkeys(("level", "levels", "decided_by", "decided", "reason"))
        return {"approvers": "", **nothing}
    return {
        **_row(approval),
        "approvers": ", ".join(approval.pending_for),
        "decided_by": approval.decided_by or None,
        "reason": approval.reason or None,
    }


def _taken_in(receipt: GoodsReceipt, company: ReferenceCompany) -> Iterable[dict[str, Any]]:
    for line in receipt.lines:
        yield _row(line) | {"order_no": order_of_line(receipt, line, company.purchases).number}
