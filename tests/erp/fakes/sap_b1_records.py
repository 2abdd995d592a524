"""The reference company in SAP Business One: documents, drafts, approval requests, numbered users."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bot.erp.kinds import BILLS, SALES_ORDERS
from bot.erp.model import (
    Approval,
    Bill,
    Customer,
    Invoice,
    InvoiceStatus,
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
    PurchaseLine,
    PurchaseOrder,
    Review,
    ReviewState,
    SalesOrder,
    StockLevel,
    Supplier,
)
from bot.erp.model.goods import ComponentUse, DeliveryStatus, GoodsDelivery, GoodsReceipt, ReceiptLine
from bot.kit.testing.company import TODAY, ReferenceCompany
from bot.kit.testing.reference_goods import order_of_line
from bot.kit.testing.reference_records import USERS, WAREHOUSES
from tests.erp.fakes.shapes import named

Row = dict[str, Any]

ZONE = ZoneInfo("Asia/Shanghai")
LOCAL = "CNY"
"""The company's currency. Others have a rate, which the bot does not read."""
_RATE = Decimal("7.25")
_CURRENCIES = {"CNY": "RMB"}
"""Codes of this installation where they are not the usual ones."""
KEYS = {user.id: n for n, user in enumerate(USERS, 11)}
"""Internal keys of users by their codes."""
SELLERS = {user.name: n for n, user in enumerate(USERS, 1)}
GROUPS = {name: n for n, name in enumerate(("Fasteners", "Cables", "Paint", "Books", "Fans", "Odd"), 100)}
TERMS = {name: n for n, name in enumerate(("", "30 days net", "月结60天 *A|B*", 'at "sight" <now>'), -1)}
"""Numbers of payment terms."""
CARRIERS = {"顺丰|SF *Express*": 1}
"""Numbers of shipping types."""
_AUTHORIZED = {
    ReviewState.WAITING: "dasPending",
    ReviewState.APPROVED: "dasApproved",
    ReviewState.REJECTED: "dasRejected",
    ReviewState.CANCELLED: "dasCancelled",
}
_REQUESTS = {
    ReviewState.WAITING: "arsPending",
    ReviewState.APPROVED: "arsApproved",
    ReviewState.REJECTED: "arsNotApproved",
    ReviewState.CANCELLED: "arsCancelled",
}
_PRODUCTION = {
    ProductionStatus.PLANNED: "boposPlanned",
    ProductionStatus.RELEASED: "boposReleased",
    ProductionStatus.RUNNING: "boposReleased",
    ProductionStatus.DONE: "boposClosed",
    ProductionStatus.CANCELLED: "boposCancelled",
}
_CLOSED_ORDERS = {OrderStatus.DELIVERED, OrderStatus.CLOSED, OrderStatus.CANCELLED}
_CLOSED_INVOICES = {InvoiceStatus.PAID, InvoiceStatus.VOID}
_STAGES = {1: 17, 2: 4}
"""Codes of the approval stages by level; they do not reflect the order of the stages."""
_APPROVERS = {level: [user.id for user in USERS if level in user.levels] for level in _STAGES}


def _spelled_numbers() -> Mapping[str, str]:
    """Return the numbers of the company's documents by the plain ones: drafts are named by their keys."""
    plain = ReferenceCompany(reviewed=(SALES_ORDERS, BILLS))
    drafts = {ReviewState.WAITING, ReviewState.DRAFT, ReviewState.REJECTED}
    spelled: dict[str, str] = {}
    for number, order in plain.orders.items():
        spelled[number] = f"D{order.id}" if order.status is OrderStatus.DRAFT else number.partition("-")[2]
    for number, invoice in (*plain.invoices.items(), *plain.bills.items()):
        counted = ("C" if invoice.is_credit_note else "") + number.partition("-")[2]
        spelled[number] = f"D{invoice.id}" if invoice.status is InvoiceStatus.DRAFT else counted
    for number, payment in plain.payments.items():
        side = "R" if payment.direction is PaymentDirection.RECEIVED else "P"
        spelled[number] = side + number.partition("-")[2]
    for number, receipt in plain.receipts.items():
        spelled[number] = ("T" if receipt.is_return else "") + number.partition("-")[2]
    for number, purchase in plain.purchases.items():
        spelled[number] = f"D{purchase.id}" if purchase.status in drafts else number.partition("-")[2]
    return spelled


