"""/decisions: what became of the documents that wait or waited for a decision; the record of one as evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta

from bot.access.policy import AccessPolicy, Denied
from bot.approvals.cards.history_views import (
    ApprovalHistory,
    ApprovalRecord,
    build_history_row,
    build_record_lines,
    cards_in_record,
    people_in_record,
)
from bot.approvals.cards.presenter import CasePresenter
from bot.approvals.cards.responder import audience_among, fields_among
from bot.approvals.cards.view_builders import people_in_case
from bot.approvals.case import AuditRow, Case, CaseSearch
from bot.approvals.service import ApprovalService
from bot.cards.view import View
from bot.chat.arguments import Keyword, Term
from bot.chat.context import QuestionContext
from bot.chat.days import Days
from bot.chat.errors import NothingFound
from bot.chat.parsing import command_line
from bot.chat.registry import command
from bot.words.disclosure import FieldClass, cut
from bot.words.phrase import phrase

NEWEST = 200
"""Cases that are looked at: days and numbers lead to older ones."""


class CaseOrPerson(Term):
    """The number of a document, part of it, or the name or user id of somebody who voted or is to."""

    placeholder = phrase("number or person")


class ApprovalState(Keyword, changes=False):
    """Which cases are listed."""

    WAITING = phrase("waiting"), "待审批", "未审批"
    DECIDED = phrase("settled"), "decided", "已审批", "已结束"


@command(
    "decisions",
    aliases=("审批记录", "审批历史", "spjl"),
    examples=("/decisions", "/审批记录 PO-1001", "/decisions decided last week"),
    shows=("po",),
    changes=False,
    summary=phrase("What became of documents to approve: who saw, decided and why"),
    place=46,
    personal=True,
    reserved=True,
)
async def decisions(
    word: CaseOrPerson | None = None,
    *,
    state: ApprovalState | None = None,
    days: Days | None = None,
    service: ApprovalService,
    showing: CasePresenter,
    policy: AccessPolicy,
    context: QuestionContext,
) -> View:
    """Show the cases, or the record of the one with that number."""
    text = (word or "").strip()
    if text and state is None and not days:
        record = [one for one in await service.history(text) if _may_see(one[0], policy, context)]
        if record:
            return await _record(record, service, showing, policy, context)
    waiting = None if state is None else state is ApprovalState.WAITING
    search = CaseSearch(waiting=waiting, number=text, limit=NEWEST, **_opened(days, context))
    found = await service.search(search)
    if text and not found:
        found = await service.search(replace(search, number=""))
        found = tuple(case for case in found if _names(case, text))
    fitting = [case for case in found if _may_see(case, policy, context)]
    if text and not fitting:
        raise NothingFound(text)
    page = fitting[context.offset : context.offset + (context.rows or ApprovalHistory.page_size)]
    return ApprovalHistory(
        rows=tuple(
            cut(build_history_row(case), fields_among(people_in_case(case), case.kind, policy, context))
            for case in page
        ),
        total=len(fitting),
        offset=context.offset,
        line=command_line("decisions", *filter(None, (state or "", text, days or ""))),
        more=len(found) == NEWEST,
    )


async def _record(
    record: Sequence[tuple[Case, Sequence[AuditRow]]],
    service: ApprovalService,
    showing: CasePresenter,
    policy: AccessPolicy,
    context: QuestionContext,
) -> ApprovalRecord:
    newest = record[0][0]
    listed = build_history_row(newest)
    cards = await service.cards(newest)
    names = await showing.names(people_in_record(record, cards))
    lines = [
        cut(line, _fields_of(case, policy, context))
        for case, rows in record
        for line in build_record_lines(case, rows, names)
    ]
    lines.sort(key=lambda line: line.at)
    return ApprovalRecord(
        rows=tuple(lines[context.offset : context.offset + (context.rows or ApprovalRecord.page_size)]),
        total=len(lines),
        offset=context.offset,
        line=command_line("decisions", newest.number),
        number=newest.number,
        source=newest.source,
        state=listed.state,
        rule=listed.rule,
        policy=newest.policy if newest.policy != newest.plan.rule else "",
        decided_by=listed.decided_by,
        cards=cards_in_record(cards, names),
    )


def _opened(days: Days | None, context: QuestionContext) -> dict[str, datetime]:
    """Return when a case has to have begun: within these days, in the company's time zone."""
    if not days:
        return {}
    period, zone = days.within(context.now.date()).period, context.now.tzinfo
    begins, ends = (datetime.combine(day, time(), zone) for day in (period.first, period.last + timedelta(days=1)))
    return {"since": begins, "before": ends}


def _fields_of(case: Case, policy: AccessPolicy, context: QuestionContext) -> frozenset[FieldClass]:
    return fields_among(people_in_case(case), case.kind, policy, context)


def _may_see(case: Case, policy: AccessPolicy, context: QuestionContext) -> bool:
    """Whether /why would tell of it. What the asker sees only as one of some is left out: no ERP is asked."""
    try:
        audience_among(people_in_case(case), case.kind, policy, context)
    except Denied:
        return False
    return True


def _names(case: Case, text: str) -> bool:
    """Whether a case names somebody: by userId, or by a name that was recorded with a vote."""
    people = {*people_in_case(case), *(vote.name for vote in case.votes)}
    return any(text.casefold() in each.casefold() for each in people)
