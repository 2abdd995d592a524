"""An approver passes their turn on: somebody else stands in for them, in one case."""

from __future__ import annotations

from dataclasses import replace

from bot.approvals.case import Case, CaseState
from bot.approvals.document import Document
from bot.approvals.opening import left_of, level_of, overtaken, people, show, supersede
from bot.approvals.ruling import Forward, standing
from bot.approvals.unit import Unit
from bot.approvals.voting import Said, Voted, may_now
from bot.erp.model import PurchaseStatus, Verdict
from bot.phrase import Phrase, phrase


def forward(unit: Unit, case_id: str, to: str, by: str, document: Document) -> Voted:
    """Let ``to`` stand in for the approver whose turn ``by`` has; they keep it until one of them speaks.

    The duties hold for ``to`` as for anybody, and so do their limits: whose limit is too low may pass it on.
    """
    case = unit.book.case(case_id)
    if case is None:
        return Voted(said=Said.NO_CASE, case=None)
    if case.state is CaseState.SUPERSEDED:
        return Voted(said=Said.CHANGED, case=case)
    if case.state is not CaseState.OPEN:
        return Voted(said=Said.LATE, case=case)
    if document.order.status is not PurchaseStatus.WAITING:
        return Voted(said=Said.ELSEWHERE, case=overtaken(unit, case, document.order))
    if document.fingerprint != case.fingerprint:
        supersede(unit, case, follow=True)
        return Voted(said=Said.CHANGED, case=unit.book.case(case.id))
    # Passing on needs the right of rejecting, which has no limit of amounts.
    ruling = may_now(unit, case, by, Verdict.REJECT, document)
    if not ruling.allowed:
        unit.audit(case, "refused", user_id=by, detail=f"forwarding: {ruling.reasons[0]}")
        return Voted(said=Said.REFUSED, case=case, reasons=ruling.reasons, ask=ruling.ask)
    if (unfit := _unfit(unit, case, to, by, document)) is not None:
        unit.audit(case, "refused", user_id=by, detail=f"forwarding to {to}: {unfit}")
        return Voted(said=Said.REFUSED, case=case, reasons=(unfit,))
    person = ruling.on_behalf_of or by
    kept = tuple(one for one in case.forwards if (one.person, one.to) != (person, to))
    passed = replace(case, forwards=(*kept, Forward(person=person, to=to, at=unit.now)), revision=case.revision + 1)
    unit.book.put(passed)
    unit.audit(passed, "forwarded", user_id=by, detail=to if person == by else f"{to} for {person}")
    show(unit, passed, people((to,)))
    return Voted(said=Said.RECORDED, case=passed)


def _unfit(unit: Unit, case: Case, to: str, by: str, document: Document) -> Phrase | None:
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
    if to in document.editors | case.brief.editors or (own and own.casefold() == document.order.changed_by.casefold()):
        return phrase("They changed it.")
    if any(vote.user_id == to for vote in case.votes):
        return phrase("They have agreed already.")
    waited = standing(case.plan, case.votes)
    if not isinstance(waited, Verdict) and to in left_of(level_of(case.plan, waited), case):
        return phrase("It is their turn as well.")
    return None
