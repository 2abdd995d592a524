"""Makes one answer of the answers of several sources: product codes, units, sums. Pure: nothing here asks a source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from decimal import Decimal
from itertools import chain, zip_longest
from typing import Any, TypeVar

from bot.erp.answer import BETWEEN_SOURCES, Answer, SourceAnswer
from bot.erp.kinds import D, Kind
from bot.erp.model import (
    Product,
    Quantities,
    Slice,
    StockLevel,
    WarehouseStock,
    by_expiry,
)
from bot.erp.port import ListQuery
from bot.erp.units import Units
from bot.words.phrase import Phrase, phrase


class ProductCodes:
    """Our codes and those of the sources; a product that is not listed has the same code everywhere."""

    def __init__(self, table: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """``table`` has our code → source → the source's code; an empty code says that the source lacks the product."""
        self._theirs = {ours.casefold(): dict(codes) for ours, codes in (table or {}).items()}
        self._ours = {
            (source, theirs.casefold()): ours
            for ours, codes in (table or {}).items()
            for source, theirs in codes.items()
            if theirs
        }
        meant: dict[str, set[str]] = {}
        for (_, theirs), ours in self._ours.items():
            meant.setdefault(theirs, set()).add(ours)
        self._asked = {
            theirs: ours.copy().pop() for theirs, ours in meant.items() if len(ours) == 1 and theirs not in self._theirs
        }

    def __bool__(self) -> bool:
        return bool(self._theirs)

    def resolve(self, code: str) -> str:
        """Return our code for a code that somebody typed: it may be a code that only a source uses."""
        return self._asked.get(code.casefold(), code)

    def maps(self, code: str, source: str) -> bool:
        """Return whether the table says what ``source`` calls our ``code``."""
        return source in self._theirs.get(code.casefold(), ())

    def to_source(self, code: str, source: str) -> str:
        """Return what ``source`` calls our ``code``; empty if it lacks the product."""
        return self._theirs.get(code.casefold(), {}).get(source, code)

    def from_source(self, code: str, source: str) -> str:
        """Return our code for what ``source`` calls ``code``."""
        return self._ours.get((source, code.casefold()), code)


T = TypeVar("T")

_FIGURES = tuple(field.name for field in fields(Quantities))


def add(places: Iterable[Quantities]) -> Quantities:
    """Return the sum; a figure that any place lacks is unknown in the sum, as all figures are without a place."""
    known = list(places)
    return Quantities(**{name: _sum(getattr(place, name) for place in known) for name in _FIGURES})


def failures(parts: Iterable[SourceAnswer[T]]) -> tuple[Phrase, ...]:
    """Return a sentence for each source that does not answer now."""
    return tuple(
        phrase("%(source)s: %(reason)s", source=part.source, reason=part.error.tell()) for part in parts if part.error
    )


def merge_stock(parts: Sequence[SourceAnswer[StockLevel]], table: ProductCodes, units: Units) -> Answer[StockLevel]:
    """Return the stock at all sources together; at least one part has a value.

    The answer's ``parts`` have their quantities in the common unit, or are not ``counted`` and keep their own.
    """
    known = [part for part in parts if part.value is not None]
    used = [part for part in known if part.fresh] or known
    unit = units.best(part.value.product.unit for part in used if part.value)
    converted = [_convert(part, unit, units, counted=part in used) for part in parts]
    counted = [(part, part.value) for part in converted if part.counted and part.value]
    # A source that keeps no stock of the product has no part in its figures.
    levels = [level for _, level in counted if level.is_stocked] or [level for _, level in counted]
    first, level = counted[0]
    return Answer(
        value=StockLevel(
            product=replace(level.product, sku=table.from_source(level.product.sku, first.source)),
            total=add(each.total for each in levels),
            per_warehouse=tuple(chain.from_iterable(each.per_warehouse for each in levels)),
            lots=by_expiry(chain.from_iterable(each.lots for each in levels)),
            reorder_point=_sum(each.reorder_point for each in levels),
            as_of=min(each.as_of for each in levels),
            company=level.company if len({each.company for each in levels}) == 1 else "",
            is_stocked=any(each.is_stocked for each in levels),
            is_kit=all(each.is_kit for each in levels),
        ),
        source=_names(part for part, _ in counted),
        as_of=_oldest(part for part, _ in counted),
        stale=not first.fresh,
        failures=failures(parts),
        notes=_notes(converted),
        parts=tuple(converted),
    )


