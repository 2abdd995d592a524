"""Narrows what the sources answer to the documents that one reader may see."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from bot.erp.kinds import PARTNERS, Kind, ScopeKeys, kind_of
from bot.erp.merging import add
from bot.erp.model import Area, PartnerRecord, Product, Slice, StockLevel, WarehouseStock
from bot.erp.model.goods import ProductDetails
from bot.erp.port import ListQuery


class DocumentScope(Protocol):
    """Documents that fit every restriction; None restricts nothing. `bot.access.grants.Scope` is one."""

    @property
    def sources(self) -> frozenset[str] | None:
        """Names of configured ERPs."""
        ...

    @property
    def companies(self) -> frozenset[str] | None:
        """Companies of an ERP."""
        ...

    @property
    def warehouses(self) -> frozenset[str] | None:
        """Codes or names of warehouses."""
        ...

    @property
    def categories(self) -> frozenset[str] | None:
        """Categories of products."""
        ...

    @property
    def partners(self) -> frozenset[str] | None:
        """Names of customers and vendors."""
        ...

    @property
    def own(self) -> bool:
        """Whether it covers only documents that have the reader as salesperson, buyer or requester."""
        ...


@dataclass(frozen=True, slots=True)
class Narrowing:
    """The documents of each area that a reader may see: those that any of its scopes covers; without scopes none.

    An area that is left out is not narrowed. ``names_at`` returns what the reader is called at a source. In areas
    ``by_number`` documents are found by their numbers alone, and partners not at all: a reader who may not see a
    partner's name may not look for it.
    """

    scopes: Mapping[Area, tuple[DocumentScope, ...]]
    names_at: Callable[[str], frozenset[str]]
    by_number: frozenset[Area] = frozenset()

    def concerns(self, kind: Kind[Any], query: ListQuery) -> bool:
        """Return whether a list may show what the reader may not find in it."""
        searched = query.text or query.partner or kind in PARTNERS
        return any(area in self.scopes or (searched and area in self.by_number) for area in kind.areas)

    def withholds_names(self, kind: Kind[Any], query: ListQuery) -> bool:
        """Return whether a list is searched by names that the reader may not see: a number has a digit."""
        named = query.text or query.partner
        is_number = any(char.isdigit() for char in query.text) and not query.partner and kind not in PARTNERS
        return bool(named) and not is_number and any(area in self.by_number for area in kind.areas)

    def may_ask(self, area: Area, source: str) -> bool:
        """Return whether any document of an area at a source may be seen."""
        scopes = self.scopes.get(area)
        return scopes is None or any(_fits(scope.sources, (source,)) for scope in scopes)

    def search_text(self, area: Area) -> str:
        """Return a text that all visible documents of an area hold, by which the ERP can narrow itself."""
        names: set[str] = set()
        for scope in self.scopes.get(area, ()):
            if scope.partners is None:
                return ""
            names |= scope.partners
        return names.pop() if len(names) == 1 else ""

    def keep(self, value: Any, source: str) -> Any:
        """Return what the reader may see of a source's answer, None where that is nothing."""
        if isinstance(value, Slice):
            return value  # narrowed while it is read (`bot.erp.reader_lists`)
        if isinstance(value, StockLevel):
            return self._keep_stock(value, source)
        if isinstance(value, tuple):
            return tuple(each for each in value if self._covers_any(each, source))
        if isinstance(value, ProductDetails):
            return value if self.covers_product(value.product, source) else None
        return value if self.covers(value, source) else None

    def finds(self, document: Any, query: ListQuery, source: str) -> bool:
        """Return whether a list may show a document that the ERP found for it."""
        by_name = query.partner or query.text.casefold() not in document.number.casefold()
        if by_name and kind_of(document).belongs_to(document) in self.by_number:
            return False
        return self.covers(document, source)

    def covers(self, document: Any, source: str) -> bool:
        """Return whether the reader may see a document of a source."""
        kind = kind_of(document)
        area = kind.belongs_to(document)
        if isinstance(document, PartnerRecord) and area in self.by_number:
            return False
        return area not in self.scopes or self.covers_keys(area, kind.keys(document, source))

    def covers_keys(self, area: Area, keys: ScopeKeys) -> bool:
        """Return whether the reader may see what these keys are of."""
        scopes = self.scopes.get(area)
        return scopes is None or any(
            self._covers(scope, keys) and _fits(scope.warehouses, keys.warehouses) for scope in scopes
        )

    def _covers_any(self, record: Any, source: str) -> bool:
        return self.covers_product(record, source) if isinstance(record, Product) else self.covers(record, source)

    def _covers(self, scope: DocumentScope, keys: ScopeKeys) -> bool:
        """Return whether a scope covers what these keys are of, whatever its warehouses."""
        return (
            _fits(scope.sources, (keys.source,))
            and _fits(scope.companies, (keys.company,))
            and _fits(scope.categories, (keys.category,))
            and _fits(scope.partners, (keys.partner,))
            and _fits(self.names_at(keys.source) if scope.own else None, keys.owners)
        )

    def covers_product(self, product: Product, source: str) -> bool:
        """Return whether a product may be shown: it is in no warehouse and is nobody's, unlike its stock."""
        scopes = self.scopes.get(Area.STOCK)
        return scopes is None or any(
            _fits(scope.sources, (source,)) and _fits(scope.categories, (product.category,)) for scope in scopes
        )

    def _keep_stock(self, level: StockLevel, source: str) -> StockLevel | None:
        scopes = self.scopes.get(Area.STOCK)
        if scopes is None:
            return level
        keys = ScopeKeys(source=source, company=level.company, category=level.product.category)
        covering = [scope for scope in scopes if self._covers(scope, keys)]
        if any(scope.warehouses is None for scope in covering):
            return level
        visible = tuple(place for place in level.per_warehouse if any(_holds(scope, place) for scope in covering))
        if not visible:
            return None
        # The reorder point is meant for all warehouses together.
        total = add(place.quantities for place in visible)
        codes = {place.code for place in visible}
        lots = tuple(lot for lot in level.lots if lot.warehouse in codes)
        return replace(level, total=total, per_warehouse=visible, lots=lots, reorder_point=None)


