"""The reference company in the platform's records: headers with lines, times of China, ids of sixteen digits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bot.erp.model import (
    Approval,
    Customer,
    Invoice,
    InvoiceStatus,
    Money,
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
    ReviewState,
    SalesOrder,
    StockLevel,
    Supplier,
)
from bot.erp.model import Bill as ErpBill
from bot.erp.model.goods import DeliveryStatus, GoodsDelivery, GoodsReceipt
from bot.kit.testing.company import TODAY, ReferenceCompany
from bot.kit.testing.reference_goods import order_of_line
from bot.kit.testing.reference_records import USERS
from tests.erp.fakes.shapes import named

ZONE = ZoneInfo("Asia/Shanghai")
WAREHOUSES = {"MAIN": "1875184118731008", "SH": "1875184118731009", "WEST": "1875184118731010"}
ORG = "1891127153005312"

_CURRENCIES = {"CNY": "人民币", "USD": "美元", "EUR": "欧元", "JPY": "日元"}
_NAMES = {user.id: user.name for user in USERS}
_NEXT = {
    OrderStatus.DRAFT: ("CONFIRMORDER", "APPROVING"),
    OrderStatus.OPEN: ("DELIVERGOODS", "DELIVERGOODS"),
    OrderStatus.PARTLY_DELIVERED: ("DELIVERY_PART", "DELIVERY_TAKE_PART"),
    OrderStatus.DELIVERED: ("TAKEDELIVERY", "ENDORDER"),
    OrderStatus.CLOSED: ("CLOSEDORDER", "CLOSEDORDER"),
    OrderStatus.CANCELLED: ("OPPOSE", "OPPOSE"),
}
_ENTIRE = {Progress.NONE: 0, Progress.PARTIAL: 1, Progress.FULL: 2}
_ARRIVED = {Progress.NONE: 2, Progress.PARTIAL: 3, Progress.FULL: 1}
_PAID = {Progress.NONE: "NOTPAYMENT", Progress.PARTIAL: "PARTPAYMENT", Progress.FULL: "FINISHPAYMENT"}
_PURCHASE = {
    ReviewState.DRAFT: ("0", "0"),
    ReviewState.WAITING: ("3", "1"),
    ReviewState.APPROVED: ("1", "2"),
    ReviewState.DONE: ("2", "2"),
    ReviewState.CANCELLED: ("2", "0"),
}
_VERIFIED = {InvoiceStatus.DRAFT: (0, 1), InvoiceStatus.VOID: (3, 4)}
_PRODUCTION = {
    ProductionStatus.PLANNED: (0, 3),
    ProductionStatus.RELEASED: (1, 1),
    ProductionStatus.RUNNING: (5, 5),
    ProductionStatus.DONE: (6, 2),
    ProductionStatus.CANCELLED: (4, 4),
}
Row = dict[str, Any]
Bill = tuple[Row, list[Row]]
"""A header, and the fields that each of its lines adds in a list."""


def wire_id(own: str) -> int:
    """Return an id in the platform's format."""
    return 2227385816000000 + int(own)


def time_text(moment: datetime | None) -> str | None:
    """Return a time in the platform's zone, in whole seconds and without an offset."""
    return None if moment is None else f"{moment.astimezone(ZONE):%Y-%m-%d %H:%M:%S}"


def day_text(day: date | None) -> str | None:
    """Return a day with the time of midnight."""
    return None if day is None else f"{day} 00:00:00"


def _said(row: Row) -> Row:
    """Return a record without its empty fields."""
    return {key: value for key, value in row.items() if value is not None}


def _told(record: Any, shape: str) -> Row:
    """Return what a row takes over of a record, as `named` spells it: without what is empty."""
    told = {name: _spelled(value) for name, value in named(record, shape).items()}
    return {name: value for name, value in told.items() if value not in (None, "")}


def _spelled(value: Any) -> Any:
    match value:
        case Money():
            return value.amount
        case datetime():
            return time_text(value)
        case date():
            return day_text(value)
        case _:
            return value


def material(product: Product, n: int) -> Row:
    """Return a material as in the list of materials: without spec and barcode."""
    return _told(product, "sku=code name unit=unitName category=manageClassName") | {
        "id": 1921567765125000 + n,
        "unitId": 1921568854316953,
        "unitCode": "U",
        "manageClass": 2000100011111111,
        "hasSpecs": False,
    }


