"""What an ERP without any capability answers; an adapter inherits it and overrides what its vendor can do."""

from __future__ import annotations

from typing import NoReturn

from bot.erp.errors import Unsupported
from bot.erp.model import (
    Area,
    Changes,
    Decision,
    DecisionOutcome,
    DecisionResult,
    Invoice,
    Product,
    ProductionOrder,
    PurchaseOrder,
    SalesOrder,
    Slice,
    StockLevel,
)
from bot.erp.port import Capability, ListQuery


class RefusingErp:
    """Implements `bot.erp.port.Erp` by refusing everything by name; ``name`` is the source's in the configuration."""

    capabilities: frozenset[Capability] = frozenset()

    def __init__(self, name: str) -> None:
        self.name = name

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        """Refuse; so do all the others."""
        self._refuse("products")

    async def stock(self, sku: str) -> StockLevel:
        """Refuse."""
        self._refuse(Capability.STOCK)

    async def order(self, number: str) -> SalesOrder:
        """Refuse."""
        self._refuse(Capability.SALES_ORDERS)

    async def orders(self, query: ListQuery) -> Slice[SalesOrder]:
        """Refuse."""
        self._refuse(Capability.SALES_ORDERS)

    async def invoice(self, number: str) -> Invoice:
        """Refuse."""
        self._refuse(Capability.INVOICES)

    async def invoices(self, query: ListQuery) -> Slice[Invoice]:
        """Refuse."""
        self._refuse(Capability.INVOICES)

    async def purchase_order(self, number: str) -> PurchaseOrder:
        """Refuse."""
        self._refuse(Capability.PURCHASE_ORDERS)

    async def purchase_orders(self, query: ListQuery) -> Slice[PurchaseOrder]:
        """Refuse."""
        self._refuse(Capability.PURCHASE_ORDERS)

    async def production_order(self, number: str) -> ProductionOrder:
        """Refuse."""
        self._refuse(Capability.PRODUCTION_ORDERS)

    async def production_orders(self, query: ListQuery) -> Slice[ProductionOrder]:
        """Refuse."""
        self._refuse(Capability.PRODUCTION_ORDERS)

    async def decide(self, decision: Decision) -> DecisionResult:
        """Say that nothing can be decided here."""
        return DecisionResult(outcome=DecisionOutcome.UNSUPPORTED, order=None)

    async def changed_since(self, area: Area, cursor: str, *, limit: int) -> Changes:
        """Refuse."""
        self._refuse(Capability.CHANGED_SINCE)

    def _refuse(self, what: str) -> NoReturn:
        raise Unsupported(f"no {what} here", source=self.name)
