"""/stock: how much of a product is in which warehouse, and how much of it is free."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, ClassVar

from bot.cards.actions import Ask
from bot.cards.tables import Column, Table
from bot.cards.view import Button, ListView, View
from bot.chat.arguments import Sku, Warehouse
from bot.chat.context import QuestionContext
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.parsing import command_line
from bot.chat.records.demand import Demand
from bot.chat.records.links import more_buttons, offered
from bot.chat.records.products import MAX_PICKS, ProductLookup
from bot.chat.records.products import Picks as Picks  # one of the views of this command
from bot.chat.registry import command
from bot.chat.view_parts import (
    Freshness,
    ask_buttons,
    export_buttons,
    freshness,
    freshness_of_all,
    table_of_lines,
)
from bot.erp.answer import SourceAnswer
from bot.erp.errors import Ambiguous, NotFound
from bot.erp.goods import WarehouseItem
from bot.erp.goods_port import WarehouseQuery
from bot.erp.hub import Answer, ErpHub
from bot.erp.merging import add
from bot.erp.model import Lot, Product, Quantities, Quantity, StockLevel, WarehouseStock
from bot.erp.port import Capability
from bot.phrase import Phrase, phrase
from bot.spelling import other_spellings

MAX_SKUS = ListView.page_size
"""Products in one question: as many as a document shows at once, whose button asks for them together."""
MAX_LOTS = 3
"""Lots on the card: the first to expire are the first to go."""
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
    narrowed: bool = False
    """Whether warehouses were asked for: their figures come first, and those of all warehouses after them."""
    freshness: Freshness

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of the card in their order: the figures that were asked for come first."""
        if self.narrowed:
            return ("places", "details", "total") if self.level.is_stocked else ("total", "details")
        return ("total", "details", "places")

    def row_buttons(self) -> Sequence[Button]:
        return more_buttons(self.more, self.level.product.sku)

    def buttons(self) -> Sequence[Button]:
        # Nobody draws what may not be seen, or what is not stocked.
        has_trend = self.total and self.level.is_stocked and isinstance(self.level.total.on_hand, Decimal)
        trend = [Button(_TREND, Ask(command_line("chart", "stock", self.level.product.sku)))] if has_trend else []
        return (*ListView.buttons(self), *trend, *(export_buttons(self.line) if self.total > 1 else []))

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
class StockRow:
    """One word of a question about several products: a product's stock, or how many products have that word.

    ``quantities`` are the figures in the warehouses that were asked for.
    """

    asked: str
    level: StockLevel | None = None
    quantities: Quantities | None = None
    hits: int = 0


def _of_level(attribute: str) -> Callable[[StockRow], object]:
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

    rows: tuple[StockRow, ...]
    warehouse: str
    limit: int
    left_out: int
    freshness: Freshness

    def row_buttons(self) -> Sequence[Button]:
        words = [row.level.product.sku if row.level else row.asked for row in self.rows if row.level or row.hits]
        return [Button(word, Ask(_line(word, warehouse=self.warehouse))) for word in words]

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
class WarehouseView(ListView):
    """The stock of a warehouse: all of it, or the products that have ``text``."""

    card: ClassVar[str] = "warehouse"

    name: str
    text: str
    rows: tuple[WarehouseItem, ...]
    freshness: Freshness

    def row_buttons(self) -> Sequence[Button]:
        return ask_buttons("stock", (row.product.sku for row in self.rows))

    def buttons(self) -> Sequence[Button]:
        return (*ListView.buttons(self), *(export_buttons(self.line) if self.total else []))

    def table(self) -> Table:
        as_of = self.freshness.as_of
        return Table.of_rows(_COLUMNS, self.rows, today=as_of.date(), total=self.total, as_of=as_of, key_of=_key)


def _key(row: WarehouseItem) -> str:
    return f"{row.source}\0{row.product.sku}"


@command(
    "stock",
    aliases=("库存", "kc", "存货", "inventory"),
    examples=("/stock SKU123", "/库存 螺丝 @上海仓", "/kc SKU123 SKU124", "/库存 @上海仓", "/stock SKU123 ×500"),
    summary=phrase("Stock of products, or of a warehouse"),
    place=10,
)
async def stock(
    *skus: Sku,
    warehouse: Warehouse | None = None,
    needed: Demand | None = None,
    erp: ErpHub,
    context: QuestionContext,
) -> View:
    """Show one product in full, with ``needed`` whether it is enough, a few at a glance, or all in a warehouse."""
    words = tuple({sku.casefold(): sku for sku in skus}.values())
    if needed and len(words) != 1:
        raise BadArgument(phrase("You can ask of one product at a time whether it is enough."))
    if not words:
        return await _contents(warehouse or "", "", erp, context)
    if len(words) == 1:
        return await _one(words[0], warehouse or "", needed, erp, context)
    return await _several(words, warehouse or "", erp, context)


