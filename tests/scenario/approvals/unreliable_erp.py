"""The demo company's ERP with failures: down, slow, without an answer, and changed behind the bot's back."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from enum import Enum, auto
from typing import Any

from sqlalchemy import text, update
from sqlalchemy.engine import Connection

from bot.erp.errors import Unavailable, UnknownOutcome
from bot.erp.kinds import DECIDED, D, Kind, decided_kind
from bot.erp.model import Decision, DecisionOutcome, DecisionResult, ErpRecord, ReviewState, Slice, Verdict
from bot.erp.port import ListQuery
from bot.kit.company import tables as t
from bot.kit.company.adapter import DemoErp
from bot.kit.company.documents import QUERIES

_PURCHASE = t.table(t.PurchaseRow)


class WriteFault(Enum):
    """What happens to the next write."""

    LOST = auto()
    """It never arrives, and the caller does not know."""
    ANSWER_LOST = auto()
    """It is done, and the answer is lost."""


class UnreliableErp:
    """Has the whole port of `DemoErp`, which does the real work."""

    def __init__(self, inner: DemoErp) -> None:
        self.inner = inner
        self.away = False
        self.write_faults: deque[WriteFault] = deque()
        self.outcomes: deque[tuple[DecisionOutcome, str, Callable[[], Awaitable[None]]]] = deque()
        """What the next writes come to instead of being done, the ERP's own words, and what happens there before."""
        self.answers_about: dict[str, tuple[DecisionOutcome, str]] = {}
        """The same of single orders, by number, as often as they are written."""
        self.told: list[Decision] = []
        """All decisions that arrived, in order."""
        self.reads: asyncio.Event | None = None
        """Reads of an order wait for it."""
        self.answers: asyncio.Event | None = None
        """Writes are done, and their answers wait for it; see `hold` and `release`."""
        self._held = asyncio.Event()
        self._clicks = 0
        self._answered = asyncio.Event()
        self._answered.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def document(self, kind: Kind[D], number: str) -> D:
        """Return a document; of orders only unless the test makes the read fail."""
        if kind not in DECIDED:
            return await self.inner.document(kind, number)
        if self.reads is not None:
            await self.reads.wait()
        self._reach()
        return await self.inner.document(kind, number)

    async def documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        """Return documents; of orders only unless the ERP is down."""
        if kind in DECIDED:
            self._reach()
        return await self.inner.documents(kind, query)

    async def decide(self, decision: Decision) -> DecisionResult:
        """Decide, or fail as the test wants."""
        self._reach()
        mood = self.write_faults.popleft() if self.write_faults else None
        if mood is WriteFault.LOST:
            raise UnknownOutcome("no answer", source=self.inner.name)
        self.told.append(decision)
        result = await self._do(decision)
        if self.answers is not None:
            self._held.set()
            await self.answers.wait()
        await self._answered.wait()
        if mood is WriteFault.ANSWER_LOST:
            raise UnknownOutcome("no answer", source=self.inner.name)
        return result

    async def _do(self, decision: Decision) -> DecisionResult:
        if (known := self.answers_about.get(decision.number)) is not None:
            outcome, words = known
            return DecisionResult(outcome=outcome, document=await self._now(decision), text=words)
        if not self.outcomes:
            return await self.inner.decide(decision)
        outcome, words, before = self.outcomes.popleft()
        await before()
        return DecisionResult(outcome=outcome, document=await self._now(decision), text=words)

    async def _now(self, decision: Decision) -> ErpRecord:
        document: ErpRecord = await self.inner.document(decided_kind(decision.kind), decision.number)
        return document

    @contextmanager
    def slower_than_click(self) -> Iterator[None]:
        """Hold the answers to writes back until a click is answered.

        A click's answer that arrives after the card's next state covers it. The bot draws the card again then, but on a
        clock that stands still it cannot tell that the state came after the click.
        """
        self._clicks += 1
        self._answered.clear()
        try:
            yield
        finally:
            self._clicks -= 1
            if not self._clicks:
                self._answered.set()

    def hold(self) -> None:
        """Hold back the answers to writes."""
        self.answers = asyncio.Event()
        self._held.clear()

    async def held(self) -> None:
        """Wait until a write is done whose answer is held."""
        async with asyncio.timeout(60):
            await self._held.wait()

    def release(self) -> None:
        """Release the held answers."""
        assert self.answers is not None, "they are held"
        self.answers.set()
        self.answers = None

    async def decide_inside(self, number: str, by: str, verdict: Verdict = Verdict.APPROVE, reason: str = "") -> None:
        """Let somebody decide in the ERP itself."""
        order = await self.inner.purchase_order(number)
        decision = Decision(number=number, version=order.review.version, verdict=verdict, by=by, reason=reason)
        await self.inner.decide(decision)

    async def edit(self, number: str, **values: object) -> None:
        """Let somebody change an order's header in the ERP."""

        def change(connection: Connection) -> None:
            found = update(_PURCHASE).where(_PURCHASE.c.number == number)
            connection.execute(found.values(version=_PURCHASE.c.version + 1, **values))

        await self.inner._database.run(change)

    async def raise_total(self, kind: Kind[Any], number: str) -> None:
        """Let somebody change what a document comes to."""

        def change(connection: Connection) -> None:
            table, key = QUERIES[kind].table, number.casefold()
            review = t.table(t.ReviewRow) if QUERIES[kind].reviewed else table
            connection.execute(update(table).where(table.c.number_key == key).values(total=Decimal("77777.77")))
            found = update(review).where(review.c.number_key == key)
            connection.execute(found.values(version=review.c.version + 1))

        await self.inner._database.run(change)

    async def only(self, numbers: Iterable[str]) -> None:
        """Remove all other waiting orders from the ERP."""
        waiting, draft = ReviewState.WAITING.value, ReviewState.DRAFT.value

        def clear(connection: Connection) -> None:
            others = _PURCHASE.c.number.not_in([*numbers])
            found = update(_PURCHASE).where(_PURCHASE.c.status == waiting, others)
            connection.execute(found.values(status=draft))

        await self.inner._database.run(clear)

    async def decisions(self, number: str) -> list[tuple[str, str, str]]:
        """Return the ERP's own record of an order: who, what, and why."""
        query = text('SELECT "by", verdict, reason FROM demo_approval WHERE number_key = :key ORDER BY version')

        def read(connection: Connection) -> list[tuple[str, str, str]]:
            return [tuple(row) for row in connection.execute(query, {"key": number.casefold()})]

        return await self.inner._database.run(read)

    def _reach(self) -> None:
        if self.away:
            raise Unavailable("away", source=self.inner.name)
