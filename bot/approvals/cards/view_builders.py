"""Builds the views of cases for cards. Pure: all reading happens before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from types import MappingProxyType

from bot.approvals.cards.insights import NO_INSIGHT, Insight, MissingInsight
from bot.approvals.cards.list_views import ApprovalListRow
from bot.approvals.cards.views import (
    HEADLINES,
    ApprovalLine,
    ApprovalReply,
    ApprovalView,
    ApprovalWhy,
    Audience,
    ChangedField,
    CheckedLines,
    InquiryLine,
    PlanLevel,
    RequesterInquiry,
    RequesterNotice,
    RevisionLine,
    UnseenApproval,
    VoteLine,
)
from bot.approvals.case import Case, CaseDecision, CaseState, external_headline, withdrawal_text
from bot.approvals.case_context import CaseContext, DecisionExplanation
from bot.approvals.deciders import AwayApprover
from bot.approvals.document import FINGERPRINT_PREFIX, ApprovalDocument
from bot.approvals.plan import ApprovalLevel, ApprovalPlan, Eligibility, PlanResult, Quorum, Vote, label_rule, tally
from bot.chat.parsing import command_line
from bot.checks.last_price import unit_price
from bot.erp.errors import own_words
from bot.erp.kinds import deciding_of, review_of
from bot.erp.model import Currency, DecisionOutcome, ErpRecord, Money, Review
from bot.words.disclosure import FieldClass
from bot.words.phrase import Phrase, phrase

_NO_NAMES: Mapping[str, str] = MappingProxyType({})
_MAX_CHANGES = 6
"""The number of changes named on a card; the order shows the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionData:
    """The case's own revision and its neighbours; ``document`` is None if its lines are unknown."""

    document: ErpRecord | None = None
    insight: Insight | None = None
    before: ErpRecord | None = None
    newer: ErpRecord | None = None
    names: Mapping[str, str] = field(default_factory=lambda: _NO_NAMES)
    """Known names by userId."""


def list_changes(context: CaseContext, known: RevisionData, *, priced: bool) -> tuple[ChangedField, ...]:
    """Return the changes since the previous revision or, on a superseded card, in the next one."""
    case = context.case
    if case.state is CaseState.SUPERSEDED and context.newer is not None:
        changed = diff_cases(case, context.newer, known.document, known.newer, priced=priced)
    elif case.state is CaseState.OPEN and context.before is not None and context.before.state is CaseState.SUPERSEDED:
        changed = diff_cases(context.before, case, known.before, known.document, priced=priced)
    else:
        return ()
    return tuple(changed)[:_MAX_CHANGES]


def diff_cases(
    was: Case, now: Case, was_document: ErpRecord | None, now_document: ErpRecord | None, *, priced: bool
) -> Iterator[ChangedField]:
    """Yield the differences between two revisions; lines only if both are known."""
    old, new = was.summary, now.summary
    amounts = (old.total, new.total) if priced else (None, None)
    classes, words = now.kind.amounts.classes, deciding_of(now.kind)
    if old.partner != new.partner:
        label = now.kind.cards.partner_label(now)
        yield ChangedField(label=label, before=old.partner, now=new.partner, field_class=FieldClass.PARTNER)
    if old.total != new.total:
        yield ChangedField(label=phrase("Amount"), before=amounts[0], now=amounts[1], field_class=classes)
    if old.due_on != new.due_on:
        yield ChangedField(label=words.due, before=old.due_on, now=new.due_on)
    if old.requested_by != new.requested_by:
        yield ChangedField(label=phrase("Requested by"), before=old.requested_by, now=new.requested_by)
    if was_document is not None and now_document is not None:
        lines = (_lines(was_document, classes), _lines(now_document, classes))
        yield from _line_changes(*lines, classes, priced=priced)


def _lines(document: ErpRecord, classes: frozenset[FieldClass]) -> tuple[RevisionLine, ...]:
    """Return the lines of a record of any kind; none for a kind without lines."""
    return tuple(RevisionLine.of(line, classes) for line in getattr(document, "lines", ()))


