"""Asks all sources that can answer about goods, each by its own codes, and merges their answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeVar, cast

from bot.erp.answer import Answer, SourceAnswer
from bot.erp.books import KnownBooks
from bot.erp.errors import NotFound, Unsupported
from bot.erp.goods.lists import by_arrival, by_price_day, by_urgency
from bot.erp.goods.narrowing import keep_contents, keep_items, keep_prices, keep_supplies
from bot.erp.goods.port import LAST_PRICES, ArrivalQuery, GoodsReader, ShortageQuery, WarehouseQuery
from bot.erp.merging import ProductCodes, answer_of, usable_parts
from bot.erp.model import Area, Product, Slice
from bot.erp.model.goods import Arrival, Prices, ProductDetails, Shortage, WarehouseContents
from bot.erp.multi_source import AskSource, parts_of
from bot.erp.narrowing import NOT_NARROWED, Narrowings
from bot.erp.port import Capability, Erp
from bot.erp.reader_lists import PART_ONLY
from bot.words.phrase import phrase

T = TypeVar("T")
I = TypeVar("I", Arrival, Shortage)  # noqa: E741  # an item of a list
Q = TypeVar("Q", ArrivalQuery, ShortageQuery, WarehouseQuery)

MOST = 500
"""The most items that are read for a reader who may see only some of them."""


Read: TypeAlias = Callable[[GoodsReader, str], Awaitable[T]]
"""Reads from a source about a product, by the source's own code."""


