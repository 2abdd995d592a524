"""The living demo company: plausible, the same for the same seed, and consistent after any time."""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection

from bot.erp.kinds import FOLLOWED, Kind
from bot.erp.model import Area, Decision, DecisionOutcome, Followed, ReviewState, Verdict
from bot.erp.port import Filter, ListQuery
from bot.kit.company.activity import FIRST_STEP_AFTER, MAX_STEPS_AT_ONCE, STEPS_PER_DAY, take_step
from bot.kit.company.activity_step import PINNED
from bot.kit.company.adapter import DemoErp, open_demo
from bot.kit.company.decisions import decide
from bot.kit.company.documents import PURCHASE_ORDERS
from bot.kit.company.manifest import DemoOptions
from bot.kit.company.sales import ZONE
from bot.kit.company.supply import SECOND_LEVEL_ABOVE
from bot.kit.testing.erp_checks import resulting_order
from tests.erp.conftest import NOW, TODAY
from tests.examples import examples

PACE = 6.0
STEP = timedelta(seconds=3600 / PACE / STEPS_PER_DAY)


class Clock:
    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> Any:
        return self.time


async def open_living(place: Path, clock: Clock, pace: float = PACE) -> DemoErp:
    return await open_demo(place, today=TODAY, now=clock.now, days_per_hour=pace)


async def dump(erp: DemoErp) -> dict[str, list[Any]]:
    def read(connection: Connection) -> dict[str, list[Any]]:
        names = [row[0] for row in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))]
        return {name: sorted(map(repr, connection.execute(text(f"SELECT * FROM {name}")))) for name in names}

    return await erp._database.run(read)


async def test_nothing_changes_where_it_is_not_switched_on(demo_file: Path) -> None:
    assert not DemoOptions().living
    clock = Clock()
    erp = await open_demo(demo_file, today=TODAY, now=clock.now)
    before = await dump(erp)
    clock.time += timedelta(days=30)
    await erp.stock("SKU123")
    assert await dump(erp) == before
    await erp.close()


async def test_the_same_clock_leads_to_the_same_company(demo_file: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(demo_file, tmp_path / "copy.sqlite3"))
    dumps = []
    for place in (demo_file, copy):
        clock = Clock()
        erp = await open_living(place, clock)
        for _ in range(45):
            clock.time += STEP
            await erp.check()
        dumps.append(await dump(erp))
        await erp.close()
    assert dumps[0] == dumps[1]


async def test_the_first_shortage_comes_within_seconds_and_is_over_some_minutes_later(demo_file: Path) -> None:
    clock = Clock()
    erp = await open_living(demo_file, clock)
    cursor = await end_of(erp, Area.STOCK)
    clock.time += FIRST_STEP_AFTER
    changed = [change.key for change in (await erp.changed_since(Area.STOCK, cursor, limit=100)).items]
    short = [sku for sku in changed if (await erp.stock(sku)).below_reorder_point]
    assert len(short) == 1
    began = clock.time
    while (await erp.stock(short[0])).below_reorder_point:
        clock.time += STEP
        assert clock.time - began < timedelta(minutes=15)
    await erp.close()


async def end_of(erp: DemoErp, area: Followed) -> str:
    return (await erp.changed_since(area, "", limit=10_000)).cursor


async def test_every_change_of_a_document_is_told_also_that_it_is_a_day_older(demo_file: Path) -> None:
    clock = Clock()
    erp = await open_living(demo_file, clock)
    before = {kind: await all_documents(erp, kind) for kind in FOLLOWED}
    ends = {kind: await end_of(erp, kind.followed) for kind in FOLLOWED}
    for _ in range(2 * STEPS_PER_DAY):
        clock.time += STEP
        await erp.check()
    for kind in FOLLOWED:
        after = await all_documents(erp, kind)
        news = (await erp.changed_since(kind.followed, ends[kind], limit=10_000)).items
        changed = {number for number, document in after.items() if document != before[kind].get(number)}
        assert changed, kind.call
        assert {change.key for change in news} == changed, kind.call
        assert {change.key: change.changed_at for change in news} == {
            number: after[number].changed_at for number in changed
        }, kind.call
    await erp.close()


