"""Deciding on a purchase order safely, for ERPs that cannot do it in one step.

Read, compare, act once, read again, and say what the ERP now says. The answer to the write is only a hint: ERPs
answer success for orders that they skipped.

Docs: platform/erp/general.md#deciding-safely, steps 3, 5 and 6
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from bot.erp.errors import Conflict, ErpError, Invalid, NotPermitted, UnknownOutcome
from bot.erp.model import (
    Approval,
    Decision,
    DecisionOutcome,
    DecisionResult,
    PurchaseOrder,
    PurchaseStatus,
    Verdict,
)

Read = Callable[[str], Awaitable[PurchaseOrder]]
Write = Callable[[PurchaseOrder, Decision], Awaitable[str | None]]
Classify = Callable[[PurchaseOrder, PurchaseOrder, Decision], DecisionOutcome | None]
Sleep = Callable[[float], Awaitable[None]]

_APPROVED = {PurchaseStatus.APPROVED, PurchaseStatus.DONE}
_NOT_APPROVED = {PurchaseStatus.REJECTED, PurchaseStatus.CANCELLED, PurchaseStatus.DRAFT}


def outcome_of(before: PurchaseOrder, after: PurchaseOrder, decision: Decision) -> DecisionOutcome | None:
    """Return what became of ``decision`` according to the ERP, or None if the order shows no trace of it.

    Where the ERP names who decided, somebody else's decision is not taken for ours.
    """
    was, now = before.approval or Approval(), after.approval or Approval()
    ours = now.decided_by in ("", decision.by)
    if after.status is not PurchaseStatus.WAITING:
        wanted = _APPROVED if decision.verdict is Verdict.APPROVE else _NOT_APPROVED
        return DecisionOutcome.APPLIED if ours and after.status in wanted else DecisionOutcome.ALREADY_DECIDED
    if now.level > was.level and decision.verdict is Verdict.APPROVE:
        return DecisionOutcome.MORE_APPROVALS_NEEDED if ours else DecisionOutcome.ALREADY_DECIDED
    return None if after.version == before.version else DecisionOutcome.CHANGED_SINCE_SHOWN


async def decide(
    decision: Decision,
    *,
    read: Read,
    write: Write,
    classify: Classify = outcome_of,
    settle: Sequence[float] = (),
    sleep: Sleep = asyncio.sleep,
) -> DecisionResult:
    """Act on the version that was seen, once.

    ``read`` returns the order as it is now. ``write`` sends the decision and returns the ERP's words, if it says any;
    it raises `NotPermitted`, `Conflict` or `Invalid` as the ERP refuses, `UnknownOutcome` when no answer came.
    ``classify`` is for ERPs that show in another way than `outcome_of` expects what became of it. Where the order names
    whom it waits for, others are refused before anything is sent. ``settle`` are the seconds to wait, one after the
    other, for an ERP that took the decision and does not show it yet.

    Raises what the first read raises; `Unavailable` or `RateLimited` from ``write`` when nothing was written; `Invalid`
    for an order that was never submitted, and where the ERP refuses an unchanged order for a reason of its own.
    """
    before = await read(decision.number)
    decision = replace(decision, by=_as_named(before, decision.by))
    refused = _refusal(before, decision)
    if refused is not None:
        return refused
    text: str | None
    try:
        text, silent = await write(before, decision), DecisionOutcome.NOT_PERMITTED
    except UnknownOutcome as error:
        # An untouched order proves nothing: the ERP may still be at it.
        text, silent, settle = error.detail, DecisionOutcome.UNKNOWN, ()
    except (NotPermitted, Conflict, Invalid) as error:
        return await _refused_by_erp(error, before, decision, read)
    try:
        after = await settled(await read(decision.number), before, read=read, pauses=settle, sleep=sleep)
    except ErpError:
        return DecisionResult(outcome=DecisionOutcome.UNKNOWN, order=None, text=text or "")
    # An ERP that takes the call and does nothing means that the account lacks the right.
    return DecisionResult(outcome=classify(before, after, decision) or silent, order=after, text=text or "")


async def settled(
    order: PurchaseOrder, before: PurchaseOrder, *, read: Read, pauses: Sequence[float], sleep: Sleep = asyncio.sleep
) -> PurchaseOrder:
    """Return ``order``, read again after each pause (in seconds) while it is still as ``before``."""
    for seconds in pauses:
        if order.version != before.version:
            break
        await sleep(seconds)
        order = await read(order.number)
    return order


def _as_named(order: PurchaseOrder, account: str) -> str:
    """Return an account as the order names it: accounts that differ in capitals alone are one person's."""
    named = order.approval.pending_for if order.approval else ()
    return next((each for each in named if each.casefold() == account.casefold()), account)


def _refusal(order: PurchaseOrder, decision: Decision) -> DecisionResult | None:
    """Return why nothing is to be sent, or None."""
    approval = order.approval or Approval()
    if order.status is PurchaseStatus.DRAFT and order.version == decision.version:
        raise Invalid("the order was never submitted", source=order.source)
    if order.status is not PurchaseStatus.WAITING:
        return DecisionResult(outcome=DecisionOutcome.ALREADY_DECIDED, order=order)
    if order.version != decision.version:
        repeated = decision.by != "" and approval.decided_by == decision.by and approval.level > 1
        outcome = DecisionOutcome.ALREADY_DECIDED if repeated else DecisionOutcome.CHANGED_SINCE_SHOWN
        return DecisionResult(outcome=outcome, order=order)
    if not decision.by or (approval.pending_for and decision.by not in approval.pending_for):
        return DecisionResult(outcome=DecisionOutcome.NOT_PERMITTED, order=order)
    return None


async def _refused_by_erp(error: ErpError, before: PurchaseOrder, decision: Decision, read: Read) -> DecisionResult:
    """Return what stood in the way: ERPs use one word for *decided*, *changed* and *not your turn*."""
    try:
        after = await read(decision.number)
    except ErpError:
        after = before
    if after.status is not PurchaseStatus.WAITING:
        outcome = DecisionOutcome.ALREADY_DECIDED
    elif after.version != before.version or isinstance(error, Conflict):
        outcome = DecisionOutcome.CHANGED_SINCE_SHOWN
    elif isinstance(error, NotPermitted):
        outcome = DecisionOutcome.NOT_PERMITTED
    else:
        raise error
    return DecisionResult(outcome=outcome, order=after, text=error.detail)
