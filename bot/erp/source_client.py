"""One source by itself, for whoever follows it: within its rate, behind its breaker, and inspected like every answer.

Nothing is shared or remembered: a follower wants what the source says now, and asks one thing after the other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from bot.erp.calls import CallRunner
from bot.erp.model import Area, Changes, Invoice, ProductionOrder, PurchaseOrder, SalesOrder, Slice, StockLevel
from bot.erp.port import Capability, Erp, ListQuery
from bot.erp.validation import Validator

T = TypeVar("T")


class SourceClient:
    """Reads of one source; all raise the classes of `bot.erp.errors`, `Unusable` for a record that cannot be right."""

    def __init__(self, erp: Erp, calls: CallRunner, inspector: Validator) -> None:
        self._erp = erp
        self._calls = calls
        self._inspector = inspector

    @property
    def name(self) -> str:
        """The source's name in the configuration."""
        return self._erp.name

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the source can do."""
        return self._erp.capabilities

    async def stock(self, sku: str) -> StockLevel:
        """Return one product's stock; raises `NotFound`."""
        return await self._read("stock", lambda erp: erp.stock(sku))

    async def order(self, number: str) -> SalesOrder:
        """Return one sales order; raises `NotFound`."""
        return await self._read("order", lambda erp: erp.order(number))

    async def orders(self, query: ListQuery) -> Slice[SalesOrder]:
        """Return sales orders without lines."""
        return await self._read("orders", lambda erp: erp.orders(query))

    async def invoice(self, number: str) -> Invoice:
        """Return one customer invoice; raises `NotFound`."""
        return await self._read("invoice", lambda erp: erp.invoice(number))

    async def invoices(self, query: ListQuery) -> Slice[Invoice]:
        """Return customer invoices."""
        return await self._read("invoices", lambda erp: erp.invoices(query))

    async def purchase_order(self, number: str) -> PurchaseOrder:
        """Return one purchase order; raises `NotFound`."""
        return await self._read("purchase_order", lambda erp: erp.purchase_order(number))

    async def purchase_orders(self, query: ListQuery) -> Slice[PurchaseOrder]:
        """Return purchase orders without lines."""
        return await self._read("purchase_orders", lambda erp: erp.purchase_orders(query))

    async def production_order(self, number: str) -> ProductionOrder:
        """Return one production order; raises `NotFound`."""
        return await self._read("production_order", lambda erp: erp.production_order(number))

    async def production_orders(self, query: ListQuery) -> Slice[ProductionOrder]:
        """Return production orders."""
        return await self._read("production_orders", lambda erp: erp.production_orders(query))

    async def changed_since(self, area: Area, cursor: str, *, limit: int) -> Changes:
        """Return the next changes of an area; raises `Unsupported`, and `Invalid` for a cursor that is not its own."""
        return await self._read("changed_since", lambda erp: erp.changed_since(area, cursor, limit=limit))

    async def _read(self, call: str, read: Callable[[Erp], Awaitable[T]]) -> T:
        said: Any = self._inspector.validate(await self._calls.read(self._erp, call, read))[0]
        answer: T = said
        return answer
