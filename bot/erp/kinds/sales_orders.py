"""Sales orders: what customers ordered."""

from __future__ import annotations

from operator import attrgetter

from bot.erp.capabilities import Capability
from bot.erp.kinds.kind import DocumentAmounts, Kind, KindWords, NamedList
from bot.erp.kinds.rules import ORDER_RULES
from bot.erp.list_query import Filter
from bot.erp.model import Area, OrderStatus, SalesOrder
from bot.erp.validation_rules import days, missing_name
from bot.words.disclosure import FieldClass
from bot.words.phrase import phrase

_NOT_AGREED = frozenset({OrderStatus.DRAFT, OrderStatus.CANCELLED})
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
)
