"""/pending: the purchase orders that wait for one's decision, one of them, or passing one on."""

from __future__ import annotations

from bot.access.person import Person
from bot.access.policy import AccessPolicy
from bot.approvals.answering import Clerk, face_of
from bot.approvals.asking import Approvals, Folder
from bot.approvals.case import Case
from bot.approvals.drawing import draw_row
from bot.approvals.list_views import ApprovalAll, ApprovalList
from bot.approvals.showing import Showing
from bot.approvals.views import ApprovalPeople, Face, Stand
from bot.cards.view import View
from bot.chat.arguments import Keyword, Word, shortened
from bot.chat.asking import Asking
from bot.chat.colleagues import Colleagues
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.line import command_line
from bot.chat.registry import Commands, command
from bot.phrase import phrase

CLOSEST = 4
"""What waits for somebody and is named when they ask for what there is not."""


class CaseWord(Word):
    """The number of a purchase order, or the id that its card's buttons carry."""

    placeholder = phrase("number")


class Deputy(Word):
    """The user id of who is to decide instead."""

    placeholder = phrase("user id")


class PendingWish(Keyword):
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
    word: CaseWord | None = None,
    to: Deputy | None = None,
    *,
    wish: PendingWish | None = None,
    approvals: Approvals,
    showing: Showing,
    colleagues: Colleagues,
    commands: Commands,
    policy: AccessPolicy,
    asking: Asking,
) -> View:
    """Show the list or one order, ask whether all are to be approved, or pass one on."""
    colleagues.meet(asking)
    if to and wish is not PendingWish.FORWARD:
        raise BadArgument(phrase("“%(word)s” is too much here.", word=shortened(to)))
    if not word:
        if wish is PendingWish.FORWARD:
            raise BadArgument(phrase("Say which purchase order, such as: %(line)s", line="/pending PO-1001 forward"))
        return await _list(approvals, asking, together=wish is PendingWish.ALL)
    folder = await approvals.find(word)
    if folder is None:
        raise NothingFound(word, await lines_of_mine("pending", approvals, asking))
    clerk = Clerk(approvals, showing, face_of(folder, commands, policy, asking), asking)
    if wish is not PendingWish.FORWARD:
        return await clerk.show(folder)
    if not to:
        return await _people(folder, colleagues, asking)
    deputy = await _deputy(to, folder, colleagues, asking)
    voted = await approvals.forward(folder.case.id, to, asking.person.user_id or "")
    return await clerk.answer(voted, done=phrase("Passed on to %(name)s.", name=deputy.name), retry=asking.line)


async def lines_of_mine(name: str, approvals: Approvals, asking: Asking) -> tuple[str, ...]:
    """Return lines that ask a command for what waits for the person."""
    found = await approvals.pending(asking.person.user_id or "")
    return tuple(command_line(name, one.case.number) for one in found[:CLOSEST])


async def _list(approvals: Approvals, asking: Asking, *, together: bool) -> View:
    cases = [one.case for one in await approvals.pending(asking.person.user_id or "")]
    face = Face.PRICED if asking.is_private else Face.BARE
    page = cases[asking.offset : asking.offset + ApprovalList.page_size]
    rows = tuple(draw_row(case, face) for case in page)
    cls = ApprovalAll if together and rows else ApprovalList
    line = command_line("pending", PendingWish.ALL if together else "")
    return cls(rows=rows, total=len(cases), offset=asking.offset, line=line)


async def _people(folder: Folder, colleagues: Colleagues, asking: Asking) -> View:
    case = folder.case
    around = _others(case, colleagues, asking)
    page = around[asking.offset : asking.offset + ApprovalPeople.page_size]
    return ApprovalPeople(
        case=case.id,
        number=case.number,
        vendor=case.brief.vendor,
        rows=tuple(map(_stand, await colleagues.named(page))),
        total=len(around),
        offset=asking.offset,
        line=command_line("pending", case.id, PendingWish.FORWARD),
    )


def _others(case: Case, colleagues: Colleagues, asking: Asking) -> tuple[str, ...]:
    """Return who can be chosen; whether they may decide the policy says."""
    unfit = {asking.person.user_id, case.brief.requester, *case.brief.editors, *case.refused}
    return tuple(one for one in colleagues.around(asking) if one not in unfit)


def _stand(person: Person) -> Stand:
    assert person.user_id is not None, "colleagues are members"
    return Stand(user_id=person.user_id, name=person.name, roles=tuple(sorted(person.roles)))


async def _deputy(user_id: str, folder: Folder, colleagues: Colleagues, asking: Asking) -> Person:
    """Return who is to decide: only somebody of the list, whatever a client sends."""
    known = await colleagues.named([user_id]) if user_id in _others(folder.case, colleagues, asking) else ()
    if not known:
        raise BadArgument(phrase("“%(name)s” is not among those who can be chosen here.", name=shortened(user_id)))
    return known[0]
