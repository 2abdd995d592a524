"""Sales orders: what customers ordered."""

from __future__ import annotations

from operator import attrgetter

from bot.erp.capabilities import Capability
from bot.erp.kinds.cards import Deciding, DocumentCards, Lead, State
from bot.erp.kinds.kind import DocumentAmounts, Kind, KindWords, NamedList
from bot.erp.kinds.rules import ORDER_RULES
from bot.erp.list_query import Filter
from bot.erp.model import Area, OrderStatus, Progress, SalesOrder
from bot.erp.validation_rules import days, missing_name
from bot.words.columns import Column
from bot.words.disclosure import FieldClass
from bot.words.phrase import phrase

_NOT_AGREED = frozenset({OrderStatus.DRAFT, OrderStatus.CANCELLED})
_BILLED = frozenset({Progress.PARTIAL, Progress.FULL})
_promised_on = attrgetter("promised_on")

SALES_ORDERS: Kind[SalesOrder] = Kind(
    record=SalesOrder,
    command="order",
    words=KindWords(
        many=phrase("Orders"),
        open=phrase("Open orders"),
        late=phrase("Late orders"),
        prefixes=("so", "sal", "salord", "xsdd", "xs", "sd"),
    ),
    areas=(Area.SALES,),
    capability=Capability.SALES_ORDERS,
    by_product=Capability.ORDERS_OF_PRODUCT,
    reads=("order", "orders"),
    texts=attrgetter("number", "customer"),
    partner=attrgetter("customer"),
    owners=lambda order: (order.salesperson,),
    day=attrgetter("ordered_on"),
    due=_promised_on,
    days_late=SalesOrder.days_late,
    filters={
        Filter.OPEN: NamedList(lambda order, today: order.is_open, _promised_on),
        Filter.LATE: NamedList(lambda order, today: order.days_late(today) > 0, _promised_on),
    },
    counts=lambda order: order.status not in _NOT_AGREED,
    is_unfinished=lambda order: order.is_open or order.status is OrderStatus.DRAFT,
    amounts=DocumentAmounts(attrgetter("total"), frozenset({FieldClass.AMOUNT})),
    inside="lines",
    rules=(*ORDER_RULES, missing_name("customer"), days("ordered_on", "promised_on")),
    cards=DocumentCards(
        deciding=Deciding(
            title=lambda number: phrase("Sales order %(number)s", number=number),
            waiting=phrase("Sales order to approve"),
            day=phrase("Ordered"),
            due=phrase("Promised"),
        ),
        title=lambda order: phrase("Sales order %(number)s", number=order.number),
        newest=phrase("Newest orders"),
        tells=(
            Lead("delivery", lambda order: (order.number,)),
            Lead("invoice", lambda order: (order.number,) if order.billing in _BILLED else ()),
            Lead("mo", lambda order: (order.number,) if order.is_open else ()),
            Lead("why", lambda order: (order.number,) if order.is_open else ()),
        ),
        about=(Lead("customer", lambda order: (order.customer,)),),
        due=phrase("to be delivered %(days)s"),
        due_day=phrase("delivery %(day)s"),
        left_heading=phrase("Still to deliver"),
        left_share=phrase("%(quantity)s to deliver"),
        columns=(
            Column(phrase("Number"), "number"),
            Column(phrase("Customer"), "customer"),
            Column(phrase("Status"), "status"),
            Column(phrase("Delivery"), "delivery"),
            Column(phrase("Ordered"), "ordered_on"),
            Column(phrase("Promised"), "promised_on"),
            Column(phrase("Days late"), "days_late"),
            Column(phrase("Amount"), "total"),
            Column(phrase("Salesperson"), "salesperson"),
        ),
        facts=(
            "promised_on",
            Column(phrase("Total"), "total"),
            Column(
                phrase("Shipment"),
                "delivery",
                beside=(Column(phrase("billing"), "billing"), Column(phrase("payment"), "payment")),
            ),
            "ordered_on",
            "salesperson",
        ),
        lines=(
            Column(phrase("Product"), "sku"),
            Column(phrase("Name"), "name"),
            Column(phrase("Quantity"), "quantity"),
            Column(phrase("Delivered"), "delivered"),
            Column(phrase("Invoiced"), "invoiced"),
            Column(phrase("Unit"), "unit"),
            Column(phrase("Price"), "price"),
            Column(phrase("Amount"), "amount"),
            Column(phrase("Promised"), "due_on"),
        ),
        line_facts=(Column(phrase("delivered"), "delivered"),),
        states=(
            State(OrderStatus.DRAFT, phrase("Draft")),
            State(OrderStatus.OPEN, phrase("To deliver"), "blue"),
            State(OrderStatus.ON_HOLD, phrase("On hold"), "orange"),
            State(OrderStatus.PARTLY_DELIVERED, phrase("Partly delivered"), "orange"),
            State(OrderStatus.DELIVERED, phrase("Delivered"), "green"),
            State(OrderStatus.CLOSED, phrase("Closed")),
            State(OrderStatus.CANCELLED, phrase("Cancelled")),
        ),
    ),
)
