"""State tables (docs: platform/erp/records.md#states), currencies and unusual values."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.erp.model import InvoiceStatus, Money, OrderStatus, ProductionStatus, Progress, ReviewState
from bot.erp.sap_b1 import documents
from bot.erp.sap_b1.client import UserNames
from bot.erp.sap_b1.decisions import ApprovalRequest, ApproverLine
from bot.erp.sap_b1.documents import DocumentMapper
from bot.erp.sap_b1.mapping import ValueReader, day_of, rows_of
from bot.erp.sap_b1.query import (
    CREDIT_NOTES,
    INVOICES,
    ORDER_DRAFTS,
    ORDERS,
    PURCHASE_DRAFTS,
    PURCHASES,
    DocumentEntity,
)
from bot.erp.sap_b1.stock import ItemMapper
from tests.rows import each_row

SHANGHAI = ValueReader(ZoneInfo("Asia/Shanghai"), {"$": "USD"})
DOCUMENTS = DocumentMapper("b1", SHANGHAI)
NOBODY = UserNames({}, {})


def document(**more: Any) -> dict[str, Any]:
    amounts = {"DocTotal": 100, "DocTotalFc": 0, "DocCurrency": "RMB"}
    return {"DocEntry": 7, "DocNum": 1005, "DocumentStatus": "bost_Open", "Cancelled": "tNO", **amounts, **more}


def purchase(
    entity: DocumentEntity, row: dict[str, Any], asked: ApprovalRequest | None = None, people: UserNames = NOBODY
) -> Any:
    return DOCUMENTS.reviewed(DOCUMENTS.purchase_order(entity, row, {}), entity, row, asked, people)


def request(state: str, **more: Any) -> ApprovalRequest:
    fields = {"code": "1", "draft": "7", "document": "", "stage": "17", "requester": "dora", "steps": ()}
    return ApprovalRequest(state=state, **{**fields, **more})


@each_row(
    ("told", "delivery", "wanted"),
    [
        ({}, Progress.NONE, OrderStatus.OPEN),
        ({}, None, OrderStatus.OPEN),
        ({}, Progress.PARTIAL, OrderStatus.PARTLY_DELIVERED),
        ({}, Progress.FULL, OrderStatus.PARTLY_DELIVERED),
        ({"DocumentStatus": "bost_Close"}, Progress.FULL, OrderStatus.CLOSED),
        ({"DocumentStatus": "bost_Delivered"}, Progress.FULL, OrderStatus.DELIVERED),
        ({"DocumentStatus": "bost_Paid"}, Progress.FULL, OrderStatus.CLOSED),
        ({"Cancelled": "tYES", "DocumentStatus": "bost_Close"}, Progress.NONE, OrderStatus.CANCELLED),
        ({"CancelStatus": "csCancellation"}, Progress.NONE, OrderStatus.CANCELLED),
    ],
)
def test_sales_orders(told: dict[str, Any], delivery: Progress | None, wanted: OrderStatus) -> None:
    assert documents.order_status(document(**told), delivery, draft=False) is wanted


def test_a_draft_of_an_order_is_a_draft() -> None:
    assert documents.order_status(document(), Progress.NONE, draft=True) is OrderStatus.DRAFT
    assert DOCUMENTS.order(ORDER_DRAFTS, document(), {}).number == "D7"
    assert DOCUMENTS.order(ORDERS, document(), {}).number == "1005"


@each_row(
    ("told", "paid", "wanted"),
    [
        ({}, 0, InvoiceStatus.UNPAID),
        ({}, 40, InvoiceStatus.PART_PAID),
        ({}, 100, InvoiceStatus.PAID),
        ({"DocumentStatus": "bost_Close"}, 100, InvoiceStatus.PAID),
        ({"DocumentStatus": "bost_Close"}, 0, InvoiceStatus.PAID),
        ({"DocumentStatus": "bost_Paid"}, 100, InvoiceStatus.PAID),
        ({"Cancelled": "tYES"}, 0, InvoiceStatus.VOID),
        ({"CancelStatus": "csCancellation"}, 0, InvoiceStatus.VOID),
    ],
)
def test_invoices(told: dict[str, Any], paid: int, wanted: InvoiceStatus) -> None:
    assert documents.invoice_status(document(**told), Decimal(100), Decimal(paid), draft=False) is wanted


@each_row(
    ("told", "wanted"),
    [
        ({}, ReviewState.APPROVED),
        ({"DocumentStatus": "bost_Close"}, ReviewState.DONE),
        ({"DocumentStatus": "bost_Delivered"}, ReviewState.DONE),
        ({"Cancelled": "tYES", "DocumentStatus": "bost_Close"}, ReviewState.CANCELLED),
    ],
)
def test_purchase_orders(told: dict[str, Any], wanted: ReviewState) -> None:
    assert documents.purchase_status(document(**told), None, draft=False) is wanted


@each_row(
    ("state", "wanted"),
    [
        ("Pending", ReviewState.WAITING),
        ("Approved", ReviewState.APPROVED),
        ("NotApproved", ReviewState.REJECTED),
        ("Cancelled", ReviewState.CANCELLED),
        ("Generated", ReviewState.APPROVED),
        ("GeneratedByAuthorizer", ReviewState.APPROVED),
        ("SomethingNew", ReviewState.DRAFT),
    ],
)
def test_a_draft_has_the_state_of_its_request(state: str, wanted: ReviewState) -> None:
    draft = document(AuthorizationStatus="dasRejected")
    assert documents.purchase_status(draft, request(state), draft=True) is wanted


@each_row(
    ("told", "wanted"),
    [
        ("dasWithout", ReviewState.DRAFT),
        ("dasPending", ReviewState.WAITING),
        ("dasApproved", ReviewState.APPROVED),
        ("dasRejected", ReviewState.REJECTED),
        ("dasCancelled", ReviewState.CANCELLED),
        (None, ReviewState.DRAFT),
    ],
)
def test_a_draft_without_a_request_has_its_own_state(told: str | None, wanted: ReviewState) -> None:
    row = document(AuthorizationStatus=told)
    assert documents.purchase_status(row, None, draft=True) is wanted
    order = purchase(PURCHASE_DRAFTS, row)
    assert (order.number, order.review.approval) == ("D7", None)


@each_row(
    ("told", "produced", "wanted"),
    [
        ("boposPlanned", 0, ProductionStatus.PLANNED),
        ("boposReleased", 0, ProductionStatus.RELEASED),
        ("boposReleased", None, ProductionStatus.RELEASED),
        ("boposReleased", 5, ProductionStatus.RUNNING),
        ("boposClosed", 5, ProductionStatus.DONE),
        ("boposCancelled", 5, ProductionStatus.CANCELLED),
    ],
)
def test_production_orders(told: str, produced: int | None, wanted: ProductionStatus) -> None:
    assert documents.production_status(told, None if produced is None else Decimal(produced)) is wanted


# Currencies (docs: platform/erp/sap-b1.md#amounts-and-dates)


def test_amounts_are_in_the_documents_own_currency_where_that_is_not_the_companys() -> None:
    foreign = {"DocTotal": Decimal("725.5"), "DocTotalFc": Decimal("100.07"), "DocCurrency": "$"}
    paid = {"PaidToDate": Decimal(7), "PaidToDateFC": Decimal("0.07")}
    invoice = DOCUMENTS.invoice(INVOICES, document(**foreign, **paid), {})
    assert (invoice.total, invoice.open_amount) == (Money(Decimal("100.07"), "USD"), Money(Decimal(100), "USD"))
    local = DOCUMENTS.invoice(INVOICES, document(PaidToDate=Decimal("0.1"), PaidToDateFC=5), {})
    assert (local.total, local.open_amount) == (Money(Decimal(100), "CNY"), Money(Decimal("99.9"), "CNY"))


def test_lines_follow_their_document() -> None:
    line = {"Quantity": 2, "Price": 5, "LineTotal": 72, "RowTotalFC": 10, "Currency": "EUR", "ItemCode": "X"}
    foreign = document(DocTotal=72, DocTotalFc=10, DocCurrency="EUR", DocumentLines=[line])
    [order_line] = DOCUMENTS.order(ORDERS, foreign, {}).lines
    assert (order_line.price, order_line.amount) == (Money(Decimal(5), "EUR"), Money(Decimal(10), "EUR"))
    [order_line] = DOCUMENTS.order(ORDERS, document(DocumentLines=[line]), {}).lines
    # A line's price may be in its own currency, in which the document has no amount.
    assert (order_line.price, order_line.amount) == (None, Money(Decimal(72), "CNY"))


def test_a_currency_that_is_not_known_has_no_amounts() -> None:
    assert DOCUMENTS.order(ORDERS, document(DocCurrency="##"), {}).total is None


def test_a_credit_note_has_amounts_below_zero() -> None:
    note = DOCUMENTS.invoice(CREDIT_NOTES, document(PaidToDate=30), {})
    assert (note.number, note.is_credit_note) == ("C1005", True)
    assert (note.total, note.open_amount) == (Money(Decimal(-100), "CNY"), Money(Decimal(-70), "CNY"))


def test_an_invoice_names_the_order_it_was_made_from_directly() -> None:
    lines = [{"BaseType": 15, "BaseEntry": 3}, {"BaseType": 17, "BaseEntry": 4}, {"BaseType": "17", "BaseEntry": 4}]
    row = document(DocumentLines=lines)
    assert documents.base_keys(row, documents.SALES_ORDER) == ["4"]
    assert DOCUMENTS.invoice(INVOICES, row, {"3": "no", "4": "1001"}).order_number == "1001"


# Lines and stock


@each_row(("rest", "done"), [(10, 0), (4, 6), (0, 10), (None, None), (12, 0)])
def test_what_is_done_of_a_line_is_what_is_not_open(rest: int | None, done: int | None) -> None:
    row = document(DocumentLines=[{"Quantity": 10, "RemainingOpenQuantity": rest}])
    [line] = purchase(PURCHASES, row).lines
    assert line.received == done


@each_row(
    ("code", "measure", "unit"),
    [
        ("PCS", "Box", "PCS"),
        ("Manual", "Box", "Box"),
        (None, "Box", "Box"),
        ("Manual", None, "Manual"),
        (None, None, ""),
    ],
)
def test_a_unit_that_is_only_written_down(code: str | None, measure: str | None, unit: str) -> None:
    row = document(DocumentLines=[{"Quantity": 1, "UoMCode": code, "MeasureUnit": measure}])
    assert DOCUMENTS.order(ORDERS, row, {}).lines[0].unit == unit


def test_stock_per_warehouse_and_the_least_that_should_be_there() -> None:
    items = ItemMapper("")
    places = [
        {"WarehouseCode": "01", "InStock": 10, "Committed": 4, "Ordered": 2, "MinimalStock": 3},
        {"WarehouseCode": "02", "InStock": 0, "Committed": 0, "Ordered": 0, "MinimalStock": 2},
    ]
    row = {"ManageStockByWarehouse": "tNO", "MinInventory": 7, "ItemWarehouseInfoCollection": places}
    [place] = items.places(row, {"01": "Main"})
    assert (place.code, place.name) == ("01", "Main")
    figures = place.quantities
    assert (figures.available, figures.forecast, figures.outgoing) == (Decimal(6), Decimal(8), None)
    assert items.reorder_point(row) == Decimal(7)
    assert items.reorder_point(row | {"ManageStockByWarehouse": "tYES"}) == Decimal(5)
    assert items.reorder_point(row | {"MinInventory": 0}) is None
    assert items.reorder_point(row | {"MinInventory": None}) is None


def test_figures_that_are_not_told_are_not_zero() -> None:
    total = ItemMapper("").total({"QuantityOnStock": Decimal("1.500000")})
    assert (total.on_hand, total.reserved, total.available, total.forecast) == (Decimal("1.5"), None, None, None)


# Days and times


@each_row("told", ["2026-01-31", "2026-01-31T00:00:00Z", "2026-01-31T00:00:00"])
def test_a_day_has_no_zone_whatever_is_written_behind_it(told: str) -> None:
    assert day_of(told) == date(2026, 1, 31)
    assert ValueReader(ZoneInfo("America/Lima"), {}).moment(told, "23:59:59") == datetime(
        2026, 2, 1, 4, 59, 59, tzinfo=UTC
    )


@each_row(
    ("clock", "wanted"),
    [
        ("10:30:05", datetime(2026, 1, 31, 2, 30, 5, tzinfo=UTC)),
        ("10:30", datetime(2026, 1, 31, 2, 30, tzinfo=UTC)),
        (None, datetime(2026, 1, 30, 16, tzinfo=UTC)),
    ],
)
def test_times_are_of_the_servers_zone(clock: str | None, wanted: datetime) -> None:
    assert SHANGHAI.moment("2026-01-31", clock) == wanted


def test_what_is_no_day_time_or_row_is_refused() -> None:
    for day, clock in (("soon", None), ("2026-01-31", "noon"), ("2026-02-30", None), ("2026-01-31", "25:00:00")):
        with pytest.raises(ValueError):  # noqa: PT011  # of several libraries
            SHANGHAI.moment(day, clock)
    assert SHANGHAI.moment(None, "10:00:00") is None
    for wrong in ({"A": 1}, {"A": [1]}):
        with pytest.raises(ValueError, match="does not hold rows"):
            rows_of(wrong, "A")


# Approval


def step(stage: str, person: str, state: str = "Pending", minute: int | None = None, remarks: str = "") -> ApproverLine:
    at = None if minute is None else datetime(2026, 11, 24, 1, minute, tzinfo=UTC)
    return ApproverLine(stage, person, state, at, remarks)


def test_a_request_waits_for_those_of_its_stage_who_have_not_decided() -> None:
    steps = (step("17", "anna", "Approved", 5), step("17", "carla"), step("4", "boris"), step("4", "anna"))
    approval = request("Pending", stage="17", steps=steps).approval()
    assert (approval.pending_for, approval.level, approval.levels) == (("carla",), 1, 2)
    assert (approval.decided_by, approval.task_id) == ("anna", "1")
    later = request("Pending", stage="4", steps=steps).approval()
    assert (later.pending_for, later.level, later.decided_by) == (("boris", "anna"), 2, "anna")


def test_a_decided_request_tells_its_last_decision() -> None:
    steps = (step("17", "anna", "Approved", 5), step("4", "boris", "NotApproved", 5, "太贵"), step("17", "carla"))
    approval = request("NotApproved", stage="4", steps=steps).approval()
    assert (approval.pending_for, approval.level, approval.levels, approval.task_id) == ((), 2, 2, "")
    assert (approval.decided_by, approval.reason) == ("boris", "太贵")


def test_lines_of_later_stages_need_not_be_there() -> None:
    approval = request("Pending", stage="99", steps=()).approval()
    assert (approval.pending_for, approval.level, approval.levels) == ((), 1, 1)


def test_people_whose_accounts_are_not_told_are_marked_as_keys() -> None:
    order = purchase(PURCHASES, document(UserSign=12))
    assert (order.review.requester, order.review.people) == ("#12", {})
    known = UserNames({"12": "dora"}, {"dora": "Dora", "anna": "Anna"})
    order = purchase(PURCHASES, document(UserSign=12), people=known)
    assert (order.review.requester, order.review.people) == ("dora", {"dora": "Dora"})


@each_row(
    "change",
    [
        {"DocTotal": 101},
        {"DocCurrency": "USD"},
        {"DocDueDate": "2026-12-01"},
        {"CardName": "other"},
        {"UpdateTime": "10:00:01"},
        {"DocumentLines": [{"Quantity": 3}]},
        {"Cancelled": "tYES"},
    ],
)
def test_the_version_changes_with_every_edit(change: dict[str, Any]) -> None:
    def version(row: dict[str, Any], asked: ApprovalRequest | None = None) -> str:
        return purchase(PURCHASE_DRAFTS, row, asked).review.version

    assert version(document()) == version(document())
    assert version(document()) != version(document(**change))
    decided = request("Pending", steps=(step("17", "anna", "Approved", 5),))
    assert version(document(), request("Pending")) != version(document(), decided)
