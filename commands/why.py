"""/why: by which rule a purchase order is decided, who decides it, and what the person who asks may do."""

from __future__ import annotations

from bot.access.policy import AccessPolicy
from bot.approvals.answering import face_of
from bot.approvals.asking import Approvals, Folder
from bot.approvals.drawing import draw_why, people_in, people_of
from bot.approvals.showing import Showing
from bot.approvals.views import Face
from bot.cards.view import View
from bot.chat.asking import Asking
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.registry import Commands, command
from bot.erp.errors import NotFound
from bot.erp.hub import ErpHub
from bot.phrase import phrase
from commands.pending import CaseWord, lines_of_mine


@command(
    "why",
    aliases=("为什么", "审批依据", "wsm", "spyj"),
    examples=("/why PO-1001", "/为什么 PO-1001"),
    summary=phrase("Who decides a purchase order, and why"),
    place=45,
)
async def why(
    word: CaseWord,
    *,
    approvals: Approvals,
    showing: Showing,
    erp: ErpHub,
    commands: Commands,
    policy: AccessPolicy,
    asking: Asking,
) -> View:
    """Show the rule, the people of each level, and what holds for the person who asks."""
    folder = await approvals.find(word)
    source, number = await _where(word, folder, approvals, erp, asking)
    found = await approvals.why(source, number, asking.person.user_id or "")
    case = found.case
    rulings = [one for one in (found.approve, found.reject) if one is not None]
    asked = [one for ruling in rulings for one in (*ruling.ask, ruling.on_behalf_of)]
    plan = found.planning.plan
    concerned = people_of(case) if case is not None else people_in(plan) if plan is not None else ()
    names = await showing.names([*concerned, *asked, *found.expected.user_ids])
    face = face_of(Folder(case=case), commands, policy, asking) if case is not None else _face(asking)
    return draw_why(found, names, face)


async def _where(
    word: str, folder: Folder | None, approvals: Approvals, erp: ErpHub, asking: Asking
) -> tuple[str, str]:
    """Return the source and the number; the ERPs are asked for what was never decided from chat."""
    if folder is not None:
        return folder.case.source, folder.case.number
    if not any(map(str.isdigit, word)):
        raise BadArgument(phrase("Say which purchase order, such as: %(line)s", line="/why PO-1001"))
    try:
        found = await erp.purchase_order(word)
    except NotFound as error:
        raise NothingFound(word, await lines_of_mine("why", approvals, asking)) from error
    return found.source, found.value.number


def _face(asking: Asking) -> Face:
    return Face.PRICED if asking.is_private else Face.BARE
