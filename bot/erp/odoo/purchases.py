"""Purchase orders (docs: platform/erp/odoo.md#areas)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from bot.erp.keys import fingerprint
from bot.erp.model import Approval, Progress, PurchaseLine, PurchaseOrder, Review, ReviewState
from bot.erp.odoo.mapping import (
    OdooSite,
    Row,
    day,
    is_locked,
    lines_of,
    linked,
    moment,
    money,
    name_of,
    number,
    number_of,
    reference,
    state_of,
)
from bot.erp.odoo.orders import KEPT, OrderProgress, line_parts, order_lines, overdue, progress, still_owed
from bot.erp.odoo.reads import PEOPLE, OdooPlan
from bot.erp.plans.plan import NamedRows
from bot.erp.port import Filter
from bot.erp.values import text

_AT_ONCE = timedelta(seconds=5)
"""How far the times of an approval and of the last change may lie apart for the same transaction: the latter is when
it began (recorded: up to five seconds earlier)."""
_ODOO_BOT = 1
"""The user for the server's own work, such as a scheduled clean-up: it decides nothing."""
_PURCHASES = {"draft", "sent", "to approve", "purchase", "done", "cancel"}


def purchase_order(row: Row, site: OdooSite) -> PurchaseOrder:
    currency = row.get("currency_id")
    received = progress(row, "receipt_status")
    return PurchaseOrder(
        number=number_of(row),
        vendor=name_of(row.get("partner_id")),
        review=Review(
            state=_purchase_status(row, received),
            version=version(row),
            approval=_approval(row, site.unnamed),
            requester=_login(row, "create_uid"),
            changed_by=_login(row, "write_uid"),
            people=_people(row),
        ),
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


def version(row: Row) -> str:
    """Return a fingerprint for decisions; it includes the total because two edits may fall in the same second."""
    parts = [row.get("state"), row.get("write_date"), str(number(row.get("amount_total"))), row.get("order_line")]
    parts += [reference(row.get(name)) for name in ("partner_id", "currency_id")]
    return fingerprint(*parts)


def _purchase_status(row: Row, received: Progress | None) -> ReviewState:
    match row.get("state"):
        case "to approve":
            return ReviewState.WAITING
        case "cancel":
            return ReviewState.CANCELLED
        case "purchase" | "done":
            # Some companies lock orders on approval: goods still to come keep the order open.
            ended = received is Progress.FULL and is_locked(row)
            billed = received is None and (is_locked(row) or row.get("invoice_status") == "invoiced")
            return ReviewState.DONE if ended or billed else ReviewState.APPROVED
        case _:
            return ReviewState.DRAFT


def _login(row: Row, name: str) -> str:
    """Return the login of the user that a many2one refers to; API keys are configured by login."""
    return text(linked(row, name, "people").get("login"))


def _people(row: Row) -> Mapping[str, str]:
    names = ("create_uid", "write_uid")
    return MappingProxyType({login: name_of(row.get(name)) for name in names if (login := _login(row, name))})


def _approval(row: Row, unnamed: str) -> Approval | None:
    """Return the approval.

    Odoo does not record who approved: it was the last writer if they wrote at the time of approval.
    """
    by, at = _login(row, "write_uid"), moment(row.get("write_date"))
    if by == unnamed or reference(row.get("write_uid")) == _ODOO_BOT:
        by = ""
    match row.get("state"):
        case "to approve":
            return Approval()
        case "purchase" | "done":
            approved_at = moment(row.get("date_approve"))
            same = at is not None and approved_at is not None and abs(at - approved_at) <= _AT_ONCE
            return Approval(decided_by=by if same else "", decided_at=approved_at)
        case "cancel":
            return Approval(decided_by=by, decided_at=at)
        case _:
            return None


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
