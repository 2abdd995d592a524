"""Payments: money that came from customers or went to vendors, and what was paid back."""

from __future__ import annotations

from operator import attrgetter

from bot.erp.capabilities import Capability
from bot.erp.kinds.cards import CUSTOMER, VENDOR, DocumentCards, Lead, State
from bot.erp.kinds.kind import DocumentAmounts, Kind, KindWords, NamedList
from bot.erp.kinds.rules import DOCUMENT_RULES
from bot.erp.list_query import Filter
from bot.erp.model import Area, Feed, PartnerKind, Payment, PaymentDirection, PaymentStatus
from bot.erp.validation_rules import days, missing_name, money, paid_amount
from bot.words.columns import Column
from bot.words.disclosure import FieldClass
from bot.words.phrase import Phrase, phrase

_paid_on = attrgetter("paid_on")


def _is_of_vendor(payment: Payment) -> bool:
    return payment.partner_kind is PartnerKind.VENDOR


def _area_of(payment: Payment) -> Area:
    return Area.PURCHASING if _is_of_vendor(payment) else Area.FINANCE


def _is_received(payment: Payment) -> bool:
    return payment.direction is PaymentDirection.RECEIVED


def _title(payment: Payment) -> Phrase:
    if _is_received(payment):
        return phrase("Receipt %(number)s", number=payment.number)
    return phrase("Payment %(number)s", number=payment.number)


PAYMENTS: Kind[Payment] = Kind(
    record=Payment,
    command="payment",
    words=KindWords(many=phrase("Payments")),
    areas=(Area.FINANCE, Area.PURCHASING),
    area_of=_area_of,
    capability=Capability.PAYMENTS,
    feed=Feed.PAYMENTS,
    reads=("payment", "payments"),
    texts=attrgetter("number", "partner"),
    partner=attrgetter("partner"),
    day=_paid_on,
    filters={
        Filter.RECEIVED: NamedList(lambda payment, today: payment.direction is PaymentDirection.RECEIVED, _paid_on),
        Filter.SPENT: NamedList(lambda payment, today: payment.direction is PaymentDirection.SPENT, _paid_on),
    },
    counts=lambda payment: payment.status is PaymentStatus.BOOKED,
    amounts=DocumentAmounts(attrgetter("amount"), frozenset({FieldClass.AMOUNT, FieldClass.COST})),
    inside="settles",
    rules=(*DOCUMENT_RULES, missing_name("partner"), days("paid_on"), money("amount"), paid_amount),
    cards=DocumentCards(
        title=_title,
        partner=lambda payment: VENDOR if _is_of_vendor(payment) else CUSTOMER,
        newest=phrase("Newest receipts and payments"),
        several=phrase("Receipts and payments"),
        opens=(
            Lead("invoice", lambda payment: () if _is_of_vendor(payment) else payment.settles),
            Lead("bill", lambda payment: payment.settles if _is_of_vendor(payment) else ()),
        ),
        others=phrase("This partner's payments"),
        about=(
            Lead("customer", lambda payment: () if _is_of_vendor(payment) else (payment.partner,)),
            Lead("vendor", lambda payment: (payment.partner,) if _is_of_vendor(payment) else ()),
        ),
        lists={Filter.RECEIVED: phrase("Receipts"), Filter.SPENT: phrase("Payments made")},
        columns=(
            Column(phrase("Number"), "number"),
            Column(phrase("Partner"), "partner"),
            Column(phrase("Kind"), "direction"),
            Column(phrase("Status"), "status"),
            Column(phrase("Day"), "paid_on"),
            Column(phrase("Amount"), "amount"),
            Column(phrase("Method"), "method"),
        ),
        facts=(
            Column(phrase("Amount"), "amount", bold=True),
            Column(phrase("Received on"), lambda payment: payment.paid_on if _is_received(payment) else None),
            Column(phrase("Paid on"), lambda payment: None if _is_received(payment) else payment.paid_on),
            Column(phrase("Paid by"), "method"),
            Column(phrase("Settles"), "settles"),
        ),
        states=(
            State(PaymentStatus.DRAFT, phrase("Draft")),
            State(PaymentStatus.BOOKED, phrase("Booked"), "green"),
            State(PaymentStatus.CANCELLED, phrase("Cancelled")),
            State(PaymentDirection.RECEIVED, phrase("Receipt"), "green"),
            State(PaymentDirection.SPENT, phrase("Payment"), "blue"),
        ),
    ),
)