_SPELLED = _spelled_numbers()


def number(kind: str, count: int) -> str:
    """Number documents like Business One: with digits only, and drafts by their key."""
    return _SPELLED.get(f"{kind}-{count}", str(count))


def is_draft(number: str) -> bool:
    """Return whether a number is a draft's."""
    return number.startswith("D")


@dataclass(frozen=True, slots=True)
class SapDateFormat:
    """Day format of a version of the API."""

    version: str

    def day(self, day: date | None) -> str | None:
        """Return a day: in v1 with a meaningless midnight and Z."""
        if day is None:
            return None
        return day.isoformat() if self.version == "v2" else f"{day.isoformat()}T00:00:00Z"

    def changed(self, moment: datetime | None) -> Row:
        """Return a time of change as the server's day and time of day."""
        if moment is None:
            return {"UpdateDate": None, "UpdateTime": None}
        local = moment.astimezone(ZONE)
        return {"UpdateDate": self.day(local.date()), "UpdateTime": local.time().isoformat("seconds")}

    def told(self, record: Any, shape: str) -> Row:
        """Return what a row takes over of a record, as `named` spells it: of an empty text there is nothing."""
        return {name: self._spelled(value) for name, value in named(record, shape).items()}

    def _spelled(self, value: Any) -> Any:
        match value:
            case "":
                return None
            case date():
                return self.day(value)
            case _:
                return _CURRENCIES.get(value, value) if isinstance(value, str) else value


def item(product: Product, level: StockLevel, changed_at: datetime, spelling: SapDateFormat) -> Row:
    """Return an item with a row for every warehouse. Every third item has its minimum by warehouse."""
    by_warehouse = sum(map(ord, product.sku)) % 3 == 0
    least = level.reorder_point or Decimal(0)
    places = {place.code: place.quantities for place in level.per_warehouse}
    figures = "on_hand=InStock reserved=Committed incoming=Ordered"
    nothing = dict.fromkeys(("InStock", "Committed", "Ordered"), Decimal(0))
    rows = [
        (named(places[code], figures) if code in places else nothing)
        | {"WarehouseCode": code, "MinimalStock": least if by_warehouse and n == 0 else Decimal(0)}
        for n, code in enumerate(WAREHOUSES)
    ]
    stock = "on_hand=QuantityOnStock reserved=QuantityOrderedByCustomers incoming=QuantityOrderedFromVendors"
    return {
        "Frozen": "tNO" if product.is_active else "tYES",
        "FrozenFrom": None,
        "FrozenTo": None,
        "ItemsGroupCode": GROUPS[product.category],
        "ManageStockByWarehouse": "tYES" if by_warehouse else "tNO",
        "MinInventory": Decimal(0) if by_warehouse else least,
        "ItemWarehouseInfoCollection": rows,
        **spelling.told(product, "sku=ItemCode name=ItemName barcode=BarCode spec=U_Spec unit=InventoryUOM"),
        **named(level.total, stock),
        **spelling.changed(changed_at),
    }


def supplied(company: ReferenceCompany, sku: str) -> Row:
    """Return who supplies an item: its main vendor with the vendor's code, and all vendors."""
    codes = {vendor.name: vendor.code for vendor in company.vendors.values()}
    supplies = company.supplies.get(sku, ())
    main = supplies[0] if supplies else None
    return {
        "Mainsupplier": codes[main.vendor] if main else None,
        "SupplierCatalogNo": main.code if main else None,
        "LeadTime": main.lead_days if main else None,
        "ItemPreferredVendors": [{"BPCode": codes[each.vendor]} for each in supplies],
    }


def product_tree(sku: str, parts: Iterable[ComponentUse]) -> Row:
    """Return a bill of material for two, with an hour of a machine."""
    lines: list[Row] = [{"ItemCode": "M-1", "Quantity": Decimal(1), "ItemType": "pit_Resource"}]
    lines += [{"ItemCode": part.sku, "Quantity": part.quantity * 2, "ItemType": "pit_Item"} for part in parts]
    return {"TreeCode": sku, "Quantity": Decimal(2), "ProductTreeLines": lines}


