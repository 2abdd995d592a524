"""One source by itself, for those that follow it: within its rate, behind its breaker, and validated like every answer.

Nothing is shared or remembered: a follower wants what the source says now, and asks one thing after the other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from bot.erp.calls import CallRunner
from bot.erp.document_calls import DocumentCalls
from bot.erp.errors import Unsupported
from bot.erp.listing import D, Listing
from bot.erp.model import Area, Changes, Feed, Followed, Slice, StockLevel
from bot.erp.port import Capability, DocumentBatches, Erp, FeedReader, ListQuery
from bot.erp.validation import Validator

T = TypeVar("T")


class SourceClient(DocumentCalls):
    """Reads of one source; all raise the classes of `bot.erp.errors`, `Unusable` for a record that cannot be right."""

    def __init__(
        self,
        erp: Erp,
        calls: CallRunner,
        validator: Validator,
        *,
        seen: Callable[[str, StockLevel], None] | None = None,
    ) -> None:
        """``seen`` is told the source and each stock that is read."""
        self._erp = erp
        self._calls = calls
        self._validator = validator
        self._seen = seen

    @property
    def name(self) -> str:
        """The source's name in the configuration."""
        return self._erp.name

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the source can do."""
        return self._erp.capabilities

    async def stock(self, sku: str) -> StockLevel:
        level = await self._read("stock", lambda erp: erp.stock(sku))
        if self._seen is not None:
            self._seen(self.name, level)
        return level

    async def _ask_document(self, kind: Listing[D], number: str) -> D:
        return await self._read(kind.call, lambda erp: kind.read(erp, number))

    async def _ask_documents(self, kind: Listing[D], query: ListQuery) -> Slice[D]:
        return await self._read(kind.list_call, lambda erp: kind.read_list(erp, query))

    @property
    def reads_batches(self) -> bool:
        """Whether the source can read many documents at once."""
        return isinstance(self._erp, DocumentBatches)

    async def read_documents(self, kind: Listing[D], numbers: Sequence[str]) -> tuple[D, ...]:
        """Return the documents that the source has among many numbers, with their lines; only if it `reads_batches`."""
        assert isinstance(self._erp, DocumentBatches)
        batches: DocumentBatches = self._erp
        said: Any = await self._read("read_documents", lambda _: batches.read_documents(kind.followed, numbers))
        documents: tuple[D, ...] = said
        return documents

    def tells_changes(self, kind: Listing[Any]) -> bool:
        """Return whether the source may tell which documents of a kind changed."""
        if not {kind.capability, Capability.CHANGED_SINCE} <= self.capabilities:
            return False
        return kind.feed is None or kind.feed in self._feeds

    @property
    def _feeds(self) -> frozenset[Feed]:
        return self._erp.feeds if isinstance(self._erp, FeedReader) else frozenset()

    async def changed_since(self, area: Followed, cursor: str, *, limit: int) -> Changes:
        """Return the next changes; raises `Unsupported`, and `Invalid` for a cursor that is not its own."""
        if isinstance(self._erp, FeedReader):
            feeds: FeedReader = self._erp
            return await self._read("changed_since", lambda _: feeds.changed_since(area, cursor, limit=limit))
        if not isinstance(area, Area):
            raise Unsupported(f"no changes of {area} here", source=self.name)
        return await self._read("changed_since", lambda erp: erp.changed_since(area, cursor, limit=limit))

    async def _read(self, call: str, read: Callable[[Erp], Awaitable[T]]) -> T:
        said: Any = self._validator.validate(await self._calls.read(self._erp, call, read))[0]
        answer: T = said
        return answer
