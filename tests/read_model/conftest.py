"""Documents kept in a database of their own, of sources that tests move."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from bot.erp.hub import ErpHub
from bot.mechanisms.metrics import Metrics
from bot.read_model.follower import DocumentFollower, area_followers
from bot.read_model.queries import ReadModel
from bot.store.database import Database
from bot.store.erp.read_model import StoredDocuments
from tests.read_model.ledger import Ledger, LedgerClock


async def at_once(_: float) -> None:
    """Stand for a pause between two calls."""
    await asyncio.sleep(0)


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def database(address: str) -> AsyncIterator[Database]:
    database = Database(address)
    await database.migrate()
    yield database
    await database.close()


@pytest.fixture
async def reads(address: str) -> AsyncIterator[Database]:
    """Where questions are answered, as `bot.bootstrap.erps` has it."""
    reads = Database(address)
    yield reads
    await reads.close()


@pytest.fixture
def store(database: Database, reads: Database) -> StoredDocuments:
    return StoredDocuments(database, reads)


@pytest.fixture
def clock() -> LedgerClock:
    return LedgerClock()


@dataclass
class ReadModelBot:
    """What `bot.bootstrap.erps` makes of some sources."""

    store: StoredDocuments
    clock: LedgerClock
    sources: tuple[Ledger, ...]
    keep: timedelta = timedelta(days=400)
    metrics: Metrics = field(default_factory=Metrics)

    def __post_init__(self) -> None:
        self.hub = ErpHub(
            self.sources,  # type: ignore[arg-type]  # part of a port
            metrics=self.metrics,
            now=self.clock.now,
            sleep=at_once,
        )
        self.model = ReadModel(self.store, self.hub)
        self.followers = [self.follower(source.name) for source in self.sources]

    def follower(self, source: str) -> DocumentFollower:
        """Return what follows a source, as another process would."""
        areas = area_followers(
            self.hub.source_client(source), self.store, now=self.clock.now, keep=self.keep, sleep=at_once
        )
        return DocumentFollower(source, areas, self.store, metrics=self.metrics, now=self.clock.now)

    async def follow(self) -> None:
        for follower in self.followers:
            await follower.catch_up()


@pytest.fixture
async def open_bot(store: StoredDocuments, clock: LedgerClock) -> AsyncIterator[type[ReadModelBot]]:
    opened: list[ReadModelBot] = []

    def open_bot(*sources: Ledger, keep: timedelta = timedelta(days=400)) -> ReadModelBot:
        opened.append(ReadModelBot(store, clock, sources, keep))
        return opened[-1]

    yield open_bot  # type: ignore[misc]  # calls like the class
    for bot in opened:
        await bot.hub.close()
