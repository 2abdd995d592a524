"""Stock day by day in memory, for tests of what is made of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date

from bot.erp.index.folding import key_of
from bot.read_model.stock_days import SeenStock, StockDay


@dataclass
class MemoryStockDays:
    """Implements `bot.read_model.stock_days.StockDayStore`; ``days`` are by the folded code of the product."""

    days: dict[str, list[StockDay]] = field(default_factory=dict)
    kept: list[SeenStock] = field(default_factory=list)
    forgotten: list[date] = field(default_factory=list)
    error: Exception | None = None

    async def keep(self, seen: Sequence[SeenStock]) -> None:
        if self.error is not None:
            raise self.error
        self.kept += seen

    async def forget(self, before: date) -> None:
        self.forgotten.append(before)

    async def days_of(self, sources: Collection[str], sku: str) -> Sequence[StockDay]:
        return [each for each in self.days.get(key_of(sku), ()) if each.source in sources]
