"""Maps Odoo's products and documents to the bot's records (docs: platform/erp/odoo.md#areas)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from bot.erp.keys import fingerprint
from bot.erp.model import (
    Approval,
    Invoice,
    InvoiceStatus,
    OrderLine,
    OrderStatus,
    Product,
    ProductionOrder,
    ProductionStatus,
    Progress,
    PurchaseLine,
    PurchaseOrder,
    PurchaseStatus,
    SalesOrder,
)
from bot.erp.odoo.mapping import (
    OdooSite,
    Products,
    Row,
    day,
    goods_of,
    in_force,
    is_locked,
    line_name,
    line_sku,
    moment,
    money,
    name_of,
    number,
    number_of,
    progress,
    reference,
    sku_of,
    state_of,
    unit_of,
    with_taxes,
)
from bot.erp.record_parts import InvoiceParts, LineParts
from bot.erp.values import text

_AT_ONCE = timedelta(seconds=5)
"""How far the times of an approval and of the last change may lie apart for the same transaction: the latter is when
it began (recorded: up to five seconds earlier)."""


_ODOO_BOT = 1
"""The user for the server's own work, such as a scheduled clean-up: it decides nothing."""

# Products


def product(row: Row) -> Product:
    """Return a product; its spec is the list of variant values, which only the display name contains."""
    name, shown = text(row.get("name")), text(row.get("display_name"))
    shown = shown.removeprefix(f"[{text(row.get('default_code'))}] ")
    variant = shown.startswith(f"{name} (") and shown.endswith(")")
    return Product(
        sku=sku_of(row),
        name=name,
        spec=shown[len(name) + 2 : -1] if variant else "",
        unit=name_of(row.get("uom_id")),
        category=name_of(row.get("categ_id")),
        barcode=text(row.get("barcode")),
        is_active=row.get("active") is not False,
    )


# Orders


def _line(line: Row, products: Products, currency: Any, quantity: str) -> LineParts:
    return {
        **goods_of(line, products),
        "quantity": number(line.get(quantity)) or Decimal(0),
        "price": money(line.get("price_unit"), currency),
        "amount": money(with_taxes(line), currency),
        "taxed": "price_total" in line,
    }


# Sales

_SALES = {"draft", "sent", "sale", "done", "cancel"}


