"""Receipts: goods that came in from vendors."""

from __future__ import annotations

from operator import attrgetter

from bot.erp.capabilities import Capability
from bot.erp.goods import GoodsReceipt
from bot.erp.kinds.kind import Kind
from bot.erp.kinds.purchase_orders import PURCHASE_ORDERS
from bot.erp.kinds.rules import goods_rules
from bot.erp.model import Area

RECEIPTS: Kind[GoodsReceipt] = Kind(
    record=GoodsReceipt,
    command="receipt",
    areas=(Area.PURCHASING,),
    capability=Capability.RECEIPTS,
    reads=("receipt", "receipts", "receipts_of"),
    origin=PURCHASE_ORDERS,
    order_numbers=attrgetter("order_numbers"),
    texts=lambda receipt: (receipt.number, *receipt.order_numbers, receipt.vendor),
    partner=attrgetter("vendor"),
    owners=attrgetter("owners"),
    warehouse=attrgetter("warehouse"),
    day=attrgetter("day"),
    filters={},
    inside="lines",
    rules=goods_rules("vendor", "received_on"),
)
