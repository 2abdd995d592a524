"""The worker that writes decisions to the ERP, checks doubtful ones there, and runs deadlines."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import structlog

from bot.approvals import lifecycle, writeback
from bot.approvals.case import Case, CaseState
from bot.approvals.document import DocumentKey
from bot.approvals.lifecycle import close_deleted
from bot.approvals.unit_of_work import CaseTransactions, CaseUnitOfWork
from bot.approvals.writeback import WriteAttempt
from bot.erp.errors import ErpError, NotFound
from bot.erp.hub import ErpHub
from bot.erp.kinds import review_of
from bot.erp.model import DecisionOutcome, DecisionResult, ErpRecord
from bot.mechanisms.metrics import Metrics
from bot.mechanisms.wakeup import LOOK_EVERY, Wakeup
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

_RETRY = 1.0
"""Seconds before a retry while the database is unavailable."""
_STOP_SECONDS = 25.0
"""Seconds that a stop waits for the ERP's answers: as long as a write may take."""


class WritebackWorker:
    """`run` must be running; `poke` tells it that there is work."""

    def __init__(
        self,
        transactions: CaseTransactions,
        erp: ErpHub,
        *,
        follow: Callable[[DocumentKey], Awaitable[Case | None]],
        metrics: Metrics,
        at_once: int = 16,
        look_every: Callable[[], timedelta] = lambda: LOOK_EVERY,
    ) -> None:
        """``follow`` reads the document of an ended case again (`bot.approvals.service.ApprovalService.sync_document`).

        ``at_once`` limits the concurrent cases of this process, so that clicks find the database and the ERP free.
        """
        self._transactions = transactions
        self._erp = erp
        self._follow = follow
        self._metrics = metrics
        self._at_once = at_once
        self._look_every = look_every
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._wakeup = Wakeup()

    def poke(self) -> None:
        """Report a decision."""
        self._wakeup.call()

    async def run(self) -> None:
        """Run until cancelled, then wait for the answers of pending writes."""
        try:
            while True:
                try:
                    pause = await self.run_once()
                except DingerpError as error:
                    self._failed("approvals.not_stored", error)
                    pause = _RETRY
                await self._wakeup.sleep(pause)
        finally:
            if self._busy:
                await asyncio.wait([*self._busy.values()], timeout=_STOP_SECONDS)

    async def run_once(self) -> float:
        """Start what is due, as far as capacity allows; return the seconds until the next known work."""
        self._wakeup.clear()
        now = self._transactions.now()

        def find(unit: CaseUnitOfWork) -> tuple[tuple[Case, ...], float]:
            after = unit.cases.next_due(now)
            longest = self._look_every()
            pause = longest if after is None else min(after - now, longest)
            return tuple(unit.cases.due(now, 2 * self._at_once)), pause.total_seconds()

        due, pause = await self._transactions.query(find)
        for case in due:
            if case.state is CaseState.WRITING and self._transactions.read_only():
                continue  # the ERP is told once read-only mode is off
            if case.id not in self._busy and len(self._busy) < self._at_once:
                self._busy[case.id] = asyncio.create_task(self._process(case), name=f"approval-{case.id}")
        return pause

    async def wait_idle(self) -> None:
        """Wait until no work is in progress."""
        while self._busy:
            await asyncio.wait([*self._busy.values()])

    async def _process(self, case: Case) -> None:
        try:
            await self._process_state(case)
            self._wakeup.call()  # there is capacity for others, and perhaps more work due
        except DingerpError as error:
            self._failed("approvals.not_done", error, case)
        except Exception as defect:
            log.error("approvals.case_failed", case=case.id, source=case.source, exc_info=defect)
            self._metrics.errors.labels("approvals", type(defect).__name__).inc()
            with suppress(DingerpError):
                await self._transactions.transact(lambda unit: lifecycle.postpone(unit, case.id))
        finally:
            del self._busy[case.id]

    async def _process_state(self, case: Case) -> None:
        match case.state:
            case CaseState.WRITING:
                await self._write(case.id)
            case CaseState.UNKNOWN:
                await self._check(case.id)
            case CaseState.OPEN:
                await self._transactions.transact(lambda unit: lifecycle.apply_deadlines(unit, case.id))
            case _:
                await self._read_again(case)

    async def _write(self, case_id: str) -> None:
        telling = await self._transactions.transact(lambda unit: writeback.begin_write(unit, case_id))
        if telling is None:
            return
        if self._transactions.now() - telling.at > self._transactions.options.write_lease / 2:
            # This process was suspended: another one may be checking or repeating the write by now.
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
            result = DecisionResult(outcome=DecisionOutcome.UNKNOWN, document=None, text=type(defect).__name__)
        log.info("approvals.written", case=case_id, source=telling.source, outcome=result.outcome.value)
        await self._transactions.transact(lambda unit: writeback.record_result(unit, case_id, result, telling.attempt))

    async def _not_written(self, case_id: str, telling: WriteAttempt, error: ErpError) -> None:
        self._metrics.errors.labels("approvals", type(error).__name__).inc()
        log.warning("approvals.not_written", case=case_id, source=telling.source, error=type(error).__name__)
        document: ErpRecord | None = None
        if not error.retry:
            with suppress(ErpError):
                document = await self._transactions.reader.document(telling.key)
        await self._transactions.transact(
            lambda unit: writeback.record_failure(unit, case_id, error, telling.attempt, document)
        )

    async def _check(self, case_id: str) -> None:
        case = await self._transactions.transact(lambda unit: writeback.begin_check(unit, case_id))
        if case is None:
            return
        document: ErpRecord | None = None
        names: tuple[str, ...] = ()
        try:
            document = await self._transactions.reader.document(case.key)
        except NotFound:
            await self._transactions.transact(lambda unit: close_deleted(unit, case_id))
            return
        except ErpError as error:
            log.info("approvals.still_unknown", case=case_id, source=case.source, error=type(error).__name__)
        if document is not None and case.decision is not None:
            names = (review_of(document).named(case.decision.account),)
        await self._transactions.transact(lambda unit: writeback.record_check(unit, case_id, document, names))

    async def _read_again(self, case: Case) -> None:
        try:
            await self._follow(case.key)
        except DingerpError as error:
            self._failed("approvals.not_followed", error, case)
            await self._transactions.transact(lambda unit: lifecycle.retry_follow_up(unit, case.id))
            return
        await self._transactions.transact(lambda unit: lifecycle.finish_follow_up(unit, case.id))

    def _failed(self, what: str, error: DingerpError, case: Case | None = None) -> None:
        log.error(what, case=case.id if case is not None else "", error=type(error).__name__, detail=error.detail)
        self._metrics.errors.labels("approvals", type(error).__name__).inc()