def _line_changes(
    was: Sequence[RevisionLine], now: Sequence[RevisionLine], classes: frozenset[FieldClass], *, priced: bool
) -> Iterator[ChangedField]:
    old, new = {line.sku: line for line in was}, {line.sku: line for line in now}
    for sku in dict.fromkeys((*old, *new)):
        before, after = old.get(sku), new.get(sku)
        if before is None or after is None:
            yield ChangedField(label=phrase("Line added") if before is None else phrase("Line removed"), what=sku)
            continue
        if (before.quantity, before.unit) != (after.quantity, after.unit):
            yield ChangedField(
                label=phrase("Quantity"),
                what=sku,
                before=_quantity_text(before),
                now=_quantity_text(after),
                field_class=FieldClass.QUANTITY,
            )
        if before.price != after.price:
            prices = (unit_price(before.price), unit_price(after.price)) if priced else (None, None)
            yield ChangedField(label=phrase("Price"), what=sku, before=prices[0], now=prices[1], field_class=classes)


def _quantity_text(line: RevisionLine) -> str:
    return "" if line.quantity is None else f"{line.quantity.normalize():f} {line.unit}".strip()


MOST_FLAGS = 3
"""The flags of checks for which a card has room; /why tells all."""


def check_lines(document: Case | ApprovalDocument, *, most: int | None = None) -> CheckedLines | None:
    """Return what the checks of a document came to; None without any."""
    checks = document.checks
    if not checks:
        return None
    flags = tuple(flag for result in checks for flag in result.flags)
    return CheckedLines(
        flags=flags[:most],
        more=len(flags[most:]) if most is not None else 0,
        looked_at=tuple(result.looked_at for result in checks),
        as_of=min(result.as_of for result in checks),
        classes=document.kind.amounts.classes | {FieldClass.PARTNER},
    )


_NOT_RECORDED = phrase("Not recorded.")
HIDDEN_LIMIT = phrase("A limit of yours does not allow it; ask in your own chat with the bot.")
"""The text for a group in place of a reason that contains an amount."""