def merge_products(
    parts: Sequence[SourceAnswer[tuple[Product, ...]]], table: ProductCodes, *, limit: int
) -> Answer[tuple[Product, ...]]:
    """Return the hits of all sources under our codes, each product once; at least one part has a value.

    Each source's best hits come first. A product with the code or the barcode of an earlier one is the same.
    """
    used = usable_parts(parts)
    ranks = zip_longest(*([_ours(product, part.source, table) for product in part.value or ()] for part in used))
    seen: set[str] = set()
    hits: list[Product] = []
    for product in filter(None, chain.from_iterable(ranks)):
        marks = {f"sku {product.sku.casefold()}"} | ({f"barcode {product.barcode}"} if product.barcode else set())
        if seen.isdisjoint(marks):
            hits.append(product)
        seen |= marks
    return answer_of(tuple(hits[:limit]), used, parts)


def merge_lists(parts: Sequence[SourceAnswer[Slice[D]]], query: ListQuery, listing: Kind[D]) -> Answer[Slice[D]]:
    """Return the page that ``query`` asks for, out of each source's documents from the first to that page's last.

    At least one part has a value.
    """
    used = usable_parts(parts)
    if len(used) == 1 and used[0].value is not None and not query.offset:
        return answer_of(used[0].value, used, parts)
    slices = [part.value for part in used if part.value is not None]
    documents = [document for part in slices for document in part.items]
    if len(slices) > 1:  # a single source's own order stands
        documents = listing.sort(documents, query.filter)
    page = tuple(documents[query.offset : query.offset + query.limit])
    return answer_of(Slice(items=page, total=sum(part.total for part in slices)), used, parts)


def usable_parts(parts: Sequence[SourceAnswer[T]]) -> list[SourceAnswer[T]]:
    """Return the parts that make the answer: those with content first, fresh before stale."""
    known = [part for part in parts if part.value is not None]
    full = [part for part in known if not is_empty(part.value)]
    return [part for part in full if part.fresh] or full or [part for part in known if part.fresh] or known


def is_empty(value: Any) -> bool:
    """Return whether the answer to a list or search holds nothing."""
    return value.total == 0 if isinstance(value, Slice) else value == ()


def answer_of(value: T, used: Sequence[SourceAnswer[T]], parts: Sequence[SourceAnswer[T]]) -> Answer[T]:
    """Return what was made of the ``used`` parts, with what is to be told of all."""
    return Answer(
        value=value,
        source=_names(used),
        as_of=_oldest(used),
        stale=not all(part.fresh for part in used),
        failures=failures(parts),
        notes=_notes(used),
    )


def _names(parts: Iterable[SourceAnswer[Any]]) -> str:
    return BETWEEN_SOURCES.join(part.source for part in parts)


def _oldest(parts: Iterable[SourceAnswer[Any]]) -> datetime:
    return min(part.as_of for part in parts if part.as_of)


def _notes(parts: Iterable[SourceAnswer[Any]]) -> tuple[Phrase, ...]:
    return tuple(chain.from_iterable(part.notes for part in parts))


def _ours(product: Product, source: str, table: ProductCodes) -> Product:
    code = table.from_source(product.sku, source)
    return product if code == product.sku else replace(product, sku=code)


def _convert(part: SourceAnswer[StockLevel], unit: str, units: Units, *, counted: bool) -> SourceAnswer[StockLevel]:
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
        lots=tuple(
            replace(lot, quantity=None if lot.quantity is None else lot.quantity * factor) for lot in level.lots
        ),
        reorder_point=None if level.reorder_point is None else level.reorder_point * factor,
    )


def _sum(figures: Iterable[Decimal | None]) -> Decimal | None:
    all_figures = list(figures)
    known = [figure for figure in all_figures if figure is not None]
    return sum(known, Decimal()) if known and len(known) == len(all_figures) else None
