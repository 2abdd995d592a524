"""Maps Tryton's parties, suppliers' invoices and booked payments to the bot's records.

Parties are neither customers nor vendors: their documents tell which they are.

Docs: platform/erp/tryton.md#partners
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from bot.erp import kinds
from bot.erp.kinds import Kind
from bot.erp.model import Bill, Customer, PartnerKind, Payment, PaymentDirection, PaymentStatus, Supplier
from bot.erp.record_parts import PartnerParts
from bot.erp.tryton import documents
from bot.erp.tryton.client import Account, Domain, Row, at, some
from bot.erp.tryton.documents import ORIGIN, TrytonSite, price_of

_PARTY = (
    *("code", "name", "active", "phone", "mobile", "email", "addresses.full_address", "currency.code"),
    *ORIGIN,
)
CUSTOMER = (*_PARTY, "customer_payment_term.name", "receivable")
VENDOR = (*_PARTY, "supplier_payment_term.name", "payable")
BILL = (*(name for name in documents.INVOICE if name != "sales.number"), "purchases.number")
PAYMENT = (
    *("debit", "credit", "currency.code", "amount_second_currency", "second_currency.code", "party.name"),
    *("account.type.receivable", "move.number", "move.state", "move.date", "move.journal.name"),
    *("move.lines.party", "move.lines.account.type.receivable", "move.lines.account.type.payable", *ORIGIN),
)
SETTLED = ("invoice_payments.number", "reconciliation.lines.move.origin")
"""What a payment settles: invoices that it was entered for, and what it was reconciled with."""

_OF_SEVERAL = re.compile(r"(.*)\*([1-9][0-9]{0,8})")
_ORIGIN = re.compile(r"account\.invoice,([0-9]+)")


def customer(row: Row, site: TrytonSite) -> Customer:
    receivable = price_of(row["receivable"], at(row, "currency.code"))
    return Customer(receivable=receivable, **_party(row, site, terms="customer_payment_term.name"))


def vendor(row: Row, site: TrytonSite) -> Supplier:
    """Return a vendor; Tryton states what is owed to one as a negative amount."""
    owed = row["payable"]
    payable = price_of(None if owed is None else -owed, at(row, "currency.code"))
    return Supplier(payable=payable, **_party(row, site, terms="supplier_payment_term.name"))


def _party(row: Row, site: TrytonSite, *, terms: str) -> PartnerParts:
    return {
        **site.origin("party.party", row),
        "code": code_of(row),
        "name": row["name"] or "",
        "phone": row["phone"] or row["mobile"] or "",
        "email": row["email"] or "",
        "address": _address(row),
        "payment_terms": at(row, terms) or "",
        "is_active": bool(row["active"]),
    }


def code_of(row: Row) -> str:
    """Return a party's code, which Tryton always gives."""
    return row["code"] or ""


def _address(row: Row) -> str:
    first = next(iter(some(row, "addresses")), None)
    lines = (first["full_address"] or "").splitlines() if first else ()
    return ", ".join(line.strip() for line in lines if line.strip())


def bill(row: Row, site: TrytonSite) -> Bill:
    """Return a supplier's invoice."""
    return Bill(
        vendor=at(row, "party.name") or "",
        reference=row["reference"] or "",
        **documents.invoice_parts(row, site, "purchases"),
    )


NO_INVOICES: Mapping[int, str] = MappingProxyType({})


def payment(row: Row, site: TrytonSite, *, settled: bool, invoices: Mapping[int, str] = NO_INVOICES) -> Payment:
    """Return the partner's line of a booked payment; ``invoices`` are numbers by id.

    A line has debit or credit; one of them may be negative instead.
    """
    spent = row["debit"] - row["credit"]
    origin, foreign = site.origin("account.move.line", row), at(row, "second_currency.code")
    origin["url"] = site.link("account.move", row["move."])
    amount = row["amount_second_currency"] if foreign else spent
    return Payment(
        number=payment_number(row),
        partner=at(row, "party.name") or "",
        partner_kind=PartnerKind.CUSTOMER if at(row, "account.type.receivable") else PartnerKind.VENDOR,
        direction=PaymentDirection.SPENT if spent > 0 else PaymentDirection.RECEIVED,
        status=PaymentStatus.BOOKED if at(row, "move.state") == "posted" else PaymentStatus.DRAFT,
        paid_on=at(row, "move.date"),
        amount=price_of(None if amount is None else abs(amount), foreign or at(row, "currency.code")),
        method=at(row, "move.journal.name") or "",
        settles=_settled(row, invoices) if settled else (),
        **origin,
    )


