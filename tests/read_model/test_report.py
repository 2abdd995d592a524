"""The figures of a report equal what the demo company's own database says, computed by SQL."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot.erp.hub import ErpHub
from bot.erp.model import Area, Money
from bot.kit.company.adapter import open_demo
from bot.mechanisms.metrics import Metrics
from bot.read_model.follower import DocumentFollower, area_followers
from bot.read_model.queries import ReadModel
from bot.read_model.report import ComparedSum, ReportSpan, read_figures
from bot.store.database import Database
from bot.store.erp.read_model import StoredDocuments
from tests.erp.conftest import NOW, TODAY, demo_file, filled  # noqa: F401  # fixtures
from tests.read_model.conftest import at_once

FILE = "bot.sqlite3"
MILLION = 1_000_000
"""The demo's amounts are kept as whole millionths (`bot.mechanisms.column_types.ExactDecimal`)."""

MONTH = TODAY.replace(day=1)
SPANS = {
    "today": ReportSpan.of(TODAY, TODAY, TODAY),
    "week": ReportSpan.of(TODAY - timedelta(days=TODAY.weekday()), TODAY, TODAY),
    "month": ReportSpan.of(MONTH, TODAY, TODAY),
    "month before": ReportSpan.of((MONTH - timedelta(days=1)).replace(day=1), MONTH - timedelta(days=1), TODAY),
}
AREAS = (Area.SALES, Area.FINANCE, Area.PURCHASING, Area.PRODUCTION)


