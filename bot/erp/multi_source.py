"""Questions that several sources answer together: which code to ask each by, and when to ask a second time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from cachetools import TTLCache

from bot.erp.answer import Answer, SourceAnswer
from bot.erp.errors import NotFound, Unavailable, Unsupported
from bot.erp.kinds import D, Kind
from bot.erp.merging import ProductCodes, failures, merge_lists, merge_products, merge_stock
from bot.erp.model import Product, Slice, StockLevel
from bot.erp.port import Erp, ListQuery
from bot.erp.units import Units

V = TypeVar("V")

Read = Callable[[Erp], Awaitable[V]]
AskSource = Callable[[Erp, str, tuple[Hashable, ...], Read[Any]], Awaitable[SourceAnswer[Any] | NotFound]]
"""Asks one source within its time limit; an error is a part without a fresh value."""

ReadList = Callable[[Erp, Kind[Any], ListQuery], Awaitable[SourceAnswer[Slice[Any]] | NotFound]]
"""Reads a source's documents from the first on."""

_TWINS_REMEMBERED = 4096
_TWIN_SECONDS = 600.0
_TWIN_HITS = 3
"""Two products with one barcode name neither, and a third may have it for its code."""


class MultiSource:
    """Asks sources at the same time and merges their answers."""

    def __init__(
        self,
        ask_source: AskSource,
        table: ProductCodes,
        units: Units,
        scope: Callable[[], str],
        monotonic: Callable[[], float],
    ) -> None:
        self._ask_source = ask_source
        self._table = table
        self._units = units
        self._scope = scope
        self._twins: TTLCache[tuple[str, ...], str] = TTLCache(_TWINS_REMEMBERED, _TWIN_SECONDS, timer=monotonic)
        """(Source, scope, our code) → the source's code of the product with the same barcode, empty for none."""

    async def find_products(self, sources: Sequence[Erp], text: str, *, limit: int) -> Answer[tuple[Product, ...]]:
        """Return what matches ``text`` at any source; codes that the table lists are found by either name."""
        meant = self._table.resolve(text)

        def ask(source: Erp) -> tuple[tuple[Hashable, ...], Read[tuple[Product, ...]]]:
            wanted = self._table.to_source(meant, source.name) if self._table.maps(meant, source.name) else text
            return (wanted or text, limit), lambda erp: erp.find_products(wanted or text, limit=limit)

        answers = await self._all("find_products", [(source, *ask(source)) for source in sources])
        return merge_products(parts_of(answers, "find_products"), self._table, limit=limit)

    async def stock(self, sources: Sequence[Erp], sku: str) -> Answer[StockLevel]:
        """Return the stock of a product at every source that has it; raises `NotFound`.

        A source that does not know the code is asked for the barcode that another source has.
        """
        if not sources:
            raise Unsupported("no source offers stock")
        code = self._table.resolve(sku)
        named = [(source, theirs) for source in sources if (theirs := self._code(code, source.name))]
        answers = await self._all("stock", [_stock(source, theirs) for source, theirs in named])
        levels = [part.value for part in answers if isinstance(part, SourceAnswer) and part.value]
        barcodes = {level.product.barcode for level in levels} - {""}
        if len(barcodes) == 1:
            lacking = [
                index
                for index, (part, (source, _)) in enumerate(zip(answers, named, strict=True))
                if isinstance(part, NotFound) and self._may_have_twin(code, source.name)
            ]
            twins = await asyncio.gather(*(self._twin(named[index][0], code, *barcodes) for index in lacking))
            for index, twin in zip(lacking, twins, strict=True):
                answers[index] = twin or answers[index]
        parts = parts_of(answers or [NotFound(sku)], "stock", sku)
        if len(parts) == 1 and parts[0].value is not None:
            return _single(parts[0], self._table)
        return merge_stock(parts, self._table, self._units)

    async def documents(
        self,
        sources: Sequence[Erp],
        kind: Kind[D],
        query: ListQuery,
        read: ReadList | None = None,
    ) -> Answer[Slice[D]]:
        """Return a page of the documents of all sources in one order; ``read`` reads those of one source.

        Each is asked from its first document on: only together is it known which belong to a later page.
        """
        call = kind.list_call
        if not sources:
            raise Unsupported(f"no source offers {call}")
        wide = replace(query, offset=0, limit=query.offset + query.limit)
        answers = await asyncio.gather(*((read or self._read_list)(source, kind, wide) for source in sources))
        return merge_lists(parts_of(answers, call), query, kind)

    def _read_list(self, source: Erp, kind: Kind[D], query: ListQuery) -> Awaitable[SourceAnswer[Slice[D]] | NotFound]:
        return self._ask_source(source, kind.list_call, (query,), lambda erp: erp.documents(kind, query))

    async def _all(
        self, call: str, asks: Iterable[tuple[Erp, tuple[Hashable, ...], Read[V]]]
    ) -> list[SourceAnswer[V] | NotFound]:
        return list(await asyncio.gather(*(self._ask_source(source, call, args, read) for source, args, read in asks)))

    def _code(self, code: str, source: str) -> str:
        if self._table.maps(code, source):
            return self._table.to_source(code, source)
        return self._twins.get(self._at(code, source)) or code

    def _may_have_twin(self, code: str, source: str) -> bool:
        return not self._table.maps(code, source) and self._twins.get(self._at(code, source)) != ""

    def _at(self, code: str, source: str) -> tuple[str, ...]:
        return source, self._scope(), code.casefold()

    async def _twin(self, source: Erp, code: str, barcode: str) -> SourceAnswer[StockLevel] | NotFound | None:
        """Return the stock of the one product with ``barcode`` at ``source``; None if there is none or no answer."""
        (found,) = await self._all(
            "find_products",
            [(source, (barcode, _TWIN_HITS), lambda erp: erp.find_products(barcode, limit=_TWIN_HITS))],
        )
        if isinstance(found, NotFound) or found.value is None:
            return None
        exact = [product.sku for product in found.value if product.barcode == barcode]
        theirs = self._twins[self._at(code, source.name)] = exact[0] if len(exact) == 1 else ""
        if not theirs:
            return None
        (part,) = await self._all("stock", [_stock(source, theirs)])
        return part


def _stock(source: Erp, sku: str) -> tuple[Erp, tuple[Hashable, ...], Read[StockLevel]]:
    return source, (sku.casefold(),), lambda erp: erp.stock(sku)


def _single(part: SourceAnswer[StockLevel], table: ProductCodes) -> Answer[StockLevel]:
    assert part.value is not None
    assert part.as_of is not None
    product = part.value.product
    ours = table.from_source(product.sku, part.source)
    level = part.value if ours == product.sku else replace(part.value, product=replace(product, sku=ours))
    return Answer(level, part.source, part.as_of, stale=not part.fresh, failures=failures((part,)), notes=part.notes)


def parts_of(answers: Sequence[SourceAnswer[V] | NotFound], call: str, what: str = "") -> list[SourceAnswer[V]]:
    """Return the parts, of which at least one has a value; else raises the best reason why there is none.

    ``what`` is not found as it was asked for: a source's own code, or another spelling, would tell what is hidden from
    what is not there.
    """
    parts = [part for part in answers if isinstance(part, SourceAnswer)]
    if any(part.value is not None for part in parts):
        return parts
    # A source that did not answer may well have what the others lack.
    errors = [part.error for part in parts if part.error]
    missing = [NotFound(what or part.what, source=part.source) for part in answers if isinstance(part, NotFound)]
    raise (errors or missing or [Unavailable(f"nobody answered {call}")])[0]
