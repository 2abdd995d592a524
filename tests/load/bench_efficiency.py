"""What the figures of efficiency cost: ``python -m tests.load.bench_efficiency`` prints the numbers.

A company of 1 000 people works for a year: each asks three times on a working day, half of that at nine. Forty orders
are decided and sixty alerts shown a day, of which many are ignored. The daily tables are filled from these records as
the leader fills them; a bot with these tables alone is then asked for its pages.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from random import Random
from time import perf_counter, process_time
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import SecretStr
from sqlalchemy import insert, select, text
from sqlalchemy.engine import Connection

from bot.alerts.alert import AlertCard, AlertState, CardState, UserStamp
from bot.alerts.rules.schedule import is_workday
from bot.approvals.case import AuditRow, Case, CaseState, DocumentSummary
from bot.approvals.plan import ApprovalPlan, Vote, VoteWay
from bot.efficiency.working_time import WorkingHours
from bot.erp.model import Money, Verdict
from bot.outbox.place import Place, PlaceKind
from bot.store.alerts.repository import StoredAlertTransactions
from bot.store.approvals.repository import StoredCaseTransactions
from bot.store.database import Database
from bot.store.efficiency import StoredEfficiency
from bot.store.row_times import to_ms
from bot.store.tables import (
    ALERT_WAIT,
    AUDIT,
    DECISION_WAIT,
    DEPARTMENT,
    EFFICIENCY_MARK,
    PERSON,
    QUESTION_DAY,
    QUESTION_HOUR,
)
from tests.alerts.test_repository import alert
from tests.approvals.test_repository import a_case
from tests.scenario.alerts.scenario import START, open_timeline_in
from tests.scenario.test_permission_matrix import STAFF
from tests.web.page_client import page_client

T = TypeVar("T")

PEOPLE, DAYS, PAGES = 1_000, 365, 20
PAGE_MS, TABLES_MB = 150.0, 5.0
"""The goals: a page at the median, and all daily tables of a year."""
DEPARTMENTS, DECIDERS, RULES = 40, 30, 12
QUESTIONS_A_DAY, ORDERS_A_DAY, ALERTS_A_DAY = 3, 0.04, 0.06
"""Of each person, on a working day."""
LINES = (
    "/report",
    "/chart ageing",
    "/today",
    "/pending",
    "/order late",
    "/po late",
    "/invoice overdue",
    "",
    "",
    "",
    "",
)
READERS = ("keeper", "manager", "admin")
ADDRESSES = ("/efficiency", "/ask?line=/efficiency+findings", "/ask?line=/efficiency+questions")
DAILY = (DECISION_WAIT, ALERT_WAIT, QUESTION_DAY, QUESTION_HOUR, EFFICIENCY_MARK)
ZONE = ZoneInfo("Asia/Shanghai")
_BATCH = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EfficiencyMeasurement:
    """Times in seconds, of pages by address and reader: by the clock, and of the processor. Sizes in bytes."""

    rows: dict[str, int]
    fill: float
    fill_again: float
    tables: int
    pages: Mapping[tuple[str, str], Sequence[tuple[float, float]]]
    told: dict[str, str]
    """The text of the page by reader."""


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield items in lists of a size; the last may be shorter."""
    every = iter(items)
    while some := list(islice(every, size)):
        yield some


def working_days(days: int, until: datetime) -> Iterator[date]:
    """Yield the working days before a moment, the oldest first."""
    last = until.astimezone(ZONE).date()
    return (day for number in range(days, 0, -1) if is_workday(day := last - timedelta(days=number)))


def _moment(day: date, rng: Random) -> datetime:
    return datetime.combine(day, time(9), ZONE) + timedelta(minutes=rng.randrange(540))


