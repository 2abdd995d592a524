"""Writes decisions and drafts to one source each, once, and says what the ERP has made of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeAlias, TypeVar

from bot.erp.calls import CallRunner
from bot.erp.errors import ErpError, UnknownOutcome
from bot.erp.kinds import decided_kind
from bot.erp.model import Decision, DecisionOutcome, DecisionResult, DocumentDraft, ErpRecord
from bot.erp.port import Creates, Erp
from bot.erp.shared_reads import SharedReads
from bot.mechanisms.uninterrupted import UninterruptedWork

T = TypeVar("T")

RememberDocument: TypeAlias = Callable[[Erp, str, ErpRecord, datetime], None]
"""Keeps a document of a source, asked for by a number at a time, as its last known answer."""


class DecisionWriter:
    """Lets sources decide and create, even if the caller is cancelled meanwhile."""

    def __init__(
        self, calls: CallRunner, reads: SharedReads, remember: RememberDocument, *, now: Callable[[], datetime]
    ) -> None:
        self._calls = calls
        self._reads = reads
        self._remember = remember
        self._now = now
        self._writes = UninterruptedWork()

    async def decide(self, source: Erp, decision: Decision) -> DecisionResult:
        """Return what a source decided; without an answer it is unknown, with the document as it reads then."""
        return await self._writes.run(self._decide(source, decision))

    async def create(self, source: Erp, draft: DocumentDraft) -> ErpRecord:
        """Return the document that a source created; raises what it raises (`bot.erp.port.Creates`)."""
        return await self._writes.run(self._create(source, draft))

    async def finish(self) -> None:
        """Wait for what is being written."""
        await self._writes.wait()

    async def _decide(self, source: Erp, decision: Decision) -> DecisionResult:
        asked_at = self._now()
        try:
            result = await self._write(source, "decide", lambda erp: erp.decide(decision))
        except UnknownOutcome as error:
            result = DecisionResult(
                outcome=DecisionOutcome.UNKNOWN, document=await self._reread(source, decision), text=error.detail
            )
        if result.document is not None:
            self._remember(source, decision.number, result.document, asked_at)
        return result

    async def _create(self, source: Erp, draft: DocumentDraft) -> ErpRecord:
        def act(erp: Erp) -> Awaitable[ErpRecord]:
            assert isinstance(erp, Creates), "only such a source is asked"
            return erp.create(draft)

        asked_at = self._now()
        document = await self._write(source, "create", act)
        self._remember(source, document.number, document, asked_at)
        return document

    async def _write(self, source: Erp, call: str, act: Callable[[Erp], Awaitable[T]]) -> T:
        try:
            return await self._calls.write(source, call, act)
        finally:
            # Also where it failed: a conflict says that the document is not as it was read.
            self._reads.drop(source.name)

    async def _reread(self, source: Erp, decision: Decision) -> ErpRecord | None:
        kind = decided_kind(decision.kind)
        try:
            document: ErpRecord = await self._calls.read(
                source, kind.call, lambda erp: erp.document(kind, decision.number)
            )
            return document
        except ErpError:
            return None
