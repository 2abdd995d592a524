"""The life of a case apart from its votes: opened, shown, superseded, reminded, escalated, closed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.approvals.case import (
    ApprovalCardKind,
    Case,
    CaseCard,
    CaseState,
    DocumentSummary,
    ExternalDecision,
    InquiryEnd,
    read_external_decision,
)
from bot.approvals.deciders import awaited_voters, find_erp_approvers
from bot.approvals.document import ApprovalDocument
from bot.approvals.document_reader import document_from_case
from bot.approvals.plan import ApprovalLevel, ApprovalPlan, ExpiryAction, Quorum, missing_approvers, tally
from bot.approvals.unit_of_work import CaseUnitOfWork, GroupCards, RulesInForce
from bot.erp.kinds import review_of
from bot.erp.model import DecisionOutcome, ErpRecord, Review, Verdict
from bot.outbox.delivery import Delivery, DeliveryFormat, Urgency
from bot.outbox.place import Place, PlaceKind

TELLING = {CaseState.APPROVED, CaseState.REJECTED, CaseState.DECIDED_ELSEWHERE, CaseState.EXPIRED}
"""Ends reported to the requester; a change or a withdrawal is their own doing."""

_REOPENED_BY_WAITING = {CaseState.SUPERSEDED, CaseState.WITHDRAWN}
"""States that a document leaves by waiting again; the others it leaves by changing in the ERP."""


FOLLOWS_WITHIN = timedelta(minutes=10)
"""How long cards wait to show a step on which nobody has to act there: what comes next mostly comes meanwhile, and one
call shows both. Who acts on such a card is answered by the case as it is.
"""

MAX_TOGETHER = 20
"""The number of places one call shows a card at: each person's values travel with it."""


def open_case(
    unit: CaseUnitOfWork,
    document: ApprovalDocument,
    groups: Sequence[Place],
    *,
    again: bool = False,
    quiet: bool = False,
) -> Case | None:
    """Return the open case of this revision, new or known; None if it cannot be decided from chat (any more).

    An open case of an earlier revision is superseded. A document that the ERP has not touched since its case ended is
    not asked about again, unless ``again`` is set. ``groups`` get a card without prices, now or at the end; a case
    opened with ``quiet`` has no cards and appears only in the list of what waits.
    """
    newest = unit.cases.newest(document.key)
    if not document.review.waits:
        return None
    if newest is not None and not newest.state.is_final:
        if newest.fingerprint == document.fingerprint:
            return update_waiting(unit, newest, document.review)
        if newest.state is not CaseState.OPEN:
            return None  # the ERP is being told about the previous revision; the newer one is handled afterwards
        supersede_case(unit, newest)
    elif newest is not None and not again and not _waits_anew(newest, document):
        return None
    document = replace(document, passed_by=document.passed_by | _passed_before(document, newest))
    plan_result = unit.policy.plan(document, unit.company)
    if plan_result.plan is None:
        return None
    case = new_case(unit, document, plan_result.plan, 1 if newest is None else round_of(newest) + 1)
    unit.cases.put(case)
    unit.audit(case, "opened", detail=plan_result.plan.rule, seen=case.fingerprint)
    if not quiet:
        deciders = person_places(awaited_voters(unit, case))
        at_once = _groups_at_once(unit, case, groups, deciders)
        if later := [group for group in groups if group not in at_once]:
            _place_told(unit, case, later)
        place_cards(unit, case, (*at_once, *deciders))
    return case


def supersede_case(unit: CaseUnitOfWork, case: Case, *, follow: bool = False) -> Case:
    """Close the case of an outdated revision; with ``follow`` the new one is still to be read."""
    return close_case(unit, case, CaseState.SUPERSEDED, "changed in the ERP", follow=follow)


