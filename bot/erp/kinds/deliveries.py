"""Deliveries: goods that leave for customers, or left."""

from __future__ import annotations

from operator import attrgetter

from bot.erp.capabilities import Capability
from bot.erp.kinds.cards import GOODS_LINES, DocumentCards, State, is_when, marked_return
from bot.erp.kinds.kind import Kind, KindWords, NamedList, Orders, numbers_in
from bot.erp.kinds.rules import goods_rules
from bot.erp.kinds.sales_orders import SALES_ORDERS
from bot.erp.list_query import Filter
from bot.erp.model import Area, Feed
from bot.erp.model.goods import DeliveryStatus, GoodsDelivery
from bot.words.columns import Column
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
    orders=Orders(SALES_ORDERS, lambda delivery: numbers_in(delivery.order_number), attrgetter("delivery")),
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
    cards=DocumentCards(
        title=lambda delivery: phrase("Delivery %(number)s", number=delivery.number),
        newest=phrase("Newest deliveries"),
        lists={Filter.LATE: phrase("Late deliveries")},
        plural="deliveries",
        due=phrase("to leave %(days)s"),
        columns=(
            Column(phrase("Number"), "number"),
            Column(phrase("Order"), "order_number"),
            Column(phrase("Customer"), "customer"),
            Column(phrase("Status"), "status"),
            Column(phrase("Planned for"), "planned_on"),
            Column(phrase("Shipped on"), "shipped_on"),
            Column(phrase("Days late"), "days_late"),
            Column(phrase("Carrier"), "carrier"),
            Column(phrase("Tracking number"), "tracking"),
            Column(phrase("Warehouse"), "warehouse"),
        ),
        facts=(
            Column(phrase("Returned on"), is_when("shipped_on", True)),
            Column(phrase("Shipped on"), is_when("shipped_on", False)),
            "planned_on",
            "carrier",
            "tracking",
            Column(phrase("For order"), "order_number"),
            Column(phrase("From"), "warehouse"),
        ),
        lines=GOODS_LINES,
        states=(
            State(DeliveryStatus.PLANNED, phrase("To ship")),
            State(DeliveryStatus.READY, phrase("Ready to ship"), "blue"),
            State(DeliveryStatus.SHIPPED, phrase("Shipped"), "green"),
            State(DeliveryStatus.CANCELLED, phrase("Cancelled")),
        ),
        mark=marked_return,
    ),
)
