"""The reference company's partners and payments as Tryton's parties and lines of moves.

A party is neither customer nor vendor: the ledger tells on whose accounts there is something of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from bot.erp.model import Bill, Customer, Invoice, PartnerKind, Payment, PaymentDirection, PaymentStatus, Supplier
from bot.kit.testing.company import ReferenceCompany
from tests.erp.fakes.tryton_query import Record

_OWN = "CNY"
_RATE = Decimal("7.1")
_RECEIVABLE: Record = {"id": 81, "type": {"id": 71, "receivable": True, "payable": False}}
_PAYABLE: Record = {"id": 82, "type": {"id": 72, "receivable": False, "payable": True}}
_BANK: Record = {"id": 83, "type": {"id": 73, "receivable": False, "payable": False}}


def parties(company: ReferenceCompany) -> list[Record]:
    """Return all partners, and one that the company never dealt with."""
    partners: tuple[Customer | Supplier, ...] = (*company.customers.values(), *company.vendors.values())
    return [*map(_party, partners), _party(Customer(id="9999", code="P-1", name="Acme Stranger")) | {"receivable": 0}]


def _party(partner: Customer | Supplier) -> Record:
    own = partner.receivable if isinstance(partner, Customer) else partner.payable
    amount = own.amount if own else Decimal(0)
    term = {"id": 1, "name": partner.payment_terms} if partner.payment_terms else None
    address = {"id": int(partner.id), "full_address": partner.address.replace(", ", "\n")}
    return {
        "id": int(partner.id),
        "code": partner.code,
        "name": partner.name,
        "active": partner.is_active,
        "phone": "" if int(partner.id) % 2 else partner.phone,
        "mobile": partner.phone,
        "email": partner.email,
        "addresses": [address] if partner.address else [],
        "customer_payment_term": term if isinstance(partner, Customer) else None,
        "supplier_payment_term": term if isinstance(partner, Supplier) else None,
        "receivable": amount if isinstance(partner, Customer) else Decimal(0),
        # What the company owes is a balance on the other side.
        "payable": -amount if isinstance(partner, Supplier) else Decimal(0),
        "currency": {"id": 1, "code": own.currency if own else _OWN},
        "last_modified_at": partner.changed_at,
    }


def customer_of(company: ReferenceCompany, name: str) -> Record:
    """Return the party of a document for a customer."""
    return next((_party(each) for each in company.customers.values() if each.name == name), {"id": 1, "name": name})


def vendor_of(company: ReferenceCompany, name: str) -> Record:
    """Return the party of a document by a vendor."""
    return next((_party(each) for each in company.vendors.values() if each.name == name), {"id": 1, "name": name})


def ledger(company: ReferenceCompany) -> Iterator[Record]:
    """Yield each party on the accounts where there is something of it; the first ones have orders alone so far."""
    customers, vendors = list(company.customers.values())[2:], list(company.vendors.values())[2:]
    of_accounts: tuple[tuple[Record, Sequence[Customer | Supplier]], ...] = (
        (_RECEIVABLE, customers),
        (_PAYABLE, vendors),
    )
    for account, partners in of_accounts:
        for partner in partners:
            yield {"id": int(partner.id), "account": account, "party": _party(partner)}
            yield {"id": int(partner.id) + 10_000, "account": _BANK, "party": _party(partner)}


def payment_lines(company: ReferenceCompany) -> Iterator[Record]:
    """Yield the partners' lines of payments, and lines that are none; every third was reconciled by hand."""
    documents: tuple[Invoice | Bill, ...] = (*company.invoices.values(), *company.bills.values())
    known = {document.number: document for document in documents}
    for n, payment in enumerate(company.payments.values()):
        if payment.status is PaymentStatus.CANCELLED:
            continue
        settled = [known[number] for number in payment.settles]
        line = _line(company, payment)
        line |= _by_hand(settled) if n % 3 == 0 else _entered(settled)
        yield line
        invoiced = line["move"] | {"journal": {"id": 2, "type": "revenue", "name": "Revenue"}}
        yield line | {"id": line["id"] + 20_000, "move": invoiced}
        yield line | {"id": line["id"] + 30_000, "party": None, "account": _BANK}


def payment_moves(company: ReferenceCompany) -> Iterator[Record]:
    """Yield the moves of payments, which change with their lines."""
    for payment in company.payments.values():
        if payment.status is not PaymentStatus.CANCELLED:
            line = _line(company, payment)
            yield line["move"] | {"last_modified_at": line["last_modified_at"]}


def _line(company: ReferenceCompany, payment: Payment) -> Record:
    assert payment.amount is not None
    vendor = payment.partner_kind is PartnerKind.VENDOR
    account = _PAYABLE if vendor else _RECEIVABLE
    party = (vendor_of if vendor else customer_of)(company, payment.partner)
    foreign = payment.amount.currency != _OWN
    own = payment.amount.amount * _RATE if foreign else payment.amount.amount
    spent = payment.direction is PaymentDirection.SPENT
    signed = payment.amount.amount if spent else -payment.amount.amount
    number = int(payment.id)
    both = [
        {"id": number, "party": party, "account": account},
        {"id": number + 30_000, "party": None, "account": _BANK},
    ]
    return {
        "id": number,
        "debit": own if spent else Decimal(0),
        "credit": Decimal(0) if spent else own,
        "currency": {"id": 1, "code": _OWN},
        "amount_second_currency": signed if foreign else None,
        "second_currency": {"id": 2, "code": payment.amount.currency} if foreign else None,
        "party": party,
        "account": account,
        "move": {
            "id": number,
            "number": payment.number,
            "state": "draft" if payment.status is PaymentStatus.DRAFT else "posted",
            "date": payment.paid_on,
            "journal": {"id": 1, "type": "cash", "name": payment.method},
            "lines": both,
            "origin": None,
        },
        "last_modified_at": payment.changed_at,
    }


def _entered(settled: list[Invoice | Bill]) -> Record:
    """Return what a payment entered for its invoices has."""
    return {
        "invoice_payments": [{"id": int(each.id), "number": each.number} for each in settled],
        "reconciliation": None,
    }


def _by_hand(settled: list[Invoice | Bill]) -> Record:
    """Return what a payment has that somebody reconciled with invoices, and with a move that is none."""
    origins = [None, "sale.sale,7", *(f"account.invoice,{each.id}" for each in settled)]
    lines = [{"id": n, "move": {"id": n, "origin": origin}} for n, origin in enumerate(origins)]
    return {"invoice_payments": [], "reconciliation": {"id": 1, "lines": lines}}
