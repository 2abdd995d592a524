"""/why: who decides a purchase order and by which rule, what an order lacks, and why a bill is not paid."""

from __future__ import annotations

from typing import Any

from bot.access.policy import AccessPolicy
from bot.approvals.cards.list_views import ApprovalChoice
from bot.approvals.cards.presenter import CasePresenter
from bot.approvals.cards.responder import audience_among, audience_within, find_meant
from bot.approvals.cards.view_builders import build_why_view, people_in_case, people_in_plan
from bot.approvals.service import ApprovalService
from bot.approvals.typed_votes import CaseRef
from bot.approvals.waiting_lines import lines_of_mine
from bot.cards.actions import Ask
from bot.cards.view import View
from bot.chat.context import QuestionContext
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.parsing import command_line
from bot.chat.records.numbered import find_numbered
from bot.chat.records.unpaid_bills import show_unpaid
from bot.chat.registry import command
from bot.erp.answer import Answer
from bot.erp.hub import ErpHub
from bot.erp.kinds import BILLS, PRODUCTION_ORDERS, PURCHASE_ORDERS, SALES_ORDERS, Kind
from bot.erp.model import Bill, PurchaseOrder
from bot.words.phrase import phrase

_KINDS = (PURCHASE_ORDERS, SALES_ORDERS, PRODUCTION_ORDERS, BILLS)


@command(
    "why",
    aliases=("为什么", "审批依据", "wsm", "spyj"),
    examples=("/why PO-1001", "/why SO-1001", "/为什么 BILL-1"),
    shows=("po",),
    to_concerned=True,
    changes=False,
    summary=phrase("Why a purchase order, order, production order or bill is not done yet"),
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
) -> View | Ask:
    """Show the rule, the people of each level, and what holds for the person who asks.

    Of an order show what is missing, and of a bill why it is not paid.
    """
    try:
        located = await _locate(word, approvals, erp, policy, context)
    except NothingFound:
        if word.casefold().startswith(PURCHASE_ORDERS.words.prefixes) or not _readable(policy, context):
            audience_among((), policy, context)
        raise
    if isinstance(located, (ApprovalChoice, Ask)):
        return located
    if isinstance(located, Answer):
        return await show_unpaid(located, erp, policy, context)
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
) -> tuple[str, str] | ApprovalChoice | Answer[Bill] | Ask:
    """Return the source and the number; the ERPs are asked for what was never decided from chat.

    Return the bill with this number, or where the line leads that names an order, where no purchase order has it.
    """
    found = await find_meant(word, approvals, erp, policy, context)
    if isinstance(found, ApprovalChoice):
        return found
    if found is not None:
        return found.case.source, found.case.number
    if not any(map(str.isdigit, word)):
        raise BadArgument(phrase("Say which document, such as: %(line)s", line="/why PO-1001"))
    if (other := await find_numbered(word, _readable(policy, context), erp)) is None:
        raise NothingFound(word, await lines_of_mine("why", approvals, context))
    document = other.value
    if isinstance(document, Bill):
        return other
    if isinstance(document, PurchaseOrder):
        return other.source, document.number
    return Ask(command_line("missing", document.number, books=document.books))


def _readable(policy: AccessPolicy, context: QuestionContext) -> tuple[Kind[Any], ...]:
    """Return the kinds that are asked for a number, without those that the rules close to the asker."""
    where = context.conversation.id
    return tuple(kind for kind in _KINDS if policy.decide_area(context.person, kind.command, where).allowed)
