"""/po: what the company ordered from vendors, and what waits for approval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from bot.approvals.cards.views import HEADLINES, decision_buttons
from bot.approvals.case import CaseState
from bot.approvals.document import FINGERPRINT_PREFIX
from bot.approvals.service import ApprovalService, RevisionCase
from bot.cards.actions import Ask
from bot.cards.view import Button, Following, View
from bot.chat.amounts import Amounts
from bot.chat.arguments import Keyword, PartnerTerm
from bot.chat.context import QuestionContext
from bot.chat.days import Days
from bot.chat.document_views import DocumentListView, DocumentView, ListedRows
from bot.chat.records.documents import Documents
from bot.chat.records.lookup import DocumentList
from bot.chat.records.products import ProductChoice
from bot.chat.registry import command
from bot.erp.hub import Answer
from bot.erp.kinds import PURCHASE_ORDERS
from bot.erp.model import DocumentRef, PurchaseLine, PurchaseOrder, ReviewState
from bot.words.phrase import Phrase, phrase


class PurchaseOrVendor(PartnerTerm):
    """The number of a purchase order, or part of it, or part of a vendor's name, or a product in it."""

    placeholder = phrase("number, vendor or SKU")


class PurchaseList(Keyword, changes=False):
    """The lists of purchase orders that have a name."""

    PENDING = phrase("pending"), "waiting", "approve", "待审批", "待审", "待批", "审批", "未审批", "dsp"
    LATE = phrase("late"), "overdue", "delayed", "晚", "迟", "延期", "逾期", "超期", "延迟", "yq"
    OPEN = phrase("open"), "未结", "未到货", "未完成", "待到货", "待收货"


_UNDER_WAY = frozenset({CaseState.WRITING, CaseState.UNKNOWN, CaseState.FAILED})
"""States in which an order still waits in the ERP, although it was decided here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseView(DocumentView):
    """One purchase order with its lines, in which people are called by their names."""

    kind: ClassVar = PURCHASE_ORDERS

    document: PurchaseOrder
    rows: tuple[PurchaseLine, ...]
    case: str = ""
    """The case that the reader may decide; ``seen`` begins the fingerprint of what is shown."""
    seen: str = ""
    can_reject: bool = True
    progress: Phrase | None = None
    """What is under way in the ERP since somebody decided."""

    def following(self) -> Following | None:
        if self.document.status is not ReviewState.WAITING:
            return None
        return Following((DocumentRef(self.freshness.source, self.document.number),), Ask(self.line, self.offset))

    def buttons(self) -> Sequence[Button]:
        if not self.case:
            return DocumentView.buttons(self)
        decisions = decision_buttons(self.case, self.seen, self.document.number, can_reject=self.can_reject)
        return (*decisions, *DocumentView.buttons(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseListView(DocumentListView):
    """Purchase orders: the newest, those of a vendor, those to approve, the open or the late ones."""

    kind: ClassVar = PURCHASE_ORDERS

    which: PurchaseList | None
    rows: ListedRows[PurchaseOrder]

    def following(self) -> Following | None:
        waiting = [row for row in self.rows if row.status is ReviewState.WAITING]
        documents = tuple(DocumentRef(row.source or self.freshness.source, row.number) for row in waiting)
        return Following(documents, Ask(self.line, self.offset)) if documents else None


@command(
    "po",
    aliases=("采购", "cg", "采购单", "采购订单", "purchase"),
    examples=("/po PO-1001", "/采购 待审批", "/po late"),
    shows=("po",),
    changes=False,
    summary=phrase("Purchase orders: one, a vendor's, those to approve, the open or the late ones"),
    place=16,
)
async def po(
    text: PurchaseOrVendor | None = None,
    *,
    days: Days | None = None,
    amounts: Amounts | None = None,
    which: PurchaseList | None = None,
    documents: Documents,
    approvals: ApprovalService,
    context: QuestionContext,
) -> View:
    """Show one purchase order with its lines, or a list."""
    hit = await documents.find_by_product(PURCHASE_ORDERS, text, which=which, days=days, amounts=amounts)
    if isinstance(hit, ProductChoice):
        return hit
    if isinstance(hit, DocumentList):
        found = hit.found
        named = replace(found.value, items=tuple(map(_with_names, found.value.items)))
        return documents.show(PURCHASE_ORDERS, replace(hit, found=replace(found, value=named)))
    known = await _case(hit.found, approvals, context)
    case = known.case if known.decides else None
    return documents.show(
        PURCHASE_ORDERS,
        replace(hit, found=replace(hit.found, value=_with_names(hit.found.value))),
        case=case.id if case else "",
        seen=case.fingerprint[:FINGERPRINT_PREFIX] if case else "",
        can_reject=known.rejects,
        progress=HEADLINES[known.case.state] if known.case and known.case.state in _UNDER_WAY else None,
    )


async def _case(found: Answer[PurchaseOrder], approvals: ApprovalService, context: QuestionContext) -> RevisionCase:
    """Return what is decided here of the order; of an old copy nothing is."""
    if found.stale or found.value.status is not ReviewState.WAITING:
        return RevisionCase()
    order = replace(found.value, source=found.source)
    return await approvals.case_of(order, context.person.user_id or "")


def _with_names(order: PurchaseOrder) -> PurchaseOrder:
    """Return the order with the names of people in place of their accounts."""
    approval = order.review.approval and replace(
        order.review.approval,
        pending_for=tuple(map(order.review.named, order.review.approval.pending_for)),
        decided_by=order.review.named(order.review.approval.decided_by),
    )
    return replace(
        order,
        review=replace(order.review, approval=approval, requester=order.review.named(order.review.requester)),
        buyer=order.review.named(order.buyer),
    )
