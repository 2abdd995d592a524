"""Deciding on a purchase order safely, for ERPs that cannot do it in one step (ERP sheet, 11.4, steps 3, 5 and 6).

Read, compare, act once, read again, and say what the ERP now says. The answer to the write is only a hint: ERPs
answer success for orders that they skipped.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.erp.errors import Conflict, ErpError, Invalid, NotPermitted, UnknownOutcome
from bot.erp.model import Approval, Decision, DecisionResult, Outcome, PurchaseOrder, PurchaseStatus, Verdict

Read = Callable[[str], Awaitable[PurchaseOrder]]
Write = Callable[[PurchaseOrder, Decision], Awaitable[str]]

_APPROVED = {PurchaseStatus.APPROVED, PurchaseStatus.DONE}
_TURNED_DOWN = {PurchaseStatus.REJECTED, PurchaseStatus.CANCELLED, PurchaseStatus.DRAFT}


async def decide(decision: Decision, *, read: Read, write: Write) -> DecisionResult:
    """Act on the version that was seen, once.

    ``read`` returns the order as it is now. ``write`` sends the decision and returns the ERP's words; it raises
    `NotPermitted`, `Conflict` or `Invalid` as the ERP refuses, `UnknownOutcome` when no answer came. Where the order
    names whom it waits for, others are refused before anything is sent. Raises what the first read raises, and
    `Unavailable` or `RateLimited` from ``write`` when nothing was written; `Invalid` for an order never submitted.
    """
    before = await read(decision.number)
    refused = _refusal(before, decision)
    if refused is not None:
        return refused
    try:
        text = await write(before, decision)
    except NotPermitted as error:
        return await _refused(Outcome.NOT_PERMITTED, error, before, decision, read)
    except (Conflict, Invalid) as error:
        return await _conflicted(error, before, decision, read)
    except UnknownOutcome as error:
        return await _unconfirmed(error, before, decision, read)
    try:
        after = await read(decision.number)
    except ErpError as error:
        return DecisionResult(outcome=Outcome.UNKNOWN, order=None, text=text or error.detail)
    outcome = outcome_of(before, after, decision)
    # The ERP took the call and did nothing: that is how several tell that the account lacks the right.
    return DecisionResult(outcome=outcome or Outcome.NOT_PERMITTED, order=after, text=text)


def _refusal(order: PurchaseOrder, decision: Decision) -> DecisionResult | None:
    """Return why nothing is to be sent, or None."""
    approval = order.approval or Approval()
    if order.status is PurchaseStatus.DRAFT and order.version == decision.version:
        raise Invalid("the order was never submitted", source=order.source)
    if order.status is not PurchaseStatus.WAITING:
        return DecisionResult(outcome=Outcome.ALREADY_DECIDED, order=order)
    if order.version != decision.version:
        repeated = decision.by != "" and approval.decided_by == decision.by and approval.level > 1
        outcome = Outcome.ALREADY_DECIDED if repeated else Outcome.CHANGED_SINCE_SHOWN
        return DecisionResult(outcome=outcome, order=order)
    if not decision.by or (approval.pending_for and decision.by not in approval.pending_for):
        return DecisionResult(outcome=Outcome.NOT_PERMITTED, order=order)
    return None


def outcome_of(before: PurchaseOrder, after: PurchaseOrder, decision: Decision) -> Outcome | None:
    """Return what became of ``decision`` as the ERP now tells it, or None if it shows no trace of it.

    Where the ERP names who decided, somebody else's decision is not taken for ours.
    """
    if after.status is PurchaseStatus.WAITING:
        was, now = before.approval or Approval(), after.approval or Approval()
        moved_on = now.level > was.level or (
            decision.by in was.pending_for and now.pending_for != () and decision.by not in now.pending_for
        )
        if not moved_on or decision.verdict is Verdict.REJECT:
            return None if after.version == before.version else Outcome.CHANGED_SINCE_SHOWN
        ours, done = now.decided_by in ("", decision.by), Outcome.MORE_APPROVALS_NEEDED
    else:
        wanted = _APPROVED if decision.verdict is Verdict.APPROVE else _TURNED_DOWN
        by = after.approval.decided_by if after.approval else ""
        ours, done = after.status in wanted and by in ("", decision.by), Outcome.APPLIED
    return done if ours else Outcome.ALREADY_DECIDED


async def _refused(
    outcome: Outcome, error: ErpError, before: PurchaseOrder, decision: Decision, read: Read
) -> DecisionResult:
    return DecisionResult(outcome=outcome, order=await _reread(before, decision, read), text=error.detail)


async def _conflicted(error: ErpError, before: PurchaseOrder, decision: Decision, read: Read) -> DecisionResult:
    """Say what stood in the way; raises ``error`` where nothing changed and the ERP refused the content itself."""
    after = await read(decision.number)
    if after.status is not PurchaseStatus.WAITING:
        return DecisionResult(outcome=Outcome.ALREADY_DECIDED, order=after, text=error.detail)
    if after.version != before.version or isinstance(error, Conflict):
        return DecisionResult(outcome=Outcome.CHANGED_SINCE_SHOWN, order=after, text=error.detail)
    raise error


async def _unconfirmed(error: ErpError, before: PurchaseOrder, decision: Decision, read: Read) -> DecisionResult:
    """Look whether it happened. An untouched order proves nothing: the ERP may still be at it."""
    try:
        after = await read(decision.number)
    except ErpError:
        return DecisionResult(outcome=Outcome.UNKNOWN, order=None, text=error.detail)
    outcome = outcome_of(before, after, decision)
    return DecisionResult(outcome=outcome or Outcome.UNKNOWN, order=after, text=error.detail)


async def _reread(before: PurchaseOrder, decision: Decision, read: Read) -> PurchaseOrder:
    try:
        return await read(decision.number)
    except ErpError:
        return before
