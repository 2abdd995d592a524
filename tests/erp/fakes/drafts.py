"""Documents of ERPs in which every draft waits to be agreed to by one person."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.erp.kinds import Kind
from bot.erp.model import Approval, ReviewState
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