async def _in_warehouse(warehouse: str, word: str, erp: ErpHub, context: QuestionContext) -> View | None:
    """Return which of the products that have ``word`` are in a warehouse, None where the ERP cannot list them."""
    if not warehouse or not erp.offers(Capability.WAREHOUSE_STOCK):
        return None
    view = await _contents(warehouse, word, erp, context)
    return view if view.total else None


async def _named_warehouse(word: str, erp: ErpHub, context: QuestionContext) -> View | None:
    """Return the stock of the warehouse that ``word`` names without an @; None where it names none."""
    if not erp.offers(Capability.WAREHOUSE_STOCK):
        return None
    try:
        return await _contents(word, "", erp, context)
    except (NotFound, Ambiguous):
        return None


async def _contents(warehouse: str, text: str, erp: ErpHub, context: QuestionContext) -> WarehouseView:
    size = context.rows or WarehouseView.page_size
    query = WarehouseQuery(warehouse=warehouse, text=text, offset=context.offset, limit=size)
    found = await erp.warehouse_stock(query)
    contents = found.value
    return WarehouseView(
        name=contents.name or contents.code,
        text=text,
        rows=contents.items,
        total=contents.total,
        offset=context.offset,
        line=_line(*filter(None, (text,)), warehouse=warehouse),
        freshness=freshness(found),
    )


async def _one(word: str, warehouse: str, needed: Demand | None, erp: ErpHub, context: QuestionContext) -> View:
    meant = await _meant(word, erp)
    if isinstance(meant, _ManyProducts):
        lookup = _lookup(warehouse, needed, erp, context)
        if not meant.hits.value:
            named = await _named_warehouse(word, erp, context) if not warehouse else None
            if named is not None:
                return named
            raise NothingFound(word, await lookup.closest(word), meant.hits.notes)
        in_warehouse = None if needed else await _in_warehouse(warehouse, word, erp, context)
        return in_warehouse or lookup.picks(word, meant.hits)
    return _stock_view(meant, warehouse, needed, erp, context)


def _stock_view(
    meant: Answer[StockLevel], warehouse: str, needed: Demand | None, erp: ErpHub, context: QuestionContext
) -> StockView:
    level = meant.value
    rows = _at(warehouse, _places(meant))
    lots = level.lots
    if lots and warehouse:
        shown = {row.warehouse.code for row in rows}
        lots = tuple(lot for lot in lots if lot.warehouse in shown)
    today = context.now.date()
    return StockView(
        level=level,
        rows=rows[context.offset :],
        lots=tuple([StockLot(lot=lot, expired=lot.is_expired(today)) for lot in lots[:MAX_LOTS]]),
        more_lots=max(0, len(lots) - MAX_LOTS),
        total=len(rows),
        offset=context.offset,
        line=_line(level.product.sku, warehouse=warehouse, needed=needed),
        outages=_outages(meant),
        need=_need(needed, meant, rows if warehouse else ()) if needed else None,
        more=offered(erp, "arrivals", "price"),
        narrowed=bool(warehouse),
        freshness=freshness(meant, level.as_of, failures=not meant.parts),
    )


async def _several(words: tuple[str, ...], warehouse: str, erp: ErpHub, context: QuestionContext) -> View:
    asked = words[:MAX_SKUS]
    answers = await asyncio.gather(*(_row(word, warehouse, erp) for word in asked))
    rows = tuple(row for row, _ in answers)
    if not all(map(_is_exact, rows)) and (meant := await _with_blanks(words, erp)) is not None:
        return _stock_view(meant, warehouse, None, erp, context)
    if not any(row.level for row in rows[1:]) and (needed := Demand.of_letter(words[1:])):
        return await _one(words[0], warehouse, needed, erp, context)
    for word in words:
        if word.startswith("×"):
            raise BadArgument(phrase("“%(text)s” is no quantity; write it like ×500 or ×2.5kg.", text=word))
    return StockListView(
        rows=rows[context.offset :],
        total=len(rows),
        offset=context.offset,
        line=_line(*asked, warehouse=warehouse),
        warehouse=warehouse,
        limit=MAX_SKUS,
        left_out=len(words) - len(asked),
        freshness=freshness_of_all([found for _, found in answers]),
    )


def _need(needed: Demand, meant: Answer[StockLevel], places: Sequence[StockPlace]) -> StockNeed:
    """Return what is needed beside what is available: in the places that were asked for, else anywhere."""
    level = meant.value
    amount = needed.counted_in(level.product.unit)
    if amount is None:
        return StockNeed(amount=needed.amount, unit=needed.unit, spare=None)
    available = (_sum(places) if places else level.total).available
    spare = None if available is None else available - amount
    if spare is not None and spare < 0 and _outages(meant):
        spare = None  # a source that does not answer may have the rest
    return StockNeed(amount=amount, unit=level.product.unit, spare=spare)


