"""Deliveries: goods that leave for customers, or left."""

from __future__ import annotations

from operator import attrgetter

from bot.erp.capabilities import Capability
from bot.erp.goods import DeliveryStatus, GoodsDelivery
from bot.erp.kinds.kind import Kind, KindWords, NamedList, Orders, numbers_in
from bot.erp.kinds.rules import goods_rules
from bot.erp.kinds.sales_orders import SALES_ORDERS
from bot.erp.list_query import Filter
from bot.erp.model import Area, Feed
from bot.words.phrase import phrase

_planned_on = attrgetter("planned_on")

DELIVERIES: Kind[GoodsDelivery] = Kind(
    record=GoodsDelivery,
    command="delivery",
    words=KindWords(many=phrase("Deliveries"), prefixes=("dn", "matdn", "whout", "xsck", "xsckd", "fh", "fhd", "dlv")),
    areas=(Area.SALES,),
    capability=Capability.DELIVERIES,
    feed=Feed.DELIVERIES,
    reads=("delivery", "deliveries", "deliveries_of"),
    orders=Orders(SALES_ORDERS, lambda delivery: numbers_in(delivery.order_number)),
    texts=attrgetter("number", "order_number", "customer"),
    partner=attrgetter("customer"),
    owners=lambda delivery: (delivery.salesperson,),
    warehouse=attrgetter("warehouse"),
    day=attrgetter("day"),
    due=_planned_on,
    days_late=GoodsDelivery.days_late,
    filters={Filter.LATE: NamedList(lambda delivery, today: delivery.days_late(today) > 0, _planned_on)},
    counts=lambda delivery: delivery.status is not DeliveryStatus.CANCELLED,
    is_unfinished=attrgetter("is_open"),
    inside="lines",
    rules=goods_rules("customer", "planned_on", "shipped_on"),
)
