"""The demo ERP behind the port: a whole small company on one machine, including writes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from sqlalchemy.engine import Connection

from bot.erp.document_erp import DocumentErp
from bot.erp.goods.port import ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.kinds import DELIVERIES, D, Kind, kind_followed
from bot.erp.model import (
    Changes,
    Decision,
    DecisionResult,
    DocumentDraft,
    ErpRecord,
    ErpUser,
    Feed,
    Followed,
    Product,
    Slice,
    StockLevel,
    Verdict,
)
from bot.erp.model.goods import Arrival, Prices, ProductDetails, Shortage, WarehouseContents
from bot.erp.port import Capability, ListQuery
from bot.kit.company import creating, decisions, goods, seeding
from bot.kit.company import query as queries
from bot.kit.company.activity import CompanyActivity
from bot.kit.company.client import DemoDatabase
from bot.kit.company.company import SEED
from bot.kit.company.document_query import DocumentQuery
from bot.kit.company.documents import QUERIES, deliveries_of, receipts_of
from bot.kit.company.reviews import APPROVERS
from bot.kit.company.sales import ZONE
from bot.kit.company.supply import USERS

T = TypeVar("T")


class DemoErp(DocumentErp):
    """An ERP on SQLite; created by `open_demo`.

    Documents above 100 000 CNY need two approvals by different people; nobody approves their own request. While
    an order waits for the second, its ``approval.decided_by`` names the first approver.
    """

    capabilities = frozenset(Capability)
    decides = MappingProxyType(dict.fromkeys(APPROVERS, frozenset(Verdict)))
    creates = creating.CREATED
    feeds = frozenset(Feed)
    narrows_lists = True

    def __init__(
        self,
        database: DemoDatabase,
        *,
        name: str,
        now: Callable[[], datetime],
        latency: float,
        life: CompanyActivity | None = None,
    ) -> None:
        super().__init__(name)
        self._database = database
        self._now = now
        self._latency = latency
        self._life = life

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        """Return products by part of code, name, spec, barcode or pinyin initials, best match first."""
        return await self._run(partial(queries.products, text=text, limit=limit))

    async def stock(self, sku: str) -> StockLevel:
        return await self._run(partial(queries.stock, sku=sku, source=self.name, as_of=self._now()))

    async def read_document(self, kind: Kind[D], number: str) -> D:
        return await self._run(partial(self._query(kind).document, number=number, source=self.name))

    async def list_documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        today = query.day(self._now().astimezone(ZONE).date())
        return await self._run(partial(self._query(kind).page, query=query, today=today, source=self.name))

    async def read_documents(self, area: Followed, numbers: Sequence[str]) -> tuple[ErpRecord, ...]:
        """Return the existing documents among many numbers, with their lines."""
        return await self._run(partial(QUERIES[kind_followed(area)].documents, numbers=numbers, source=self.name))

    def _query(self, kind: Kind[D]) -> DocumentQuery[D]:
        return QUERIES[kind]

    async def product(self, sku: str) -> ProductDetails:
        return await self._run(partial(goods.product, sku=sku, source=self.name))

    async def prices(self, sku: str, *, customer: str) -> Prices:
        return await self._run(partial(goods.prices, sku=sku, customer=customer, source=self.name))

    async def arrivals(self, query: ArrivalQuery) -> Slice[Arrival]:
        return await self._run(partial(goods.arrivals, query=query, source=self.name))

    async def read_of_order(self, kind: Kind[D], number: str) -> Sequence[Any]:
        moved = deliveries_of if kind == DELIVERIES else receipts_of
        return await self._run(partial(moved, number=number, source=self.name))

    async def shortages(self, query: ShortageQuery) -> Slice[Shortage]:
        return await self._run(partial(goods.shortages, query=query, source=self.name, as_of=self._now()))

    async def warehouse_stock(self, query: WarehouseQuery) -> WarehouseContents:
        return await self._run(partial(goods.warehouse_stock, query=query, source=self.name))

    async def write_decision(self, kind: Kind[Any], decision: Decision) -> DecisionResult:
        """Approve or reject one version of a document in one transaction."""
        return await self._run(partial(decisions.decide, decision=decision, source=self.name, now=self._now()))

    async def write_draft(self, kind: Kind[Any], draft: DocumentDraft) -> None:
        await self._run(partial(creating.create, draft=draft, source=self.name, now=self._now()))

    async def numbers_marked(self, kind: Kind[Any], mark: str) -> Sequence[str]:
        return await self._run(partial(creating.marked, kind=kind.command, mark=mark))

    async def changed_since(self, area: Followed, cursor: str, *, limit: int) -> Changes:
        """Return the next changes of an area; raises `Invalid` for a cursor that is not ours."""
        return await self._run(partial(queries.changes, area=area, cursor=cursor, limit=limit, source=self.name))

    async def users(self) -> tuple[ErpUser, ...]:
        """Return the accounts; their job numbers match the same people in the simulated DingTalk."""
        return tuple(ErpUser(account=user.id, name=user.name, job_number=user.id) for user in USERS)

    async def check(self) -> None:
        """Read one row."""
        await self._run(partial(queries.products, text="", limit=1))

    async def close(self) -> None:
        """Close the database."""
        await self._database.close()

    async def _run(self, call: Callable[[Connection], T]) -> T:
        if self._latency:
            await asyncio.sleep(self._latency)
        life = self._life
        if life is None:
            return await self._database.run(call)
        now = self._now()

        def live_and_call(connection: Connection) -> T:
            life.run_due_steps(connection, now)
            return call(connection)

        return await self._database.run(live_and_call)


async def open_demo(
    place: str | Path,
    *,
    today: date,
    now: Callable[[], datetime],
    latency: float = 0.0,
    name: str = "demo",
    seed: int = SEED,
    days_per_hour: float = 0.0,
) -> DemoErp:
    """Return the demo ERP stored at ``place``: a file, ``:memory:`` or an SQLite URL.

    An empty place is filled with the company as of the morning of ``today``; existing data is used as it is.
    ``latency`` (seconds) is added to every call, to imitate a remote ERP. ``days_per_hour`` is the number of company
    days per real hour; with 0 only decisions change anything. Raises `ConfigurationError` for a place that is not
    SQLite and `Unavailable` for one that cannot be opened.
    """
    database = DemoDatabase(place)
    await database.open(partial(seeding.prepare, today=today, seed=seed))
    life = CompanyActivity(seed=seed, days_per_hour=days_per_hour, begins_at=now()) if days_per_hour else None
    return DemoErp(database, name=name, now=now, latency=latency, life=life)
