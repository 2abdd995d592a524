"""Telling the ERP exactly once: a note before the call, and the handling of its answer.

The note makes a crash harmless: what may have been written is looked for by its mark, and never written again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.creation.creation import Creation, CreationState
from bot.creation.creations import Creations, CreationUnit
from bot.erp.errors import ErpError, UnknownOutcome
from bot.erp.hub import ErpHub
from bot.erp.kinds import created_kind
from bot.erp.model import ErpRecord
from bot.mechanisms.backoff import BackoffSteps
from bot.mechanisms.metrics import Metrics
from bot.mechanisms.wakeup import LOOK_EVERY, Wakeup
from bot.words.errors import DingerpError
from bot.words.phrase import phrase

log = structlog.get_logger(__name__)

_BACKOFF = BackoffSteps((2.0, 4.0, 8.0, 15.0, 30.0))
"""Between looks for what may have been written, and between attempts while the ERP does not answer."""
_LEASE = timedelta(seconds=60)
"""Longer than any call: a note this old without an outcome was interrupted."""
LOST_AFTER = timedelta(seconds=120)
"""What cannot be found in the ERP so long after it was sent is given up: longer than servers work on it."""
MOST_ATTEMPTS = 5
"""At an ERP that does not answer; nobody expects a document minutes after the tap."""
_AT_ONCE = 8
_RETRY = 1.0
"""Seconds before a retry while the database is unavailable."""
_STOP_SECONDS = 25.0
"""Seconds that a stop waits for the ERP's answers: as long as a write may take."""

NOT_FOUND = phrase(
    "The ERP did not confirm it, and two minutes later has nothing with this mark. Look for the mark there before you"
    " ask for it again."
)
OTHER_LINES = phrase("The ERP has other products or quantities than you confirmed: look at the document.")


class CreationWriter:
    """`run` must be running; `poke` tells it that there is work. Each process takes its share."""

    def __init__(
        self,
        creations: Creations,
        erp: ErpHub,
        *,
        read_only: Callable[[], bool],
        metrics: Metrics,
        look_every: Callable[[], timedelta] = lambda: LOOK_EVERY,
    ) -> None:
        self._creations = creations
        self._erp = erp
        self._read_only = read_only
        self._metrics = metrics
        self._look_every = look_every
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._wakeup = Wakeup()

    def poke(self) -> None:
        """Report a confirmed preview."""
        self._wakeup.call()

    async def run(self) -> None:
        """Run until cancelled, then wait for the answers of what is being written."""
        try:
            while True:
                try:
                    pause = await self.run_once()
                except DingerpError as error:
                    self._failed("creations.not_stored", error)
                    pause = _RETRY
                await self._wakeup.sleep(pause)
        finally:
            if self._busy:
                await asyncio.wait([*self._busy.values()], timeout=_STOP_SECONDS)

    async def run_once(self) -> float:
        """Start what is due, as far as capacity allows; return the seconds until the next known work."""
        self._wakeup.clear()

        def find(unit: CreationUnit) -> tuple[Sequence[str], float]:
            after, longest = unit.repository.next_due(), self._look_every()
            pause = longest if after is None else min(after - unit.now, longest)
            return unit.repository.due(2 * _AT_ONCE), pause.total_seconds()

        due, pause = await self._creations.units.query(find)
        for creation in due:
            if creation not in self._busy and len(self._busy) < _AT_ONCE:
                self._busy[creation] = asyncio.create_task(self._process(creation), name=f"creation-{creation}")
        return pause

    async def wait_idle(self) -> None:
        """Wait until nothing is in progress."""
        while self._busy:
            await asyncio.wait([*self._busy.values()])

    async def _process(self, creation: str) -> None:
        try:
            await self._tell_or_ask(creation)
            self._wakeup.call()  # there is capacity for others, and perhaps more work due
        except DingerpError as error:
            # Its lease ends, and then it is looked for.
            self._failed("creations.not_stored", error)
        except Exception as defect:
            log.error("creations.failed", creation=creation, exc_info=defect)
            self._metrics.errors.labels("creations", type(defect).__name__).inc()
        finally:
            del self._busy[creation]

    async def _tell_or_ask(self, creation: str) -> None:
        begun = await self._creations.transact(lambda unit: begin(unit, creation, read_only=self._read_only()))
        if begun is None:
            return
        record = await self._outcome_of(begun)
        await self._creations.transact(record)

    async def _outcome_of(self, begun: Creation) -> Callable[[CreationUnit], Creation | None]:
        """Tell or ask the ERP, and return what stores its answer."""
        try:
            return partial(record_found, begun=begun, document=await self._ask(begun))
        except UnknownOutcome as error:
            self._failed("creations.unknown", error, begun)
            return partial(record_doubt, begun=begun, why=type(error).__name__)
        except ErpError as error:
            self._failed("creations.not_written", error, begun)
            return partial(record_failure, begun=begun, error=error)
        except Exception as defect:
            log.error("creations.failed", creation=begun.id, source=begun.source, exc_info=defect)
            self._metrics.errors.labels("creations", type(defect).__name__).inc()
            return partial(record_doubt, begun=begun, why=type(defect).__name__)

    async def _ask(self, begun: Creation) -> ErpRecord | None:
        if begun.state is CreationState.WRITING:
            found: ErpRecord | None = await self._erp.create(begun.source, begun.draft)
        else:
            found = await self._erp.find_created(begun.source, created_kind(begun.kind), begun.mark)
        return None if found is None else self._erp.addressed(found, begun.source)

    def _failed(self, what: str, error: DingerpError, creation: Creation | None = None) -> None:
        log.warning(what, creation=creation.id if creation else "", error=type(error).__name__, detail=error.detail)
        self._metrics.errors.labels("creations", type(error).__name__).inc()


