"""What mapped sources tell about goods: how rows become records, and which part of them a question is about.

A source gives rows; that they are the wanted ones is seen here again, so that a query may give more than was asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from math import ceil
from types import MappingProxyType
from typing import Any

from bot.erp.errors import NotFound
from bot.erp.goods.lists import by_price_day, contents_of, part_of_arrivals, part_of_shortages, pick_warehouse
from bot.erp.goods.port import LAST_PRICES, MOST_USES, ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.mapped import schema
from bot.erp.mapped.adapter import is_encodable
from bot.erp.mapped.builders import FIGURES, figures_of, made_of, product_of, stock_level, sum_of
from bot.erp.mapped.reader import MappingContext, RecordBuilder, RecordFields
from bot.erp.model import Area, Money, Product, Quantities, Slice, StockLevel, WarehouseStock
from bot.erp.model.goods import (
    Arrival,
    ArrivalKind,
    ComponentUse,
    PriceKind,
    PricePoint,
    Prices,
    ProductDetails,
    Shortage,
    Supply,
    WarehouseContents,
    WarehouseItem,
)

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class ListPrices:
    """What a product costs by the list, and what the ERP values it at."""

    list_price: Money | None = None
    standard_cost: Money | None = None


@dataclass(frozen=True, slots=True)
class NamedWarehouse:
    """A warehouse as the source calls it; ``id`` is what requests may need instead of its code."""

    code: str
    name: str
    id: str


@dataclass(frozen=True, slots=True)
class NeededStock:
    """What a warehouse has of a product, and the least that should be in all of them together."""

    product: Product
    warehouse: str
    quantities: Quantities
    reorder_point: Decimal | None


def _supply(values: RecordFields, _lines: tuple[Any, ...], _context: MappingContext) -> Supply:
    days = values["lead_days"]
    return values.record(Supply, lead_days=None if days is None else ceil(days))


def _list_prices(values: RecordFields, _lines: tuple[Any, ...], _context: MappingContext) -> ListPrices:
    return ListPrices(values.money("list_price"), values.money("standard_cost"))


def _price_point(
    kind: PriceKind, values: RecordFields, _lines: tuple[Any, ...], _context: MappingContext
) -> PricePoint:
    return values.record(PricePoint, kind=kind)


def _arrival(kind: ArrivalKind, values: RecordFields, _lines: tuple[Any, ...], _context: MappingContext) -> Arrival:
    return values.record(Arrival, kind=kind, quantity=values["quantity"] - (values["received"] or _NOTHING))


def _warehouse(values: RecordFields, _lines: tuple[Any, ...], _context: MappingContext) -> NamedWarehouse:
    return NamedWarehouse(values["code"], values["name"] or values["code"], values["id"] or values["code"])


def _stored(values: RecordFields, lines: tuple[Any, ...], context: MappingContext) -> WarehouseItem:
    return WarehouseItem(
        product=product_of(values, lines, context),
        quantities=figures_of(values),
        source=context.source,
    )


def _needed(values: RecordFields, lines: tuple[Any, ...], context: MappingContext) -> NeededStock:
    return NeededStock(
        product_of(values, lines, context),
        values["warehouse"],
        figures_of(values),
        values["reorder_point"],
    )


SUPPLY = RecordBuilder(Area.PURCHASING, schema.SUPPLY, "vendor", _supply)
USE = RecordBuilder(Area.PRODUCTS, schema.USE, "sku", made_of(ComponentUse))
LIST_PRICE = RecordBuilder(Area.PRODUCTS, schema.LIST_PRICE, "list_price", _list_prices)
SALE = RecordBuilder(Area.SALES, schema.PRICE_POINT, "document", partial(_price_point, PriceKind.SALE))
PURCHASE = RecordBuilder(Area.PURCHASING, schema.PRICE_POINT, "document", partial(_price_point, PriceKind.PURCHASE))
BOUGHT = RecordBuilder(Area.PURCHASING, schema.ARRIVAL, "document", partial(_arrival, ArrivalKind.PURCHASE))
MADE = RecordBuilder(Area.PRODUCTION, schema.ARRIVAL, "document", partial(_arrival, ArrivalKind.PRODUCTION))
WAREHOUSE = RecordBuilder(Area.STOCK, schema.WAREHOUSE, "code", _warehouse)
STORED = RecordBuilder(Area.STOCK, schema.STORED, "sku", _stored)
NEEDED = RecordBuilder(Area.STOCK, schema.NEEDED, "sku", _needed)

PARTS: Mapping[str, Mapping[str, RecordBuilder[Any]]] = MappingProxyType(
    {
        Area.PRODUCTS: {"supplies": SUPPLY, "components": USE, "used_in": USE},
        "prices": {"list_price": LIST_PRICE, "sales": SALE, "purchases": PURCHASE},
        "arrivals": {"purchases": BOUGHT, "productions": MADE},
        "warehouses": {"contents": STORED, "shortages": NEEDED},
    }
)
"""The parts about goods of a configuration, by the sections in which they stand."""


def details_of(
    product: Product,
    reorder_point: Decimal | None,
    parts: Mapping[str, Sequence[Any]],
    context: MappingContext,
) -> ProductDetails:
    """Return a product's details out of the rows of the parts that are mapped."""
    used_in = sorted(parts.get("used_in", ()), key=lambda use: use.sku)
    return ProductDetails(
        product=product,
        reorder_point=reorder_point,
        supplies=tuple(parts.get("supplies", ())),
        components=tuple(parts.get("components", ())),
        used_in=tuple(used_in[:MOST_USES]),
        used_in_total=len(used_in),
        source=context.source,
    )