def _head(
    record: SalesOrder | Invoice | PurchaseOrder | Bill,
    partner: str,
    days: tuple[date | None, date | None],
    spelling: SapDateFormat,
) -> Row:
    """Return the common fields of documents; amounts in the document's own currency are 0 if it is the company's."""
    assert record.total is not None
    foreign = record.total.currency != LOCAL
    total = abs(record.total.amount)
    return {
        "DocEntry": int(record.id),
        # A draft shows the next number of its series.
        "DocNum": 9999 if is_draft(record.number) else int(record.number.lstrip("C")),
        "Series": 12,
        "CardCode": card_code(partner),
        "CardName": partner,
        "DocDate": spelling.day(days[0]),
        # A due day is mandatory.
        "DocDueDate": spelling.day(days[1] or days[0]),
        **spelling.told(record, "total.currency=DocCurrency"),
        "DocTotal": total * _RATE if foreign else total,
        "DocTotalFc": total if foreign else Decimal(0),
        "CancelStatus": "csNo",
        "UserSign": KEYS["dora"],
    }


def _line(
    n: int, line: OrderLine | PurchaseLine, done: Decimal | None, due_on: date | None, spelling: SapDateFormat
) -> Row:
    assert line.amount is not None
    assert line.price is not None
    foreign = line.amount.currency != LOCAL
    shape = "sku=ItemCode name=ItemDescription quantity=Quantity unit=MeasureUnit price.currency=Currency"
    return spelling.told(line, shape) | {
        "LineNum": n,
        "RemainingOpenQuantity": line.quantity - (done or Decimal(0)),
        "LineStatus": "bost_Open",
        "UoMCode": "Manual" if n else line.unit,
        "Price": line.price.amount,
        "LineTotal": line.amount.amount * _RATE if foreign else line.amount.amount,
        "RowTotalFC": line.amount.amount if foreign else Decimal(0),
        "ShipDate": spelling.day(due_on),
        "BaseType": -1,
        "BaseEntry": None,
    }


def _draft(row: Row, kind: str, authorized: str = "dasWithout", *, closed: bool = False) -> Row:
    status = "bost_Close" if closed else "bost_Open"
    return {**row, "DocObjectCode": kind, "AuthorizationStatus": authorized, "DocumentStatus": status}


def sales_order(order: SalesOrder, spelling: SapDateFormat) -> Row:
    """Return a sales order, or a draft of one."""
    lines = [
        _line(n, line, line.delivered, line.due_on or order.ordered_on, spelling) for n, line in enumerate(order.lines)
    ]
    row = {
        **_head(order, order.customer, (order.ordered_on, order.promised_on), spelling),
        "DocumentStatus": "bost_Close" if order.status in _CLOSED_ORDERS else "bost_Open",
        "Cancelled": "tYES" if order.status is OrderStatus.CANCELLED else "tNO",
        "SalesPersonCode": SELLERS[order.salesperson],
        "DocumentLines": lines,
        **spelled_paid(None, order.total),
        **spelling.changed(order.changed_at),
    }
    return _draft_of(row, order, "oOrders", spelling) if is_draft(order.number) else row


def spelled_paid(paid: Decimal | None, total: Money | None) -> Row:
    """Return the paid amount in the company's currency and in the document's own."""
    assert total is not None
    amount = paid or Decimal(0)
    foreign = total.currency != LOCAL
    return {
        "PaidToDate": amount * _RATE if foreign else amount,
        "PaidToDateFC": amount if foreign else Decimal(0),
    }


def delivery(record: GoodsDelivery, order: SalesOrder, spelling: SapDateFormat) -> Row:
    """Return a delivery note: what is only planned has none."""
    lines = [row | {"BaseType": 17, "BaseEntry": int(order.id)} for row in _moved_lines(record, spelling)]
    return _moved(record, record.customer, lines, spelling) | {
        "Series": 14,
        # Both days are mandatory.
        "DocDate": spelling.day(record.day or TODAY),
        "DocDueDate": spelling.day(record.planned_on or record.day or TODAY),
        "Cancelled": "tYES" if record.status is DeliveryStatus.CANCELLED else "tNO",
        "SalesPersonCode": SELLERS[record.salesperson],
        "TransportationCode": CARRIERS.get(record.carrier),
        **spelling.told(record, "tracking=TrackingNumber"),
    }


