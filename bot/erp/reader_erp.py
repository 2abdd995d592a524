"""Base class of adapters that read stock and changes with separate objects."""

from __future__ import annotations

from typing import Protocol

from bot.erp.document_erp import DocumentErp
from bot.erp.keys import checked_key
from bot.erp.model import Changes, Followed, Product, StockLevel
from bot.erp.values import malformed_is_invalid


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
