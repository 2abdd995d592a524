"""Finds documents that wait for a decision: from events, and by polling every ERP at intervals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from bot.alerts.intake.port import Intake, IntakeOutcome, UnreadableEvent
from bot.approvals.case import Case, CaseConflict
from bot.approvals.document import DocumentKey
from bot.approvals.service import ApprovalService
from bot.erp.errors import Conflict, Invalid, NotPermitted, Unusable
from bot.erp.kinds import D, Kind, review_of
from bot.erp.port import Filter, ListQuery
from bot.erp.source_client import SourceClient
from bot.mechanisms.metrics import Metrics
from bot.mechanisms.wakeup import Wakeup
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

PAGE_SIZE = 50
_MAX_WAITING = 2_000
"""The number of documents of a kind checked per source; the oldest come first, as they wait the longest."""


_DOCUMENT_ERRORS = (Conflict, Invalid, NotPermitted, Unusable, CaseConflict)
"""Errors that concern one document while others are readable."""


@dataclass(frozen=True, slots=True)
class DecidingSource:
    """A source that accepts decisions, and on which kinds of documents, by the commands that show them."""

    client: SourceClient
    kinds: Mapping[str, Kind[Any]]


class PendingPoller:
    """`run` must be running at one replica, and `listen` at each; `notify` reports a document that was mentioned."""

    def __init__(
        self,
        cases: ApprovalService,
        sources: Mapping[str, DecidingSource],
        *,
        metrics: Metrics,
        backlog: bool = False,
        every: float = 60.0,
    ) -> None:
        """``sources`` are those that accept decisions; ``every`` is in seconds.

        Without ``backlog``, what waited at a source before the bot's first look at its kind is only listed: hundreds of
        cards at once would help nobody and cost as many calls.
        """
        self._cases = cases
        self._sources = sources
        self._metrics = metrics
        self._backlog = backlog
        self._every = every
        self._notified: dict[DocumentKey, None] = {}
        self._wakeup = Wakeup()
        self._down: dict[str, str] = {}
        self._unread: dict[DocumentKey, str] = {}
        """Documents that were unreadable at the last check, with the error."""
        self._looking = asyncio.Lock()

    def notify(self, source: str, command: str, number: str) -> None:
        """Have a document of the kind that a command shows checked soon."""
        known = self._sources.get(source)
        kind = known.kinds.get(command) if known is not None else None
        if kind is not None and number:
            self._notified[DocumentKey(source, kind, number)] = None
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
            for source, there in self._sources.items():
                try:
                    await self._poll_source(source, there)
                except DingerpError as error:
                    self._source_failed(source, error)
                else:
                    self._source_recovered(source)

    async def poll_notified(self) -> None:
        """Check the reported documents."""
        self._wakeup.clear()
        heard, self._notified = self._notified, {}
        for key in heard:
            try:
                await self._sync(key)
            except DingerpError as error:
                self._source_failed(key.source, error)  # the next round finds it

    async def _poll_source(self, source: str, there: DecidingSource) -> None:
        cases = [case for case in await self._cases.open_cases() if case.source == source]
        ruled = self._cases.ruled_kinds
        for kind in there.kinds.values():
            known = {case.key.folded: case for case in cases if case.kind == kind}
            if known or kind.command in ruled:
                await self._poll_kind(source, there.client, kind, known)

    async def _poll_kind(
        self, source: str, client: SourceClient, kind: Kind[Any], known: dict[DocumentKey, Case]
    ) -> None:
        first = (source, kind.command) not in await self._cases.searches()
        quiet = first and not self._backlog
        for document in await self._read(client, kind):
            key = DocumentKey(source, kind, document.number)
            case = known.pop(key.folded, None)
            if case is None or case.version != review_of(document).version:
                await self._sync(key, quiet=quiet)
        # Cases that take votes here but no longer wait there: decided, withdrawn or deleted in the ERP.
        for case in known.values():
            await self._sync(case.key)
        await self._cases.mark_searched(source, kind)

    async def _sync(self, key: DocumentKey, *, quiet: bool = False) -> None:
        """Check one document. One that cannot be read does not hold up the others; its error is reported once."""
        told = {"source": key.source, "kind": key.kind.command, "number": key.number}
        try:
            await self._cases.sync_document(key, quiet=quiet)
        except _DOCUMENT_ERRORS as error:
            if self._is_news(key, error):
                log.warning("approvals.not_read", **told, error=type(error).__name__, detail=error.detail)
        except DingerpError:
            raise
        except Exception as defect:
            # Otherwise this document would crash the bot, again after every restart.
            if self._is_news(key, defect):
                log.error("approvals.defect", **told, exc_info=defect)
        else:
            self._unread.pop(key, None)

    def _is_news(self, key: DocumentKey, error: Exception) -> bool:
        """Count a document's failure, and return whether it is new since the last check."""
        name = type(error).__name__
        self._metrics.errors.labels("approvals", name).inc()
        before = self._unread.get(key)
        self._unread[key] = name
        return before != name

    async def _read(self, client: SourceClient, kind: Kind[D]) -> list[D]:
        found: list[D] = []
        while len(found) < _MAX_WAITING:
            page = await client.documents(kind, ListQuery(filter=Filter.PENDING, offset=len(found), limit=PAGE_SIZE))
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


class MentionListener:
    """An intake that passes everything on and, once it is stored, reports which documents were mentioned.

    A hook or queue is named after the ERP source it belongs to; events under another name are ignored.
    """

    def __init__(self, intake: Intake, report: Callable[[str, str, str], None]) -> None:
        """``report`` gets the source, the first word of the event's type, such as ``po``, and the number; it is quick,
        and a document that does not exist costs one read.
        """
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
            area, numbers = _mentioned(event)
            for number in numbers:
                self._report(source, area, number)


def _mentioned(event: Mapping[str, object]) -> tuple[str, list[str]]:
    """Return the first word of an event's type, and the numbers in it, which may not have been understood at all."""
    kind, data = event.get("type"), event.get("data")
    if not isinstance(kind, str):
        return "", []
    said = data if isinstance(data, Mapping) else {}
    items = said.get("items")
    parts = [item for item in items if isinstance(item, Mapping)] if isinstance(items, Sequence) else []
    numbers = (part.get("number") or event.get("subject") for part in parts or [said])
    return kind.partition(".")[0], [number for number in numbers if isinstance(number, str) and number]
