"""Single documents, unusual values and the state tables.

Docs: platform/erp/erpnext.md#areas, platform/erp/records.md#states
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from bot.erp.erpnext import documents
from bot.erp.erpnext.mapping import SUBMITTING
from bot.erp.erpnext.stock import stock_level
from bot.erp.model import (
    InvoiceStatus,
    Money,
    OrderStatus,
    ProductionStatus,
    Progress,
    ReviewState,
)
from tests.erp.erpnext.rows import SITE, invoice_row, order_row, purchase_row, the_workflow
from tests.rows import each_row

# States


@each_row(
    ("docstatus", "status", "delivered", "wanted"),
    [
        (0, "Draft", 0, OrderStatus.DRAFT),
        (1, "To Deliver and Bill", 0, OrderStatus.OPEN),
        (1, "To Deliver", 0, OrderStatus.OPEN),
        (1, "To Pay", 0, OrderStatus.OPEN),
        (1, "On Hold", 0, OrderStatus.ON_HOLD),
        (1, "To Deliver", Decimal("62.5"), OrderStatus.PARTLY_DELIVERED),
        (1, "On Hold", Decimal("0.01"), OrderStatus.ON_HOLD),
        (1, "To Deliver", Decimal("99.99"), OrderStatus.PARTLY_DELIVERED),
        (1, "To Bill", 100, OrderStatus.DELIVERED),
        (1, "To Bill", Decimal("99.9999995"), OrderStatus.DELIVERED),
        (1, "Completed", 100, OrderStatus.CLOSED),
        (1, "Closed", Decimal("30"), OrderStatus.CLOSED),
        (2, "Cancelled", 0, OrderStatus.CANCELLED),
    ],
)
def test_states_of_sales_orders(docstatus: int, status: str, delivered: Any, wanted: OrderStatus) -> None:
    row = order_row(docstatus=docstatus, status=status, per_delivered=delivered)
    assert documents.sales_order(row, SITE).status is wanted


def test_an_order_of_services_owes_no_goods() -> None:
    order = documents.sales_order(
        order_row(delivery_status="Not Applicable", status="To Bill", delivery_date="2026-01-01"), SITE
    )
    assert (order.status, order.delivery) == (OrderStatus.DELIVERED, None)
    assert order.days_late(date(2026, 11, 24)) == 0


@each_row(
    ("values", "wanted"),
    [
        ({"docstatus": 0, "status": "Draft"}, InvoiceStatus.DRAFT),
        ({"status": "Unpaid"}, InvoiceStatus.UNPAID),
        ({"status": "Submitted"}, InvoiceStatus.UNPAID),
        ({"status": "Overdue"}, InvoiceStatus.UNPAID),
        ({"status": "Unpaid and Discounted"}, InvoiceStatus.UNPAID),
        ({"status": "Partly Paid", "outstanding_amount": 40}, InvoiceStatus.PART_PAID),
        # “Overdue” hides a partial payment.
        ({"status": "Overdue", "outstanding_amount": Decimal("0.01")}, InvoiceStatus.PART_PAID),
        ({"status": "Overdue and Discounted", "outstanding_amount": 40}, InvoiceStatus.PART_PAID),
        ({"status": "Paid", "outstanding_amount": 0}, InvoiceStatus.PAID),
        ({"status": "Credit Note Issued", "outstanding_amount": 0}, InvoiceStatus.PAID),
        ({"status": "Credit Note Issued", "outstanding_amount": -100}, InvoiceStatus.PAID),
        ({"status": "Internal Transfer", "outstanding_amount": 0}, InvoiceStatus.PAID),
        (
            {"status": "Return", "is_return": 1, "grand_total": -100, "outstanding_amount": -100},
            InvoiceStatus.UNPAID,
        ),
        (
            {"status": "Return", "is_return": 1, "grand_total": -100, "outstanding_amount": -30},
            InvoiceStatus.PART_PAID,
        ),
        ({"status": "Return", "is_return": 1, "grand_total": -100, "outstanding_amount": 0}, InvoiceStatus.PAID),
        ({"docstatus": 2, "status": "Cancelled"}, InvoiceStatus.VOID),
    ],
)
def test_states_of_invoices(values: dict[str, Any], wanted: InvoiceStatus) -> None:
    invoice = documents.invoice(invoice_row(**values), SITE)
    assert invoice.status is wanted
    assert invoice.is_credit_note is (values.get("is_return") == 1)


def test_a_cancelled_invoice_is_not_owed() -> None:
    invoice = documents.invoice(invoice_row(docstatus=2, status="Cancelled", outstanding_amount=100), SITE)
    assert invoice.open_amount == Money(Decimal(0), "CNY")


def test_overdue_is_worked_out_and_not_believed() -> None:
    today = date(2026, 11, 24)
    lags = documents.invoice(invoice_row(status="Unpaid", due_date="2026-11-23"), SITE)
    early = documents.invoice(invoice_row(status="Overdue", due_date="2026-11-24"), SITE)
    assert (lags.days_overdue(today), early.days_overdue(today)) == (1, 0)


def test_cents_that_were_rounded_off_are_no_part_payment() -> None:
    row = invoice_row(grand_total=Decimal("100.40"), rounded_total=100, outstanding_amount=100)
    invoice = documents.invoice(row, SITE)
    assert invoice.status is InvoiceStatus.UNPAID
    assert (invoice.total, invoice.open_amount) == (Money(Decimal("100.40"), "CNY"), Money(Decimal(100), "CNY"))


def test_what_is_open_is_in_the_currency_of_the_account() -> None:
    row = invoice_row(currency="USD", base_grand_total=710, outstanding_amount=710)
    invoice = documents.invoice(row, SITE)
    assert (invoice.total, invoice.open_amount) == (Money(Decimal(100), "USD"), Money(Decimal(710), "CNY"))
    assert invoice.status is InvoiceStatus.UNPAID
    assert documents.invoice({**row, "outstanding_amount": 100}, SITE).status is InvoiceStatus.PART_PAID


@each_row(
    ("state", "docstatus", "status", "wanted"),
    [
        ("Draft", 0, "Draft", ReviewState.DRAFT),
        ("Pending", 0, "Draft", ReviewState.WAITING),
        ("Pending Director", 0, "Draft", ReviewState.WAITING),
        # Some Workflows submit first and approve then.
        ("Pending", 1, "To Receive and Bill", ReviewState.WAITING),
        # The `status` of a rejected draft is still draft.
        ("Rejected", 0, "Draft", ReviewState.REJECTED),
        ("Rejected", 2, "Cancelled", ReviewState.REJECTED),
        ("Approved", 1, "To Receive and Bill", ReviewState.APPROVED),
        ("Approved", 1, "To Bill", ReviewState.APPROVED),
        ("Approved", 1, "To Receive", ReviewState.APPROVED),
        ("Approved", 1, "On Hold", ReviewState.APPROVED),
        ("Approved", 1, "Completed", ReviewState.DONE),
        ("Approved", 1, "Closed", ReviewState.DONE),
        ("Approved", 1, "Delivered", ReviewState.DONE),
        ("Approved", 2, "Cancelled", ReviewState.CANCELLED),
        ("Pending", 2, "Cancelled", ReviewState.CANCELLED),
        # From before the Workflow existed.
        (None, 0, "Draft", ReviewState.DRAFT),
        (None, 1, "To Bill", ReviewState.APPROVED),
    ],
)
def test_states_of_purchase_orders(state: str | None, docstatus: int, status: str, wanted: ReviewState) -> None:
    row = purchase_row(workflow_state=state, docstatus=docstatus, status=status)
    assert documents.purchase_order(row, SITE, the_workflow()).status is wanted


@each_row(
    ("docstatus", "status", "wanted"),
    [
        (0, "Draft", ReviewState.WAITING),
        (1, "To Receive and Bill", ReviewState.APPROVED),
        (1, "Completed", ReviewState.DONE),
        (2, "Cancelled", ReviewState.CANCELLED),
    ],
)
def test_states_of_purchase_orders_without_a_workflow(docstatus: int, status: str, wanted: ReviewState) -> None:
    row = purchase_row(docstatus=docstatus, status=status)
    assert documents.purchase_order(row, SITE, SUBMITTING).status is wanted


@each_row(
    ("docstatus", "status", "wanted"),
    [
        (0, "Draft", ProductionStatus.PLANNED),
        (0, "Not Started", ProductionStatus.PLANNED),
        (1, "Submitted", ProductionStatus.RELEASED),
        (1, "Not Started", ProductionStatus.RELEASED),
        (1, "Stock Reserved", ProductionStatus.RELEASED),
        (1, "Stock Partially Reserved", ProductionStatus.RELEASED),
        (1, "In Process", ProductionStatus.RUNNING),
        (1, "Completed", ProductionStatus.DONE),
        (1, "Closed", ProductionStatus.DONE),
        (1, "Stopped", ProductionStatus.ON_HOLD),
        (2, "Cancelled", ProductionStatus.CANCELLED),
        (2, "Not Started", ProductionStatus.CANCELLED),
    ],
)
def test_states_of_work_orders(docstatus: int, status: str, wanted: ProductionStatus) -> None:
    row = {"name": "MO-1", "docstatus": docstatus, "status": status, "qty": 5}
    assert documents.production_order(row, SITE).status is wanted


@each_row(
    ("percent", "wanted"),
    [
        (None, None),
        (0, Progress.NONE),
        (Decimal("-1"), Progress.NONE),
        (Decimal("0.000001"), Progress.PARTIAL),
        (Decimal("99.99"), Progress.PARTIAL),
        (Decimal("99.999999"), Progress.FULL),
        (100, Progress.FULL),
        (Decimal("133.3"), Progress.FULL),
    ],
)
def test_percentages(percent: Any, wanted: Progress | None) -> None:
    assert documents.progress(percent) is wanted


# Fields


def test_a_customer_is_called_by_name_and_not_by_an_unfilled_title() -> None:
    order = documents.sales_order(order_row(title="{customer_name}", customer="CUST-1"), SITE)
    assert order.customer == "Acme"
    assert documents.sales_order(order_row(customer_name=None, customer="CUST-1"), SITE).customer == "CUST-1"


def test_what_the_account_may_not_see_is_not_zero() -> None:
    row = order_row(items=[{"item_code": "A", "qty": 2}])
    del row["grand_total"], row["per_delivered"]
    order = documents.sales_order(row, SITE)
    assert (order.total, order.delivery, order.lines[0].price, order.lines[0].delivered) == (None, None, None, None)


@each_row(
    ("taxes", "taxed"),
    [([], None), ([{"included_in_print_rate": 0}], False), ([{"included_in_print_rate": 1}], True)],
)
def test_amounts_of_lines_are_with_tax_where_the_price_includes_it(taxes: Any, taxed: bool | None) -> None:
    order = documents.sales_order(order_row(items=[{"item_code": "A", "qty": 2, "amount": 5}], taxes=taxes), SITE)
    assert [line.taxed for line in order.lines] == [taxed]
    bought = documents.purchase_order(purchase_row(items=[{"item_code": "A", "qty": 2}], taxes=taxes), SITE, SUBMITTING)
    assert [line.taxed for line in bought.lines] == [taxed]


def test_a_work_order_is_due_when_it_is_scheduled_else_when_it_was_promised() -> None:
    row = {"name": "MO-1", "docstatus": 1, "status": "In Process", "qty": 10, "expected_delivery_date": "2026-12-01"}
    assert documents.production_order(row, SITE).due_on == date(2026, 12, 1)
    row["planned_end_date"] = "2026-11-20 23:59:59.999999"
    assert documents.production_order(row, SITE).due_on == date(2026, 11, 20)


def test_material_is_ready_when_all_of_it_was_transferred() -> None:
    row = {"name": "MO-1", "docstatus": 1, "status": "In Process", "qty": 10}
    assert documents.production_order(row, SITE).material_ready is None
    row["material_transferred_for_manufacturing"] = Decimal("9.999")
    assert documents.production_order(row, SITE).material_ready is None, "the rest may lie in its warehouse"
    row["material_transferred_for_manufacturing"] = 10
    assert documents.production_order(row, SITE).material_ready is True
    assert documents.production_order({**row, "skip_transfer": 1}, SITE).material_ready is None


@each_row("status", ["Draft", "Cancelled", "Completed", "Closed"])
def test_nothing_is_said_of_the_material_of_orders_that_nobody_makes(status: str) -> None:
    docstatus = {"Draft": 0, "Cancelled": 2}.get(status, 1)
    row = {"name": "MO-1", "docstatus": docstatus, "status": status, "qty": 10}
    for transferred in (0, 10):
        transferred_row = {**row, "material_transferred_for_manufacturing": transferred}
        assert documents.production_order(transferred_row, SITE).material_ready is None


def test_a_sales_order_on_hold_is_not_late() -> None:
    row = order_row(status="On Hold", per_delivered=0, delivery_date="2026-11-01")
    order = documents.sales_order(row, SITE)
    assert (order.status, order.days_late(date(2026, 11, 24))) == (OrderStatus.ON_HOLD, 0)


def test_a_stopped_work_order_is_not_late() -> None:
    row = {"name": "MO-1", "docstatus": 1, "status": "Stopped", "qty": 5, "planned_end_date": "2026-11-01 00:00:00"}
    order = documents.production_order(row, SITE)
    assert (order.status, order.days_late(date(2026, 11, 24))) == (ProductionStatus.ON_HOLD, 0)


def test_everything_that_is_promised_is_reserved() -> None:
    bins = [
        {
            "warehouse": "Stores - QM",
            "actual_qty": Decimal("10.5"),
            "reserved_qty": 1,
            "reserved_qty_for_production": 2,
            "reserved_qty_for_sub_contract": Decimal("0.5"),
            "ordered_qty": 4,
            "planned_qty": 3,
            "projected_qty": 14,
        },
        {"warehouse": "WIP - QM", "actual_qty": 0, "reserved_qty": 0, "ordered_qty": 0, "projected_qty": 0},
    ]
    level = stock_level({"name": "A", "item_name": "A"}, SITE, bins, {}, datetime(2026, 11, 24, tzinfo=UTC))
    first = level.per_warehouse[0].quantities
    assert (first.reserved, first.available, first.incoming, first.forecast, first.outgoing) == (
        Decimal("3.5"),
        Decimal("7.0"),
        Decimal(7),
        Decimal(14),
        None,
    )
    assert level.total.available == Decimal("7.0")
    assert level.per_warehouse[1].name == "WIP - QM"


@pytest.mark.parametrize("kind", [{"is_stock_item": 0}, {"has_variants": 1}])
def test_what_is_not_stocked_has_no_stock_rather_than_none_left(kind: dict[str, int]) -> None:
    level = stock_level({"name": "S", **kind}, SITE, [], {}, datetime(2026, 11, 24, tzinfo=UTC))
    assert level.total.on_hand is None


def test_reorder_levels_of_all_warehouses_count() -> None:
    item = {
        "name": "A",
        "reorder_levels": [{"warehouse_reorder_level": 5}, {"warehouse_reorder_level": Decimal("2.5")}],
    }
    at = datetime(2026, 11, 24, tzinfo=UTC)
    assert stock_level(item, SITE, [], {}, at).reorder_point == Decimal("7.5")
    assert stock_level({"name": "A", "reorder_levels": []}, SITE, [], {}, at).reorder_point is None


def test_a_description_that_repeats_the_name_is_no_spec() -> None:
    row = {"name": "A", "item_name": "Bolt M6", "description": "<div><p>Bolt M6</p></div>"}
    assert documents.product(row, SITE).spec == ""
    assert documents.product({**row, "description": "<p>M6 &lt; M8</p><p>zinc</p>"}, SITE).spec == "M6 < M8\nzinc"


def test_links_lead_to_the_form_in_the_desk() -> None:
    assert SITE.link("Purchase Order", "PO/1 号") == "https://erp.example.com/app/purchase-order/PO%2F1%20%E5%8F%B7"


# Versions


def test_a_version_changes_with_whatever_matters_to_a_decision() -> None:
    flow = the_workflow()
    row = purchase_row()
    changed = (
        {"modified": "2026-11-24 21:56:22.936634"},
        {"grand_total": Decimal("100.01")},
        {"currency": "USD"},
        {"workflow_state": "Pending Director"},
        {"docstatus": 1},
    )
    versions = {documents.version({**row, **change}, flow) for change in ({}, *changed)}
    assert len(versions) == len(changed) + 1
    assert documents.version({**row, "grand_total": 100}, flow) == documents.version(row, flow)
    assert documents.modified_of(documents.version(row, flow)) == row["modified"]
    assert "100" not in documents.version(row, flow).partition("~")[2].replace(row["modified"], "")
