"""A counter at which documents are begun: a database of its own, a demo company whose writes fail as told, a clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from sqlalchemy import select

from bot.access.audit import AuditEntry
from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule, CreationRight
from bot.creation.creation import GOOD_FOR, Creation, CreationLine
from bot.creation.creations import Creations
from bot.creation.writing import CreationWriter
from bot.erp.errors import ErpError, UnknownOutcome
from bot.erp.hub import ErpHub
from bot.erp.kinds import SALES_ORDERS
from bot.erp.model import DocumentDraft, ErpRecord
from bot.erp.port import ListQuery
from bot.kit.company.adapter import DemoErp
from bot.mechanisms.metrics import Metrics
from bot.store.creations import StoredCreations
from bot.store.database import Database
from bot.store.tables import AUDIT
from tests.memory_transactions import MemoryTransactions

NOW = datetime(2026, 11, 5, 9, 0, tzinfo=UTC)
SELLER = Person(user_id="sales01", name="李娜", roles=frozenset({"sales"}))
OTHER = Person(user_id="salesmanager01", name="孙悦", roles=frozenset({"sales"}))
RULE = AccessRule(
    name="sellers",
    commands=frozenset({"new"}),
    roles=frozenset({"sales"}),
    creates=CreationRight(kinds=frozenset({"order"})),
)
SCREWS = CreationLine(sku="SKU123", name="螺丝", unit="个", quantity=Decimal(20))


class Killed(BaseException):
    """The process ends here."""


class FaultyErp:
    """The demo company's ERP; each write that comes takes the next of ``faults`` instead of its usual course.

    A fault is raised before the write, or with ``done`` after it.
    """

    def __init__(self, inner: DemoErp) -> None:
        self.inner = inner
        self.faults: deque[tuple[BaseException, bool]] = deque()
        self.told: list[DocumentDraft] = []
        self.away: ErpError | None = None
        self.disabled: set[str] = set()
        """Codes of partners."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def create(self, draft: DocumentDraft) -> ErpRecord:
        self.told.append(draft)
        fault, done = self.faults.popleft() if self.faults else (None, True)
        created = await self.inner.create(draft) if done else None
        if fault is not None:
            raise fault
        assert created is not None, "nothing went wrong"
        return created

    async def document(self, kind: Any, number: str) -> Any:
        found = await self.inner.document(kind, number)
        return replace(found, is_active=False) if number in self.disabled else found

    async def find_created(self, kind: Any, mark: str) -> Any:
        if self.away is not None:
            raise self.away
        return await self.inner.find_created(kind, mark)


LOST = UnknownOutcome("no answer in time")


class MemoryCreations:
    """Implements `CreationRepository` in memory; nothing is ever due."""

    now = NOW

    def __init__(self) -> None:
        self.kept: dict[str, Creation] = {}

    def find(self, creation: str) -> Creation | None:
        return self.kept.get(creation)

    def put(self, creation: Creation) -> None:
        self.kept = {**self.kept, creation.id: creation}

    def redraw(self, creation: Creation) -> None:
        """There are no cards."""

    def due(self, limit: int) -> Sequence[str]:
        return ()

    def next_due(self) -> None:
        return None

    def record(self, entry: AuditEntry) -> None:
        """Nobody reads it."""


def quiet_creations() -> Creations:
    """Return a service that lets everybody create, and whose confirmed documents nobody writes."""
    policy = AccessPolicy([replace(RULE, roles=frozenset({"*"}))])
    return Creations(
        MemoryTransactions(MemoryCreations()),
        policy=lambda: policy,
        account_of=lambda user_id, source: user_id,
        metrics=Metrics(),
        on_change=lambda: None,
    )


@dataclass
class Counter:
    """The service and who writes, and what surrounds them."""

    database: Database
    erp: FaultyErp
    now: datetime = NOW
    rules: tuple[AccessRule, ...] = (RULE,)
    read_only: bool = False
    accounts: dict[str, str] = field(default_factory=lambda: {"sales01": "sales01", "salesmanager01": "salesmanager01"})
    _numbers: Callable[[], int] = field(default_factory=lambda: count(1).__next__)

    def __post_init__(self) -> None:
        metrics = Metrics()
        self.hub = ErpHub([self.erp], metrics=metrics, now=lambda: self.now)
        self.creations = Creations(
            StoredCreations(self.database, lambda: self.now),
            policy=lambda: AccessPolicy(self.rules, read_only=self.read_only),
            account_of=lambda user_id, source: self.accounts.get(user_id, ""),
            metrics=metrics,
            on_change=lambda: None,
        )
        self.writer = CreationWriter(self.creations, self.hub, read_only=lambda: self.read_only, metrics=metrics)

    async def preview(self, **changed: Any) -> Creation:
        """Show the seller an order of some screws."""
        asked: dict[str, Any] = {
            "id": f"{self._numbers():012x}",
            "user_id": "sales01",
            "conversation": "cidA==",
            "source": "demo",
            "account": "sales01",
            "kind": "order",
            "partner": "C001",
            "partner_name": "杭州宏达机电设备有限公司",
            "lines": (SCREWS,),
            "made_at": self.now,
            "due_at": self.now + GOOD_FOR,
        }
        return await self.creations.propose(Creation(**asked | changed))

    async def confirmed(self, **changed: Any) -> Creation:
        """Show it, and have the seller confirm it."""
        shown = await self.preview(**changed)
        return await self.answer(shown)

    async def answer(self, creation: Creation, person: Person = SELLER, *, creates: bool = True) -> Creation:
        found = await self.creations.answer(creation.id, person, creates=creates)
        assert found is not None
        return found

    async def look(self, creation: Creation) -> Creation:
        found = await self.creations.look(creation.id, SELLER)
        assert found is not None
        return found

    async def work(self, seconds: float = 0.0) -> None:
        """Let time pass, and what is due then be done to its end."""
        self.now += timedelta(seconds=seconds)
        await self.writer.run_once()
        await self.writer.wait_idle()

    async def settled(self, creation: Creation) -> Creation:
        """Let time pass until nothing is left to be done, and return what has become of it."""
        for _ in range(60):
            found = await self.look(creation)
            if found.due_at is None:
                return found
            await self.work(10)
        raise AssertionError(f"it does not end: {found}")

    async def orders(self) -> int:
        """Return how many sales orders the ERP has."""
        return (await self.erp.inner.documents(SALES_ORDERS, ListQuery(limit=1))).total

    async def log(self) -> list[tuple[str, str, str]]:
        """Return the entries of the audit log, oldest first, as actor, outcome and documents."""
        rows = await self.database.rows(select(AUDIT).order_by(AUDIT.c.seq))
        return [(row.actor, row.outcome, row.documents) for row in rows]
