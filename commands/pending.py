"""/pending: what waits for one's decision, one of it, or passing one on."""

from __future__ import annotations

from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.approvals.cards.list_views import ApprovalAll, ApprovalChoice, ApprovalList, ApprovalResults
from bot.approvals.cards.responder import (
    CaseFinder,
    audience_within,
    concerned_by,
    is_narrowed,
    refuse_blind,
)
from bot.approvals.cards.view_builders import build_list_row, build_result_row, people_in_case
from bot.approvals.cards.views import ApprovalPeople, Audience, ForwardCandidate
from bot.approvals.case import Case
from bot.approvals.search_gaps import SearchGaps
from bot.approvals.service import ApprovalService
from bot.approvals.typed_votes import CaseRef, DecidedCases, read_case_marks
from bot.approvals.waiting_lines import lines_of_mine
from bot.cards.view import View
from bot.chat.arguments import Keyword, Word, shortened
from bot.chat.colleagues import Colleagues
from bot.chat.context import QuestionContext
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.parsing import command_line
from bot.chat.registry import command
from bot.words.phrase import phrase

"""What waits for somebody and is named when they ask for what there is not."""


class SubstituteWord(Word):
    """The user id of the person who is to decide instead."""

    placeholder = phrase("user id")


class PendingScope(Keyword, changes=False):
    """Whether all that wait are shown together, to be decided at once."""

    ALL = phrase("all"), "全部", "所有"


class PendingAction(Keyword):
    """What is done with a document instead of deciding it."""

    FORWARD = phrase("forward"), "pass", "转交", "转发"


@command(
    "pending",
    aliases=("待我审批", "我的审批", "待办", "dwsp", "wdsp"),
    examples=("/pending", "/待我审批", "/pending PO-1001"),
    shows=("po",),
    to_concerned=True,
    changes=False,
    summary=phrase("What waits for your decision"),
    place=44,
)
async def pending(
    word: CaseRef | None = None,
    to: SubstituteWord | None = None,
    *,
    scope: PendingScope | None = None,
    action: PendingAction | None = None,
    together: DecidedCases | None = None,
    cases: CaseFinder,
    gaps: SearchGaps,
    colleagues: Colleagues,
    context: QuestionContext,
) -> View:
    """Show the list or one document, ask whether all are to be approved, or pass one on."""
    colleagues.record_seen(context)
    approvals, policy = cases.approvals, cases.policy
    if together:
        return await _show_results(together, approvals, context)
    if to and not action:
        raise BadArgument(phrase("“%(word)s” was not understood.", word=shortened(to)))
    if not word:
        if action:
            raise BadArgument(phrase("Say which document, such as: %(line)s", line="/pending PO-1001 forward"))
        return await _list(approvals, gaps, policy, context, together=scope is not None)
    meant = await cases.find(word)
    if meant is None:
        refuse_blind(policy, context)
        raise NothingFound(word, await lines_of_mine("pending", approvals, context))
    if isinstance(meant, ApprovalChoice):
        return meant
    found = meant
    concerned, key = concerned_by(found), found.case.key
    audience = await audience_within(concerned, key, cases.erp, policy, context)
    if is_narrowed(concerned, key.kind, policy, context):
        found = found.without_checks()
    responder = cases.responder(found, audience)
    if not action:
        return await responder.show()
    if not to:
        return await _list_people(found.case, approvals, colleagues, context)
    deputy = await _find_deputy(to, found.case, approvals, colleagues, context)
    result = await approvals.forward(found.case, to, context.person.user_id or "")
    return await responder.answer(result, done=phrase("Passed on to %(name)s.", name=deputy.name), retry=context.line)


async def _show_results(together: str, approvals: ApprovalService, context: QuestionContext) -> View:
    """Return what became of cases that the person decided together: of those, and of no others."""
    user_id = context.person.user_id or ""
    found = await approvals.decided_together(read_case_marks(together), user_id)
    theirs = [ruling for ruling in found if user_id in people_in_case(ruling.case)]
    if not theirs:
        raise NothingFound(context.line, await lines_of_mine("pending", approvals, context))
    audience = Audience.of(private=context.is_private)
    return ApprovalResults(rows=tuple(build_result_row(one.case, one.approve, audience) for one in theirs))


async def _list(
    approvals: ApprovalService, gaps: SearchGaps, policy: AccessPolicy, context: QuestionContext, *, together: bool
) -> View:
    every = await approvals.pending(context.person.user_id or "")
    waiting = [case for case in every if context.books.hold(case.source)]
    audience = Audience.of(private=context.is_private)
    page = waiting[context.offset : context.offset + (context.rows or ApprovalList.page_size)]
    rows = tuple(build_list_row(case, audience) for case in page)
    if together and rows and not policy.read_only:
        line = command_line("pending", PendingScope.ALL)
        return ApprovalAll(rows=rows, total=len(waiting), offset=context.offset, line=line)
    line = command_line("pending")
    # To approve all at once is offered of all that waits, and not of a part of it.
    mute = policy.read_only or bool(context.books)
    silences = await gaps.tell(context.person.user_id or "", context.now, context.books.hold)
    return ApprovalList(rows=rows, total=len(waiting), offset=context.offset, line=line, mute=mute, silences=silences)


async def _list_people(
    case: Case, approvals: ApprovalService, colleagues: Colleagues, context: QuestionContext
) -> View:
    around = await _others(case, approvals, colleagues, context)
    page = around[context.offset : context.offset + ApprovalPeople.page_size]
    return ApprovalPeople(
        case=case.id,
        kind=case.kind.command,
        number=case.number,
        source=case.source,
        partner=case.summary.partner,
        rows=tuple(map(_candidate, await colleagues.lookup(page))),
        total=len(around),
        offset=context.offset,
        line=command_line("pending", case.id, PendingAction.FORWARD),
        shows=case.state_name,
    )


async def _others(
    case: Case, approvals: ApprovalService, colleagues: Colleagues, context: QuestionContext
) -> tuple[str, ...]:
    """Return who can be chosen."""
    return await approvals.deputies(case, context.person.user_id or "", colleagues.candidates(context))


def _candidate(person: Person) -> ForwardCandidate:
    assert person.user_id is not None, "colleagues are members"
    return ForwardCandidate(user_id=person.user_id, name=person.name, roles=tuple(sorted(person.roles)))


async def _find_deputy(
    user_id: str, case: Case, approvals: ApprovalService, colleagues: Colleagues, context: QuestionContext
) -> Person:
    """Return who is to decide: only somebody of the list, whatever a client sends."""
    others = await _others(case, approvals, colleagues, context)
    known = await colleagues.lookup([user_id]) if user_id in others else ()
    if not known:
        raise BadArgument(phrase("“%(name)s” is not among those who can be chosen here.", name=shortened(user_id)))
    return known[0]
