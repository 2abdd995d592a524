"""A person's word: checked, stored once, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from bot.approvals.case import Case, CaseState, Decision
from bot.approvals.document import Document
from bot.approvals.opening import next_due, overtaken, owe, people, read_version, show, supersede, waited_for
from bot.approvals.ruling import Ballot, Ruling, Vote, standing
from bot.approvals.unit import Unit
from bot.erp.model import PurchaseStatus, Verdict
from bot.phrase import Phrase, phrase

_ERP_IS_QUICK = timedelta(seconds=1)
"""For so long cards wait for the end instead of saying that the ERP is being told: one call for each, and not two.

Whoever clicks meanwhile is told who decided.
"""


class Said(StrEnum):
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
class Word:
    """What a person says about a case. ``seen`` is the fingerprint of what was shown to them."""

    case: str
    user_id: str
    name: str
    verdict: Verdict
    seen: str
    reason: str = ""
    confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Voted:
    """What came of it, with the case as it is now."""

    said: Said
    case: Case | None
    reasons: tuple[Phrase, ...] = ()
    ask: tuple[str, ...] = ()
    fresh: Case | None = None
    """The open case of what the document is now, where it is not what they saw."""


def vote(unit: Unit, word: Word, document: Document) -> Voted:
    """Store a person's word, if it counts; ``document`` was read from the ERP just before.

    Of many at the same moment each sees the case as the one before left it: the first that completes the plan decides.
    """
    case = unit.book.case(word.case)
    if case is None:
        return Voted(said=Said.NO_CASE, case=None)
    if case.state is CaseState.SUPERSEDED:
        return Voted(said=Said.CHANGED, case=case)
    if case.state is not CaseState.OPEN:
        return Voted(said=Said.LATE, case=case)
    if (late := _late(unit, case, word, document)) is not None:
        return late
    ruling = may_now(unit, case, word.user_id, word.verdict, document)
    if not ruling.allowed:
        unit.audit(case, "refused", user_id=word.user_id, detail=str(ruling.reasons[0]), seen=word.seen)
        return Voted(said=Said.REFUSED, case=case, reasons=ruling.reasons, ask=ruling.ask)
    if word.verdict is Verdict.REJECT and not word.reason.strip():
        return Voted(said=Said.NEED_REASON, case=case)
    if word.verdict is Verdict.APPROVE and case.plan.confirm and not word.confirmed:
        return Voted(said=Said.CONFIRM, case=case)
    return _store(unit, case, word, ruling, document)


def may_now(unit: Unit, case: Case, user_id: str, verdict: Verdict, document: Document) -> Ruling:
    """Return what `vote` would say about the person, without storing anything: for ``/why`` and for the buttons."""
    if user_id in case.refused:
        return _no(phrase("The ERP does not allow it for your account there."))
    account = unit.account_of(user_id, case.source)
    if not user_id or not account:
        return _no(phrase("You have no account in “%(source)s”.", source=case.source))
    own = unit.company.account_of(user_id, case.source)
    requested_by = document.order.requester
    if own and own.casefold() == requested_by.casefold():
        return _no(phrase("Nobody decides what they requested themselves."))
    if own and own.casefold() == document.order.changed_by.casefold():
        return _no(phrase("Nobody decides what they changed themselves."))
    if requested_by and not document.requester and not own:
        # Under the bot's account anybody might be the requester whom nobody knows.
        return _no(
            phrase(
                "It cannot be told whether you requested it: “%(account)s” is nobody known here.",
                account=document.order.named(requested_by),
            )
        )
    ballot = Ballot(
        # Whoever had changed it when it was first shown stays out, also when somebody else saved it since.
        document=replace(document, editors=document.editors | case.brief.editors),
        plan=case.plan,
        votes=case.votes,
        spending=unit,
        now=unit.now,
        forwards=case.forwards,
    )
    return unit.policy.may(ballot, user_id, verdict)


def take_back(unit: Unit, case_id: str, user_id: str) -> Voted:
    """Undo a decision that the ERP was not told yet; only its decider can, and only for a while."""
    case = unit.book.case(case_id)
    if case is None:
        return Voted(said=Said.NO_CASE, case=None)
    decision = case.decision
    too_late = decision is None or case.state is not CaseState.WRITING or case.attempted_at is not None
    if too_late or decision is None or decision.at + unit.terms.undo <= unit.now:
        return Voted(said=Said.LATE, case=case)
    if decision.by != user_id:
        return Voted(said=Said.REFUSED, case=case, reasons=(phrase("Only who decided can take it back."),))
    votes = tuple(one for one in case.votes if one.user_id != user_id)
    opened = replace(case, state=CaseState.OPEN, votes=votes, decision=None, revision=case.revision + 1)
    opened = replace(opened, due_at=next_due(opened))
    unit.book.put(opened)
    unit.audit(opened, "taken_back", user_id=user_id)
    owe(unit, opened)
    return Voted(said=Said.RECORDED, case=opened)


def _late(unit: Unit, case: Case, word: Word, document: Document) -> Voted | None:
    """Return what to say when the document is not what was shown; None when it is."""
    if document.order.status is not PurchaseStatus.WAITING:
        return Voted(said=Said.ELSEWHERE, case=overtaken(unit, case, document.order))
    if document.fingerprint != case.fingerprint:
        unit.audit(case, "changed", user_id=word.user_id, detail=document.fingerprint, seen=word.seen)
        supersede(unit, case, follow=True)
        return Voted(said=Said.CHANGED, case=unit.book.case(case.id))
    if word.seen != case.fingerprint:
        unit.audit(case, "changed", user_id=word.user_id, seen=word.seen)
        return Voted(said=Said.CHANGED, case=case)
    return None


def _no(reason: Phrase) -> Ruling:
    return Ruling(allowed=False, reasons=(reason,))


def _store(unit: Unit, case: Case, word: Word, ruling: Ruling, document: Document) -> Voted:
    said = Vote(
        user_id=word.user_id,
        name=word.name,
        level=ruling.level,
        verdict=word.verdict,
        at=unit.now,
        reason=word.reason.strip(),
        on_behalf_of=ruling.on_behalf_of,
    )
    votes = (*case.votes, said)
    comes_to = standing(case.plan, votes)
    unit.audit(case, "vote", user_id=word.user_id, detail=_described(said), seen=word.seen)
    case = replace(read_version(case, document.order), votes=votes, revision=case.revision + 1)
    if isinstance(comes_to, Verdict):
        decided = _decide(unit, case, comes_to, said)
        return Voted(said=Said.DECIDED, case=decided, reasons=ruling.reasons)
    unit.book.put(case)
    if comes_to != ruling.level:
        show(unit, case, people(waited_for(unit, case)))
    else:
        owe(unit, case)
    return Voted(said=Said.RECORDED, case=case, reasons=ruling.reasons)


def _decide(unit: Unit, case: Case, verdict: Verdict, last: Vote) -> Case:
    decision = Decision(
        verdict=verdict,
        by=last.user_id,
        name=last.name,
        account=unit.account_of(last.user_id, case.source),
        reason=last.reason,
        at=unit.now,
    )
    decided = replace(case, state=CaseState.WRITING, decision=decision, due_at=unit.now + unit.terms.undo)
    unit.book.put(decided)
    unit.audit(decided, "decided", user_id=last.user_id, detail=verdict.value)
    # While it can be taken back there is nothing to wait for.
    owe(unit, decided, after=timedelta(0) if unit.terms.undo else _ERP_IS_QUICK)
    return decided


def _described(said: Vote) -> str:
    place = f" for {said.on_behalf_of}" if said.on_behalf_of else ""
    return f"{said.verdict} at level {said.level}{place}" + (f": {said.reason}" if said.reason else "")
