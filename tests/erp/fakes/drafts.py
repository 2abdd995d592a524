"""Documents of ERPs in which every draft waits to be agreed to by one person, or what is refused is cancelled."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from bot.erp.kinds import Kind
from bot.erp.model import Approval, Bill, InvoiceStatus, OrderStatus, Review, ReviewState, SalesOrder
from bot.kit.testing.company import ReferenceCompany
from bot.kit.testing.reference_records import deciders
from tests.bare_records import with_review

_ONE = Approval(pending_for=deciders(1))


def let_drafts_wait(company: ReferenceCompany, kind: Kind[Any], *states: ReviewState) -> None:
    """Let documents of a kind in one of the states wait, and all have one level; nothing where none has a review."""
    kept = company.documents(kind)
    kept.update({number: _with_one_level(document, states) for number, document in kept.items() if document.review})


def _with_one_level(document: Any, states: tuple[ReviewState, ...]) -> Any:
    review = document.review
    if review.state in {ReviewState.WAITING, *states}:
        return with_review(document, state=ReviewState.WAITING, approval=_ONE)
    return with_review(document, approval=review.approval and replace(review.approval, level=1, levels=1))


def cancelled(record: Any) -> Any:
    """Return a document that is cancelled if it was refused."""
    review: Review | None = getattr(record, "review", None)
    if review is None or review.state is not ReviewState.REJECTED:
        return record
    if isinstance(record, Bill):
        nothing = record.open_amount and replace(record.open_amount, amount=Decimal(0))
        return replace(record, status=InvoiceStatus.VOID, open_amount=nothing)
    return replace(record, status=OrderStatus.CANCELLED) if isinstance(record, SalesOrder) else record