def _moved(record: GoodsDelivery | GoodsReceipt, partner: str, lines: list[Row], spelling: SapDateFormat) -> Row:
    return {
        "DocEntry": int(record.id),
        "DocNum": int(record.number.lstrip("T")),
        "UserSign": KEYS["dora"],
        "CardCode": card_code(partner),
        "CardName": partner,
        "CancelStatus": "csNo",
        "DocumentLines": lines,
        **spelling.changed(record.changed_at),
    }


def _moved_lines(record: GoodsDelivery | GoodsReceipt, spelling: SapDateFormat) -> Iterator[Row]:
    places = {name: place for place, name in WAREHOUSES.items()}
    fixed = {"UoMCode": "Manual", "WarehouseCode": places[record.warehouse]}
    for n, line in enumerate(record.lines):
        shape = "sku=ItemCode name=ItemDescription unit=MeasureUnit"
        yield spelling.told(line, shape) | fixed | {"LineNum": n, "Quantity": abs(line.quantity)}


def receipt(record: GoodsReceipt, company: ReferenceCompany, spelling: SapDateFormat) -> Row:
    """Return a goods receipt, whose lines are of orders, or a return, whose lines are of a receipt."""
    lines = []
    for row, line in zip(_moved_lines(record, spelling), record.lines, strict=True):
        order = order_of_line(record, line, company.purchases)
        came = next(each for each in company.receipts.values() if order.number in each.order_numbers)
        from_lines: Iterable[ReceiptLine | PurchaseLine] = came.lines if record.is_return else order.lines
        base = {
            "BaseType": 20 if record.is_return else 22,
            "BaseEntry": int(came.id if record.is_return else order.id),
            "BaseLine": next(n for n, each in enumerate(from_lines) if each.sku == line.sku),
            "BatchNumbers": [{"BatchNumber": line.lot, "Quantity": abs(line.quantity)}] if line.lot else [],
        }
        lines.append(row | base)
    return _moved(record, record.vendor, lines, spelling) | {
        "Series": 16,
        "DocType": "dDocument_Items",
        "Cancelled": "tNO",
        **spelling.told(record, "received_on=DocDate received_on=DocDueDate"),
    }


def card_code(partner: str) -> str:
    """Return the code by which documents name a partner."""
    return f"P{sum(map(ord, partner))}"


def invoice(record: Invoice, entries: Mapping[str, int], spelling: SapDateFormat) -> Row:
    """Return an invoice, a credit note or a draft; ``entries`` are the keys of sales orders by their numbers."""
    row = _owed(record, record.customer, (17, entries.get(record.order_number)), spelling)
    return _draft(row, "oInvoices") if is_draft(record.number) else row


def bill(record: Bill, entries: Mapping[str, int], spelling: SapDateFormat) -> Row:
    """Return an invoice by a vendor, a credit note or a draft; ``entries`` are the keys of orders by their numbers."""
    row = _owed(record, record.vendor, (22, entries.get(record.order_number)), spelling)
    row |= spelling.told(record, "reference=NumAtCard")
    return _draft_of(row, record, "oPurchaseInvoices", spelling) if is_draft(record.number) else row


def _owed(record: Invoice | Bill, partner: str, source: tuple[int, int | None], spelling: SapDateFormat) -> Row:
    """Return an invoice of either side; ``source`` is the kind and the key of the order that it was made of."""
    assert record.total is not None
    assert record.open_amount is not None
    paid = abs(record.total.amount) - abs(record.open_amount.amount)
    kind, base = (source[0], None) if is_draft(record.order_number) else source
    line = {"LineNum": 0, "BaseType": kind if base else -1, "BaseEntry": base, "Quantity": Decimal(1)}
    return {
        **_head(record, partner, (record.issued_on, record.due_on), spelling),
        "DocumentStatus": "bost_Close" if record.status in _CLOSED_INVOICES else "bost_Open",
        "Cancelled": "tYES" if record.status is InvoiceStatus.VOID else "tNO",
        "SalesPersonCode": -1,
        "DocumentLines": [line],
        **spelled_paid(paid, record.total),
        **spelling.changed(record.changed_at),
    }


