"""/delivery: what of an order left, when, with whom, and what is still to leave."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from functools import partial

from bot.cards.view import View
from bot.chat.arguments import Keyword, PartnerTerm
from bot.chat.context import QuestionContext
from bot.chat.days import Days, asked_days
from bot.chat.records.documents import Documents
from bot.chat.records.lookup import SEARCH_LIMIT
from bot.chat.registry import command
from bot.erp.hub import Answer, ErpHub
from bot.erp.kinds import DELIVERIES, NamedList
from bot.erp.model import Slice
from bot.erp.model.goods import GoodsDelivery
from bot.erp.port import Filter, ListQuery
from bot.words.phrase import phrase

TO_LEAVE = replace(
    DELIVERIES,
    filters={
        **DELIVERIES.filters,
        Filter.OPEN: NamedList(lambda delivery, today: delivery.is_open, lambda delivery: delivery.planned_on),
    },
)
"""Deliveries, of which those that have not left can be listed."""


class DeliveryOrOrder(PartnerTerm):
    """The number of a delivery or of a sales order, or part of it, or part of a customer's name."""

    placeholder = phrase("delivery, order or customer")


class DeliveryList(Keyword, changes=False, lists=DELIVERIES):
    """The lists of deliveries that have a name."""

    LATE = phrase("late"), "overdue", "delayed", "晚", "迟", "延期", "逾期", "超期", "延迟", "未发", "待发", "yq"


@command(
    "delivery",
    aliases=("发货", "fh", "发货单", "送货", "物流", "快递", "deliveries", "shipment"),
    examples=("/delivery SO-1001", "/发货 DN-1001", "/发货 宏达", "/delivery late"),
    shows=("order",),
    changes=False,
    summary=phrase("Deliveries: what of an order was shipped, when and by whom"),
    place=30,
)
async def delivery(
    text: DeliveryOrOrder | None = None,
    *,
    days: Days | None = None,
    which: DeliveryList | None = None,
    documents: Documents,
    context: QuestionContext,
) -> View:
    """Show one delivery, those of an order, or a list."""
    today = context.today
    asked = asked_days(days, today, late=which is DeliveryList.LATE)
    if not (which or asked) and (of_order := await documents.show_moved(DELIVERIES, text)):
        return of_order
    ask = partial(_read_list, today)
    hit = await documents.find(TO_LEAVE, text, which=which, days=days, ask=ask)
    return documents.show(DELIVERIES, hit)


async def _read_list(today: date, erp: ErpHub, query: ListQuery) -> Answer[Slice[GoodsDelivery]]:
    """Read a list, that of what is still to leave in two parts: no ERP is asked for it as a whole."""
    if query.filter is not Filter.OPEN or query.due is None:
        return await erp.deliveries(query)
    whole = replace(query, offset=0, limit=SEARCH_LIMIT, due=None)
    late, due = await asyncio.gather(
        erp.deliveries(replace(whole, filter=Filter.LATE)),
        erp.deliveries(replace(whole, filter=Filter.ALL, due=query.due)),
    )
    found = {(each.source, each.books, each.number): each for each in (*late.value.items, *due.value.items)}
    return replace(due, value=TO_LEAVE.pick(found.values(), query, today))
