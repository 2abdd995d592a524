"""Production orders: what is to be made, and what was."""

from __future__ import annotations

from operator import attrgetter

from bot.erp.capabilities import Capability
from bot.erp.kinds.kind import Kind, KindWords, NamedList, Orders, numbers_in
from bot.erp.kinds.rules import DOCUMENT_RULES
from bot.erp.kinds.sales_orders import SALES_ORDERS
from bot.erp.list_query import Filter
from bot.erp.model import Area, ProductionOrder, ProductionStatus
from bot.erp.validation_rules import days, made_quantities, missing_key
from bot.words.phrase import phrase

_due_on = attrgetter("due_on")

PRODUCTION_ORDERS: Kind[ProductionOrder] = Kind(
    record=ProductionOrder,
    command="mo",
    words=KindWords(
        many=phrase("Production orders"),
        late=phrase("Late production"),
        prefixes=("mo", "wo", "whmo", "mfgwo", "scdd", "scgd", "sc"),
    ),
    areas=(Area.PRODUCTION,),
    capability=Capability.PRODUCTION_ORDERS,
    reads=("production_order", "production_orders"),
    orders=Orders(SALES_ORDERS, lambda order: numbers_in(order.sales_order)),
    texts=attrgetter("number", "sku", "name"),
    day=attrgetter("start_on"),
    due=_due_on,
    days_late=ProductionOrder.days_late,
    filters={
        Filter.OPEN: NamedList(lambda order, today: order.is_open, _due_on),
        Filter.LATE: NamedList(lambda order, today: order.days_late(today) > 0, _due_on),
        Filter.DONE: NamedList(lambda order, today: order.status is ProductionStatus.DONE, attrgetter("finished_on")),
    },
    counts=lambda order: order.status is not ProductionStatus.CANCELLED,
    is_unfinished=attrgetter("is_open"),
    rules=(*DOCUMENT_RULES, missing_key("sku"), days("start_on", "due_on", "finished_on"), made_quantities),
)
