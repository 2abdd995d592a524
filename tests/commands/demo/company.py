"""The demo company with its own database, to be asked by hand."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from bot.access.people import Person
from bot.chat.message import Conversation, ConversationKind
from bot.erp.model import Money
from bot.kit.company import seeding
from bot.kit.company.activity import STEPS_PER_DAY, take_step
from bot.kit.company.adapter import DemoErp
from bot.kit.company.company import SEED
from tests.commands.company import NOW, TODAY

OWN_CHAT = Conversation("cidOwn==", ConversationKind.DIRECT)
ALL_ROWS = 10_000
"""As files are written: with all rows."""
OWNER = Person(user_id="sales01", name="李娜", roles=frozenset({"boss"}))
"""Somebody who sees everything, and has orders of their own."""
STEPS = 3 * STEPS_PER_DAY + STEPS_PER_DAY // 2
"""Three days, and the morning of the next, on which something happens today."""
A_YUAN = 1_000_000
"""The demo's amounts are kept as whole millionths (`bot.mechanisms.column_types.ExactDecimal`)."""

Sums = Mapping[str, Decimal]


def let_days_pass(file: Path) -> None:
    """Write the company of `TODAY` into a new file and let it live; it pays, ships and ages as in `dingerp demo`."""
    engine = create_engine(f"sqlite:///{file}", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        seeding.prepare(connection, today=TODAY, seed=SEED)
        for step in range(STEPS):
            take_step(connection, SEED, NOW - timedelta(hours=1) + timedelta(seconds=30) * step)
    engine.dispose()


@dataclass
class DemoCompany:
    """The demo ERP and its file; amounts are sums by currency, without those that are nothing."""

    erp: DemoErp
    file: Path

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.file)) as database:
            return database.execute(query).fetchall()

    def numbers(self, query: str) -> set[str]:
        """Return the numbers of documents, and fail for one that comes twice."""
        return distinct(number for number, *_ in self.rows(f"SELECT number FROM {query}"))

    def sums(self, amount: str, query: str) -> Sums:
        """Return one sum a currency; SQLite's own sums may be floats."""
        return added(
            Money(exact(money), currency) for money, currency in self.rows(f"SELECT {amount}, currency FROM {query}")
        )


def exact(millionths: int) -> Decimal:
    return Decimal(millionths) / A_YUAN


def distinct(numbers: Iterable[str]) -> set[str]:
    found = [*numbers]
    assert len(found) == len(set(found))
    return set(found)


def numbers_of(documents: Sequence[Any]) -> set[str]:
    return distinct(each.number for each in documents)


def added(amounts: Any) -> Sums:
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for money in amounts:
        if money is not None:
            found[money.currency] += money.amount
    return {currency: amount for currency, amount in found.items() if amount}
