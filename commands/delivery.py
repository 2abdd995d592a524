"""/delivery: what of an order left, when, with whom, and what is still to leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bot.access.policy import AccessPolicy
from bot.cards.tables import Column
from bot.cards.view import Button, View
from bot.chat.arguments import Keyword, PartnerTerm
from bot.chat.context import QuestionContext
from bot.chat.days import Days, asked_days
from bot.chat.records.kept_documents import kept_lists
from bot.chat.records.lookup import DocumentLookup, OneDocument
from bot.chat.records.order_moves import OrderMovesView, moves_of_order
from bot.chat.registry import command
from bot.chat.view_parts import DocumentListView, DocumentView, ask_buttons
from bot.disclosure import cut
from bot.erp.goods import DeliveryLine, GoodsDelivery
from bot.erp.hub import ErpHub
from bot.erp.listing import DELIVERIES
from bot.erp.model import PartnerName, Progress
from bot.erp.port import Filter
from bot.phrase import phrase
from bot.read_model.queries import ReadModel


class DeliveryOrOrder(PartnerTerm):
    """The number of a delivery or of a sales order, or part of it, or part of a customer's name."""

    placeholder = phrase("delivery, order or customer")


class DeliveryList(Keyword, changes=False):
    """The lists of deliveries that have a name."""

    LATE = phrase("late"), "overdue", "delayed", "晚", "迟", "延期", "逾期", "超期", "延迟", "未发", "待发", "yq"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryView(DocumentView):
    """One delivery with its lines."""

    card: ClassVar[str] = "delivery"
    command: ClassVar[str] = "delivery"
    columns: ClassVar[tuple[Column, ...]] = (
        Column(phrase("Product"), "sku"),
        Column(phrase("Name"), "name"),
        Column(phrase("Quantity"), "quantity"),
        Column(phrase("Unit"), "unit"),
    )

    document: GoodsDelivery
    rows: tuple[DeliveryLine, ...]

    def buttons(self) -> Sequence[Button]:
        return (*ask_buttons("order", (self.document.order_number,)), *DocumentView.buttons(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryListView(DocumentListView):
    """Deliveries: the newest, those of a customer, or those that should have left."""

    card: ClassVar[str] = "deliveries"
    command: ClassVar[str] = "delivery"
    columns: ClassVar[tuple[Column, ...]] = (
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
    )

    which: DeliveryList | None
    rows: tuple[GoodsDelivery, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDeliveriesView(OrderMovesView):
    """What left of one order, and what is to leave. ``delivered`` is how much left, where the ERP says it."""

    card: ClassVar[str] = "order_deliveries"
    command: ClassVar[str] = "delivery"
    order_command: ClassVar[str] = "order"
    columns: ClassVar[tuple[Column, ...]] = DeliveryListView.columns

    customer: PartnerName
    delivered: Progress | None
    rows: tuple[GoodsDelivery, ...]


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
    erp: ErpHub,
    kept: ReadModel,
    policy: AccessPolicy,
    context: QuestionContext,
) -> View:
    """Show one delivery, those of an order, or a list."""
    # The rules on orders bind what left of them.
    seen = policy.decide_area(context.person, "order", context.conversation.id).grant.fields
    asked = asked_days(days, context.now.date(), late=which is DeliveryList.LATE)
    if text and not which and not asked and (of_order := await _of_order(text or "", erp, context)):
        return cut(of_order, seen)
    lookup = DocumentLookup(
        "delivery", erp, DELIVERIES, kept_lists(kept, erp, DELIVERIES, erp.deliveries, now=context.now)
    )
    wanted = Filter.LATE if which else Filter.ALL
    hit = await lookup.look_up(text or "", wanted, days=asked, offset=context.offset, rows=context.rows)
    if isinstance(hit, OneDocument):
        return cut(DeliveryView.of(hit.found, context), seen)
    return cut(DeliveryListView.of(hit.found, context, which=which, text=text or "", days=asked), seen)


async def _of_order(text: str, erp: ErpHub, context: QuestionContext) -> OrderDeliveriesView | None:
    """Return the deliveries of the order with this number; None where there is no such order."""
    if (found := await moves_of_order(text, erp.order, erp.deliveries_of)) is None:
        return None
    order, moved = found
    return OrderDeliveriesView.of(order, moved, context, customer=order.customer, delivered=order.delivery)
