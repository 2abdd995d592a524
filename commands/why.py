"""/why: who decides a document and by which rule, what an order lacks, and why a bill is not paid."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from bot.access.policy import AccessPolicy, Denied
from bot.approvals.cards.list_views import ApprovalChoice
from bot.approvals.cards.responder import CaseFinder, audience_within, is_narrowed, refuse_blind
from bot.approvals.cards.view_builders import build_why_view, people_away, people_in_case, people_in_plan
from bot.approvals.document import DocumentKey
from bot.approvals.service import ApprovalService
from bot.approvals.typed_votes import CaseRef
from bot.approvals.waiting_lines import lines_of_mine
from bot.cards.view import View
from bot.chat.context import QuestionContext
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.parsing import command_line
from bot.chat.records.lookup import SEARCH_LIMIT, find_closest, read_as_spelled
from bot.chat.records.need_views import show_missing
from bot.chat.records.unpaid_bills import show_unpaid
from bot.chat.registry import command
from bot.erp.answer import Answer
from bot.erp.books import Books
from bot.erp.errors import NotFound, NotPermitted, Unsupported
from bot.erp.hub import ErpHub
from bot.erp.kinds import BILLS, PRODUCTION_ORDERS, PURCHASE_ORDERS, QUOTATIONS, SALES_ORDERS, Kind
from bot.erp.model import Bill, ReviewState
from bot.erp.port import ListQuery
from bot.words.phrase import phrase

_GOING_ON = (SALES_ORDERS, PRODUCTION_ORDERS, BILLS)
"""Kinds of which the bot tells also what holds them up after their approval."""
_KINDS = (PURCHASE_ORDERS, *_GOING_ON, QUOTATIONS)
_HELD_UP = frozenset({ReviewState.WAITING, ReviewState.REJECTED})
_NOT_THERE = (NotFound, NotPermitted, Unsupported)


@command(
    "why",
    aliases=("为什么", "审批依据", "wsm", "spyj"),
    examples=("/why PO-1001", "/why SO-1001", "/为什么 BILL-1"),
    shows=("po",),
    to_concerned=True,
    changes=False,
    summary=phrase("Why a document is not decided, delivered, produced or paid yet"),
    place=45,
)
async def why(
    word: CaseRef,
    *,
    cases: CaseFinder,
    context: QuestionContext,
) -> View:
    """Show the rule, the people of each level, and what holds for the person who asks.

    Of an order and a production order show what is missing, and of a bill why it is not paid.
    """
    approvals, erp, policy = cases.approvals, cases.erp, cases.policy
    try:
        located = await _locate(word, cases)
    except NothingFound:
        if _is_refused(word, policy, context):
            refuse_blind(policy, context, (PURCHASE_ORDERS,))
        raise
    if isinstance(located, ApprovalChoice):
        return located
    if isinstance(located, Answer):
        show = show_unpaid if isinstance(located.value, Bill) else show_missing
        return await show(located, erp, policy, context)
    explained = await approvals.why(located, context.person.user_id or "")
    case, plan = explained.case, explained.plan_result.plan
    rulings = [ruling for ruling in (explained.approve, explained.reject) if ruling is not None]
    asked = [user_id for ruling in rulings for user_id in (*ruling.ask, ruling.on_behalf_of)]
    concerned = people_in_case(case) if case is not None else people_in_plan(plan) if plan is not None else ()
    deciding = [context.person.user_id or ""] if any(ruling.allowed for ruling in rulings) else []
    try:
        audience = await audience_within([*concerned, *deciding], located, erp, policy, context)
    except Denied:
        if _is_refused(word, policy, context):
            raise
        raise await _missing(word, approvals, erp, policy, context) from None
    named = (*concerned, *asked, *explained.erp_approvers.user_ids, *people_away(explained.away))
    narrowed = is_narrowed([*concerned, *deciding], located.kind, policy, context)
    return build_why_view(explained, await cases.showing.names(named), audience, narrowed=narrowed)


async def _locate(word: str, cases: CaseFinder) -> DocumentKey | ApprovalChoice | Answer[Any]:
    """Return the key of a document whose decision is to be explained, else the document that has the number.

    The ERPs are asked for what was never decided from chat.
    """
    found = await cases.find(word)
    approvals, erp, policy, context = cases.approvals, cases.erp, cases.policy, cases.context
    if isinstance(found, ApprovalChoice):
        return found
    readable = _readable(policy, context)
    if found is not None:
        case = found.case
        is_over = case.state.is_final and case.kind in _GOING_ON and case.kind in readable
        there = await _read(case.kind, case.number, approvals, erp.within(Books(case.source))) if is_over else None
        return there or case.key
    if not any(map(str.isdigit, word)):
        raise BadArgument(phrase("Say which document, such as: %(line)s", line="/why PO-1001"))
    kinds = sorted(readable, key=lambda kind: not _begins(word, kind))
    for kind in kinds:
        if (located := await _read(kind, word, approvals, erp)) is not None:
            return located
    raise await _missing(word, approvals, erp, policy, context)


async def _missing(
    word: str, approvals: ApprovalService, erp: ErpHub, policy: AccessPolicy, context: QuestionContext
) -> NothingFound:
    """Return the answer about a number that nothing has, or nothing that the asker may see."""
    for kind in _readable(policy, context):
        if _begins(word, kind) and kind != PURCHASE_ORDERS:
            return NothingFound(word, await _closest(word, kind, erp))
    return NothingFound(word, await lines_of_mine("why", approvals, context))


def _is_refused(word: str, policy: AccessPolicy, context: QuestionContext) -> bool:
    """Return whether an asker who may not see a document hears so, in place of that there is none."""
    return _begins(word, PURCHASE_ORDERS) or not _readable(policy, context)


async def _read(
    kind: Kind[Any], number: str, approvals: ApprovalService, erp: ErpHub
) -> DocumentKey | Answer[Any] | None:
    """Return what is explained of a document: its decision, or what comes after; None if it has neither."""
    numbered = await read_as_spelled(number, partial(erp.document, kind), missing=_NOT_THERE)
    if numbered is None:
        return None
    review = kind.review(numbered.value)
    is_held_up = review is not None and review.state in _HELD_UP and kind.command in approvals.ruled_kinds
    if review is not None and (is_held_up or kind not in _GOING_ON):
        return DocumentKey(numbered.source, kind, numbered.value.number)
    return numbered if kind in _GOING_ON else None


def _begins(word: str, kind: Kind[Any]) -> bool:
    """Return whether numbers of a kind begin so."""
    return bool(kind.words.prefixes) and word.casefold().startswith(kind.words.prefixes)


async def _closest(word: str, kind: Kind[Any], erp: ErpHub) -> Sequence[str]:
    """Return the lines that ask about the numbers most like one that nothing has."""

    async def search(part: str) -> list[str]:
        found = (await erp.documents(kind, ListQuery(text=part, limit=SEARCH_LIMIT))).value.items
        return [each.number for each in found if part in each.number]

    able = erp.offers(kind.capability)
    return [command_line("why", number) for number in await find_closest(word, search)] if able else []


def _readable(policy: AccessPolicy, context: QuestionContext) -> tuple[Kind[Any], ...]:
    """Return the kinds that are asked for a number, without those that the rules close to the asker."""
    where = context.conversation.id
    return tuple(kind for kind in _KINDS if policy.decide_area(context.person, kind.command, where).allowed)
