"""Scenarios on a repository in memory and on a database; each test has its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy.engine import Connection

from bot.alerts.repository import AlertRepository
from bot.outbox.delivery import Delivery
from bot.store.alerts.repository import StoredAlertQueue
from bot.store.database import Database
from tests.alerts.memory_repository import MemoryAlertRepository
from tests.alerts.scenario import ProcessorScenario, RunInTransaction, StubRules
from tests.store.migrating import make_tables

T = TypeVar("T")


class Recording(StoredAlertQueue):
    """Records the deliveries."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        super().__init__(connection, now)
        self.recorded: list[Delivery] = []

    def deliver(self, delivery: Delivery) -> None:
        self.recorded.append(delivery)
        super().deliver(delivery)


def in_memory(repository: MemoryAlertRepository) -> RunInTransaction:
    def run(work: Callable[[AlertRepository], T], now: datetime) -> tuple[T, list[Delivery]]:
        before, repository.now = len(repository.deliveries), now
        result = work(repository)
        return result, repository.deliveries[before:]

    return run


def on_database(database: Database) -> RunInTransaction:
    def run(work: Callable[[AlertRepository], T], now: datetime) -> tuple[T, list[Delivery]]:
        def call(connection: Connection) -> tuple[T, list[Delivery]]:
            repository = Recording(connection, now)
            result = work(repository)
            repository.flush()
            return result, repository.recorded

        return database.run_blocking(call)

    return run


@contextmanager
def sqlite(folder: Path) -> Iterator[Database]:
    """Open a database with empty tables."""
    database = Database(f"sqlite:///{folder / 'bot.sqlite3'}")
    make_tables(database)
    yield database
    database._engine.dispose()


@pytest.fixture(params=["memory", "sqlite"])
def new_scenario(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., ProcessorScenario]]:
    """Return the factory of scenarios; every test runs on both repositories."""
    if request.param == "memory":
        yield lambda rules=None, **terms: ProcessorScenario(in_memory(MemoryAlertRepository()), rules, **terms)
    else:
        with sqlite(tmp_path) as database:
            yield lambda rules=None, **terms: ProcessorScenario(on_database(database), rules, **terms)


NewScenario = Callable[..., ProcessorScenario]
_ = (StubRules, Any)