class Narrowings(tuple[Narrowing, ...]):
    """All that narrow one reader's answers: what is shown fits each of them. Empty, nothing is narrowed."""

    __slots__ = ()

    def concern(self, kind: Kind[Any], query: ListQuery) -> bool:
        """Return whether a list may show what the reader may not find in it."""
        return any(each.concerns(kind, query) for each in self)

    def narrow(self, area: Area) -> bool:
        """Return whether the reader may see or find some documents of an area only."""
        return any(area in each.scopes or area in each.by_number for each in self)

    @property
    def by_category(self) -> bool:
        """Whether the reader may see products of some categories only."""
        return any(scope.categories is not None for each in self for scope in each.scopes.get(Area.STOCK, ()))

    def may_ask(self, areas: tuple[Area, ...], source: str) -> bool:
        """Return whether a source may have documents for the reader in any of the areas."""
        return not self or any(all(each.may_ask(area, source) for each in self) for area in areas)

    def search_text(self, area: Area) -> str:
        """Return a text that all visible documents of an area hold; empty where there is none."""
        return max((each.search_text(area) for each in self), default="")

    def withhold_names(self, kind: Kind[Any], query: ListQuery) -> bool:
        """Return whether a list is searched by names that the reader may not see."""
        return any(each.withholds_names(kind, query) for each in self)

    def find(self, document: Any, query: ListQuery, source: str) -> bool:
        """Return whether a list may show a document that the ERP found for it."""
        return all(each.finds(document, query, source) for each in self)

    def keep(self, value: Any, source: str) -> Any:
        """Return what the reader may see of a source's answer, None where that is nothing."""
        for each in self:
            value = None if value is None else each.keep(value, source)
        return value


NOT_NARROWED = Narrowings()


def _holds(scope: DocumentScope, place: WarehouseStock) -> bool:
    return _fits(scope.warehouses, (place.code, place.name))


def _fits(wanted: frozenset[str] | None, has: Iterable[str]) -> bool:
    if wanted is None:
        return True
    return not {word.casefold() for word in wanted}.isdisjoint(word.casefold() for word in has if word)
