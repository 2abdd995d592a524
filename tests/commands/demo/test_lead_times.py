"""Lead times of the demo company after three days: the same as by hand in SQL."""

from __future__ import annotations

from datetime import date
from statistics import median

import pytest

from bot.efficiency import findings
from bot.efficiency.lead_times import STEPS
from bot.efficiency.lead_views import LeadCases, LeadLine, LeadTimes, in_days
from tests.commands.company import TODAY
from tests.commands.conftest import Ask, as_
from tests.commands.demo.company import ALL_ROWS, OWN_CHAT, OWNER, DemoCompany
from tests.rows import each_row

SHIPPED = "d.status = 'shipped' AND NOT d.is_return"
INVOICED = "i.status NOT IN ('draft', 'void') AND NOT i.is_credit_note"
OF_ORDER = "instr(r.order_keys, char(10) || o.number_key || char(10))"
CALLED_OFF = "('draft', 'cancelled')"
OWED = "('open', 'on_hold', 'partly_delivered')"


def settled(bills: str, side: str) -> str:
    return f"""
        SELECT i.number, i.issued_on, MAX(p.paid_on), i.due_on FROM {bills} i
        JOIN demo_settled s ON s.document = i.number
        JOIN demo_payment p ON p.number_key = s.number_key AND p.status = 'booked' AND p.partner_kind = '{side}'
        WHERE i.status = 'paid' AND NOT i.is_credit_note GROUP BY i.number"""


CASES = {
    "order": f"""
        SELECT o.number, o.ordered_on, MAX(d.shipped_on), o.promised_on
        FROM demo_order o JOIN demo_delivery d ON d.order_key = o.number_key AND {SHIPPED}
        WHERE o.status NOT IN {CALLED_OFF} AND (o.status NOT IN {OWED} OR o.delivery = 'full') GROUP BY o.number""",
    "delivery": f"""
        SELECT d.number, d.shipped_on,
            COALESCE(MIN(CASE WHEN i.issued_on >= d.shipped_on THEN i.issued_on END), MAX(i.issued_on)), NULL
        FROM demo_delivery d JOIN demo_invoice i ON i.order_number = d.order_number AND {INVOICED}
        WHERE {SHIPPED} GROUP BY d.number""",
    "invoice": settled("demo_invoice", "customer"),
    "po": f"""
        SELECT o.number, o.ordered_on, MAX(r.received_on), o.due_on
        FROM demo_purchase o JOIN demo_receipt r ON {OF_ORDER} AND NOT r.is_return
        WHERE o.status = 'done' OR (o.status = 'approved' AND o.received = 'full') GROUP BY o.number""",
    "receipt": f"""
        SELECT r.number, r.received_on,
            COALESCE(MIN(CASE WHEN i.issued_on >= r.received_on THEN i.issued_on END), MAX(i.issued_on)), NULL
        FROM demo_receipt r JOIN demo_purchase o ON {OF_ORDER}
        JOIN demo_bill i ON i.order_number = o.number AND {INVOICED}
        WHERE NOT r.is_return GROUP BY r.number""",
    "bill": settled("demo_bill", "vendor"),
    "mo": "SELECT number, start_on, finished_on, due_on FROM demo_production WHERE status = 'done'",
}
"""The number, the first and last day, and the promised one."""
WAITING = {
    "order": f"SELECT number FROM demo_order WHERE status IN {OWED}",
    "delivery": f"""
        SELECT d.number FROM demo_delivery d WHERE {SHIPPED} AND d.order_number <> ''
        AND NOT EXISTS (SELECT 1 FROM demo_invoice i WHERE i.order_number = d.order_number AND {INVOICED})""",
    "receipt": f"""
        SELECT r.number FROM demo_receipt r WHERE NOT r.is_return AND NOT EXISTS (
            SELECT 1 FROM demo_purchase o JOIN demo_bill i ON i.order_number = o.number AND {INVOICED} WHERE {OF_ORDER}
        )""",
}


def test_every_step_has_another_beginning() -> None:
    assert [step.start.command for step in STEPS] == list(CASES)