def customer(record: Customer) -> Row:
    """Return a customer as in the list: without contacts, and without a sign of who is disabled."""
    return {
        "id": wire_id(record.id),
        "code": record.code,
        "name": {"simplifiedName": record.name, "englishName": None},
        "createOrgId": ORG,
        "belongOrgId": ORG,
        "customerClassId": 2285679325860352,
    }


def vendors(record: Supplier) -> Iterator[Row]:
    """Yield a vendor once for each of two organisations that use it."""
    for n in range(2):
        shape = "code name phone=vendorphone email=vendoremail address=vendoraddress changed_at=pubts"
        yield _told(record, shape) | {
            "id": wire_id(record.id),
            "org": ORG,
            "vendorApplyRangeId": wire_id(record.id) * 10 + n,
            "stop": not record.is_active,
            "vendorextends": {"creator": _NAMES["dora"]},
        }


def stock_rows(level: StockLevel) -> Iterator[Row]:
    """Yield two rows for each warehouse: one per state of the goods."""
    for place in level.per_warehouse:
        quantities = named(
            place.quantities,
            "on_hand=currentqty available=availableqty forecast=planavailableqty incoming=innoticeqty "
            "outgoing=preretailqty",
        )
        common = {
            "org": ORG,
            "warehouse": WAREHOUSES.get(place.code, place.code),
            "product_code": level.product.sku,
            "product_name": level.product.name,
            "unit": "1921568854316953",
        }
        whole = {key: value // 1 for key, value in quantities.items() if value is not None}
        rest = {key: value - whole[key] for key, value in quantities.items() if value is not None}
        yield {**common, "stockStatusDoc": 2006555827382257, **whole}
        yield {**common, "stockStatusDoc": 2006555827382258, **rest}


def sales_order(order: SalesOrder, *, detail: bool) -> Bill:
    """Return a sales order; only details contain the currency's code."""
    assert order.total is not None
    assert order.delivery is not None
    odd = int(order.id) % 2
    currency = order.total.currency
    prices = {"currency": f"G001ZM0000{currency}", "originalName": _CURRENCIES[currency], "currency_moneyDigit": 2}
    if detail:
        prices["originalCode"] = currency
    status = {OrderStatus.DRAFT: 3 * odd, OrderStatus.CLOSED: 2}.get(order.status, 1)
    shape = (
        "number=code customer=agentId_name ordered_on=vouchdate promised_on=hopeReceiveDate total=payMoney "
        "total=realMoney salesperson=corpContactUserName changed_at=pubts"
    )
    head = {
        "id": str(wire_id(order.id)) if detail else wire_id(order.id),
        "creator": _NAMES["dora"],
        "agentId": 1477929625664356,
        "nextStatus": _NEXT[order.status][odd],
        "status": str(status) if detail else status,
        "entireIssueStatus": _ENTIRE[order.delivery],
        "entireInvoiceStatus": _ENTIRE[order.billing or Progress.NONE],
        "payStatusCode": _PAID[order.payment or Progress.NONE],
        "orderPrices": prices,
    }
    line_shape = (
        "sku=productCode name=productName unit=qtyName quantity=qty delivered=totalOutStockQuantity "
        "invoiced=invoiceQty price=oriTaxUnitPrice amount=oriSum due_on=hopeReceiveDate"
    )
    return head | _told(order, shape), [_told(line, line_shape) for line in order.lines]


def _sent_back(order: PurchaseOrder) -> tuple[str, str]:
    return ("0", ("4", "-1", "3")[int(order.id) % 3])


def purchase_order(order: PurchaseOrder, *, detail: bool, workflow: bool) -> Bill:
    """Return a purchase order. In a list, its lines' amounts have other names, and there is no due day."""
    assert order.total is not None
    status, verified = _PURCHASE.get(order.status) or _sent_back(order)
    shape = (
        "number=code vendor=vendor_name buyer=operator_name ordered_on=vouchdate total.currency=currency_code "
        "total=oriSum total=moneysum changed_at=pubts"
    )
    head = _told(order, shape) | {
        "id": str(wire_id(order.id)) if detail else wire_id(order.id),
        "status": status if detail else int(status),
        "verifystate": verified if detail else int(verified),
        "isWfControlled": ("true" if workflow else "false") if detail else workflow,
        "vendor_code": "0001000101",
        "creator": _NAMES[order.review.requester],
        "creatorId": _user_number(order.review.requester),
        "currency_name": _CURRENCIES[order.total.currency],
    }
    if detail:
        head |= _told(order, "due_on=expectDate")
        head |= {"modifier": _NAMES[order.review.changed_by], "modifierId": str(_user_number(order.review.changed_by))}
        approval = order.review.approval
        if not workflow and order.status is ReviewState.APPROVED and approval is not None:
            head |= {"auditorId": approval.decided_by, "auditTime": time_text(approval.decided_at)}
    return _said(head), [_purchase_line(line, order, detail=detail) for line in order.lines]


def _user_number(person: str) -> int:
    """Return a user's number in documents; the workflow has separate ids."""
    return 1_998_460_180_086_915_000 + sorted(_NAMES).index(person)


def _purchase_line(line: PurchaseLine, order: PurchaseOrder, *, detail: bool) -> Row:
    shape = (
        "sku=product_cCode name=product_cName unit=unit_name quantity=qty quantity=subQty price=oriTaxUnitPrice "
        "received=totalInQty"
    )
    if detail:
        return _told(line, f"{shape} amount=oriSum") | _told(order, "due_on=recieveDate")
    state = _ARRIVED[order.received or Progress.NONE]
    return _told(line, f"{shape} amount=listOriSum") | {"purchaseOrders_inWHStatus": state}


def tasks(order: PurchaseOrder, key: str) -> list[Row]:
    """Return the open tasks of an order, one per person."""
    approval = order.review.approval
    if order.status is not ReviewState.WAITING or approval is None:
        return []
    return [
        {
            "id": task_id(order, person),
            "assignee": person,
            "assigneeParticipant": {"id": person, "name": _NAMES[person], "type": "USER"},
            "processInstanceId": run_id(order),
            "processInstance": {"id": run_id(order), "businessKey": key, "completed": False},
            "taskDefinitionKey": f"approveUserTask_{approval.level}",
            "activity": {"id": f"approveUserTask_{approval.level}", "properties": {"rejectAble": "true"}},
            "source": "PU",
            "createTime": 1_654_499_920_000,
        }
        for person in approval.pending_for
    ]


def task_id(order: PurchaseOrder, person: str) -> str:
    """Return the id of a person's task, which differs by level and state of the order."""
    return f"e373d016-{order.id}-{order.review.version}-{person}"


def run_id(order: PurchaseOrder) -> str:
    """Return the id of the run of an order's workflow."""
    return f"dfaf97ce-e54a-{order.id}"


def runs(order: PurchaseOrder, key: str) -> list[Row]:
    """Return the runs of an order's workflow: a withdrawn one, and the present one."""
    if order.review.approval is None:
        return []
    start = datetime(2026, 1, 2, 8, tzinfo=ZONE)
    old = {
        "id": f"{run_id(order)}-old",
        "businessKey": key,
        "startTime": _iso(start - timedelta(days=1)),
        "startUserId": "guest",
        "state": "deleted",
        "historicTasks": [_step(order, 7, "boris", start, reason="an older run")],
    }
    now = {
        "id": run_id(order),
        "businessKey": key,
        "startTime": _iso(start),
        "startUserId": order.review.requester,
        "state": "run" if order.status is ReviewState.WAITING else "end",
        "historicTasks": list(_steps(order, order.review.approval)),
    }
    return [old, now]


def _steps(order: PurchaseOrder, approval: Approval) -> Iterator[Row]:
    decided = approval.level - (1 if approval.pending_for else 0)
    at = approval.decided_at
    for level in range(1, decided + 1):
        assert at is not None
        last = level == decided
        person = approval.decided_by if last else "anna"
        yield _step(
            order,
            level,
            person,
            at if last else at - timedelta(minutes=1),
            reason=approval.reason if last else "",
            rejected=last and order.status is ReviewState.REJECTED,
        )
        # A colleague's task, which ended with it.
        yield _step(order, level, "dora", at + timedelta(seconds=2), ended="deleted")
    for person in approval.pending_for:
        yield _step(order, approval.level, person, None)


def _step(
    order: PurchaseOrder,
    level: int,
    person: str,
    at: datetime | None,
    *,
    reason: str = "",
    rejected: bool = False,
    ended: str = "",
) -> Row:
    comments = [{"type": "comment", "userId": person, "message": reason[:5], "fullMessage": reason}] if reason else []
    return {
        "id": f"7a6d7e8c-{order.id}-{level}-{person}",
        "processInstanceId": run_id(order),
        "taskDefinitionKey": f"approveUserTask_{level}",
        "assignee": person,
        "endTime": None if at is None else _iso(at),
        "deleteReason": None if at is None else ended or ("rejectToStart" if rejected else "completed"),
        "finished": at is not None,
        "taskComments": comments,
    }


def _iso(moment: datetime) -> str:
    return moment.astimezone(ZONE).isoformat(timespec="milliseconds")


def receivable(invoice: Invoice) -> Bill:
    """Return a receivable's detail, and its rows in a list: one per line."""
    return _settlement(invoice, "customerName", "bodyItemCustomerName", invoice.customer, {})


def payable(bill: ErpBill) -> Bill:
    """Return a payable's detail, and its rows in a list: one per line."""
    return _settlement(bill, "supplierName", "bodyItemSupplierName", bill.vendor, _told(bill, "reference=invoiceNo"))


def _settlement(invoice: Invoice | ErpBill, name: str, listed_name: str, partner: str, more: Row) -> Bill:
    assert invoice.total is not None
    odd = int(invoice.id) % 2
    currency, total = invoice.total.currency, invoice.total.amount
    head = _told(invoice, "number=code issued_on=billDate changed_at=pubts") | {
        "id": str(wire_id(invoice.id)),
        "verifyState": _VERIFIED.get(invoice.status, (2, 2))[odd],
        # Whether it was taken back by a red bill: payments leave it as it is.
        "writeOffState": "1" if _taken_back(invoice) else "0",
        "direction": "-1" if invoice.is_credit_note else "1",
        "creator": "3fedff26-29d5-405e-ae01-eadd2b8d1778",
        "creatorUserName": _NAMES["dora"],
    }
    parts = (total, Decimal(0))
    expires = day_text(invoice.due_on) or "9999-12-31 00:00:00"
    later = day_text(invoice.due_on + timedelta(days=30)) if invoice.due_on else expires
    order = _told(invoice, "order_number=orderNo")
    items = [
        {**order, "oriTaxIncludedAmount": part, "grandsonItem": [{"issueNo": n, "expireDate": when}]}
        for n, (part, when) in enumerate(zip(parts, (later, expires), strict=True), 1)
    ]
    detail = {
        **head,
        **more,
        name: partner,
        "oriCurrencyName": _CURRENCIES[currency],
        "oriCurrencyCode": _CURRENCIES[currency],
        "oriTaxIncludedAmount": total,
        "bodyItem": items,
    }
    rows = [
        {
            **head,
            "bodyItemId": f"{head['id']}{n}",
            listed_name: partner,
            "bodyItemObjectType": "0" if isinstance(invoice, ErpBill) else "1",
            "bodyItemOriCurrencyName": _CURRENCIES[currency],
            "bodyItemOriTaxIncludedAmount": part,
        }
        for n, part in enumerate(parts)
    ]
    return _said(detail), [_said(row) for row in rows]


def _taken_back(invoice: Invoice | ErpBill) -> bool:
    return invoice.status is InvoiceStatus.PAID and int(invoice.id) % 2 == 1


def accounting(invoice: Invoice | ErpBill, settled: datetime | None) -> list[Row]:
    """Return the rows of the accounting of a receivable or payable, one for each instalment; drafts have none."""
    assert invoice.total is not None
    assert invoice.open_amount is not None
    if invoice.status in _VERIFIED:
        return []
    key = str(wire_id(invoice.id))
    first = invoice.open_amount.amount / 4
    balances = (first, invoice.open_amount.amount - first)
    return [
        {
            "id": f"9{key}",
            "code": f"AR0601{key}",
            "srcBillId": key,
            "srcBillCode": invoice.number,
            "srcBillDate": f"{invoice.issued_on}",
            "bizBillId": key,
            "bizBillCode": invoice.number,
            "bodyItem_oriTaxIncludedAmount": invoice.total.amount,
            "bodyItem_grandsonItem_id": f"{key}{n}",
            "bodyItem_grandsonItem_oriBalance": balance,
            "bodyItem_grandsonItem_expireDate": f"{invoice.due_on or '9999-12-31'}",
            "bodyItem_grandsonItem_pubts": time_text(settled or invoice.changed_at),
            "writeOffState": "0",
            "pubts": time_text(invoice.changed_at),
        }
        for n, balance in enumerate(balances)
    ]


CASH = {
    (PartnerKind.CUSTOMER, PaymentDirection.RECEIVED): "collection",
    (PartnerKind.CUSTOMER, PaymentDirection.SPENT): "arRefund",
    (PartnerKind.VENDOR, PaymentDirection.SPENT): "payment",
    (PartnerKind.VENDOR, PaymentDirection.RECEIVED): "apRefund",
}
"""The list that a payment is in, by its partner and direction."""


def payment(record: Payment) -> Bill:
    """Return a receipt or payment with its rows in a list, one per line."""
    assert record.amount is not None
    odd, customer = int(record.id) % 2, record.partner_kind is PartnerKind.CUSTOMER
    head = {
        "id": str(wire_id(record.id)),
        "code": record.number,
        "billDate": day_text(record.paid_on),
        "verifyState": {PaymentStatus.DRAFT: (0, 1), PaymentStatus.CANCELLED: (3, 2)}.get(record.status, (2, 2))[odd],
        "writeOffState": "1" if record.status is PaymentStatus.CANCELLED and odd else "0",
        "modifyTime": time_text(record.changed_at),
    }
    first = record.amount.amount / 4
    return head, [
        {
            "bodyItemId": f"{head['id']}{n}",
            "bodyItemObjectType": "1" if customer else "0",
            "bodyItemCustomerName" if customer else "bodyItemSupplierName": record.partner,
            "bodyItemOriCurrencyName": _CURRENCIES[record.amount.currency],
            "bodyItemOriTaxIncludedAmount": part,
            "bodyItemSettleModeName": record.method,
            "bodyItemPubts": "2026-01-02 08:00:00",
        }
        for n, part in enumerate((first, record.amount.amount - first))
    ]


def goods_issue(delivery: GoodsDelivery, *, detail: bool) -> Bill:
    """Return a note of goods issue; lists name neither the carrier nor the number of the parcel."""
    shipped = delivery.status is DeliveryStatus.SHIPPED
    shape = "number=code customer=cust_name salesperson=operator_name warehouse=warehouse_name changed_at=pubts"
    head = _told(delivery, shape) | {
        "id": wire_id(delivery.id),
        "creator": _NAMES["dora"],
        "cust": 1822523165643008,
        "status": 1 if shipped else 0,
        "vouchdate": day_text(delivery.shipped_on if shipped else delivery.planned_on or TODAY),
        "warehouse": WAREHOUSES.get(delivery.warehouse, delivery.warehouse),
    }
    if detail:
        head |= _told(delivery, "carrier=iLogisticId_name tracking=cLogisticsBillNo")
        head["stockDirection"] = "1" if delivery.is_return else "0"
    source = {"firstupcode": delivery.order_number, "upcode": f"FH{delivery.number}"}
    shape = "sku=product_cCode name=product_cName unit=unitName quantity=qty"
    return head, [_told(line, shape) | source for line in delivery.lines]


def purchase_receipt(receipt: GoodsReceipt, company: ReferenceCompany) -> Bill:
    """Return an audited note of purchase receipt; only details have its lines."""
    shape = "number=code vendor=vendor_name received_on=vouchdate warehouse=warehouse_name changed_at=pubts"
    head = _told(receipt, shape) | {
        "id": wire_id(receipt.id),
        "vendor": "1822523165643009",
        "status": 1,
        "operator_name": receipt.owners[0],
        "creator": _NAMES["dora"],
        "warehouse": WAREHOUSES.get(receipt.warehouse, receipt.warehouse),
    }
    fixed = {
        "unit": 1822523165643010,
        "source": "pu_arrivalorder",
        "upcode": f"DH{receipt.number}",
        "firstsource": "st_praybill",
        "firstupcode": f"QG{receipt.number}",
    }
    shape = "sku=product_cCode name=product_cName unit=unit_name quantity=qty lot=batchno"
    lines = [
        _told(line, shape) | fixed | {"pocode": order_of_line(receipt, line, company.purchases).number}
        for line in receipt.lines
    ]
    return head, lines


def production_order(order: ProductionOrder) -> Row:
    """Return a production order as the row of its only line in a list."""
    shape = (
        "number=code start_on=vouchdate sku=OrderProduct_materialCode name=OrderProduct_materialName "
        "unit=OrderProduct_mainUnitName planned=OrderProduct_quantity produced=OrderProduct_completedQuantity "
        "start_on=OrderProduct_startDate due_on=OrderProduct_finishDate changed_at=pubts"
    )
    return _told(order, shape) | {
        "id": wire_id(order.id),
        "orderProduct_id": wire_id(order.id) + 1,
        "status": _PRODUCTION[order.status][int(order.id) % 2],
        "verifystate": 2,
        "creator": _NAMES["dora"],
        "OrderProduct_lineNo": 10,
        "OrderProduct_incomingQuantity": Decimal(0),
        "OrderProduct_materialStatus": 2 if order.material_ready else 0,
    }
