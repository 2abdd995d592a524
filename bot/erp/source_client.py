"""One source by itself, for those that follow it: within its rate, behind its breaker, and validated like every answer.

Nothing is shared or remembered: a follower wants what the source says now, and asks one thing after the other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, TypeVar

from pydantic import SecretStr

from bot.erp.calls import CallRunner
from bot.erp.decider_keys import KeyOwners
from bot.erp.document_calls import DocumentCalls
from bot.erp.errors import Invalid, NotFound, Unsupported, Unusable
from bot.erp.kinds import DECIDED, D, Kind
from bot.erp.model import Area, Changes, ErpUser, Feed, Followed, Product, Slice, StockLevel, Verdict
from bot.erp.port import (
    Capability,
    DocumentBatches,
    Erp,
    ErpUsers,
    FeedReader,
    Filter,
    ListQuery,
    ProductBatches,
    verdicts_on,
)
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
        today: Callable[[], date],
        seen: Callable[[str, StockLevel], None] | None = None,
    ) -> None:
        """``today`` is the day of lists, and ``seen`` is told the source and each stock that is read."""
        self._erp = erp
        self._calls = calls
        self._validator = validator
        self._today = today
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

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        """Return the products that the source itself finds, best match first."""
        return await self._read("find_products", lambda erp: erp.find_products(text, limit=limit))

    async def read_products(self, skus: Sequence[str]) -> tuple[Product, ...] | None:
        """Return those products that the source has; None where it cannot read many at once."""
        if not isinstance(self._erp, ProductBatches):
            return None
        batches: ProductBatches = self._erp
        return await self._read("read_products", lambda _: batches.read_products(skus))

    async def product(self, sku: str) -> Product | None:
        """Return a product by its code; None where the source has none that can be shown."""
        if Capability.STOCK not in self.capabilities:
            return None
        try:
            level = await self.stock(sku)
        except (NotFound, Invalid, Unusable):
            return None
        return level.product if level.product.is_active else None

    async def document(self, kind: Kind[D], number: str) -> D:
        return await self._read(kind.call, lambda erp: erp.document(kind, number))

    async def documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        asked = replace(query, today=self._today())
        return await self._read(kind.list_call, lambda erp: erp.documents(kind, asked))

    @property
    def reviewed_kinds(self) -> tuple[Kind[Any], ...]:
        """The kinds of documents whose approval the source tells of, whether or not it takes decisions on them."""
        offered = (kind for kind in DECIDED if kind.capability in self.capabilities)
        return tuple(kind for kind in offered if Filter.PENDING in kind.filters or self.verdicts_on(kind))

    def verdicts_on(self, kind: Kind[Any]) -> frozenset[Verdict]:
        """Return which verdicts the source takes on documents of a kind."""
        return verdicts_on(self._erp, kind)

    @property
    def reads_batches(self) -> bool:
        """Whether the source can read many documents at once."""
        return isinstance(self._erp, DocumentBatches)

    async def read_documents(self, kind: Kind[D], numbers: Sequence[str]) -> tuple[D, ...]:
        """Return the documents that the source has among many numbers, with their lines; only if it `reads_batches`."""
        assert isinstance(self._erp, DocumentBatches)
        batches: DocumentBatches = self._erp
        said: Any = await self._read("read_documents", lambda _: batches.read_documents(kind.followed, numbers))
        documents: tuple[D, ...] = said
        return documents

    def tells_changes(self, kind: Kind[Any]) -> bool:
        """Return whether the source may tell which documents of a kind changed."""
        if not {kind.capability, Capability.CHANGED_SINCE} <= self.capabilities:
            return False
        return kind.feed is None or kind.feed in self._feeds

    @property
    def _feeds(self) -> frozenset[Feed]:
        return self._erp.feeds if isinstance(self._erp, FeedReader) else frozenset()

    async def changed_since(self, area: Followed, cursor: str, *, limit: int) -> Changes:
        """Return the next changes; raises `Unsupported`, and `Invalid` for a cursor that is not its own."""
        if Capability.CHANGED_SINCE not in self.capabilities:
            raise Unsupported(f"no {Capability.CHANGED_SINCE} here", source=self.name)
        if isinstance(self._erp, FeedReader):
            feeds: FeedReader = self._erp
            return await self._read("changed_since", lambda _: feeds.changed_since(area, cursor, limit=limit))
        if not isinstance(area, Area):
            raise Unsupported(f"no changes of {area} here", source=self.name)
        return await self._read("changed_since", lambda erp: erp.changed_since(area, cursor, limit=limit))

    async def users(self) -> tuple[ErpUser, ...]:
        """Return the accounts of people; raises `Unsupported` where the adapter does not list them."""
        if not isinstance(self._erp, ErpUsers):
            raise Unsupported("its accounts cannot be listed", source=self.name)
        lister: ErpUsers = self._erp
        return await self._calls.read(self._erp, "users", lambda _: lister.users())

    async def owner_of_key(self, account: str, key: SecretStr) -> str:
        """Return the account that somebody's own key belongs to.

        Raises `Unsupported` where people do not decide with keys of their own, `AuthFailed`, `NotPermitted` or
        `Invalid` for something that is not a key, and what a read raises.
        """
        if not isinstance(self._erp, KeyOwners):
            raise Unsupported("it takes no keys of people", source=self.name)
        owners: KeyOwners = self._erp
        return await self._calls.once(self._erp, "owner_of_key", lambda _: owners.owner_of_key(account, key))

    async def _read(self, call: str, read: Callable[[Erp], Awaitable[T]]) -> T:
        said: Any = self._validator.validate(await self._calls.read(self._erp, call, read))[0]
        answer: T = said
        return answer
