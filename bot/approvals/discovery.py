"""Finds purchase orders that wait for a decision: from events, and by polling every ERP at intervals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence

import structlog

from bot.alerts.intake.port import Intake, IntakeOutcome, UnreadableEvent
from bot.approvals.case import CaseConflict
from bot.approvals.service import ApprovalService
from bot.erp.errors import Conflict, Invalid, NotPermitted, Unusable
from bot.erp.model import PurchaseOrder
from bot.erp.port import Filter, ListQuery
from bot.erp.source_client import SourceClient
from bot.mechanisms.metrics import Metrics
from bot.mechanisms.wakeup import Wakeup
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

PAGE_SIZE = 50
_MAX_ORDERS = 2_000
"""The number of orders checked per source; the oldest come first, as they wait the longest."""


_DOCUMENT_ERRORS = (Conflict, Invalid, NotPermitted, Unusable, CaseConflict)
"""Errors that concern one document while others are readable."""


class PendingPoller:
    """`run` must be running at one replica, and `listen` at each; `notify` reports a document that was mentioned."""

    def __init__(
        self,
        cases: ApprovalService,
        sources: Mapping[str, SourceClient],
        *,
        metrics: Metrics,
        backlog: bool = False,
        every: float = 60.0,
    ) -> None:
        """``sources`` are those that accept decisions; ``every`` is in seconds.

        Without ``backlog``, orders that waited at a source before the bot's first look are only listed: hundreds of
        cards at once would help nobody and cost as many calls.
        """
        self._cases = cases
        self._sources = sources
        self._metrics = metrics
        self._backlog = backlog
        self._every = every
        self._notified: dict[tuple[str, str], None] = {}
        self._wakeup = Wakeup()
        self._down: dict[str, str] = {}
        self._unread: dict[tuple[str, str], str] = {}
        """Documents that were unreadable at the last check, with the error."""
        self._looking = asyncio.Lock()

    def notify(self, source: str, number: str) -> None:
        """Have a document checked soon."""
        if source in self._sources and number:
            self._notified[source, number] = None
            self._wakeup.call()

    async def run(self) -> None:
        """Check all sources until cancelled."""
        while True:
            await self.poll()
            await asyncio.sleep(self._every)

    async def listen(self) -> None:
        """Check reported documents until cancelled."""
        while True:
            await self._wakeup.sleep(self._every)
            await self.poll_notified()

    async def poll(self) -> None:
        """Check everything that waits at every source, once a running round has ended.

        Two concurrent rounds would both be the first, and orders that arrived between them would count as backlog.
        """
        async with self._looking:
            for source, waiting in self._sources.items():
                try:
                    await self._poll_source(source, waiting)
                except DingerpError as error:
                    self._source_failed(source, error)
                else:
                    self._source_recovered(source)

    async def poll_notified(self) -> None:
        """Check the reported documents."""
        self._wakeup.clear()
        heard, self._notified = self._notified, {}
        for source, number in heard:
            try:
                await self._sync(source, number)
            except DingerpError as error:
                self._source_failed(source, error)  # the next round finds it

    async def _poll_source(self, source: str, waiting: SourceClient) -> None:
        known = {case.number.casefold(): case for case in await self._cases.open_cases() if case.source == source}
        first = not await self._cases.has_seen_source(source)
        quiet = first and not self._backlog
        there = await self._read(waiting)
        for order in there:
            case = known.pop(order.number.casefold(), None)
            if case is None or case.version != order.version:
                await self._sync(source, order.number, quiet=quiet)
        # Cases that take votes here but no longer wait there: decided, withdrawn or deleted in the ERP.
        for case in known.values():
            await self._sync(source, case.number)
        if first:
            await self._cases.mark_source_seen(source)

    async def _sync(self, source: str, number: str, *, quiet: bool = False) -> None:
        """Check one document. One that cannot be read does not hold up the others; its error is reported once."""
        try:
            await self._cases.sync_document(source, number, quiet=quiet)
        except _DOCUMENT_ERRORS as error:
            if self._is_news(source, number, error):
                name = type(error).__name__
                log.warning("approvals.not_read", source=source, number=number, error=name, detail=error.detail)
        except DingerpError:
            raise
        except Exception as defect:
            # Otherwise this document would crash the bot, again after every restart.
            if self._is_news(source, number, defect):
                log.error("approvals.defect", source=source, number=number, exc_info=defect)
        else:
            self._unread.pop((source, number), None)

    def _is_news(self, source: str, number: str, error: Exception) -> bool:
        """Count a document's failure, and return whether it is new since the last check."""
        name = type(error).__name__
        self._metrics.errors.labels("approvals", name).inc()
        before = self._unread.get((source, number))
        self._unread[source, number] = name
        return before != name

    async def _read(self, waiting: SourceClient) -> list[PurchaseOrder]:
        found: list[PurchaseOrder] = []
        while len(found) < _MAX_ORDERS:
            page = await waiting.purchase_orders(ListQuery(filter=Filter.PENDING, offset=len(found), limit=PAGE_SIZE))
            found += page.items
            if not page.items or len(found) >= page.total:
                break
        return found

    def _source_failed(self, source: str, error: DingerpError) -> None:
        name = type(error).__name__
        self._metrics.errors.labels("approvals", name).inc()
        if self._down.get(source) != name:
            self._down[source] = name
            log.warning("approvals.source_not_read", source=source, error=name, detail=error.detail)

    def _source_recovered(self, source: str) -> None:
        if self._down.pop(source, ""):
            log.info("approvals.source_read_again", source=source)


_TYPE_PREFIX = "po."


class PurchaseOrderListener:
    """An intake that passes everything on and, once it is stored, reports which purchase orders were mentioned.

    A hook or queue is named after the ERP source it belongs to; events under another name are ignored.
    """

    def __init__(self, intake: Intake, report: Callable[[str, str], None]) -> None:
        """``report`` gets source and number; it is quick, and an order that does not exist costs one read."""
        self._intake = intake
        self._report = report

    async def accept(
        self, source: str, events: Sequence[Mapping[str, object] | UnreadableEvent], *, via: str
    ) -> IntakeOutcome:
        """Store events and return after the commit; see `bot.alerts.intake.port.Intake`."""
        receipt = await self._intake.accept(source, events, via=via)
        for event in events:
            try:
                self._tell(source, event)
            except Exception as defect:  # the events are stored, so their sender gets its receipt
                log.error("approvals.not_heard", source=source, error=type(defect).__name__, exc_info=defect)
        return receipt

    def _tell(self, source: str, event: Mapping[str, object] | UnreadableEvent) -> None:
        if isinstance(event, Mapping):
            for number in _numbers(event):
                self._report(source, number)


def _numbers(event: Mapping[str, object]) -> Iterator[str]:
    """Yield the numbers of the purchase orders in an event, which may not have been understood at all."""
    kind, data = event.get("type"), event.get("data")
    if not isinstance(kind, str) or not kind.startswith(_TYPE_PREFIX):
        return
    said = data if isinstance(data, Mapping) else {}
    items = said.get("items")
    parts = [item for item in items if isinstance(item, Mapping)] if isinstance(items, Sequence) else []
    for part in parts or [said]:
        number = part.get("number") or event.get("subject")
        if isinstance(number, str) and number:
            yield number
