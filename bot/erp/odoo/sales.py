"""Sales orders (docs: platform/erp/odoo.md#areas)."""

from __future__ import annotations

from collections.abc import Mapping

from bot.erp.errors import NotPermitted
from bot.erp.model import OrderLine, OrderStatus, Progress, SalesOrder
from bot.erp.odoo.finance import PAID
from bot.erp.odoo.mapping import (
    OdooSite,
    Row,
    day,
    in_force,
    is_locked,
    lines_of,
    money,
    name_of,
    number,
    number_of,
    state_of,
)
from bot.erp.odoo.orders import OrderProgress, line_parts, order_lines, overdue, progress, still_owed
from bot.erp.odoo.reads import Linked, OdooPlan
from bot.erp.plans.plan import NamedRows
from bot.erp.port import Filter

_SALES = {"draft", "sent", "sale", "done", "cancel"}


def sales_order(row: Row, site: OdooSite) -> SalesOrder:
    """Return a sales order; ``bills`` of its row are its invoices, None if the account may not read them."""
    billing = _billing(row)
    currency = row.get("currency_id")
    delivery = progress(row, "delivery_status")
    return SalesOrder(
        number=number_of(row),
        customer=name_of(row.get("partner_id")),
        status=_order_status(row, delivery),
        delivery=delivery,
        billing=billing,
        payment=_payment(row, billing),
        ordered_on=day(row.get("date_order"), site.zone),
        promised_on=day(row.get("commitment_date"), site.zone),
        total=money(row.get("amount_total"), currency),
        lines=tuple(
            OrderLine(
                delivered=number(line.get("qty_delivered")),
                invoiced=number(line.get("qty_invoiced")),
                **line_parts(line, currency, "product_uom_qty"),
            )
            for line in lines_of(row)
        ),
        salesperson=name_of(row.get("user_id")),
        extra=state_of(row, _SALES),
        **site.origin("sale.order", row),
    )


def _order_status(row: Row, delivery: Progress | None) -> OrderStatus:
    if row.get("state") == "cancel":
        return OrderStatus.CANCELLED
    if not in_force(row):
        return OrderStatus.DRAFT
    match delivery:
        # Some companies lock orders on confirmation: a lock does not mean that everything was delivered.
        case Progress.FULL:
            return OrderStatus.CLOSED if is_locked(row) else OrderStatus.DELIVERED
        case Progress.PARTIAL:
            return OrderStatus.PARTLY_DELIVERED
        case None if is_locked(row) or row.get("invoice_status") in _BILLED:
            # Services: nothing to deliver.
            return OrderStatus.CLOSED
        case _:
            return OrderStatus.OPEN


_BILLED = {"invoiced", "upselling"}


def _billing(row: Row) -> Progress:
    if row.get("invoice_status") in _BILLED:
        return Progress.FULL
    # "no" and "to invoice" describe what can be billed now, not what was billed before.
    return Progress.PARTIAL if row.get("invoice_ids") else Progress.NONE


def _payment(row: Row, billing: Progress) -> Progress | None:
    bills: Mapping[int, Row] | None = row.get("bills")
    if billing is Progress.NONE:
        return Progress.NONE
    if bills is None:
        return None
    states = [bill.get("payment_state") for bill in bills.values() if _is_for_money(bill)]
    if states and all(state in PAID for state in states):
        return billing
    return Progress.PARTIAL if any(state in {*PAID, "partial"} for state in states) else Progress.NONE


def _is_for_money(bill: Row) -> bool:
    """Return whether an invoice is to be paid: a credit note is not, nor what credit notes settled."""
    settled = bill.get("payment_state") == "reversed"
    return bill.get("state") == "posted" and not settled and bill.get("move_type") != "out_refund"


SALES_ORDERS = OdooPlan(
    model="sale.order",
    fields=(
        "name", "state", "partner_id", "amount_total", "currency_id", "delivery_status", "invoice_status",
        "invoice_ids", "date_order", "commitment_date", "user_id", "order_line", "locked", "write_date",
    ),
    days=("date_order",),
    due="commitment_date",
    texts=("name", "partner_id.name", "partner_id.parent_id.name"),
    product="order_line.product_id.default_code",
    lists={
        Filter.OPEN: NamedRows("commitment_date", still_owed("delivery_status")),
        Filter.LATE: NamedRows("commitment_date", overdue("commitment_date", "delivery_status")),
    },
    joins=(
        Linked(
            into="bills",
            by=("invoice_ids",),
            model="account.move",
            fields=("state", "payment_state", "move_type"),
            closed=(NotPermitted,),
        ),
        order_lines("sale.order.line", "product_uom_qty", "qty_delivered", "qty_invoiced"),
        OrderProgress("sale.order", "delivery_status", "product_uom_qty", "qty_delivered"),
    ),
    build=sales_order,
)  # fmt: skip
