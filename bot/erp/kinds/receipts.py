"""Receipts: goods that came in from vendors."""

from __future__ import annotations

from operator import attrgetter

from bot.erp.capabilities import Capability
from bot.erp.kinds.cards import GOODS_LINES, VENDOR, DocumentCards, Lead, is_when, marked_return
from bot.erp.kinds.kind import Kind, KindWords, Orders
from bot.erp.kinds.purchase_orders import PURCHASE_ORDERS
from bot.erp.kinds.rules import goods_rules
from bot.erp.model import Area, Feed
from bot.erp.model.goods import GoodsReceipt
from bot.words.columns import Column
from bot.words.phrase import phrase

RECEIPTS: Kind[GoodsReceipt] = Kind(
    record=GoodsReceipt,
    command="receipt",
    words=KindWords(
        many=phrase("Goods receipts"), prefixes=("grn", "whin", "matpre", "matprret", "cgrk", "cgtl", "rkd", "shd")
    ),
    areas=(Area.PURCHASING,),
    capability=Capability.RECEIPTS,
    feed=Feed.RECEIPTS,
    reads=("receipt", "receipts", "receipts_of"),
    orders=Orders(PURCHASE_ORDERS, attrgetter("order_numbers"), attrgetter("received")),
    texts=lambda receipt: (receipt.number, *receipt.order_numbers, receipt.vendor),
    partner=attrgetter("vendor"),
    owners=attrgetter("owners"),
    warehouse=attrgetter("warehouse"),
    day=attrgetter("day"),
    filters={},
    inside="lines",
    rules=goods_rules("vendor", "received_on"),
    cards=DocumentCards(
        title=lambda receipt: phrase("Goods receipt %(number)s", number=receipt.number),
        partner=VENDOR,
        newest=phrase("Newest goods receipts"),
        tells=(Lead("bill", lambda receipt: receipt.order_numbers if len(receipt.order_numbers) == 1 else ()),),
        columns=(
            Column(phrase("Number"), "number"),
            Column(phrase("Purchase order"), lambda receipt: ", ".join(receipt.order_numbers)),
            Column(phrase("Vendor"), "vendor"),
            Column(phrase("Came in on"), "received_on"),
            Column(phrase("Warehouse"), "warehouse"),
        ),
        facts=(
            Column(phrase("Returned on"), is_when("received_on", True)),
            Column(phrase("Came in on"), is_when("received_on", False)),
            Column(phrase("Purchase order"), "order_numbers"),
            "warehouse",
        ),
        lines=(*GOODS_LINES, Column(phrase("Lot"), "lot")),
        line_facts=(Column(phrase("lot"), "lot"),),
        state=lambda receipt: None,
        mark=marked_return,
    ),
)