def close_case(
    unit: CaseUnitOfWork,
    case: Case,
    state: CaseState,
    detail: str,
    *,
    elsewhere: ExternalDecision | None = None,
    follow: bool = False,
) -> Case:
    """End a case; all its cards are redrawn with the outcome, and the requester is told.

    With ``follow`` the document is read again afterwards: it may wait for another person, and the outcome is told once
    known.
    """
    closed = replace(
        case,
        state=state,
        elsewhere=elsewhere or case.elsewhere,
        due_at=unit.now if follow else None,
        revision=case.revision + 1,
    )
    unit.cases.put(closed)
    unit.audit(closed, state.value, detail=detail)
    if state in TELLING and closed.summary.requester and not follow:
        requester = person_places((closed.summary.requester,))
        _place_new(unit, closed, requester, ApprovalCardKind.TOLD, together=False)
    enqueue_cards(unit, closed)
    return closed


def close_externally_decided(unit: CaseUnitOfWork, case: Case, document: ErpRecord) -> Case:
    """Close a case whose document was settled in the ERP without the bot."""
    review = review_of(document)
    seen, there = replace(case, version=review.version), read_external_decision(document)
    if there.verdict is None:
        return close_case(unit, seen, CaseState.WITHDRAWN, review.state.value, elsewhere=there)
    by = review.progress.decided_by
    detail = f"{review.state} in the ERP by {by or 'somebody'}" + (f" at {there.at.isoformat()}" if there.at else "")
    return close_case(unit, seen, CaseState.DECIDED_ELSEWHERE, detail, elsewhere=there)


def close_deleted(unit: CaseUnitOfWork, case_id: str) -> Case | None:
    """Close a case whose document was deleted in the ERP; one whose write-back is under way waits for the answer."""
    case = unit.cases.case(case_id)
    if case is None or case.state.is_final or (case.state is CaseState.WRITING and case.attempted_at is not None):
        return None
    return close_case(unit, case, CaseState.WITHDRAWN, "not in the ERP any more", elsewhere=ExternalDecision())


def place_cards(unit: CaseUnitOfWork, case: Case, places: Iterable[Place], *, copy: int = 0) -> None:
    """Queue the case's card for places; where it already stands, its newest state. A ``copy`` is an additional card
    there.

    New places share cards where possible: one call creates a card at all its places, and one call updates it. People
    among them whose turn it is get a to-do if they have none.
    """
    wanted = tuple(dict.fromkeys(places))
    _place_new(unit, case, wanted, ApprovalCardKind.APPROVAL, copy, together=unit.options.one_card)
    if unit.options.todos if case.plan.todo is None else case.plan.todo:
        waited = person_places(awaited_voters(unit, case))
        asked = [place for place in wanted if place in waited]
        _place_new(unit, case, asked, ApprovalCardKind.TO_DO, together=True)
    enqueue_cards(unit, case)


def _groups_at_once(
    unit: CaseUnitOfWork, case: Case, groups: Sequence[Place], deciders: Sequence[Place]
) -> Sequence[Place]:
    """Return the groups that are shown a case while it waits; all of them where nobody else would be."""
    options = unit.options
    if options.group_cards is GroupCards.DECIDED:
        return ()
    if options.group_cards is GroupCards.WAITING or not options.one_card or not deciders:
        return groups
    shared = [batch for batch in options.reach.split((*groups, *deciders), case) if not {*deciders}.isdisjoint(batch)]
    return [group for group in groups if any(group in batch for batch in shared)]


def _place_told(unit: CaseUnitOfWork, case: Case, groups: Sequence[Place]) -> None:
    """Store one card for the groups and the requester; it shows nothing before the end."""
    requester = person_places((case.summary.requester,) if case.summary.requester else ())
    _place_new(unit, case, (*groups, *requester), ApprovalCardKind.TOLD, together=unit.options.one_card)


