"""A company of a few records as an ERP without a database; every figure of these tests is in this file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from bot.erp.document_calls import DocumentCalls
from bot.erp.errors import ErpError, NotFound, Unsupported
from bot.erp.header_lists import as_listed
from bot.erp.kinds import (
    BILLS,
    CUSTOMERS,
    INVOICES,
    PAYMENTS,
    PRODUCTION_ORDERS,
    PURCHASE_ORDERS,
    QUOTATIONS,
    SALES_ORDERS,
    VENDORS,
    D,
    Kind,
    kind_of,
)
from bot.erp.kinds.quotations import Quotation, QuotationStatus
from bot.erp.model import (
    Approval,
    Area,
    Bill,
    Changes,
    Customer,
    Decision,
    DecisionResult,
    DocumentDraft,
    ErpRecord,
    Invoice,
    Money,
    OrderLine,
    OrderStatus,
    PartnerKind,
    Payment,
    PaymentDirection,
    Product,
    ProductionOrder,
    Progress,
    PurchaseLine,
    PurchaseOrder,
    Quantities,
    ReviewState,
    SalesOrder,
    Slice,
    StockLevel,
    Supplier,
    WarehouseStock,
)
from bot.erp.port import Capability, Filter, ListQuery
from tests.bare_records import bare

NOW = datetime(2026, 11, 5, 8, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
TODAY = NOW.date()

T = TypeVar("T", SalesOrder, Invoice, PurchaseOrder, ProductionOrder, Customer, Supplier, Bill, Payment)


def cny(amount: str) -> Money:
    return Money(Decimal(amount), "CNY")


def product(sku: str, name: str, unit: str = "pcs") -> Product:
    return Product(sku=sku, name=name, unit=unit)


def place(code: str, name: str, on_hand: str, reserved: str | None = "0") -> WarehouseStock:
    free = None if reserved is None else Decimal(on_hand) - Decimal(reserved)
    held = None if reserved is None else Decimal(reserved)
    return WarehouseStock(
        code=code, name=name, quantities=Quantities(on_hand=Decimal(on_hand), reserved=held, available=free)
    )


def level(item: Product, *places: WarehouseStock, reorder_point: str | None = None) -> StockLevel:
    on_hand = sum((place.quantities.on_hand or Decimal() for place in places), Decimal())
    return StockLevel(
        product=item,
        total=Quantities(on_hand=on_hand, available=on_hand),
        per_warehouse=places,
        reorder_point=None if reorder_point is None else Decimal(reorder_point),
        as_of=NOW - timedelta(minutes=5),
        company="示范制造",
    )


def order(
    number: str, customer: str, *, late: int = 0, lines: int = 0, status: OrderStatus = OrderStatus.OPEN
) -> SalesOrder:
    return bare(
        SalesOrder,
        number,
        customer=customer,
        status=status,
        delivery=Progress.NONE,
        ordered_on=date(2026, 10, 1),
        promised_on=TODAY - timedelta(days=late),
        total=cny("100"),
        lines=tuple(
            OrderLine(sku=f"W-{i}", name=f"垫圈 {i}", unit="pcs", quantity=Decimal(i), amount=cny("1"))
            for i in range(1, lines + 1)
        ),
        url=f"https://erp.example.com/{number}",
    )


def quotation(number: str, customer: str, *, late: int = 0, order_number: str = "") -> Quotation:
    return bare(
        Quotation,
        number,
        customer=customer,
        status=QuotationStatus.ACCEPTED if order_number else QuotationStatus.SENT,
        quoted_on=date(2026, 10, 1),
        valid_until=TODAY - timedelta(days=late),
        total=cny("100"),
        lines=(OrderLine(sku="SKU123", name="M6 螺丝", unit="pcs", quantity=Decimal(5), amount=cny("100")),),
        order_number=order_number,
    )


def invoice(number: str, customer: str, money: Money | None, *, overdue: int = 0, order_number: str = "") -> Invoice:
    return bare(Invoice, number, customer=customer, order_number=order_number, **_owed(money, overdue))


def _owed(money: Money | None, overdue: int) -> dict[str, Any]:
    days = {"issued_on": date(2026, 9, 1), "due_on": TODAY - timedelta(days=overdue)}
    return days | {"total": money, "open_amount": money}


def purchase(number: str, vendor: str, status: ReviewState, *pending_for: str) -> PurchaseOrder:
    return bare(
        PurchaseOrder,
        number,
        vendor=vendor,
        status=status,
        approval=Approval(pending_for=pending_for, levels=2) if pending_for else None,
        ordered_on=date(2026, 11, 1),
        due_on=date(2026, 11, 1),
        total=cny("500"),
        received=Progress.NONE,
        lines=(PurchaseLine(sku="SKU123", name="M6 螺丝", unit="pcs", quantity=Decimal(10)),),
        people={"u_chen": "陈经理"},
    )


def production(
    number: str, sku: str, name: str, made: str | None, *, late: int = 0, sales_order: str = ""
) -> ProductionOrder:
    return bare(
        ProductionOrder,
        number,
        sku=sku,
        name=name,
        planned=Decimal(200),
        produced=None if made is None else Decimal(made),
        scrapped=Decimal(3),
        due_on=TODAY - timedelta(days=late),
        sales_order=sales_order,
    )


def customer(code: str, name: str, *, limit: str = "") -> Customer:
    return Customer(
        id=code,
        code=code,
        name=name,
        contact="王经理",
        phone="021-5550",
        salesperson="李娜",
        payment_terms="月结30天",
        credit_limit=cny(limit) if limit else None,
        url=f"https://erp.example.com/{code}",
    )


def vendor(code: str, name: str) -> Supplier:
    return Supplier(id=code, code=code, name=name, contact="张先生", buyer="陈立")


def bill(number: str, name: str, money: Money | None, *, overdue: int = 0, order_number: str = "") -> Bill:
    return bare(Bill, number, vendor=name, order_number=order_number, **_owed(money, overdue))


def payment(number: str, partner: str, amount: str, *settles: str, kind: PartnerKind = PartnerKind.CUSTOMER) -> Payment:
    direction = PaymentDirection.RECEIVED if kind is PartnerKind.CUSTOMER else PaymentDirection.SPENT
    told = {"partner": partner, "partner_kind": kind, "direction": direction, "settles": settles}
    return bare(Payment, number, paid_on=date(2026, 10, 2), amount=cny(amount), method="银行转账", **told)


SHANGHAI = ("SH", "上海成品仓库")
SCREW = product("SKU123", "M6 螺丝")
LEVELS = (
    level(
        SCREW,
        place(*SHANGHAI, "1200", "300"),
        place("SZ", "深圳仓", "630"),
        place("CD", "成都仓", "0", None),
        reorder_point="2000",
    ),
    level(product("SKU124", "M8 螺丝"), place(*SHANGHAI, "5")),
    level(product("SKU1234", "六角螺母", "box"), place("SZ", "深圳仓", "7")),
    level(product("BOLT A", "Bolt with a blank in its code"), place(*SHANGHAI, "1")),
    *(level(product(f"W-{i}", f"垫圈 {i}"), place(*SHANGHAI, "1")) for i in range(1, 13)),
)


_KEPT: Mapping[Kind[Any], str] = {
    QUOTATIONS: "offers",
    SALES_ORDERS: "sales",
    INVOICES: "issued",
    PURCHASE_ORDERS: "purchases",
    PRODUCTION_ORDERS: "productions",
    CUSTOMERS: "clients",
    VENDORS: "suppliers",
    BILLS: "owed",
    PAYMENTS: "paid",
}
"""Where the company has the documents of each kind."""


@dataclass
class Company(DocumentCalls):
    """Implements `bot.erp.port.Erp`. Every read raises ``broken`` if it is set; ``calls`` lists the reads so far."""

    name: str = "main"
    capabilities: frozenset[Capability] = frozenset(Capability)
    creates: frozenset[str] = frozenset({"order"})
    broken: ErpError | None = None
    calls: list[str] = field(default_factory=list)
    levels: Sequence[StockLevel] = LEVELS
    sales: Sequence[SalesOrder] = (
        order("SO-1001", "上海宏图机械", late=6, lines=11),
        order("SO-1002", "上海宏图机械"),
        order("SO-1003", "Acme, Inc", late=9),
        *(order(f"SO-20{i:02}", "深圳创新") for i in range(14)),
    )
    offers: Sequence[Quotation] = (
        quotation("QT-1", "上海宏图机械", order_number="SO-1001"),
        quotation("QT-2", "深圳创新", late=3),
        quotation("QT-3", "Acme, Inc", late=-5),
    )
    issued: Sequence[Invoice] = (
        invoice("INV-7", "上海宏图机械", cny("100.10"), overdue=16, order_number="SO-1001"),
        invoice("INV-8", "上海宏图机械", Money(Decimal("20"), "EUR"), overdue=3),
        invoice("INV-9", "上海宏图机械", cny("0.90")),
        invoice("INV-10", "深圳创新", None),
    )
    purchases: Sequence[PurchaseOrder] = (
        purchase("PO-1001", "宁波标准件厂", ReviewState.WAITING, "u_chen", "周总"),
        purchase("PO-1002", "苏州包装", ReviewState.APPROVED),
        purchase("PO-1003", "苏州包装", ReviewState.DONE),
    )
    productions: Sequence[ProductionOrder] = (
        production("MO-1", "SKU205", "直流电机", "125", late=4, sales_order="SO-1001"),
        production("MO-2", "SKU206", "步进电机", None),
    )

    clients: Sequence[Customer] = (
        customer("C001", "上海宏图机械", limit="1000"),
        customer("C002", "Acme, Inc"),
        customer("C003", "Acme, Inc East"),
    )
    suppliers: Sequence[Supplier] = (vendor("V001", "宁波标准件厂"), vendor("V002", "苏州包装"))
    owed: Sequence[Bill] = (
        bill("BILL-1", "苏州包装", cny("70"), overdue=5, order_number="PO-1002"),
        bill("BILL-2", "苏州包装", cny("30")),
    )
    paid: Sequence[Payment] = (
        payment("PAY-1", "上海宏图机械", "50", "INV-7"),
        payment("PAY-2", "苏州包装", "12.50", "BILL-1", kind=PartnerKind.VENDOR),
    )

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        self._read(f"find_products {text}")
        products = (level.product for level in self.levels)
        return tuple(product for product in products if _has(text, product.sku, product.name, product.barcode))[:limit]

    async def stock(self, sku: str) -> StockLevel:
        self._read(f"stock {sku}")
        return _only(sku, self.levels, lambda level: level.product.sku)

    async def document(self, kind: Kind[D], number: str) -> D:
        return self._one(kind.call, number, self.documents_of(kind))

    async def documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        return self._listed(kind, query, self.documents_of(kind))

    async def of_order(self, kind: Kind[D], order_number: str) -> tuple[D, ...]:
        raise Unsupported("nothing is moved here")

    def documents_of(self, kind: Kind[D]) -> Sequence[D]:
        """Return all documents of a kind; raises `Unsupported` for kinds that it has none of."""
        if kind not in _KEPT:
            raise Unsupported("not here")
        found: Sequence[D] = getattr(self, _KEPT[kind])
        return found

    def put(self, document: ErpRecord) -> None:
        """Have a document in place of the one of its kind and number, if there is one."""
        kind = kind_of(document)
        known = {each.number: each for each in self.documents_of(kind)}
        setattr(self, _KEPT[kind], (*{**known, document.number: document}.values(),))

    async def create(self, draft: DocumentDraft) -> ErpRecord:
        raise AssertionError("a preview writes nothing")

    async def find_created(self, kind: Kind[D], mark: str) -> D | None:
        return None

    async def decide(self, decision: Decision) -> DecisionResult:
        raise Unsupported("nothing is decided here")

    async def changed_since(self, area: Area, cursor: str, *, limit: int) -> Changes:
        raise Unsupported("nothing changes here")

    async def check(self) -> None:
        self._read("check")

    async def close(self) -> None:
        pass

    def _read(self, call: str) -> None:
        self.calls.append(call)
        if self.broken:
            raise self.broken

    def _one(self, call: str, number: str, documents: Iterable[T]) -> T:
        self._read(f"{call} {number}")
        return _only(number, documents, lambda document: document.number)

    def _listed(self, kind: Kind[T], query: ListQuery, documents: Iterable[T]) -> Slice[T]:
        self._read(f"{kind.list_call} {query.text or query.partner}".strip())
        holds = kind.filters[query.filter][0] if query.filter is not Filter.ALL else _all
        today = query.day(TODAY)
        hits = [document for document in documents if kind.matches(document, query) and holds(document, today)]
        if query.product:
            hits = [as_listed(document, query) for document in hits]
        return Slice(items=tuple(hits[query.offset : query.offset + query.limit]), total=len(hits))


def _all(_document: object, _today: date) -> bool:
    return True


def _only(key: str, documents: Iterable[D], key_of: Callable[[D], str]) -> D:
    found = [document for document in documents if key_of(document).casefold() == key.casefold()]
    if not found:
        raise NotFound(key)
    return found[0]


def _has(text: str, *values: str) -> bool:
    return any(text.casefold() in value.casefold() for value in values)
