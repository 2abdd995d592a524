"""Ledgers for the life of alerts: in memory and on a database, each test with its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy.engine import Connection

from bot.alerts.ledger import Ledger
from bot.outbox.delivery import Delivery
from bot.store.books import StoredBook
from bot.store.database import Database
from bot.store.tables import METADATA
from bot.testing.ledger import MemoryLedger

from .axis import Axis, SmallRules, Work

T = TypeVar("T")


class Recording(StoredBook):
    """Remembers what was owed."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        super().__init__(connection, now)
        self.owed: list[Delivery] = []

    def deliver(self, delivery: Delivery) -> None:
        self.owed.append(delivery)
        super().deliver(delivery)


def in_memory(ledger: MemoryLedger) -> Work:
    def run(work: Callable[[Ledger], T], now: datetime) -> tuple[T, list[Delivery]]:
        before = len(ledger.deliveries)
        result = work(ledger)
        return result, ledger.deliveries[before:]

    return run


def on_database(database: Database) -> Work:
    def run(work: Callable[[Ledger], T], now: datetime) -> tuple[T, list[Delivery]]:
        def call(connection: Connection) -> tuple[T, list[Delivery]]:
            book = Recording(connection, now)
            result = work(book)
            book.flush()
            return result, book.owed

        return database.transact(call)

    return run


@contextmanager
def sqlite(folder: Path) -> Iterator[Database]:
    """Open a database with empty tables; migrating costs a second, which the store's own tests spend."""
    database = Database(f"sqlite:///{folder / 'bot.sqlite3'}")
    database.transact(METADATA.create_all)
    yield database
    database._engine.dispose()


@pytest.fixture(params=["memory", "sqlite"])
def axis(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Axis]]:
    """Return what makes an axis; every scenario runs on both ledgers."""
    if request.param == "memory":
        yield lambda rules=None, **terms: Axis(in_memory(MemoryLedger()), rules, **terms)
    else:
        with sqlite(tmp_path) as database:
            yield lambda rules=None, **terms: Axis(on_database(database), rules, **terms)


MakeAxis = Callable[..., Axis]
_ = (SmallRules, Any)
