"""Base classes of adapters that read all kinds of documents with two methods, and the rest with objects of their own.

A vendor implements `DocumentErp.read_document` and `DocumentErp.list_documents`. The checks that all vendors share are
here: kinds that are not offered and filters that a kind lacks are refused, impossible numbers are not looked up, and
malformed answers become `Invalid`. For ERPs that cannot narrow a list to one partner or to what is open, it is picked
out of the lists that they have.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any, ClassVar, Protocol

from bot.erp import creating
from bot.erp.errors import NotListedByProduct, Unsupported
from bot.erp.goods.lists import by_day
from bot.erp.keys import can_be_key, checked_key
from bot.erp.kinds import D, Kind, created_kind, decided_kind
from bot.erp.model import (
    Changes,
    Decision,
    DecisionOutcome,
    DecisionResult,
    DocumentDraft,
    ErpRecord,
    Followed,
    Product,
    Slice,
    StockLevel,
)
from bot.erp.port import UNCHANGING, Filter, ListQuery, verdicts_on
from bot.erp.refusing import RefusingErp
from bot.erp.values import malformed_is_invalid

PAGE, MAX_PAGES = 100, 5
"""Documents that are read at a time to pick from, and how often for one list."""

DocumentReader = Callable[[list[Any], bool], Awaitable[Sequence[Any]]]
"""Makes documents of a kind out of a vendor's rows, with their lines or without."""


def read_each(build: Callable[[Any, Any], Any], site: Any) -> DocumentReader:
    """Return the reader of documents that their rows tell whole; ``site`` is what they have in common."""

    async def read(rows: list[Any], with_lines: bool) -> Sequence[Any]:
        return [build(row, site) for row in rows]

    return read


class DocumentErp(RefusingErp):
    """Implements the port's reads for each kind of document among the capabilities; refuses every other call."""

    narrows_lists: ClassVar[bool] = False
    """Whether `list_documents` knows `ListQuery.partner` and what is `UNCHANGING`; else it is never asked for them."""

    async def read_document(self, kind: Kind[D], number: str) -> D:
        """Return one document with its lines; raises `NotFound`. Only called for offered kinds."""
        self._refuse(kind.capability)

    async def list_documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        """Return part of a list, without lines. Only called with filters that the kind has."""
        self._refuse(kind.capability)

    async def read_of_order(self, kind: Kind[D], order_number: str) -> Sequence[D]:
        """Return what was moved for an order, in any order; raises `NotFound`. Only called for offered kinds."""
        return await super().of_order(kind, order_number)

    async def write_decision(self, kind: Kind[Any], decision: Decision) -> DecisionResult:
        """Approve or reject a document, as `bot.erp.port.Erp.decide`. Only called for verdicts that are offered."""
        self._refuse(kind.capability)

    async def decide(self, decision: Decision) -> DecisionResult:
        kind = decided_kind(decision.kind)
        if decision.verdict not in verdicts_on(self, kind):  # type: ignore[arg-type]  # an adapter is whole
            return DecisionResult(outcome=DecisionOutcome.UNSUPPORTED, document=None)
        with malformed_is_invalid(self.name):
            return await self.write_decision(kind, decision)

    async def write_draft(self, kind: Kind[Any], draft: DocumentDraft) -> None:
        """Create a document, as `bot.erp.port.Creates.create`. Only called for kinds that are created."""
        self._refuse(f"creating by /{draft.kind}")

    async def numbers_marked(self, kind: Kind[Any], mark: str) -> Sequence[str]:
        """Return the numbers of the documents with a mark. Only called for kinds that are created."""
        self._refuse(f"creating by /{kind.command}")

    async def create(self, draft: DocumentDraft) -> ErpRecord:
        kind = self._created_kind(draft.kind)
        with malformed_is_invalid(self.name):
            return await creating.create(draft, write=partial(self.write_draft, kind), find=partial(self._marked, kind))

    async def find_created(self, kind: Kind[D], mark: str) -> D | None:
        found: D | None
        with malformed_is_invalid(self.name):
            found = await self._marked(self._created_kind(kind.command), mark)
        return found

    async def _marked(self, kind: Kind[D], mark: str) -> D | None:
        numbers = await self.numbers_marked(kind, mark)
        return await self.read_document(kind, numbers[0]) if numbers else None

    def _created_kind(self, command: str) -> Kind[Any]:
        if command not in self.creates:
            self._refuse(f"creating by /{command}")
        return created_kind(command)

    async def document(self, kind: Kind[D], number: str) -> D:
        self._check_offered(kind)
        with malformed_is_invalid(self.name):
            return await self.read_document(kind, checked_key(number, source=self.name))

    async def documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        self._check_offered(kind)
        kind.check_filter(query.filter, source=self.name)
        if query.filter is Filter.PENDING and not (query.filter in kind.filters or kind.command in self.decides):
            raise Unsupported(f"no {kind.list_call} wait for a decision here", source=self.name)
        kind.check_days(query, self.capabilities, source=self.name)
        if query.product:
            if kind.by_product is None or kind.by_product not in self.capabilities:
                raise NotListedByProduct(f"no {kind.list_call} of a product here", source=self.name)
            if not can_be_key(query.product):
                return Slice(items=(), total=0)
        with malformed_is_invalid(self.name):
            if self._narrows(kind, query):
                return await self.list_documents(kind, query)
            return await pick_from_lists(kind, query, partial(self.list_documents, kind), source=self.name)

    async def of_order(self, kind: Kind[D], order_number: str) -> tuple[D, ...]:
        self._check_offered(kind)
        with malformed_is_invalid(self.name):
            found = await self.read_of_order(kind, checked_key(order_number, source=self.name))
            return by_day(found)

    def _narrows(self, kind: Kind[Any], query: ListQuery) -> bool:
        """Whether `list_documents` can answer by itself."""
        return self.narrows_lists or not (query.partner or query.filter in UNCHANGING)

    def _check_offered(self, kind: Kind[D]) -> None:
        if kind.capability not in self.capabilities:
            self._refuse(kind.capability)


