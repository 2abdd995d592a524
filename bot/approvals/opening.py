"""A document waits: its case is opened, and cards are owed to those who may decide."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.approvals.awaited import expected
from bot.approvals.case import Brief, CardKind, Case, CaseCard, CaseState
from bot.approvals.document import Document
from bot.approvals.elsewhere import Elsewhere, seen_there
from bot.approvals.ruling import Level, Plan, standing
from bot.approvals.unit import Unit
from bot.erp.model import Approval, PurchaseOrder, PurchaseStatus, Verdict
from bot.outbox.delivery import Delivery, Urgency
from bot.outbox.place import Place, PlaceKind

KIND = CardKind.APPROVAL.value
"""Kind of the deliveries: who composes them."""

_TOLD = {CaseState.APPROVED, CaseState.REJECTED, CaseState.DECIDED_ELSEWHERE, CaseState.EXPIRED}
"""Ends that the requester hears of; a change or a withdrawal is their own doing."""

_NOT_AN_END = {CaseState.SUPERSEDED, CaseState.WITHDRAWN}
"""States that a document leaves by waiting; the others it leaves by changing in the ERP."""


def open_case(
    unit: Unit, document: Document, groups: Sequence[Place], *, again: bool = False, quiet: bool = False
) -> Case | None:
    """Return the open case of this revision, new or known; None where it is not decided from chat (any more).

    An open case of an earlier revision is superseded. A document that the ERP has not touched since its case ended is
    not asked about once more, unless somebody wants it ``again``. ``groups`` get a card without prices; a new case that
    opens ``quiet`` has no cards, and is found in the list of what waits.
    """
    newest = unit.book.newest(document.source, document.number)
    if document.order.status is not PurchaseStatus.WAITING:
        return None
    if newest is not None and not newest.state.is_final:
        if newest.fingerprint == document.fingerprint:
            return _waiting_on(unit, newest, document.order)
        if newest.state is not CaseState.OPEN:
            return None  # the ERP is being told about the revision before; what waits then is asked for again
        supersede(unit, newest)
    elif newest is not None and not again and not _waits_anew(newest, document):
        return None
    planning = unit.policy.plan(document, unit.company)
    if planning.plan is None:
        return None
    case = _case(unit, document, planning.plan, 1 if newest is None else round_of(newest) + 1)
    unit.book.put(case)
    unit.audit(case, "opened", detail=planning.plan.rule, seen=case.fingerprint)
    if not quiet:
        show(unit, case, (*groups, *people(waited_for(unit, case))))
    return case


def supersede(unit: Unit, case: Case, *, follow: bool = False) -> None:
    """Close the case of a revision that is no more; with ``follow`` the new one is still to be read."""
    close(unit, case, CaseState.SUPERSEDED, "changed in the ERP", follow=follow)


def close(
    unit: Unit, case: Case, state: CaseState, detail: str, *, elsewhere: Elsewhere | None = None, follow: bool = False
) -> Case:
    """End a case; all its cards come to owe the end, and the requester is told.

    With ``follow`` the document is read again afterwards: it may wait for somebody else, and what becomes of it is told
    when that is known.
    """
    closed = replace(
        case,
        state=state,
        elsewhere=elsewhere or case.elsewhere,
        due_at=unit.now if follow else None,
        revision=case.revision + 1,
    )
    unit.book.put(closed)
    unit.audit(closed, state.value, detail=detail)
    if state in _TOLD and closed.brief.requester and not follow:
        (place,) = people((closed.brief.requester,))
        told = CaseCard(case=closed.id, place=place, for_user=closed.brief.requester, kind=CardKind.TOLD)
        unit.book.put_card(told)
    owe(unit, closed)
    return closed


def overtaken(unit: Unit, case: Case, order: PurchaseOrder) -> Case:
    """Close a case whose document no longer waits in the ERP, without our doing."""
    seen, there = replace(case, version=order.version), seen_there(order)
    if there.verdict is None:
        return close(unit, seen, CaseState.WITHDRAWN, order.status.value, elsewhere=there)
    by = (order.approval or Approval()).decided_by
    detail = f"{order.status} in the ERP by {by or 'somebody'}" + (f" at {there.at.isoformat()}" if there.at else "")
    return close(unit, seen, CaseState.DECIDED_ELSEWHERE, detail, elsewhere=there)


def gone(unit: Unit, case_id: str) -> Case | None:
    """Close a case whose document is not in the ERP any more; one that the ERP is being told waits for its answer."""
    case = unit.book.case(case_id)
    if case is None or case.state.is_final or (case.state is CaseState.WRITING and case.attempted_at is not None):
        return None
    return close(unit, case, CaseState.WITHDRAWN, "not in the ERP any more", elsewhere=Elsewhere())


def show(unit: Unit, case: Case, places: Iterable[Place], *, copy: int = 0) -> None:
    """Owe the case's card to places; where it stands already, its newest state. A ``copy`` is one more card there."""
    for place in dict.fromkeys(places):
        user_id = place.id if place.kind is PlaceKind.PERSON else ""
        unit.book.put_card(CaseCard(case=case.id, place=place, for_user=user_id, copy=copy))
    owe(unit, case)


