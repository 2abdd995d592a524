"""Draws cases: makes the views that cards show of them. Pure; what has to be read was read before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from bot.approvals.asking import SEEN, Folder, Reasons
from bot.approvals.case import Case, CaseState, Decision
from bot.approvals.changing import Known, changes_of
from bot.approvals.insights import Insight, LineInsight, Missing
from bot.approvals.list_views import ApprovalRow
from bot.approvals.ruling import Level, Need, Plan, Planning, Ruling, Vote, standing
from bot.approvals.views import (
    ApprovalLine,
    ApprovalSaid,
    ApprovalTold,
    ApprovalView,
    ApprovalWhy,
    Face,
    Rung,
    Spoken,
)
from bot.chat.line import command_line
from bot.erp.model import Money, Outcome, PurchaseLine, PurchaseOrder
from bot.phrase import Phrase, phrase

_NO_LINE = LineInsight()

LIMIT = phrase("A limit of yours does not allow it; ask in your own chat with the bot.")
"""What stands in a group for a reason that tells an amount."""

_MISSING = {
    Missing.HISTORY: phrase("Earlier purchases could not be found out in time."),
    Missing.STOCK: phrase("Stock could not be found out in time."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """For whom a card is drawn; without ``user_id`` for everybody at its place."""

    face: Face
    user_id: str = ""
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What a click is answered beside the card's own state; see `ApprovalView`."""

    note: Phrase | None = None
    ask: tuple[str, ...] = ()
    sure: bool = False
    retry: str = ""


def draw_case(
    folder: Folder, known: Known, reader: Reader, *, remark: Remark | None = None, offset: int = 0
) -> ApprovalView:
    """Return a case as one reader may see it; on a bare face nothing that is a price is put into it."""
    case, order, remark = folder.case, known.order, remark or Remark()
    priced, is_open = reader.face is Face.PRICED, case.state is CaseState.OPEN
    insight = known.insight if is_open else None
    waited = standing(case.plan, case.votes) if is_open else 0
    level = case.plan.levels[waited - 1] if isinstance(waited, int) and waited else None
    lines = order.lines if order is not None else ()
    rows = tuple(_line(line, insight, priced=priced) for line in lines)
    decision = case.decision
    return ApprovalView(
        case=case.id,
        seen=case.fingerprint[:SEEN],
        number=case.number,
        source=case.source,
        vendor=case.brief.vendor,
        face=reader.face,
        state=case.state,
        requester=_requester(case, order, known.names),
        amount=case.brief.total if priced else None,
        due_on=case.brief.due_on,
        rows=rows[offset : offset + ApprovalView.page_size],
        total=len(rows),
        offset=offset,
        line=command_line("pending", case.id),
        read=order is not None,
        level=level.number if level else 1,
        levels=len(case.plan.levels),
        need_all=level is not None and level.need is Need.ALL,
        waited=_names(folder.waited, known.names),
        erp_waits=folder.expected.called(known.names, order) if priced else (),
        spoken=tuple(_spoken(vote, known.names, priced=priced) for vote in case.votes) if decision is None else (),
        decision=None if decision is None else _decided(decision, priced=priced),
        elsewhere=case.elsewhere,
        words=_words(case.said, priced=priced) if case.state in (CaseState.FAILED, CaseState.OPEN) else "",
        flags=tuple(_flags(order, insight, priced=priced)) if order and insight else (),
        facts=tuple(_facts(insight)) if insight else (),
        missing=tuple(_MISSING[one] for one in sorted(insight.missing)) if insight else (),
        changes=changes_of(folder, known, priced=priced),
        late=is_open and case.expired,
        more=case.state is CaseState.APPROVED and case.outcome is Outcome.MORE_APPROVALS_NEEDED,
        note=remark.note and named(remark.note, known.names),
        ask=_names(remark.ask, known.names),
        sure=remark.sure,
        mute=_is_mute(case, reader.user_id),
        undo=_can_undo(folder, reader),
        retry=remark.retry,
        newer=folder.newer.id if folder.newer and not folder.newer.state.is_final and case.state.is_final else "",
        url=order.url if order is not None and priced else "",
    )


