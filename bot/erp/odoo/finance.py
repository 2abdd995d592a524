"""Invoices, bills and payments (docs: platform/erp/odoo.md#areas)."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from bot.erp.errors import NotPermitted
from bot.erp.model import Bill, Invoice, InvoiceStatus, PartnerKind, Payment, PaymentDirection, PaymentStatus
from bot.erp.odoo.mapping import OdooSite, Row, day, money, name_of, number, number_of, state_of
from bot.erp.odoo.query import Condition, OdooTerms, any_of
from bot.erp.odoo.reads import Linked, OdooPlan
from bot.erp.plans.plan import NamedRows
from bot.erp.port import Filter
from bot.erp.record_parts import ReversibleParts
from bot.erp.values import text

PAID = {"paid", "in_payment"}
_INVOICE = {"draft", "posted", "cancel"}


def account_move(row: Row, site: OdooSite, *, refund: str) -> ReversibleParts:
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


def bill(row: Row, site: OdooSite) -> Bill:
    """Return a vendor's bill; Odoo's amounts of a refund are positive."""
    return Bill(
        vendor=name_of(row.get("partner_id")),
        reference=text(row.get("ref")),
        **account_move(row, site, refund="in_refund"),
    )


_UNSETTLED: Condition = [
    ["state", "=", "posted"],
    ["payment_state", "not in", ["paid", "in_payment", "reversed"]],
    # Of blocked and imported invoices only the amounts are reliable.
    *any_of(["payment_state", "in", ["not_paid", "partial"]], ["amount_residual", "!=", 0]),
]


def _unpaid(move_type: str) -> Callable[[OdooTerms], Condition]:
    """Return the condition that an invoice or bill was due before today, and something of it is not paid."""
    return lambda terms: [
        ["move_type", "=", move_type],
        *_UNSETTLED,
        ["amount_residual", ">", 0],
        ["invoice_date_due", "<", terms.start.day],
    ]


def _account_moves(build: Callable[[Row, OdooSite], Any], invoice: str, refund: str, *more: str) -> OdooPlan:
    """Return the plan of invoices or bills; ``more`` are fields that are searched as well."""
    return OdooPlan(
        model="account.move",
        fields=(
            "name", "move_type", "state", "payment_state", "partner_id", "amount_total", "amount_residual",
            "currency_id", "invoice_date", "invoice_date_due", "invoice_origin", "write_date", *more,
        ),
        days=("invoice_date",),
        due="invoice_date_due",
        texts=("name", "partner_id.name", "partner_id.parent_id.name", *more),
        where=lambda _: [["move_type", "in", [invoice, refund]]],
        lists={
            Filter.OPEN: NamedRows("invoice_date_due", lambda _: _UNSETTLED),
            Filter.OVERDUE: NamedRows("invoice_date_due", _unpaid(invoice)),
        },
        build=build,
    )  # fmt: skip


INVOICES = _account_moves(invoice, "out_invoice", "out_refund")
BILLS = _account_moves(bill, "in_invoice", "in_refund", "ref")

# Payments

# "in_process" and "paid" are from 18 on; before, all that is booked is posted.
_PAYMENT = {
    "draft": PaymentStatus.DRAFT,
    "posted": PaymentStatus.BOOKED,
    "in_process": PaymentStatus.BOOKED,
    "paid": PaymentStatus.BOOKED,
    "cancel": PaymentStatus.CANCELLED,
    "canceled": PaymentStatus.CANCELLED,
    "rejected": PaymentStatus.CANCELLED,
}


def payment(row: Row, site: OdooSite) -> Payment:
    state = text(row.get("state"))
    inbound = row.get("payment_type") == "inbound"
    return Payment(
        number=number_of(row),
        partner=name_of(row.get("partner_id")),
        partner_kind=PartnerKind.VENDOR if row.get("partner_type") == "supplier" else PartnerKind.CUSTOMER,
        direction=PaymentDirection.RECEIVED if inbound else PaymentDirection.SPENT,
        status=_PAYMENT.get(state, PaymentStatus.DRAFT),
        paid_on=day(row.get("date"), site.zone),
        amount=money(row.get("amount"), row.get("currency_id")),
        method=name_of(row.get("journal_id")),
        settles=tuple(map(number_of, (row.get("settled") or {}).values())),
        extra=MappingProxyType({} if state in _PAYMENT else {"state": state}),
        **site.origin("account.payment", row),
    )


_OF_PARTNERS: Condition = [["partner_id", "!=", False]]
PAYMENTS = OdooPlan(
    model="account.payment",
    fields=(
        "name", "state", "partner_id", "partner_type", "payment_type", "date", "amount", "currency_id", "journal_id",
        "reconciled_invoice_ids", "reconciled_bill_ids", "write_date",
    ),
    days=("date",),
    texts=("name", "partner_id.name", "partner_id.parent_id.name"),
    where=lambda terms: [*_OF_PARTNERS, *([name, "=", False] for name in terms.known(("is_internal_transfer",)))],
    followed=lambda _: _OF_PARTNERS,
    lists={
        Filter.RECEIVED: NamedRows("date", lambda _: [["payment_type", "=", "inbound"]]),
        Filter.SPENT: NamedRows("date", lambda _: [["payment_type", "!=", "inbound"]]),
    },
    joins=(
        Linked(
            into="settled",
            by=("reconciled_invoice_ids", "reconciled_bill_ids"),
            model="account.move",
            fields=("name",),
            with_lines=True,
            closed=(NotPermitted,),
        ),
    ),
    build=payment,
)  # fmt: skip