def owe(unit: Unit, case: Case, *, after: timedelta = timedelta(0)) -> None:
    """Let all cards of the case come to owe its newest state, ``after`` a while if nothing newer comes before."""
    for card in unit.book.cards_of(case.id):
        unit.book.deliver(
            Delivery(
                card=card_key(case.id, card.place, card.kind, card.copy),
                place=card.place,
                kind=card.kind.value,
                ref=f"{case.id}|{card.place}",
                revision=case.revision,
                urgency=Urgency.NOW,
                due_at=unit.now + after,
                fact=f"{case.source}/{case.number}",
            )
        )


def card_key(case_id: str, place: Place, kind: CardKind = CardKind.APPROVAL, copy: int = 0) -> str:
    """Return the stable key of the case's card at a place."""
    return f"{kind}:{case_id}:{place}" + (f":{copy}" if copy else "")


def people(user_ids: Iterable[str]) -> tuple[Place, ...]:
    """Return the one-to-one chats of people."""
    return tuple(Place(PlaceKind.PERSON, user_id) for user_id in user_ids)


def waited_for(unit: Unit, case: Case) -> tuple[str, ...]:
    """Return who can bring an open case on: the level's approvers who have not spoken, and who stands in for them."""
    waited = standing(case.plan, case.votes)
    if isinstance(waited, Verdict):
        return ()
    left = left_of(level_of(case.plan, waited), case)
    found = [*left]
    for person in left:
        found += unit.policy.substitutes_of(person, unit.now)
    found += (one.to for one in case.forwards if one.person in left)
    mute = {vote.user_id for vote in case.votes} | {*case.refused, case.brief.requester} | case.brief.editors
    return tuple(one for one in dict.fromkeys(found) if one not in mute)


def left_of(level: Level, case: Case) -> tuple[str, ...]:
    """Return the level's approvers who have not spoken, themselves or by somebody else."""
    spoken = {vote.on_behalf_of or vote.user_id for vote in case.votes if vote.level == level.number}
    return tuple(one for one in level.approvers if one not in spoken)


def next_due(case: Case) -> datetime | None:
    """Return when an open case is to be looked at next: its next reminder or its deadline."""
    moments = [case.opened_at + after for after in sorted(case.plan.remind_after)[case.reminders :]]
    if case.plan.deadline is not None and not case.expired:
        moments.append(case.opened_at + case.plan.deadline)
    return min(moments, default=None)


def level_of(plan: Plan, number: int) -> Level:
    """Return a level by its number, which counts from 1."""
    return plan.levels[number - 1]


def read_version(case: Case, order: PurchaseOrder) -> Case:
    """Return the case with the ERP's version and its own level as they were read just now."""
    approval = order.approval or Approval()
    return replace(case, version=order.version, level=approval.level, waits_for=approval.pending_for)


def round_of(case: Case) -> int:
    """Return which of the document's cases it is, counted from 1."""
    return int(case.id.rpartition("-")[2])


def _waiting_on(unit: Unit, case: Case, order: PurchaseOrder) -> Case:
    """Return an undecided case; an open one knows for whom the ERP waits now, since people there may pass it on."""
    now = read_version(case, order)
    if case.state is not CaseState.OPEN or now.waits_for == case.waits_for:
        return case
    told = [expected(unit, one.source, one.waits_for, one.plan, one).unmet for one in (case, now)]
    if any(told):  # what cards say of it is another now
        now = replace(now, revision=case.revision + 1)
        owe(unit, now)
    unit.book.put(now)
    unit.audit(now, "erp_waits", detail=", ".join(now.waits_for))
    return now


def _waits_anew(ended: Case, document: Document) -> bool:
    if ended.state in _NOT_AN_END or ended.fingerprint != document.fingerprint:
        return True
    return ended.version != document.order.version


def _case(unit: Unit, document: Document, plan: Plan, round_: int) -> Case:
    case = Case(
        id=_case_id(document, round_),
        source=document.source,
        number=document.number,
        fingerprint=document.fingerprint,
        version=document.order.version,
        state=CaseState.OPEN,
        plan=plan,
        policy=unit.policy.version,
        opened_at=unit.now,
        brief=brief_of(document),
    )
    return replace(read_version(case, document.order), due_at=next_due(case))


def brief_of(document: Document) -> Brief:
    """Return what is remembered of a document."""
    order = document.order
    return Brief(
        vendor=order.vendor,
        total=order.total,
        due_on=order.due_on,
        requester=document.requester,
        requested_by=order.requester,
        editors=document.editors,
    )


def _case_id(document: Document, round_: int) -> str:
    """Return an id that two processes find alike, so that one of them is told by the other's row.

    The round counts the document's cases: a document that is changed and changed back has three.
    """
    seen = f"{document.source}\0{document.number.casefold()}\0{document.fingerprint}"
    return f"{hashlib.sha256(seen.encode()).hexdigest()[:24]}-{round_}"
