"""Sources whose answers are queued, a clock that only tests move, and what else tests of the hub share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.erp.hub import ErpHub
from bot.erp.model import (
    Decision,
    DecisionOutcome,
    DecisionResult,
    Product,
    PurchaseOrder,
    Quantities,
    ReviewState,
    StockLevel,
    Verdict,
)
from bot.erp.port import Capability
from bot.mechanisms.metrics import Metrics
from tests.bare_records import bare
from tests.erp.named_reads import NamedReads

START = datetime(2026, 11, 24, 8, tzinfo=UTC)
MakeHub = Callable[..., ErpHub]
"""Makes a hub of sources on the test's clock."""


class Clock:
    """Wall clock and monotonic clock that only tests move; ``sleep`` moves them and records its seconds."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


class Source(NamedReads):
    """A source whose answers are queued per call: values are returned, errors raised, the last answer repeats.

    ``gate`` holds every call until it is set.
    """

    def __init__(self, name: str = "main", *, without: frozenset[Capability] = frozenset(), **answers: Any) -> None:
        self.name = name
        self.capabilities = frozenset(Capability) - without
        self.answers = {call: list(queue) if isinstance(queue, list) else [queue] for call, queue in answers.items()}
        self.calls: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun = asyncio.Event()
        self.closed = False

    def __getattr__(self, call: str) -> Callable[..., Any]:
        if call not in self.answers:
            raise AttributeError(call)
        return lambda *args, **kwargs: self._answer(call)

    async def _answer(self, call: str) -> Any:
        self.calls.append(call)
        self.begun.set()
        queue = self.answers[call]
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        await self.gate.wait()
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def close(self) -> None:
        self.closed = True


def level(on_hand: int = 5) -> StockLevel:
    return StockLevel(
        product=Product(sku="SKU123", name="螺丝", unit="个"),
        total=Quantities(on_hand=Decimal(on_hand)),
        per_warehouse=(),
        reorder_point=None,
        as_of=START,
    )


def purchase(status: ReviewState = ReviewState.WAITING, version: str = "1") -> PurchaseOrder:
    return bare(PurchaseOrder, "PO-1001", vendor="宝钢", status=status, version=version)


DECISION = Decision(number="PO-1001", version="1", verdict=Verdict.APPROVE, by="boss01")
DECIDED = DecisionResult(outcome=DecisionOutcome.APPLIED, document=purchase(ReviewState.APPROVED, "2"))


def counted(metrics: Metrics, call: str, outcome: str, source: str = "main") -> float:
    value = metrics.registry.get_sample_value(
        "dingerp_erp_calls_total", {"source": source, "call": call, "outcome": outcome}
    )
    return value or 0.0
