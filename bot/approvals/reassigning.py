"""How an open case follows changes in the organisation: a new manager, or an approver who left.

Amounts and limits stay as they were when the case was opened. Approvers named as a manager are looked up anew: the
right belongs to the position, not to the person. No vote is undone, and a change of the organisation never decides a
case: if one approver fewer would complete a level, the plan stays.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from bot.approvals.case import ApprovalCardKind, Case, CaseState
from bot.approvals.deciders import awaited_voters, find_standing_in
from bot.approvals.document import ApprovalDocument
from bot.approvals.lifecycle import enqueue_cards, escalate, person_places, place_cards
from bot.approvals.plan import ApprovalLevel, ApprovalPlan, ExpiryAction, missing_approvers, tally
from bot.approvals.unit_of_work import CaseUnitOfWork
from bot.erp.model import Verdict


def people_in(case: Case) -> frozenset[str]:
    """Return the people in a case: its requester, everybody in the plan, and those it was forwarded to."""
    named = {approver for level in case.plan.levels for approver in level.approvers}
    passed = {turn.to for turn in case.forwards}
    return frozenset(named | passed | {case.summary.requester, *case.plan.escalate_to} - {""})


def reassign(unit: CaseUnitOfWork, case_id: str, document: ApprovalDocument, left: Collection[str]) -> Case | None:
    """Put the current managers into an open case's plan, hand on the turns of people who left, and invite new deciders.

    ``document`` was just read. Returns the changed case; None if nothing changes.
    """
    case = unit.cases.case(case_id)
    if case is None or case.state is not CaseState.OPEN or case.fingerprint != document.fingerprint:
        return None
    changed = _with_managers_of_now(unit, case, document, left)
    now = changed if changed is not None else case
    handed = _hand_on(unit, now, left)
    return _invite(unit, handed or now, left) or handed or changed


def show_deciders(unit: CaseUnitOfWork, case_id: str) -> None:
    """Show an open case anew, and invite those who may decide it now: somebody in it went away or came back."""
    case = unit.cases.case(case_id)
    if case is None or case.state is not CaseState.OPEN:
        return
    shown = replace(case, revision=case.revision + 1)
    unit.cases.put(shown)
    enqueue_cards(unit, shown)
    _invite(unit, shown, ())


def _invite(unit: CaseUnitOfWork, case: Case, left: Collection[str]) -> Case | None:
    """Show a case to people whose turn it is and who have no card: they may have got an account since."""
    cards = unit.cases.cards_of(case.id)
    known = {card.place for card in cards if card.kind is ApprovalCardKind.APPROVAL}
    awaited = person_places(user_id for user_id in awaited_voters(unit, case) if user_id not in left)
    new = [place for place in awaited if place not in known]
    if not known or not new:
        return None
    shown = replace(case, revision=case.revision + 1)
    unit.cases.put(shown)
    place_cards(unit, shown, new)
    return shown


def _with_managers_of_now(
    unit: CaseUnitOfWork, case: Case, document: ApprovalDocument, left: Collection[str]
) -> Case | None:
    successors = {
        old: new
        for old, new in _successors(unit, case.plan, document.requester).items()
        if new not in left and document.involvement(new) is None
    }
    plan = _replaced(unit, case, document, successors) if successors else case.plan
    if plan == case.plan or isinstance(tally(plan, case.votes), Verdict):
        return None
    known = awaited_voters(unit, case)
    reassigned = replace(case, plan=plan, revision=case.revision + 1)
    unit.cases.put(reassigned)
    unit.audit(reassigned, "reassigned", detail=", ".join(f"{old} → {new}" for old, new in successors.items()))
    enqueue_cards(unit, reassigned)
    place_cards(
        unit, reassigned, person_places(person for person in awaited_voters(unit, reassigned) if person not in known)
    )
    return reassigned


def _successors(unit: CaseUnitOfWork, plan: ApprovalPlan, requester: str) -> Mapping[str, str]:
    """Return the new approver for each changed one, as far as the chain of managers still reaches."""
    chain = unit.company.managers_of(requester) if requester else ()
    places = {old: int(place) - 1 for old, place in plan.by_manager.items()}
    return {old: chain[place] for old, place in places.items() if place < len(chain) and chain[place] != old}


def _replaced(
    unit: CaseUnitOfWork, case: Case, document: ApprovalDocument, successors: Mapping[str, str]
) -> ApprovalPlan:
    plan = case.plan
    limits = unit.policy.single_limits(document, unit.company)
    added = {new: limits[new] for new in successors.values() if new in limits and new not in plan.single_limits}
    own = unit.policy.own_limits(document, unit.company)
    return replace(
        plan,
        levels=tuple(_level_of_now(level, case, successors) for level in plan.levels),
        escalate_to=tuple(dict.fromkeys(successors.get(person, person) for person in plan.escalate_to)),
        by_manager={successors.get(person, person): place for person, place in plan.by_manager.items()},
        single_limits={**plan.single_limits, **added},
        own_limits=(*plan.own_limits, *(new for new in own if new in added)),
    )


def _level_of_now(level: ApprovalLevel, case: Case, successors: Mapping[str, str]) -> ApprovalLevel:
    """Return a level in which approvers who have not voted are replaced by their successors."""
    silent = missing_approvers(level, case.votes)
    people = (successors.get(person, person) if person in silent else person for person in level.approvers)
    return replace(level, approvers=tuple(dict.fromkeys(people)))


def _hand_on(unit: CaseUnitOfWork, case: Case, left: Collection[str]) -> Case | None:
    """Let others decide in place of people who left, as the plan says: substitutes, or escalation."""
    waited = tally(case.plan, case.votes)
    assert not isinstance(waited, Verdict), "an open case waits for a level"
    gone = [person for person in missing_approvers(case.plan.level(waited), case.votes) if person in left]
    if not gone:
        return None
    further = [person for person in case.plan.escalate_to if person not in left]
    unit.audit(case, "approver_left", detail=", ".join(gone))
    if instead := sorted(find_standing_in(unit, case, gone) & {*awaited_voters(unit, case)} - set(left)):
        place_cards(unit, case, person_places(instead))
        return case
    if case.plan.on_expiry is ExpiryAction.ESCALATE and further and not case.expired:
        return escalate(unit, replace(case, plan=replace(case.plan, escalate_to=tuple(further))))
    return case
