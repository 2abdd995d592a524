"""Voting, taking a decision back, and forwarding: checked, stored once, with the result."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.access.policy import READ_ONLY
from bot.approvals.case import Case, CaseDecision, CaseState
from bot.approvals.deciders import awaited_voters, check_named, check_verdict, why_not_instead
from bot.approvals.document import ApprovalDocument
from bot.approvals.lifecycle import (
    close_externally_decided,
    enqueue_cards,
    person_places,
    place_cards,
    scheduled,
    supersede_case,
    update_waiting,
    with_version,
)
from bot.approvals.plan import Eligibility, Forward, Vote, VoteWay, is_within, tally
from bot.approvals.unit_of_work import CaseUnitOfWork, RulesInForce
from bot.erp.model import Verdict
from bot.words.phrase import Phrase, phrase

_CARD_DELAY = timedelta(seconds=1)
"""How long cards wait for the outcome instead of showing that the ERP is being told: one call each instead of two.

People who click meanwhile are told who decided.
"""


QUESTION_OPEN = phrase("Not recorded: the requester has not answered a question yet.")
"""The text for a voter who does not insist."""


class VoteOutcome(StrEnum):
    """The outcome of a vote."""

    RECORDED = "recorded"
    """It counts, and others have to agree as well."""
    DECIDED = "decided"
    """It completed the plan: the ERP is told now."""
    INSIST = "insist"
    """A question to the requester is open: the same vote is needed again, despite of it."""
    CONFIRM = "confirm"
    """A large amount: the same vote is needed again, as a confirmation."""
    NEED_REASON = "need_reason"
    REFUSED = "refused"
    LATE = "late"
    """Others have decided; the case says who."""
    CHANGED = "changed"
    """The document differs from what they saw."""
    ELSEWHERE = "elsewhere"
    """It is already decided in the ERP, or no longer waits there."""
    SILENT = "silent"
    """The ERP did not answer in time: nothing was stored."""
    NOTHING = "nothing"
    """There is no decision to take back."""
    NO_CASE = "no_case"


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteRequest:
    """A person's vote on a case. ``seen`` is the fingerprint they were shown."""

    case: Case
    """As read last; the state at the time of storing counts."""
    user_id: str
    name: str
    verdict: Verdict
    seen: str
    reason: str = ""
    confirmed: bool = False
    despite: int = 0
    """The number of the open question that the voter decides despite of, counted from 1; 0: of none."""
    way: VoteWay | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteResult:
    """The outcome, with the case in its new state."""

    outcome: VoteOutcome
    case: Case | None
    reasons: tuple[Phrase, ...] = ()
    ask: tuple[str, ...] = ()
    newer_case: Case | None = None
    """The open case of the document's current revision, if it is not the one they saw."""


def vote(unit: CaseUnitOfWork, request: VoteRequest, document: ApprovalDocument) -> VoteResult:
    """Store a vote, if it counts; ``document`` was just read from the ERP.

    Concurrent votes each see the case as the previous one left it: the first that completes the plan decides.
    """
    case = current_case(unit, request.case.id, document, request.user_id, request.seen)
    if isinstance(case, VoteResult):
        return case
    eligibility = check_vote(unit, case, request.user_id, request.verdict, document)
    if not eligibility.allowed:
        return refuse_person(unit, case, request.user_id, eligibility, seen=request.seen)
    if case.inquiry is not None and request.despite != len(case.inquiries):
        return VoteResult(outcome=VoteOutcome.INSIST, case=case, reasons=(QUESTION_OPEN,))
    if request.verdict is Verdict.REJECT and not request.reason.strip():
        return VoteResult(outcome=VoteOutcome.NEED_REASON, case=case)
    if request.verdict is Verdict.APPROVE and case.plan.confirm and not request.confirmed:
        return VoteResult(outcome=VoteOutcome.CONFIRM, case=case)
    return _store_vote(unit, case, request, eligibility, document)


