"""The living demo company watched while its days go by: every card of a figure tells the same, and what SQL says.

Lists ask the ERP; reports, charts and rankings read what is kept of it, and alerts come by polling.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.alerts.intake.poll_state import PollConfig
from bot.chat.chart_views import AgeingChart, SalesChart
from bot.chat.document_views import DocumentListView
from bot.chat.records.partner_views import PartnerView
from bot.chat.records.rankings import PartnerRankingView
from bot.erp.hub import ErpHub
from bot.kit.company.activity import FIRST_STEP_AFTER, STEPS_PER_DAY
from bot.kit.company.adapter import open_demo
from bot.kit.demo import LIST_SECONDS, POLL_SECONDS
from bot.mechanisms.metrics import Metrics
from bot.read_model.follower import DocumentFollower, area_followers
from bot.store.database import Database
from bot.store.erp.read_model import StoredDocuments
from commands.report import ReportView
from tests.alerts.intake.polling_harness import TODAY, Clock, PollingHarness
from tests.commands.conftest import Ask, as_
from tests.commands.demo.company import ALL_ROWS, OWN_CHAT, DemoCompany, added, numbers_of
from tests.commands.demo.conftest import opened_database
from tests.read_model.conftest import at_once

DAYS_PER_HOUR = 6
STEP = timedelta(hours=1) / (DAYS_PER_HOUR * STEPS_PER_DAY)
FAR = timedelta(days=9)
DATES = "SELECT number, promised_on FROM demo_order WHERE number < 'SO-1500' ORDER BY number"


@dataclass
class WatchedCompany(DemoCompany):
    """The living company with what follows it: copies of its documents, and polling."""

    polling: PollingHarness
    followers: DocumentFollower

    async def go_on(self, step: timedelta) -> None:
        """Let time go by and everybody look."""
        self.polling.clock.time += step
        await self.erp.check()
        await self.followers.catch_up()
        await self.polling.poll(1, seconds=0)

    async def open_alerts(self, area: str) -> set[str]:
        """Return what polling holds to be in trouble."""
        later = self.polling.clock.now() + FAR
        return {each.code for each in await self.polling.store.unseen(self.erp.name, area, later, ALL_ROWS)}


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with opened_database(tmp_path) as database:
        yield database


@pytest.fixture
def kept(database: Database) -> StoredDocuments:
    return StoredDocuments(database, database)


@pytest.fixture
async def watched(tmp_path: Path, database: Database, kept: StoredDocuments) -> AsyncIterator[WatchedCompany]:
    clock, file = Clock(), tmp_path / "company.sqlite3"
    erp = await open_demo(file, today=TODAY, now=clock.now, days_per_hour=DAYS_PER_HOUR)
    polling = PollingHarness(erp, database, clock, PollConfig(seconds=POLL_SECONDS, lists=LIST_SECONDS, backlog=False))
    source = polling.hub.source_client(erp.name)
    areas = area_followers(source, kept, now=clock.now, keep=timedelta(days=400), sleep=at_once)
    yield WatchedCompany(erp, file, polling, DocumentFollower("demo", areas, kept, metrics=Metrics(), now=clock.now))
    await polling.hub.close()


@pytest.fixture
def hub(watched: WatchedCompany) -> ErpHub:
    return watched.polling.hub


class Cards:
    """What the cards of one moment tell."""

    def __init__(self, ask: Ask, watched: WatchedCompany) -> None:
        self._ask, self._now = ask, watched.polling.clock.now()

    async def _answer(self, line: str, **more: Any) -> Any:
        return await self._ask(line, where=OWN_CHAT, now=self._now, **more)

    async def listed(self, line: str) -> tuple[Any, ...]:
        """Return the documents of a list and of its file, whose titles and rows tell the same."""
        card = as_(DocumentListView, await self._answer(line))
        file = as_(DocumentListView, await self._answer(line, rows=ALL_ROWS))
        assert card.total == file.total == len(file.rows)
        assert file.table().total == len(file.table().rows) == card.total
        return file.rows

    async def report(self, days: str) -> ReportView:
        return as_(ReportView, await self._answer(f"/report {days}"))

    async def ranked(self, line: str) -> PartnerRankingView:
        return as_(PartnerRankingView, await self._answer(line, rows=ALL_ROWS))

    async def partner(self, line: str) -> PartnerView:
        return as_(PartnerView, await self._answer(line))

    async def ageing(self, line: str) -> AgeingChart:
        return as_(AgeingChart, await self._answer(line))

    async def sales(self, line: str) -> SalesChart:
        return as_(SalesChart, await self._answer(line))


OWED_ORDER = "status IN ('open', 'partly_delivered')"
UNPAID = "status IN ('unpaid', 'part_paid')"
AWAITED = "status = 'approved' AND received <> 'full'"
TO_MAKE = "status IN ('planned', 'released', 'running')"


async def compare_what_is_late(cards: Cards, watched: WatchedCompany) -> None:
    """Lists, files, the report and alerts tell the same late and waiting documents."""
    report = await cards.report("today")
    assert report.sales
    assert report.invoices
    assert report.purchases
    assert report.production
    assert report.payables
    for line, counted, area, query in (
        ("/order late", report.sales.late, "orders", f"demo_order WHERE {OWED_ORDER} AND promised_on < '{TODAY}'"),
        ("/po late", report.purchases.late, "", f"demo_purchase WHERE {AWAITED} AND due_on < '{TODAY}'"),
        ("/po pending", report.purchases.waiting, "purchasing", "demo_purchase WHERE status = 'waiting'"),
        ("/mo late", report.production.late, "production", f"demo_production WHERE {TO_MAKE} AND due_on < '{TODAY}'"),
        ("/invoice overdue", report.invoices.overdue, "invoices", f"demo_invoice WHERE {OVERDUE}"),
        ("/bill overdue", report.payables.overdue, "", f"demo_bill WHERE {OVERDUE}"),
    ):
        expected = watched.numbers(query)
        assert numbers_of(await cards.listed(line)) == expected, line
        assert counted == len(expected), line
        if area:
            assert await watched.open_alerts(area) == expected, line


OVERDUE = f"{UNPAID} AND open_amount > 0 AND due_on < '{TODAY}'"


async def compare_what_is_owed(cards: Cards, watched: WatchedCompany) -> None:
    """Lists, files, the report, charts and rankings tell the same debts."""
    report = await cards.report("today")
    for chart, ranking, listed, part, table in (
        ("/chart ageing", "/customer owing", "/invoice", report.invoices, "demo_invoice"),
        ("/chart payables", "/vendor payable", "/bill", report.payables, "demo_bill"),
    ):
        assert part
        owed = watched.sums("open_amount", f"{table} WHERE {UNPAID}")
        overdue = watched.sums("open_amount", f"{table} WHERE {OVERDUE}")
        late, debts, ages = (
            await cards.listed(f"{listed} overdue"),
            await cards.ranked(ranking),
            await cards.ageing(chart),
        )
        assert added(each.open_amount for each in late) == overdue
        assert added(money for each in part.ageing for money in each.sums) == overdue
        assert added(ages.sums) == overdue
        assert ages.count == len(late)
        assert added(each.overdue for each in debts.rows) == overdue
        assert added(part.owed) == added(debts.totals) == owed
        assert added(each.open_amount for each in await cards.listed(f"{listed} open")) == owed


async def compare_what_is_done(cards: Cards, watched: WatchedCompany) -> None:
    """Lists, files, the report, charts and rankings tell the same of what was done today."""
    report = await cards.report("today")
    dealt, billed = "status NOT IN ('draft', 'cancelled')", "status NOT IN ('draft', 'void')"
    bought = "status IN ('approved', 'done')"
    for line, turnover, day, table, counts in (
        ("/order today", report.sales and report.sales.ordered, "ordered_on", "demo_order", dealt),
        ("/invoice today", report.invoices and report.invoices.invoiced, "issued_on", "demo_invoice", billed),
        ("/po today", report.purchases and report.purchases.ordered, "ordered_on", "demo_purchase", bought),
        ("/bill today", report.payables and report.payables.billed, "issued_on", "demo_bill", billed),
    ):
        assert turnover, line
        of_today = f"{table} WHERE {day} = '{TODAY}'"
        assert numbers_of(await cards.listed(line)) == watched.numbers(of_today), line
        assert turnover.count == len(watched.numbers(f"{of_today} AND {counts}")), line
        assert added(each.now for each in turnover.sums) == watched.sums("total", f"{of_today} AND {counts}"), line
    for line, moved, direction in (
        ("/payment received today", report.receipts, "received"),
        ("/payment paid today", report.payments, "spent"),
    ):
        assert moved
        query = f"demo_payment WHERE paid_on = '{TODAY}' AND direction = '{direction}'"
        assert numbers_of(await cards.listed(line)) == watched.numbers(query)
        assert moved.count == len(watched.numbers(query))
        assert added(each.now for each in moved.sums) == watched.sums("amount", query)
    sold = f"demo_order WHERE ordered_on = '{TODAY}' AND {dealt}"
    chart = await cards.sales("/chart sales today")
    assert chart.count == len(watched.numbers(sold))
    assert added(chart.sums) == watched.sums("total", sold)
    assert added((await cards.ranked("/customer best today")).totals) == watched.sums("total", sold)
    assert report.production
    due = f"demo_production WHERE due_on = '{TODAY}' AND status <> 'cancelled'"
    assert report.production.due == len(watched.numbers(due))
    assert report.production.done == len(watched.numbers(f"{due} AND status = 'done'"))
    left = f"demo_delivery WHERE COALESCE(shipped_on, planned_on) = '{TODAY}'"
    assert numbers_of(await cards.listed("/delivery today")) == watched.numbers(left)


async def compare_partners(cards: Cards, watched: WatchedCompany) -> None:
    """The cards of the customer and the vendor with the most that is unpaid tell the same."""
    for kind, orders, still_open, due, bills in (
        ("customer", "demo_order", OWED_ORDER, "promised_on", "demo_invoice"),
        ("vendor", "demo_purchase", AWAITED, "due_on", "demo_bill"),
    ):
        most = f"SELECT {kind} FROM {bills} WHERE {UNPAID} GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 1"
        ((code, name, quoted),) = watched.rows(f"SELECT code, name, QUOTE(name) FROM demo_{kind} WHERE name = ({most})")
        own = f"{kind} = {quoted}"
        card = await cards.partner(f"/{kind} {code}")
        assert card.document.name == name
        assert card.open_orders == len(watched.numbers(f"{orders} WHERE {own} AND {still_open}"))
        late = watched.numbers(f"{orders} WHERE {own} AND {still_open} AND {due} < '{TODAY}'")
        assert card.late_orders == len(late)
        assert card.overdue is not None
        assert card.overdue_count == len(watched.numbers(f"{bills} WHERE {own} AND {OVERDUE}"))
        assert added(card.overdue) == watched.sums("open_amount", f"{bills} WHERE {own} AND {OVERDUE}")


async def compare(ask: Ask, watched: WatchedCompany) -> None:
    cards = Cards(ask, watched)
    await compare_what_is_late(cards, watched)
    await compare_what_is_owed(cards, watched)
    await compare_what_is_done(cards, watched)
    await compare_partners(cards, watched)


@pytest.mark.parametrize(
    ("step", "steps"),
    [
        pytest.param(15 * STEP, 3 * STEPS_PER_DAY // 15, id="three days"),
        pytest.param(STEP, DAYS_PER_HOUR * STEPS_PER_DAY, id="each step of an hour", marks=pytest.mark.soak),
    ],
)
async def test_all_cards_agree_while_days_go_by(ask: Ask, watched: WatchedCompany, step: timedelta, steps: int) -> None:
    await watched.go_on(timedelta())
    await watched.go_on(FIRST_STEP_AFTER)
    before = watched.rows(DATES)
    for _ in range(steps):
        await watched.go_on(step)
        await compare(ask, watched)
    assert watched.rows(DATES) != before, "no day has gone by"