_MISSING = {
    MissingInsight.HISTORY: phrase("Earlier purchases could not be looked up in time."),
    MissingInsight.STOCK: phrase("Stock could not be looked up in time."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CardViewer:
    """The person a card is drawn for; without ``user_id``, everybody at its place."""

    audience: Audience
    user_id: str = ""
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyNote:
    """The reply to a click, shown beside the card's own state; see `ApprovalView`."""

    note: Phrase | None = None
    ask: tuple[str, ...] = ()
    aside: bool = False
    sure: bool = False
    insist: bool = False
    retry: str = ""


def build_case_view(
    context: CaseContext, known: RevisionData, reader: CardViewer, *, remark: ReplyNote | None = None, offset: int = 0
) -> ApprovalView:
    """Return a case as one reader may see it; a bare card gets no price at all."""
    case, document, remark = context.case, known.document, remark or ReplyNote()
    priced, is_open = reader.audience is Audience.PRICED, case.state is CaseState.OPEN
    insight = known.insight if is_open else None
    waited = tally(case.plan, case.votes) if is_open else 0
    level = case.plan.levels[waited - 1] if isinstance(waited, int) and waited else None
    review = review_of(document) if document is not None else None
    lines = _lines(document, case.kind.amounts.classes) if document is not None else ()
    rows = tuple(_line(line, insight, priced=priced) for line in lines)
    decision = case.decision
    return ApprovalView(
        case=case.id,
        seen=case.fingerprint[:FINGERPRINT_PREFIX],
        kind=case.kind.command,
        number=case.number,
        source=case.source,
        partner=case.summary.partner,
        audience=reader.audience,
        state=case.state,
        requester=_requester(case, review, known.names),
        amount=case.summary.total if priced else None,
        classes=case.kind.amounts.classes,
        due_on=case.summary.due_on,
        rows=rows[offset : offset + ApprovalView.page_size],
        total=len(rows),
        offset=offset,
        line=command_line("pending", case.id),
        read=document is not None,
        level=level.number if level else 1,
        levels=len(case.plan.levels),
        need_all=level is not None and level.quorum is Quorum.ALL,
        waited=_names(context.waited, known.names),
        away=tuple(_away(context.away, known.names)),
        turned_away=_names(case.refused, known.names) if is_open else (),
        erp_waits=context.erp_approvers.display_names(known.names, review) if priced else (),
        erp_level=case.level,
        erp_levels=case.levels,
        spoken=tuple(_vote_line(vote, known.names, priced=priced) for vote in case.votes) if decision is None else (),
        asked=inquiry_lines(case, priced=priced),
        inquiry=number_of_inquiry(case),
        nudged_by="" if case.nudge is None else case.nudge.name,
        nudged_at=None if case.nudge is None else case.nudge.at,
        own_inquiry=case.inquiry is not None and case.inquiry.by == reader.user_id,
        decision=None if decision is None else _decision_line(case, decision, known.names, priced=priced),
        elsewhere=case.elsewhere,
        words=_erp_words(case, priced=priced) if case.state in (CaseState.FAILED, CaseState.OPEN) else "",
        flags=tuple(_flags(document, insight, priced=priced)) if document and insight else (),
        checks=check_lines(case, most=MOST_FLAGS) if is_open and priced else None,
        facts=tuple(_facts(insight)) if insight else (),
        missing=tuple(_MISSING[found] for found in sorted(insight.missing)) if insight else (),
        changes=list_changes(context, known, priced=priced),
        late=is_open and case.expired,
        more=case.state is CaseState.APPROVED and case.outcome is DecisionOutcome.MORE_APPROVALS_NEEDED,
        note=remark.note and with_names(remark.note, known.names),
        ask=_names(remark.ask, known.names),
        aside=remark.aside,
        sure=remark.sure,
        insist=remark.insist,
        mute=context.read_only or context.is_watched or _is_mute(case, reader.user_id),
        can_reject=_can_reject(context, reader),
        next_case=context.next_case,
        undo=_can_undo(context, reader),
        retry=remark.retry,
        newer=context.newer.id if context.newer and not context.newer.state.is_final and case.state.is_final else "",
        url=document.url if document is not None and priced else "",
        shows=case.state_name,
    )


def build_reply_view(view: ApprovalView, note: Phrase) -> ApprovalReply:
    """Return the reply to a typed vote that counts, built from the case as the voter sees it."""
    return ApprovalReply(
        case=view.case,
        kind=view.kind,
        number=view.number,
        source=view.source,
        partner=view.partner,
        note=note,
        spoken=view.decision or next(reversed(view.spoken), None),
        undo=view.undo,
        shows=view.shows,
    )


def build_requester_notice(case: Case, names: Mapping[str, str] = _NO_NAMES) -> RequesterNotice:
    """Return the notice to the requester; ``names`` come from `people_in_case`."""
    decision = case.decision
    return RequesterNotice(
        case=case.id,
        kind=case.kind.command,
        subject=case.title,
        number=case.number,
        source=case.source,
        partner=case.summary.partner,
        amount=case.summary.total,
        classes=case.kind.amounts.classes,
        state=case.state,
        decision=None if decision is None else _decision_line(case, decision, names, priced=True),
        elsewhere=case.elsewhere,
        words=own_words(case.erp_text) if case.state is CaseState.FAILED else "",
    )


def build_requester_inquiry(case: Case) -> RequesterInquiry:
    """Return the card of the questions for the requester."""
    return RequesterInquiry(
        case=case.id,
        kind=case.kind.command,
        subject=case.title,
        number=case.number,
        source=case.source,
        partner=case.summary.partner,
        asked=inquiry_lines(case, priced=True),
        inquiry=number_of_inquiry(case),
    )


def inquiry_lines(case: Case, *, priced: bool) -> tuple[InquiryLine, ...]:
    """Return the questions to the requester with their answers."""
    return tuple(
        InquiryLine(
            name=one.name,
            text=_free_text(one.text, priced=priced),
            at=one.at,
            until=one.until,
            ended=one.ended,
            ended_at=one.ended_at,
            answer=_free_text(one.answer, priced=priced),
        )
        for one in case.inquiries
    )


def number_of_inquiry(case: Case) -> int:
    """Return the number of the open question, counted from 1; 0 if none is open."""
    return 0 if case.inquiry is None else len(case.inquiries)


def build_unseen_view(case: Case, *, shared: bool = False) -> UnseenApproval:
    """Return the view of a case whose document some readers may not see; ``shared``: some members of a group may."""
    return UnseenApproval(
        case=case.id,
        kind=case.kind.command,
        state=case.state,
        elsewhere=case.elsewhere,
        since=case.opened_at,
        shared=shared,
    )


_UNDER_WAY = phrase("Recorded. The ERP is being updated.")
_MORE_NEEDED = phrase("Recorded. Others have to agree as well.")
BY_ITSELF = phrase("A large amount: approve it by itself.")


def build_said_row(case: Case, audience: Audience, said: Phrase, *, done: bool) -> ApprovalListRow:
    """Return the immediate outcome of a vote on one of several cases."""
    if not has_money(said):
        return build_list_row(case, audience, result=said, done=done)
    words = said if audience is Audience.PRICED else HIDDEN_LIMIT
    return build_list_row(case, audience, result=_NOT_RECORDED, words=words, done=done)


def build_result_row(case: Case, approve: Eligibility | None, audience: Audience) -> ApprovalListRow:
    """Return the current state of one of several cases that a person approved together.

    ``approve`` tells whether they may approve it now; None if they already have, or if nobody can any more.
    """
    priced, row = audience is Audience.PRICED, partial(build_list_row, case, audience)
    match case.state:
        case CaseState.OPEN:
            return _open_row(case, approve, audience)
        case CaseState.WRITING:
            return row(result=_UNDER_WAY, done=True)
        case CaseState.APPROVED:
            more = case.outcome is DecisionOutcome.MORE_APPROVALS_NEEDED
            return row(result=_MORE_NEEDED if more else HEADLINES[case.state], done=True, settled=True)
        case CaseState.FAILED:
            return row(result=HEADLINES[case.state], words=_erp_words(case, priced=priced))
        case CaseState.DECIDED_ELSEWHERE:
            return row(result=external_headline(case.elsewhere))
        case CaseState.WITHDRAWN:
            return row(result=withdrawal_text(case.elsewhere))
        case _:
            return row(result=HEADLINES[case.state])


def _open_row(case: Case, approve: Eligibility | None, audience: Audience) -> ApprovalListRow:
    if approve is None:
        return build_list_row(case, audience, result=_MORE_NEEDED, done=True)
    if approve.allowed:
        waits = BY_ITSELF if case.plan.confirm else phrase("It still waits for your decision.")
        return build_list_row(case, audience, result=waits)
    said = build_said_row(case, audience, approve.reasons[0], done=False)
    return said if said.words else replace(said, words=_erp_words(case, priced=audience is Audience.PRICED))


def build_list_row(
    case: Case,
    audience: Audience,
    *,
    result: Phrase | None = None,
    words: Phrase | str = "",
    done: bool = False,
    settled: bool = False,
) -> ApprovalListRow:
    return ApprovalListRow(
        case=case.id,
        kind=case.kind.command,
        number=case.number,
        source=case.source,
        partner=case.summary.partner,
        amount=case.summary.total if audience is Audience.PRICED else None,
        classes=case.kind.amounts.classes,
        day=case.summary.day,
        due_on=case.summary.due_on,
        result=result,
        words=words,
        done=done,
        settled=settled,
        shows=case.state_name,
    )


def build_why_view(
    why: DecisionExplanation, names: Mapping[str, str], audience: Audience, *, narrowed: bool = False
) -> ApprovalWhy:
    """Return the reasons in readable form. Limits are amounts, so a bare card leaves out reasons that contain one.

    A reader who is ``narrowed`` to some documents sees nothing of what the checks tell of others.
    """
    case = why.case
    plan = case.plan if case is not None else why.plan_result.plan
    votes, priced = case.votes if case is not None else (), audience is Audience.PRICED
    said = [eligibility for eligibility in (why.approve, why.reject) if eligibility is not None]
    because = {str(reason): reason for eligibility in said for reason in _reasons(eligibility, names, audience)}
    waited = tally(case.plan, case.votes) if case is not None and case.state is CaseState.OPEN else 0
    return ApprovalWhy(
        kind=why.document.kind.command,
        number=why.document.number,
        source=why.document.source,
        status=why.document.review.state,
        case=case.id if case is not None else "",
        rule=label_rule(plan.rule) if plan is not None else "",
        policy=case.policy if case is not None and case.policy != case.plan.rule else "",
        reasons=(*_plan_reasons(why.plan_result, names, audience), *_erp_reasons(why, names)),
        plan_levels=tuple(_plan_level(level, votes, names, why.barred, priced=priced) for level in plan.levels)
        if plan is not None
        else (),
        checks=check_lines(case or why.document) if priced and not narrowed else None,
        asked=inquiry_lines(case, priced=priced) if case is not None else (),
        level=waited if isinstance(waited, int) else 0,
        may=why.approve.allowed if why.approve is not None else None,
        may_reject=why.reject.allowed if why.reject is not None else None,
        because=tuple(because.values()),
        ask=_names(tuple(dict.fromkeys(user_id for eligibility in said for user_id in eligibility.ask)), names),
    )


def people_in_case(case: Case) -> tuple[str, ...]:
    """Return the userIds of everybody a card about the case may name."""
    votes = (user_id for vote in case.votes for user_id in (vote.user_id, vote.on_behalf_of))
    others = (case.summary.requester, *case.plan.escalate_to, *(turn.to for turn in case.forwards), *case.refused)
    others = (*others, *(one.by for one in case.inquiries))
    return tuple(user_id for user_id in dict.fromkeys((*people_in_plan(case.plan), *votes, *others)) if user_id)


def people_in_plan(plan: ApprovalPlan) -> tuple[str, ...]:
    """Return the userIds in a plan, including those who may not decide."""
    return tuple(user_id for level in plan.levels for user_id in (*level.approvers, *level.excluded))


def with_names(reason: Phrase, names: Mapping[str, str]) -> Phrase:
    """Return a phrase with userIds replaced by names."""
    params = dict(reason.params)
    if isinstance(person := params.get("person"), str):
        params["person"] = names.get(person, person)
    if isinstance(people := params.get("people"), tuple):
        params["people"] = tuple(names.get(str(one), str(one)) for one in people)
    return Phrase(reason.msgid, MappingProxyType(params))


def people_in_reason(reason: Phrase | None) -> tuple[str, ...]:
    """Return the userIds that `with_names` replaces."""
    params = reason.params if reason is not None else {}
    person, people = params.get("person"), params.get("people")
    return (*((person,) if isinstance(person, str) else ()), *(map(str, people) if isinstance(people, tuple) else ()))


def has_money(reason: Phrase) -> bool:
    """Return whether a phrase tells of an amount: contains one, or names ``checks`` that compare some."""
    return "checks" in reason.params or any(
        isinstance(value, Money) or (isinstance(value, Phrase) and has_money(value)) for value in reason.params.values()
    )


def _plan_reasons(plan_result: PlanResult, names: Mapping[str, str], audience: Audience) -> Iterator[Phrase]:
    for reason in plan_result.reasons:
        if audience is Audience.PRICED or not has_money(reason):
            yield with_names(reason, names)


def _away(people: Sequence[AwayApprover], names: Mapping[str, str]) -> Iterator[Phrase]:
    """Yield a sentence about each person who is away."""
    for each in people:
        person, day = names.get(each.user_id, each.user_id), each.until
        if each.instead:
            instead = _names(each.instead, names)
            yield phrase(
                "%(person)s is away until %(day)s; %(people)s may decide instead.",
                person=person,
                day=day,
                people=instead,
            )
        else:
            yield phrase("%(person)s is away until %(day)s, and nobody decides instead.", person=person, day=day)


def people_away(people: Sequence[AwayApprover]) -> tuple[str, ...]:
    """Return the userIds that are named about people who are away."""
    return tuple(user_id for each in people for user_id in (each.user_id, *each.instead))


def _erp_reasons(why: DecisionExplanation, names: Mapping[str, str]) -> Iterator[Phrase]:
    if why.dead_end is not None and not why.erp_approvers.mismatched:
        yield phrase("Nobody can decide it from here: %(reason)s.", reason=with_names(why.dead_end, names))
    yield from _away(why.away, names)
    called = why.erp_approvers.display_names(names, why.document.review)
    if not called:
        if why.document.review.waits:
            yield phrase("The ERP does not tell for whom it waits.")
        return
    yield phrase("The ERP itself waits for %(names)s.", names=tuple(called))
    if why.erp_approvers.mismatched:
        yield phrase("None of those who decide by the rule is among them: the ERP would not take their decision.")


def _reasons(eligibility: Eligibility, names: Mapping[str, str], audience: Audience) -> Iterator[Phrase]:
    for reason in eligibility.reasons:
        if audience is Audience.PRICED or not has_money(reason):
            yield with_names(reason, names)
        else:
            yield HIDDEN_LIMIT


def _names(user_ids: Sequence[str], names: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names.get(user_id, user_id) for user_id in user_ids))


def _requester(case: Case, review: Review | None, names: Mapping[str, str]) -> str:
    account = case.summary.requested_by
    if case.summary.requester in names:
        return names[case.summary.requester]
    return review.named(account) if review is not None and account else account


def _free_text(text: str, *, priced: bool) -> str:
    """Return a person's own words; for a group only if they contain no figure, which might be a price."""
    return text if priced or not any(map(str.isdigit, text)) else ""


def _erp_words(case: Case, *, priced: bool) -> Phrase | str:
    return own_words(_free_text(case.erp_text, priced=priced))


def _decision_line(case: Case, decision: CaseDecision, names: Mapping[str, str], *, priced: bool) -> VoteLine:
    reason = _free_text(decision.reason, priced=priced)
    principal = next((vote.on_behalf_of for vote in case.votes if vote.user_id == decision.by), "")
    instead_of = names.get(principal, principal)
    return VoteLine(name=decision.name, verdict=decision.verdict, at=decision.at, reason=reason, instead_of=instead_of)


def _vote_line(vote: Vote, names: Mapping[str, str], *, priced: bool) -> VoteLine:
    principal = vote.on_behalf_of
    return VoteLine(
        name=vote.name,
        verdict=vote.verdict,
        at=vote.at,
        reason=_free_text(vote.reason, priced=priced),
        instead_of=names.get(principal, principal) if principal != vote.user_id else "",
    )


def _plan_level(
    level: ApprovalLevel,
    votes: Sequence[Vote],
    names: Mapping[str, str],
    barred: Mapping[str, Phrase],
    *,
    priced: bool,
) -> PlanLevel:
    spoken = {vote.on_behalf_of or vote.user_id for vote in votes if vote.level == level.number}
    unable = {who: barred[who] for who in level.approvers if who in barred and who not in spoken}
    return PlanLevel(
        number=level.number,
        need_all=level.quorum is Quorum.ALL,
        approvers=_names([who for who in level.approvers if who not in unable], names),
        excluded=tuple(
            (names.get(user_id, user_id), with_names(reason, names))
            for user_id, reason in {**level.excluded, **unable}.items()
        ),
        spoken=tuple(_vote_line(vote, names, priced=priced) for vote in votes if vote.level == level.number),
    )


def _is_mute(case: Case, user_id: str) -> bool:
    """Return whether a reader certainly has nothing to decide; otherwise the policy judges when they vote."""
    if not user_id:
        return False
    spoke = any(vote.user_id == user_id for vote in case.votes)
    return spoke or user_id == case.summary.requester or user_id in case.summary.editors or user_id in case.refused


def _can_reject(context: CaseContext, reader: CardViewer) -> bool:
    """Return whether a card may offer rejection to its reader, or to one of the people who share it."""
    people = frozenset((reader.user_id,) if reader.user_id else context.waited)
    return context.can_reject and not (people and people <= context.only_approve)


def _can_undo(context: CaseContext, reader: CardViewer) -> bool:
    decision, until = context.case.decision, context.undo_until
    return decision is not None and decision.by == reader.user_id and until is not None and reader.now < until


def _line(line: RevisionLine, insight: Insight | None, *, priced: bool) -> ApprovalLine:
    row = ApprovalLine(line=line, insight=insight.lines.get(line.sku, NO_INSIGHT) if insight else NO_INSIGHT)
    return row if priced else row.bare()


def _flags(document: ErpRecord, insight: Insight, *, priced: bool) -> Iterator[Phrase]:
    if insight.duplicates:
        yield phrase("Same lines as %(numbers)s", numbers=tuple(insight.duplicates))
    for line in getattr(document, "lines", ()):
        about = insight.lines.get(line.sku, NO_INSIGHT)
        if about.usual is not None:
            yield phrase(
                "%(sku)s: far more than usual (%(usual)s %(unit)s)", sku=line.sku, usual=about.usual, unit=line.unit
            )
    if insight.past_due:
        yield phrase("The delivery date has passed")
    if insight.usual_currency and priced:
        yield phrase("Usually paid in %(currency)s", currency=Currency(insight.usual_currency))


def _facts(insight: Insight) -> Iterator[Phrase]:
    lateness = insight.lateness
    if lateness is not None and lateness.late:
        yield phrase(
            "Vendor: %(late)s of %(awaited)s incoming orders late, up to %(days)s days",
            late=lateness.late,
            awaited=lateness.awaited,
            days=lateness.days,
        )
    elif lateness is not None:
        yield phrase("Vendor: none of %(awaited)s incoming orders is late", awaited=lateness.awaited)
    if insight.open_orders:
        yield phrase("Open at the vendor: %(numbers)s", numbers=tuple(insight.open_orders))