def draw_said(view: ApprovalView, note: Phrase) -> ApprovalSaid:
    """Return what is answered to words that count, from the case as their speaker sees it."""
    return ApprovalSaid(
        case=view.case,
        number=view.number,
        vendor=view.vendor,
        note=note,
        spoken=view.decision or next(reversed(view.spoken), None),
        undo=view.undo,
    )


def draw_told(case: Case) -> ApprovalTold:
    """Return what the requester is told."""
    decision = case.decision
    return ApprovalTold(
        case=case.id,
        number=case.number,
        vendor=case.brief.vendor,
        amount=case.brief.total,
        state=case.state,
        decision=None if decision is None else _decided(decision, priced=True),
        elsewhere=case.elsewhere,
        words=case.said if case.state is CaseState.FAILED else "",
    )


def draw_row(case: Case, face: Face, *, result: Phrase | None = None, done: bool = False) -> ApprovalRow:
    """Return a case in a list."""
    return ApprovalRow(
        case=case.id,
        number=case.number,
        vendor=case.brief.vendor,
        amount=case.brief.total if face is Face.PRICED else None,
        due_on=case.brief.due_on,
        since=case.opened_at,
        result=result,
        done=done,
    )


def draw_why(why: Reasons, names: Mapping[str, str], face: Face) -> ApprovalWhy:
    """Return the reasons as people read them. Limits are amounts: on a bare face reasons that hold one are left out."""
    case = why.case
    plan = case.plan if case is not None else why.planning.plan
    votes, priced = case.votes if case is not None else (), face is Face.PRICED
    said = [ruling for ruling in (why.approve, why.reject) if ruling is not None]
    because = {str(reason): reason for ruling in said for reason in _reasons(ruling, names, face)}
    waited = standing(case.plan, case.votes) if case is not None and case.state is CaseState.OPEN else 0
    return ApprovalWhy(
        number=why.document.number,
        case=case.id if case is not None else "",
        rule=plan.rule if plan is not None else "",
        policy=case.policy if case is not None else "",
        reasons=(*_planned(why.planning, names, face), *_expected(why, names)),
        rungs=tuple(_rung(level, votes, names, priced=priced) for level in plan.levels) if plan is not None else (),
        level=waited if isinstance(waited, int) else 0,
        may=why.approve.allowed if why.approve is not None else None,
        may_reject=why.reject.allowed if why.reject is not None else None,
        because=tuple(because.values()),
        ask=_names(tuple(dict.fromkeys(one for ruling in said for one in ruling.ask)), names),
    )


def people_of(case: Case) -> tuple[str, ...]:
    """Return the userIds of all whom a card about the case may name."""
    votes = (one for vote in case.votes for one in (vote.user_id, vote.on_behalf_of))
    others = (case.brief.requester, *case.plan.escalate_to, *(one.to for one in case.forwards))
    return tuple(one for one in dict.fromkeys((*people_in(case.plan), *votes, *others)) if one)


def people_in(plan: Plan) -> tuple[str, ...]:
    """Return the userIds that a plan names, those who may not decide among them."""
    return tuple(one for level in plan.levels for one in (*level.approvers, *level.excluded))


def named(reason: Phrase, names: Mapping[str, str]) -> Phrase:
    """Return a phrase that names people as people call them: reasons come with userIds."""
    params = {
        key: names.get(value, value) if key == "person" and isinstance(value, str) else value
        for key, value in reason.params.items()
    }
    return Phrase(reason.msgid, MappingProxyType(params))


def has_money(reason: Phrase) -> bool:
    """Whether a phrase tells an amount, itself or in a phrase inside it."""
    return any(
        isinstance(value, Money) or (isinstance(value, Phrase) and has_money(value)) for value in reason.params.values()
    )


def _planned(planning: Planning, names: Mapping[str, str], face: Face) -> Iterator[Phrase]:
    for reason in planning.reasons:
        if face is Face.PRICED or not has_money(reason):
            yield named(reason, names)


def _expected(why: Reasons, names: Mapping[str, str]) -> Iterator[Phrase]:
    called = why.expected.called(names, why.document.order)
    if not called:
        return
    yield phrase("The ERP itself waits for %(names)s.", names=", ".join(called))
    if why.expected.unmet:
        yield phrase("None of those who decide by the rule is among them: the ERP would not take their decision.")


def _reasons(ruling: Ruling, names: Mapping[str, str], face: Face) -> Iterator[Phrase]:
    for reason in ruling.reasons:
        if face is Face.PRICED or not has_money(reason):
            yield named(reason, names)
        else:
            yield LIMIT


