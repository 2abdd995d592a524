"""What a case looks like now, to whom: reads what a card needs and draws it. Cards and answers to clicks are alike.

An order of a known fingerprint never changes, so its content is read once. What it takes longer to find out than
somebody waits is left out, and comes with the card's next state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

import structlog
from cachetools import LRUCache

from bot.approvals.asking import Folder
from bot.approvals.case import Case, CaseState
from bot.approvals.changing import Known
from bot.approvals.document import fingerprint
from bot.approvals.drawing import Reader, Remark, draw_case, people_of
from bot.approvals.insights import Insight, Insights, Missing
from bot.approvals.views import ApprovalView, Face
from bot.erp.errors import ErpError
from bot.erp.model import PurchaseOrder

log = structlog.get_logger(__name__)

ReadOrder = Callable[[str, str], Awaitable[PurchaseOrder]]
"""Returns the order of a source with a number as it is now; raises the classes of `bot.erp.errors`."""

NamesOf = Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]
"""Returns the names of people by their userIds; those whom nobody knows are left out."""

KEPT = 500
"""Orders that are remembered."""


class Showing:
    """Draws cases for cards and for answers."""

    def __init__(
        self,
        read: ReadOrder,
        insights: Insights,
        names_of: NamesOf,
        *,
        now: Callable[[], datetime],
        seconds: float = 4.0,
    ) -> None:
        """``seconds`` bounds what a card waits for the ERP; an answer to a click says how long it can wait itself."""
        self._read = read
        self._insights = insights
        self._names_of = names_of
        self._now = now
        self._seconds = seconds
        self._orders: LRUCache[str, PurchaseOrder] = LRUCache(KEPT)

    async def draw(
        self,
        folder: Folder,
        *,
        face: Face,
        user_id: str = "",
        remark: Remark | None = None,
        offset: int = 0,
        seconds: float | None = None,
    ) -> ApprovalView:
        """Return the case as one reader may see it, after at most about ``seconds``."""
        until = asyncio.get_running_loop().time() + (self._seconds if seconds is None else seconds)
        case = folder.case
        concerned = (*folder.waited, *folder.expected.user_ids, *(remark.ask if remark is not None else ()))
        order, names = await asyncio.gather(
            self._order(case, until),
            self._named((*people_of(case), *concerned), until),
        )
        known = Known(
            order=order,
            insight=await self._insight(case, order, until),
            before=self._remembered(folder.before),
            newer=self._remembered(folder.newer),
            names=names,
        )
        reader = Reader(face=face, user_id=user_id, now=self._now())
        return draw_case(folder, known, reader, remark=remark, offset=offset)

    async def names(self, user_ids: Sequence[str]) -> Mapping[str, str]:
        """Return how people are called."""
        return await self._names_of(tuple(dict.fromkeys(one for one in user_ids if one)))

    async def _named(self, user_ids: Sequence[str], until: float) -> Mapping[str, str]:
        """Return the names that are there in time; others are called by their userIds."""
        try:
            async with asyncio.timeout_at(until):
                return await self.names(user_ids)
        except TimeoutError:
            log.info("approvals.names_missing")
            return {}

    def remember(self, order: PurchaseOrder) -> None:
        """Keep the content of a revision that was read anyway."""
        self._orders[_key(order.source, order.number, fingerprint(order))] = order

    def _remembered(self, case: Case | None) -> PurchaseOrder | None:
        return None if case is None else self._orders.get(_key(case.source, case.number, case.fingerprint))

    async def _order(self, case: Case, until: float) -> PurchaseOrder | None:
        """Return the order as it was shown first; None where the ERP has another one now or does not answer."""
        known = self._remembered(case)
        if known is not None or case.state is not CaseState.OPEN:
            return known
        try:
            async with asyncio.timeout_at(until):
                order = await self._read(case.source, case.number)
        except (ErpError, TimeoutError) as error:
            log.info("approvals.order_not_read", source=case.source, error=type(error).__name__)
            return None
        self.remember(order)
        return self._remembered(case)

    async def _insight(self, case: Case, order: PurchaseOrder | None, until: float) -> Insight | None:
        if order is None or case.state is not CaseState.OPEN:
            return None
        try:
            async with asyncio.timeout_at(until):
                return await self._insights.of(case.id, order)
        except TimeoutError:
            return Insight(missing=frozenset({*Missing}))


def _key(source: str, number: str, seen: str) -> str:
    return f"{source}\0{number.casefold()}\0{seen}"
