"""Views of what an order or production order still lacks, from where it comes and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, ClassVar

from bot.access.policy import AccessPolicy
from bot.cards.actions import Ask
from bot.cards.tables import Table
from bot.cards.view import Button, Label
from bot.chat.context import QuestionContext
from bot.chat.parsing import command_line, marked
from bot.chat.records.needs import NeededProduct, Needs, NeedState, meet, needs_of_order, needs_of_production
from bot.chat.records.reader_hub import visible_fields
from bot.chat.records.supply import COMMANDS, closed_parts
from bot.chat.view_parts import ExportedListView, Freshness, document_buttons, freshness_of_all, table_of_lines
from bot.erp.answer import Answer
from bot.erp.errors import NotFound, NotPermitted
from bot.erp.hub import ErpHub
from bot.erp.kinds import DELIVERIES, kind_of
from bot.erp.model import OrderStatus, ProductionOrder, ProductionStatus, SalesOrder
from bot.erp.model.goods import ArrivalKind, GoodsDelivery
from bot.words.columns import Column
from bot.words.disclosure import ClassedBy, FieldClass, cut
from bot.words.phrase import Phrase, phrase

_STATES: Mapping[Any, Phrase] = {
    OrderStatus.DRAFT: phrase("It is a draft: nothing is promised to the customer yet."),
    OrderStatus.ON_HOLD: phrase("It is on hold: nobody is to deliver for now."),
    OrderStatus.DELIVERED: phrase("All of it was delivered."),
    OrderStatus.CLOSED: phrase("It is closed: nothing more is delivered."),
    OrderStatus.CANCELLED: phrase("It was cancelled."),
    ProductionStatus.PLANNED: phrase("It is planned and not released yet."),
    ProductionStatus.ON_HOLD: phrase("It is stopped."),
    ProductionStatus.DONE: phrase("All of it was made."),
    ProductionStatus.CANCELLED: phrase("It was cancelled."),
}
"""What an order's own state says of why nothing leaves, or nothing is made."""
_MATERIALS_CLOSED = phrase("what it is made of")

_COLUMNS = (
    Column(phrase("Product"), "sku"),
    Column(phrase("Name"), "name"),
    Column(phrase("Needed"), "needed"),
    Column(phrase("On hand"), lambda row: row.cover and row.cover.on_hand),
    Column(phrase("Promised to others"), lambda row: row.cover and row.cover.promised),
    Column(phrase("Missing"), lambda row: row.cover and row.cover.missing),
    Column(phrase("All there on"), lambda row: row.cover and row.cover.whole_on),
    Column(phrase("Unit"), "unit"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingView(ExportedListView):
    """What an order or production order needs, what is missing first; ``there`` counts the products that are there.

    ``reason`` is what its own state says. ``deliveries`` are those that are still to leave. Of ``closed_parts`` its
    reader may see nothing.
    """

    card: ClassVar[str] = "missing"
    shows_also: ClassVar[tuple[str, ...]] = ("order", "mo", "stock")

    document: SalesOrder | ProductionOrder
    title: Phrase
    reason: Phrase | None
    rows: Annotated[tuple[NeededProduct, ...], ClassedBy("row_classes")]
    total: Annotated[int, ClassedBy("row_classes")]
    there: Annotated[int, ClassedBy("row_classes")]
    deliveries: tuple[GoodsDelivery, ...] = ()
    closed_parts: tuple[Label, ...] = ()
    today: date
    freshness: Freshness

    @property
    def is_made(self) -> bool:
        """Whether it is to be made, and the rows are its parts."""
        return isinstance(self.document, ProductionOrder)

    @property
    def row_classes(self) -> frozenset[FieldClass]:
        """What the rows tell by being there: which products are short, and what a product is made of."""
        return frozenset({FieldClass.QUANTITY, *([FieldClass.MATERIALS] if self.is_made else [])})

    @property
    def doubts_material(self) -> bool:
        """Whether the ERP says that all parts are ready, and its figures do not."""
        made = self.document
        return isinstance(made, ProductionOrder) and bool(made.material_ready) and self.there < self.total

    def row_buttons(self) -> Sequence[Button]:
        leads = [each for row in self.rows for each in _leads_of(row)]
        moves = document_buttons("delivery", ((each.number, each.books) for each in self.deliveries))
        return [*{str(button.label): button for button in (*moves, *leads)}.values()]

    def file_buttons(self) -> Sequence[Button]:
        one = self.document
        own = document_buttons(kind_of(one).command, [(one.number, one.books)])
        return (*own, *super(MissingView, self).file_buttons())

    def table(self) -> Table:
        return table_of_lines(_COLUMNS, self, as_of=self.freshness.as_of, today=self.today)


def _leads_of(row: NeededProduct) -> Iterator[Button]:
    """Yield what leads on from a product that is missing: the documents that bring it, and its stock."""
    if row.state is NeedState.THERE:
        return
    for each in row.coming:
        made = each.arrival.kind is ArrivalKind.PRODUCTION
        yield from document_buttons(
            "why" if made else COMMANDS[each.arrival.kind], [(each.arrival.document, each.arrival.books)]
        )
    yield from document_buttons("why", ((each.number, each.books) for each in row.planned))
    yield Button(row.sku, Ask(command_line("stock", row.sku)))


async def show_missing(found: Answer[Any], erp: ErpHub, policy: AccessPolicy, context: QuestionContext) -> MissingView:
    """Return what an order or production order lacks, as the asker may see it."""
    document, beside = found.value, erp.beside(found.value)
    fields = visible_fields(policy, context, "stock", kind_of(document).command)
    closed: tuple[Label, ...] = closed_parts(policy, context)
    deliveries: tuple[GoodsDelivery, ...] = ()
    if isinstance(document, ProductionOrder):
        if FieldClass.MATERIALS not in fields:
            closed = (*closed, _MATERIALS_CLOSED)
        needs = await needs_of_production(document, beside)
    else:
        needs, deliveries = needs_of_order(document), await _to_leave(document.number, beside)
    return cut(_view(found, await meet(needs, beside, context.today), deliveries, closed, context), fields)


def _view(
    found: Answer[Any],
    needs: Needs,
    deliveries: tuple[GoodsDelivery, ...],
    closed: tuple[Label, ...],
    context: QuestionContext,
) -> MissingView:
    document, rows = found.value, needs.products
    seen = freshness_of_all([found, *needs.answers])
    return MissingView(
        document=document,
        title=kind_of(document).cards.title(document),
        reason=_STATES.get(document.status),
        rows=rows[context.offset : context.offset + (context.rows or MissingView.page_size)],
        total=len(rows),
        there=sum(row.state is NeedState.THERE for row in rows),
        offset=context.offset,
        line=command_line("why", document.number, books=document.books),
        books=marked(document.books),
        deliveries=deliveries,
        closed_parts=closed,
        today=context.today,
        freshness=Freshness(
            as_of=seen.as_of, stale=seen.stale, source=seen.source, failures=(*seen.failures, *needs.notes)
        ),
    )


async def _to_leave(number: str, erp: ErpHub) -> tuple[GoodsDelivery, ...]:
    """Return the deliveries of an order that are still to leave; none where the ERP or the rights do not tell them."""
    if not erp.offers(DELIVERIES.capability):
        return ()
    try:
        found = await erp.of_order(DELIVERIES, number)
    except (NotFound, NotPermitted):
        return ()
    return tuple(each for each in found.value if each.is_open)
