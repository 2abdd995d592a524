"""Deciding on a document safely, for ERPs that cannot do it in one step.

Read, compare, act once, read again, and say what the ERP now says. The answer to the write is only a hint: ERPs
answer success for documents that they skipped.

Docs: platform/erp/general.md#deciding-safely, steps 3, 5 and 6
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from bot.erp.errors import Conflict, ErpError, Invalid, NotPermitted, UnknownOutcome
from bot.erp.kinds import D, review_of
from bot.erp.model import Decision, DecisionOutcome, DecisionResult, ErpRecord, ReviewState, Verdict

Read = Callable[[str], Awaitable[D]]
Write = Callable[[D, Decision], Awaitable[str | None]]
Classify = Callable[[D, D, Decision], DecisionOutcome | None]
Sleep = Callable[[float], Awaitable[None]]

_APPROVED = {ReviewState.APPROVED, ReviewState.DONE}
_NOT_APPROVED = {ReviewState.REJECTED, ReviewState.CANCELLED, ReviewState.DRAFT}


def outcome_of(before: ErpRecord, after: ErpRecord, decision: Decision) -> DecisionOutcome | None:
    """Return what became of ``decision`` according to the ERP, or None if the document shows no trace of it.

    Where the ERP names who decided, somebody else's decision is not taken for ours.
    """
    was, now = review_of(before), review_of(after)
    ours = now.progress.decided_by in ("", decision.by)
    if not now.waits:
        wanted = _APPROVED if decision.verdict is Verdict.APPROVE else _NOT_APPROVED
        return DecisionOutcome.APPLIED if ours and now.state in wanted else DecisionOutcome.ALREADY_DECIDED
    if now.progress.level > was.progress.level and decision.verdict is Verdict.APPROVE:
        return DecisionOutcome.MORE_APPROVALS_NEEDED if ours else DecisionOutcome.ALREADY_DECIDED
    return None if now.version == was.version else DecisionOutcome.CHANGED_SINCE_SHOWN


async def decide(
    decision: Decision,
    *,
    read: Read[D],
    write: Write[D],
    classify: Classify[D] = outcome_of,
    settle: Sequence[float] = (),
    sleep: Sleep = asyncio.sleep,
) -> DecisionResult:
    """Act on the version that was seen, once.

    ``read`` returns the document as it is now. ``write`` sends the decision and returns the ERP's words, if it says
    any; it raises `NotPermitted`, `Conflict` or `Invalid` as the ERP refuses, `UnknownOutcome` when no answer came.
    ``classify`` is for ERPs that show in another way than `outcome_of` expects what became of it. Where the document
    names whom it waits for, others are refused before anything is sent. ``settle`` are the seconds to wait, one after
    the other, for an ERP that took the decision and does not show it yet.

    Raises what the first read raises; `Unavailable` or `RateLimited` from ``write`` when nothing was written; `Invalid`
    for one that was never submitted, and where the ERP refuses an unchanged one for a reason of its own.
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
        # An untouched document proves nothing: the ERP may still be at it.
        text, silent, settle = error.detail, DecisionOutcome.UNKNOWN, ()
    except (NotPermitted, Conflict, Invalid) as error:
        return await _refused_by_erp(error, before, decision, read)
    try:
        after = await settled(await read(decision.number), before, read=read, pauses=settle, sleep=sleep)
    except ErpError:
        return DecisionResult(outcome=DecisionOutcome.UNKNOWN, document=None, text=text or "")
    # An ERP that takes the call and does nothing means that the account lacks the right.
    return DecisionResult(outcome=classify(before, after, decision) or silent, document=after, text=text or "")


async def settled(document: D, before: D, *, read: Read[D], pauses: Sequence[float], sleep: Sleep = asyncio.sleep) -> D:
    """Return ``document``, read again after each pause (in seconds) while it is still as ``before``."""
    for seconds in pauses:
        if review_of(document).version != review_of(before).version:
            break
        await sleep(seconds)
        document = await read(document.number)
    return document


def _as_named(document: ErpRecord, account: str) -> str:
    """Return an account as the document names it: accounts that differ in capitals alone are one person's."""
    named = review_of(document).progress.pending_for
    return next((each for each in named if each.casefold() == account.casefold()), account)


def _refusal(document: ErpRecord, decision: Decision) -> DecisionResult | None:
    """Return why nothing is to be sent, or None."""
    review = review_of(document)
    approval = review.progress
    if review.state is ReviewState.DRAFT and review.version == decision.version:
        raise Invalid("it was never submitted", source=document.source)
    if not review.waits:
        return DecisionResult(outcome=DecisionOutcome.ALREADY_DECIDED, document=document)
    if review.version != decision.version:
        repeated = decision.by != "" and approval.decided_by == decision.by and approval.level > 1
        outcome = DecisionOutcome.ALREADY_DECIDED if repeated else DecisionOutcome.CHANGED_SINCE_SHOWN
        return DecisionResult(outcome=outcome, document=document)
    if not decision.by or (approval.pending_for and decision.by not in approval.pending_for):
        return DecisionResult(outcome=DecisionOutcome.NOT_PERMITTED, document=document)
    return None


async def _refused_by_erp(error: ErpError, before: D, decision: Decision, read: Read[D]) -> DecisionResult:
    """Return what stood in the way: ERPs use one word for *decided*, *changed* and *not your turn*."""
    try:
        after = await read(decision.number)
    except ErpError:
        after = before
    review = review_of(after)
    if not review.waits:
        outcome = DecisionOutcome.ALREADY_DECIDED
    elif review.version != review_of(before).version or isinstance(error, Conflict):
        outcome = DecisionOutcome.CHANGED_SINCE_SHOWN
    elif isinstance(error, NotPermitted):
        outcome = DecisionOutcome.NOT_PERMITTED
    else:
        raise error
    return DecisionResult(outcome=outcome, document=after, text=error.detail)