async def all_documents(erp: DemoErp, kind: Kind[Any]) -> dict[str, Any]:
    """Return all documents of a kind with their lines, by number."""
    listed = (await erp.documents(kind, ListQuery(limit=10_000))).items
    read = await erp.read_documents(kind.followed, [each.number for each in listed])
    return {each.number: each for each in read}  # type: ignore[attr-defined]  # documents have numbers


async def test_what_is_documented_stays_as_it_is(demo_file: Path) -> None:
    clock = Clock()
    erp = await open_living(demo_file, clock)

    async def documented() -> list[Any]:
        level = await erp.stock("SKU123")
        return [
            (level.total, level.per_warehouse, level.reorder_point), await erp.order("SO-1001"),
            await erp.invoice("INV-7"), await erp.purchase_order("PO-1001"), await erp.production_order("MO-1"),
            *[await erp.purchase_order(f"PO-100{number}") for number in (2, 3, 4)],
        ]  # fmt: skip

    before = await documented()
    for _ in range(STEPS_PER_DAY):
        clock.time += STEP
        await erp.check()
    assert await documented() == before
    assert {"SKU123", "SO-1001", "INV-7", "PO-1001", "MO-1"} <= PINNED
    await erp.close()


async def test_what_is_finished_is_finished_on_the_day_on_which_it_happens(demo_file: Path) -> None:
    clock = Clock()
    erp = await open_living(demo_file, clock)
    finished = ListQuery(filter=Filter.DONE, limit=1_000)
    before = {order.number for order in (await erp.production_orders(finished)).items}
    for _ in range(STEPS_PER_DAY):
        clock.time += STEP
        await erp.check()
    today = clock.time.astimezone(ZONE).date()
    newly = [order for order in (await erp.production_orders(finished)).items if order.number not in before]
    assert newly
    assert {order.finished_on for order in newly} <= {today - timedelta(days=1), today}
    await erp.close()


@pytest.mark.soak
async def test_a_life_of_ten_days_has_all_kinds_of_news_at_a_believable_rate(demo_file: Path) -> None:
    clock = Clock()
    erp = await open_living(demo_file, clock)
    lists = {
        "overdue": lambda: erp.invoices(ListQuery(filter=Filter.OVERDUE, limit=1_000)),
        "late orders": lambda: erp.orders(ListQuery(filter=Filter.LATE, limit=1_000)),
        "pending": lambda: erp.purchase_orders(ListQuery(filter=Filter.PENDING, limit=1_000)),
        "late production": lambda: erp.production_orders(ListQuery(filter=Filter.LATE, limit=1_000)),
    }
    open_before = {name: {item.number for item in (await read()).items} for name, read in lists.items()}
    opened_counts: Counter[str] = Counter()
    went: Counter[str] = Counter()
    days = 10
    for step in range(1, days * STEPS_PER_DAY + 1):
        clock.time += STEP
        await erp.check()
        if step % 6:  # An occasional reader sees it as well, and the lists are long.
            continue
        for name, read in lists.items():
            now_open = {item.number for item in (await read()).items}
            opened_counts[name] += len(now_open - open_before[name])
            went[name] += len(open_before[name] - now_open)
            open_before[name] = now_open
    for name in lists:
        assert opened_counts[name] >= 3, f"{name}: {opened_counts}"
        assert went[name] >= 3, f"{name}: {went}"
        assert opened_counts[name] <= days * 6, f"{name}: {opened_counts}"
        assert len(open_before[name]) < 100
    await erp.close()


async def test_a_clock_that_was_stopped_brings_no_week_of_news(demo_file: Path) -> None:
    clock = Clock()
    erp = await open_living(demo_file, clock)
    clock.time += timedelta(days=7)
    await erp.check()
    steps = await erp._database.run(lambda c: c.scalar(text("SELECT value FROM demo_meta WHERE name = 'steps'")))
    assert steps == str(MAX_STEPS_AT_ONCE)
    await erp.check()
    clock.time += STEP
    await erp.check()
    steps = await erp._database.run(lambda c: c.scalar(text("SELECT value FROM demo_meta WHERE name = 'steps'")))
    assert steps == str(MAX_STEPS_AT_ONCE + 1)
    await erp.close()


