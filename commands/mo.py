"""/mo: what is being made, how far it is, and what is late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from bot.cards.view import Button, ListView, View
from bot.chat.arguments import Keyword, Term
from bot.chat.context import QuestionContext
from bot.chat.lookup import DocumentLookup, OneDocument
from bot.chat.parsing import command_line
from bot.chat.registry import command
from bot.chat.view_parts import Freshness, ask_buttons, erp_link_buttons, freshness
from bot.erp.hub import Answer, ErpHub
from bot.erp.model import ProductionOrder as ErpProductionOrder
from bot.erp.model import ProductionStatus, Slice
from bot.erp.port import Filter
from bot.phrase import phrase


class ProductionOrProduct(Term):
    """The number of a production order, or part of it, or part of a product's code or name."""

    placeholder = phrase("number or product")


class ProductionList(Keyword):
    """The lists of production orders that have a name."""

    LATE = phrase("late"), "overdue", "delayed", "晚", "迟", "延期", "逾期", "超期", "延迟", "yq"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductionOrder(View):
    """One production order; quantities in ``unit``, ``percent`` of what is planned has been made."""

    card: ClassVar[str] = "mo"

    number: str
    sku: str
    name: str
    unit: str
    status: ProductionStatus
    planned: Decimal
    produced: Decimal | None
    scrapped: Decimal | None
    percent: int | None
    start_on: date | None
    due_on: date | None
    days_late: int
    material_ready: bool | None
    sales_order: str
    url: str
    freshness: Freshness

    def buttons(self) -> Sequence[Button]:
        return (
            *ask_buttons("order", (self.sales_order,)),
            *ask_buttons("stock", (self.sku,)),
            *erp_link_buttons(self.url),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductionRow:
    """A production order in a list."""

    number: str
    sku: str
    name: str
    unit: str
    status: ProductionStatus
    planned: Decimal
    produced: Decimal | None
    percent: int | None
    due_on: date | None
    days_late: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductionOrders(ListView):
    """Production orders: the newest, those of a product, or the late ones."""

    card: ClassVar[str] = "mos"

    which: ProductionList | None
    text: str
    rows: tuple[ProductionRow, ...]
    freshness: Freshness

    def row_buttons(self) -> Sequence[Button]:
        return ask_buttons("mo", (row.number for row in self.rows))


@command(
    "mo",
    aliases=("生产", "sc", "生产单", "生产订单", "工单", "production"),
    examples=("/mo MO-1", "/生产 电机", "/mo late"),
    summary=phrase("Production orders: one, a product's, or the late ones"),
    place=50,
)
async def mo(
    text: ProductionOrProduct | None = None,
    *,
    which: ProductionList | None = None,
    erp: ErpHub,
    context: QuestionContext,
) -> View:
    """Show one production order, or a list."""
    shelf = DocumentLookup("mo", erp.production_order, erp.production_orders)
    hit = await shelf.look_up(text or "", Filter.LATE if which else Filter.ALL, offset=context.offset)
    if isinstance(hit, OneDocument):
        return _order(hit.found, context)
    return _orders(hit.found, which, text or "", context)


def _order(found: Answer[ErpProductionOrder], context: QuestionContext) -> ProductionOrder:
    order = found.value
    return ProductionOrder(
        number=order.number,
        sku=order.sku,
        name=order.name,
        unit=order.unit,
        status=order.status,
        planned=order.planned,
        produced=order.produced,
        scrapped=order.scrapped,
        percent=_percent(order),
        start_on=order.start_on,
        due_on=order.due_on,
        days_late=order.days_late(context.now.date()),
        material_ready=order.material_ready,
        sales_order=order.sales_order,
        url=order.url,
        freshness=freshness(found),
    )


def _orders(
    found: Answer[Slice[ErpProductionOrder]], which: ProductionList | None, text: str, context: QuestionContext
) -> ProductionOrders:
    return ProductionOrders(
        which=which,
        text=text,
        rows=tuple(_row(order, context.now) for order in found.value.items[: ProductionOrders.page_size]),
        total=found.value.total,
        offset=context.offset,
        line=command_line("mo", which or "", text),
        freshness=freshness(found),
    )


def _row(order: ErpProductionOrder, now: datetime) -> ProductionRow:
    return ProductionRow(
        number=order.number,
        sku=order.sku,
        name=order.name,
        unit=order.unit,
        status=order.status,
        planned=order.planned,
        produced=order.produced,
        percent=_percent(order),
        due_on=order.due_on,
        days_late=order.days_late(now.date()),
    )


def _percent(order: ErpProductionOrder) -> int | None:
    """Return the part made, rounded down, so that 100 means finished."""
    if order.produced is None or order.planned <= 0:
        return None
    return int(order.produced * 100 / order.planned)
