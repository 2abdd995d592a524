"""An ERP without any capability; adapters inherit from it and override what their vendor supports."""

from __future__ import annotations

from typing import NoReturn

from bot.erp.errors import Unsupported
from bot.erp.goods_calls import GoodsCalls
from bot.erp.listing import D, Listing
from bot.erp.model import Changes, Decision, DecisionOutcome, DecisionResult, Feed, Followed, Product, Slice, StockLevel
from bot.erp.port import Capability, ListQuery


class RefusingErp(GoodsCalls):
    """Implements `bot.erp.port.Erp` by refusing every call; ``name`` is the source's name in the configuration."""

    capabilities: frozenset[Capability] = frozenset()
    feeds: frozenset[Feed] = frozenset()
    """The documents besides those of areas whose changes `changed_since` tells."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        self._refuse("products")

    async def stock(self, sku: str) -> StockLevel:
        self._refuse(Capability.STOCK)

    async def _ask_document(self, kind: Listing[D], number: str) -> D:
        self._refuse(kind.capability)

    async def _ask_documents(self, kind: Listing[D], query: ListQuery) -> Slice[D]:
        self._refuse(kind.capability)

    async def decide(self, decision: Decision) -> DecisionResult:
        """Return that decisions are not supported."""
        return DecisionResult(outcome=DecisionOutcome.UNSUPPORTED, order=None)

    async def changed_since(self, area: Followed, cursor: str, *, limit: int) -> Changes:
        self._refuse(Capability.CHANGED_SINCE)

    def _refuse(self, what: str) -> NoReturn:
        raise Unsupported(f"no {what} here", source=self.name)