def begin(unit: CreationUnit, creation: str, *, read_only: bool) -> Creation | None:
    """Note that the ERP is told or asked, and return what about; None if there is nothing (left) to do."""
    found = unit.find(creation)
    if found is None or found.due_at is None or found.due_at > unit.now:
        return None
    if found.state is CreationState.PREVIEW:
        return None
    if found.state is CreationState.WRITING and found.attempted_at is not None:
        # The process that noted it died: how far its call came is not known.
        unit.change(replace(_doubted(found, unit.now), reason=None), "interrupted")
        return None
    if found.state is CreationState.WRITING and read_only:
        unit.repository.put(replace(found, due_at=unit.now + LOOK_EVERY))
        return None
    noted = replace(found, due_at=unit.now + _LEASE)
    if found.state is CreationState.WRITING:
        noted = replace(noted, attempted_at=unit.now, attempts=found.attempts + 1)
    unit.repository.put(noted)
    return noted


def record_found(unit: CreationUnit, begun: Creation, document: ErpRecord | None) -> Creation | None:
    """Store what the ERP has: the document, or none (yet). A document that is there is the truth in any state."""
    found = unit.find(begun.id)
    if found is None or found.state is CreationState.WRITTEN:
        return found
    if document is not None:
        reason = None if _is_as_confirmed(found, document) else OTHER_LINES
        written = found.moved(CreationState.WRITTEN, reason, number=document.number, books=document.books)
        return unit.change(written)
    if found.state is not CreationState.UNKNOWN or found.attempted_at is None:
        return found
    if unit.now - found.attempted_at >= LOST_AFTER:
        return unit.change(found.moved(CreationState.LOST, NOT_FOUND), "not found")
    return _later(unit, found)


def record_doubt(unit: CreationUnit, begun: Creation, why: str) -> Creation | None:
    """Store that a write may have happened: from now on the ERP is only asked."""
    found = _same_attempt(unit, begun)
    if found is None or found.state is CreationState.UNKNOWN:
        return _later(unit, found) if found is not None else None
    return unit.change(_doubted(found, unit.now), why)


def record_failure(unit: CreationUnit, begun: Creation, error: ErpError) -> Creation | None:
    """Store that nothing was written, or that the ERP could not be asked: tried again where that may help."""
    found = _same_attempt(unit, begun)
    if found is None:
        return None
    if found.state is CreationState.UNKNOWN:
        return _later(unit, found)
    if error.retry and found.attempts < MOST_ATTEMPTS:
        wait = timedelta(seconds=max(_BACKOFF.pause(found.attempts), error.retry_after or 0.0))
        waiting = replace(found, attempted_at=None, due_at=unit.now + wait, reason=error.tell())
        return unit.change(waiting, type(error).__name__)
    return unit.change(found.moved(CreationState.REFUSED, error.tell(), attempted_at=None), type(error).__name__)


def _same_attempt(unit: CreationUnit, begun: Creation) -> Creation | None:
    """Return what waits for the answer to this very attempt."""
    found = unit.find(begun.id)
    waits = found is not None and found.state in (CreationState.WRITING, CreationState.UNKNOWN)
    return found if waits and found is not None and found.attempts == begun.attempts else None


def _doubted(found: Creation, now: datetime) -> Creation:
    return found.moved(CreationState.UNKNOWN, due_at=now + timedelta(seconds=_BACKOFF.pause(1)))


def _later(unit: CreationUnit, found: Creation) -> Creation:
    """Let the ERP be asked again, less often the longer it is in doubt."""
    assert found.attempted_at is not None, "it may have been written"
    since = (unit.now - found.attempted_at).total_seconds()
    *shorter, longest = _BACKOFF.seconds
    wait = next((pause for pause in shorter if pause > since / 2), longest)
    later = replace(found, due_at=unit.now + timedelta(seconds=wait))
    unit.repository.put(later)
    return later


def _is_as_confirmed(creation: Creation, document: ErpRecord) -> bool:
    has = [(line.sku.casefold(), line.quantity) for line in getattr(document, "lines", ())]
    return has == [(line.sku.casefold(), line.quantity) for line in creation.lines]