def forward(unit: CaseUnitOfWork, case_id: str, to: str, by: str, document: ApprovalDocument) -> VoteResult:
    """Let ``to`` substitute for the approver whose turn ``by`` has; both keep it until one of them votes.

    Separation of duties applies to ``to`` as to anybody, and so do the limits of both: a person whose limit is too low
    may forward only if the rules make that limit theirs alone.
    """
    case = current_case(unit, case_id, document, by)
    if isinstance(case, VoteResult):
        return case
    eligibility = refusal(READ_ONLY) if unit.read_only else check_named(unit, case, by, document)
    if not eligibility.allowed:
        return refuse_person(unit, case, by, eligibility, "forwarding: ")
    person = eligibility.on_behalf_of or by
    unfit = why_not_forward(unit, case, to, by, document) or _why_not_in_place(case, person, document)
    if unfit is not None:
        return refuse_person(unit, case, by, refusal(unfit), f"forwarding to {to}: ")
    kept = tuple(turn for turn in case.forwards if (turn.person, turn.to) != (person, to))
    passed = replace(case, forwards=(*kept, Forward(person=person, to=to, at=unit.now)), revision=case.revision + 1)
    unit.cases.put(passed)
    unit.audit(passed, "forwarded", user_id=by, detail=to if person == by else f"{to} for {person}")
    place_cards(unit, passed, person_places((to,)))
    return VoteResult(outcome=VoteOutcome.RECORDED, case=passed)


def take_back(unit: CaseUnitOfWork, case_id: str, user_id: str) -> VoteResult:
    """Undo a decision before the ERP is told; only its decider can, and only for a while."""
    case = unit.cases.case(case_id)
    if case is None:
        return VoteResult(outcome=VoteOutcome.NO_CASE, case=None)
    if unit.read_only:
        return refuse_vote(case, refusal(READ_ONLY))
    if case.decision is None:
        return VoteResult(outcome=VoteOutcome.NOTHING, case=case)
    if undo_until(unit, case) is None:
        return VoteResult(outcome=VoteOutcome.LATE, case=case)
    if case.decision.by != user_id:
        only = refusal(phrase("Only the person who decided can take it back."))
        return refuse_person(unit, case, user_id, only, "taking back: ")
    votes = tuple(vote for vote in case.votes if vote.user_id != user_id)
    opened = replace(case, state=CaseState.OPEN, votes=votes, decision=None, revision=case.revision + 1)
    opened = scheduled(opened)
    unit.cases.put(opened)
    unit.audit(opened, "taken_back", user_id=user_id)
    enqueue_cards(unit, opened)
    return VoteResult(outcome=VoteOutcome.RECORDED, case=opened)


def undo_until(rules: RulesInForce, case: Case) -> datetime | None:
    """Return until when a decision can be taken back; None if that time is over or nothing is decided."""
    if case.state is not CaseState.WRITING or case.decision is None or case.attempted_at is not None:
        return None
    until = case.decision.at + rules.options.undo
    return until if until > rules.now else None


def check_takes_votes(case: Case) -> VoteResult | None:
    """Return the text for voters of a case that no longer takes votes; None if it does."""
    if case.state is CaseState.OPEN:
        return None
    outcome = VoteOutcome.CHANGED if case.state is CaseState.SUPERSEDED else VoteOutcome.LATE
    return VoteResult(outcome=outcome, case=case)


def current_case(
    unit: CaseUnitOfWork, case_id: str, document: ApprovalDocument, user_id: str, seen: str | None = None
) -> Case | VoteResult:
    """Return the case, locked, if it takes votes and its document matches the revision shown; otherwise the outcome.

    ``seen`` is None for actions on the case itself, independent of the revision.
    """
    case = unit.cases.case(case_id)
    if case is None:
        return VoteResult(outcome=VoteOutcome.NO_CASE, case=None)
    if (over := check_takes_votes(case)) is not None:
        return over
    if not document.review.waits:
        return VoteResult(outcome=VoteOutcome.ELSEWHERE, case=close_externally_decided(unit, case, document.read))
    if document.fingerprint != case.fingerprint:
        if seen is not None:
            unit.audit(case, "changed", user_id=user_id, detail=document.fingerprint, seen=seen)
        return VoteResult(outcome=VoteOutcome.CHANGED, case=supersede_case(unit, case, follow=True))
    if seen not in (None, case.fingerprint):
        unit.audit(case, "changed", user_id=user_id, seen=seen or "")
        return VoteResult(outcome=VoteOutcome.CHANGED, case=case)
    return update_waiting(unit, case, document.review)


