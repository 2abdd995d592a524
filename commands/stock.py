"""/stock: how much of a product is in which warehouse, and how much of it is free."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.cards.view import View
from bot.chat.arguments import Sku, Warehouse
from bot.chat.conditions import ListCondition, WiderList
from bot.chat.context import QuestionContext
from bot.chat.document_views import DocumentView
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.links import offered, offered_by_product
from bot.chat.records.demand import Demand
from bot.chat.records.lookup import MAX_CLOSEST
from bot.chat.records.products import MAX_PICKS, ProductLookup
from bot.chat.records.stock_views import (
    Outage,
    ProductStockRow,
    StockListView,
    StockLot,
    StockNeed,
    StockPlace,
    StockView,
    WarehouseView,
    stock_line,
)
from bot.chat.records.warehouses import closest_warehouses, suggest_warehouses
from bot.chat.registry import command
from bot.chat.view_parts import freshness, freshness_of_all
from bot.erp.answer import SourceAnswer
from bot.erp.errors import Ambiguous, NotFound
from bot.erp.goods.port import WarehouseQuery
from bot.erp.hub import Answer, ErpHub
from bot.erp.merging import add
from bot.erp.model import Product, Quantities, StockLevel, WarehouseStock
from bot.erp.port import Capability
from bot.words.phrase import phrase
from bot.words.spelling import most_alike, other_spellings

MAX_SKUS = DocumentView.page_size
"""Products in one question: as many as a document shows at once, whose button asks for them together."""
MAX_LOTS = 3
"""Lots on the card: the first to expire are the first to go."""


@command(
    "stock",
    aliases=("库存", "kc", "存货", "inventory"),
    examples=("/stock SKU123", "/库存 螺丝 @上海仓", "/kc SKU123 SKU124", "/库存 @上海仓", "/stock SKU123 ×500"),
    shows=("stock",),
    changes=False,
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
    try:
        found = await erp.warehouse_stock(query)
    except NotFound as error:
        closest = await closest_warehouses(warehouse, erp, "stock", text)
        raise NothingFound(warehouse, closest, error.notes) from None
    contents = found.value
    return WarehouseView(
        name=contents.name or contents.code,
        text=text,
        rows=contents.items,
        total=contents.total,
        offset=context.offset,
        line=stock_line(*filter(None, (text,)), warehouse=warehouse),
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
    return await _stock_view(meant, warehouse, needed, erp, context)


async def _stock_view(
    meant: Answer[StockLevel], warehouse: str, needed: Demand | None, erp: ErpHub, context: QuestionContext
) -> StockView | WarehouseView:
    level = meant.value
    rows = await _at(warehouse, meant, erp, level.product.sku)
    if warehouse and not rows and not level.lies_nowhere:
        return await _none_at(warehouse, meant, erp)
    lots = level.lots
    if lots and warehouse:
        shown = {row.warehouse.code for row in rows}
        lots = tuple(lot for lot in lots if lot.warehouse in shown)
    today = context.today
    return StockView(
        level=level,
        rows=rows[context.offset :],
        lots=tuple([StockLot(lot=lot, expired=lot.is_expired(today)) for lot in lots[:MAX_LOTS]]),
        more_lots=max(0, len(lots) - MAX_LOTS),
        total=len(rows),
        offset=context.offset,
        line=stock_line(level.product.sku, warehouse=warehouse, needed=needed),
        outages=_outages(meant),
        need=_need(needed, meant, rows if warehouse else None) if needed else None,
        more=offered(erp, "arrivals", "price", of=meant),
        document_lists=offered_by_product(erp, of=meant),
        narrowed=bool(warehouse),
        freshness=freshness(meant, level.as_of, failures=not meant.parts),
    )


async def _several(words: tuple[str, ...], warehouse: str, erp: ErpHub, context: QuestionContext) -> View:
    asked = words[:MAX_SKUS]
    answers = await asyncio.gather(*(_row(word, asked, warehouse, erp) for word in asked))
    rows = tuple(row for row, _ in answers)
    # A code may have blanks: then all the words together are the one product.
    if not all(map(_is_exact, rows)) and (meant := await _stock_of(" ".join(words), erp)) is not None:
        return await _stock_view(meant, warehouse, None, erp, context)
    if not any(row.level for row in rows[1:]) and (needed := Demand.of_letter(words[1:])):
        return await _one(words[0], warehouse, needed, erp, context)
    for word in words:
        if word.startswith("×"):
            raise BadArgument(phrase("“%(text)s” is no quantity; write it like ×500 or ×2.5kg.", text=word))
    return StockListView(
        rows=rows[context.offset :],
        total=len(rows),
        offset=context.offset,
        line=stock_line(*asked, warehouse=warehouse),
        warehouse=warehouse,
        limit=MAX_SKUS,
        left_out=len(words) - len(asked),
        freshness=freshness_of_all([found for _, found in answers]),
    )


def _need(needed: Demand, meant: Answer[StockLevel], places: Sequence[StockPlace] | None) -> StockNeed:
    """Return what is needed beside what is available: in the places that were asked for, anywhere with None."""
    level = meant.value
    amount = needed.counted_in(level.product.unit)
    if amount is None:
        return StockNeed(amount=needed.amount, unit=needed.unit, spare=None)
    available = (level.total if places is None else _sum(places)).available
    spare = None if available is None else available - amount
    if spare is not None and spare < 0 and _outages(meant):
        spare = None  # a source that does not answer may have the rest
    return StockNeed(amount=amount, unit=level.product.unit, spare=spare)


def _is_exact(row: ProductStockRow) -> bool:
    return row.level is not None and row.level.product.sku.casefold() == row.asked.casefold()


async def _stock_of(code: str, erp: ErpHub) -> Answer[StockLevel] | None:
    """Return the stock of the one product with a code, None where there is no such one."""
    try:
        return await erp.stock(code)
    except (NotFound, Ambiguous):
        return None


async def _row(word: str, asked: tuple[str, ...], warehouse: str, erp: ErpHub) -> tuple[ProductStockRow, Answer[Any]]:
    meant = await _meant(word, erp)
    if isinstance(meant, _ManyProducts):
        return ProductStockRow(asked=word, hits=len(meant.hits.value)), meant.hits
    level = meant.value
    quantities = _sum(await _at(warehouse, meant, erp, *asked)) if warehouse else level.total
    return ProductStockRow(asked=word, level=level, quantities=quantities), meant


@dataclass(frozen=True, slots=True)
class _ManyProducts:
    """No single product is meant: none or several have the word."""

    hits: Answer[tuple[Product, ...]]


async def _meant(word: str, erp: ErpHub) -> Answer[StockLevel] | _ManyProducts:
    """Return the stock of the one product that ``word`` means: exactly its code, or the only one that has it."""
    for code in _codes(word):
        if (found := await _stock_of(code, erp)) is not None:
            return found
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
    rest = (f"@{warehouse}" if warehouse else "", f"×{needed}" if needed else "")
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


async def _none_at(warehouse: str, meant: Answer[StockLevel], erp: ErpHub) -> WarehouseView:
    """Return that a product is not in a warehouse, and where else it is, and what else is there."""
    sku = meant.value.product.sku
    found = await erp.warehouse_stock(WarehouseQuery(warehouse=warehouse, limit=1))
    others = {ListCondition.TEXT: found.value.total, ListCondition.WAREHOUSE: len(_places(meant))}
    return WarehouseView(
        name=found.value.name or found.value.code,
        text=sku,
        rows=(),
        total=0,
        line=stock_line(sku, warehouse=warehouse),
        freshness=freshness(found),
        typed_as=warehouse,
        emptied=tuple(WiderList(by=frozenset({kind}), total=total) for kind, total in others.items() if total),
    )


async def _at(warehouse: str, meant: Answer[StockLevel], erp: ErpHub, *words: str) -> tuple[StockPlace, ...]:
    """Return the warehouses of a product that ``warehouse`` names by code or part of the name, all if it is empty.

    It has none where another warehouse is called so. Raises `NothingFound`, with the lines that ask for ``words`` in
    others, where none is.
    """
    places = _places(meant)
    fits = _named_so(warehouse, places)
    cannot_tell = meant.value.lies_nowhere and not erp.offers(Capability.WAREHOUSE_STOCK)
    if fits or cannot_tell or await _is_warehouse(warehouse, erp):
        return fits
    names = dict.fromkeys(place.warehouse.name or place.warehouse.code or place.source for place in places)
    raise NothingFound(
        warehouse, suggest_warehouses(most_alike(warehouse, names, limit=MAX_CLOSEST), "stock", *words), meant.notes
    )


async def _is_warehouse(name: str, erp: ErpHub) -> bool:
    if not name or not erp.offers(Capability.WAREHOUSE_STOCK):
        return not name
    try:
        await erp.warehouse_stock(WarehouseQuery(warehouse=name, limit=1))
    except NotFound:
        return False
    except Ambiguous:
        pass
    return True


def _named_so(warehouse: str, places: tuple[StockPlace, ...]) -> tuple[StockPlace, ...]:
    if not warehouse:
        return places
    wanted = warehouse.casefold()
    # People say 上海仓 for 上海成品仓库.
    part = wanted.removesuffix("库").removesuffix("仓") or wanted

    def named(place: StockPlace) -> tuple[str, str]:
        return place.warehouse.code.casefold(), place.warehouse.name.casefold()

    exact = tuple(place for place in places if wanted in named(place))
    return exact or tuple(place for place in places if part in " ".join(named(place)))


def _sum(places: Sequence[StockPlace]) -> Quantities:
    return add(place.warehouse.quantities for place in places if place.counted)