def _place_new(
    unit: CaseUnitOfWork,
    case: Case,
    places: Sequence[Place],
    kind: ApprovalCardKind,
    copy: int = 0,
    *,
    together: bool,
) -> None:
    """Store a card at the places that have none of its kind; ``together`` they share it."""
    known = {card.place for card in unit.cases.cards_of(case.id) if (card.kind, card.copy) == (kind, copy)}
    new = [place for place in places if place not in known]
    told = kind is ApprovalCardKind.TOLD
    # A to-do says the same to everybody.
    alike = [new] if kind is ApprovalCardKind.TO_DO else unit.options.reach.split(new, case, told=told)
    for batch in (some[at : at + MAX_TOGETHER] for some in alike for at in range(0, len(some), MAX_TOGETHER)):
        shared = shared_key(case.id, batch, kind, copy) if together and len(batch) > 1 else ""
        for place in batch:
            user_id = place.id if place.kind is PlaceKind.PERSON else ""
            card = CaseCard(case=case.id, place=place, for_user=user_id, kind=kind, copy=copy, shared=shared)
            unit.cases.put_card(card)


def call_in_groups(unit: CaseUnitOfWork, case_id: str, people: Iterable[Place]) -> None:
    """Call the people whose turn it is and whose chat did not take the card: once, in each group that has it."""
    case = unit.cases.case(case_id)
    if case is None or case.state is not CaseState.OPEN:
        return
    cards = unit.cases.cards_of(case_id)
    groups = {card.place: None for card in cards if _is_groups(card)}
    known = {(card.place, card.for_user) for card in cards if card.kind is ApprovalCardKind.CALL}
    waited = frozenset(awaited_voters(unit, case))
    calls = [
        CaseCard(case=case_id, place=group, for_user=person.id, kind=ApprovalCardKind.CALL)
        for person in people
        for group in groups
        if person.id in waited and (group, person.id) not in known
    ]
    for card in calls:
        unit.cases.put_card(card)
        unit.audit(case, "called", user_id=card.for_user, detail=str(card.place))
    _owe(unit, case, calls, unit.now)


def _is_groups(card: CaseCard) -> bool:
    return card.place.kind is PlaceKind.GROUP and card.kind in (ApprovalCardKind.APPROVAL, ApprovalCardKind.TOLD)


def enqueue_cards(unit: CaseUnitOfWork, case: Case, *, after: timedelta = timedelta(0)) -> None:
    """Queue the newest state for all cards of the case and all answers that show its document.

    They are sent ``after`` a delay unless something newer comes first. The requester's card of a question stays as it
    is unless the case ended without an answer.
    """
    unit.cases.redraw_answers(case, unit.now + after)
    unanswered = case.inquiry is None and bool(case.inquiries) and case.inquiries[-1].ended is None
    _owe(unit, case, (card for card in unit.cases.cards_of(case.id) if unanswered or not _asks(card)), unit.now + after)


def _asks(card: CaseCard) -> bool:
    return card.kind is ApprovalCardKind.ASKED


def remind(
    unit: CaseUnitOfWork, case: Case, people: Iterable[str], kind: ApprovalCardKind = ApprovalCardKind.APPROVAL
) -> None:
    """Queue a further card for people at once: updating an existing card notifies nobody. The others follow later."""
    copy = 1 + max((card.copy for card in unit.cases.cards_of(case.id) if card.kind is kind), default=0)
    _place_new(unit, case, person_places(people), kind, copy, together=unit.options.one_card)
    enqueue_cards(unit, case, after=FOLLOWS_WITHIN)
    new = (card for card in unit.cases.cards_of(case.id) if (card.kind, card.copy) == (kind, copy))
    _owe(unit, case, new, unit.now)


def end_inquiry(unit: CaseUnitOfWork, case: Case, end: InquiryEnd, answer: str = "", *, prompted: bool = False) -> Case:
    """End the open question of a case: reminders and deadlines go on, and all cards show it.

    The requester's card follows unless they were ``prompted`` on it for the answer, and the asker gets another card if
    nobody ended it.
    """
    asked = case.inquiries[-1]
    over = replace(asked, ended=end, ended_at=unit.now, answer=answer)
    ended = scheduled(replace(case, inquiries=(*case.inquiries[:-1], over), revision=case.revision + 1))
    unit.cases.put(ended)
    if end is InquiryEnd.LAPSED:
        remind(unit, ended, (asked.by,))
    enqueue_cards(unit, ended)
    if not prompted:
        _owe(unit, ended, filter(_asks, unit.cases.cards_of(case.id)), unit.now)
    return ended


