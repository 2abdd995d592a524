"""Purchase orders (docs: platform/erp/odoo.md#areas)."""

from __future__ import annotations

from dataclasses import replace

from bot.erp.model import Progress, PurchaseLine, PurchaseOrder, Review, ReviewState
from bot.erp.odoo.decisions import PURCHASES, review
from bot.erp.odoo.mapping import (
    OdooSite,
    Row,
    day,
    is_locked,
    lines_of,
    money,
    name_of,
    number,
    number_of,
    state_of,
)
from bot.erp.odoo.orders import KEPT, OrderProgress, line_parts, order_lines, overdue, progress, still_owed
from bot.erp.odoo.reads import PEOPLE, OdooPlan
from bot.erp.plans.plan import NamedRows
from bot.erp.port import Filter

_PURCHASES = {"draft", "sent", "to approve", "purchase", "done", "cancel"}


def purchase_order(row: Row, site: OdooSite) -> PurchaseOrder:
    currency = row.get("currency_id")
    received = progress(row, "receipt_status")
    return PurchaseOrder(
        number=number_of(row),
        vendor=name_of(row.get("partner_id")),
        review=_review(row, site, received),
        buyer=name_of(row.get("user_id")),
        ordered_on=day(row.get("date_order"), site.zone),
        due_on=day(row.get("date_planned"), site.zone),
        total=money(row.get("amount_total"), currency),
        received=progress(row, KEPT) if KEPT in row else received,
        awaits_goods=received is not None and row.get(KEPT, "full") == "full",
        lines=tuple(
            PurchaseLine(received=number(line.get("qty_received")), **line_parts(line, currency, "product_qty"))
            for line in lines_of(row)
        ),
        extra=state_of(row, _PURCHASES),
        **site.origin("purchase.order", row),
    )


def _review(row: Row, site: OdooSite, received: Progress | None) -> Review:
    found = review(row, site, PURCHASES)
    if found.state is not ReviewState.APPROVED:
        return found
    # Some companies lock orders on approval: goods still to come keep the order open.
    ended = received is Progress.FULL and is_locked(row)
    billed = received is None and (is_locked(row) or row.get("invoice_status") == "invoiced")
    return replace(found, state=ReviewState.DONE) if ended or billed else found


PURCHASE_ORDERS = OdooPlan(
    model="purchase.order",
    fields=(
        "name", "state", "partner_id", "amount_total", "currency_id", "date_order", "date_planned", "date_approve",
        "user_id", "create_uid", "receipt_status", "invoice_status", "order_line", "locked", "write_date", "write_uid",
    ),
    days=("date_order",),
    due="date_planned",
    texts=("name", "partner_id.name", "partner_id.parent_id.name"),
    product="order_line.product_id.default_code",
    lists={
        Filter.OPEN: NamedRows("date_planned", still_owed("receipt_status")),
        Filter.LATE: NamedRows("date_planned", overdue("date_planned", "receipt_status")),
        Filter.PENDING: NamedRows("date_order", lambda _: [["state", "=", "to approve"]]),
    },
    joins=(
        PEOPLE,
        order_lines("purchase.order.line", "product_qty", "qty_received"),
        OrderProgress("purchase.order", "receipt_status", "product_qty", "qty_received"),
    ),
    build=purchase_order,
)  # fmt: skip
