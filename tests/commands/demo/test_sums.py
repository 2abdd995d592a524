"""Partners' cards, rankings, charts and reports of the demo company after three days: the same as by hand in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from bot.chat.chart_views import SalesChart
from bot.chat.records.partner_views import PartnerView
from bot.chat.records.rankings import PartnerRankingView, ProductRankingView
from bot.erp.model import Money
from bot.read_model.report import Turnover
from commands.report import ReportView
from tests.commands.company import TODAY
from tests.commands.conftest import Ask, as_
from tests.commands.demo.company import ALL_ROWS, OWN_CHAT, OWNER, DemoCompany, added, exact
from tests.rows import each_row

OCTOBER = "BETWEEN '2026-10-01' AND '2026-10-31'"
UNPAID = "status IN ('unpaid', 'part_paid')"
OVERDUE = f"{UNPAID} AND open_amount > 0 AND due_on < '{TODAY}'"
OWED_ORDER = "status IN ('open', 'on_hold', 'partly_delivered')"
AWAITED = "status = 'approved' AND received <> 'full'"
DEALT = "status NOT IN ('draft', 'cancelled')"
BOUGHT = "status IN ('approved', 'done')"
BILLED = "status NOT IN ('draft', 'void')"
SIGNED_TOTAL = "CASE WHEN is_credit_note THEN -ABS(total) ELSE total END"


@each_row(
    "command, orders, still_open, is_late, due, bills",
    [
        ("customer", "demo_order", OWED_ORDER, "status <> 'on_hold'", "promised_on", "demo_invoice"),
        ("vendor", "demo_purchase", AWAITED, "1", "due_on", "demo_bill"),
    ],
)
async def test_the_card_of_every_partner(
    ask: Ask, demo: DemoCompany, command: str, orders: str, still_open: str, is_late: str, due: str, bills: str
) -> None:
    partners = demo.rows(f"SELECT code, name, QUOTE(name) FROM demo_{command}")
    assert len(partners) > 10
    for code, name, quoted in partners:
        view = as_(PartnerView, await ask(f"/{command} {code}", where=OWN_CHAT, person=OWNER))
        own = f"{command} = {quoted}"
        ((longest,),) = demo.rows(f"SELECT MIN(due_on) FROM {bills} WHERE {own} AND {OVERDUE}")
        assert view.document.name == name
        assert view.open_orders == len(demo.numbers(f"{orders} WHERE {own} AND {still_open}")), name
        late = demo.numbers(f"{orders} WHERE {own} AND {still_open} AND {is_late} AND {due} < '{TODAY}'")
        assert view.late_orders == len(late), name
        assert view.overdue is not None, name
        assert added(view.overdue) == demo.sums("open_amount", f"{bills} WHERE {own} AND {OVERDUE}"), name
        assert view.overdue_count == len(demo.numbers(f"{bills} WHERE {own} AND {OVERDUE}")), name
        ((days,),) = demo.rows(f"SELECT CAST(julianday('{TODAY}') - julianday('{longest}') AS INTEGER)")
        assert view.days_overdue == (days or 0), name


@each_row(
    "line, partner, amount, query",
    [
        ("/customer owing", "customer", "open_amount", f"demo_invoice WHERE {UNPAID}"),
        ("/vendor payable", "vendor", "open_amount", f"demo_bill WHERE {UNPAID}"),
        ("/customer best 上个月", "customer", "total", f"demo_order WHERE {DEALT} AND ordered_on {OCTOBER}"),
        ("/vendor best 上个月", "vendor", "total", f"demo_purchase WHERE {BOUGHT} AND ordered_on {OCTOBER}"),
    ],
)
async def test_rankings_of_partners(
    ask: Ask, demo: DemoCompany, line: str, partner: str, amount: str, query: str
) -> None:
    view = as_(PartnerRankingView, await ask(line, where=OWN_CHAT, person=OWNER, rows=ALL_ROWS))
    grouped = f"SELECT {partner}, currency, SUM({amount}), COUNT(*) FROM {query} GROUP BY 1, 2"
    expected = {(name, currency): (exact(money), count) for name, currency, money, count in demo.rows(grouped)}
    told = {(row.partner, row.amount.currency): (row.amount.amount, row.count) for row in view.rows}
    assert told == {key: row for key, row in expected.items() if row[0]}
    assert added(view.totals) == demo.sums(amount, query)


async def test_the_ranking_of_products(ask: Ask, demo: DemoCompany) -> None:
    view = as_(ProductRankingView, await ask("/product best 上个月", where=OWN_CHAT, person=OWNER, rows=ALL_ROWS))
    lines = demo.rows(
        "SELECT l.sku, o.currency, SUM(l.amount), SUM(l.quantity) FROM demo_order_line l JOIN demo_order o"
        f" USING (number_key) WHERE o.{DEALT} AND o.ordered_on {OCTOBER} GROUP BY 1, 2"
    )
    expected = {(sku, currency): (exact(money), exact(quantity)) for sku, currency, money, quantity in lines}
    told = {(row.sku, row.amount.currency): (row.amount.amount, row.quantity) for row in view.rows}
    assert told == expected


SPANS = [
    ("today", "= '2026-11-05'", "= '2026-11-04'"),
    ("yesterday", "= '2026-11-04'", "= '2026-11-03'"),
    ("week", "BETWEEN '2026-11-02' AND '2026-11-05'", "BETWEEN '2026-10-26' AND '2026-10-29'"),
    ("month", "BETWEEN '2026-11-01' AND '2026-11-05'", "BETWEEN '2026-10-01' AND '2026-10-05'"),
    ("上个月", OCTOBER, "BETWEEN '2026-09-01' AND '2026-09-30'"),
    ("今年", "BETWEEN '2026-01-01' AND '2026-11-05'", "BETWEEN '2025-01-01' AND '2025-11-05'"),
]


@each_row("days, span, before", SPANS)
async def test_reports_with_what_was_before(ask: Ask, demo: DemoCompany, days: str, span: str, before: str) -> None:
    report = as_(ReportView, await ask(f"/report {days}", where=OWN_CHAT, person=OWNER))
    for told, query, day, amount in (
        (report.sales and report.sales.ordered, f"demo_order WHERE {DEALT}", "ordered_on", "total"),
        (report.invoices and report.invoices.invoiced, f"demo_invoice WHERE {BILLED}", "issued_on", SIGNED_TOTAL),
        (report.purchases and report.purchases.ordered, f"demo_purchase WHERE {BOUGHT}", "ordered_on", "total"),
        (report.payables and report.payables.billed, f"demo_bill WHERE {BILLED}", "issued_on", SIGNED_TOTAL),
        (report.receipts, "demo_payment WHERE direction = 'received'", "paid_on", "amount"),
        (report.payments, "demo_payment WHERE direction = 'spent'", "paid_on", "amount"),
    ):
        assert isinstance(told, Turnover), query
        now, then = f"{query} AND {day} {span}", f"{query} AND {day} {before}"
        assert (told.count, told.count_before) == (len(demo.numbers(now)), len(demo.numbers(then))), query
        assert added(each.now for each in told.sums) == demo.sums(amount, now), query
        assert added(each.before for each in told.sums) == demo.sums(amount, then), query


async def test_a_chart_of_sales_day_by_day(ask: Ask, demo: DemoCompany) -> None:
    chart = as_(SalesChart, await ask("/chart sales 上个月", where=OWN_CHAT, person=OWNER))
    told: Mapping[str, Mapping[str, Decimal]] = {str(each.first): added(each.sums) for each in chart.days}
    for day, sums in told.items():
        assert sums == demo.sums("total", f"demo_order WHERE {DEALT} AND ordered_on = '{day}'"), day
    assert len(told) == 31
    assert added(Money(amount, currency) for sums in told.values() for currency, amount in sums.items()) == demo.sums(
        "total", f"demo_order WHERE {DEALT} AND ordered_on {OCTOBER}"
    )