def _is_exact(row: StockRow) -> bool:
    return row.level is not None and row.level.product.sku.casefold() == row.asked.casefold()


async def _with_blanks(words: tuple[str, ...], erp: ErpHub) -> Answer[StockLevel] | None:
    """Return the stock of the one product whose code is all the words together, with the blanks between them."""
    try:
        return await erp.stock(" ".join(words))
    except (NotFound, Ambiguous):
        return None


async def _row(word: str, warehouse: str, erp: ErpHub) -> tuple[StockRow, Answer[Any]]:
    meant = await _meant(word, erp)
    if isinstance(meant, _ManyProducts):
        return StockRow(asked=word, hits=len(meant.hits.value)), meant.hits
    level = meant.value
    quantities = _sum(_at(warehouse, _places(meant))) if warehouse else level.total
    return StockRow(asked=word, level=level, quantities=quantities), meant


@dataclass(frozen=True, slots=True)
class _ManyProducts:
    """No single product is meant: none or several have the word."""

    hits: Answer[tuple[Product, ...]]


async def _meant(word: str, erp: ErpHub) -> Answer[StockLevel] | _ManyProducts:
    """Return the stock of the one product that ``word`` means: exactly its code, or the only one that has it."""
    for code in _codes(word):
        try:
            return await erp.stock(code)
        except (NotFound, Ambiguous):
            continue
    hits = await erp.find_products(word, limit=MAX_PICKS + 1)
    exact = [product for product in hits.value if product.sku.casefold() == word.casefold()]
    chosen = exact or hits.value
    if len(chosen) != 1:
        return _ManyProducts(hits)
    try:
        return await erp.stock(chosen[0].sku)
    except NotFound:
        # It is nowhere that the asker may see.
        return _ManyProducts(replace(hits, value=()))


def _codes(word: str) -> Iterator[str]:
    """Yield how the code may be written that is meant. Nearly all codes have a digit: a name costs one call less."""
    if any(map(str.isdigit, word)):
        yield word
        yield from other_spellings(word)


def _lookup(warehouse: str, needed: Demand | None, erp: ErpHub, context: QuestionContext) -> ProductLookup:
    rest = tuple(filter(None, (f"@{warehouse}" if warehouse else "", f"×{needed}" if needed else "")))
    return ProductLookup(command="stock", erp=erp, context=context, warehouse=warehouse, rest=rest)


def _places(found: Answer[StockLevel]) -> tuple[StockPlace, ...]:
    """Return all warehouses, of each source that knows the product."""
    if not found.parts:
        return tuple([StockPlace(warehouse=warehouse) for warehouse in found.value.per_warehouse])
    companies = {part.value.company for part in found.parts if part.value}
    unit = found.value.product.unit
    return tuple(
        place for part in found.parts if part.value for place in _part_places(part, part.value, companies, unit)
    )


def _part_places(
    part: SourceAnswer[StockLevel], level: StockLevel, companies: set[str], unit: str
) -> tuple[StockPlace, ...]:
    name = f"{part.source} · {level.company}" if level.company and len(companies) > 1 else part.source
    warehouses = level.per_warehouse or (WarehouseStock(code="", name="", quantities=level.total),)
    own_unit = "" if level.product.unit == unit else level.product.unit
    return tuple(
        StockPlace(
            warehouse=warehouse,
            source=name,
            unit=own_unit,
            stale=not part.fresh,
            counted=part.counted,
        )
        for warehouse in warehouses
    )


def _outages(found: Answer[StockLevel]) -> tuple[Outage, ...]:
    return tuple(
        [Outage(source=part.source, problem=part.error.tell(), as_of=part.as_of) for part in found.parts if part.error]
    )


def _at(warehouse: str, places: tuple[StockPlace, ...]) -> tuple[StockPlace, ...]:
    """Return the warehouses that ``warehouse`` names by code or part of the name, all if it is empty.

    Raises `BadArgument` when it names none.
    """
    if not warehouse:
        return places
    wanted = warehouse.casefold()
    # People say 上海仓 for 上海成品仓库.
    part = wanted.removesuffix("库").removesuffix("仓") or wanted

    def named(place: StockPlace) -> tuple[str, str]:
        return place.warehouse.code.casefold(), place.warehouse.name.casefold()

    exact = tuple(place for place in places if wanted in named(place))
    if fits := exact or tuple(place for place in places if part in " ".join(named(place))):
        return fits
    names = tuple(dict.fromkeys(place.warehouse.name or place.warehouse.code or place.source for place in places))
    raise BadArgument(phrase("No warehouse is called “%(text)s”. There are: %(names)s.", text=warehouse, names=names))


def _sum(places: Sequence[StockPlace]) -> Quantities:
    return add(place.warehouse.quantities for place in places if place.counted)


def _line(*words: str, warehouse: str, needed: Demand | None = None) -> str:
    return command_line("stock", *words, f"@{warehouse}" if warehouse else "", f"×{needed}" if needed else "")
