"""/receipt: what came in from vendors, when, and for which purchase orders."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from bot.cards.view import Button, View
from bot.chat.arguments import PartnerTerm
from bot.chat.context import QuestionContext
from bot.chat.days import Days
from bot.chat.document_views import DocumentListView, DocumentView
from bot.chat.records.documents import Documents
from bot.chat.records.links import more_buttons, offered
from bot.chat.records.lookup import OneDocument
from bot.chat.records.order_moves import OrderMovesView, moves_of_order
from bot.chat.registry import command
from bot.erp.errors import ErpError
from bot.erp.hub import Answer, ErpHub
from bot.erp.kinds import RECEIPTS
from bot.erp.model import PartnerName, Progress, Slice
from bot.erp.model.goods import GoodsReceipt, ReceiptLine
from bot.words.columns import Column
from bot.words.disclosure import cut
from bot.words.phrase import phrase


class ReceiptOrOrder(PartnerTerm):
    """The number of a receipt or of a purchase order, or part of it, or part of a vendor's name."""

    placeholder = phrase("receipt, order or vendor")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptView(DocumentView):
    """One receipt with its lines."""

    kind: ClassVar = RECEIPTS

    document: GoodsReceipt
    rows: tuple[ReceiptLine, ...]
    more: tuple[str, ...] = ()
    """Commands that tell more of its orders."""

    def told_buttons(self) -> Sequence[Button]:
        numbers = self.document.order_numbers
        return more_buttons(self.more, numbers[0]) if len(numbers) == 1 else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptListView(DocumentListView):
    """Receipts: the newest, those of some days, or those of a vendor."""

    kind: ClassVar = RECEIPTS

    rows: tuple[GoodsReceipt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReceiptsView(OrderMovesView):
    """What came in of one purchase order. ``received`` is how much came in, where the ERP says it."""

    card: ClassVar[str] = "order_receipts"
    command: ClassVar[str] = "receipt"
    order_command: ClassVar[str] = "po"
    columns: ClassVar[tuple[Column, ...]] = ReceiptListView.columns

    vendor: PartnerName
    received: Progress | None
    rows: tuple[GoodsReceipt, ...]


@command(
    "receipt",
    aliases=("收货", "收货单", "入库", "入库单", "进货", "grn"),
    examples=("/receipt PO-1011", "/收货 昨天", "/入库单 宝钢", "/receipt last week"),
    shows=("po",),
    changes=False,
    summary=phrase("Goods receipts: what came in from vendors, and on which day"),
    place=31,
)
async def receipt(
    text: ReceiptOrOrder | None = None,
    *,
    days: Days | None = None,
    documents: Documents,
    context: QuestionContext,
) -> View:
    """Show one receipt, those of a purchase order, or a list."""
    if text and not (days or documents.is_restricted) and (of_order := await _of_order(text, documents, context)):
        return of_order
    hit = await documents.find(RECEIPTS, text, days=days)
    if isinstance(hit, OneDocument):
        return ReceiptView.of(hit, context, more=offered(documents.erp, "bill", of=hit.found))
    if context.rows is None:
        hit = replace(hit, found=await _with_goods(hit.found, documents.erp))
    return ReceiptListView.of(hit, context)


async def _with_goods(found: Answer[Slice[GoodsReceipt]], erp: ErpHub) -> Answer[Slice[GoodsReceipt]]:
    """Return receipts with the goods of those that a card shows, which no list of an ERP tells."""
    shown, rest = found.value.items[: ReceiptListView.page_size], found.value.items[ReceiptListView.page_size :]
    read = await asyncio.gather(*(_read_whole(each, erp) for each in shown))
    return replace(found, value=replace(found.value, items=(*read, *rest)))


async def _read_whole(receipt: GoodsReceipt, erp: ErpHub) -> GoodsReceipt:
    try:
        return (await erp.beside(receipt).receipt(receipt.number)).value
    except ErpError:
        return receipt  # the list is there all the same


async def _of_order(text: str, documents: Documents, context: QuestionContext) -> OrderReceiptsView | None:
    """Return the receipts of the purchase order with this number; None where there is no such order."""
    if (found := await moves_of_order(text, RECEIPTS, documents.erp)) is None:
        return None
    order, moved = found
    view = OrderReceiptsView.of(order, moved, context, vendor=order.vendor, received=order.received)
    return cut(view, documents.fields(RECEIPTS))