@each_row("step", list(CASES))
async def test_figures_of_a_step(ask: Ask, demo: DemoCompany, step: str) -> None:
    ended = [
        (number, date.fromisoformat(first), date.fromisoformat(last), due and date.fromisoformat(due))
        for number, first, last, due in demo.rows(f"SELECT * FROM ({CASES[step]}) WHERE 1")
        if last.startswith("2026-10")
    ]
    assert len(ended) > 5
    line = f"/leadtimes 2026-10 {step} longest"
    cases = as_(LeadCases, await ask(line, where=OWN_CHAT, person=OWNER, rows=ALL_ROWS)).rows
    assert {(case.number, case.began, case.ended) for case in cases} == {each[:3] for each in ended}
    days = sorted(max(0, (last - first).days) for _, first, last, _ in ended)
    assert [case.days(TODAY) for case in cases] == days[::-1]

    rows = as_(LeadTimes, await ask("/leadtimes 2026-10", where=OWN_CHAT, person=OWNER)).rows
    (row,) = (row for row in rows if row.opens == f"/leadtimes 2026-10 {step}")
    late = [last > due for _, _, last, due in ended if due]
    assert row.figures.count == len(ended)
    assert float(row.median or 0) == median(days)
    assert row.ninetieth == next(day for day in days if sum(each <= day for each in days) * 10 >= 9 * len(days))
    assert row.figures.late == (int(100 * sum(late) / len(late) + 0.5) if late else None)
    by_hand = {name: measured_late(ended, numbers) for name, numbers in of_partners(cases).items()}
    shown = as_(LeadTimes, await ask(f"/leadtimes 2026-10 {step}", where=OWN_CHAT, person=OWNER, rows=ALL_ROWS)).rows
    assert {each.partner: (each.figures.count, each.figures.late) for each in shown if each.partner} == by_hand
    assert max(rows, key=median_of).is_slowest


def of_partners(cases: tuple[object, ...]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for case in cases:
        found.setdefault(case.partner, set()).add(case.number)  # type: ignore[attr-defined]
    return found


def measured_late(ended: list[tuple[str, date, date, date | None]], numbers: set[str]) -> tuple[int, int | None]:
    late = [last > due for number, _, last, due in ended if due and number in numbers]
    return len(numbers), int(100 * sum(late) / len(late) + 0.5) if late else None


def median_of(row: LeadLine) -> float:
    return float(in_days(row.figures.median) or 0)


@each_row("step", list(WAITING))
async def test_what_waits_is_told_with_its_documents(ask: Ask, demo: DemoCompany, step: str) -> None:
    view = as_(LeadCases, await ask(f"/leadtimes {step} open", where=OWN_CHAT, person=OWNER, rows=ALL_ROWS))
    assert {case.number for case in view.rows} == {number for (number,) in demo.rows(WAITING[step])}
    assert list(view.row_lines()) == [f"/{step} {case.number}" for case in view.rows]


async def test_slow_vendors_are_those_of_sql(ask: Ask, demo: DemoCompany, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few vendors of the demo have many orders, so two are enough, of half a year."""
    monkeypatch.setattr(findings, "LEAST_ORDERS", 2)
    received = {}
    for month in (date(2026, number, 1) for number in range(5, 11)):
        line = f"/leadtimes {month:%Y-%m} po longest"
        received[month] = as_(LeadCases, await ask(line, where=OWN_CHAT, person=OWNER, rows=ALL_ROWS)).rows
    last = CASES["po"].replace("MAX(r.received_on)", "MAX(r.received_on) AS last")
    slow = demo.rows(f"""
        SELECT o.vendor, 100 * SUM(c.last > c.due_on) / COUNT(*), COUNT(*)
        FROM (SELECT number, last, due_on FROM ({last})) AS c JOIN demo_purchase o USING (number)
        WHERE c.last >= '2026-05-01' AND c.last < '2026-11-01' AND c.due_on IS NOT NULL
        GROUP BY o.vendor HAVING COUNT(*) >= 2 AND 100 * SUM(c.last > c.due_on) >= 40 * COUNT(*)
    """)
    assert slow
    told = {str(each.seen).partition(", by")[0] for each in findings.find_slow_vendors(received)}
    assert told == {f"“{vendor}” was late with {share}% of {count} orders" for vendor, share, count in slow}
