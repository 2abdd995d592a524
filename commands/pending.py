"""/pending: the purchase orders that wait for one's decision, one of them, or passing one on."""

from __future__ import annotations

from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.approvals.case import Case
from bot.approvals.facade import ApprovalFacade, CaseContext
from bot.approvals.list_views import ApprovalAll, ApprovalList
from bot.approvals.presenter import CasePresenter, VoteResponder, audience_for
from bot.approvals.view_builders import build_list_row
from bot.approvals.views import ApprovalPeople, Audience, ForwardCandidate
from bot.cards.view import View
from bot.chat.arguments import Keyword, Word, shortened
from bot.chat.colleagues import Colleagues
from bot.chat.context import QuestionContext
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.parsing import command_line
from bot.chat.registry import Commands, command
from bot.phrase import phrase

CLOSEST = 4
"""What waits for somebody and is named when they ask for what there is not."""


class CaseRef(Word):
    """The number of a purchase order, or the id that its card's buttons carry."""

    placeholder = phrase("number")


class Deputy(Word):
    """The user id of who is to decide instead."""

    placeholder = phrase("user id")


class PendingOption(Keyword):
    """What else can be wanted."""

    ALL = phrase("all"), "全部", "所有"
    FORWARD = phrase("forward"), "pass", "转交", "转发"


@command(
    "pending",
    aliases=("待我审批", "我的审批", "待办", "dwsp", "wdsp"),
    examples=("/pending", "/待我审批", "/pending PO-1001"),
    summary=phrase("Purchase orders that wait for your decision"),
    place=44,
)
async def pending(
    word: CaseRef | None = None,
    to: Deputy | None = None,
    *,
    wish: PendingOption | None = None,
    approvals: ApprovalFacade,
    showing: CasePresenter,
    colleagues: Colleagues,
    commands: Commands,
    policy: AccessPolicy,
    context: QuestionContext,
) -> View:
    """Show the list or one order, ask whether all are to be approved, or pass one on."""
    colleagues.record_seen(context)
    if to and wish is not PendingOption.FORWARD:
        raise BadArgument(phrase("“%(word)s” is too much here.", word=shortened(to)))
    if not word:
        if wish is PendingOption.FORWARD:
            raise BadArgument(phrase("Say which purchase order, such as: %(line)s", line="/pending PO-1001 forward"))
        return await _list(approvals, context, together=wish is PendingOption.ALL)
    folder = await approvals.find(word)
    if folder is None:
        raise NothingFound(word, await lines_of_mine("pending", approvals, context))
    clerk = VoteResponder(approvals, showing, audience_for(folder, commands, policy, context), context)
    if wish is not PendingOption.FORWARD:
        return await clerk.show(folder)
    if not to:
        return await _people(folder, colleagues, context)
    deputy = await _deputy(to, folder, colleagues, context)
    vote_result = await approvals.forward(folder.case.id, to, context.person.user_id or "")
    return await clerk.answer(vote_result, done=phrase("Passed on to %(name)s.", name=deputy.name), retry=context.line)


async def lines_of_mine(name: str, approvals: ApprovalFacade, context: QuestionContext) -> tuple[str, ...]:
    """Return lines that ask a command for what waits for the person."""
    found = await approvals.pending(context.person.user_id or "")
    return tuple(command_line(name, one.case.number) for one in found[:CLOSEST])


async def _list(approvals: ApprovalFacade, context: QuestionContext, *, together: bool) -> View:
    cases = [one.case for one in await approvals.pending(context.person.user_id or "")]
    face = Audience.PRICED if context.is_private else Audience.BARE
    page = cases[context.offset : context.offset + ApprovalList.page_size]
    rows = tuple(build_list_row(case, face) for case in page)
    cls = ApprovalAll if together and rows else ApprovalList
    line = command_line("pending", PendingOption.ALL if together else "")
    return cls(rows=rows, total=len(cases), offset=context.offset, line=line)


async def _people(folder: CaseContext, colleagues: Colleagues, context: QuestionContext) -> View:
    case = folder.case
    around = _others(case, colleagues, context)
    page = around[context.offset : context.offset + ApprovalPeople.page_size]
    return ApprovalPeople(
        case=case.id,
        number=case.number,
        vendor=case.summary.vendor,
        rows=tuple(map(_stand, await colleagues.lookup(page))),
        total=len(around),
        offset=context.offset,
        line=command_line("pending", case.id, PendingOption.FORWARD),
    )


def _others(case: Case, colleagues: Colleagues, context: QuestionContext) -> tuple[str, ...]:
    """Return who can be chosen; whether they may decide the policy says."""
    unfit = {context.person.user_id, case.summary.requester, *case.summary.editors, *case.refused}
    return tuple(one for one in colleagues.candidates(context) if one not in unfit)


def _stand(person: Person) -> ForwardCandidate:
    assert person.user_id is not None, "colleagues are members"
    return ForwardCandidate(user_id=person.user_id, name=person.name, roles=tuple(sorted(person.roles)))


async def _deputy(user_id: str, folder: CaseContext, colleagues: Colleagues, context: QuestionContext) -> Person:
    """Return who is to decide: only somebody of the list, whatever a client sends."""
    known = await colleagues.lookup([user_id]) if user_id in _others(folder.case, colleagues, context) else ()
    if not known:
        raise BadArgument(phrase("“%(name)s” is not among those who can be chosen here.", name=shortened(user_id)))
    return known[0]