@dataclass(frozen=True, slots=True)
class GoodsQuestions:
    """Asks sources for one reader. ``read_source`` reads one source without narrowing its answer.

    ``visible`` returns the sources that offer a capability and may have something for the reader.
    """

    read_source: AskSource
    visible: Callable[[Capability], Sequence[Erp]]
    codes: ProductCodes
    books: KnownBooks
    narrowings: Narrowings = NOT_NARROWED

    async def product(self, sku: str) -> Answer[ProductDetails]:
        """Return the master data of a product, of the first source that has it; raises `NotFound`."""
        parts = await self._of_product(
            Capability.PRODUCT_DETAILS, "product", sku, (), lambda erp, code: erp.product(code), self._keep_details
        )
        return _with_notes(parts)

    async def prices(self, sku: str, customer: str) -> Answer[Prices]:
        """Return what a product costs at all sources together; raises `NotFound`."""
        # A reader who may see only one customer is told what that customer paid, however long ago.
        wanted = customer or self.narrowings.search_text(Area.SALES)
        parts = await self._of_product(
            Capability.PRICES,
            "prices",
            sku,
            (wanted.casefold(),),
            lambda erp, code: erp.prices(code, customer=wanted),
            lambda prices, source: keep_prices(self.narrowings, self._own_prices(prices, source), source),
        )
        used = usable_parts(parts)
        first, *_ = known = [part.value for part in used if part.value]
        together = replace(
            first,
            customer=customer,
            sales=by_price_day(point for each in known for point in each.sales)[:LAST_PRICES],
            purchases=by_price_day(point for each in known for point in each.purchases)[:LAST_PRICES],
        )
        return answer_of(together, used, parts)

    async def arrivals(self, query: ArrivalQuery) -> Answer[Slice[Arrival]]:
        """Return goods on their way to all sources, due first.

        Raises `NotFound` for a reader who asks by a vendor and may not see vendors.
        """
        if query.vendor and any(Area.PURCHASING in each.by_number for each in self.narrowings):
            raise NotFound(query.vendor)
        sku = self.codes.resolve(query.sku)

        def asked(source: str) -> ArrivalQuery | None:
            code = self.codes.to_source(sku, source) if sku else ""
            return replace(query, sku=code) if code or not sku else None

        return await self._slice(Capability.ARRIVALS, "arrivals", query, asked, by_arrival)

    async def shortages(self, query: ShortageQuery) -> Answer[Slice[Shortage]]:
        """Return what is short at all sources; raises `NotFound` for a warehouse that no source has."""
        return await self._slice(Capability.SHORTAGES, "shortages", query, lambda _: query, by_urgency)

    async def warehouse_stock(self, query: WarehouseQuery) -> Answer[WarehouseContents]:
        """Return the stock of a warehouse at all sources that have one of this name; raises `NotFound`."""
        call = "warehouse_stock"
        sources = self._sources(Capability.WAREHOUSE_STOCK, call, query.warehouse)
        wide = self._wide(query, len(sources))

        async def ask(source: Erp) -> SourceAnswer[WarehouseContents] | NotFound:
            part = await self.read_source(source, call, (wide,), lambda erp: _reader(erp).warehouse_stock(wide))
            if isinstance(part, NotFound) or part.value is None:
                return part
            kept = keep_contents(self.narrowings, self._own_contents(part.value, source.name), source.name)
            return NotFound(query.warehouse) if kept is None else self._counted(part, kept)

        parts = parts_of(list(await asyncio.gather(*map(ask, sources))), call, query.warehouse)
        used = usable_parts(parts)
        known = [part.value for part in used if part.value]
        items = tuple(item for contents in known for item in contents.items)
        if wide is not query:
            items = tuple(sorted(items, key=lambda item: item.product.sku))[query.offset : query.offset + query.limit]
        together = replace(known[0], items=items, total=sum(contents.total for contents in known))
        return answer_of(together, used, parts)

    async def _of_product(
        self,
        capability: Capability,
        call: str,
        sku: str,
        args: tuple[Hashable, ...],
        read: Read[T],
        keep: Callable[[T, str], T | None],
    ) -> list[SourceAnswer[T]]:
        ours = self.codes.resolve(sku)
        named = [
            (source, code)
            for source in self._sources(capability, call, sku)
            if (code := self.codes.to_source(ours, source.name))
        ]

        async def ask(source: Erp, code: str) -> SourceAnswer[T] | NotFound:
            part = await self.read_source(source, call, (code.casefold(), *args), lambda erp: read(_reader(erp), code))
            if isinstance(part, NotFound) or part.value is None:
                return part
            kept = keep(part.value, source.name)
            return NotFound(sku) if kept is None else replace(part, value=kept)

        answers = list(await asyncio.gather(*(ask(source, code) for source, code in named)))
        return parts_of(answers or [NotFound(sku)], call, sku)

    async def _slice(
        self,
        capability: Capability,
        call: str,
        query: Q,
        asked: Callable[[str], Q | None],
        sort: Callable[[Iterable[I]], tuple[I, ...]],
    ) -> Answer[Slice[I]]:
        sources = [(source, own) for source in self._sources(capability, call, "") if (own := asked(source.name))]

        async def ask(source: Erp, own: Q) -> SourceAnswer[Slice[I]] | NotFound:
            wide = self._wide(own, len(sources))
            part = await self.read_source(source, call, (wide,), lambda erp: getattr(erp, call)(wide))
            if isinstance(part, NotFound) or part.value is None:
                return part
            items = tuple(self._own_item(item, source.name) for item in part.value.items)
            kept = keep_items(self.narrowings, items, source.name)
            if isinstance(own, ArrivalQuery) and own.vendor:
                # What is kept without its vendor would tell from whom it comes.
                kept = tuple(each for each in kept if own.wants(each))
            return self._counted(part, Slice(items=kept, total=part.value.total))

        parts = parts_of(list(await asyncio.gather(*(ask(*each) for each in sources))), call)
        used = usable_parts(parts)
        slices = [part.value for part in used if part.value]
        items = tuple(item for each in slices for item in each.items)
        if len(sources) > 1 or self.narrowings:
            items = sort(items)[query.offset : query.offset + query.limit]
        return answer_of(Slice(items=items, total=sum(each.total for each in slices)), used, parts)

    def _sources(self, capability: Capability, call: str, what: str) -> Sequence[Erp]:
        sources = self.visible(capability)
        if not sources:
            raise NotFound(what) if self.narrowings else Unsupported(f"no source offers {call}")
        return sources

    def _wide(self, query: Q, sources: int) -> Q:
        """Return the query from the first item on, where answers are merged or filtered here."""
        if self.narrowings:
            return replace(query, offset=0, limit=max(MOST, query.offset + query.limit))
        return replace(query, offset=0, limit=query.offset + query.limit) if sources > 1 else query

    def _counted(self, part: SourceAnswer[Any], kept: Any) -> SourceAnswer[Any]:
        """Return a part with only what the reader may see; an ERP cannot count that."""
        if not self.narrowings:
            return replace(part, value=kept)
        value: Any = part.value
        notes = (*part.notes, PART_ONLY) if value.total > len(value.items) else part.notes
        return replace(part, value=replace(kept, total=len(kept.items)), notes=notes)

    def _keep_details(self, details: ProductDetails, source: str) -> ProductDetails | None:
        if not all(narrowing.covers_product(details.product, source) for narrowing in self.narrowings):
            return None
        supplies = keep_supplies(self.narrowings, details.supplies, source)
        return replace(details, product=self._own_product(details.product, source), supplies=supplies)

    def _own_prices(self, prices: Prices, source: str) -> Prices:
        books = self.books.names_of(source)
        own = replace(prices, product=self._own_product(prices.product, source))
        if not books:
            return own
        sales, purchases = (
            tuple(replace(point, books=books) for point in points) for points in (own.sales, own.purchases)
        )
        return replace(own, sales=sales, purchases=purchases)

    def _own_item(self, item: I, source: str) -> I:
        own = replace(item, sku=self.codes.from_source(item.sku, source), source=item.source or source)
        return replace(own, books=self.books.names_of(source)) if isinstance(own, Arrival) else own

    def _own_contents(self, contents: WarehouseContents, source: str) -> WarehouseContents:
        items = (replace(item, product=self._own_product(item.product, source)) for item in contents.items)
        return replace(contents, items=tuple(items))

    def _own_product(self, product: Product, source: str) -> Product:
        return replace(product, sku=self.codes.from_source(product.sku, source))


def _reader(erp: Erp) -> GoodsReader:
    return cast(GoodsReader, erp)


def _with_notes(parts: Sequence[SourceAnswer[T]]) -> Answer[T]:
    """Return the answer of the first source, and who else has the product."""
    first, *others = used = usable_parts(parts)
    assert first.value is not None
    notes = (phrase("%(source)s also has this product.", source=other.source) for other in others)
    answer = answer_of(first.value, used[:1], parts)
    return replace(answer, notes=(*answer.notes, *notes))