def make_cases(people: int, days: Sequence[date]) -> Iterator[Case]:
    """Yield the orders that are decided: a third of them large, which a second level decides after a day or more."""
    rng = Random(11)
    for day in days:
        for number in range(round(people * ORDERS_A_DAY)):
            opened, is_large = _moment(day, rng), rng.random() < 0.33
            hours = [rng.random() * 10, *([24 + rng.random() * 24] if is_large else [])]
            votes = tuple(
                Vote(
                    user_id=f"p{DECIDERS * level + rng.randrange(DECIDERS)}",
                    name="",
                    level=level,
                    verdict=Verdict.APPROVE if rng.random() < 0.96 else Verdict.REJECT,
                    at=opened + timedelta(hours=sum(hours[:level])),
                    way=rng.choice((VoteWay.CARD, VoteWay.TYPED, VoteWay.PAGE)),
                )
                for level in range(1, len(hours) + 1)
            )
            amount = Decimal(rng.randrange(50_000, 900_000) if is_large else rng.randrange(500, 50_000))
            yield a_case(
                f"PO-{day:%Y%m%d}-{number}",
                state=CaseState.APPROVED,
                opened_at=opened,
                votes=votes,
                plan=ApprovalPlan(rule="大额采购" if is_large else "采购", levels=(), deadline=timedelta(days=1)),
                summary=DocumentSummary(total=Money(amount, "CNY")),
            )


def make_alerts(people: int, days: Sequence[date]) -> Iterator[tuple[Any, AlertCard]]:
    """Yield alerts with their cards; nobody takes up most of those of the first rule."""
    rng = Random(12)
    for number, day in enumerate((day for day in days for _ in range(round(people * ALERTS_A_DAY))), 1):
        at, rule = _moment(day, rng), rng.randrange(RULES)
        taken = rng.random() < (0.16 if rule == 0 else 0.8)
        after = timedelta(minutes=rng.randrange(600))
        shown = replace(
            alert(number, key=f"k{number}"),
            opened_at=at,
            last_at=at,
            acknowledged=UserStamp(f"p{rng.randrange(DECIDERS)}", "", at + after) if taken else None,
            resolved_at=at + 2 * after,
            state=AlertState.RESOLVED,
        )
        place = Place(PlaceKind.GROUP, "cid==")
        card = AlertCard(
            id=f"c{number}",
            place=place,
            route=f"规则 {rule}",
            group=f"g{number}",
            alerts=(shown.id,),
            state=CardState.CLOSED,
            opened_at=at,
        )
        yield shown, card


def make_questions(people: int, days: Sequence[date]) -> Iterator[dict[str, Any]]:
    """Yield entries of the audit log, without its chain."""
    rng = Random(13)
    seq = 10**9  # what is decided is recorded as well
    for day in days:
        for person in range(people):
            for _ in range(QUESTIONS_A_DAY):
                seq += 1
                line = rng.choice(LINES)
                at = (
                    _moment(day, rng) if rng.random() < 0.5 else datetime.combine(day, time(9, rng.randrange(60)), ZONE)
                )
                yield {
                    "seq": seq,
                    "at_ms": to_ms(at),
                    "kind": "question",
                    "actor": f"p{person}",
                    "action": line[1:].split()[0] if line else rng.choice(("stock", "order", "invoice", "customer")),
                    "conversation": "cid==",
                    "documents": "[]",
                    "shown": "[]",
                    "rule": "",
                    "outcome": "answered",
                    "detail": line,
                    "previous": "",
                    "hash": "",
                }


async def put_year(database: Database, people: int, days: Sequence[date]) -> None:
    """Store what happened in a year."""
    staff = [
        {
            "user_id": f"p{number}",
            "name": f"员工 {number}",
            "roles": "[]",
            "departments": f'["{number % DEPARTMENTS}"]',
            "is_admin": False,
            "written_us": 0,
        }
        for number in range(people)
    ]
    await database.run(lambda connection: connection.execute(insert(PERSON), staff))
    for cases in batched(make_cases(people, days), _BATCH):

        def put_cases(repository: Any, cases: Sequence[Case] = cases) -> None:
            for case in cases:
                repository.put(case)
                repository.audit(AuditRow(at=case.votes[-1].at, case=case.id, what="vote"))

        await StoredCaseTransactions(database, lambda: START).transact(put_cases)
    for shown in batched(make_alerts(people, days), _BATCH):

        def put_alerts(repository: Any, shown: Sequence[tuple[Any, AlertCard]] = shown) -> None:
            for each, card in shown:
                repository.put_alert(each, None)
                repository.put_card(card)

        await StoredAlertTransactions(database, lambda: START).transact(put_alerts)
    for rows in batched(make_questions(people, days), 50_000):
        await database.run(lambda connection, rows=rows: connection.execute(insert(AUDIT), list(rows)))


