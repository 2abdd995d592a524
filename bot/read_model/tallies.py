"""Daily tallies of the documents, stored beside them, so that a report reads only a few hundred rows.

Amounts are `Decimal`, so that what a changed document contributed can be subtracted exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from bot.erp.counting import counts, signed
from bot.erp.kinds import PRODUCTION_ORDERS, kind_of
from bot.erp.model import (
    ErpRecord,
    Followed,
    InvoiceRecord,
    PartnerKind,
    Payment,
    PaymentDirection,
    ProductionOrder,
    ProductionStatus,
    PurchaseOrder,
    ReviewState,
)

_ONE_DAY = timedelta(days=1)


class TallyKind(StrEnum):
    """The meaning of a tally's day."""

    TURNOVER = "turnover"
    """The day of the document: deals of that day."""
    COMPLETION = "completion"
    """The due day of production, done or not."""
    DUE = "due"
    """The due day of open documents: they are late from the next day on."""
    RECEIPTS = "receipts"
    """The day of customers' payments, minus refunds."""
    PAYMENTS = "payments"
    """The day of payments to vendors, minus refunds."""


_PAID = {PartnerKind.CUSTOMER: TallyKind.RECEIPTS, PartnerKind.VENDOR: TallyKind.PAYMENTS}
_USUAL = {PartnerKind.CUSTOMER: PaymentDirection.RECEIVED, PartnerKind.VENDOR: PaymentDirection.SPENT}
"""The direction of payments that are not refunds."""


class TallyKey(NamedTuple):
    """A day and its meaning; None: documents without a day."""

    kind: TallyKind
    day: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TallySelection:
    """Selects the daily tallies of an area from ``since`` to ``until``, both included.

    Without both ends, those of documents without a day match too.
    """

    area: Followed
    kind: TallyKind
    since: date | None = None
    until: date | None = None
    sources: frozenset[str] = frozenset()

    def fits(self, key: TallyKey) -> bool:
        """Return whether a tally belongs to it."""
        if key.kind is not self.kind:
            return False
        if self.since is None and self.until is None:
            return True
        return key.day is not None and (self.since or date.min) <= key.day <= (self.until or date.max)


@dataclass(slots=True)
class Tally:
    """The contribution of some documents of one area; amounts by currency.

    For deals: those ``without_amount``, their ``sums`` and how much of it is ``paid``; for production the number of
    ``done`` orders. For open documents: ``late`` counts those late once the day has passed and ``sums`` what is overdue
    then, ``waiting`` counts those waiting for approval, ``owed`` is the full amount to pay. For payments: their
    ``sums``.
    """

    count: int = 0
    done: int = 0
    without_amount: int = 0
    late: int = 0
    waiting: int = 0
    sums: dict[str, Decimal] = field(default_factory=dict)
    paid: dict[str, Decimal] = field(default_factory=dict)
    owed: dict[str, Decimal] = field(default_factory=dict)

    def add(self, other: Tally, times: int = 1) -> None:
        """Add ``other``; -1 ``times`` to subtract it."""
        self.count += times * other.count
        self.done += times * other.done
        self.without_amount += times * other.without_amount
        self.late += times * other.late
        self.waiting += times * other.waiting
        for mine, theirs in ((self.sums, other.sums), (self.paid, other.paid), (self.owed, other.owed)):
            for currency, amount in theirs.items():
                mine[currency] = mine.get(currency, Decimal()) + times * amount


Tallies = Mapping[date | None, Tally]
"""Day → its tally."""


def tally_documents(documents: Iterable[ErpRecord]) -> dict[TallyKey, Tally]:
    """Return the tallies of some documents of one area."""
    found: dict[TallyKey, Tally] = {}
    for document in documents:
        for key, tally in _counted(document):
            found.setdefault(key, Tally()).add(tally)
    return found


def _counted(document: ErpRecord) -> Iterator[tuple[TallyKey, Tally]]:
    kind = kind_of(document)
    if isinstance(document, Payment):
        if counts(document) and document.paid_on is not None:
            yield TallyKey(_PAID[document.partner_kind], document.paid_on), _paid(document)
        return
    if kind != PRODUCTION_ORDERS and not kind.amounts.classes:
        return
    due = kind.due(document)
    is_made = isinstance(document, ProductionOrder)
    day = due if is_made else kind.day(document)
    if counts(document) and day is not None:
        yield TallyKey(TallyKind.COMPLETION if is_made else TallyKind.TURNOVER, day), _turnover(document)
    if kind.is_unfinished(document):
        yield TallyKey(TallyKind.DUE, due), _open(document, due)


def _paid(payment: Payment) -> Tally:
    if payment.amount is None:
        return Tally(count=1, without_amount=1)
    amount = abs(payment.amount.amount)
    is_refund = payment.direction is not _USUAL[payment.partner_kind]
    return Tally(count=1, sums={payment.amount.currency: -amount if is_refund else amount})


def _turnover(document: ErpRecord) -> Tally:
    if isinstance(document, ProductionOrder):
        return Tally(count=1, done=int(document.status is ProductionStatus.DONE))
    total = signed(document, kind_of(document).amounts.total(document))
    if total is None:
        return Tally(count=1, without_amount=1)
    tally = Tally(count=1, sums={total.currency: total.amount})
    # Credit notes are set off against invoices: neither need involve a payment.
    if isinstance(document, InvoiceRecord) and not document.is_credit_note and not document.is_reversed:
        left = document.open_amount
        if left is not None:
            tally.paid[total.currency] = total.amount - left.amount
    return tally


def _open(document: ErpRecord, due: date | None) -> Tally:
    late = int(due is not None and due < date.max and kind_of(document).days_late(document, due + _ONE_DAY) > 0)
    if not isinstance(document, InvoiceRecord):
        is_waiting = isinstance(document, PurchaseOrder) and document.status is ReviewState.WAITING
        return Tally(count=1, late=late, waiting=int(is_waiting))
    tally = Tally(count=1, late=late)
    left = signed(document, document.open_amount)
    if left is not None and counts(document):
        tally.owed[left.currency] = left.amount
        if late:
            tally.sums[left.currency] = left.amount
    return tally