@pytest.fixture(scope="module")
def followed(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """The folder of a bot that has followed the demo company: that takes longer than each of the reports."""
    folder = tmp_path_factory.mktemp("followed")
    asyncio.run(_follow(folder / FILE, Path(shutil.copy(filled, tmp_path_factory.mktemp("company")))))
    return folder


async def _follow(file: Path, company: Path) -> None:
    database = Database(f"sqlite:///{file}")
    await database.migrate()
    hub = ErpHub(
        [await open_demo(company, today=TODAY, now=lambda: NOW, name="main")], metrics=Metrics(), now=lambda: NOW
    )
    store = StoredDocuments(database, database)
    areas = area_followers(hub.source_client("main"), store, now=lambda: NOW, keep=timedelta(days=400), sleep=at_once)
    await DocumentFollower("main", areas, store, metrics=Metrics(), now=lambda: NOW).catch_up()
    await hub.close()
    await database.close()


@pytest.fixture
async def model(followed: Path, demo_file: Path, tmp_path: Path) -> AsyncIterator[ReadModel]:  # noqa: F811
    url = f"sqlite:///{shutil.copytree(followed, tmp_path / 'followed') / FILE}"
    database, reads = Database(url), Database(url)
    demo = await open_demo(demo_file, today=TODAY, now=lambda: NOW, name="main")
    hub = ErpHub([demo], metrics=Metrics(), now=lambda: NOW)
    yield ReadModel(StoredDocuments(database, reads), hub)
    await hub.close()
    await reads.close()
    await database.close()


class Books:
    """The demo company's tables."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def rows(self, query: str, *values: object) -> list[tuple[str, ...]]:
        with closing(sqlite3.connect(self._file)) as connection:
            return connection.execute(query, values).fetchall()

    def count(self, query: str, *values: object) -> int:
        return len(self.rows(query, *values))

    def sums(self, query: str, *values: object) -> tuple[Money, ...]:
        """Return one sum a currency of the rows' amounts and currencies; SQLite's own sums are floats."""
        found: dict[str, Decimal] = {}
        for amount, currency in self.rows(query, *values):
            found[currency] = found.get(currency, Decimal()) + Decimal(amount) / MILLION
        return tuple(Money(amount, currency) for currency, amount in sorted(found.items()))


@pytest.fixture
def books(demo_file: Path) -> Books:  # noqa: F811
    return Books(demo_file)


def nonzero(sums: tuple[Money, ...]) -> tuple[Money, ...]:
    return tuple(money for money in sums if money.amount)


def before(sums: tuple[ComparedSum, ...]) -> tuple[Money, ...]:
    return nonzero(tuple(each.before for each in sums))


def now(sums: tuple[ComparedSum, ...]) -> tuple[Money, ...]:
    return nonzero(tuple(each.now for each in sums))


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", SPANS)
async def test_what_happened_in_these_days(model: ReadModel, books: Books, name: str) -> None:
    span = SPANS[name]
    found = await read_figures(model, AREAS, span, TODAY)
    assert found.sales
    assert found.invoices
    assert found.purchases
    assert found.production
    orders = (
        "SELECT total, currency FROM demo_order WHERE ordered_on BETWEEN ? AND ?"
        " AND status NOT IN ('draft', 'cancelled')"
    )
    invoices = "FROM demo_invoice WHERE issued_on BETWEEN ? AND ? AND status NOT IN ('draft', 'void')"
    purchases = (
        "SELECT total, currency FROM demo_purchase WHERE ordered_on BETWEEN ? AND ? AND status IN ('approved', 'done')"
    )
    days, days_before = (str(span.first), str(span.last)), (str(span.first_before), str(span.last_before))
    assert now(found.sales.ordered.sums) == nonzero(books.sums(orders, *days))
    assert before(found.sales.ordered.sums) == nonzero(books.sums(orders, *days_before))
    assert found.sales.ordered.count == books.count(orders, *days)
    assert found.sales.ordered.count_before == books.count(orders, *days_before)
    assert now(found.invoices.invoiced.sums) == nonzero(books.sums(f"SELECT total, currency {invoices}", *days))
    left = books.sums(f"SELECT open_amount, currency {invoices}", *days)
    total = books.sums(f"SELECT total, currency {invoices}", *days)
    paid = [Money(all_.amount - open_.amount, all_.currency) for all_, open_ in zip(total, left, strict=True)]
    assert found.invoices.paid == nonzero(tuple(paid))
    assert now(found.purchases.ordered.sums) == nonzero(books.sums(purchases, *days))
    assert found.purchases.ordered.count_before == books.count(purchases, *days_before)
    production = "SELECT status FROM demo_production WHERE due_on BETWEEN ? AND ? AND status <> 'cancelled'"
    assert found.production.due == books.count(production, *days)
    assert found.production.done == books.rows(production, *days).count(("done",))


async def test_what_is_late_and_owed_now(model: ReadModel, books: Books) -> None:
    found = await read_figures(model, AREAS, SPANS["month"], TODAY)
    assert found.sales
    assert found.invoices
    assert found.purchases
    assert found.production
    late = "SELECT 1 FROM demo_order WHERE status IN ('open', 'partly_delivered') AND promised_on < ?"
    assert found.sales.late == books.count(late, str(TODAY))
    owed = "FROM demo_invoice WHERE status IN ('unpaid', 'part_paid')"
    assert found.invoices.owed == books.sums(f"SELECT open_amount, currency {owed}")
    overdue = f"{owed} AND CAST(open_amount AS REAL) > 0"
    for bucket in found.invoices.ageing:
        newest = TODAY - timedelta(days=bucket.first)
        oldest = TODAY - timedelta(days=bucket.last or 9_999)
        query = f"SELECT open_amount, currency {overdue} AND due_on BETWEEN ? AND ?"
        assert bucket.sums == books.sums(query, str(oldest), str(newest)), bucket.first
        assert bucket.count == books.count(query, str(oldest), str(newest))
    assert found.invoices.overdue == sum(bucket.count for bucket in found.invoices.ageing) > 0
    late = "SELECT 1 FROM demo_purchase WHERE status = 'approved' AND received <> 'full' AND due_on < ?"
    assert found.purchases.late == books.count(late, str(TODAY))
    assert found.purchases.waiting == books.count("SELECT 1 FROM demo_purchase WHERE status = 'waiting'")
    late = "SELECT 1 FROM demo_production WHERE status IN ('planned', 'released', 'running') AND due_on < ?"
    assert found.production.late == books.count(late, str(TODAY))
    assert found.coverage.is_complete_from(SPANS["month before"].first_before)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", SPANS)
async def test_what_was_paid_and_is_to_be_paid(model: ReadModel, books: Books, name: str) -> None:
    span = SPANS[name]
    found = await read_figures(model, AREAS, span, TODAY)
    assert found.unknown == ()
    assert found.receipts
    assert found.payments
    assert found.payables
    days = (str(span.first), str(span.last))
    for figures, kind, usual in ((found.receipts, "customer", "received"), (found.payments, "vendor", "spent")):
        paid = (
            f"SELECT CASE WHEN direction = '{usual}' THEN amount ELSE -amount END, currency FROM demo_payment"
            f" WHERE partner_kind = '{kind}' AND status = 'booked' AND paid_on BETWEEN ? AND ?"
        )
        assert now(figures.sums) == nonzero(books.sums(paid, *days))
        assert figures.count == books.count(paid, *days)
    billed = "SELECT total, currency FROM demo_bill WHERE issued_on BETWEEN ? AND ? AND status NOT IN ('draft', 'void')"
    assert now(found.payables.billed.sums) == nonzero(books.sums(billed, *days))
    owed = "FROM demo_bill WHERE status IN ('unpaid', 'part_paid')"
    assert found.payables.owed == books.sums(f"SELECT open_amount, currency {owed}")
    for bucket in found.payables.ageing:
        newest, oldest = TODAY - timedelta(days=bucket.first), TODAY - timedelta(days=bucket.last or 9_999)
        query = f"SELECT open_amount, currency {owed} AND open_amount > 0 AND due_on BETWEEN ? AND ?"
        assert bucket.sums == books.sums(query, str(oldest), str(newest)), bucket.first
