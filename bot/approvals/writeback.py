"""Telling the ERP exactly once: the note before the call, and the handling of its answer.

The note before the call makes a crash harmless: a write that may have happened is looked up in the ERP and never simply
repeated. The ERP's own version check guards the rest.

Docs: platform/erp/general.md#deciding-safely
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.approvals.case import Case, CaseDecision, CaseState
from bot.approvals.deciders import awaited_voters
from bot.approvals.document import DocumentKey, fingerprint
from bot.approvals.lifecycle import (
    close_case,
    close_deleted,
    close_externally_decided,
    enqueue_cards,
    person_places,
    place_cards,
    scheduled,
    with_version,
)
from bot.approvals.unit_of_work import CaseUnitOfWork
from bot.erp.errors import Conflict, ErpError, Invalid, NotFound, NotPermitted
from bot.erp.kinds import review_of
from bot.erp.model import Decision as ErpDecision
from bot.erp.model import DecisionOutcome, DecisionResult, ErpRecord, Review, ReviewState, Verdict
from bot.mechanisms.backoff import BackoffSteps

_BACKOFF = BackoffSteps((2.0, 4.0, 8.0, 15.0, 30.0))
"""The back-off between checks while the outcome is unknown, and between attempts while the ERP does not answer."""

_CHECK_LEASE = timedelta(seconds=30)
"""How long a check belongs to the process that began it; then another one may check."""

_EXPECTED_STATUS = {
    Verdict.APPROVE: {ReviewState.APPROVED, ReviewState.DONE},
    Verdict.REJECT: {ReviewState.REJECTED, ReviewState.CANCELLED, ReviewState.DRAFT},
}
"""Possible results of our own decision: some ERPs return a rejected document to its author, or cancel it (docs:
platform/erp/records.md#purchase-orders).
"""

_FINAL_STATES = {Verdict.APPROVE: CaseState.APPROVED, Verdict.REJECT: CaseState.REJECTED}


@dataclass(frozen=True, slots=True)
class WriteAttempt:
    """A write to the ERP. The attempt number tells its answer from those of earlier attempts."""

    attempt: int
    at: datetime
    key: DocumentKey
    decision: ErpDecision

    @property
    def source(self) -> str:
        """The name of the ERP."""
        return self.key.source


def begin_write(unit: CaseUnitOfWork, case_id: str) -> WriteAttempt | None:
    """Record that a write begins, and return it; None if there is nothing (left) to write."""
    case = unit.cases.case(case_id)
    if case is None or case.state is not CaseState.WRITING or case.decision is None:
        return None
    if case.due_at is None or case.due_at > unit.now:
        return None
    if case.attempted_at is not None:
        # The process that recorded it died or lost it: how far the call came is unknown.
        _mark_unknown(unit, case, "interrupted")
        return None
    noted = replace(case, attempted_at=unit.now, attempts=case.attempts + 1, due_at=unit.now + unit.options.write_lease)
    unit.cases.put(noted)
    unit.audit(noted, "writing", user_id=case.decision.by, detail=f"{case.decision.verdict}, version {case.version}")
    said = ErpDecision(
        kind=case.kind.command,
        number=case.number,
        version=case.version,
        verdict=case.decision.verdict,
        by=case.decision.account,
        reason=_reason_for_erp(unit, case.decision),
    )
    return WriteAttempt(noted.attempts, unit.now, case.key, said)


def begin_check(unit: CaseUnitOfWork, case_id: str) -> Case | None:
    """Claim a check of the ERP for a case with an unknown outcome; None if none is due (any more)."""
    case = unit.cases.case(case_id)
    if case is None or case.state is not CaseState.UNKNOWN or case.due_at is None or case.due_at > unit.now:
        return None
    claimed = replace(case, due_at=unit.now + _CHECK_LEASE)
    unit.cases.put(claimed)
    return claimed


def record_result(unit: CaseUnitOfWork, case_id: str, result: DecisionResult, attempt: int = 0) -> Case | None:
    """Store the ERP's answer to an attempt; idempotent."""
    case = _find_attempt(unit, case_id, attempt)
    if case is None:
        return None
    assert case.decision is not None, "only decided cases are written"
    verdict = case.decision.verdict
    unit.audit(case, "outcome", detail=f"{result.outcome} {result.text}".strip())
    case = replace(case, outcome=result.outcome, erp_text=result.text)
    match result.outcome:
        case DecisionOutcome.APPLIED:
            return close_case(unit, case, _FINAL_STATES[verdict], result.outcome.value)
        case DecisionOutcome.MORE_APPROVALS_NEEDED:
            return close_case(unit, case, _FINAL_STATES[verdict], result.outcome.value, follow=True)
        case DecisionOutcome.ALREADY_DECIDED:
            return _close_as_found(unit, case, result.document, nameless_is_ours=case.attempts > 1)
        case DecisionOutcome.NOT_PERMITTED:
            return _reopen_without_decider(unit, case)
        case DecisionOutcome.CHANGED_SINCE_SHOWN:
            return _close_or_retry_changed(unit, case, result.document)
        case DecisionOutcome.UNKNOWN:
            return _mark_unknown(unit, case, result.text)
        case DecisionOutcome.UNSUPPORTED:
            return close_case(unit, case, CaseState.FAILED, "unsupported")


def record_failure(
    unit: CaseUnitOfWork, case_id: str, error: ErpError, attempt: int = 0, document: ErpRecord | None = None
) -> Case | None:
    """Store that the ERP was certainly not told: retried later if that may help, otherwise handled by the kind of
    error.

    ``document`` is the document as read after the error, if that worked.
    """
    case = _find_attempt(unit, case_id, attempt)
    if case is None:
        return None
    unit.audit(case, "not_written", detail=f"{type(error).__name__} {error.detail}")
    if error.retry:
        return _write_later(unit, case, error)
    case = replace(case, erp_text=error.detail if isinstance(error, Invalid) else str(error.tell()))
    match error:
        case NotFound():
            return close_deleted(unit, _undo_attempt(unit, case).id)
        case Conflict():
            return _close_or_retry_changed(unit, case, document)
        case NotPermitted() if case.decision is not None and case.decision.account != unit.options.own_account:
            return _reopen_without_decider(unit, case)
    if document is not None and not review_of(document).waits:
        return _close_as_found(unit, case, document, nameless_is_ours=False)
    return close_case(unit, case, CaseState.FAILED, type(error).__name__)


def record_check(
    unit: CaseUnitOfWork, case_id: str, document: ErpRecord | None, account_names: Sequence[str] = ()
) -> Case | None:
    """Store the result of a check after an unknown outcome; ``document`` is None if the ERP did not answer.

    ``account_names`` are further spellings by which the ERP may name the decider's account.
    """
    case = unit.cases.case(case_id)
    if case is None or case.state is not CaseState.UNKNOWN or case.decision is None or case.attempted_at is None:
        return None
    if document is None:
        return _check_later(unit, case)
    review = review_of(document)
    if not review.waits or _passed_erp_level(case, review, account_names):
        unit.audit(case, "found", detail=review.state.value)
        return _close_as_found(unit, case, document, account_names, nameless_is_ours=True)
    if fingerprint(document) != case.fingerprint:
        return _close_or_retry_changed(unit, case, document)
    if unit.now - case.attempted_at < unit.options.assume_lost_after:
        return _check_later(unit, case)
    if review.version != case.version:
        # Something happened, by us or not, even if it waits for the decider: it may have been
        # cancelled and submitted again since. Repeating the write might decide twice.
        return close_case(unit, case, CaseState.SUPERSEDED, "changed while the outcome was unknown", follow=True)
    unit.audit(case, "not_found", detail="it did not happen; the ERP is told again")
    again = _write_again(unit, case, review)
    enqueue_cards(unit, again)
    return again


def _find_attempt(unit: CaseUnitOfWork, case_id: str, attempt: int) -> Case | None:
    """Return the case that waits for the answer to this attempt; 0 means the current one."""
    case = unit.cases.case(case_id)
    if case is None:
        return None
    if case.state not in (CaseState.WRITING, CaseState.UNKNOWN) or case.attempted_at is None:
        return None
    if attempt not in (0, case.attempts):
        unit.audit(case, "late_answer", detail=f"to attempt {attempt}, while {case.attempts} is under way")
        return None
    return case


def _close_as_found(
    unit: CaseUnitOfWork,
    case: Case,
    document: ErpRecord | None,
    account_names: Sequence[str] = (),
    *,
    nameless_is_ours: bool,
) -> Case:
    """Close a case whose document is decided in the ERP: by our own write, or by another person.

    ``nameless_is_ours`` tells whether a decision without a name is ours: not if it was there before any write.
    """
    assert case.decision is not None, "only decided cases are written"
    review = review_of(document) if document is not None else None
    by = review.progress.decided_by if review is not None else ""
    mine = by in _account_names(case, account_names) if by else nameless_is_ours
    if review is not None and review.waits:
        # The document passed one of the ERP's own levels.
        if mine and case.decision.verdict is Verdict.APPROVE:
            passed = replace(case, outcome=DecisionOutcome.MORE_APPROVALS_NEEDED)
            return close_case(unit, passed, CaseState.APPROVED, "found in the ERP", follow=True)
        return close_case(unit, case, CaseState.SUPERSEDED, f"passed on in the ERP by {by or 'somebody'}", follow=True)
    if document is None or review is None:
        return close_case(unit, case, CaseState.DECIDED_ELSEWHERE, "in the ERP, which does not tell how")
    if mine and review.state in _EXPECTED_STATUS[case.decision.verdict]:
        return close_case(unit, case, _FINAL_STATES[case.decision.verdict], "found in the ERP")
    return close_externally_decided(unit, case, document)


def _account_names(case: Case, account_names: Sequence[str]) -> set[str]:
    assert case.decision is not None, "only decided cases are written"
    return {case.decision.account, *account_names}


def _passed_erp_level(case: Case, review: Review, account_names: Sequence[str]) -> bool:
    """Return whether one of the ERP's own levels was passed: its level rose, or it no longer waits for the decider."""
    if review.version == case.version:
        return False
    approval = review.progress
    ours = _account_names(case, account_names)
    waited, waits = ours & set(case.waits_for), ours & set(approval.pending_for)
    return approval.level > case.level or bool(waited and approval.pending_for and not waits)


def _reopen_without_decider(unit: CaseUnitOfWork, case: Case) -> Case:
    """Reopen the case for the others: the ERP refuses the person who decided."""
    assert case.decision is not None, "only decided cases are written"
    by = case.decision.by
    opened = replace(
        case,
        state=CaseState.OPEN,
        votes=tuple(vote for vote in case.votes if vote.user_id != by),
        refused=(*case.refused, by),
        decision=None,
        attempted_at=None,
        revision=case.revision + 1,
    )
    opened = scheduled(opened)
    unit.cases.put(opened)
    unit.audit(opened, "erp_refused", user_id=by, detail=case.erp_text)
    place_cards(unit, opened, person_places(awaited_voters(unit, opened)))
    return opened


def _close_or_retry_changed(unit: CaseUnitOfWork, case: Case, document: ErpRecord | None) -> Case:
    """Close a case whose document changed before the write; if only its version did, the write is repeated."""
    if document is not None and not review_of(document).waits:
        return _close_as_found(unit, case, document, nameless_is_ours=False)
    if document is None or fingerprint(document) != case.fingerprint:
        return close_case(unit, case, CaseState.SUPERSEDED, "changed before the ERP was told", follow=True)
    again = _write_again(unit, case, review_of(document))
    unit.audit(again, "version", detail=again.version)
    return again


def _write_again(unit: CaseUnitOfWork, case: Case, review: Review) -> Case:
    """Repeat the write on the current version; more slowly each time."""
    wait = timedelta(seconds=_BACKOFF.pause(case.attempts - 1) if case.attempts > 1 else 0)
    again = replace(
        with_version(case, review),
        state=CaseState.WRITING,
        attempted_at=None,
        due_at=unit.now + wait,
        revision=case.revision + 1,
    )
    unit.cases.put(again)
    return again


def _write_later(unit: CaseUnitOfWork, case: Case, error: ErpError) -> Case:
    """Retry the write when the ERP may be back."""
    wait = timedelta(seconds=max(_BACKOFF.pause(case.attempts), error.retry_after or 0.0))
    again = replace(
        case, state=CaseState.WRITING, attempted_at=None, due_at=unit.now + wait, revision=case.revision + 1
    )
    unit.cases.put(again)
    enqueue_cards(unit, again)
    return again


def _undo_attempt(unit: CaseUnitOfWork, case: Case) -> Case:
    """Undo the note of an attempt that certainly did not reach the ERP."""
    free = replace(case, attempted_at=None)
    unit.cases.put(free)
    return free


def _mark_unknown(unit: CaseUnitOfWork, case: Case, why: str) -> Case:
    doubtful = replace(
        case,
        state=CaseState.UNKNOWN,
        due_at=unit.now + timedelta(seconds=_BACKOFF.pause(1)),
        revision=case.revision + 1,
    )
    unit.cases.put(doubtful)
    unit.audit(doubtful, "unknown", detail=why)
    enqueue_cards(unit, doubtful)
    return doubtful


def _check_later(unit: CaseUnitOfWork, case: Case) -> Case:
    """Schedule another check, less often each time: the interval follows from the time since the write."""
    assert case.attempted_at is not None, "it was written"
    since = (unit.now - case.attempted_at).total_seconds()
    *shorter, longest = _BACKOFF.seconds
    wait = next((pause for pause in shorter if pause > since / 2), longest)
    later = replace(case, due_at=unit.now + timedelta(seconds=wait))
    unit.cases.put(later)
    return later


def _reason_for_erp(unit: CaseUnitOfWork, decision: CaseDecision) -> str:
    """Return the reason for the ERP: under the bot's own account it names the decider."""
    if decision.account != unit.options.own_account or not unit.options.technical_account:
        return decision.reason
    return f"{decision.name}: {decision.reason}" if decision.reason else decision.name
