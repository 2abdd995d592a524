"""Before and after midnight: lists, which ask the ERP, tell what a report of its copies tells, and what SQL says."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from bot.chat.document_views import DocumentListView
from bot.read_model.follower import DocumentFollower
from commands.report import ReportView
from tests.commands.company import NOW
from tests.commands.conftest import Ask, as_
from tests.commands.demo.company import ALL_ROWS, OWN_CHAT, OWNER, DemoCompany, numbers_of
from tests.rows import each_row

A_SECOND = timedelta(seconds=1)
UNPAID = "status IN ('unpaid', 'part_paid') AND open_amount > 0"
LATE = (
    ("/order late", "demo_order", "status IN ('open', 'partly_delivered') AND promised_on"),
    ("/invoice overdue", "demo_invoice", f"{UNPAID} AND due_on"),
    ("/po late", "demo_purchase", "status = 'approved' AND received <> 'full' AND due_on"),
    ("/bill overdue", "demo_bill", f"{UNPAID} AND due_on"),
    ("/mo late", "demo_production", "status IN ('planned', 'released', 'running') AND due_on"),
)


class Clock:
    """Only the test moves it."""

    time = NOW

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def now() -> Clock:
    return Clock()


def late_of(report: ReportView) -> tuple[int, ...]:
    """Return what a report counts of each list of `LATE`."""
    assert report.sales
    assert report.invoices
    assert report.purchases
    assert report.payables
    assert report.production
    return (
        report.sales.late,
        report.invoices.overdue,
        report.purchases.late,
        report.payables.overdue,
        report.production.late,
    )


@each_row("midnight", [date(2026, 11, 6), date(2026, 12, 1)])
async def test_lists_and_reports_are_of_the_same_day(
    ask: Ask, demo: DemoCompany, follower: DocumentFollower, now: Clock, midnight: date
) -> None:
    told: set[tuple[int, ...]] = set()
    for now.time in (at := datetime.combine(midnight, time(), NOW.tzinfo)) - A_SECOND, at:
        today, month = now.time.date(), now.time.replace(day=1).date()
        await follower.catch_up()
        report = as_(ReportView, await ask("/report month", where=OWN_CHAT, person=OWNER, now=now.time))
        counts = late_of(report)
        for count, (line, table, due) in zip(counts, LATE, strict=True):
            view = as_(DocumentListView, await ask(line, where=OWN_CHAT, person=OWNER, rows=ALL_ROWS, now=now.time))
            expected = demo.numbers(f"{table} WHERE {due} < '{today}'")
            assert numbers_of(view.rows) == expected, line
            assert count == len(expected), line
        ordered = demo.numbers(f"demo_order WHERE ordered_on BETWEEN '{month}' AND '{today}'")
        view = as_(DocumentListView, await ask("/order 本月", where=OWN_CHAT, person=OWNER, now=now.time))
        assert view.total == len(ordered)
        assert report.sales
        dealt = f"demo_order WHERE ordered_on BETWEEN '{month}' AND '{today}' AND status NOT IN ('draft', 'cancelled')"
        assert report.sales.ordered.count == len(demo.numbers(dealt))
        told.add((*counts, view.total))
    assert len(told) == 2, "nothing has become late, and no month has begun, at midnight"
