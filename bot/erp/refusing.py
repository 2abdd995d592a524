"""An ERP without any capability; adapters inherit from it and override what their vendor supports."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, NoReturn

from bot.erp.document_calls import DocumentCalls
from bot.erp.errors import Unsupported
from bot.erp.goods.port import ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.kinds import D, Kind
from bot.erp.model import (
    Changes,
    Decision,
    DecisionOutcome,
    DecisionResult,
    DocumentDraft,
    ErpRecord,
    Feed,
    Followed,
    Product,
    Slice,
    StockLevel,
    Verdict,
)
from bot.erp.model.goods import Arrival, Prices, ProductDetails, Shortage, WarehouseContents
from bot.erp.port import Capability, ListQuery


class RefusingErp(DocumentCalls):
    """Implements `bot.erp.port.Erp` by refusing every call; ``name`` is the source's name in the configuration."""

    capabilities: frozenset[Capability] = frozenset()
    decides: Mapping[str, frozenset[Verdict]] = MappingProxyType({})
    """What is decided there besides purchase orders, by the command of the kind."""
    creates: frozenset[str] = frozenset()
    """The commands of the kinds whose documents are begun there."""
    feeds: frozenset[Feed] = frozenset()
    """The documents besides those of areas whose changes `changed_since` tells."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        self._refuse("products")

    async def stock(self, sku: str) -> StockLevel:
        self._refuse(Capability.STOCK)

    async def document(self, kind: Kind[D], number: str) -> D:
        read: Callable[[str], Awaitable[D]] = self._own_call(kind.call, kind.capability)
        return await read(number)

    async def documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        read: Callable[[ListQuery], Awaitable[Slice[D]]] = self._own_call(kind.list_call, kind.capability)
        return await read(query)

    async def of_order(self, kind: Kind[D], order_number: str) -> tuple[D, ...]:
        read: Callable[[str], Awaitable[tuple[D, ...]]] = self._own_call(kind.order_call, kind.capability)
        return await read(order_number)

    def _own_call(self, name: str, capability: Capability) -> Callable[[Any], Awaitable[Any]]:
        """Return the call that an adapter has under its name for a kind; refuse what it does not override."""
        own: Any = getattr(type(self), name, None)
        if own is None or own is getattr(DocumentCalls, name):
            self._refuse(capability)
        call: Callable[[Any], Awaitable[Any]] = getattr(self, name)
        return call

    async def decide(self, decision: Decision) -> DecisionResult:
        """Return that decisions are not supported."""
        return DecisionResult(outcome=DecisionOutcome.UNSUPPORTED, document=None)

    async def create(self, draft: DocumentDraft) -> ErpRecord:
        self._refuse(f"creating by /{draft.kind}")

    async def find_created(self, kind: Kind[D], mark: str) -> D | None:
        self._refuse(f"creating by /{kind.command}")

    async def product(self, sku: str) -> ProductDetails:
        self._refuse(Capability.PRODUCT_DETAILS)

    async def prices(self, sku: str, *, customer: str) -> Prices:
        self._refuse(Capability.PRICES)

    async def arrivals(self, query: ArrivalQuery) -> Slice[Arrival]:
        self._refuse(Capability.ARRIVALS)

    async def shortages(self, query: ShortageQuery) -> Slice[Shortage]:
        self._refuse(Capability.SHORTAGES)

    async def warehouse_stock(self, query: WarehouseQuery) -> WarehouseContents:
        self._refuse(Capability.WAREHOUSE_STOCK)

    async def changed_since(self, area: Followed, cursor: str, *, limit: int) -> Changes:
        self._refuse(Capability.CHANGED_SINCE)

    def _refuse(self, what: str) -> NoReturn:
        raise Unsupported(f"no {what} here", source=self.name)
