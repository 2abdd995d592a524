"""What reports cost: ``python -m tests.load.bench_report`` prints the numbers.

The company has 100 000 documents of 400 days, one in twenty of them open, and answers from memory. They are followed as
the bot follows them, into a database file of their own, and then reported on as `/report month` does. ``--days 55``
puts all of them into the days that such a report compares.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from random import Random
from time import perf_counter, process_time
from typing import Any

import psutil

from bot.erp.hub import ErpHub
from bot.erp.kinds import D, Kind
from bot.erp.model import Area, ErpRecord, Followed, InvoiceStatus, OrderStatus, ProductionStatus, ReviewState, Slice
from bot.erp.port import Filter, ListQuery
from bot.mechanisms.metrics import Metrics
from bot.read_model.follower import DocumentFollower, area_followers
from bot.read_model.queries import ReadModel
from bot.read_model.report import ReportSpan, read_figures
from bot.store.database import Database
from bot.store.erp.read_model import StoredDocuments
from tests.read_model.ledger import (
    TODAY,
    LedgerClock,
    LedgerOfBatches,
    bill,
    invoice,
    payment,
    production,
    purchase,
    sales_order,
    yuan,
)

DOCUMENTS, DAYS, REPORTS, CHANGED = 100_000, 400, 20, 1_000
REPORT_MS = 500.0
"""The goal at the median, without a call to the ERP."""
AREAS = (Area.SALES, Area.FINANCE, Area.PURCHASING, Area.PRODUCTION)


def generate_documents(count: int, days: int, today: date = TODAY) -> Iterator[ErpRecord]:
    """Yield the documents of a company: two fifths of them orders, a quarter invoices; the same ones each time."""
    rng = Random(7)
    for number in range(count):
        day = today - timedelta(days=rng.randrange(days))
        is_open, kind = rng.random() < 0.05, number % 20
        due, amount = day + timedelta(days=rng.randrange(60)), yuan(f"{rng.randrange(10_000, 9_000_000) / 100:.2f}")
        partner = f"客户 {rng.randrange(2_000)} 有限公司"
        if kind < 8:
            yield sales_order(
                f"SO-{number}",
                day,
                customer=partner,
                total=amount,
                promised_on=due,
                status=OrderStatus.OPEN if is_open else OrderStatus.DELIVERED,
            )
        elif kind < 13:
            yield invoice(
                f"INV-{number}",
                day,
                customer=partner,
                total=amount,
                due_on=due,
                open_amount=amount if is_open else yuan("0"),
                status=InvoiceStatus.UNPAID if is_open else InvoiceStatus.PAID,
            )
        elif kind < 15:
            yield payment(f"PAY-{number}", day, partner=partner, amount=amount)
        elif kind < 17:
            yield bill(
                f"BILL-{number}",
                day,
                vendor=partner,
                total=amount,
                due_on=due,
                open_amount=amount if is_open else yuan("0"),
                status=InvoiceStatus.UNPAID if is_open else InvoiceStatus.PAID,
            )
        elif kind < 19:
            status = ReviewState.APPROVED if is_open else ReviewState.DONE
            yield purchase(f"PO-{number}", day, vendor=partner, total=amount, due_on=due, status=status)
        else:
            status_made = ProductionStatus.RUNNING if is_open else ProductionStatus.DONE
            yield production(f"MO-{number}", day, status=status_made)


class SortedLedger(LedgerOfBatches):
    """Sorts its lists once, as a database does."""

    def __init__(self, clock: LedgerClock, *documents: ErpRecord) -> None:
        super().__init__(clock, *documents)
        self._lists: dict[tuple[Followed, Filter], list[Any]] = {}

    async def documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        self._called(kind.list_call)
        key = kind.followed, query.filter
        if key not in self._lists:
            whole = replace(query, offset=0, limit=len(self.kept[kind.followed]))
            self._lists[key] = list(kind.pick(self.kept[kind.followed].values(), whole, TODAY).items)
        found = self._lists[key]
        return Slice(items=tuple(found[query.offset : query.offset + query.limit]), total=len(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportMeasurement:
    """Times in seconds, sizes in bytes; ``calls`` are those to the ERP while it was reported."""

    fill: float
    fill_calls: int
    reports: Sequence[float]
    report_cpu: Sequence[float]
    calls: int
    refresh: float
    refresh_calls: int
    file: int
    memory: int


async def measure(folder: Path, *, count: int, days: int, reports: int = REPORTS) -> ReportMeasurement:
    """Fill a database in ``folder`` with a company's documents and report on them."""
    url = f"sqlite:///{folder / 'bot.sqlite3'}"
    database, reads = Database(url), Database(url)
    await database.migrate()
    clock = LedgerClock()
    erp = SortedLedger(clock, *generate_documents(count, days))
    hub = ErpHub([erp], metrics=Metrics(), now=clock.now, timeout=60.0)  # type: ignore[list-item]  # part of a port
    store = StoredDocuments(database, reads)
    areas = area_followers(
        hub.source_client("main"), store, now=clock.now, keep=timedelta(days=DAYS), sleep=_without_rest
    )
    follower = DocumentFollower("main", areas, store, metrics=Metrics(), now=clock.now)
    process, model = psutil.Process(), ReadModel(store, hub)
    try:
        began = perf_counter()
        await follower.catch_up()
        fill, fill_calls = perf_counter() - began, len(erp.asked)
        span, before = ReportSpan.of(TODAY.replace(day=1), TODAY, TODAY), process.memory_info().rss
        times, cpu = [], []
        erp.asked.clear()
        for _ in range(reports):
            began, used = perf_counter(), process_time()
            found = await read_figures(model, AREAS, span, TODAY)
            times.append(perf_counter() - began)
            cpu.append(process_time() - used)
        assert found.sales
        assert found.sales.ordered.count
        calls, memory = len(erp.asked), process.memory_info().rss - before
        clock.advance(minutes=1)
        erp.save(*generate_documents(CHANGED, days))
        began = perf_counter()
        await follower.catch_up()
        return ReportMeasurement(
            fill=fill,
            fill_calls=fill_calls,
            reports=times,
            report_cpu=cpu,
            calls=calls,
            refresh=perf_counter() - began,
            refresh_calls=len(erp.asked),
            file=(folder / "bot.sqlite3").stat().st_size,
            memory=memory,
        )
    finally:
        await hub.close()
        await reads.close()
        await database.close()


async def _without_rest(_: float) -> None:
    await asyncio.sleep(0)


def main() -> None:
    """Print the numbers."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.bench_report", description=__doc__)
    parser.add_argument("--documents", type=int, default=DOCUMENTS)
    parser.add_argument("--days", type=int, default=DAYS)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measure(Path(folder), count=wanted.documents, days=wanted.days))
    reports = sorted(found.reports)
    print(f"{wanted.documents} documents of {wanted.days} days, {found.file / 1e6:.0f} MB")
    print(f"first fill: {found.fill:.1f} s, {found.fill_calls} calls to the ERP")
    print(
        f"/report month: median {statistics.median(reports) * 1e3:.0f} ms, slowest {reports[-1] * 1e3:.0f} ms, CPU"
        f" {statistics.median(found.report_cpu) * 1e3:.0f} ms, {found.calls} calls to the ERP"
    )
    print(f"memory after {len(reports)} reports: {found.memory / 1e6:+.1f} MB")
    print(f"{CHANGED} changed documents: {found.refresh:.2f} s, {found.refresh_calls} calls to the ERP")


if __name__ == "__main__":
    main()
