"""Writes decisions to one source each, once, and says what the ERP has made of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

from bot.erp.calls import CallRunner
from bot.erp.errors import ErpError, UnknownOutcome
from bot.erp.kinds import PURCHASE_ORDERS
from bot.erp.model import Decision, DecisionOutcome, DecisionResult, PurchaseOrder
from bot.erp.port import Erp
from bot.erp.shared_reads import SharedReads
from bot.mechanisms.uninterrupted import UninterruptedWork

RememberOrder: TypeAlias = Callable[[Erp, str, PurchaseOrder, datetime], None]
"""Keeps a purchase order of a source, asked for by a number at a time, as its last known answer."""


class DecisionWriter:
    """Lets sources decide, even if the caller is cancelled meanwhile."""

    def __init__(
        self, calls: CallRunner, reads: SharedReads, remember: RememberOrder, *, now: Callable[[], datetime]
    ) -> None:
        self._calls = calls
        self._reads = reads
        self._remember = remember
        self._now = now
        self._writes = UninterruptedWork()

    async def decide(self, source: Erp, decision: Decision) -> DecisionResult:
        """Return what a source decided; `DecisionOutcome.UNKNOWN` with the order as it reads then without an answer."""
        return await self._writes.run(self._decide(source, decision))

    async def finish(self) -> None:
        """Wait for the decisions that are being written."""
        await self._writes.wait()

    async def _decide(self, source: Erp, decision: Decision) -> DecisionResult:
        asked_at = self._now()
        try:
            result = await self._write(source, decision)
        except UnknownOutcome as error:
            result = DecisionResult(
                outcome=DecisionOutcome.UNKNOWN, order=await self._reread(source, decision.number), text=error.detail
            )
        if result.order is not None:
            self._remember(source, decision.number, result.order, asked_at)
        return result

    async def _write(self, source: Erp, decision: Decision) -> DecisionResult:
        try:
            return await self._calls.write(source, "decide", lambda erp: erp.decide(decision))
        finally:
            # Also where it failed: a conflict says that the order is not as it was read.
            self._reads.drop(source.name)

    async def _reread(self, source: Erp, number: str) -> PurchaseOrder | None:
        try:
            return await self._calls.read(source, "purchase_order", lambda erp: erp.document(PURCHASE_ORDERS, number))
        except ErpError:
            return None
