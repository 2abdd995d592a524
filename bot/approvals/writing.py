"""The writer: brings decisions to the ERP, asks it what became of doubtful ones, and does what time brings.

All that it knows is in the book: it may be killed at any moment and run in several processes. A case belongs to whoever
stored the note about it; the others see the note and leave it alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Protocol

import structlog

from bot.approvals import deadlines, settling
from bot.approvals.book import Book
from bot.approvals.case import Case, CaseState
from bot.approvals.office import Office
from bot.approvals.opening import gone
from bot.approvals.settling import Telling
from bot.erp.errors import ErpError, NotFound
from bot.erp.model import Decision, DecisionResult, Outcome, PurchaseOrder
from bot.errors import DingerpError
from bot.metrics import Metrics

log = structlog.get_logger(__name__)

_IDLE = timedelta(seconds=5)
"""What other processes stored is found after that long at the latest."""
_RETRY = 1.0
"""Seconds before another try when the database is away."""
_LAST_WORDS = 25.0
"""Seconds that a stop waits for answers of the ERP: as long as a write may take."""


class Deciding(Protocol):
    """Tells an ERP; implemented by `bot.erp.hub.ErpHub`."""

    async def decide(self, source: str, decision: Decision) -> DecisionResult:
        """Let one source decide, once; raises the classes of `bot.erp.errors` only when nothing was written."""
        ...


class Writer:
    """`run` must be running; `poke` tells it that there is something to do."""

    def __init__(
        self,
        office: Office,
        erp: Deciding,
        *,
        follow: Callable[[str, str], Awaitable[Case | None]],
        metrics: Metrics,
        at_once: int = 16,
    ) -> None:
        """``follow`` reads a document again whose case ended (`bot.approvals.service.ApprovalDesk.submitted`).

        ``at_once`` bounds the cases that this process works on at the same time, so that clicks find the database and
        the ERP free.
        """
        self._office = office
        self._erp = erp
        self._follow = follow
        self._metrics = metrics
        self._at_once = at_once
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._poked = asyncio.Event()

    def poke(self) -> None:
        """Tell that somebody decided."""
        self._poked.set()

    async def run(self) -> None:
        """Work until cancelled, then wait for the answers of writes that are under way."""
        try:
            while True:
                try:
                    pause = await self.round()
                except DingerpError as error:
                    self._failed("approvals.not_stored", error)
                    pause = _RETRY
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._poked.wait()
        finally:
            if self._busy:
                await asyncio.wait([*self._busy.values()], timeout=_LAST_WORDS)

    async def round(self) -> float:
        """Begin what is due, as far as there is room; return for how many seconds nothing more is known to come."""
        self._poked.clear()
        now = self._office.now()

        def find(book: Book) -> tuple[tuple[Case, ...], float]:
            after = book.next_due(now)
            pause = _IDLE if after is None else min(after - now, _IDLE)
            return tuple(book.due(now, 2 * self._at_once)), pause.total_seconds()

        due, pause = await self._office.read(find)
        for case in due:
            if case.id not in self._busy and len(self._busy) < self._at_once:
                self._busy[case.id] = asyncio.create_task(self._attend(case), name=f"approval-{case.id}")
        return pause

    async def settled(self) -> None:
        """Wait until nothing is being worked on."""
        while self._busy:
            await asyncio.wait([*self._busy.values()])

    async def _attend(self, case: Case) -> None:
        try:
            await self._work_on(case)
            self._poked.set()  # there is room for others, and perhaps something to do at once
        except DingerpError as error:
            self._failed("approvals.not_done", error, case)
        except Exception as defect:
            log.error("approvals.case_failed", case=case.id, source=case.source, exc_info=defect)
            self._metrics.errors.labels("approvals", type(defect).__name__).inc()
            with suppress(DingerpError):
                await self._office.do(lambda unit: deadlines.put_off(unit, case.id))
        finally:
            del self._busy[case.id]

    async def _work_on(self, case: Case) -> None:
        match case.state:
            case CaseState.WRITING:
                await self._write(case.id)
            case CaseState.UNKNOWN:
                await self._look(case.id)
            case CaseState.OPEN:
                await self._office.do(lambda unit: deadlines.pass_time(unit, case.id))
            case _:
                await self._read_again(case)

    async def _write(self, case_id: str) -> None:
        telling = await self._office.do(lambda unit: settling.begin_write(unit, case_id))
        if telling is None:
            return
        if self._office.now() - telling.at > self._office.terms.write_takes / 2:
            # This process slept: by now another one may be looking for the write, or repeating it.
            log.warning("approvals.note_too_old", case=case_id)
            return
        try:
            result = await self._erp.decide(telling.source, telling.decision)
        except ErpError as error:
            await self._not_written(case_id, telling, error)
            return
        except Exception as defect:
            log.error("approvals.write_failed", case=case_id, source=telling.source, exc_info=defect)
            self._metrics.errors.labels("approvals", type(defect).__name__).inc()
            result = DecisionResult(outcome=Outcome.UNKNOWN, order=None, text=type(defect).__name__)
        log.info("approvals.written", case=case_id, source=telling.source, outcome=result.outcome.value)
        await self._office.do(lambda unit: settling.settle(unit, case_id, result, telling.attempt))

    async def _not_written(self, case_id: str, telling: Telling, error: ErpError) -> None:
        self._metrics.errors.labels("approvals", type(error).__name__).inc()
        log.warning("approvals.not_written", case=case_id, source=telling.source, error=type(error).__name__)
        order: PurchaseOrder | None = None
        if not error.retry:
            with suppress(ErpError):
                order = await self._office.reader.order(telling.source, telling.decision.number)
        await self._office.do(lambda unit: settling.not_written(unit, case_id, error, telling.attempt, order))

    async def _look(self, case_id: str) -> None:
        case = await self._office.do(lambda unit: settling.begin_look(unit, case_id))
        if case is None:
            return
        order: PurchaseOrder | None = None
        names: tuple[str, ...] = ()
        try:
            order = await self._office.reader.order(case.source, case.number)
        except NotFound:
            await self._office.do(lambda unit: gone(unit, case_id))
            return
        except ErpError as error:
            log.info("approvals.still_unknown", case=case_id, source=case.source, error=type(error).__name__)
        if order is not None and case.decision is not None:
            names = (order.named(case.decision.account),)
        await self._office.do(lambda unit: settling.look(unit, case_id, order, names))

    async def _read_again(self, case: Case) -> None:
        try:
            await self._follow(case.source, case.number)
        except DingerpError as error:
            self._failed("approvals.not_followed", error, case)
            await self._office.do(lambda unit: deadlines.follow_later(unit, case.id))
            return
        await self._office.do(lambda unit: deadlines.end_following(unit, case.id))

    def _failed(self, what: str, error: DingerpError, case: Case | None = None) -> None:
        log.error(what, case=case.id if case is not None else "", error=type(error).__name__, detail=error.detail)
        self._metrics.errors.labels("approvals", type(error).__name__).inc()
