"""/receipt: what came in from vendors, when, and for which purchase orders."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from bot.cards.view import View
from bot.chat.arguments import PartnerTerm
from bot.chat.context import QuestionContext
from bot.chat.days import Days
from bot.chat.document_views import DocumentListView
from bot.chat.records.documents import Documents
from bot.chat.records.lookup import DocumentList
from bot.chat.registry import command
from bot.erp.errors import ErpError
from bot.erp.hub import Answer, ErpHub
from bot.erp.kinds import RECEIPTS
from bot.erp.model import Slice
from bot.erp.model.goods import GoodsReceipt
from bot.words.phrase import phrase


class ReceiptOrOrder(PartnerTerm):
    """The number of a receipt or of a purchase order, or part of it, or part of a vendor's name."""

    placeholder = phrase("receipt, order or vendor")


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
    if not days and (of_order := await documents.show_moved(RECEIPTS, text)):
        return of_order
    hit = await documents.find(RECEIPTS, text, days=days)
    if isinstance(hit, DocumentList) and context.rows is None:
        hit = replace(hit, found=await _with_goods(hit.found, documents.erp))
    return documents.show(RECEIPTS, hit)


async def _with_goods(found: Answer[Slice[GoodsReceipt]], erp: ErpHub) -> Answer[Slice[GoodsReceipt]]:
    """Return receipts with the goods of those that a card shows, which no list of an ERP tells."""
    size = DocumentListView.page_size
    shown, rest = found.value.items[:size], found.value.items[size:]
    read = await asyncio.gather(*(_read_whole(each, erp) for each in shown))
    return replace(found, value=replace(found.value, items=(*read, *rest)))


async def _read_whole(receipt: GoodsReceipt, erp: ErpHub) -> GoodsReceipt:
    try:
        return (await erp.beside(receipt).receipt(receipt.number)).value
    except ErpError:
        return receipt  # the list is there all the same
