"""Every exchange recorded from a real ERPNext 15 maps to the expected records or errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from bot.erp.erpnext import documents
from bot.erp.erpnext.client import ErpNextClient, ListRequest
from bot.erp.erpnext.mapping import ApprovalWorkflow, Site, WorkflowTransition, transition, workflow
from bot.erp.erpnext.stock import stock_level
from bot.erp.errors import AuthFailed, Conflict, ErpError, Invalid, NotFound, NotPermitted
from bot.erp.model import (
    Invoice,
    InvoiceStatus,
    Money,
    OrderLine,
    OrderStatus,
    Product,
    ProductionOrder,
    ProductionStatus,
    Progress,
    PurchaseLine,
    PurchaseOrder,
    Quantities,
    Review,
    ReviewState,
    SalesOrder,
    WarehouseStock,
)
from bot.kit.testing.company import NOW
from tests.bare_records import with_review

from .replay import BOT, EXCHANGES, ZONE, Asked

COMPANY = "杭州启明智能制造有限公司"
ORDER = "Purchase Order"
ANY = ("name",)
"""Fields to request here: the answer is the recorded one regardless."""


def the_workflow(site: Site) -> ApprovalWorkflow:
    """Return the Workflow of the recorded site: the transitions open to the bot, and one before them."""
    known = EXCHANGES["transitions open to the bot"]["response"]["json"]["message"]
    first = {**known[0], "state": "Draft", "action": "Submit", "next_state": "Pending Approval"}
    row = {"name": "采购订单审批", "states": [{"state": "Draft"}], "transitions": [first, *known]}
    return workflow(row, site, "Approve", "Reject")


def cny(text: str) -> Money:
    return Money(Decimal(text), "CNY")


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-24 {text}").replace(tzinfo=ZONE)


# What is expected


async def who_am_i(frappe: ErpNextClient, site: Site) -> None:
    assert await frappe.call("frappe.auth.get_logged_user") == "bot@example.com"


SKU123 = Product(sku="SKU123", name="不锈钢六角螺栓 M8×30", unit="Nos", category="Products")


async def item(frappe: ErpNextClient, site: Site) -> None:
    row = await frappe.document("Item", "SKU123")
    assert documents.product(row, site) == SKU123
    assert stock_level(row, site, [], {}, NOW).reorder_point == Decimal(5000)


def figures(on_hand: str, reserved: str = "0", incoming: str = "0") -> Quantities:
    quantities = [Decimal(figure) for figure in (on_hand, reserved, incoming)]
    return Quantities(
        on_hand=quantities[0],
        reserved=quantities[1],
        available=quantities[0] - quantities[1],
        incoming=quantities[2],
        forecast=Decimal("6360") if reserved == "600" else quantities[0],
    )


async def bins(frappe: ErpNextClient, site: Site) -> None:
    rows = await frappe.rows(ListRequest("Bin", ANY))
    level = stock_level({"name": "SKU123"}, site, rows, {}, NOW)
    assert level.per_warehouse == (
        WarehouseStock(code="Work In Progress - QM", name="Work In Progress - QM", quantities=figures("80")),
        WarehouseStock(code="上海总仓 - QM", name="上海总仓 - QM", quantities=figures("2960", "600", "8000")),
        WarehouseStock(code="深圳分仓 - QM", name="深圳分仓 - QM", quantities=figures("800")),
    )
    assert level.total == Quantities(
        on_hand=Decimal(3840),
        reserved=Decimal(600),
        available=Decimal(3240),
        incoming=Decimal(8000),
        forecast=Decimal(7240),
    )
    assert site.time(rows[1]["modified"]) == datetime(2026, 11, 24, 13, 56, 28, 776754, tzinfo=UTC)


async def warehouses(frappe: ErpNextClient, site: Site) -> None:
    rows = await frappe.rows(ListRequest("Warehouse", ANY))
    places = {row["name"]: row for row in rows}
    stock = [{"warehouse": "上海总仓 - QM", "actual_qty": 1}]
    level = stock_level({"name": "SKU123"}, site, stock, places, NOW)
    assert (level.per_warehouse[0].name, level.company, len(rows)) == ("上海总仓", COMPANY, 6)


async def items(frappe: ErpNextClient, site: Site) -> None:
    rows = await frappe.rows(ListRequest("Item", ANY))
    named = [{"name": row["item_code"], **row} for row in rows]
    assert [documents.product(row, site) for row in named] == [replace(SKU123, category="")]


async def no_bins(frappe: ErpNextClient, site: Site) -> None:
    rows = await frappe.rows(ListRequest("Bin", ANY))
    level = stock_level({"name": "SKU-NOPE"}, site, rows, {}, NOW)
    assert (level.per_warehouse, level.total.on_hand, level.reorder_point) == ((), Decimal(0), None)


HUALIAN, ZHONGKE, HONGDA = "上海华联商贸有限公司", "北京中科创新科技有限公司", "深圳市宏达电子有限公司"


async def sales_orders(frappe: ErpNextClient, site: Site) -> None:
    found = [documents.sales_order(row, site) for row in await frappe.rows(ListRequest("Sales Order", ANY))]
    assert [(o.number[-1], o.customer, o.status, o.delivery, o.billing, o.total) for o in found] == [
        ("1", HUALIAN, OrderStatus.CLOSED, Progress.FULL, Progress.FULL, cny("8330")),
        ("2", ZHONGKE, OrderStatus.CLOSED, Progress.FULL, Progress.FULL, cny("4788")),
        ("3", HONGDA, OrderStatus.CLOSED, Progress.FULL, Progress.FULL, cny("1495")),
        ("4", HUALIAN, OrderStatus.PARTLY_DELIVERED, Progress.PARTIAL, Progress.FULL, cny("7120")),
        ("5", ZHONGKE, OrderStatus.OPEN, Progress.NONE, Progress.NONE, cny("10360")),
        ("6", HONGDA, OrderStatus.OPEN, Progress.NONE, Progress.NONE, cny("2100")),
        ("7", HUALIAN, OrderStatus.DRAFT, Progress.NONE, Progress.NONE, cny("2394")),
    ]
    assert {order.promised_on for order in found} == {date(2026, 12, 1)}
    assert found[3].ordered_on == date(2026, 11, 14)
    assert found[3].changed_at == at("21:56:24.222108")


def order_line(sku: str, name: str, quantity: int, delivered: int, price: str, amount: str) -> OrderLine:
    return OrderLine(
        sku=sku,
        name=name,
        unit="Nos",
        quantity=Decimal(quantity),
        delivered=Decimal(delivered),
        price=cny(price),
        amount=cny(amount),
        due_on=date(2026, 12, 1),
    )


CLOSED_ORDER = SalesOrder(
    id="SAL-ORD-2026-00001",
    number="SAL-ORD-2026-00001",
    customer=HUALIAN,
    status=OrderStatus.CLOSED,
    delivery=Progress.FULL,
    billing=Progress.FULL,
    ordered_on=date(2026, 10, 15),
    promised_on=date(2026, 12, 1),
    total=cny("8330"),
    lines=(
        order_line("SKU-1001", "不锈钢保温杯 500ml", 60, 60, "89", "5340"),
        order_line("SKU-1002", "蓝牙耳机 Pro", 10, 10, "299", "2990"),
    ),
    changed_at=at("21:56:22.936633"),
    source="main",
    extra={"status": "Completed", "company": COMPANY},
)


async def closed_order(frappe: ErpNextClient, site: Site) -> None:
    found = documents.sales_order(await frappe.document("Sales Order", "SAL-ORD-2026-00001"), site)
    assert found == replace(CLOSED_ORDER, url=f"{site.url}/app/sales-order/SAL-ORD-2026-00001")


async def partly_delivered_order(frappe: ErpNextClient, site: Site) -> None:
    found = documents.sales_order(await frappe.document("Sales Order", "SAL-ORD-2026-00004"), site)
    assert found == replace(
        CLOSED_ORDER,
        id="SAL-ORD-2026-00004",
        number="SAL-ORD-2026-00004",
        status=OrderStatus.PARTLY_DELIVERED,
        delivery=Progress.PARTIAL,
        ordered_on=date(2026, 11, 14),
        total=cny("7120"),
        lines=(order_line("SKU-1001", "不锈钢保温杯 500ml", 80, 50, "89", "7120"),),
        changed_at=at("21:56:24.222108"),
        extra={"status": "To Deliver", "company": COMPANY},
        url=f"{site.url}/app/sales-order/SAL-ORD-2026-00004",
    )


async def open_invoices(frappe: ErpNextClient, site: Site) -> None:
    found = [documents.invoice(row, site) for row in await frappe.rows(ListRequest("Sales Invoice", ANY))]
    today = date(2026, 11, 24)
    assert [(i.number[-1], i.status, i.total, i.open_amount, i.days_overdue(today)) for i in found] == [
        ("2", InvoiceStatus.UNPAID, cny("4788"), cny("4788"), 19),
        # Its status is “Overdue”, and half of it is paid.
        ("3", InvoiceStatus.PART_PAID, cny("1495"), cny("747.5"), 4),
        ("4", InvoiceStatus.UNPAID, cny("7120"), cny("7120"), 0),
    ]
    assert not any(invoice.is_credit_note for invoice in found)


async def invoice(frappe: ErpNextClient, site: Site) -> None:
    found = documents.invoice(await frappe.document("Sales Invoice", "ACC-SINV-2026-00002"), site)
    assert found == Invoice(
        id="ACC-SINV-2026-00002",
        number="ACC-SINV-2026-00002",
        customer=ZHONGKE,
        status=InvoiceStatus.UNPAID,
        issued_on=date(2026, 10, 21),
        due_on=date(2026, 11, 5),
        total=cny("4788"),
        open_amount=cny("4788"),
        order_number="SAL-ORD-2026-00002",
        url=f"{site.url}/app/sales-invoice/ACC-SINV-2026-00002",
        changed_at=at("21:56:23.454213"),
        source="main",
        extra={"status": "Overdue", "company": COMPANY},
    )


async def waiting_orders(frappe: ErpNextClient, site: Site) -> None:
    flow = the_workflow(site)
    found = [documents.purchase_order(row, site, flow) for row in await frappe.rows(ListRequest(ORDER, ANY))]
    assert [(order.number[-1], order.vendor, order.total) for order in found] == [
        ("3", "苏州联创电子材料有限公司", cny("19800")),
        ("7", "苏州联创电子材料有限公司", cny("12540")),
        ("8", "东莞精密电机有限公司", cny("13260")),
        ("9", "宁波永固紧固件厂", cny("12400")),
    ]
    assert {order.status for order in found} == {ReviewState.WAITING}
    assert {order.due_on for order in found} == {date(2026, 12, 4)}


def purchase_order(
    site: Site, number: str, status: ReviewState, state: str, changed_by: str = "Administrator", **more: Any
) -> PurchaseOrder:
    """Return the approved order; ``more`` replaces fields."""
    line = PurchaseLine(
        sku="SKU-1002",
        name="蓝牙耳机 Pro",
        unit="Nos",
        quantity=Decimal(120),
        received=Decimal(0),
        price=cny("165"),
        amount=cny("19800"),
    )
    order = PurchaseOrder(
        id=number,
        number=number,
        vendor="苏州联创电子材料有限公司",
        review=Review(state=status, version="", requester="Administrator", changed_by=changed_by),
        ordered_on=date(2026, 11, 21),
        due_on=date(2026, 12, 4),
        total=cny("19800"),
        received=Progress.NONE,
        lines=(line,),
        url=f"{site.url}/app/purchase-order/{number}",
        source="main",
        extra={"status": "Draft", "company": COMPANY, "workflow_state": state},
    )
    return replace(order, **more)


def same_order(found: PurchaseOrder, wanted: PurchaseOrder, modified: str) -> bool:
    assert documents.modified_of(found.review.version) == f"2026-11-24 {modified}"
    assert with_review(found, version="") == replace(wanted, changed_at=at(modified))
    return True


async def waiting_order(frappe: ErpNextClient, site: Site) -> None:
    found = documents.purchase_order(await frappe.document(ORDER, "PUR-ORD-2026-00003"), site, the_workflow(site))
    expected = purchase_order(site, "PUR-ORD-2026-00003", ReviewState.WAITING, "Pending Approval")
    assert same_order(found, expected, "21:56:27.317161")


async def transitions(frappe: ErpNextClient, site: Site) -> None:
    parameters = {"doc": {"doctype": ORDER, "name": "PUR-ORD-2026-00003"}}
    found = await frappe.act("frappe.model.workflow.get_transitions", parameters, BOT)
    assert [transition(row) for row in found] == [
        WorkflowTransition("Pending Approval", "Approve", "Approved", "Purchase Manager", self_approval=True),
        WorkflowTransition("Pending Approval", "Reject", "Rejected", "Purchase Manager", self_approval=True),
    ]
    flow = the_workflow(site)
    assert flow.waiting == {"Pending Approval"}
    assert flow.rejected == {"Rejected"}
    assert flow.levels("Pending Approval") == 1


async def apply(frappe: ErpNextClient, number: str, action: str) -> Any:
    parameters = {"doc": {"doctype": ORDER, "name": number}, "action": action}
    return await frappe.act("frappe.model.workflow.apply_workflow", parameters, BOT)


async def approve(frappe: ErpNextClient, site: Site) -> None:
    found = documents.purchase_order(await apply(frappe, "PUR-ORD-2026-00003", "Approve"), site, the_workflow(site))
    expected = purchase_order(
        site,
        "PUR-ORD-2026-00003",
        ReviewState.APPROVED,
        "Approved",
        changed_by="bot@example.com",
        extra={"status": "To Receive and Bill", "company": COMPANY, "workflow_state": "Approved"},
    )
    assert same_order(found, expected, "22:14:33.461371")


def rejected(site: Site) -> PurchaseOrder:
    line = PurchaseLine(
        sku="SKU-1003",
        name="机械键盘 87键",
        unit="Nos",
        quantity=Decimal(55),
        received=Decimal(0),
        price=cny("228"),
        amount=cny("12540"),
    )
    return purchase_order(
        site,
        "PUR-ORD-2026-00007",
        ReviewState.REJECTED,
        "Rejected",
        changed_by="bot@example.com",
        ordered_on=date(2026, 11, 24),
        total=cny("12540"),
        lines=(line,),
    )


async def reject(frappe: ErpNextClient, site: Site) -> None:
    found = documents.purchase_order(await apply(frappe, "PUR-ORD-2026-00007", "Reject"), site, the_workflow(site))
    assert same_order(found, rejected(site), "22:14:34.229391")


async def rejected_order(frappe: ErpNextClient, site: Site) -> None:
    found = documents.purchase_order(await frappe.document(ORDER, "PUR-ORD-2026-00007"), site, the_workflow(site))
    assert same_order(found, rejected(site), "22:14:34.229391")


async def work_orders(frappe: ErpNextClient, site: Site) -> None:
    found = [documents.production_order(row, site) for row in await frappe.rows(ListRequest("Work Order", ANY))]
    assert [(o.number[-1], o.status, o.planned, o.produced, o.material_ready) for o in found] == [
        ("1", ProductionStatus.DONE, Decimal(20), Decimal(20), None),
        ("2", ProductionStatus.RUNNING, Decimal(10), Decimal(0), True),
        ("3", ProductionStatus.RELEASED, Decimal(500), Decimal(0), None),
        ("4", ProductionStatus.PLANNED, Decimal(12), Decimal(0), None),
    ]
    assert found[1] == ProductionOrder(
        id="MFG-WO-2026-00002",
        number="MFG-WO-2026-00002",
        sku="SKU-1008",
        name="控制器总成 CT-8",
        unit="",
        planned=Decimal(10),
        produced=Decimal(0),
        status=ProductionStatus.RUNNING,
        start_on=date(2026, 11, 24),
        due_on=None,
        material_ready=True,
        url=f"{site.url}/app/work-order/MFG-WO-2026-00002",
        changed_at=at("21:56:28.539587"),
        source="main",
        extra={"status": "In Process"},
    )


async def changes(frappe: ErpNextClient, site: Site) -> None:
    rows = await frappe.rows(ListRequest("Sales Order", ANY))
    assert [(row["name"][-1], site.time(row["modified"])) for row in rows] == [
        ("5", datetime(2026, 11, 24, 13, 56, 21, 290880, tzinfo=UTC)),
        ("6", datetime(2026, 11, 24, 13, 56, 21, 407119, tzinfo=UTC)),
    ]


RECORDS: dict[str, Callable[[ErpNextClient, Site], Awaitable[None]]] = {
    "who am I": who_am_i,
    "item": item,
    "bins of SKU123": bins,
    "warehouses": warehouses,
    "items by part of a name": items,
    "unknown item's bins": no_bins,
    "sales orders": sales_orders,
    "sales order SAL-ORD-2026-00001": closed_order,
    "sales order SAL-ORD-2026-00004": partly_delivered_order,
    "open customer invoices": open_invoices,
    "sales invoice": invoice,
    "purchase orders awaiting approval": waiting_orders,
    "purchase order": waiting_order,
    "transitions open to the bot": transitions,
    "approve": approve,
    "reject": reject,
    "purchase order after reject": rejected_order,
    "work orders": work_orders,
    "changed since": changes,
}

NO_ACCESS = (
    "User readonly@example.com does not have doctype access via role permission for document Purchase Order User"
    " readonly@example.com does not have access to this document"
)
NO_COMMENT = (
    "User bot@example.com does not have doctype access via role permission for document Comment User bot@example.com"
    " does not have access to this document"
)
KEYLESS = "the request arrived without its API key: does a proxy drop Authorization?"

COMMENT = EXCHANGES["comment with the reason"]["request"]["json"]

ERRORS: dict[str, tuple[Callable[[ErpNextClient], Awaitable[Any]], type[ErpError], str]] = {
    "approve again: 417": (
        lambda frappe: apply(frappe, "PUR-ORD-2026-00003", "Approve"),
        Conflict,
        "Not a valid Workflow Action",
    ),
    "comment with the reason": (lambda frappe: insert(frappe, COMMENT), NotPermitted, NO_COMMENT),
    "read-only user without right": (
        lambda frappe: frappe.document(ORDER, "PUR-ORD-2026-00008"),
        NotPermitted,
        NO_ACCESS,
    ),
    "read-only user approves: refused": (
        lambda frappe: apply(frappe, "PUR-ORD-2026-00008", "Approve"),
        NotPermitted,
        NO_ACCESS,
    ),
    # A child table without its parent's name: refused without a message.
    "reorder levels": (lambda frappe: frappe.rows(ListRequest("Item Reorder", ANY)), NotPermitted, "PermissionError"),
    "missing document: 404": (lambda frappe: frappe.document("Sales Order", "NOPE"), NotFound, "not found: NOPE"),
    "unknown field": (
        lambda frappe: frappe.rows(ListRequest("Sales Order", ("nope",))),
        Invalid,
        "Field not permitted in query: nope",
    ),
    "no token: 403": (lambda frappe: frappe.document("Item", "SKU123"), AuthFailed, KEYLESS),
    "bad token: 401": (lambda frappe: frappe.document("Item", "SKU123"), AuthFailed, "the API key is refused"),
}


async def insert(frappe: ErpNextClient, values: dict[str, Any]) -> Any:
    """Create a document as recorded; the adapter adds comments with a method that needs no right to them."""
    answer = await frappe._http.write("POST", "api/resource/Comment", json=values, headers=BOT.headers)
    return frappe._checked(answer, "data")


@pytest.mark.parametrize("title", RECORDS)
async def test_records(asked: Asked, title: str) -> None:
    await RECORDS[title](*asked(title))


@pytest.mark.parametrize("title", ERRORS)
async def test_errors(asked: Asked, title: str) -> None:
    call, kind, detail = ERRORS[title]
    frappe, _ = asked(title)
    with pytest.raises(ErpError) as caught:
        await call(frappe)
    assert (type(caught.value), caught.value.detail, caught.value.source) == (kind, detail, "main")


def test_no_exchange_is_left_out() -> None:
    assert list(EXCHANGES) == [title for title in EXCHANGES if title in RECORDS or title in ERRORS]
    assert len(EXCHANGES) == len(RECORDS) + len(ERRORS) == 28