def payment_number(row: Row) -> str:
    """Return the number of a payment's move; with the line's id behind it if the move pays several partners.

    Without a number, it is the line's id as Tryton's client shows it: ``(12)``.
    """
    number = at(row, "move.number")
    if not number:
        return f"({row['id']})"
    return number if sum(map(_is_partners, some(row["move."], "lines"))) == 1 else f"{number}*{row['id']}"


def payment_numbers(move: Row) -> Iterator[str]:
    """Return the numbers of all payments of a move, as `payment_number` does."""
    number, lines = move["number"], list(filter(_is_partners, some(move, "lines")))
    for line in lines:
        yield f"({line['id']})" if not number else number if len(lines) == 1 else f"{number}*{line['id']}"


def line_of_several(text: str) -> tuple[str, int] | None:
    """Return the move's number and the line's id if ``text`` names a line of several, such as ``11*30``."""
    named = _OF_SEVERAL.fullmatch(text)
    return (named[1], int(named[2])) if named else None


def _is_partners(line: Row) -> bool:
    owed = at(line, "account.type.receivable") or at(line, "account.type.payable")
    return line["party"] is not None and bool(owed)


def reconciled_invoices(row: Row) -> set[int]:
    """Return the ids of the invoices that a payment was reconciled with."""
    lines = some(row["reconciliation."], "lines") if row["reconciliation."] else ()
    origins = (_ORIGIN.fullmatch(str(at(line, "move.origin"))) for line in lines)
    return {int(origin[1]) for origin in origins if origin}


def _settled(row: Row, invoices: Mapping[int, str]) -> tuple[str, ...]:
    entered = (number for invoice in some(row, "invoice_payments") if (number := invoice["number"]))
    reconciled = (invoices[key] for key in sorted(reconciled_invoices(row)) if key in invoices)
    return tuple(dict.fromkeys((*entered, *reconciled)))


def numbers_by_id(rows: Iterable[Row]) -> dict[int, str]:
    """Return the numbers of invoices by their ids."""
    found: dict[int, Any] = {row["id"]: row["number"] for row in rows}
    return {key: number for key, number in found.items() if number}


# Which parties are customers and which are vendors

_LEDGER = "account.general_ledger.account.party"


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the company's business: the kind of its accounts, the model of its orders, the type of invoices."""

    account: str
    order: str
    invoice: str

    @property
    def accounts(self) -> Domain:
        """The conditions for its accounts in the ledger."""
        return [[f"account.type.{self.account}", "=", True], ["party", "!=", None]]

    @property
    def invoices(self) -> Domain:
        """The conditions for its invoices."""
        return [["type", "=", self.invoice]]


SIDES: Mapping[Kind[Any], Side] = {
    kinds.CUSTOMERS: Side("receivable", "sale.sale", "out"),
    kinds.VENDORS: Side("payable", "purchase.purchase", "in"),
}


async def is_on(account: Account, side: Side, party: int) -> bool:
    """Return whether there is anything of a party on this side."""
    its: Domain = [["party", "=", party]]
    found = await asyncio.gather(
        account.search(_LEDGER, [*side.accounts, *its], ("party",), limit=1),
        account.search(side.order, its, ("party",), limit=1),
        account.search("account.invoice", [*side.invoices, *its], ("party",), limit=1),
    )
    return any(found)


async def read_parties(account: Account, side: Side) -> list[int]:
    """Return the ids of the parties on this side: those in the ledger, and those with documents that are not booked."""
    booked = {row["party"] for row in await account.search(_LEDGER, side.accounts, ("party",))}
    others = await asyncio.gather(
        account.distinct(side.order, [], "party", booked),
        account.distinct("account.invoice", side.invoices, "party", booked),
    )
    return sorted(booked.union(*others))