def separate_cards(unit: CaseUnitOfWork, case_id: str, shared: str, places: Sequence[Place]) -> None:
    """Give places their own card in place of the ``shared`` one, which keeps its other places."""
    case = unit.cases.case(case_id)
    if case is None:
        return
    cards = [card for card in unit.cases.cards_of(case_id) if card.shared == shared]
    apart = [replace(card, shared="") for card in cards if card.place in places]
    staying = [card for card in cards if card.place not in places]
    for card in apart:
        unit.cases.put_apart(card)
    if not staying:
        unit.cases.withdraw(shared)
    _owe(unit, case, [*apart, *staying], unit.now)


def _owe(unit: CaseUnitOfWork, case: Case, cards: Iterable[CaseCard], due_at: datetime) -> None:
    """Queue the case's newest state for cards, in one delivery where they share one."""
    deliveries: dict[str, list[CaseCard]] = {}
    for card in cards:
        key = card.shared or key_of(card)
        deliveries.setdefault(key, []).append(card)
    for key, sharing in deliveries.items():
        places = tuple(card.place for card in sharing)
        is_todo = sharing[0].kind is ApprovalCardKind.TO_DO
        called = person_places([sharing[0].for_user]) if sharing[0].kind is ApprovalCardKind.CALL else ()
        unit.cases.deliver(
            Delivery(
                card=key,
                place=places[0],
                also=places[1:],
                kind=sharing[0].kind.value,
                ref="|".join((case.id, *map(str, (*places, *called)))),
                revision=case.revision,
                urgency=Urgency.SOON if is_todo else Urgency.NOW,
                due_at=due_at,
                fact=f"{case.source}/{case.number}",
                via=DeliveryFormat.TO_DO if is_todo else DeliveryFormat.CARD,
            )
        )


def shared_key(
    case_id: str, places: Sequence[Place], kind: ApprovalCardKind = ApprovalCardKind.APPROVAL, copy: int = 0
) -> str:
    """Return the stable key of a shared card, taken from its first place: no two cards share a first place."""
    return f"{card_key(case_id, places[0], kind, copy)}+{len(places) - 1}"


def card_key(case_id: str, place: Place, kind: ApprovalCardKind = ApprovalCardKind.APPROVAL, copy: int = 0) -> str:
    """Return the stable key of the case's card at a place."""
    return f"{kind}:{case_id}:{place}" + (f":{copy}" if copy else "")


def key_of(card: CaseCard) -> str:
    """Return the stable key of an unshared card at a place."""
    key = card_key(card.case, card.place, card.kind, card.copy)
    return f"{key}:{card.for_user}" if card.kind is ApprovalCardKind.CALL else key


def person_places(user_ids: Iterable[str]) -> tuple[Place, ...]:
    """Return people's one-to-one chats."""
    return tuple(Place(PlaceKind.PERSON, user_id) for user_id in user_ids)


def next_due(case: Case) -> datetime | None:
    """Return when an open case needs attention next: its next reminder or its deadline, or the end of its question."""
    if case.inquiry is not None:
        return case.inquiry.until
    moments = [case.counts_from + after for after in sorted(case.plan.remind_after)[case.reminders :]]
    if case.plan.deadline is not None and not case.expired:
        moments.append(case.counts_from + case.plan.deadline)
    return min(moments, default=None)


def scheduled(case: Case) -> Case:
    """Return an open case scheduled for its next reminder or deadline."""
    return replace(case, due_at=next_due(case))