def sales_order(
    row: Row,
    site: OdooSite,
    *,
    lines: Iterable[Row] = (),
    products: Products = MappingProxyType({}),
    bills: Any = None,
) -> SalesOrder:
    """Return a sales order; ``bills`` are its invoices, None if the account may not read them."""
    billing = _billing(row)
    currency = row.get("currency_id")
    delivery = progress(row, "delivery_status")
    return SalesOrder(
        number=number_of(row),
        customer=name_of(row.get("partner_id")),
        status=_order_status(row, delivery),
        delivery=delivery,
        billing=billing,
        payment=_payment(row, billing, bills),
        ordered_on=day(row.get("date_order"), site.zone),
        promised_on=day(row.get("commitment_date"), site.zone),
        total=money(row.get("amount_total"), currency),
        lines=tuple(
            OrderLine(
                delivered=number(line.get("qty_delivered")),
                invoiced=number(line.get("qty_invoiced")),
                **_line(line, products, currency, "product_uom_qty"),
            )
            for line in lines
            if not line.get("display_type")
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


def _payment(row: Row, billing: Progress, bills: Mapping[int, Row] | None) -> Progress | None:
    if billing is Progress.NONE:
        return Progress.NONE
    if bills is None:
        return None
    states = [
        bills[bill].get("payment_state")
        for bill in row.get("invoice_ids") or ()
        if bill in bills and _is_for_money(bills[bill])
    ]
    if states and all(state in _PAID for state in states):
        return billing
    return Progress.PARTIAL if any(state in {*_PAID, "partial"} for state in states) else Progress.NONE


def _is_for_money(bill: Row) -> bool:
    """Return whether an invoice is to be paid: a credit note is not, nor what credit notes settled."""
    settled = bill.get("payment_state") == "reversed"
    return bill.get("state") == "posted" and not settled and bill.get("move_type") != "out_refund"


# Invoices

_PAID = {"paid", "in_payment"}
_INVOICE = {"draft", "posted", "cancel"}


class MoveParts(InvoiceParts):
    """An invoice or bill of Odoo, which says whether credit notes settled it."""

    is_reversed: bool


def account_move(row: Row, site: OdooSite, *, refund: str) -> MoveParts:
    """Return what a row says of an invoice or bill; ``refund`` is the type of a credit note, whose amounts Odoo keeps
    positive.
    """
    status = _invoice_status(row)
    credit = row.get("move_type") == refund
    sign = -1 if credit else 1
    still_open = 0 if status is InvoiceStatus.VOID else row.get("amount_residual")
    return {
        **site.origin("account.move", row),
        "number": number_of(row),
        "status": status,
        "issued_on": day(row.get("invoice_date"), site.zone),
        "due_on": day(row.get("invoice_date_due"), site.zone),
        "total": money(row.get("amount_total"), row.get("currency_id"), sign=sign),
        "open_amount": money(still_open, row.get("currency_id"), sign=sign),
        "is_credit_note": credit,
        "is_reversed": row.get("state") == "posted" and row.get("payment_state") == "reversed",
        "order_number": text(row.get("invoice_origin")),
        "extra": state_of(row, _INVOICE),
    }


def invoice(row: Row, site: OdooSite) -> Invoice:
    """Return a customer invoice."""
    return Invoice(customer=name_of(row.get("partner_id")), **account_move(row, site, refund="out_refund"))


def _invoice_status(row: Row) -> InvoiceStatus:
    match row.get("state"), row.get("payment_state"):
        case "cancel", _:
            return InvoiceStatus.VOID
        case "posted", "partial":
            return InvoiceStatus.PART_PAID
        # What credit notes settled stays in its month, and they in theirs: leaving it out would take it off twice.
        case "posted", "paid" | "in_payment" | "reversed":
            return InvoiceStatus.PAID
        case "posted", "not_paid":
            return InvoiceStatus.UNPAID
        case "posted", _:
            # Blocked, or imported from before 13: only the amounts are reliable.
            total, still_open = number(row.get("amount_total")), number(row.get("amount_residual"))
            if still_open == 0:
                return InvoiceStatus.PAID
            return InvoiceStatus.UNPAID if still_open == total else InvoiceStatus.PART_PAID
        case _:
            return InvoiceStatus.DRAFT


# Purchases

KEPT = "kept_by_quantity"
"""What the bot adds to an order whose transfers have all ended, in the words of its ``receipt_status``: they may have
brought less, or what they brought went back."""
_PURCHASES = {"draft", "sent", "to approve", "purchase", "done", "cancel"}


def purchase_order(
    row: Row,
    site: OdooSite,
    *,
    lines: Iterable[Row] = (),
    products: Products = MappingProxyType({}),
    users: Mapping[int, Row] = MappingProxyType({}),
    unnamed: str = "",
) -> PurchaseOrder:
    """Return a purchase order.

    ``users`` are the users that it names, by id. ``unnamed`` is the login that decides on behalf of others, so it is
    not shown as the person who decided.
    """
    currency = row.get("currency_id")
    received = progress(row, "receipt_status")
    return PurchaseOrder(
        number=number_of(row),
        vendor=name_of(row.get("partner_id")),
        status=_purchase_status(row, received),
        approval=_approval(row, users, unnamed),
        requester=_login(row.get("create_uid"), users),
        changed_by=_login(row.get("write_uid"), users),
        buyer=name_of(row.get("user_id")),
        ordered_on=day(row.get("date_order"), site.zone),
        due_on=day(row.get("date_planned"), site.zone),
        total=money(row.get("amount_total"), currency),
        received=progress(row, KEPT) if KEPT in row else received,
        awaits_goods=received is not None and row.get(KEPT, "full") == "full",
        lines=tuple(
            PurchaseLine(
                received=number(line.get("qty_received")),
                **_line(line, products, currency, "product_qty"),
            )
            for line in lines
            if not line.get("display_type")
        ),
        version=version(row),
        people=_people(row, users),
        extra=state_of(row, _PURCHASES),
        **site.origin("purchase.order", row),
    )


def version(row: Row) -> str:
    """Return a fingerprint for decisions; it includes the total because two edits may fall in the same second."""
    parts = [row.get("state"), row.get("write_date"), str(number(row.get("amount_total"))), row.get("order_line")]
    parts += [reference(row.get(name)) for name in ("partner_id", "currency_id")]
    return fingerprint(*parts)


def _purchase_status(row: Row, received: Progress | None) -> PurchaseStatus:
    match row.get("state"):
        case "to approve":
            return PurchaseStatus.WAITING
        case "cancel":
            return PurchaseStatus.CANCELLED
        case "purchase" | "done":
            # Some companies lock orders on approval: goods still to come keep the order open.
            ended = received is Progress.FULL and is_locked(row)
            billed = received is None and (is_locked(row) or row.get("invoice_status") == "invoiced")
            return PurchaseStatus.DONE if ended or billed else PurchaseStatus.APPROVED
        case _:
            return PurchaseStatus.DRAFT


def _login(link: Any, users: Mapping[int, Row]) -> str:
    """Return the login of the user that a many2one refers to; API keys are configured by login."""
    return text(users.get(reference(link) or 0, {}).get("login"))


def _people(row: Row, users: Mapping[int, Row]) -> Mapping[str, str]:
    links = [row.get("create_uid"), row.get("write_uid")]
    return MappingProxyType({login: name_of(link) for link in links if (login := _login(link, users))})


def _approval(row: Row, users: Mapping[int, Row], unnamed: str) -> Approval | None:
    """Return the approval.

    Odoo does not record who approved: it was the last writer if they wrote at the time of approval.
    """
    by, at = _login(row.get("write_uid"), users), moment(row.get("write_date"))
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


# Production

_PRODUCTIONS = {"draft", "confirmed", "progress", "to_close", "done", "cancel"}


def production_order(row: Row, site: OdooSite, *, products: Products, orders: frozenset[str]) -> ProductionOrder:
    """Return a production order; ``orders`` are the sales orders among its origins."""
    origins = [origin for origin in origins_of(row) if origin in orders]
    ready = row.get("components_availability_state")
    return ProductionOrder(
        number=number_of(row),
        sku=line_sku(row, products),
        name=line_name({"product_id": row.get("product_id")}, products),
        unit=unit_of(row),
        planned=number(row.get("product_qty")) or Decimal(0),
        produced=number(row.get("qty_produced")),
        status=_production_status(row),
        start_on=day(start_of(row), site.zone),
        due_on=day(row.get("date_deadline"), site.zone),
        # From 17 on it is the planned end until then.
        finished_on=day(row.get("date_finished"), site.zone) if row.get("state") == "done" else None,
        material_ready=ready == "available" if ready else None,
        sales_order=", ".join(origins),
        extra=state_of(row, _PRODUCTIONS),
        **site.origin("mrp.production", row),
    )


def origins_of(row: Row) -> list[str]:
    """Return the documents that a production order names as its origin."""
    return [part.strip() for part in text(row.get("origin")).split(",") if part.strip()]


def start_of(row: Row) -> Any:
    """Return the planned start; up to 16, ``date_start`` was the actual start."""
    return row["date_planned_start"] if "date_planned_start" in row else row.get("date_start")


def _production_status(row: Row) -> ProductionStatus:
    match row.get("state"):
        case "confirmed" if row.get("reservation_state") == "assigned":
            return ProductionStatus.RELEASED
        case "progress" | "to_close":
            return ProductionStatus.RUNNING
        case "done":
            return ProductionStatus.DONE
        case "cancel":
            return ProductionStatus.CANCELLED
        case _:
            return ProductionStatus.PLANNED