def payment(record: Payment, company: ReferenceCompany, spelling: SapDateFormat) -> Row:
    """Return a receipt or payment by transfer, or by cheque and cash for every third one in the company's currency."""
    assert record.amount is not None
    amount = in_own_currency(record.amount).amount
    papers = record.amount.currency == LOCAL and int(record.id) % 3 == 0
    check = min(amount, Decimal("1.5")) if papers else Decimal(0)
    return {
        "DocEntry": int(record.id),
        "DocNum": int(record.number[1:]),
        "Series": 15,
        "DocType": "rSupplier" if record.partner_kind is PartnerKind.VENDOR else "rCustomer",
        **spelling.told(record, "partner=CardName paid_on=DocDate paid_on=DueDate amount.currency=DocCurrency"),
        "CashSum": amount - check if papers else Decimal(0),
        "TransferSum": Decimal(0) if papers else amount,
        "BillOfExchangeAmount": None,
        "Cancelled": "tYES" if record.status is PaymentStatus.CANCELLED else "tNO",
        "CancelStatus": "csNo",
        "PaymentChecks": [{"LineNum": 0, "CheckSum": check, "Currency": "RMB"}] if papers else [],
        "PaymentCreditCards": [],
        "PaymentInvoices": [_settled(number, company) for number in record.settles if not is_draft(number)],
    }


def _settled(number: str, company: ReferenceCompany) -> Row:
    document: Invoice | Bill = company.invoices.get(number) or company.bills[number]
    sale = number in company.invoices
    kinds = ("it_Invoice", "it_CredItnote") if sale else ("it_PurchaseInvoice", "it_PurchaseCreditNote")
    return {"LineNum": 0, "DocEntry": int(document.id), "InvoiceType": kinds[document.is_credit_note]}


def in_own_currency(amount: Money) -> Money:
    """Return an amount in the company's own currency."""
    return amount if amount.currency == LOCAL else Money(amount.amount * _RATE, LOCAL)


def partner(record: Customer | Supplier, spelling: SapDateFormat) -> Row:
    """Return a business partner; its amounts are in the company's currency, and what is owed to it is negative."""
    customer = isinstance(record, Customer)
    balance = record.receivable if isinstance(record, Customer) else record.payable
    limit = record.credit_limit if isinstance(record, Customer) else None
    assert balance is not None
    shape = "code=CardCode name=CardName contact=ContactPerson phone=Phone1 email=EmailAddress address=Address"
    return spelling.told(record, shape) | {
        "CardType": "cCustomer" if customer else "cSupplier",
        "Cellular": None,
        "ZipCode": None,
        "City": None,
        "Currency": "##",
        "SalesPersonCode": SELLERS[record.salesperson if isinstance(record, Customer) else record.buyer],
        "PayTermsGrpCode": TERMS[record.payment_terms],
        "CreditLimit": limit.amount if limit else Decimal(0),
        "CurrentAccountBalance": balance.amount if customer else -balance.amount,
        "Frozen": "tNO" if record.is_active else "tYES",
        "FrozenFrom": None,
        "FrozenTo": None,
        **spelling.changed(record.changed_at),
    }


def purchase_order(order: PurchaseOrder, spelling: SapDateFormat) -> Row:
    """Return a purchase order that is no longer a draft."""
    lines = [_line(n, line, line.received, order.due_on, spelling) for n, line in enumerate(order.lines)]
    received = all(line.received is not None and line.received >= line.quantity for line in order.lines)
    closed = order.status in (ReviewState.DONE, ReviewState.CANCELLED) or received
    return {
        **_head(order, order.vendor, (order.ordered_on, order.due_on), spelling),
        "DocumentStatus": "bost_Close" if closed else "bost_Open",
        "Cancelled": "tYES" if order.status is ReviewState.CANCELLED else "tNO",
        "AuthorizationStatus": "dasWithout",
        "SalesPersonCode": SELLERS[order.buyer],
        "DocumentLines": lines,
        **spelled_paid(None, order.total),
        **spelling.changed(order.changed_at),
    }


def purchase_draft(order: PurchaseOrder, spelling: SapDateFormat, *, generated: bool) -> Row:
    """Return the draft of a purchase order."""
    return _draft_of(purchase_order(order, spelling), order, "oPurchaseOrders", spelling, generated=generated)


