"""What deciders are told beyond the order: computed from other orders and stock, and bounded in calls and time."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest

from bot.approvals.cards.insights import (
    MAX_LISTED,
    MAX_READ,
    InsightData,
    Insights,
    InsightThresholds,
    MissingInsight,
    analyse,
    collect,
)
from bot.erp.errors import ErpError, NotFound, Unavailable
from bot.erp.model import (
    Money,
    Product,
    Progress,
    PurchaseLine,
    PurchaseOrder,
    Quantities,
    ReviewState,
    Slice,
    StockLevel,
)
from bot.erp.port import ListQuery
from tests.approvals.company import NOW, money
from tests.approvals.env import PATIENCE, Clock
from tests.bare_records import bare
from tests.rows import each_row

TODAY = NOW.date()
MARKS = InsightThresholds()


def line(sku: str, price: str | None, quantity: str = "10", unit: str = "件") -> PurchaseLine:
    return PurchaseLine(
        sku=sku, name=sku, unit=unit, quantity=Decimal(quantity), price=None if price is None else money(price)
    )


def order(
    number: str,
    *lines: PurchaseLine,
    status: ReviewState = ReviewState.DONE,
    ordered: date = TODAY - timedelta(days=40),
    due: date | None = TODAY + timedelta(days=5),
    total: str | None = "100 CNY",
    vendor: str = "ACME",
    received: Progress | None = Progress.NONE,
) -> PurchaseOrder:
    return bare(
        PurchaseOrder,
        number,
        vendor=vendor,
        status=status,
        ordered_on=ordered,
        due_on=due,
        total=None if total is None else money(total),
        received=received,
        lines=lines,
        version="v1",
        source="main",
    )


def level(
    sku: str, available: str | None, on_hand: str = "7", unit: str = "件", incoming: str | None = None
) -> StockLevel:
    return StockLevel(
        product=Product(sku=sku, name=sku, unit=unit),
        total=Quantities(
            on_hand=Decimal(on_hand),
            available=None if available is None else Decimal(available),
            incoming=None if incoming is None else Decimal(incoming),
        ),
        per_warehouse=(),
        reorder_point=None,
        as_of=NOW,
    )


NEW = order("PO-9", line("S1", "1.20 CNY"), status=ReviewState.WAITING, ordered=TODAY)


def evidence(*others: PurchaseOrder, stock: Sequence[StockLevel] = ()) -> InsightData:
    return InsightData(listed=others, read=others, stock={one.product.sku: one for one in stock})


def test_the_last_price_is_the_latest_that_was_really_agreed() -> None:
    old = order("PO-1", line("S1", "0.80 CNY"), ordered=date(2026, 1, 1))
    last = order("PO-2", line("S1", "1.00 CNY"), ordered=date(2026, 6, 1), status=ReviewState.APPROVED)
    waits = order("PO-3", line("S1", "0.10 CNY"), ordered=date(2026, 11, 1), status=ReviewState.WAITING)
    refused = order("PO-4", line("S1", "9.00 CNY"), ordered=date(2026, 11, 2), status=ReviewState.REJECTED)
    unpriced = order("PO-5", line("S1", None), ordered=date(2026, 11, 3))
    about = analyse(NEW, evidence(refused, old, last, waits, unpriced), TODAY, MARKS).lines["S1"]
    assert about.last is not None
    assert (about.last.number, about.last.price, about.last.on) == ("PO-2", money("1.00 CNY"), date(2026, 6, 1))
    assert about.last.drift == Decimal("20.0")


@each_row(
    ("then", "now", "drift"),
    [
        ("1.00 CNY", "1.10 CNY", "10.0"),
        ("1.00 CNY", "1.1006 CNY", "10.1"),
        ("1.00 CNY", "0.95 CNY", "-5.0"),
        ("3.00 CNY", "3.00 CNY", "0.0"),
        ("1.00 USD", "9.00 CNY", None),
        ("0 CNY", "1 CNY", None),
    ],
)
def test_drift(then: str, now: str, drift: str | None) -> None:
    new = replace(NEW, lines=(line("S1", now),))
    about = analyse(new, evidence(order("PO-1", line("S1", then))), TODAY, MARKS).lines["S1"]
    assert about.last is not None
    assert about.last.drift == (None if drift is None else Decimal(drift))


def test_another_unit_is_no_comparison() -> None:
    about = analyse(
        NEW,
        evidence(order("PO-1", line("S1", "100 CNY", unit="箱")), stock=[level("S1", "5", unit="箱")]),
        TODAY,
        MARKS,
    )
    assert (about.lines["S1"].last, about.lines["S1"].at_hand) == (None, None)


def test_a_quantity_far_above_the_usual_one() -> None:
    past = [order(f"PO-{n}", line("S1", "1 CNY", str(10 * n))) for n in (1, 2, 3)]
    for quantity, usual in (("60", None), ("60.5", Decimal(20))):
        new = replace(NEW, lines=(line("S1", "1 CNY", quantity),))
        assert analyse(new, evidence(*past), TODAY, MARKS).lines["S1"].usual == usual
    much = replace(NEW, lines=(line("S1", "1 CNY", "9999"),))
    assert analyse(much, evidence(past[0]), TODAY, MARKS).lines["S1"].usual is None


def test_stock_is_what_is_available_else_on_hand() -> None:
    about = analyse(NEW, evidence(stock=[level("S1", "3", incoming="50")]), TODAY, MARKS).lines["S1"]
    assert (about.at_hand, about.incoming) == (Decimal(3), Decimal(50))
    assert analyse(NEW, evidence(stock=[level("S1", None)]), TODAY, MARKS).lines["S1"].at_hand == Decimal(7)


def test_lateness_of_the_supplier() -> None:
    due = [TODAY - timedelta(days=9), TODAY - timedelta(days=1), TODAY, TODAY + timedelta(days=3)]
    awaited = [order(f"PO-{n}", status=ReviewState.APPROVED, due=day) for n, day in enumerate(due)]
    over = order("PO-7", status=ReviewState.APPROVED, due=due[0], received=Progress.FULL)
    found = analyse(NEW, evidence(*awaited, over, order("PO-8")), TODAY, MARKS).lateness
    assert found is not None
    assert (found.awaited, found.late, found.days) == (4, 2, 9)
    assert analyse(NEW, evidence(order("PO-8")), TODAY, MARKS).lateness is None


def test_open_orders_and_repeats() -> None:
    same = order("PO-1", line("S1", "9 CNY"), status=ReviewState.WAITING, ordered=TODAY - timedelta(days=30))
    old = order("PO-2", line("S1", "9 CNY"), status=ReviewState.APPROVED, ordered=TODAY - timedelta(days=31))
    more = order("PO-3", line("S1", "9 CNY", "11"), status=ReviewState.WAITING, ordered=TODAY)
    done = order("PO-4", line("S1", "9 CNY"), ordered=TODAY)
    found = analyse(NEW, evidence(same, old, more, done), TODAY, MARKS)
    assert (found.open_orders, found.duplicates) == (("PO-2",), ("PO-1",)), "what waits is not open, and may repeat"
    undated = replace(same, ordered_on=None)
    assert analyse(NEW, evidence(undated), TODAY, MARKS).duplicates == ("PO-1",)
    assert analyse(replace(NEW, lines=()), evidence(replace(same, lines=())), TODAY, MARKS).duplicates == ()


def test_a_due_date_that_has_passed() -> None:
    assert [
        analyse(replace(NEW, due_on=day), evidence(), TODAY, MARKS).past_due
        for day in (TODAY - timedelta(days=1), TODAY, None)
    ] == [True, False, False]


def test_another_currency_than_usual() -> None:
    dollars = [order(f"PO-{n}", total="10 USD") for n in (1, 2)]
    assert analyse(NEW, evidence(*dollars), TODAY, MARKS).usual_currency == "USD"
    assert analyse(NEW, evidence(dollars[0]), TODAY, MARKS).usual_currency == ""
    assert analyse(replace(NEW, total=money("5 USD")), evidence(*dollars), TODAY, MARKS).usual_currency == ""
    assert analyse(replace(NEW, total=None), evidence(*dollars), TODAY, MARKS).usual_currency == ""


@dataclass
class FakeInsightSource:
    """Stands in for one source; what is in ``slow`` waits for the gate, what is in ``broken`` raises."""

    orders: Sequence[PurchaseOrder] = ()
    levels: Sequence[StockLevel] = ()
    slow: set[str] = field(default_factory=set)
    broken: dict[str, ErpError] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def purchase_order(self, number: str) -> PurchaseOrder:
        await self._call(number)
        return next(one for one in self.orders if one.number == number)

    async def purchase_orders(self, query: ListQuery) -> Slice[PurchaseOrder]:
        await self._call(f"list {query.text} {query.limit}")
        found = tuple(replace(one, lines=()) for one in self.orders if query.text.casefold() in one.vendor.casefold())
        return Slice(items=found[: query.limit], total=len(found))

    async def stock(self, sku: str) -> StockLevel:
        await self._call(sku)
        return next(one for one in self.levels if one.product.sku == sku)

    async def _call(self, what: str) -> None:
        self.calls.append(what)
        if what in self.slow:
            await self.gate.wait()
        if what in self.broken:
            raise self.broken[what]


LEVELS = tuple(level(f"S{n}", "5") for n in range(1, 10))


async def test_calls_are_bounded() -> None:
    many = [order(f"PO-{n}", line("S1", "1 CNY"), vendor="ACME") for n in range(100, 130)]
    wide = replace(NEW, lines=tuple(line(f"S{n}", "1 CNY") for n in range(1, 9)))
    archive = FakeInsightSource([wide, order("PO-50", vendor="ACME Europe"), *many], LEVELS)
    found = await collect(archive, wide, seconds=PATIENCE)
    assert archive.calls.count(f"list ACME {MAX_LISTED}") == 1
    assert len(archive.calls) == 1 + MAX_READ + 5
    assert "PO-9" not in archive.calls
    assert all(one.vendor == "ACME" for one in found.listed)
    assert found.missing == frozenset()


async def test_nothing_is_asked_about_nobody() -> None:
    archive = FakeInsightSource()
    found = await collect(archive, replace(NEW, vendor="", lines=()), seconds=PATIENCE)
    assert (archive.calls, found) == ([], InsightData())


async def test_what_is_not_there_in_time_is_missing_and_the_rest_is_told() -> None:
    past = order("PO-1", line("S1", "1 CNY"))
    slow = order("PO-2", line("S1", "1 CNY"))
    archive = FakeInsightSource([past, slow], LEVELS, slow={"PO-2"})
    found = await collect(archive, NEW, seconds=0.5)
    assert ([one.number for one in found.read], found.missing) == (["PO-1"], {MissingInsight.HISTORY})
    assert set(found.stock) == {"S1"}
    archive = FakeInsightSource([past], LEVELS, slow={"S1"})
    found = await collect(archive, NEW, seconds=0.5)
    assert ([one.number for one in found.read], found.missing) == (["PO-1"], {MissingInsight.STOCK})


async def test_time_may_be_over_before_a_read_begins() -> None:
    """Python would warn of a read that was made and never awaited, and here a warning is a failure."""
    archive = FakeInsightSource([order("PO-1", line("S1", "1 CNY"))], LEVELS)
    found = await collect(archive, NEW, seconds=0)
    assert MissingInsight.HISTORY in found.missing
    gc.collect(1)  # what is older is of other tests, and takes seconds


@pytest.mark.parametrize("error", [Unavailable("away"), NotFound("S1")])
async def test_what_fails_is_missing(error: ErpError) -> None:
    archive = FakeInsightSource(
        [order("PO-1", line("S1", "1 CNY"))], LEVELS, broken={"list ACME 20": error, "S1": error}
    )
    found = await collect(archive, NEW, seconds=PATIENCE)
    assert (found.read, dict(found.stock), found.missing) == ((), {}, {MissingInsight.HISTORY, MissingInsight.STOCK})


async def test_a_revision_is_studied_once_for_all_who_ask() -> None:
    archive, clock = FakeInsightSource([order("PO-1", line("S1", "1 CNY"))], LEVELS), Clock()
    insights = Insights(lambda source: archive, now=clock, seconds=PATIENCE)
    first, second = await asyncio.gather(insights.of("case", NEW), insights.of("case", NEW))
    assert first is second
    calls = len(archive.calls)
    clock.move(minutes=10)
    assert await insights.of("case", NEW) is first
    assert len(archive.calls) == calls
    clock.move(seconds=PATIENCE)
    assert insights.known("case") is None
    await insights.of("case", NEW)
    assert len(archive.calls) == 2 * calls


async def test_what_was_late_yesterday_is_judged_anew_after_midnight() -> None:
    other = order("PO-1", status=ReviewState.APPROVED, due=TODAY)
    clock = Clock()
    clock.time = datetime.combine(TODAY, time(23, 58), clock.time.tzinfo)
    insights = Insights(lambda source: FakeInsightSource([other], LEVELS), now=clock, seconds=PATIENCE)
    late = []
    for _ in range(2):
        lateness = (await insights.of("case", NEW)).lateness
        assert lateness is not None
        late.append(lateness.late)
        clock.move(minutes=4)
    assert late == [0, 1]


async def test_what_was_missing_is_looked_for_again() -> None:
    archive = FakeInsightSource([], LEVELS, broken={"S1": Unavailable("away")})
    insights = Insights(lambda source: archive, now=Clock(), seconds=PATIENCE)
    assert (await insights.of("case", NEW)).missing == {MissingInsight.STOCK}
    archive.broken.clear()
    assert (await insights.of("case", NEW)).missing == frozenset()


def test_amounts_are_exact() -> None:
    about = analyse(
        replace(NEW, lines=(line("S1", "0.30 CNY"),)),
        evidence(order("PO-1", line("S1", "0.10 CNY"))),
        TODAY,
        MARKS,
    ).lines["S1"]
    assert about.last is not None
    assert about.last.drift == Decimal("200.0")
    assert isinstance(about.last.price, Money)
