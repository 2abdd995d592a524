"""The hub's overhead over its sources: ``python -m tests.load.bench_hub`` prints the numbers.

The sources answer from memory, some of them after a pause.
"""

from __future__ import annotations

import asyncio
import statistics
from datetime import UTC, datetime
from decimal import Decimal
from time import perf_counter

from bot.erp.hub import ErpHub
from bot.erp.model import Product, Quantities, StockLevel, WarehouseStock
from bot.erp.port import Capability
from bot.mechanisms.metrics import Metrics

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class PausingErp:
    """Knows the stock of every product; each answer takes ``seconds``."""

    capabilities = frozenset({Capability.STOCK, Capability.STOCK_PER_WAREHOUSE})

    def __init__(self, name: str, seconds: float = 0.0) -> None:
        self.name = name
        self.seconds = seconds
        self.calls = 0

    async def stock(self, sku: str) -> StockLevel:
        self.calls += 1
        if self.seconds:
            await asyncio.sleep(self.seconds)
        figures = Quantities(on_hand=Decimal(120), reserved=Decimal(20), available=Decimal(100))
        total = Quantities(on_hand=Decimal(360), reserved=Decimal(60), available=Decimal(300))
        return StockLevel(
            product=Product(sku=sku, name="螺丝 内六角", spec="M6×20", unit="个", barcode="6901234567892"),
            total=total,
            per_warehouse=tuple(
                WarehouseStock(code=code, name=name, quantities=figures)
                for code, name in (("SH", "上海仓"), ("SZ", "深圳仓"), ("CD", "成都仓"))
            ),
            reorder_point=Decimal(200),
            as_of=NOON,
            source=self.name,
        )

    async def close(self) -> None: ...


def make_hub(*sources: PausingErp) -> ErpHub:
    """Return a hub over sources that only serve stock."""
    return ErpHub(sources, metrics=Metrics(), now=lambda: datetime.now(UTC))  # type: ignore[arg-type]  # part of a port


async def measure_overhead(sources: int, count: int = 5_000) -> float:
    """Return the microseconds of one read over ``sources`` instant sources: the best of five."""
    hub = make_hub(*(PausingErp(f"s{number}") for number in range(sources)))
    best = float("inf")
    for _ in range(5):
        began = perf_counter()
        for number in range(count):
            await hub.stock(f"SKU{number % 200}")
        best = min(best, (perf_counter() - began) / count * 1e6)
    await hub.close()
    return best


async def measure_coalescing(count: int = 1_000) -> int:
    """Return the number of calls that reach the source when ``count`` people ask the same at once."""
    erp = PausingErp("main", 0.02)
    hub = make_hub(erp)
    await asyncio.gather(*(hub.stock("SKU1") for _ in range(count)))
    await hub.close()
    return erp.calls


async def measure_latencies(count: int = 100) -> list[float]:
    """Return the seconds for ``count`` answers of sources at 20, 40 and 60 ms."""
    hub = make_hub(*(PausingErp(f"s{ms}", ms / 1000) for ms in (20, 40, 60)))
    times = []
    for number in range(count):
        began = perf_counter()
        found = await hub.stock(f"SKU{number}")
        times.append(perf_counter() - began)
        assert found.value.total.on_hand == 3 * 360
    await hub.close()
    return times


async def main() -> None:
    """Measure and print."""
    for sources in (1, 2, 3):
        print(f"one read over {sources} source(s) that answer at once: {await measure_overhead(sources):.1f} µs")
    print(f"1000 identical questions in flight: {await measure_coalescing()} upstream call(s)")
    times = await measure_latencies()
    p95 = statistics.quantiles(times, n=20)[-1]
    print(f"sources at 20, 40, 60 ms: median {statistics.median(times) * 1e3:.1f} ms, p95 {p95 * 1e3:.1f} ms")


if __name__ == "__main__":
    asyncio.run(main())
