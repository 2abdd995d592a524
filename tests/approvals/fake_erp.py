"""A small ERP with versions and levels of its own, which can be slow, away, refuse, and lose answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, auto

from bot.erp.errors import ErpError, NotFound, Unavailable
from bot.erp.model import (
    Approval,
    Decision,
    DecisionOutcome,
    DecisionResult,
    PurchaseOrder,
    PurchaseStatus,
    Verdict,
)


class WriteFault(Enum):
    """What happens to the next write."""

    AWAY = auto()
    """Nothing arrives, and that is certain."""
    LOST = auto()
    """Nothing arrives, and nobody knows."""
    ANSWER_LOST = auto()
    """It is done, and the answer gets lost."""
    DEFECT = auto()
    """It is done, and the adapter breaks over the answer."""


@dataclass
class FakeApprovalErp:
    """Stands in for `bot.erp.hub.ErpHub` where approvals read and decide.

    Accounts are ``erp-<userId>``.
    """

    now: Callable[[], datetime]
    orders: dict[str, PurchaseOrder] = field(default_factory=dict)
    levels: dict[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    """Number → the accounts of each of the ERP's own levels; without, anybody at one level."""
    written: list[Decision] = field(default_factory=list)
    """What was applied, in order."""
    told: list[Decision] = field(default_factory=list)
    """All that arrived here."""
    faults: list[WriteFault | ErpError | DecisionResult] = field(default_factory=list)
    forbidden: set[str] = field(default_factory=set)
    """Accounts that the ERP refuses."""
    away: bool = False
    names_nobody: bool = False
    """Whether it does not tell who decided, nor for whom it waits, nor at which level it is."""
    hides_deciders: bool = False
    """Whether it does not tell who decided, nor names them as who changed it last."""
    reads: int = 0
    gate: asyncio.Event | None = None
    """Reads wait for it."""
    step: Callable[[], None] = lambda: None
    """Called wherever the asking process may die."""

    def submit(self, order: PurchaseOrder) -> None:
        self.orders[order.number] = self._waiting(order, 1)

    def edit(self, number: str, **changes: object) -> None:
        """Let somebody change the order in the ERP."""
        order = self.orders[number]
        self.orders[number] = replace(order, version=_next(order.version), **changes)  # type: ignore[arg-type]

    async def reread(self, source: str, number: str) -> PurchaseOrder:
        self.step()
        self.reads += 1
        if self.gate is not None:
            await self.gate.wait()
        await asyncio.sleep(0)
        if self.away:
            raise Unavailable("away", source=source)
        order = next((one for one in self.orders.values() if one.number.casefold() == number.casefold()), None)
        if order is None:
            raise NotFound(number, source=source)
        return self._told(order)

    async def categories(self, source: str, skus: Sequence[str]) -> frozenset[str]:
        if self.away:
            raise Unavailable("away", source=source)
        return frozenset({"紧固件"} if "SKU1" in skus else ())

    async def decide(self, source: str, decision: Decision) -> DecisionResult:
        self.step()
        await asyncio.sleep(0)
        fault = self.faults.pop(0) if self.faults else None
        if self.away or fault is WriteFault.AWAY:
            raise Unavailable("away", source=source)
        if isinstance(fault, ErpError):
            raise fault
        if isinstance(fault, DecisionResult):
            return fault
        if fault is WriteFault.LOST:
            return DecisionResult(outcome=DecisionOutcome.UNKNOWN, order=None, text="no answer")
        result = self.apply(decision)
        self.step()
        if fault is WriteFault.ANSWER_LOST:
            return DecisionResult(outcome=DecisionOutcome.UNKNOWN, order=None, text="no answer")
        if fault is WriteFault.DEFECT:
            raise KeyError("id")
        return result

    def apply(self, decision: Decision) -> DecisionResult:
        """Decide as people do in the ERP itself, too."""
        self.told.append(decision)
        order = self.orders.get(decision.number)
        if order is None:
            raise NotFound(decision.number)
        approval = order.approval or Approval()
        if order.status is not PurchaseStatus.WAITING:
            return self._answer(DecisionOutcome.ALREADY_DECIDED, order)
        if order.version != decision.version:
            repeated = approval.decided_by == decision.by and approval.level > 1 and not self.names_nobody
            return self._answer(
                DecisionOutcome.ALREADY_DECIDED if repeated else DecisionOutcome.CHANGED_SINCE_SHOWN, order
            )
        may = not approval.pending_for or decision.by in approval.pending_for
        if decision.by in self.forbidden or not may:
            return self._answer(DecisionOutcome.NOT_PERMITTED, order)
        self.written.append(decision)
        done = replace(approval, decided_by=decision.by, decided_at=self.now(), reason=decision.reason, pending_for=())
        if decision.verdict is Verdict.APPROVE and approval.level < approval.levels:
            moved = replace(order, version=_next(order.version), changed_by=decision.by)
            onward = self._waiting(moved, approval.level + 1, done)
            self.orders[order.number] = onward
            return self._answer(DecisionOutcome.MORE_APPROVALS_NEEDED, onward)
        status = PurchaseStatus.APPROVED if decision.verdict is Verdict.APPROVE else PurchaseStatus.REJECTED
        decided = replace(order, status=status, version=_next(order.version), changed_by=decision.by, approval=done)
        self.orders[order.number] = decided
        return self._answer(DecisionOutcome.APPLIED, decided)

    def _answer(self, outcome: DecisionOutcome, order: PurchaseOrder) -> DecisionResult:
        return DecisionResult(outcome=outcome, order=self._told(order), text=outcome.value)

    def _told(self, order: PurchaseOrder) -> PurchaseOrder:
        """Return as much of an order as it tells."""
        if self.names_nobody:
            return replace(order, approval=None)
        if self.hides_deciders and order.approval is not None:
            return replace(order, changed_by="", approval=replace(order.approval, decided_by=""))
        return order

    def _waiting(self, order: PurchaseOrder, level: int, done: Approval | None = None) -> PurchaseOrder:
        levels = self.levels.get(order.number, ((),))
        approval = replace(done or Approval(), pending_for=levels[level - 1], level=level, levels=len(levels))
        return replace(order, status=PurchaseStatus.WAITING, approval=approval)


def _next(version: str) -> str:
    return f"v{int(version[1:]) + 1}"
