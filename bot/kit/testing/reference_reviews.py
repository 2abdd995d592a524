"""What waits in the reference company besides purchase orders: documents of the kinds that its ERP lets decide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple

from bot.erp.kinds import BILLS, QUOTATIONS, SALES_ORDERS, Kind
from bot.erp.kinds.quotations import QuotationStatus
from bot.erp.model import InvoiceStatus, OrderStatus, Progress, ReviewState
from bot.kit.testing.reference_records import Numbering, change_times, review_in

_BEYOND = 40
"""How far the ids of documents that wait lie above those that they are copied from."""


class _Statuses(NamedTuple):
    """What a document is while its approval is open, after it, and once it is cancelled."""

    draft: StrEnum
    agreed: StrEnum
    cancelled: StrEnum


_STATUSES: Mapping[Kind[Any], _Statuses] = MappingProxyType(
    {
        SALES_ORDERS: _Statuses(OrderStatus.DRAFT, OrderStatus.OPEN, OrderStatus.CANCELLED),
        BILLS: _Statuses(InvoiceStatus.DRAFT, InvoiceStatus.UNPAID, InvoiceStatus.VOID),
        QUOTATIONS: _Statuses(QuotationStatus.DRAFT, QuotationStatus.SENT, QuotationStatus.CANCELLED),
    }
)
_WAITING = (
    *[(ReviewState.WAITING, 1, 1)] * 5,
    *[(ReviewState.WAITING, 1, 2)] * 2,
    *[(ReviewState.WAITING, 2, 2), (ReviewState.REJECTED, 1, 1)],
)
"""State, level and levels of what is added to documents of a kind."""


def status_in(kind: Kind[Any], state: ReviewState) -> dict[str, Any]:
    """Return the status of a document in a state of its approval, as a field; none where that state is its status."""
    if kind not in _STATUSES:
        return {}
    draft, agreed, cancelled = _STATUSES[kind]
    return {"status": {ReviewState.APPROVED: agreed, ReviewState.CANCELLED: cancelled}.get(state, draft)}


def reviewed(kind: Kind[Any], documents: Iterable[Any], today: date, number: Numbering) -> Iterator[Any]:
    """Yield documents with their reviews, and nine more: five wait for one approval, three for two, one was rejected.

    Of those that wait for two, the last has the first. Those that were drafts were never submitted.
    """
    known = list(documents)
    for document in known:
        yield replace(document, review=review_in(_state(kind, document), 1, 1, document.changed_at))
    origins = islice((each for each in known if each.total.amount > 0), len(_WAITING))
    times = change_times(today - timedelta(days=2))
    for n, (origin, (state, level, levels)) in enumerate(zip(origins, _WAITING, strict=True)):
        changed_at = next(times)
        yield replace(
            origin,
            id=str(int(origin.id) + _BEYOND),
            number=number(_PREFIXES[kind], 1101 + n),
            changed_at=changed_at,
            review=review_in(state, level, levels, changed_at),
            **status_in(kind, state),
            **_undone(kind, origin),
        )


_PREFIXES: Mapping[Kind[Any], str] = MappingProxyType({SALES_ORDERS: "SO", BILLS: "BILL", QUOTATIONS: "QT"})


def _undone(kind: Kind[Any], origin: Any) -> dict[str, Any]:
    """Return as fields that nothing of a document is done yet."""
    if kind == BILLS:
        return {"open_amount": origin.total, "order_number": ""}
    if kind == QUOTATIONS:
        return {"order_number": ""}
    lines = tuple(
        replace(line, delivered=_none(line.delivered), invoiced=_none(line.invoiced)) for line in origin.lines
    )
    return {**dict.fromkeys(("delivery", "billing", "payment"), Progress.NONE), "lines": lines}


def _none(done: Decimal | None) -> Decimal | None:
    return None if done is None else Decimal(0)


def _state(kind: Kind[Any], document: Any) -> ReviewState:
    draft, _, cancelled = _STATUSES[kind]
    if document.status is draft:
        return ReviewState.DRAFT
    return ReviewState.CANCELLED if document.status is cancelled else ReviewState.APPROVED