async def test_it_goes_on_after_a_restart(demo_file: Path) -> None:
    clock = Clock()
    for opened in (1, 2):
        erp = await open_living(demo_file, clock)
        clock.time += FIRST_STEP_AFTER
        await erp.check()
        steps = await erp._database.run(lambda c: c.scalar(text("SELECT value FROM demo_meta WHERE name = 'steps'")))
        assert steps == str(opened)
        await erp.close()


@given(seed=st.integers(0, 10_000), steps=st.integers(1, 45), decided=st.lists(st.booleans(), max_size=5))
@settings(max_examples=examples(1 / 10), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_company_is_sound_after_any_time(filled: Path, seed: int, steps: int, decided: list[bool]) -> None:
    engine = create_engine("sqlite://", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        source = create_engine(f"sqlite:///{filled}")
        with source.connect() as original:
            original.connection.driver_connection.backup(connection.connection.driver_connection)  # type: ignore[union-attr]
        source.dispose()
        decisions = iter(decided)
        for number in range(steps):
            take_step(connection, seed, NOW + number * STEP)
            if number % 10 == 3 and (approves := next(decisions, None)) is not None:
                decide_something(connection, Verdict.APPROVE if approves else Verdict.REJECT)
        take_step(connection, seed, NOW + steps * STEP)
        judge(connection)
    engine.dispose()


def decide_something(connection: Connection, verdict: Verdict) -> None:
    """Let a person decide in chat; it works as in a company without activity."""
    waiting = connection.execute(
        text("SELECT number FROM demo_purchase WHERE status = 'waiting' ORDER BY changed_at DESC, number LIMIT 1")
    ).scalar_one()
    order = PURCHASE_ORDERS.document(connection, waiting, "demo")
    assert order.review.approval is not None
    by = order.review.approval.pending_for[0]
    result = decide(
        connection, Decision(number=waiting, version=order.review.version, verdict=verdict, by=by), "demo", NOW
    )
    assert result.outcome in {DecisionOutcome.APPLIED, DecisionOutcome.MORE_APPROVALS_NEEDED}
    assert result.document is not None
    assert (resulting_order(result).status is ReviewState.WAITING) == (
        result.outcome is DecisionOutcome.MORE_APPROVALS_NEEDED
    )


def judge(connection: Connection) -> None:
    """Check all figures against one another."""

    def rows(query: str) -> Any:
        return connection.execute(text(query)).mappings().all()

    owed: defaultdict[str, Decimal] = defaultdict(Decimal)
    coming: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in rows(
        "SELECT l.* FROM demo_order_line l JOIN demo_order o USING (number_key) "
        "WHERE o.status IN ('open', 'partly_delivered')"
    ):
        owed[line["sku"].casefold()] += exact(line["quantity"]) - exact(line["delivered"])
    for line in rows(
        "SELECT l.* FROM demo_purchase_line l JOIN demo_purchase p USING (number_key) WHERE p.status = 'approved'"
    ):
        coming[line["sku"].casefold()] += exact(line["quantity"]) - exact(line["received"])
    for made in rows("SELECT * FROM demo_production WHERE status IN ('released', 'running')"):
        coming[made["sku"].casefold()] += exact(made["planned"]) - exact(made["produced"])
    totals: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for stock in rows("SELECT s.*, p.sku FROM demo_stock s JOIN demo_product p USING (sku_key)"):
        on_hand, reserved, outgoing = (exact(stock[name]) for name in ("on_hand", "reserved", "outgoing"))
        assert 0 <= reserved <= on_hand
        assert reserved == min(on_hand, outgoing)
        totals[stock["sku"].casefold(), "outgoing"] += outgoing
        totals[stock["sku"].casefold(), "incoming"] += exact(stock["incoming"])
    for (sku, figure), total in totals.items():
        assert total == (owed if figure == "outgoing" else coming).get(sku, 0), f"{figure} of {sku}"
    _judge_documents(rows)


def _judge_documents(rows: Any) -> None:
    for kind in ("order", "purchase"):
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for line in rows(f"SELECT * FROM demo_{kind}_line"):
            sums[line["number_key"]] += exact(line["amount"])
        for document in rows(f"SELECT * FROM demo_{kind}"):
            assert exact(document["total"]) == sums[document["number_key"]]
            assert len(document["ordered_on"]) == 10
            if kind == "purchase" and document["status"] not in ("draft", "cancelled"):
                assert document["levels"] == 1 + (exact(document["total"]) > SECOND_LEVEL_ABOVE)
    orders = {order["number"]: order for order in rows("SELECT * FROM demo_order")}
    for invoice in rows("SELECT * FROM demo_invoice"):
        assert abs(exact(invoice["open_amount"])) <= abs(exact(invoice["total"]))
        assert (invoice["status"] != "paid") or exact(invoice["open_amount"]) == 0
        assert invoice["customer"] == orders[invoice["order_number"]]["customer"]
    _judge_settlement(rows)
    _judge_days(rows)
    delivered: defaultdict[str, list[bool]] = defaultdict(list)
    for line in rows("SELECT * FROM demo_order_line"):
        delivered[line["number_key"]].append(exact(line["delivered"]) == exact(line["quantity"]))
    for order in orders.values():
        assert (order["delivery"] == "full") == all(delivered[order["number_key"]])


def _judge_days(rows: Any) -> None:
    """Check that what follows from something comes after it, however many days have gone by."""
    for later, earlier, together in (
        ("d.shipped_on", "o.ordered_on", "demo_delivery d JOIN demo_order o ON o.number = d.order_number"),
        ("i.issued_on", "o.ordered_on", "demo_invoice i JOIN demo_order o ON o.number = i.order_number"),
        ("r.received_on", "p.ordered_on", "demo_receipt r JOIN demo_purchase p ON p.number = r.orders"),
        ("b.issued_on", "p.ordered_on", "demo_bill b JOIN demo_purchase p ON p.number = b.order_number"),
        ("p.paid_on", "i.issued_on", f"{_SETTLED} JOIN demo_invoice i ON i.number = s.document"),
        ("p.paid_on", "b.issued_on", f"{_SETTLED} JOIN demo_bill b ON b.number = s.document"),
        ("m.finished_on", "m.start_on", "demo_production m"),
    ):
        assert rows(f"SELECT 1 FROM {together} WHERE {later} >= {earlier} LIMIT 1"), "nothing is compared"
        assert not rows(f"SELECT {later}, {earlier} FROM {together} WHERE {later} < {earlier}"), together


_SETTLED = "demo_payment p JOIN demo_settled s USING (number_key)"


def _judge_settlement(rows: Any) -> None:
    paid: defaultdict[str, Decimal] = defaultdict(Decimal)
    for part in rows("SELECT p.amount, s.document FROM demo_settled s JOIN demo_payment p USING (number_key)"):
        paid[part["document"]] += exact(part["amount"])
    for kind in ("invoice", "bill"):
        for document in rows(f"SELECT * FROM demo_{kind} WHERE status NOT IN ('void', 'draft')"):
            assert exact(document["total"]) - exact(document["open_amount"]) == paid[document["number"]]
    billed: defaultdict[str, Decimal] = defaultdict(Decimal)
    for bill in rows("SELECT * FROM demo_bill"):
        billed[bill["order_number"]] += exact(bill["total"])
    came: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in rows("SELECT l.*, p.number FROM demo_purchase_line l JOIN demo_purchase p USING (number_key)"):
        came[line["number"]] += exact(line["price"]) * exact(line["received"])
    taken_in: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in rows("SELECT l.quantity, r.orders FROM demo_receipt_line l JOIN demo_receipt r USING (number_key)"):
        taken_in[line["orders"]] += exact(line["quantity"])
    for line in rows("SELECT l.received, p.number FROM demo_purchase_line l JOIN demo_purchase p USING (number_key)"):
        taken_in[line["number"]] -= exact(line["received"])
    assert not any(taken_in.values()), "receipts are what came in of orders"
    for number, value in came.items():
        assert abs(billed[number] - value) <= Decimal("0.01"), number


def exact(value: int) -> Decimal:
    """Return a figure as `bot.mechanisms.column_types` stores it."""
    return Decimal(value).scaleb(-6)
