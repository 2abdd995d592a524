"""Payments: money that came from customers or went to vendors, and what was paid back."""

from __future__ import annotations

from operator import attrgetter

from bot.erp.capabilities import Capability
from bot.erp.kinds.kind import DocumentAmounts, Kind, KindWords, NamedList
from bot.erp.kinds.rules import DOCUMENT_RULES
from bot.erp.list_query import Filter
from bot.erp.model import Area, Feed, PartnerKind, Payment, PaymentDirection, PaymentStatus
from bot.erp.validation_rules import days, missing_name, money, paid_amount
from bot.words.disclosure import FieldClass
from bot.words.phrase import phrase

_paid_on = attrgetter("paid_on")


def _area_of(payment: Payment) -> Area:
    return Area.PURCHASING if payment.partner_kind is PartnerKind.VENDOR else Area.FINANCE


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
)
