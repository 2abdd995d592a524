"""Mapping of Tryton's states and unusual values."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from bot.erp.kinds import PURCHASE_ORDERS
from bot.erp.model import (
    Approval,
    InvoiceStatus,
    Money,
    OrderStatus,
    ProductionStatus,
    Progress,
    Quantities,
    ReviewState,
    WarehouseStock,
)
from bot.erp.tryton import documents
from bot.erp.tryton.decisions import APPROVALS, review, stamp_of, version_of
from bot.erp.tryton.stock import total_of
from tests.rows import each_row

WHEN = datetime(2026, 11, 24, 15, 56, 10, 347394, tzinfo=UTC)
UNIT = {"id": 1, "symbol": "u", "digits": 0}
GOODS: dict[str, Any] = {"id": 2, "code": "SKU-1001", "name": "不锈钢保温杯 500ml", "type": "goods"}
SERVICE: dict[str, Any] = {"id": 5, "code": "SKU-9001", "name": "上门安装", "type": "service"}
DOCUMENT: dict[str, Any] = {
    "id": 11,
    "number": "X-1",
    "reference": None,
    "total_amount": Decimal("8045.60"),
    "currency.": {"id": 1, "code": "CNY"},
    "party.": {"id": 3, "name": "上海华联商贸有限公司"},
    "last_modified_at": WHEN,
    "create_uid.": {"id": 1, "name": None, "login": "buyer"},
}
SALE = DOCUMENT | {
    "state": "processing",
    "sale_date": date(2026, 11, 13),
    "shipping_date": None,
    "shipment_state": "waiting",
    "invoice_state": "none",
    "invoice_method": "order",
    "quoted_by.": None,
    "lines.": [{"id": 16, "product.": GOODS}],
}
INVOICE = DOCUMENT | {
    "state": "posted",
    "invoice_date": date(2026, 11, 13),
    "amount_to_pay": Decimal("8045.60"),
    "sales.": [],
    "lines_to_pay.": [],
}
PURCHASE = DOCUMENT | {
    "state": "quotation",
    "_timestamp": "1795535749.87247",
    "purchase_date": None,
    "delivery_date": None,
    "shipment_state": "none",
    "untaxed_amount": Decimal("7120.00"),
    "write_uid.": None,
    "quoted_by.": None,
    "lines.": [{"id": 16, "type": "line", "product.": GOODS, "quantity": Decimal("80.0"), "unit.": UNIT, "moves.": []}],
}
PRODUCTION: dict[str, Any] = {
    "id": 3,
    "number": None,
    "state": "running",
    "reference": None,
    "product.": {"id": 9, "code": "SKU-1008", "name": "控制器总成 CT-8"},
    "quantity": Decimal("10.0"),
    "unit.": UNIT,
    "planned_start_date": None,
    "effective_date": None,
    "planned_date": None,
    "outputs.": [],
    "last_modified_at": WHEN,
    "create_uid.": {"id": 1, "name": None, "login": "buyer"},
}

SITE = documents.TrytonSite(source="main")


def _sale(**fields: Any) -> Any:
    return documents.sale(SALE | fields, SITE, lines="lines." in fields)


def _invoice(**fields: Any) -> Any:
    return documents.invoice(INVOICE | fields, SITE)


def _purchase(**fields: Any) -> Any:
    row = PURCHASE | fields
    reviewed = review(row, APPROVALS[PURCHASE_ORDERS], None, {})
    return documents.purchase(row, SITE, reviewed, lines="lines." in fields)


def _production(**fields: Any) -> Any:
    return documents.production(PRODUCTION | fields, SITE)


@each_row(
    ("state", "shipped", "status"),
    [
        ("draft", "none", OrderStatus.DRAFT),
        ("quotation", "none", OrderStatus.DRAFT),
        ("confirmed", "none", OrderStatus.OPEN),
        ("processing", "waiting", OrderStatus.OPEN),
        ("processing", "partially shipped", OrderStatus.PARTLY_DELIVERED),
        ("processing", "sent", OrderStatus.DELIVERED),
        ("processing", "exception", OrderStatus.OPEN),
        ("done", "sent", OrderStatus.CLOSED),
        ("cancelled", "none", OrderStatus.CANCELLED),
    ],
)
def test_states_of_sales(state: str, shipped: str, status: OrderStatus) -> None:
    assert _sale(state=state, shipment_state=shipped).status is status


@each_row(
    ("shipped", "delivery"),
    [
        ("none", Progress.NONE),
        ("waiting", Progress.NONE),
        ("partially shipped", Progress.PARTIAL),
        ("sent", Progress.FULL),
        ("exception", None),
    ],
)
def test_delivery_of_sales(shipped: str, delivery: Progress | None) -> None:
    order = _sale(shipment_state=shipped)
    assert order.delivery is delivery
    assert order.extra == ({"shipment_state": "exception"} if shipped == "exception" else {})


@each_row(
    ("state", "method", "shipped", "billing", "payment"),
    [
        ("none", "order", "none", Progress.NONE, Progress.NONE),
        ("pending", "order", "none", Progress.NONE, Progress.NONE),
        ("awaiting payment", "order", "none", Progress.FULL, Progress.NONE),
        ("awaiting payment", "fulfillment", "partially shipped", Progress.PARTIAL, Progress.NONE),
        ("awaiting payment", "fulfillment", "sent", Progress.FULL, Progress.NONE),
        ("awaiting payment", "shipment", "partially shipped", Progress.PARTIAL, Progress.NONE),
        ("awaiting payment", "manual", "sent", None, Progress.NONE),
        ("partially paid", "order", "sent", Progress.FULL, Progress.PARTIAL),
        ("paid", "order", "sent", Progress.FULL, Progress.FULL),
        ("exception", "order", "sent", None, None),
    ],
)
def test_billing_and_payment_of_sales(
    state: str, method: str, shipped: str, billing: Progress | None, payment: Progress | None
) -> None:
    order = _sale(invoice_state=state, invoice_method=method, shipment_state=shipped)
    assert (order.billing, order.payment) == (billing, payment)


@each_row(
    ("state", "owed", "status"),
    [
        ("draft", "0", InvoiceStatus.DRAFT),
        ("validated", "0", InvoiceStatus.DRAFT),
        ("posted", "8045.60", InvoiceStatus.UNPAID),
        ("posted", "8000.00", InvoiceStatus.PART_PAID),
        ("posted", "0", InvoiceStatus.PAID),
        ("paid", "0", InvoiceStatus.PAID),
        ("cancelled", "0", InvoiceStatus.VOID),
    ],
)
def test_states_of_invoices(state: str, owed: str, status: InvoiceStatus) -> None:
    assert _invoice(state=state, amount_to_pay=Decimal(owed)).status is status


def test_a_credit_note_is_a_negative_invoice() -> None:
    note = _invoice(total_amount=Decimal("-5.00"), amount_to_pay=Decimal("-5.00"))
    assert (note.is_credit_note, note.status) == (True, InvoiceStatus.UNPAID)
    assert note.open_amount == Money(Decimal("-5.00"), "CNY")


def test_trap_there_is_no_overdue_state_the_first_unpaid_day_counts() -> None:
    lines = [
        {"id": 1, "maturity_date": date(2026, 10, 1), "reconciliation": 8},
        {"id": 2, "maturity_date": date(2026, 12, 1), "reconciliation": None},
        {"id": 3, "maturity_date": date(2026, 11, 1), "reconciliation": None},
        {"id": 4, "maturity_date": None, "reconciliation": None},
    ]
    late = _invoice(**{"lines_to_pay.": lines})
    assert late.due_on == date(2026, 11, 1)
    assert late.days_overdue(date(2026, 11, 24)) == 23
    assert _invoice(**{"lines_to_pay.": lines[:1]}).due_on == date(2026, 10, 1)
    assert _invoice().due_on is None


@each_row(
    ("state", "status"),
    [
        ("draft", ReviewState.DRAFT),
        ("quotation", ReviewState.WAITING),
        ("confirmed", ReviewState.APPROVED),
        ("processing", ReviewState.APPROVED),
        ("done", ReviewState.DONE),
        ("cancelled", ReviewState.CANCELLED),
    ],
)
def test_states_of_purchases(state: str, status: ReviewState) -> None:
    assert _purchase(state=state).status is status


def test_who_created_it_is_told_by_name_and_account() -> None:
    assert _sale(**{"create_uid.": {"name": "Dora", "login": "dora"}}).created_by == ("Dora", "dora")
    assert _sale().created_by == ("buyer",)
    assert _production(**{"create_uid.": None}).created_by == ()


@each_row(
    ("made", "written", "changed_by"),
    [
        ({"login": "dora", "name": "Dora"}, {"login": "carla", "name": None}, "carla"),
        # Nobody has changed it since it was created.
        ({"login": "dora", "name": "Dora"}, None, "dora"),
        (None, None, ""),
    ],
)
def test_who_changed_a_purchase_last(made: Any, written: Any, changed_by: str) -> None:
    order = _purchase(**{"create_uid.": made, "write_uid.": written})
    assert (order.review.requester, order.review.changed_by) == ("dora" if made else "", changed_by)


@each_row(
    ("shipped", "received"),
    [
        ("none", Progress.NONE),
        ("waiting", Progress.NONE),
        ("partially shipped", Progress.PARTIAL),
        ("exception", None),
    ],
)
def test_what_was_received(shipped: str, received: Progress | None) -> None:
    order = _purchase(shipment_state=shipped, state="processing")
    assert (order.received, order.is_open) == (received, True)


@each_row(
    ("moves", "received"),
    [
        ([("80.0", "done", "supplier")], Progress.FULL),
        # Somebody ignored the move of the rest, or sent part of it back.
        ([("50.0", "done", "supplier"), ("30.0", "cancelled", "supplier")], Progress.PARTIAL),
        ([("80.0", "done", "supplier"), ("20.0", "done", "storage")], Progress.PARTIAL),
        ([("80.0", "cancelled", "supplier")], Progress.NONE),
    ],
)
def test_trap_received_says_that_nothing_more_comes_and_moves_how_much_came(
    moves: list[tuple[str, str, str]], received: Progress
) -> None:
    line = _line(**{"moves.": [_move(*move) for move in moves]})
    order = _purchase(shipment_state="received", state="processing", **{"lines.": [line]})
    assert (order.received, order.is_open) == (received, False)


def test_trap_services_are_neither_awaited_nor_owed() -> None:
    service = _line(**{"product.": SERVICE})
    late = date(2026, 1, 1)
    bought = _purchase(shipment_state="none", state="processing", delivery_date=late, **{"lines.": [service]})
    assert (bought.received, bought.is_open, bought.days_late(date(2026, 11, 24))) == (None, False, 0)
    sold = _sale(shipment_state="none", shipping_date=late, **{"lines.": [service]})
    assert (sold.status, sold.delivery, sold.days_late(date(2026, 11, 24))) == (OrderStatus.DELIVERED, None, 0)
    both = _purchase(shipment_state="none", state="processing", **{"lines.": [service, _line()]})
    assert (both.received, both.is_open) == (Progress.NONE, True)


@each_row(
    ("state", "status", "ready"),
    [
        ("request", ProductionStatus.PLANNED, None),
        ("draft", ProductionStatus.PLANNED, None),
        ("waiting", ProductionStatus.PLANNED, False),
        ("assigned", ProductionStatus.RELEASED, True),
        ("running", ProductionStatus.RUNNING, True),
        ("done", ProductionStatus.DONE, True),
        ("cancelled", ProductionStatus.CANCELLED, None),
    ],
)
def test_states_of_productions(state: str, status: ProductionStatus, ready: bool | None) -> None:
    order = _production(state=state)
    assert (order.status, order.material_ready) == (status, ready)


@each_row(("state", "told"), [("done", date(2026, 11, 4)), ("running", None), ("cancelled", None)])
def test_what_is_done_was_finished_on_its_effective_day(state: str, told: date | None) -> None:
    assert _production(state=state, effective_date=date(2026, 11, 4)).finished_on == told


def test_produced_is_what_is_done_of_the_product_itself() -> None:
    outputs = [
        {"id": 1, "product": 9, "quantity": Decimal("4.0"), "state": "done"},
        {"id": 2, "product": 9, "quantity": Decimal("6.0"), "state": "draft"},
        {"id": 3, "product": 5, "quantity": Decimal("1.0"), "state": "done"},
    ]
    assert _production(**{"outputs.": outputs}).produced == 4


def test_trap_drafts_have_no_number() -> None:
    assert _production().number == "(3)"
    assert _sale(number=None).number == "(11)"
    assert documents.number_of({"id": 12, "number": ""}) == "(12)"


@each_row(
    ("value", "digits", "exact"),
    [
        ("0.30000000000000004", 2, "0.30"),
        ("2816.0", 0, "2816"),
        ("1E-6", 6, "0.000001"),
        ("0.30000000000000004", None, "0.30000000000000004"),
        ("-2.5", 1, "-2.5"),
    ],
)
def test_trap_quantities_are_floats(value: str, digits: int | None, exact: str) -> None:
    assert str(documents.quantity(Decimal(value), digits)) == exact


def _line(**fields: Any) -> dict[str, Any]:
    return {
        "id": 16,
        "type": "line",
        "description": None,
        "product.": GOODS,
        "quantity": Decimal("80.0"),
        "unit.": UNIT,
        "unit_price": Decimal("89.0000"),
        "amount": Decimal("7120.00"),
        "shipping_date": None,
        "moves.": [],
        "invoice_lines.": [],
    } | fields


def _move(quantity: str, state: str = "done", end: str = "customer", unit: int = 1) -> dict[str, Any]:
    place = {"id": 7, "type": end}
    return {"quantity": Decimal(quantity), "unit": unit, "state": state, "to_location.": place, "from_location.": place}


@each_row(
    ("moves", "delivered"),
    [
        ([], Decimal(0)),
        ([_move("50.0"), _move("30.0", "draft")], Decimal(50)),
        ([_move("50.0"), _move("20.0", end="storage")], Decimal(30)),
        ([_move("50.0"), _move("2.0", unit=4)], None),
        ([_move("50.0"), _move("2.0", "assigned", unit=4)], Decimal(50)),
    ],
)
def test_delivered_is_what_moved_less_what_came_back(moves: list[Any], delivered: Decimal | None) -> None:
    (line,) = _sale(**{"lines.": [_line(**{"moves.": moves})]}).lines
    assert line.delivered == delivered


def test_received_counts_from_the_supplier() -> None:
    moves = [_move("50.0", end="supplier"), _move("10.0", end="storage")]
    (line,) = _purchase(**{"lines.": [_line(**{"moves.": moves})]}).lines
    assert line.received == 40


def test_lines_that_sell_nothing_are_left_out_and_those_without_product_keep_their_words() -> None:
    empty = {"product.": None, "unit.": None}
    lines = [
        _line(type="comment", description="…", quantity=None, **empty),
        _line(type="subtotal", **empty),
        _line(description="运费", **empty),
    ]
    (line,) = _sale(**{"lines.": lines}).lines
    assert (line.sku, line.name, line.unit, line.quantity) == ("", "运费", "", 80)


def test_amounts_need_their_currency() -> None:
    assert _sale(**{"currency.": None}).total is None
    assert _sale(total_amount=None).total is None


def test_a_version_changes_with_stamp_total_and_level() -> None:
    approval = Approval(level=1, levels=2)
    versions = {
        version_of(PURCHASE, approval),
        version_of(PURCHASE | {"_timestamp": "1795535749.87248"}, approval),
        version_of(PURCHASE | {"total_amount": Decimal("8045.61")}, approval),
        version_of(PURCHASE, Approval(level=2, levels=2)),
        version_of(PURCHASE, None),
    }
    assert len(versions) == 5
    assert {stamp_of(version) for version in versions} == {"1795535749.87247", "1795535749.87248"}
    assert not any("8045" in version for version in versions)


def test_a_total_is_unknown_where_a_part_is() -> None:
    places = [
        WarehouseStock(code="A", name="A", quantities=Quantities(on_hand=Decimal(1), available=Decimal(2))),
        WarehouseStock(code="B", name="B", quantities=Quantities(on_hand=Decimal(3))),
    ]
    assert (total_of(places).on_hand, total_of(places).available) == (Decimal(4), None)
    assert total_of([]).on_hand is None


def test_a_document_leads_to_its_form_in_the_web_client() -> None:
    site = documents.TrytonSite(source="main", web="https://tryton.example.com/#demo/model")
    order = documents.sale(SALE, site, lines=False)
    assert order.url == f"https://tryton.example.com/#demo/model/sale.sale/{order.id}"
    made = documents.production(PRODUCTION, site)
    assert made.url == f"https://tryton.example.com/#demo/model/production/{made.id}"
    assert documents.invoice(INVOICE, SITE).url == ""
