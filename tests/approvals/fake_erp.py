"""A small ERP with versions and levels of its own, which can be slow, away, refuse, and lose answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, auto
from typing import Any

from bot.erp.errors import ErpError, NotFound, Unavailable
from bot.erp.kinds import Kind, kind_of, review_of
from bot.erp.model import (
    Approval,
    Decision,
    DecisionOutcome,
    DecisionResult,
    ErpRecord,
    ReviewState,
    Verdict,
)
from tests.bare_records import with_review


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
    orders: dict[str, Any] = field(default_factory=dict)
    """Number → purchase order; documents of other kinds stand under their kind and number."""
    waits_since: dict[str, str] = field(default_factory=dict)
    """Name in ``orders`` → the version at which it was submitted, or came to its level, the last time."""
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

    def submit(self, document: ErpRecord) -> None:
        self.orders[name_of(kind_of(document).command, document.number)] = self._waiting(document, 1)

    def edit(self, number: str, **changes: Any) -> None:
        """Let somebody change a document in the ERP; it goes by its name in ``orders``."""
        document = self.orders[number]
        self.orders[number] = with_review(document, version=_next(review_of(document).version), **changes)

    async def reread(self, source: str, kind: Kind[Any], number: str) -> Any:
        self.step()
        self.reads += 1
        if self.gate is not None:
            await self.gate.wait()
        await asyncio.sleep(0)
        if self.away:
            raise Unavailable("away", source=source)
        wanted = name_of(kind.command, number).casefold()
        found = next((one for name, one in self.orders.items() if name.casefold() == wanted), None)
        if found is None:
            raise NotFound(number, source=source)
        return self._told(found)

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
            return DecisionResult(outcome=DecisionOutcome.UNKNOWN, document=None, text="no answer")
        result = self.apply(decision)
        self.step()
        if fault is WriteFault.ANSWER_LOST:
            return DecisionResult(outcome=DecisionOutcome.UNKNOWN, document=None, text="no answer")
        if fault is WriteFault.DEFECT:
            raise KeyError("id")
        return result

    def apply(self, decision: Decision) -> DecisionResult:
        """Decide as people do in the ERP itself, too."""
        self.told.append(decision)
        name = name_of(decision.kind, decision.number)
        document = self.orders.get(name)
        if document is None:
            raise NotFound(decision.number)
        review = review_of(document)
        approval = review.progress
        if not review.waits:
            return self._answer(DecisionOutcome.ALREADY_DECIDED, document)
        if review.version != decision.version:
            repeated = approval.decided_by == decision.by and approval.level > 1 and not self.names_nobody
            return self._answer(
                DecisionOutcome.ALREADY_DECIDED if repeated else DecisionOutcome.CHANGED_SINCE_SHOWN, document
            )
        may = not approval.pending_for or decision.by in approval.pending_for
        if decision.by in self.forbidden or not may:
            return self._answer(DecisionOutcome.NOT_PERMITTED, document)
        self.written.append(decision)
        done = replace(approval, decided_by=decision.by, decided_at=self.now(), reason=decision.reason, pending_for=())
        moved = with_review(document, version=_next(review.version), changed_by=decision.by)
        if decision.verdict is Verdict.APPROVE and approval.level < approval.levels:
            self.orders[name] = self._waiting(moved, approval.level + 1, done)
            return self._answer(DecisionOutcome.MORE_APPROVALS_NEEDED, self.orders[name])
        state = ReviewState.APPROVED if decision.verdict is Verdict.APPROVE else ReviewState.REJECTED
        self.orders[name] = with_review(moved, state=state, approval=done)
        return self._answer(DecisionOutcome.APPLIED, self.orders[name])

    def _answer(self, outcome: DecisionOutcome, document: ErpRecord) -> DecisionResult:
        return DecisionResult(outcome=outcome, document=self._told(document), text=outcome.value)

    def _told(self, document: ErpRecord) -> ErpRecord:
        """Return as much of a document as it tells."""
        if self.names_nobody:
            return with_review(document, approval=None)
        approval = review_of(document).approval
        if self.hides_deciders and approval is not None:
            return with_review(document, changed_by="", approval=replace(approval, decided_by=""))
        return document

    def _waiting(self, document: ErpRecord, level: int, done: Approval | None = None) -> ErpRecord:
        levels = self.levels.get(document.number, ((),))
        approval = replace(done or Approval(), pending_for=levels[level - 1], level=level, levels=len(levels))
        self.waits_since[name_of(kind_of(document).command, document.number)] = review_of(document).version
        return with_review(document, state=ReviewState.WAITING, approval=approval)


def name_of(command: str, number: str) -> str:
    """Return the name of a document in `FakeApprovalErp.orders`."""
    return number if command == "po" else f"{command} {number}"


def version_number(version: str) -> int:
    """Return how many versions there are up to this one."""
    return int(version[1:])


def _next(version: str) -> str:
    return f"v{version_number(version) + 1}"
