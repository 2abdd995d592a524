"""/why: by which rule a purchase order is decided, who decides it, and what the person who asks may do."""

from __future__ import annotations

from bot.access.policy import AccessPolicy
from bot.approvals.facade import ApprovalFacade, CaseContext
from bot.approvals.presenter import CasePresenter, audience_for
from bot.approvals.view_builders import build_why_view, people_in_case, people_in_plan
from bot.approvals.views import Audience
from bot.cards.view import View
from bot.chat.context import QuestionContext
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.registry import Commands, command
from bot.erp.errors import NotFound
from bot.erp.hub import ErpHub
from bot.phrase import phrase
from commands.pending import CaseRef, lines_of_mine


@command(
    "why",
    aliases=("为什么", "审批依据", "wsm", "spyj"),
    examples=("/why PO-1001", "/为什么 PO-1001"),
    summary=phrase("Who decides a purchase order, and why"),
    place=45,
)
async def why(
    word: CaseRef,
    *,
    approvals: ApprovalFacade,
    showing: CasePresenter,
    erp: ErpHub,
    commands: Commands,
    policy: AccessPolicy,
    context: QuestionContext,
) -> View:
    """Show the rule, the people of each level, and what holds for the person who asks."""
    folder = await approvals.find(word)
    source, number = await _where(word, folder, approvals, erp, context)
    found = await approvals.why(source, number, context.person.user_id or "")
    case = found.case
    rulings = [one for one in (found.approve, found.reject) if one is not None]
    asked = [one for eligibility in rulings for one in (*eligibility.ask, eligibility.on_behalf_of)]
    plan = found.plan_result.plan
    concerned = people_in_case(case) if case is not None else people_in_plan(plan) if plan is not None else ()
    names = await showing.names([*concerned, *asked, *found.erp_approvers.user_ids])
    face = audience_for(CaseContext(case=case), commands, policy, context) if case is not None else _face(context)
    return build_why_view(found, names, face)


async def _where(
    word: str, folder: CaseContext | None, approvals: ApprovalFacade, erp: ErpHub, context: QuestionContext
) -> tuple[str, str]:
    """Return the source and the number; the ERPs are asked for what was never decided from chat."""
    if folder is not None:
        return folder.case.source, folder.case.number
    if not any(map(str.isdigit, word)):
        raise BadArgument(phrase("Say which purchase order, such as: %(line)s", line="/why PO-1001"))
    try:
        found = await erp.purchase_order(word)
    except NotFound as error:
        raise NothingFound(word, await lines_of_mine("why", approvals, context)) from error
    return found.source, found.value.number


def _face(context: QuestionContext) -> Audience:
    return Audience.PRICED if context.is_private else Audience.BARE
