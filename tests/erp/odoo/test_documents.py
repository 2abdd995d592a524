"""Mapping of Odoo's values and states.

Docs: platform/erp/odoo.md#values, #areas, platform/erp/records.md#states
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.erp.counting import counts
from bot.erp.model import (
    Approval,
    InvoiceStatus,
    Money,
    OrderStatus,
    ProductionStatus,
    Progress,
    Quantities,
    ReviewState,
)
from bot.erp.odoo import decisions, finance, mapping, production, products, purchases, sales, stock
from bot.erp.odoo.plans import PLANS
from bot.erp.values import text
from tests.rows import each_row

SITE = mapping.OdooSite(source="main", url="https://erp.example", zone=ZoneInfo("Asia/Shanghai"))


# Values


@each_row(
    ("value", "wanted"),
    [
        (False, ""),
        (None, ""),
        ("", ""),
        (" a\nb ", " a\nb "),
        (0, "0"),
    ],
)
def test_empty_is_false_for_every_type(value: Any, wanted: str) -> None:
    assert text(value) == wanted


@each_row(
    ("value", "wanted"),
    [
        (Decimal("3840.0"), "3840"),
        (Decimal("0.30000000000000004"), "0.3"),
        (Decimal("1234.8678909999999"), "1234.867891"),
        (Decimal("1E-6"), "0.000001"),
        (Decimal("-0.0"), "0"),
        (Decimal("859.63"), "859.63"),
        (7, "7"),
        (1000000, "1000000"),
        (Decimal("12345678901234.568"), "12345678901234.6"),
        (12345678901234567890, "12345678901234600000"),
    ],
)
def test_binary_floats_lose_their_noise(value: Any, wanted: str) -> None:
    found = mapping.number(value)
    assert found is not None
    assert found == Decimal(wanted)
    assert format(found, "f") == wanted


@each_row("value", [False, None, True, "", "x", "NaN", "Infinity", [], {}])
def test_what_is_no_number_is_not_zero(value: Any) -> None:
    assert mapping.number(value) is None


def test_zero_is_zero() -> None:
    assert mapping.number(Decimal("0.0")) == 0


@each_row(
    ("value", "wanted"),
    [
        ("2026-11-24", date(2026, 11, 24)),
        ("2026-11-23 16:00:00", date(2026, 11, 24)),
        ("2026-11-23 15:59:59", date(2026, 11, 23)),
        (False, None),
        ("2026-13-01", None),
        ("soon", None),
    ],
)
def test_times_are_utc_and_days_the_company_s(value: Any, wanted: date | None) -> None:
    assert mapping.day(value, SITE.zone) == wanted


def test_a_moment_is_aware() -> None:
    assert mapping.moment("2026-11-24 14:08:31") == datetime(2026, 11, 24, 14, 8, 31, tzinfo=UTC)
    assert mapping.moment(False) is None


@each_row(
    ("amount", "currency", "wanted"),
    [
        (Decimal("5506.2"), [1, "USD"], Money(Decimal("5506.2"), "USD")),
        (Decimal("0.0"), [1, "CNY"], Money(Decimal(0), "CNY")),
        (Decimal(5), False, None),
        (False, [1, "USD"], None),
    ],
)
def test_an_amount_has_a_currency(amount: Any, currency: Any, wanted: Money | None) -> None:
    assert mapping.money(amount, currency) == wanted


@each_row(("value", "id_", "name"), [([3, "SZ"], 3, "SZ"), (False, None, ""), ([], None, "")])
def test_many2one_is_a_pair(value: Any, id_: int | None, name: str) -> None:
    assert (mapping.reference(value), mapping.name_of(value)) == (id_, name)


# Products


@each_row(
    ("code", "name", "shown", "spec"),
    [
        ("SKU1", "Bolt", "Bolt (M6, steel)", "M6, steel"),
        ("SKU1", "Bolt", "[SKU1] Bolt (M6)", "M6"),
        ("SKU1", "Bolt (old)", "Bolt (old)", ""),
        ("SKU1", "Bolt (old)", "Bolt (old) (M6)", "M6"),
        ("SKU1", "Bolt", "Screw (M6)", ""),
        (False, "Bolt", "Bolt", ""),
    ],
)
def test_the_spec_is_what_makes_a_variant(code: Any, name: str, shown: str, spec: str) -> None:
    row = {"id": 7, "default_code": code, "name": name, "display_name": shown, "barcode": False}
    assert products.product(row).spec == spec


def test_a_product_without_a_code_is_told_by_its_id() -> None:
    assert products.product({"id": 7, "default_code": False, "name": "Bolt"}).sku == "*7"


def test_free_is_what_is_not_reserved() -> None:
    row = {"qty_available": Decimal("3840.0"), "free_qty": Decimal("800.0"), "incoming_qty": Decimal("0.0")}
    assert stock.figures(row) == Quantities(
        on_hand=Decimal(3840), reserved=Decimal(3040), available=Decimal(800), incoming=Decimal(0)
    )


@each_row(
    ("kind", "kept"),
    [
        ({"type": "service", "is_storable": False}, False),
        ({"type": "consu", "is_storable": False}, False),
        ({"type": "consu", "is_storable": True}, True),
        ({"type": "product"}, True),
        ({"type": "consu"}, False),
        ({"type": "service"}, False),
        ({}, True),
    ],
)
def test_of_services_and_uncounted_goods_there_is_no_stock(kind: dict[str, Any], kept: bool) -> None:
    row = {"id": 1, "name": "Mounting", "qty_available": 0, "free_qty": 0, **kind}
    level = stock.stock_level(row, (), (), as_of=datetime(2026, 11, 24, tzinfo=UTC), site=SITE)
    assert level.is_stocked is kept
    assert (level.total.on_hand is None) is not kept


def test_figures_that_are_not_told_are_none() -> None:
    assert stock.figures({}) == Quantities(on_hand=None)


@each_row(
    ("rules", "wanted"),
    [([], None), ([Decimal("0.0")], Decimal(0)), ([Decimal("5.0"), Decimal("2.5")], Decimal("7.5"))],
)
def test_no_reordering_rule_is_not_a_rule_of_zero(rules: list[Decimal], wanted: Decimal | None) -> None:
    rows = [{"id": 1, "product_min_qty": rule} for rule in rules]
    level = stock.stock_level({"id": 1}, (), rows, as_of=datetime.now(UTC), site=SITE)
    assert level.reorder_point == wanted


# Sales orders


@each_row(
    ("state", "delivery", "more", "status", "progress"),
    [
        ("draft", False, {}, OrderStatus.DRAFT, Progress.NONE),
        ("sent", False, {}, OrderStatus.DRAFT, Progress.NONE),
        ("sale", "pending", {}, OrderStatus.OPEN, Progress.NONE),
        ("sale", "started", {}, OrderStatus.OPEN, Progress.NONE),
        ("sale", "partial", {}, OrderStatus.PARTLY_DELIVERED, Progress.PARTIAL),
        ("sale", "full", {}, OrderStatus.DELIVERED, Progress.FULL),
        ("sale", "full", {"locked": True}, OrderStatus.CLOSED, Progress.FULL),
        ("done", "full", {}, OrderStatus.CLOSED, Progress.FULL),
        # Locked on confirmation: the goods are still owed.
        ("sale", "pending", {"locked": True}, OrderStatus.OPEN, Progress.NONE),
        ("done", "partial", {}, OrderStatus.PARTLY_DELIVERED, Progress.PARTIAL),
        # Services have nothing to deliver.
        ("sale", False, {"invoice_status": "to invoice"}, OrderStatus.OPEN, None),
        ("sale", False, {"invoice_status": "invoiced"}, OrderStatus.CLOSED, None),
        ("sale", False, {"locked": True}, OrderStatus.CLOSED, None),
        ("cancel", False, {}, OrderStatus.CANCELLED, Progress.NONE),
        ("cancel", "full", {"locked": True}, OrderStatus.CANCELLED, Progress.NONE),
        ("to_be_checked", False, {}, OrderStatus.DRAFT, Progress.NONE),
    ],
)
def test_states_of_sales_orders(
    state: str, delivery: Any, more: dict[str, Any], status: OrderStatus, progress: Progress | None
) -> None:
    order = sales.sales_order({"id": 1, "state": state, "delivery_status": delivery, **more}, SITE)
    assert (order.status, order.delivery) == (status, progress)


@each_row(
    ("invoice_status", "bills", "billing", "payment"),
    [
        ("no", [], Progress.NONE, Progress.NONE),
        ("to invoice", [], Progress.NONE, Progress.NONE),
        ("to invoice", ["paid"], Progress.PARTIAL, Progress.PARTIAL),
        ("no", ["not_paid"], Progress.PARTIAL, Progress.NONE),
        ("invoiced", ["not_paid"], Progress.FULL, Progress.NONE),
        ("invoiced", ["partial"], Progress.FULL, Progress.PARTIAL),
        ("invoiced", ["paid", "not_paid"], Progress.FULL, Progress.PARTIAL),
        ("invoiced", ["paid", "in_payment"], Progress.FULL, Progress.FULL),
        ("upselling", ["paid"], Progress.FULL, Progress.FULL),
    ],
)
def test_billing_and_payment(invoice_status: str, bills: list[str], billing: Progress, payment: Progress) -> None:
    known = {key: {"id": key, "state": "posted", "payment_state": state} for key, state in enumerate(bills, 1)}
    row = {"id": 1, "state": "sale", "invoice_status": invoice_status, "invoice_ids": list(known)}
    order = sales.sales_order({**row, "bills": known}, SITE)
    assert (order.billing, order.payment) == (billing, payment)


def test_payment_is_not_told_without_the_right_to_invoices() -> None:
    row = {"id": 1, "state": "sale", "invoice_status": "invoiced", "invoice_ids": [5]}
    assert sales.sales_order({**row, "bills": None}, SITE).payment is None


def test_a_draft_bill_pays_nothing() -> None:
    row = {"id": 1, "state": "sale", "invoice_status": "invoiced", "invoice_ids": [5]}
    bills = {5: {"id": 5, "state": "draft", "payment_state": "not_paid"}}
    assert sales.sales_order({**row, "bills": bills}, SITE).payment is Progress.NONE


@each_row(
    ("bills", "payment"),
    [
        ({"out_invoice": "reversed", "out_refund": "paid"}, Progress.NONE),
        ({"out_invoice": "paid", "out_refund": "not_paid"}, Progress.FULL),
    ],
)
def test_credit_notes_pay_nothing(bills: dict[str, str], payment: Progress) -> None:
    known = {
        key: {"id": key, "state": "posted", "move_type": kind, "payment_state": state}
        for key, (kind, state) in enumerate(bills.items(), 1)
    }
    row = {"id": 1, "state": "sale", "invoice_status": "invoiced", "invoice_ids": list(known)}
    assert sales.sales_order({**row, "bills": known}, SITE).payment is payment


def test_sections_and_notes_are_no_lines() -> None:
    products = {9: {"id": 9, "default_code": "X", "name": "Bolt"}}
    lines = [
        {"id": 1, "display_type": "line_section", "name": "Bolts", "product_uom_qty": Decimal(0)},
        {"id": 2, "display_type": False, "product_id": [9, "[X] Bolt"], "name": "Bolt\nas agreed", "product": products,
         "product_uom_qty": Decimal("2.0"), "product_uom": [1, "Units"], "price_total": Decimal("3.0")},
        {"id": 3, "display_type": False, "product_id": False, "name": "Down payment"},
    ]  # fmt: skip
    row = {"id": 1, "currency_id": [1, "CNY"], "lines": {line["id"]: line for line in lines}}
    order = sales.sales_order(row, SITE)
    assert [(line.sku, line.name, line.unit) for line in order.lines] == [
        ("X", "Bolt", "Units"),
        ("", "Down payment", ""),
    ]
    assert order.lines[0].amount == Money(Decimal(3), "CNY")


# Invoices


@each_row(
    ("state", "payment", "residual", "status"),
    [
        ("draft", "not_paid", 100, InvoiceStatus.DRAFT),
        ("posted", "not_paid", 100, InvoiceStatus.UNPAID),
        ("posted", "partial", 40, InvoiceStatus.PART_PAID),
        ("posted", "paid", 0, InvoiceStatus.PAID),
        ("posted", "in_payment", 0, InvoiceStatus.PAID),
        ("posted", "reversed", 0, InvoiceStatus.PAID),
        ("cancel", "not_paid", 100, InvoiceStatus.VOID),
        ("posted", "blocked", 100, InvoiceStatus.UNPAID),
        ("posted", "blocked", 40, InvoiceStatus.PART_PAID),
        ("posted", "invoicing_legacy", 0, InvoiceStatus.PAID),
        ("to_be_checked", False, 100, InvoiceStatus.DRAFT),
    ],
)
def test_states_of_invoices(state: str, payment: Any, residual: int, status: InvoiceStatus) -> None:
    row = {"id": 1, "state": state, "payment_state": payment, "amount_total": 100, "amount_residual": residual}
    assert finance.invoice(row, SITE).status is status


def test_of_a_reversed_invoice_nothing_was_paid_but_it_stays_in_turnover() -> None:
    row = {"id": 1, "move_type": "out_invoice", "state": "posted", "payment_state": "reversed",
           "amount_total": Decimal("169.5"), "amount_residual": 0, "currency_id": [1, "CNY"]}  # fmt: skip
    found = finance.invoice(row, SITE)
    assert (found.is_reversed, counts(found), found.is_open) == (True, True, False)
    assert (found.total, found.open_amount) == (Money(Decimal("169.5"), "CNY"), Money(Decimal(0), "CNY"))
    assert not finance.invoice({**row, "payment_state": "paid"}, SITE).is_reversed


def test_amounts_of_credit_notes_are_negative() -> None:
    row = {"id": 1, "move_type": "out_refund", "state": "posted", "payment_state": "not_paid",
           "amount_total": Decimal("10.5"), "amount_residual": Decimal("10.5"), "currency_id": [1, "EUR"]}  # fmt: skip
    found = finance.invoice(row, SITE)
    assert found.is_credit_note
    assert (found.total, found.open_amount) == (Money(Decimal("-10.5"), "EUR"),) * 2


def test_of_a_void_invoice_nothing_is_open() -> None:
    row = {"id": 1, "state": "cancel", "amount_total": 10, "amount_residual": 10, "currency_id": [1, "EUR"]}
    assert finance.invoice(row, SITE).open_amount == Money(Decimal(0), "EUR")


@each_row("name", [False, "/", ""])
def test_a_draft_without_a_number_is_told_by_its_id(name: Any) -> None:
    assert finance.invoice({"id": 12, "name": name, "state": "draft"}, SITE).number == "*12"


# Purchase orders


@each_row(
    ("state", "receipt", "more", "status", "received"),
    [
        ("draft", False, {}, ReviewState.DRAFT, Progress.NONE),
        ("sent", False, {}, ReviewState.DRAFT, Progress.NONE),
        ("to approve", False, {}, ReviewState.WAITING, Progress.NONE),
        ("purchase", "pending", {}, ReviewState.APPROVED, Progress.NONE),
        ("purchase", "partial", {}, ReviewState.APPROVED, Progress.PARTIAL),
        ("purchase", "full", {}, ReviewState.APPROVED, Progress.FULL),
        ("purchase", "full", {"locked": True}, ReviewState.DONE, Progress.FULL),
        ("done", "full", {}, ReviewState.DONE, Progress.FULL),
        ("purchase", "pending", {"locked": True}, ReviewState.APPROVED, Progress.NONE),
        ("done", "partial", {}, ReviewState.APPROVED, Progress.PARTIAL),
        ("purchase", False, {}, ReviewState.APPROVED, None),
        ("purchase", False, {"invoice_status": "invoiced"}, ReviewState.DONE, None),
        ("cancel", False, {}, ReviewState.CANCELLED, Progress.NONE),
        # A state from a custom module never counts as waiting, and is shown as it is.
        ("to_validate", False, {}, ReviewState.DRAFT, Progress.NONE),
        ("to_approve", False, {}, ReviewState.DRAFT, Progress.NONE),
    ],
)
def test_states_of_purchase_orders(
    state: str, receipt: Any, more: dict[str, Any], status: ReviewState, received: Progress | None
) -> None:
    order = purchases.purchase_order({"id": 1, "state": state, "receipt_status": receipt, **more}, SITE)
    assert (order.status, order.received) == (status, received)
    assert order.extra.get("state", state) == state
    assert ("state" in order.extra) == ("_" in state)


_USERS = {7: {"id": 7, "login": "anna"}}
_APPROVED_AT = datetime(2026, 11, 24, 14, 14, 30, tzinfo=UTC)


@each_row(
    ("written", "by"),
    [
        ("2026-11-24 14:14:30", "anna"),
        # The time of a transaction is its start.
        ("2026-11-24 14:14:26", "anna"),
        # A later writer is not the person who approved.
        ("2026-11-24 15:00:00", ""),
    ],
)
def test_who_wrote_last_approved_only_if_that_was_then(written: str, by: str) -> None:
    row = {"id": 1, "state": "purchase", "write_uid": [7, "Anna 安娜"], "write_date": written,
           "date_approve": "2026-11-24 14:14:30"}  # fmt: skip
    order = purchases.purchase_order({**row, "people": _USERS}, SITE)
    assert order.review.approval == Approval(decided_by=by, decided_at=_APPROVED_AT)
    assert order.review.changed_by == "anna"
    assert order.review.named("anna") == "Anna 安娜"


@pytest.mark.parametrize("state", ["purchase", "cancel"])
def test_odoos_own_work_is_nobodys_decision(state: str) -> None:
    row = {"id": 1, "state": state, "write_uid": [1, "OdooBot"], "write_date": "2026-11-24 14:14:30",
           "date_approve": "2026-11-24 14:14:30"}  # fmt: skip
    order = purchases.purchase_order({**row, "people": {1: {"id": 1, "login": "__system__"}}}, SITE)
    assert order.review.approval == Approval(decided_at=_APPROVED_AT)


def test_who_decides_for_others_is_not_named() -> None:
    row = {"id": 1, "state": "purchase", "write_uid": [7, "Bot"], "write_date": "2026-11-24 14:14:30",
           "date_approve": "2026-11-24 14:14:30"}  # fmt: skip
    order = purchases.purchase_order({**row, "people": _USERS}, replace(SITE, unnamed="anna"))
    assert order.review.approval == Approval(decided_at=_APPROVED_AT)


@each_row(
    "change",
    [
        {"state": "purchase"},
        {"write_date": "2026-11-24 14:08:32"},
        {"amount_total": Decimal("14260.01")},
        {"currency_id": [2, "EUR"]},
        {"partner_id": [54, "Other"]},
        {"order_line": [33, 34]},
    ],
)
def test_version_changes_with_what_is_decided_on(change: dict[str, Any]) -> None:
    row = {"id": 21, "state": "to approve", "write_date": "2026-11-24 14:08:31", "amount_total": Decimal("14260.0"),
           "currency_id": [1, "USD"], "partner_id": [53, "A"], "order_line": [33]}  # fmt: skip
    assert decisions.version(row) == decisions.version({**row, "amount_total": Decimal("14260.00"), "name": "P1"})
    assert decisions.version(row) != decisions.version({**row, **change})
    assert "14260" not in decisions.version(row)


# Production orders


@each_row(
    ("state", "reserved", "status"),
    [
        ("draft", False, ProductionStatus.PLANNED),
        ("confirmed", "confirmed", ProductionStatus.PLANNED),
        ("confirmed", "waiting", ProductionStatus.PLANNED),
        ("confirmed", "assigned", ProductionStatus.RELEASED),
        ("progress", "assigned", ProductionStatus.RUNNING),
        ("to_close", "assigned", ProductionStatus.RUNNING),
        ("done", False, ProductionStatus.DONE),
        ("cancel", False, ProductionStatus.CANCELLED),
        ("paused", False, ProductionStatus.PLANNED),
    ],
)
def test_states_of_production_orders(state: str, reserved: Any, status: ProductionStatus) -> None:
    row = {"id": 1, "state": state, "reservation_state": reserved}
    found = production.production_order(row, SITE)
    assert found.status is status


@each_row(
    ("told", "ready"),
    [("available", True), ("expected", False), ("late", False), ("unavailable", False), (False, None)],
)
def test_material_is_ready(told: Any, ready: bool | None) -> None:
    row = {"id": 1, "state": "confirmed", "components_availability_state": told}
    assert production.production_order(row, SITE).material_ready is ready


@each_row(("origin", "wanted"), [("S00026", "S00026"), ("S00026, OP/00012", "S00026"), ("OP/00012", ""), (False, "")])
def test_an_origin_is_a_sales_order_only_if_there_is_one(origin: Any, wanted: str) -> None:
    row = {"id": 1, "origin": origin, "sales_orders": {"S00026"}}
    found = production.production_order(row, SITE)
    assert found.sales_order == wanted


def test_the_planned_start_had_another_name_up_to_16() -> None:
    old = {"id": 1, "date_planned_start": "2026-11-24 01:00:00", "date_start": "2026-11-25 01:00:00"}
    new = {"id": 1, "date_start": "2026-11-24 01:00:00"}
    for row in (old, new):
        found = production.production_order(row, SITE)
        assert found.start_on == date(2026, 11, 24)


def test_a_record_says_who_created_it() -> None:
    row = {"id": 7, "create_uid": [5, "李娜"]}
    assert SITE.origin("sale.order", row)["created_by"] == ("李娜",)
    assert SITE.origin("sale.order", row | {"people": {5: {"login": "li"}}})["created_by"] == ("李娜", "li")
    assert SITE.origin("sale.order", {"id": 7, "create_uid": False})["created_by"] == ()
    assert all("create_uid" in plan.read for plan in PLANS.values() if not plan.shared)
