"""/order: what a customer ordered, and what is late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from bot.cards.view import Button, ListView, View
from bot.chat.arguments import Keyword, Term
from bot.chat.context import QuestionContext
from bot.chat.lookup import DocumentLookup, OneDocument
from bot.chat.parsing import command_line
from bot.chat.registry import command
from bot.chat.view_parts import Freshness, ask_buttons, erp_link_buttons, freshness
from bot.erp.hub import Answer, ErpHub
from bot.erp.model import Money, OrderLine, OrderStatus, Progress, SalesOrder, Slice
from bot.erp.port import Filter
from bot.phrase import phrase


class OrderOrCustomer(Term):
    """The number of a sales order, or part of it, or part of a customer's name."""

    placeholder = phrase("number or customer")


class OrderList(Keyword):
    """The lists of orders that have a name."""

    LATE = phrase("late"), "overdue", "delayed", "晚", "迟", "延期", "逾期", "超期", "晚了", "延迟", "未按期", "yq"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(ListView):
    """One sales order; ``rows`` are its lines."""

    card: ClassVar[str] = "order"

    number: str
    customer: str
    status: OrderStatus
    delivery: Progress | None
    billing: Progress | None
    payment: Progress | None
    ordered_on: date | None
    promised_on: date | None
    days_late: int
    amount: Money | None
    salesperson: str
    url: str
    rows: tuple[OrderLine, ...]
    freshness: Freshness

    def row_buttons(self) -> Sequence[Button]:
        return ask_buttons("stock", (line.sku for line in self.rows))

    def buttons(self) -> Sequence[Button]:
        return (*ListView.buttons(self), *erp_link_buttons(self.url))


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """An order in a list."""

    number: str
    customer: str
    status: OrderStatus
    promised_on: date | None
    days_late: int
    amount: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders(ListView):
    """Sales orders: the newest, those of a customer, or the late ones."""

    card: ClassVar[str] = "orders"

    which: OrderList | None
    text: str
    rows: tuple[OrderRow, ...]
    freshness: Freshness

    def row_buttons(self) -> Sequence[Button]:
        return ask_buttons("order", (row.number for row in self.rows))


@command(
    "order",
    aliases=("订单", "dd", "销售订单", "orders", "so"),
    examples=("/order SO-1001", "/订单 上海", "/order late"),
    summary=phrase("Sales orders: one, a customer's, or the late ones"),
    place=20,
)
async def order(
    text: OrderOrCustomer | None = None, *, which: OrderList | None = None, erp: ErpHub, context: QuestionContext
) -> View:
    """Show one order with its lines, or a list."""
    shelf = DocumentLookup("order", erp.order, erp.orders)
    hit = await shelf.look_up(text or "", Filter.LATE if which else Filter.ALL, offset=context.offset)
    if isinstance(hit, OneDocument):
        return _order(hit.found, context)
    return _orders(hit.found, which, text or "", context)


def _order(found: Answer[SalesOrder], context: QuestionContext) -> Order:
    order = found.value
    return Order(
        number=order.number,
        customer=order.customer,
        status=order.status,
        delivery=order.delivery,
        billing=order.billing,
        payment=order.payment,
        ordered_on=order.ordered_on,
        promised_on=order.promised_on,
        days_late=order.days_late(context.now.date()),
        amount=order.total,
        salesperson=order.salesperson,
        url=order.url,
        rows=order.lines[context.offset : context.offset + Order.page_size],
        total=len(order.lines),
        offset=context.offset,
        line=command_line("order", order.number),
        freshness=freshness(found),
    )


def _orders(found: Answer[Slice[SalesOrder]], which: OrderList | None, text: str, context: QuestionContext) -> Orders:
    return Orders(
        which=which,
        text=text,
        rows=tuple(_row(order, context.now) for order in found.value.items[: Orders.page_size]),
        total=found.value.total,
        offset=context.offset,
        line=command_line("order", which or "", text),
        freshness=freshness(found),
    )


def _row(order: SalesOrder, now: datetime) -> OrderRow:
    return OrderRow(
        number=order.number,
        customer=order.customer,
        status=order.status,
        promised_on=order.promised_on,
        days_late=order.days_late(now.date()),
        amount=order.total,
    )