def _draft_of(row: Row, document: Any, kind: str, spelling: SapDateFormat, *, generated: bool = False) -> Row:
    """Return the draft of a document. A decision changes only its request."""
    review: Review | None = document.review
    if review is None:
        return _draft(row, kind)
    changed_at = document.changed_at
    if changed_at is not None and review.progress.decided_at == changed_at:
        changed_at -= timedelta(hours=30)
    authorized = "dasGenerated" if generated else _AUTHORIZED.get(review.state, "dasWithout")
    draft = _draft(row, kind, authorized, closed=generated)
    return {**draft, "Cancelled": "tNO", **spelling.changed(changed_at)}


def request(
    object_type: str,
    document: Any,
    spelling: SapDateFormat,
    *,
    draft: int,
    entry: int | None,
    partly: Mapping[str, tuple[datetime, str]],
) -> Row | None:
    """Return a document's approval request; ``entry`` is its key once it was generated.

    ``partly`` lists who approved at a stage that requires several approvals, when, and with which remarks.
    """
    review: Review | None = document.review
    if review is None or (review.approval is None and review.state is not ReviewState.CANCELLED):
        return None
    approval = review.progress
    decided = approval.level - (1 if approval.pending_for else 0) if approval.decided_at else 0
    lines = list(_lines(review, approval, decided, partly, spelling))
    return {
        "Code": 90000 + int(document.id),
        "ApprovalTemplatesID": 5,
        "ObjectType": object_type,
        "IsDraft": "Y" if entry is None else "N",
        "ObjectEntry": draft if entry is None else entry,
        "DraftEntry": draft,
        "DraftType": "112",
        "Status": _REQUESTS[review.state] if entry is None else "arsGenerated",
        "Remarks": None,
        "CurrentStage": _STAGES[approval.level],
        "OriginatorID": KEYS[review.requester],
        "CreationDate": spelling.day(document.changed_at.date() - timedelta(days=1)),
        "CreationTime": "09:00:00",
        "ApprovalRequestLines": lines,
    }


def _lines(
    review: Review,
    approval: Approval,
    decided: int,
    partly: Mapping[str, tuple[datetime, str]],
    spelling: SapDateFormat,
) -> Iterator[Row]:
    """Yield a line for each person of each stage, including later stages."""
    at = approval.decided_at
    for level in range(1, approval.levels + 1):
        last = level == decided
        decider = approval.decided_by if last else "anna" if level < decided else ""
        for person in _APPROVERS[level]:
            state, when, remarks = "ardPending", None, ""
            if person == decider:
                rejected = last and review.state is ReviewState.REJECTED
                state = "ardNotApproved" if rejected else "ardApproved"
                when, remarks = (at, approval.reason) if last else (at and at - timedelta(minutes=1), "")
            elif level == approval.level and person in partly:
                state, (when, remarks) = "ardApproved", partly[person]
            yield {
                "StageCode": _STAGES[level],
                "UserID": KEYS[person],
                "Status": state,
                "Remarks": remarks or None,
                **spelling.changed(when),
            }


def production_order(order: ProductionOrder, spelling: SapDateFormat) -> Row:
    """Return a production order; it has no time of change."""
    issued = order.planned if order.material_ready else Decimal(0)
    ordered = order.sales_order and not is_draft(order.sales_order)
    shape = (
        "sku=ItemNo name=ProductDescription unit=InventoryUOM planned=PlannedQuantity produced=CompletedQuantity "
        "scrapped=RejectedQuantity start_on=StartDate finished_on=ClosingDate"
    )
    return spelling.told(order, shape) | {
        "AbsoluteEntry": int(order.id),
        "UserSignature": KEYS["dora"],
        "DocumentNumber": int(order.number),
        "Series": 30,
        "ProductionOrderStatus": _PRODUCTION[order.status],
        "DueDate": spelling.day(order.due_on or order.start_on),
        "Warehouse": "MAIN",
        "ProductionOrderOrigin": "bopooSalesOrder" if ordered else "bopooManual",
        "ProductionOrderOriginNumber": int(order.sales_order) if ordered else None,
        "ProductionOrderLines": [
            {"ItemNo": order.sku, "PlannedQuantity": order.planned, "IssuedQuantity": issued},
        ],
    }