class ProductReader(Protocol):
    """Reads products and their stock."""

    async def find(self, search: str, /, *, limit: int) -> tuple[Product, ...]: ...

    async def level(self, sku: str, /) -> StockLevel: ...


class AreaReader(Protocol):
    """Reads the changes of areas."""

    async def next(self, area: Followed, cursor: str, /, *, limit: int) -> Changes: ...


class ReaderErp(DocumentErp):
    """Reads products, stock and changes with the readers that the vendor sets; malformed answers become `Invalid`."""

    _stock: ProductReader
    _changes: AreaReader

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        with malformed_is_invalid(self.name):
            return await self._stock.find(text, limit=limit)

    async def stock(self, sku: str) -> StockLevel:
        with malformed_is_invalid(self.name):
            return await self._stock.level(checked_key(sku, source=self.name))

    async def changed_since(self, area: Followed, cursor: str, *, limit: int) -> Changes:
        with malformed_is_invalid(self.name):
            return await self._changes.next(area, cursor, limit=limit)


async def pick_from_lists(
    kind: Kind[D], query: ListQuery, read: Callable[[ListQuery], Awaitable[Slice[D]]], *, source: str
) -> Slice[D]:
    """Return part of a list out of what ``read`` lists, which need not know partners or what is `UNCHANGING`.

    Raises `Unsupported` where more would have to be read than is reasonable.
    """
    found = await _candidates(query, read, source)
    if query.partner or query.filter is Filter.DONE:
        # Of which product they are is the ERP's to say: listed documents need not tell all their lines.
        found = [document for document in found if kind.matches(document, replace(query, product=""))]
    if query.filter in UNCHANGING:
        is_meant, _ = kind.filters[query.filter]
        found = kind.sort((document for document in found if is_meant(document, date.min)), query.filter)
    return Slice(items=tuple(found[query.offset : query.offset + query.limit]), total=len(found))


async def _candidates(query: ListQuery, read: Callable[[ListQuery], Awaitable[Slice[D]]], source: str) -> list[D]:
    # The name of a partner holds itself: searching for it finds all that is theirs. The days of other lists are others.
    wide = replace(
        query,
        filter=Filter.ALL if query.filter in UNCHANGING else query.filter,
        during=None if query.filter is Filter.DONE else query.during,
        text=query.partner or query.text,
        partner="",
        limit=PAGE,
    )
    found: list[D] = []
    for page in range(MAX_PAGES):
        part = await read(replace(wide, offset=page * PAGE))
        found += part.items
        if not part.items or len(found) >= part.total:
            return found
    raise Unsupported("too many documents to pick these out of them", source=source)
