"""/why: by which rule a purchase order is decided, who decides it, and what the person who asks may do."""

from __future__ import annotations

from bot.access.policy import AccessPolicy
from bot.approvals.cards.list_views import ApprovalChoice
from bot.approvals.cards.presenter import CasePresenter
from bot.approvals.cards.responder import audience_among, audience_within, find_meant
from bot.approvals.cards.view_builders import build_why_view, people_in_case, people_in_plan
from bot.approvals.service import ApprovalService
from bot.approvals.typed_votes import CaseRef
from bot.approvals.waiting_lines import lines_of_mine
from bot.cards.view import View
from bot.chat.context import QuestionContext
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.registry import command
from bot.erp.errors import NotFound
from bot.erp.hub import ErpHub
from bot.words.phrase import phrase


@command(
    "why",
    aliases=("为什么", "审批依据", "wsm", "spyj"),
    examples=("/why PO-1001", "/为什么 PO-1001"),
    shows=("po",),
    to_concerned=True,
    changes=False,
    summary=phrase("Who decides a purchase order, and why"),
    place=45,
)
async def why(
    word: CaseRef,
    *,
    approvals: ApprovalService,
    showing: CasePresenter,
    erp: ErpHub,
    policy: AccessPolicy,
    context: QuestionContext,
) -> View:
    """Show the rule, the people of each level, and what holds for the person who asks."""
    try:
        located = await _locate(word, approvals, erp, policy, context)
    except NothingFound:
        audience_among((), policy, context)
        raise
    if isinstance(located, ApprovalChoice):
        return located
    source, number = located
    explained = await approvals.why(source, number, context.person.user_id or "")
    case, plan = explained.case, explained.plan_result.plan
    rulings = [ruling for ruling in (explained.approve, explained.reject) if ruling is not None]
    asked = [user_id for ruling in rulings for user_id in (*ruling.ask, ruling.on_behalf_of)]
    concerned = people_in_case(case) if case is not None else people_in_plan(plan) if plan is not None else ()
    deciding = [context.person.user_id or ""] if any(ruling.allowed for ruling in rulings) else []
    audience = await audience_within([*concerned, *deciding], (source, number), erp, policy, context)
    names = await showing.names([*concerned, *asked, *explained.erp_approvers.user_ids])
    return build_why_view(explained, names, audience)


async def _locate(
    word: str, approvals: ApprovalService, erp: ErpHub, policy: AccessPolicy, context: QuestionContext
) -> tuple[str, str] | ApprovalChoice:
    """Return the source and the number; the ERPs are asked for what was never decided from chat."""
    found = await find_meant(word, approvals, erp, policy, context)
    if isinstance(found, ApprovalChoice):
        return found
    if found is not None:
        return found.case.source, found.case.number
    if not any(map(str.isdigit, word)):
        raise BadArgument(phrase("Say which purchase order, such as: %(line)s", line="/why PO-1001"))
    try:
        order = await erp.purchase_order(word)
    except NotFound as error:
        raise NothingFound(word, await lines_of_mine("why", approvals, context)) from error
    return order.source, order.value.number