def _names(user_ids: Sequence[str], names: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names.get(one, one) for one in user_ids))


def _requester(case: Case, order: PurchaseOrder | None, names: Mapping[str, str]) -> str:
    account = case.brief.requested_by
    if case.brief.requester in names:
        return names[case.brief.requester]
    return order.named(account) if order is not None and account else account


def _words(text: str, *, priced: bool) -> str:
    """Return somebody's own words; for a group only those without a figure, which might be a price."""
    return text if priced or not any(map(str.isdigit, text)) else ""


def _decided(decision: Decision, *, priced: bool) -> Spoken:
    reason = _words(decision.reason, priced=priced)
    return Spoken(name=decision.name, verdict=decision.verdict, at=decision.at, reason=reason)


def _spoken(vote: Vote, names: Mapping[str, str], *, priced: bool) -> Spoken:
    principal = vote.on_behalf_of
    return Spoken(
        name=vote.name,
        verdict=vote.verdict,
        at=vote.at,
        reason=_words(vote.reason, priced=priced),
        instead_of=names.get(principal, principal) if principal != vote.user_id else "",
    )


def _rung(level: Level, votes: Sequence[Vote], names: Mapping[str, str], *, priced: bool) -> Rung:
    return Rung(
        number=level.number,
        need_all=level.need is Need.ALL,
        approvers=_names(level.approvers, names),
        excluded=tuple((names.get(one, one), named(reason, names)) for one, reason in level.excluded.items()),
        spoken=tuple(_spoken(vote, names, priced=priced) for vote in votes if vote.level == level.number),
    )


def _is_mute(case: Case, user_id: str) -> bool:
    """Whether a reader certainly has nothing to say; who may say something the policy decides when they do."""
    if not user_id:
        return False
    spoke = any(vote.user_id == user_id for vote in case.votes)
    return spoke or user_id == case.brief.requester or user_id in case.brief.editors or user_id in case.refused


def _can_undo(folder: Folder, reader: Reader) -> bool:
    decision, until = folder.case.decision, folder.undo_until
    return decision is not None and decision.by == reader.user_id and until is not None and reader.now < until


def _line(line: PurchaseLine, insight: Insight | None, *, priced: bool) -> ApprovalLine:
    about = insight.lines.get(line.sku, _NO_LINE) if insight is not None else _NO_LINE
    last = about.last if priced else None
    return ApprovalLine(
        sku=line.sku,
        name=line.name,
        unit=line.unit,
        quantity=line.quantity,
        price=line.price if priced else None,
        last_price=last.price if last else None,
        drift=last.drift if last else None,
        jump=about.jump and priced,
        usual=about.usual,
        at_hand=about.at_hand,
        incoming=about.incoming,
    )


def _flags(order: PurchaseOrder, insight: Insight, *, priced: bool) -> Iterator[Phrase]:
    if insight.duplicates:
        yield phrase("Same lines as %(numbers)s", numbers=", ".join(insight.duplicates))
    for line in order.lines:
        about = insight.lines.get(line.sku, _NO_LINE)
        if about.jump and priced and about.last is not None:
            yield phrase("%(sku)s: %(drift)s %% dearer than last time", sku=line.sku, drift=about.last.drift)
        if about.usual is not None:
            yield phrase(
                "%(sku)s: far more than usual (%(usual)s %(unit)s)", sku=line.sku, usual=about.usual, unit=line.unit
            )
    if insight.past_due:
        yield phrase("The due date has passed")
    if insight.usual_currency and priced:
        yield phrase("Usually paid in %(currency)s", currency=insight.usual_currency)


def _facts(insight: Insight) -> Iterator[Phrase]:
    lateness = insight.lateness
    if lateness is not None and lateness.late:
        yield phrase(
            "Supplier: %(late)s of %(awaited)s awaited orders late, up to %(days)s days",
            late=lateness.late,
            awaited=lateness.awaited,
            days=lateness.days,
        )
    elif lateness is not None:
        yield phrase("Supplier: none of %(awaited)s awaited orders is late", awaited=lateness.awaited)
    if insight.open_orders:
        yield phrase("Open at the supplier: %(numbers)s", numbers=", ".join(insight.open_orders))