def with_version(case: Case, review: Review) -> Case:
    """Return a case with the ERP's version and level as just read."""
    approval = review.progress
    return replace(
        case, version=review.version, level=approval.level, levels=approval.levels, waits_for=approval.pending_for
    )


def round_of(case: Case) -> int:
    """Return the ordinal of this case among the document's cases, counted from 1."""
    return int(case.id.rpartition("-")[2])


def update_waiting(unit: CaseUnitOfWork, case: Case, review: Review) -> Case:
    """Return an undecided case updated with the people the ERP waits for, since it may be forwarded there.

    New deciders get the card.
    """
    now = with_version(case, review)
    if case.state is not CaseState.OPEN or now.waits_for == case.waits_for:
        return case
    known, awaited = awaited_voters(unit, case), awaited_voters(unit, now)
    is_told = awaited != known or any(_is_mismatched(unit, seen) for seen in (case, now))
    if is_told:  # the card's text has changed
        now = replace(now, revision=case.revision + 1)
    unit.cases.put(now)
    unit.audit(now, "erp_waits", detail=", ".join(now.waits_for))
    if is_told:
        place_cards(unit, now, person_places(user_id for user_id in awaited if user_id not in known))
    return now


def _is_mismatched(unit: CaseUnitOfWork, case: Case) -> bool:
    return find_erp_approvers(unit, document_from_case(case), case).mismatched


def _waits_anew(ended: Case, document: ApprovalDocument) -> bool:
    if ended.state in _REOPENED_BY_WAITING or ended.fingerprint != document.fingerprint:
        return True
    return ended.version != document.review.version


def _passed_before(document: ApprovalDocument, ended: Case | None) -> frozenset[str]:
    """Return who approved the ERP's earlier levels from here: the ERP names at most the last one."""
    approval = document.review.progress
    if ended is None or ended.fingerprint != document.fingerprint or approval.level <= ended.level:
        return frozenset()
    is_ours = ended.decision is not None and ended.outcome is DecisionOutcome.MORE_APPROVALS_NEEDED
    return ended.summary.passed_by | ({ended.decision.by} if ended.decision is not None and is_ours else frozenset())


def new_case(unit: RulesInForce, document: ApprovalDocument, plan: ApprovalPlan, round_: int = 1) -> Case:
    """Return a new open case for a revision, not yet stored; ``round_`` counts the document's cases."""
    case = Case(
        id=_case_id(document, round_),
        source=document.source,
        kind=document.kind,
        number=document.number,
        fingerprint=document.fingerprint,
        version=document.review.version,
        state=CaseState.OPEN,
        plan=plan,
        policy=unit.policy.version,
        opened_at=unit.now,
        summary=summarise_document(document),
        checks=document.checks,
    )
    return scheduled(with_version(case, document.review))


def summarise_document(document: ApprovalDocument) -> DocumentSummary:
    """Return the remembered part of a document."""
    kind, record = document.kind, document.read
    return DocumentSummary(
        partner=document.partner,
        total=document.total,
        day=kind.day(record),
        due_on=kind.due(record),
        requester=document.requester,
        requested_by=document.review.requester,
        editors=document.editors,
        passed_by=document.passed_by,
    )


def _case_id(document: ApprovalDocument, round_: int) -> str:
    """Return an id that any two processes derive alike, so that one notices the other's row.

    The round counts the document's cases: a document that is changed and changed back has three.
    """
    source, kind, number = document.key.folded
    seen = "\0".join((source, kind.command, number, document.fingerprint))
    return f"{hashlib.sha256(seen.encode()).hexdigest()[:24]}-{round_}"


_DEFECT_PAUSE = timedelta(minutes=5)
"""How long a case is deferred after a defect of ours."""

_FOLLOW_UP_RETRY = timedelta(seconds=15)
"""The pause between attempts to read the document of an ended case."""


