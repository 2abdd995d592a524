"""Deciding step by step: the result is what the ERP shows afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.erp.deciding import decide, outcome_of
from bot.erp.errors import Conflict, ErpError, Invalid, NotFound, NotPermitted, Unavailable, UnknownOutcome
from bot.erp.model import Approval, Decision, DecisionOutcome, PurchaseOrder, ReviewState, Verdict
from tests.bare_records import bare, with_review
from tests.rows import each_row

P = ReviewState
WAITING = bare(PurchaseOrder, "PO-1", approval=Approval(pending_for=("anna", "carla")))
SECOND = Approval(pending_for=("boris",), level=2, levels=2, decided_by="anna")
APPROVE = Decision(number="PO-1", version="1", verdict=Verdict.APPROVE, by="anna")


def order(status: ReviewState = P.WAITING, version: str = "2", **approval: Any) -> PurchaseOrder:
    return with_review(WAITING, state=status, version=version, approval=Approval(**approval))


class Erp:
    """Reads return ``before`` until the first write, then ``after``."""

    def __init__(self, before: PurchaseOrder, after: PurchaseOrder | ErpError, answer: str | ErpError | None) -> None:
        self.shown: PurchaseOrder | ErpError = before
        self.after = after
        self.answer = answer
        self.writes = 0

    async def read(self, number: str) -> PurchaseOrder:
        if isinstance(self.shown, ErpError):
            raise self.shown
        return self.shown

    async def write(self, order: PurchaseOrder, decision: Decision) -> str | None:
        self.writes += 1
        self.shown = self.after
        if isinstance(self.answer, ErpError):
            raise self.answer
        return self.answer


DONE = order(P.APPROVED, decided_by="anna")
REJECTED_BY_CARLA = order(P.REJECTED, decided_by="carla")
LOST = UnknownOutcome("no answer in time")


@each_row(
    ("after", "answer", "outcome", "text"),
    [
        (DONE, "ok", DecisionOutcome.APPLIED, "ok"),
        (DONE, None, DecisionOutcome.APPLIED, ""),
        (DONE, LOST, DecisionOutcome.APPLIED, "no answer in time"),
        (order(P.DONE), "ok", DecisionOutcome.APPLIED, "ok"),
        (
            with_review(WAITING, version="2", approval=SECOND),
            "ok",
            DecisionOutcome.MORE_APPROVALS_NEEDED,
            "ok",
        ),
        (
            with_review(WAITING, version="2", approval=SECOND),
            LOST,
            DecisionOutcome.MORE_APPROVALS_NEEDED,
            "no answer in time",
        ),
        (WAITING, "ok", DecisionOutcome.NOT_PERMITTED, "ok"),
        (WAITING, LOST, DecisionOutcome.UNKNOWN, "no answer in time"),
        (Unavailable("down"), "ok", DecisionOutcome.UNKNOWN, "ok"),
        (Unavailable("down"), LOST, DecisionOutcome.UNKNOWN, "no answer in time"),
        (order(), LOST, DecisionOutcome.CHANGED_SINCE_SHOWN, "no answer in time"),
        (REJECTED_BY_CARLA, LOST, DecisionOutcome.ALREADY_DECIDED, "no answer in time"),
        (order(P.APPROVED, decided_by="carla"), LOST, DecisionOutcome.ALREADY_DECIDED, "no answer in time"),
        (WAITING, NotPermitted("no"), DecisionOutcome.NOT_PERMITTED, "no"),
        (REJECTED_BY_CARLA, NotPermitted("no"), DecisionOutcome.ALREADY_DECIDED, "no"),
        (REJECTED_BY_CARLA, Conflict("late"), DecisionOutcome.ALREADY_DECIDED, "late"),
        (REJECTED_BY_CARLA, Invalid("state"), DecisionOutcome.ALREADY_DECIDED, "state"),
        (WAITING, Conflict("busy"), DecisionOutcome.CHANGED_SINCE_SHOWN, "busy"),
        (order(), Invalid("state"), DecisionOutcome.CHANGED_SINCE_SHOWN, "state"),
        (Unavailable("down"), NotPermitted("no"), DecisionOutcome.NOT_PERMITTED, "no"),
    ],
)
async def test_after_the_write(
    after: PurchaseOrder | ErpError, answer: str | ErpError | None, outcome: DecisionOutcome, text: str
) -> None:
    erp = Erp(WAITING, after, answer)
    result = await decide(APPROVE, read=erp.read, write=erp.write)
    assert (result.outcome, result.text, erp.writes) == (outcome, text, 1)
    if isinstance(after, PurchaseOrder):
        assert result.document == after
    else:
        assert result.document == (WAITING if outcome is DecisionOutcome.NOT_PERMITTED else None)


@each_row(
    ("after", "answer", "slept", "outcome"),
    [
        ([WAITING, WAITING, DONE], "ok", [0.3, 0.6], DecisionOutcome.APPLIED),
        ([DONE], "ok", [], DecisionOutcome.APPLIED),
        ([WAITING] * 4, "ok", [0.3, 0.6, 1.2], DecisionOutcome.NOT_PERMITTED),
        ([WAITING], LOST, [], DecisionOutcome.UNKNOWN),
        ([WAITING], NotPermitted("no"), [], DecisionOutcome.NOT_PERMITTED),
        ([WAITING, Unavailable("down")], "ok", [0.3], DecisionOutcome.UNKNOWN),
    ],
)
async def test_an_erp_that_took_the_decision_gets_time_to_show_it(
    after: list[PurchaseOrder | ErpError], answer: str | ErpError, slept: list[float], outcome: DecisionOutcome
) -> None:
    shown: list[PurchaseOrder | ErpError] = [WAITING, *after]
    pauses: list[float] = []

    async def read(number: str) -> PurchaseOrder:
        now = shown.pop(0)
        if isinstance(now, ErpError):
            raise now
        return now

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    erp = Erp(WAITING, WAITING, answer)
    result = await decide(APPROVE, read=read, write=erp.write, settle=(0.3, 0.6, 1.2), sleep=sleep)
    assert (result.outcome, pauses, shown) == (outcome, slept, [])


@each_row(
    ("before", "decision", "outcome"),
    [
        (DONE, APPROVE, DecisionOutcome.ALREADY_DECIDED),
        (order(P.CANCELLED), APPROVE, DecisionOutcome.ALREADY_DECIDED),
        (order(), APPROVE, DecisionOutcome.CHANGED_SINCE_SHOWN),
        (order(P.DRAFT), APPROVE, DecisionOutcome.ALREADY_DECIDED),
        (
            with_review(WAITING, version="2", approval=SECOND),
            APPROVE,
            DecisionOutcome.ALREADY_DECIDED,
        ),
        (
            with_review(WAITING, version="2", approval=SECOND),
            replace(APPROVE, by="carla"),
            DecisionOutcome.CHANGED_SINCE_SHOWN,
        ),
        (WAITING, replace(APPROVE, by="guest"), DecisionOutcome.NOT_PERMITTED),
        (WAITING, replace(APPROVE, by=""), DecisionOutcome.NOT_PERMITTED),
        (
            with_review(WAITING, approval=None),
            replace(APPROVE, by=""),
            DecisionOutcome.NOT_PERMITTED,
        ),
    ],
)
async def test_what_is_seen_beforehand_is_not_sent(
    before: PurchaseOrder, decision: Decision, outcome: DecisionOutcome
) -> None:
    erp = Erp(before, DONE, "ok")
    result = await decide(decision, read=erp.read, write=erp.write)
    assert (result.outcome, result.document, erp.writes) == (outcome, before, 0)


async def test_an_account_is_spelled_as_the_erp_spells_it() -> None:
    told: list[str] = []
    erp = Erp(WAITING, DONE, "ok")

    async def write(before: PurchaseOrder, decision: Decision) -> str | None:
        told.append(decision.by)
        return await erp.write(before, decision)

    result = await decide(replace(APPROVE, by="Anna"), read=erp.read, write=write)
    assert (result.outcome, told) == (DecisionOutcome.APPLIED, ["anna"])


async def test_where_nobody_is_named_the_erp_decides_who_may() -> None:
    erp = Erp(with_review(WAITING, approval=None), DONE, "ok")
    result = await decide(APPROVE, read=erp.read, write=erp.write)
    assert (result.outcome, erp.writes) == (DecisionOutcome.APPLIED, 1)


@each_row(
    ("before", "answer", "error"),
    [
        (with_review(WAITING, state=P.DRAFT), None, Invalid),
        (WAITING, Invalid("no budget"), Invalid),
        (WAITING, Unavailable("no connection"), Unavailable),
        (WAITING, NotFound("PO-1"), NotFound),
    ],
)
async def test_what_is_raised(before: PurchaseOrder, answer: ErpError | None, error: type[ErpError]) -> None:
    erp = Erp(before, before, answer)
    with pytest.raises(error):
        await decide(APPROVE, read=erp.read, write=erp.write)


@each_row(
    ("after", "outcome"),
    [
        (order(P.REJECTED), DecisionOutcome.APPLIED),
        (order(P.CANCELLED), DecisionOutcome.APPLIED),
        (order(P.DRAFT), DecisionOutcome.APPLIED),
        (order(P.APPROVED), DecisionOutcome.ALREADY_DECIDED),
        (
            with_review(WAITING, version="2", approval=SECOND),
            DecisionOutcome.CHANGED_SINCE_SHOWN,
        ),
        (WAITING, None),
    ],
)
def test_what_a_rejection_looks_like(after: PurchaseOrder, outcome: DecisionOutcome | None) -> None:
    assert outcome_of(WAITING, after, replace(APPROVE, verdict=Verdict.REJECT)) is outcome


async def test_an_erp_may_show_it_in_its_own_way() -> None:
    erp = Erp(WAITING, WAITING, None)
    classify: Callable[..., DecisionOutcome] = lambda before, after, decision: DecisionOutcome.MORE_APPROVALS_NEEDED  # noqa: E731
    result = await decide(APPROVE, read=erp.read, write=erp.write, classify=classify)
    assert result.outcome is DecisionOutcome.MORE_APPROVALS_NEEDED
