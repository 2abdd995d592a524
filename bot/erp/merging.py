"""Makes one answer of what several sources say. Nothing here asks anybody: parts in, answer out.

Quantities are added only where their units can be converted exactly, amounts of money never. A sum is of those that
answer now; what a silent source said last is shown beside it, and only stands in when nobody answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from datetime import datetime
from decimal import Decimal
from itertools import chain, zip_longest
from typing import Any, TypeVar

from bot.erp.found import Found, Part
from bot.erp.listing import Listing
from bot.erp.model import (
    Invoice,
    Product,
    ProductionOrder,
    PurchaseOrder,
    Quantities,
    SalesOrder,
    Slice,
    StockLevel,
    WarehouseStock,
)
from bot.erp.port import ListQuery
from bot.erp.products import ProductTable
from bot.erp.units import Units
from bot.phrase import Phrase, phrase

T = TypeVar("T")
D = TypeVar("D", SalesOrder, Invoice, PurchaseOrder, ProductionOrder)

_FIGURES = tuple(one.name for one in fields(Quantities))


def add(places: Iterable[Quantities]) -> Quantities:
    """Return the sum; a figure that one of them does not say is unknown in the sum too, as all are without a place."""
    known = list(places)
    return Quantities(**{name: _sum(getattr(place, name) for place in known) for name in _FIGURES})


def failures(parts: Iterable[Part[T]]) -> tuple[Phrase, ...]:
    """Return a sentence for each source that does not answer now."""
    return tuple(
        phrase("%(source)s: %(reason)s", source=part.source, reason=part.error.tell()) for part in parts if part.error
    )


def merge_stock(parts: Sequence[Part[StockLevel]], table: ProductTable, units: Units) -> Found[StockLevel]:
    """Return the stock at all sources together; at least one part has a value.

    The answer's ``parts`` have their quantities in the common unit, or are not ``counted`` and keep their own.
    """
    known = [part for part in parts if part.value is not None]
    heard = [part for part in known if part.fresh] or known
    unit = units.best(part.value.product.unit for part in heard if part.value)
    converted = [_convert(part, unit, units, counted=part in heard) for part in parts]
    counted = [(part, part.value) for part in converted if part.counted and part.value]
    levels = [level for _, level in counted]
    first, level = counted[0]
    return Found(
        value=StockLevel(
            product=replace(level.product, sku=table.ours(level.product.sku, first.source)),
            total=add(one.total for one in levels),
            per_warehouse=tuple(chain.from_iterable(one.per_warehouse for one in levels)),
            reorder_point=_sum(one.reorder_point for one in levels),
            as_of=min(one.as_of for one in levels),
            company=level.company if len({one.company for one in levels}) == 1 else "",
        ),
        source=_names(part for part, _ in counted),
        as_of=_oldest(part for part, _ in counted),
        stale=not first.fresh,
        failures=failures(parts),
        notes=_notes(converted),
        parts=tuple(converted),
    )


def merge_products(
    parts: Sequence[Part[tuple[Product, ...]]], table: ProductTable, *, limit: int
) -> Found[tuple[Product, ...]]:
    """Return the hits of all sources under our codes, each product once; at least one part has a value.

    Each source's best hits come first. A product with the code or the barcode of an earlier one is the same.
    """
    heard = _heard(parts)
    ranks = zip_longest(*([_ours(product, part.source, table) for product in part.value or ()] for part in heard))
    seen: set[str] = set()
    hits: list[Product] = []
    for product in filter(None, chain.from_iterable(ranks)):
        marks = {f"sku {product.sku.casefold()}"} | ({f"barcode {product.barcode}"} if product.barcode else set())
        if seen.isdisjoint(marks):
            hits.append(product)
        seen |= marks
    return _together(tuple(hits[:limit]), heard, parts)


def merge_lists(parts: Sequence[Part[Slice[D]]], query: ListQuery, listing: Listing[D]) -> Found[Slice[D]]:
    """Return the page that ``query`` asks for, out of each source's documents from the first to that page's last.

    At least one part has a value.
    """
    heard = _heard(parts)
    if len(heard) == 1 and heard[0].value is not None and not query.offset:
        return _together(heard[0].value, heard, parts)
    slices = [part.value for part in heard if part.value is not None]
    documents = [document for one in slices for document in one.items]
    if len(slices) > 1:  # a single source's own order stands
        documents = listing.sort(documents, query.filter)
    page = tuple(documents[query.offset : query.offset + query.limit])
    return _together(Slice(items=page, total=sum(one.total for one in slices)), heard, parts)


def _heard(parts: Sequence[Part[Any]]) -> list[Part[Any]]:
    """Return the parts that make the answer: those that have something, rather now than once."""
    known = [part for part in parts if part.value is not None]
    full = [part for part in known if not _empty(part.value)]
    return [part for part in full if part.fresh] or full or [part for part in known if part.fresh] or known


def _empty(value: Any) -> bool:
    return value.total == 0 if isinstance(value, Slice) else value == ()


def _together(value: T, heard: Sequence[Part[T]], parts: Sequence[Part[T]]) -> Found[T]:
    return Found(
        value=value,
        source=_names(heard),
        as_of=_oldest(heard),
        stale=not all(part.fresh for part in heard),
        failures=failures(parts),
        notes=_notes(heard),
    )


def _names(parts: Iterable[Part[Any]]) -> str:
    return " + ".join(part.source for part in parts)


def _oldest(parts: Iterable[Part[Any]]) -> datetime:
    return min(part.as_of for part in parts if part.as_of)


def _notes(parts: Iterable[Part[Any]]) -> tuple[Phrase, ...]:
    return tuple(chain.from_iterable(part.notes for part in parts))


def _ours(product: Product, source: str, table: ProductTable) -> Product:
    code = table.ours(product.sku, source)
    return product if code == product.sku else replace(product, sku=code)


def _convert(part: Part[StockLevel], unit: str, units: Units, *, counted: bool) -> Part[StockLevel]:
    level = part.value
    if level is None:
        return replace(part, counted=False)
    factor = units.factor(level.product.unit, unit)
    if factor is None:
        note = phrase("%(source)s counts in %(unit)s: not added.", source=part.source, unit=level.product.unit)
        return replace(part, counted=False, notes=(*part.notes, note))
    return replace(part, value=_scale(level, factor, unit), counted=counted)


def _scale(level: StockLevel, factor: Decimal, unit: str) -> StockLevel:
    product = level.product if level.product.unit == unit else replace(level.product, unit=unit)
    if factor == 1:
        return replace(level, product=product)

    def scaled(quantities: Quantities) -> Quantities:
        figures = ((name, getattr(quantities, name)) for name in _FIGURES)
        return Quantities(**{name: None if figure is None else figure * factor for name, figure in figures})

    return replace(
        level,
        product=product,
        total=scaled(level.total),
        per_warehouse=tuple(
            WarehouseStock(code=place.code, name=place.name, quantities=scaled(place.quantities))
            for place in level.per_warehouse
        ),
        reorder_point=None if level.reorder_point is None else level.reorder_point * factor,
    )


def _sum(figures: Iterable[Decimal | None]) -> Decimal | None:
    said = list(figures)
    known = [figure for figure in said if figure is not None]
    return sum(known, Decimal()) if known and len(known) == len(said) else None