def check_vote(
    unit: CaseUnitOfWork, case: Case, user_id: str, verdict: Verdict, document: ApprovalDocument
) -> Eligibility:
    """Return the outcome that `vote` would give, without storing anything."""
    if verdict is Verdict.REJECT and verdict not in unit.decides(case.source, case.kind):
        return refusal(phrase("“%(source)s” takes no rejection from here: reject it there.", source=case.source))
    if unit.read_only:
        return refusal(READ_ONLY)
    return check_verdict(unit, case, user_id, verdict, document, unit)


def refusal(reason: Phrase) -> Eligibility:
    return Eligibility(allowed=False, reasons=(reason,))


def refuse_vote(case: Case, eligibility: Eligibility) -> VoteResult:
    return VoteResult(outcome=VoteOutcome.REFUSED, case=case, reasons=eligibility.reasons, ask=eligibility.ask)


def refuse_person(
    unit: CaseUnitOfWork, case: Case, user_id: str, eligibility: Eligibility, doing: str = "", seen: str = ""
) -> VoteResult:
    """Refuse what a person may not do, and record that they tried; ``doing`` begins the record's words."""
    unit.audit(case, "refused", user_id=user_id, detail=f"{doing}{eligibility.reasons[0]}", seen=seen)
    return refuse_vote(case, eligibility)


def _store_vote(
    unit: CaseUnitOfWork, case: Case, request: VoteRequest, eligibility: Eligibility, document: ApprovalDocument
) -> VoteResult:
    said = Vote(
        user_id=request.user_id,
        name=request.name,
        level=eligibility.level,
        verdict=request.verdict,
        at=unit.now,
        reason=request.reason.strip(),
        on_behalf_of=eligibility.on_behalf_of,
        way=request.way,
    )
    before, votes = awaited_voters(unit, case), (*case.votes, said)
    comes_to = tally(case.plan, votes)
    if case.inquiry is not None:
        unit.audit(case, "insisted", user_id=request.user_id, detail=case.inquiry.text, seen=request.seen)
    unit.audit(case, "vote", user_id=request.user_id, detail=_describe_vote(said), seen=request.seen)
    case = replace(with_version(case, document.review), votes=votes, revision=case.revision + 1)
    if isinstance(comes_to, Verdict):
        decided = _decide(unit, case, comes_to, said)
        return VoteResult(outcome=VoteOutcome.DECIDED, case=decided, reasons=eligibility.reasons)
    unit.cases.put(case)
    known = () if comes_to != eligibility.level else before
    place_cards(unit, case, person_places(who for who in awaited_voters(unit, case) if who not in known))
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
    unit.audit(decided, "decided", user_id=last.user_id, detail=f"{verdict}{_in_place(last)}")
    # While it can still be taken back, nothing is awaited.
    enqueue_cards(unit, decided, after=timedelta(0) if unit.options.undo else _CARD_DELAY)
    return decided


def _describe_vote(said: Vote) -> str:
    return f"{said.verdict} at level {said.level}{_in_place(said)}" + (f": {said.reason}" if said.reason else "")


def _in_place(said: Vote) -> str:
    return f" for {said.on_behalf_of}" if said.on_behalf_of else ""


def _why_not_in_place(case: Case, person: str, document: ApprovalDocument) -> Phrase | None:
    """Return why nobody could approve in a person's place."""
    if is_within(case.plan.limits_of(person, in_place=True), document.total):
        return None
    return phrase("%(person)s may not approve it, and that limit also binds who decides instead.", person=person)


def why_not_forward(rules: RulesInForce, case: Case, to: str, by: str, document: ApprovalDocument) -> Phrase | None:
    """Return why ``by`` cannot forward to a person."""
    if not to or to == by:
        return phrase("Name somebody else to decide instead of you.")
    waited = tally(case.plan, case.votes)
    assert not isinstance(waited, Verdict), "an open case waits for a level"
    return why_not_instead(rules, case, to, case.plan.level(waited), document)