async def copy_tables(source: Database, target: Database) -> int:
    """Copy the daily tables into another database, and return by how much its file grows."""
    empty = await _vacuumed(target)
    for table in (*DAILY, PERSON, DEPARTMENT):
        if table is PERSON:
            grown = await _vacuumed(target) - empty
        rows = [dict(row._mapping) for row in await source.rows(select(table))]
        for some in batched(rows, 10_000):
            await target.run(lambda connection, some=some, table=table: connection.execute(insert(table), list(some)))
    return grown


async def _vacuumed(database: Database) -> int:
    """Return the size of a database without free pages."""

    def size(connection: Connection) -> int:
        pages, free, of = (
            int(connection.execute(text(f"PRAGMA {name}")).scalar_one())
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * of

    return await database.run(size)


async def measure(folder: Path, *, people: int = PEOPLE, days: int = DAYS, pages: int = PAGES) -> EfficiencyMeasurement:
    """Fill the daily tables of a company's year in ``folder``, and ask a bot that has them for its pages."""
    worked = list(working_days(days, START))
    records, kept = (
        Database(f"sqlite:///{folder / 'records.sqlite3'}"),
        Database(f"sqlite:///{folder / 'kept.sqlite3'}"),
    )
    try:
        for database in (records, kept):
            await database.migrate()
        await put_year(records, people, worked)
        figures = StoredEfficiency(records, WorkingHours(ZONE), lambda: START)
        took = []
        for _ in range(2):
            began = perf_counter()
            await figures.fill()
            took.append(perf_counter() - began)
        tables = await copy_tables(records, kept)
        rows = {table.name: len(await kept.rows(select(table))) for table in DAILY}
    finally:
        await records.close()
        await kept.close()
    roles = {role: frozenset({STAFF[role]}) for role in STAFF if role != "no role"}
    access = {"directory": None, "presets": True, "roles": roles}
    times: dict[tuple[str, str], list[tuple[float, float]]] = {}
    told: dict[str, str] = {}
    place = SecretStr(f"sqlite:///{folder / 'kept.sqlite3'}")
    async with open_timeline_in(folder, access=access, database_url=place) as scenario:
        for reader in READERS:
            async with page_client(scenario.system.app.settings.http.public_url) as browser:
                told[reader] = (await browser.log_in(STAFF[reader], ADDRESSES[0])).text
                for address in ADDRESSES:
                    for _ in range(pages):
                        began, used = perf_counter(), process_time()
                        await browser.get(address)
                        times.setdefault((address, reader), []).append((perf_counter() - began, process_time() - used))
    return EfficiencyMeasurement(
        rows=rows,
        fill=took[0],
        fill_again=took[1],
        tables=tables,
        pages=times,
        told=told,
    )


def main() -> None:
    """Print the numbers."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.bench_efficiency", description=__doc__)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--days", type=int, default=DAYS)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measure(Path(folder), people=wanted.people, days=wanted.days))
    print(f"{wanted.people} people, {wanted.days} days; rows: {found.rows}")
    print(f"fill: {found.fill:.1f} s, again {found.fill_again:.2f} s")
    print(f"daily tables: {found.tables / 1e6:.1f} MB (goal {TABLES_MB:g} MB)")
    for (address, reader), took in found.pages.items():
        clock, processor = ([each[of] * 1e3 for each in took] for of in range(2))
        print(
            f"{address} for {reader}: median {statistics.median(clock):.0f} ms, slowest {max(clock):.0f} ms, CPU"
            f" {statistics.median(processor):.0f} ms (goal {PAGE_MS:g} ms)"
        )


if __name__ == "__main__":
    main()
