"""/po: what the company ordered from vendors, and what waits for approval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import ClassVar

from bot.approvals.case import Case
from bot.approvals.document import FINGERPRINT_PREFIX
from bot.approvals.service import ApprovalService
from bot.approvals.views import decision_buttons
from bot.cards.view import Button, ListView, View
from bot.chat.arguments import Keyword, Term
from bot.chat.context import QuestionContext
from bot.chat.lookup import DocumentLookup, OneDocument
from bot.chat.parsing import command_line
from bot.chat.registry import command
from bot.chat.view_parts import Freshness, ask_buttons, erp_link_buttons, freshness
from bot.erp.hub import Answer, ErpHub
from bot.erp.model import Approval, Money, Progress, PurchaseLine, PurchaseStatus, Slice
from bot.erp.model import PurchaseOrder as ErpPurchaseOrder
from bot.erp.port import Filter
from bot.phrase import phrase


class PurchaseOrVendor(Term):
    """The number of a purchase order, or part of it, or part of a vendor's name."""

    placeholder = phrase("number or vendor")


class PurchaseList(Keyword):
    """The lists of purchase orders that have a name."""

    PENDING = phrase("pending"), "waiting", "approve", "待审批", "待审", "待批", "审批", "未审批", "dsp"
    LATE = phrase("late"), "overdue", "delayed", "晚", "迟", "延期", "逾期", "超期", "延迟", "未到货", "yq"


_FILTERS = {None: Filter.ALL, PurchaseList.PENDING: Filter.PENDING, PurchaseList.LATE: Filter.LATE}


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseOrder(ListView):
    """One purchase order; ``rows`` are its lines, people are shown by their names."""

    card: ClassVar[str] = "po"

    number: str
    vendor: str
    status: PurchaseStatus
    approval: Approval | None
    requester: str
    buyer: str
    ordered_on: date | None
    due_on: date | None
    days_late: int
    amount: Money | None
    received: Progress | None
    url: str
    rows: tuple[PurchaseLine, ...]
    freshness: Freshness
    case: str = ""
    """The case that the reader may decide; ``seen`` begins the fingerprint of what is shown."""
    seen: str = ""

    def row_buttons(self) -> Sequence[Button]:
        return ask_buttons("stock", (line.sku for line in self.rows))

    def buttons(self) -> Sequence[Button]:
        deeds = decision_buttons(self.case, self.seen, self.number) if self.case else ()
        return (*deeds, *ListView.buttons(self), *erp_link_buttons(self.url))


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseRow:
    """A purchase order in a list; ``pending_for`` are those whose approval it awaits."""

    number: str
    vendor: str
    status: PurchaseStatus
    due_on: date | None
    days_late: int
    amount: Money | None
    pending_for: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseOrders(ListView):
    """Purchase orders: the newest, those of a vendor, those that wait for approval, or the late ones."""

    card: ClassVar[str] = "pos"

    which: PurchaseList | None
    text: str
    rows: tuple[PurchaseRow, ...]
    freshness: Freshness

    def row_buttons(self) -> Sequence[Button]:
        return ask_buttons("po", (row.number for row in self.rows))


@command(
    "po",
    aliases=("采购", "cg", "采购单", "采购订单", "purchase"),
    examples=("/po PO-1001", "/采购 待审批", "/po late"),
    summary=phrase("Purchase orders: one, a vendor's, those to approve, or the late ones"),
    place=40,
)
async def po(
    text: PurchaseOrVendor | None = None,
    *,
    which: PurchaseList | None = None,
    erp: ErpHub,
    approvals: ApprovalService,
    context: QuestionContext,
) -> View:
    """Show one purchase order with its lines, or a list."""
    shelf = DocumentLookup("po", erp.purchase_order, erp.purchase_orders)
    hit = await shelf.look_up(text or "", _FILTERS[which], offset=context.offset)
    if isinstance(hit, OneDocument):
        return _order(hit.found, await _case(hit.found, approvals, context), context)
    return _orders(hit.found, which, text or "", context)


async def _case(found: Answer[ErpPurchaseOrder], approvals: ApprovalService, context: QuestionContext) -> Case | None:
    """Return the case that the asker may decide by this card; of an old copy nothing is decided."""
    if found.stale or found.value.status is not PurchaseStatus.WAITING:
        return None
    order = replace(found.value, source=found.source)
    return await approvals.open_case_for(order, context.person.user_id or "")


def _order(found: Answer[ErpPurchaseOrder], case: Case | None, context: QuestionContext) -> PurchaseOrder:
    order = found.value
    return PurchaseOrder(
        number=order.number,
        vendor=order.vendor,
        status=order.status,
        approval=_approval(order),
        requester=order.named(order.requester),
        buyer=order.named(order.buyer),
        ordered_on=order.ordered_on,
        due_on=order.due_on,
        days_late=order.days_late(context.now.date()),
        amount=order.total,
        received=order.received,
        url=order.url,
        rows=order.lines[context.offset : context.offset + PurchaseOrder.page_size],
        total=len(order.lines),
        offset=context.offset,
        line=command_line("po", order.number),
        freshness=freshness(found),
        case=case.id if case else "",
        seen=case.fingerprint[:FINGERPRINT_PREFIX] if case else "",
    )


def _orders(
    found: Answer[Slice[ErpPurchaseOrder]], which: PurchaseList | None, text: str, context: QuestionContext
) -> PurchaseOrders:
    return PurchaseOrders(
        which=which,
        text=text,
        rows=tuple(_row(order, context.now) for order in found.value.items[: PurchaseOrders.page_size]),
        total=found.value.total,
        offset=context.offset,
        line=command_line("po", which or "", text),
        freshness=freshness(found),
    )


def _row(order: ErpPurchaseOrder, now: datetime) -> PurchaseRow:
    return PurchaseRow(
        number=order.number,
        vendor=order.vendor,
        status=order.status,
        due_on=order.due_on,
        days_late=order.days_late(now.date()),
        amount=order.total,
        pending_for=approval.pending_for if (approval := _approval(order)) else (),
    )


def _approval(order: ErpPurchaseOrder) -> Approval | None:
    """Return who decided and who is awaited, by their names."""
    if order.approval is None:
        return None
    pending_for = tuple(map(order.named, order.approval.pending_for))
    return replace(order.approval, pending_for=pending_for, decided_by=order.named(order.approval.decided_by))