def apply_deadlines(unit: CaseUnitOfWork, case_id: str) -> Case | None:
    """Run what is due for an open case; None if nothing is."""
    case = unit.cases.case(case_id)
    if case is None or case.state is not CaseState.OPEN or case.due_at is None or case.due_at > unit.now:
        return None
    if case.inquiry is not None:
        unit.audit(case, "question_lapsed")
        return end_inquiry(unit, case, InquiryEnd.LAPSED)
    if case.plan.deadline is not None and not case.expired and case.counts_from + case.plan.deadline <= unit.now:
        return _expire(unit, case)
    return _remind(unit, case)


def finish_follow_up(unit: CaseUnitOfWork, case_id: str) -> None:
    """Record that the document of an ended case was read again."""
    case = unit.cases.case(case_id)
    if case is not None and case.state.is_final and case.due_at is not None:
        unit.cases.put(replace(case, due_at=None))


def retry_follow_up(unit: CaseUnitOfWork, case_id: str) -> None:
    """Have the document of an ended case read once its source may answer again."""
    case = unit.cases.case(case_id)
    if case is not None and case.state.is_final and case.due_at is not None:
        unit.cases.put(replace(case, due_at=unit.now + _FOLLOW_UP_RETRY))


def postpone(unit: CaseUnitOfWork, case_id: str) -> None:
    """Defer a case so that it does not block the others."""
    case = unit.cases.case(case_id)
    if case is not None and case.due_at is not None and case.due_at < unit.now + _DEFECT_PAUSE:
        unit.cases.put(replace(case, due_at=unit.now + _DEFECT_PAUSE))


def _remind(unit: CaseUnitOfWork, case: Case) -> Case:
    due = [after for after in case.plan.remind_after if case.counts_from + after <= unit.now]
    reminded = replace(case, reminders=len(due), revision=case.revision + 1)
    reminded = scheduled(reminded)
    unit.cases.put(reminded)
    unit.audit(reminded, "reminded", detail=str(reminded.reminders))
    remind(unit, reminded, awaited_voters(unit, reminded))
    return reminded


def _expire(unit: CaseUnitOfWork, case: Case) -> Case:
    unit.audit(case, "expired", detail=case.plan.on_expiry.value)
    match case.plan.on_expiry:
        case ExpiryAction.CLOSE:
            return close_case(unit, case, CaseState.EXPIRED, "nobody decided in time")
        case ExpiryAction.ESCALATE if case.plan.escalate_to:
            return escalate(unit, case)
        case _:
            late = replace(case, expired=True, revision=case.revision + 1)
            late = scheduled(late)
            unit.cases.put(late)
            enqueue_cards(unit, late)
            return late


def escalate(unit: CaseUnitOfWork, case: Case) -> Case:
    """Let the rule's escalation people decide as well, at the current level."""
    waited = tally(case.plan, case.votes)
    assert not isinstance(waited, Verdict), "an open case waits for a level"
    passed, rest = case.plan.levels[: waited - 1], case.plan.levels[waited:]
    levels = (*passed, *_widen_level(case.plan.level(waited), case), *rest)
    numbered = tuple(replace(level, number=number) for number, level in enumerate(levels, 1))
    wider = replace(case, plan=replace(case.plan, levels=numbered), expired=True, revision=case.revision + 1)
    wider = scheduled(wider)
    unit.cases.put(wider)
    unit.audit(wider, "escalated", detail=", ".join(case.plan.escalate_to))
    place_cards(unit, wider, person_places(awaited_voters(unit, wider)))
    return wider


def _widen_level(level: ApprovalLevel, case: Case) -> tuple[ApprovalLevel, ...]:
    """Return the level that replaces an expired one: its votes count, and one more completes it."""
    missing = missing_approvers(level, case.votes)
    agreed = tuple(approver for approver in level.approvers if approver not in missing)
    one_of = replace(level, quorum=Quorum.ANY, approvers=tuple(dict.fromkeys((*missing, *case.plan.escalate_to))))
    return (replace(level, approvers=agreed), one_of) if agreed else (one_of,)
