"""Production orders: what is to be made, and what was."""

from __future__ import annotations

from operator import attrgetter

from bot.erp.capabilities import Capability
from bot.erp.kinds.cards import DocumentCards, Lead, State
from bot.erp.kinds.kind import Kind, KindWords, NamedList, Orders, numbers_in
from bot.erp.kinds.rules import DOCUMENT_RULES
from bot.erp.kinds.sales_orders import SALES_ORDERS
from bot.erp.list_query import Filter
from bot.erp.model import Area, ProductionOrder, ProductionStatus
from bot.erp.validation_rules import days, made_quantities, missing_key
from bot.words.columns import Column
from bot.words.phrase import phrase

_due_on = attrgetter("due_on")

PRODUCTION_ORDERS: Kind[ProductionOrder] = Kind(
    record=ProductionOrder,
    command="mo",
    words=KindWords(
        many=phrase("Production orders"),
        open=phrase("Open production orders"),
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
    cards=DocumentCards(
        title=lambda order: phrase("Production order %(number)s", number=order.number),
        newest=phrase("Newest production orders"),
        opens=(Lead("stock", lambda order: (order.sku,)),),
        tells=(Lead("why", lambda order: (order.number,) if order.is_open else ()),),
        lists={
            Filter.DONE: phrase("Finished production orders"),
            Filter.LATE: phrase("Late production orders"),
        },
        due=phrase("to be finished %(days)s"),
        during={Filter.ALL: phrase("starting %(days)s"), Filter.DONE: phrase("finished %(days)s")},
        columns=(
            Column(phrase("Number"), "number"),
            Column(phrase("Product"), "sku"),
            Column(phrase("Name"), "name"),
            Column(phrase("Status"), "status"),
            Column(phrase("Starts on"), "start_on"),
            Column(phrase("Planned finish"), "due_on"),
            Column(phrase("Finished on"), "finished_on"),
            Column(phrase("Days late"), "days_late"),
            Column(phrase("Planned quantity"), "planned"),
            Column(phrase("Produced"), "produced"),
            Column(phrase("Unit"), "unit"),
            Column(phrase("Order"), "sales_order"),
        ),
        facts=(
            Column(phrase("Scrapped"), "scrapped"),
            "due_on",
            "finished_on",
            Column(phrase("Start"), "start_on"),
            Column(phrase("For order"), "sales_order"),
        ),
        states=(
            State(ProductionStatus.PLANNED, phrase("Planned")),
            State(ProductionStatus.RELEASED, phrase("Released"), "blue"),
            State(ProductionStatus.RUNNING, phrase("In production"), "blue"),
            State(ProductionStatus.ON_HOLD, phrase("Stopped"), "orange"),
            State(ProductionStatus.DONE, phrase("Done"), "green"),
            State(ProductionStatus.CANCELLED, phrase("Cancelled")),
        ),
    ),
)