def prices_of(
    product: Product,
    customer: str,
    listed: ListPrices,
    sales: Iterable[PricePoint],
    purchases: Iterable[PricePoint],
    context: MappingContext,
) -> Prices:
    """Return the list price and the last sales, to customers of that name, and purchases."""
    folded = customer.casefold()
    return Prices(
        product=product,
        customer=customer,
        list_price=listed.list_price,
        standard_cost=listed.standard_cost,
        sales=by_price_day(each for each in sales if folded in each.partner.casefold())[:LAST_PRICES],
        purchases=by_price_day(purchases)[:LAST_PRICES],
        source=context.source,
    )


def pick_arrivals(arrivals: Iterable[Arrival], query: ArrivalQuery) -> Slice[Arrival]:
    """Return the part of what is still to come that a query asks for."""
    return part_of_arrivals((each for each in arrivals if each.quantity > 0), query)


def pick_shortages(
    stock: Iterable[NeededStock],
    warehouses: Sequence[NamedWarehouse],
    query: ShortageQuery,
    context: MappingContext,
) -> Slice[Shortage]:
    """Return part of what is short; raises `NotFound` for no such warehouse."""
    only = named_warehouse(warehouses, query.warehouse, context).code if query.warehouse else ""
    return part_of_shortages(_levels(stock, warehouses, context), query, only)


def _levels(
    stock: Iterable[NeededStock], warehouses: Sequence[NamedWarehouse], context: MappingContext
) -> Iterator[StockLevel]:
    names = {warehouse.code: warehouse.name for warehouse in warehouses}
    of_product: dict[str, list[NeededStock]] = {}
    for row in stock:
        of_product.setdefault(row.product.sku, []).append(row)
    for rows in of_product.values():
        places = tuple(
            WarehouseStock(code=row.warehouse, name=names.get(row.warehouse, row.warehouse), quantities=row.quantities)
            for row in rows
        )
        level = stock_level(rows[0].product, None, places, frozenset(FIGURES), context)
        least = next((row.reorder_point for row in rows if row.reorder_point is not None), None)
        yield replace(level, reorder_point=least)


def named_warehouse(warehouses: Sequence[NamedWarehouse], wanted: str, context: MappingContext) -> NamedWarehouse:
    """Return the warehouse that a person means; raises `NotFound` and `Ambiguous`."""
    if not wanted.strip():
        raise NotFound(wanted, source=context.source)
    return pick_warehouse(warehouses, wanted, lambda each: (each.code, each.name), source=context.source)


def narrowing_text(query: WarehouseQuery) -> str:
    """Return a text that every wanted product has in its code, name or spec; empty for several words."""
    return sendable(query.text) if len(query.text.split()) == 1 else ""


def sendable(text: str) -> str:
    """Return a text by which a source may narrow down, empty where it cannot be sent."""
    return text if is_encodable(text) else ""


def pick_contents(
    rows: Iterable[WarehouseItem], warehouse: NamedWarehouse, query: WarehouseQuery, context: MappingContext
) -> WarehouseContents:
    """Return part of a warehouse's stock and what is reserved there. Several rows of a product are added up."""
    of_product: dict[str, list[WarehouseItem]] = {}
    for row in rows:
        of_product.setdefault(row.product.sku, []).append(row)
    items = map(_together, of_product.values())
    return contents_of(items, warehouse.code, warehouse.name, query, source=context.source)


def _together(rows: Sequence[WarehouseItem]) -> WarehouseItem:
    return replace(rows[0], quantities=sum_of(row.quantities for row in rows))
