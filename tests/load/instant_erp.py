"""dingerp with an ERP that answers from memory after 20 ms: the bot is measured, not a database beside it.

Everything from the hub to the card is what runs in production; only the ERP behind the adapter is missing.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from importlib.metadata import EntryPoint

from pydantic import BaseModel

import bot.mechanisms.log  # noqa: F401  # first, as the command line loads it, which then loads less
from bot.erp import vendors
from bot.erp.errors import NotFound
from bot.erp.model import Product, Quantities, StockLevel, WarehouseStock
from bot.erp.port import Capability
from bot.erp.vendors import AdapterContext, Vendor

ERP_SECONDS = float(os.environ["ERP_SECONDS"])

WAREHOUSES = (("SH", "上海仓"), ("SZ", "深圳仓"), ("CD", "成都仓"))


class InstantErp:
    """Knows the stock of 64 products in three warehouses."""

    capabilities = frozenset({Capability.STOCK, Capability.STOCK_PER_WAREHOUSE, Capability.RESERVED_AND_INCOMING})

    def __init__(self, name: str, now: Callable[[], datetime]) -> None:
        self.name = name
        self._now = now
        self._products = {
            f"sku{number}": Product(sku=f"SKU{number}", name="螺丝 内六角", spec=f"M6×{number}", unit="个")
            for number in range(122, 186)
        }
        self._total = _figures(7200)
        self._places = tuple(
            WarehouseStock(code=code, name=name, quantities=_figures(1200 * (number + 1)))
            for number, (code, name) in enumerate(WAREHOUSES)
        )

    async def stock(self, sku: str) -> StockLevel:
        await asyncio.sleep(ERP_SECONDS)
        product = self._products.get(sku.casefold())
        if product is None:
            raise NotFound(sku)
        return StockLevel(
            product=product,
            total=self._total,
            per_warehouse=self._places,
            reorder_point=Decimal(15000),
            as_of=self._now(),
            company="压测公司",
            source=self.name,
        )

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        """Return the products whose code has ``text``, for the words that the bot learns at its start."""
        wanted = text.casefold()
        return tuple(product for code, product in self._products.items() if wanted in code)[:limit]

    async def close(self) -> None: ...


def _figures(on_hand: int) -> Quantities:
    reserved = Decimal(on_hand // 4)
    return Quantities(
        on_hand=Decimal(on_hand), reserved=reserved, available=Decimal(on_hand) - reserved, incoming=Decimal(500)
    )


class _NoOptions(BaseModel):
    """It has none."""


async def _open(context: AdapterContext, _options: _NoOptions) -> InstantErp:
    return InstantErp(context.name, context.now)


vendor = Vendor(title="Instant ERP", options=_NoOptions, open=_open)  # type: ignore[arg-type]  # a part of the port

if __name__ == "__main__":
    # As an installed package would declare it.
    vendors._OURS["instant"] = EntryPoint("instant", "tests.load.instant_erp:vendor", vendors.GROUP)
    from bot.cli import main

    main()
