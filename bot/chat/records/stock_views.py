"""What `/stock` shows: one product in full, several at a glance, or what a warehouse has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, ClassVar

from bot.cards.actions import Ask
from bot.cards.tables import Table
from bot.cards.view import Button, ListView
from bot.chat.conditions import ListCondition, WiderList
from bot.chat.links import more_buttons, product_document_buttons
from bot.chat.parsing import command_line, split
from bot.chat.records.demand import Demand
from bot.chat.view_parts import (
    EmptiedList,
    ExportedListView,
    Freshness,
    ask_buttons,
    export_buttons,
    table_of_lines,
    without_button,
)
from bot.erp.model import Lot, Quantities, Quantity, StockLevel, WarehouseStock
from bot.erp.model.goods import WarehouseItem
from bot.words.columns import Column
from bot.words.phrase import Phrase, phrase

_TREND = phrase("Trend")


def _quantity_columns(quantities_of: Callable[[Any], Quantities | None]) -> tuple[Column, ...]:
    """Return the columns of stock somewhere; ``quantities_of`` a row is None where nothing is known of it."""

    def column(heading: Phrase, figure: Callable[[Quantities], object]) -> Column:
        def show(row: Any) -> object:
            found = quantities_of(row)
            return None if found is None else figure(found)

        return Column(heading, show)

    return (
        column(phrase("On hand"), attrgetter("on_hand")),
        column(phrase("Reserved"), attrgetter("reserved")),
        column(phrase("Available"), attrgetter("available")),
        column(phrase("Incoming"), attrgetter("incoming")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StockPlace:
    """One warehouse. Where several sources answer, ``source`` names whose it is.

    ``unit`` is given where it is not the product's and cannot be converted into it: such figures are not ``counted`` in
    the sum. Neither are ``stale`` ones, of a source that does not answer now.
    """

    warehouse: WarehouseStock
    source: str = ""
    unit: str = ""
    stale: bool = False
    counted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StockLot:
    """A lot in the warehouses that were asked for, and whether its last day is over."""

    lot: Lot
    expired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A source that does not answer now, and when its last known figures are from, if there are any."""

    source: str
    problem: Phrase
    as_of: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StockNeed:
    """What somebody needs of a product in its ``unit``, and what would be left of what is available.

    ``spare`` is negative where it is not enough, None where the two cannot be compared.
    """

    amount: Quantity
    unit: str
    spare: Quantity | None

    @property
    def is_met(self) -> bool:
        """Whether there is enough."""
        return isinstance(self.spare, Decimal) and self.spare >= 0

    @property
    def missing(self) -> Decimal | None:
        """How much is missing, None where there is enough or nobody can tell."""
        return -self.spare if isinstance(self.spare, Decimal) and self.spare < 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class StockView(ListView):
    """The stock of one product; ``rows`` are its warehouses, or those that were asked for.

    ``lots`` are those that expire first, ``more_lots`` how many others there are.
    """

    card: ClassVar[str] = "stock"

    level: StockLevel
    rows: tuple[StockPlace, ...]
    lots: tuple[StockLot, ...] = ()
    more_lots: int = 0
    outages: tuple[Outage, ...] = ()
    need: StockNeed | None = None
    more: tuple[str, ...] = ()
    """Commands that tell more of the product."""
    document_lists: tuple[str, ...] = ()
    """Commands that list the open documents of the product."""
    narrowed: bool = False
    """Whether warehouses were asked for: their figures come first, and those of all warehouses after them."""
    freshness: Freshness

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of the card in their order: the figures that were asked for come first."""
        if self.narrowed:
            return ("places", "details", "total") if self.rows else ("total", "details")
        return ("total", "details", "places")

    def row_buttons(self) -> Sequence[Button]:
        return more_buttons(self.more, self.level.product.sku)

    def buttons(self) -> Sequence[Button]:
        # There is no chart of hidden figures, nor of a product that is not stocked.
        has_trend = self.total and self.level.is_stocked and isinstance(self.level.total.on_hand, Decimal)
        trend = [Button(_TREND, Ask(command_line("chart", "stock", self.level.product.sku)))] if has_trend else []
        return (*ListView.buttons(self), *trend, *(export_buttons(self.line) if self.total > 1 else []))

    def spare_buttons(self) -> Sequence[Button]:
        sku = self.level.product.sku
        inherited = tuple(word for word in split(self.line) if word.startswith("@") and word in self.inherited)
        wider = (without_button(inherited, command_line("stock", sku)),) if inherited else ()
        return (*wider, *product_document_buttons(self.document_lists, sku))

    def table(self) -> Table | None:
        if not self.total:
            return None
        product = self.level.product
        columns = (
            Column(phrase("Product"), lambda row: product.sku),
            Column(phrase("Name"), lambda row: product.name),
            Column(phrase("Warehouse"), lambda row: row.warehouse.name or row.warehouse.code),
            *_quantity_columns(lambda row: row.warehouse.quantities),
            Column(phrase("Unit"), lambda row: row.unit or product.unit),
            Column(phrase("Last known figures"), "stale"),
            Column(phrase("Source"), lambda row: row.source or self.level.source),
        )
        return table_of_lines(columns, self, as_of=self.freshness.as_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductStockRow:
    """One word of a question about several products: a product's stock, or how many products have that word.

    ``quantities`` are the figures in the warehouses that were asked for.
    """

    asked: str
    level: StockLevel | None = None
    quantities: Quantities | None = None
    hits: int = 0


def _of_level(attribute: str) -> Callable[[ProductStockRow], object]:
    """Return what shows something of the stock of a row, and nothing where no single product was found."""
    show = attrgetter(attribute)
    return lambda row: None if row.level is None else show(row.level)


_LEVEL_COLUMNS = (
    Column(phrase("Product"), lambda row: row.level.product.sku if row.level else row.asked),
    Column(phrase("Name"), _of_level("product.name")),
    Column(phrase("Specification"), _of_level("product.spec")),
    *_quantity_columns(attrgetter("quantities")),
    Column(phrase("Reorder point"), _of_level("reorder_point")),
    Column(phrase("Unit"), _of_level("product.unit")),
    Column(phrase("Products found"), lambda row: 1 if row.level else row.hits),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StockListView(ListView):
    """Several products at a glance. ``left_out`` words were too many for one question."""

    card: ClassVar[str] = "stocks"

    rows: tuple[ProductStockRow, ...]
    warehouse: str
    limit: int
    left_out: int
    freshness: Freshness

    def row_buttons(self) -> Sequence[Button]:
        words = [row.level.product.sku if row.level else row.asked for row in self.rows if row.level or row.hits]
        return [Button(word, Ask(stock_line(word, warehouse=self.warehouse))) for word in words]

    def buttons(self) -> Sequence[Button]:
        return (*ListView.buttons(self), *export_buttons(self.line))

    def table(self) -> Table:
        return table_of_lines(_LEVEL_COLUMNS, self, as_of=self.freshness.as_of)


_COLUMNS = (
    Column(phrase("Product"), lambda row: row.product.sku),
    Column(phrase("Name"), lambda row: row.product.name),
    Column(phrase("Specification"), lambda row: row.product.spec),
    Column(phrase("Category"), lambda row: row.product.category),
    Column(phrase("On hand"), lambda row: row.quantities.on_hand),
    Column(phrase("Available"), lambda row: row.quantities.available),
    Column(phrase("Unit"), lambda row: row.product.unit),
    Column(phrase("Source"), "source"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseView(EmptiedList, ExportedListView):
    """The stock of a warehouse: all of it, or the products that have ``text``.

    ``typed_as`` is how the warehouse was asked for where none is there.
    """

    card: ClassVar[str] = "warehouse"
    command: ClassVar[str] = "stock"

    name: str
    text: str
    rows: tuple[WarehouseItem, ...]
    freshness: Freshness
    typed_as: str = ""
    emptied: tuple[WiderList, ...] = ()

    def row_buttons(self) -> Sequence[Button]:
        return [*ask_buttons("stock", (row.product.sku for row in self.rows)), *self.widening_buttons()]

    def typed(self) -> Mapping[ListCondition, str]:
        return {ListCondition.TEXT: self.text, ListCondition.WAREHOUSE: f"@{self.typed_as or self.name}"}

    def table(self) -> Table:
        as_of = self.freshness.as_of
        return Table.of_rows(_COLUMNS, self.rows, today=as_of.date(), total=self.total, as_of=as_of, key_of=_key)


def _key(row: WarehouseItem) -> str:
    return f"{row.source}\0{row.product.sku}"


def stock_line(*words: str, warehouse: str, needed: Demand | None = None) -> str:
    """Return the line that asks for the stock of products, or of a warehouse."""
    return command_line("stock", *words, f"@{warehouse}" if warehouse else "", f"×{needed}" if needed else "")
