"""A person's vote, taking it back, and passing one's turn on: checked, stored once, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from bot.approvals.case import Case, CaseDecision, CaseState
from bot.approvals.document import ApprovalDocument
from bot.approvals.lifecycle import (
    awaited_voters,
    close_externally_decided,
    enqueue_cards,
    level_at,
    missing_approvers,
    next_due,
    person_places,
    place_cards,
    supersede_case,
    with_version,
)
from bot.approvals.plan import Eligibility, Forward, Vote, VoteContext, tally
from bot.approvals.unit_of_work import CaseUnitOfWork
from bot.erp.model import PurchaseStatus, Verdict
from bot.phrase import Phrase, phrase

_CARD_DELAY = timedelta(seconds=1)
"""For so long cards wait for the end instead of saying that the ERP is being told: one call for each, and not two.

Whoever clicks meanwhile is told who decided.
"""


class VoteOutcome(StrEnum):
    """What came of a word."""

    RECORDED = "recorded"
    """It counts, and others have to agree as well."""
    DECIDED = "decided"
    """It was the last one that was needed: the ERP is told now."""
    CONFIRM = "confirm"
    """A large amount: the same again, confirmed."""
    NEED_REASON = "need_reason"
    REFUSED = "refused"
    LATE = "late"
    """Others have decided; the case says who."""
    CHANGED = "changed"
    """The document is not what they saw."""
    ELSEWHERE = "elsewhere"
    """It is decided in the ERP already, or no longer waits there."""
    SILENT = "silent"
    """The ERP did not answer in time: nothing was stored."""
    NO_CASE = "no_case"


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteRequest:
    """What a person says about a case. ``seen`` is the fingerprint of what was shown to them."""

    case: str
    user_id: str
    name: str
    verdict: Verdict
    seen: str
    reason: str = ""
    confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteResult:
    """What came of it, with the case as it is now."""

    outcome: VoteOutcome
    case: Case | None
    reasons: tuple[Phrase, ...] = ()
    ask: tuple[str, ...] = ()
    newer_case: Case | None = None
    """The open case of what the document is now, where it is not what they saw."""


def vote(unit: CaseUnitOfWork, word: VoteRequest, document: ApprovalDocument) -> VoteResult:
    """Store a person's word, if it counts; ``document`` was read from the ERP just before.

    Of many at the same moment each sees the case as the one before left it: the first that completes the plan decides.
    """
    case = unit.cases.case(word.case)
    if case is None:
        return VoteResult(outcome=VoteOutcome.NO_CASE, case=None)
    if case.state is CaseState.SUPERSEDED:
        return VoteResult(outcome=VoteOutcome.CHANGED, case=case)
    if case.state is not CaseState.OPEN:
        return VoteResult(outcome=VoteOutcome.LATE, case=case)
    if (late := _check_revision(unit, case, word, document)) is not None:
        return late
    eligibility = check_eligibility(unit, case, word.user_id, word.verdict, document)
    if not eligibility.allowed:
        unit.audit(case, "refused", user_id=word.user_id, detail=str(eligibility.reasons[0]), seen=word.seen)
        return VoteResult(outcome=VoteOutcome.REFUSED, case=case, reasons=eligibility.reasons, ask=eligibility.ask)
    if word.verdict is Verdict.REJECT and not word.reason.strip():
        return VoteResult(outcome=VoteOutcome.NEED_REASON, case=case)
    if word.verdict is Verdict.APPROVE and case.plan.confirm and not word.confirmed:
        return VoteResult(outcome=VoteOutcome.CONFIRM, case=case)
    return _store_vote(unit, case, word, eligibility, document)


def check_eligibility(
    unit: CaseUnitOfWork, case: Case, user_id: str, verdict: Verdict, document: ApprovalDocument
) -> Eligibility:
    """Return what `vote` would say about the person, without storing anything: for ``/why`` and for the buttons."""
    if user_id in case.refused:
        return _refuse(phrase("The ERP does not allow it for your account there."))
    account = unit.account_of(user_id, case.source)
    if not user_id or not account:
        return _refuse(phrase("You have no account in “%(source)s”.", source=case.source))
    own = unit.company.account_of(user_id, case.source)
    requested_by = document.order.requester
    if own and own.casefold() == requested_by.casefold():
        return _refuse(phrase("Nobody decides what they requested themselves."))
    if own and own.casefold() == document.order.changed_by.casefold():
        return _refuse(phrase("Nobody decides what they changed themselves."))
    if requested_by and not document.requester and not own:
        # Under the bot's account anybody might be the requester whom nobody knows.
        return _refuse(
            phrase(
                "It cannot be told whether you requested it: “%(account)s” is nobody known here.",
                account=document.order.named(requested_by),
            )
        )
    vote_context = VoteContext(
        # Whoever had changed it when it was first shown stays out, also when somebody else saved it since.
        document=replace(document, editors=document.editors | case.summary.editors),
        plan=case.plan,
        votes=case.votes,
        spending=unit,
        now=unit.now,
        forwards=case.forwards,
    )
    return unit.policy.may(vote_context, user_id, verdict)


def take_back(unit: CaseUnitOfWork, case_id: str, user_id: str) -> VoteResult:
    """Undo a decision that the ERP was not told yet; only its decider can, and only for a while."""
    case = unit.cases.case(case_id)
    if case is None:
        return VoteResult(outcome=VoteOutcome.NO_CASE, case=None)
    decision = case.decision
    too_late = decision is None or case.state is not CaseState.WRITING or case.attempted_at is not None
    if too_late or decision is None or decision.at + unit.options.undo <= unit.now:
        return VoteResult(outcome=VoteOutcome.LATE, case=case)
    if decision.by != user_id:
        return VoteResult(
            outcome=VoteOutcome.REFUSED, case=case, reasons=(phrase("Only who decided can take it back."),)
        )
    votes = tuple(one for one in case.votes if one.user_id != user_id)
    opened = replace(case, state=CaseState.OPEN, votes=votes, decision=None, revision=case.revision + 1)
    opened = replace(opened, due_at=next_due(opened))
    unit.cases.put(opened)
    unit.audit(opened, "taken_back", user_id=user_id)
    enqueue_cards(unit, opened)
    return VoteResult(outcome=VoteOutcome.RECORDED, case=opened)


def _check_revision(
    unit: CaseUnitOfWork, case: Case, word: VoteRequest, document: ApprovalDocument
) -> VoteResult | None:
    """Return what to say when the document is not what was shown; None when it is."""
    if document.order.status is not PurchaseStatus.WAITING:
        return VoteResult(outcome=VoteOutcome.ELSEWHERE, case=close_externally_decided(unit, case, document.order))
    if document.fingerprint != case.fingerprint:
        unit.audit(case, "changed", user_id=word.user_id, detail=document.fingerprint, seen=word.seen)
        supersede_case(unit, case, follow=True)
        return VoteResult(outcome=VoteOutcome.CHANGED, case=unit.cases.case(case.id))
    if word.seen != case.fingerprint:
        unit.audit(case, "changed", user_id=word.user_id, seen=word.seen)
        return VoteResult(outcome=VoteOutcome.CHANGED, case=case)
    return None


def _refuse(reason: Phrase) -> Eligibility:
    return Eligibility(allowed=False, reasons=(reason,))


def _store_vote(
    unit: CaseUnitOfWork, case: Case, word: VoteRequest, eligibility: Eligibility, document: ApprovalDocument
) -> VoteResult:
    said = Vote(
        user_id=word.user_id,
        name=word.name,
        level=eligibility.level,
        verdict=word.verdict,
        at=unit.now,
        reason=word.reason.strip(),
        on_behalf_of=eligibility.on_behalf_of,
    )
    votes = (*case.votes, said)
    comes_to = tally(case.plan, votes)
    unit.audit(case, "vote", user_id=word.user_id, detail=_describe_vote(said), seen=word.seen)
    case = replace(with_version(case, document.order), votes=votes, revision=case.revision + 1)
    if isinstance(comes_to, Verdict):
        decided = _decide(unit, case, comes_to, said)
        return VoteResult(outcome=VoteOutcome.DECIDED, case=decided, reasons=eligibility.reasons)
    unit.cases.put(case)
    if comes_to != eligibility.level:
        place_cards(unit, case, person_places(awaited_voters(unit, case)))
    else:
        enqueue_cards(unit, case)
    return VoteResult(outcome=VoteOutcome.RECORDED, case=case, reasons=eligibility.reasons)


def _decide(unit: CaseUnitOfWork, case: Case, verdict: Verdict, last: Vote) -> Case:
    decision = CaseDecision(
        verdict=verdict,
        by=last.user_id,
        name=last.name,
        account=unit.account_of(last.user_id, case.source),
        reason=last.reason,
        at=unit.now,
    )
    decided = replace(case, state=CaseState.WRITING, decision=decision, due_at=unit.now + unit.options.undo)
    unit.cases.put(decided)
    unit.audit(decided, "decided", user_id=last.user_id, detail=verdict.value)
    # While it can be taken back there is nothing to wait for.
    enqueue_cards(unit, decided, after=timedelta(0) if unit.options.undo else _CARD_DELAY)
    return decided


def _describe_vote(said: Vote) -> str:
    place = f" for {said.on_behalf_of}" if said.on_behalf_of else ""
    return f"{said.verdict} at level {said.level}{place}" + (f": {said.reason}" if said.reason else "")


def forward(unit: CaseUnitOfWork, case_id: str, to: str, by: str, document: ApprovalDocument) -> VoteResult:
    """Let ``to`` stand in for the approver whose turn ``by`` has; they keep it until one of them speaks.

    The duties hold for ``to`` as for anybody, and so do their limits: whose limit is too low may pass it on.
    """
    case = unit.cases.case(case_id)
    if case is None:
        return VoteResult(outcome=VoteOutcome.NO_CASE, case=None)
    if case.state is CaseState.SUPERSEDED:
        return VoteResult(outcome=VoteOutcome.CHANGED, case=case)
    if case.state is not CaseState.OPEN:
        return VoteResult(outcome=VoteOutcome.LATE, case=case)
    if document.order.status is not PurchaseStatus.WAITING:
        return VoteResult(outcome=VoteOutcome.ELSEWHERE, case=close_externally_decided(unit, case, document.order))
    if document.fingerprint != case.fingerprint:
        supersede_case(unit, case, follow=True)
        return VoteResult(outcome=VoteOutcome.CHANGED, case=unit.cases.case(case.id))
    # Passing on needs the right of rejecting, which has no limit of amounts.
    eligibility = check_eligibility(unit, case, by, Verdict.REJECT, document)
    if not eligibility.allowed:
        unit.audit(case, "refused", user_id=by, detail=f"forwarding: {eligibility.reasons[0]}")
        return VoteResult(outcome=VoteOutcome.REFUSED, case=case, reasons=eligibility.reasons, ask=eligibility.ask)
    if (unfit := _why_not_forward(unit, case, to, by, document)) is not None:
        unit.audit(case, "refused", user_id=by, detail=f"forwarding to {to}: {unfit}")
        return VoteResult(outcome=VoteOutcome.REFUSED, case=case, reasons=(unfit,))
    person = eligibility.on_behalf_of or by
    kept = tuple(one for one in case.forwards if (one.person, one.to) != (person, to))
    passed = replace(case, forwards=(*kept, Forward(person=person, to=to, at=unit.now)), revision=case.revision + 1)
    unit.cases.put(passed)
    unit.audit(passed, "forwarded", user_id=by, detail=to if person == by else f"{to} for {person}")
    place_cards(unit, passed, person_places((to,)))
    return VoteResult(outcome=VoteOutcome.RECORDED, case=passed)


def _why_not_forward(unit: CaseUnitOfWork, case: Case, to: str, by: str, document: ApprovalDocument) -> Phrase | None:
    """Return why somebody cannot take a turn."""
    if not to or to == by:
        return phrase("Name somebody else to decide instead of you.")
    if to in case.refused:
        return phrase("The ERP does not allow it for their account there.")
    if not unit.account_of(to, case.source):
        return phrase("They have no account in “%(source)s”.", source=case.source)
    own = unit.company.account_of(to, case.source)
    if to == document.requester or (own and own.casefold() == document.order.requester.casefold()):
        return phrase("They requested it.")
    if to in document.editors | case.summary.editors or (
        own and own.casefold() == document.order.changed_by.casefold()
    ):
        return phrase("They changed it.")
    if any(vote.user_id == to for vote in case.votes):
        return phrase("They have agreed already.")
    waited = tally(case.plan, case.votes)
    if not isinstance(waited, Verdict) and to in missing_approvers(level_at(case.plan, waited), case):
        return phrase("It is their turn as well.")
    return None
