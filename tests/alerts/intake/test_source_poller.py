"""Polling: each matter is told once, its end too, whatever happens in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.alerts.intake import source_poller
from bot.alerts.intake.areas import AREAS
from bot.alerts.intake.poll_state import Checkpoint, PollConfig
from bot.alerts.intake.schemas import SCHEMAS
from bot.erp.errors import AuthFailed, Invalid, NotPermitted, Unavailable, Unsupported
from bot.erp.model import Area, Changes, InvoiceStatus, OrderStatus, ProductionStatus, ReviewState
from bot.erp.port import Capability
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from tests.alerts.intake.polling_harness import START, TODAY, Clock, Killed, PollingHarness, StubErp, short

YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
OpenBot = Callable[..., PollingHarness]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    await database.migrate()
    yield database
    await database.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def erp(clock: Clock) -> StubErp:
    return StubErp(clock)


@pytest.fixture
def open_bot(database: Database, clock: Clock, erp: StubErp) -> OpenBot:
    def open_bot(source: Any = None, **poll_config: Any) -> PollingHarness:
        return PollingHarness(source or erp, database, clock, PollConfig(**poll_config))

    return open_bot


def fill(erp: StubErp) -> None:
    erp.stocked("A-1", "12")
    erp.stocked("A-2", "0")
    erp.stocked("A-3", "60")
    erp.stocked("A-4", "0", reorder_point=None)
    erp.invoiced("INV-1", YESTERDAY)
    erp.invoiced("INV-2", TOMORROW)
    erp.ordered("SO-1", YESTERDAY)
    erp.ordered("SO-2", TOMORROW)
    erp.made("MO-1", YESTERDAY)
    erp.made("MO-2", TOMORROW)
    erp.requested("PO-1")
    erp.requested("PO-2", ReviewState.APPROVED)


OPENED = [
    "invoice.overdue INV-1", "order.late SO-1", "po.submitted PO-1", "production.late MO-1", "stock.low A-1",
    "stock.out A-2",
]  # fmt: skip


async def test_opens_once_and_repeats_nothing_over_fifty_polls(open_bot: OpenBot, erp: StubErp) -> None:
    fill(erp)
    bot = open_bot()
    await bot.poll()
    assert sorted(await bot.told()) == OPENED
    await bot.poll(50)
    assert sorted(await bot.told()) == OPENED


async def test_what_is_resolved_is_noticed_and_what_opens_again_is_told_again(open_bot: OpenBot, erp: StubErp) -> None:
    fill(erp)
    bot = open_bot()
    await bot.poll()
    erp.stocked("A-1", "70")
    erp.stocked("A-2", "70")
    erp.invoiced("INV-1", YESTERDAY, InvoiceStatus.PAID)
    erp.ordered("SO-1", YESTERDAY, OrderStatus.DELIVERED)
    erp.made("MO-1", YESTERDAY, ProductionStatus.DONE)
    erp.requested("PO-1", ReviewState.REJECTED)
    await bot.poll(3)
    assert sorted((await bot.told())[6:]) == [
        "invoice.paid INV-1", "order.late SO-1 over", "po.decided PO-1", "production.done MO-1", "stock.low A-1 over",
        "stock.low A-2 over",
    ]  # fmt: skip
    fill(erp)
    await bot.poll(3)
    assert sorted((await bot.told())[12:]) == OPENED
    by_subject: dict[object, list[datetime]] = {}
    for event in await bot.events():
        by_subject.setdefault(event["subject"], []).append(datetime.fromisoformat(str(event["time"])))
    assert all(times == sorted(times) for times in by_subject.values()), "an earlier time would count as outdated"


async def test_every_event_is_what_its_schema_says(open_bot: OpenBot, erp: StubErp) -> None:
    fill(erp)
    bot = open_bot(areas=tuple(AREAS))
    await bot.poll()
    erp.requested("PO-1", ReviewState.REJECTED)
    erp.ordered("SO-3", TOMORROW)
    await bot.poll()
    events = {short(event): event for event in await bot.events()}
    for event in events.values():
        schema, data = SCHEMAS[event["type"]], event["data"]  # type: ignore[index]
        assert isinstance(data, dict)
        assert set(data) <= set(schema.model_fields), "keys that nobody would read"
        assert schema.model_validate(data)
    assert events["stock.low A-1"]["data"] == {
        "sku": "A-1", "name": "螺丝", "category": "紧固件", "unit": "个", "available": "12", "on_hand": "12",
        "reorder_point": "50",
    }  # fmt: skip
    assert events["po.decided PO-1"]["data"]["decision"] == "rejected"  # type: ignore[index]
    assert events["po.decided PO-1"]["data"]["decided_by"] == "林明川"  # type: ignore[index]
    assert events["invoice.overdue INV-1"]["data"]["amount"] == "8"  # type: ignore[index]
    assert "order.created SO-3" in events


async def test_worse_and_better_are_changes_and_figures_alone_are_not(open_bot: OpenBot, erp: StubErp) -> None:
    erp.stocked("A-1", "12")
    erp.requested("PO-1")
    erp.invoiced("INV-1", YESTERDAY)
    bot = open_bot()
    await bot.poll()
    erp.stocked("A-1", "7")
    await bot.poll()
    assert len(await bot.events()) == 3
    erp.stocked("A-1", "0")
    erp.requested("PO-1", total="91")
    erp.invoiced("INV-1", YESTERDAY, InvoiceStatus.PART_PAID, owed="3")
    await bot.poll()
    assert sorted((await bot.told())[3:]) == ["invoice.overdue INV-1", "po.changed PO-1", "stock.out A-1"]
    changed = next(event for event in await bot.events() if event["type"] == "po.changed")
    assert changed["data"]["changes"] == ["amount: 98 CNY → 91 CNY"]  # type: ignore[index]
    erp.stocked("A-1", "5")
    await bot.poll()
    assert (await bot.told())[6:] == ["stock.low A-1"]


async def test_time_alone_makes_late_and_overdue(open_bot: OpenBot, erp: StubErp, clock: Clock) -> None:
    erp.invoiced("INV-1", TODAY)
    erp.ordered("SO-1", TODAY)
    erp.made("MO-1", TODAY)
    bot = open_bot()
    await bot.poll()
    assert await bot.told() == []
    clock.advance(hours=15)  # half past midnight
    await bot.poll()
    assert sorted(await bot.told()) == ["invoice.overdue INV-1", "order.late SO-1", "production.late MO-1"]
    midnight = START.replace(hour=0) + timedelta(days=1)
    assert {event["time"] for event in await bot.events()} == {midnight.isoformat(timespec="milliseconds")}


async def test_catch_up_tells_what_happened_meanwhile_with_its_own_time(
    open_bot: OpenBot, erp: StubErp, clock: Clock
) -> None:
    erp.stocked("A-1", "60")
    bot = open_bot()
    await bot.poll()
    clock.advance(hours=3)
    happened = clock.now()
    erp.stocked("A-1", "3")
    erp.requested("PO-1")
    clock.advance(hours=30)
    bot.restart()
    await bot.poll()
    assert sorted(await bot.told()) == ["po.submitted PO-1", "stock.low A-1"]
    assert {event["time"] for event in await bot.events()} == {happened.isoformat(timespec="milliseconds")}


async def test_a_restart_repeats_nothing(open_bot: OpenBot, erp: StubErp) -> None:
    fill(erp)
    bot = open_bot()
    for _ in range(5):
        await bot.poll()
        bot.restart()
    assert sorted(await bot.told()) == OPENED


@pytest.mark.parametrize("moment", ["before the hand-over", "after the hand-over", "before it is forgotten"])
@pytest.mark.parametrize("nth", [1, 2, 3])
async def test_a_crash_loses_nothing_and_doubles_nothing(
    open_bot: OpenBot, erp: StubErp, monkeypatch: pytest.MonkeyPatch, moment: str, nth: int
) -> None:
    fill(erp)
    bot = open_bot()
    count = 0

    def die() -> None:
        nonlocal count
        count += 1
        if count == nth:
            raise Killed

    async def never_forgotten(*_: object) -> None:
        die()

    if moment == "before the hand-over":
        bot.door.before = die
    elif moment == "after the hand-over":
        bot.door.after = die
    else:
        monkeypatch.setattr(bot.store, "sent", never_forgotten)
    with pytest.raises(Killed):
        await bot.poll()
    bot.restart()
    bot.clock.advance(seconds=60)
    # What was low is not any more: whoever was told has to hear of that too.
    erp.stocked("A-1", "70")
    erp.stocked("A-2", "70")
    await bot.poll(5)
    told = await bot.told()
    assert len(told) == len(set(told))
    for sku, kind in (("A-1", "stock.low A-1"), ("A-2", "stock.out A-2")):
        assert (kind in told) == (f"stock.low {sku} over" in told)
    assert {line for line in told if not line.startswith("stock")} == {line for line in OPENED if "stock" not in line}


async def test_a_crash_before_a_step_is_stored_loses_nothing(
    open_bot: OpenBot, erp: StubErp, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(erp)
    for nth in range(1, 12):
        bot = open_bot()
        advance, count = bot.store.advance, 0

        async def dying(*args: Any, nth: int = nth, advance: Any = advance) -> bool:
            nonlocal count
            count += 1
            if count == nth:
                raise Killed
            stored: bool = await advance(*args)
            return stored

        monkeypatch.setattr(bot.store, "advance", dying)
        try:
            await bot.poll()
        except Killed:
            continue
        break
    assert sorted(await open_bot().told()) == OPENED


async def test_equal_times_hide_nothing(open_bot: OpenBot, erp: StubErp) -> None:
    for number in range(50):
        erp.stocked(f"A-{number:02}", "60")
    bot = open_bot(calls=10)
    await bot.poll(20, seconds=1)
    for number in (49, 0, 17):
        erp.stocked(f"A-{number:02}", "1")
    await bot.poll()
    erp.clock.advance(seconds=-60)
    erp.stocked("A-03", "1")  # at the same time as the others, told after them
    await bot.poll(3)
    assert sorted(await bot.told()) == [f"stock.low A-{number:02}" for number in (0, 3, 17, 49)]


@pytest.mark.parametrize(
    "many", [pytest.param(2_000, id="2000"), pytest.param(10_000, id="10000", marks=pytest.mark.soak)]
)
async def test_many_products_are_read_bit_by_bit(many: int, open_bot: OpenBot, erp: StubErp) -> None:
    for number in range(many):
        erp.stocked(f"S-{number}", "5" if number % 100 == 0 else "60")
        erp.clock.advance(milliseconds=1)
    bot = open_bot(areas=("stock",), calls=100)
    asked = []
    while not asked or (await bot.store.positions("main"))["stock"].sweeping:
        erp.asked.clear()
        await bot.poll()
        asked.append(len(erp.asked))
    assert max(asked) <= 120, "one round asks at most so much"
    assert 90 <= len(asked) * 10_000 / many <= 120
    told = await bot.told()
    assert len(told) == len(set(told)) == many / 100
    erp.asked.clear()
    await bot.poll()
    assert len(erp.asked) == 1


@pytest.mark.parametrize(
    "many", [pytest.param(2_000, id="2000"), pytest.param(10_000, id="10000", marks=pytest.mark.soak)]
)
async def test_thousands_of_overdue_invoices_are_listed_once_and_then_the_more_seldom_the_more_there_are(
    many: int, open_bot: OpenBot, erp: StubErp
) -> None:
    for number in range(many):
        erp.invoiced(f"INV-{number}", YESTERDAY - timedelta(days=number % 300))
        erp.clock.advance(milliseconds=1)
    bot = open_bot(areas=("invoices",), calls=60)
    await bot.poll()
    assert len(erp.asked) <= min(75, 5 + many / 100)
    await bot.poll()
    told = await bot.told()
    assert len(told) == len(set(told)) == many
    erp.asked.clear()
    quiet = 30 * many // 10_000
    await bot.poll(quiet)
    assert erp.asked == ["changes"] * quiet


async def test_one_change_among_many_is_told_at_the_next_poll(open_bot: OpenBot, erp: StubErp) -> None:
    for number in range(500):
        erp.stocked(f"S-{number}", "60")
    bot = open_bot(areas=("stock",), calls=40)
    await bot.poll()
    erp.stocked("S-321", "2")
    await bot.poll()
    assert await bot.told() == ["stock.low S-321"], "long before the first sweep is through"


async def test_a_source_that_is_down_is_logged_once_and_polled_on(open_bot: OpenBot, erp: StubErp) -> None:
    fill(erp)
    bot = open_bot()
    await bot.poll()
    erp.failing = lambda call: Unavailable("down")
    with capture_logs() as logs:
        assert not await bot.poll(5)
    assert [(line["event"], line["error"]) for line in logs if "poll" in line["event"]] == [
        ("poll.down", "Unavailable")
    ]
    assert age_of(bot) == 6 * 60
    erp.failing = lambda call: None
    erp.stocked("A-3", "1")
    with capture_logs() as logs:
        assert await bot.poll()
    assert [line["event"] for line in logs if "poll" in line["event"]] == ["poll.up"]
    assert age_of(bot) == 60
    assert sorted(await bot.told()) == sorted([*OPENED, "stock.low A-3"])


def age_of(bot: PollingHarness) -> float | None:
    return bot.metrics.registry.get_sample_value("dingerp_poll_age_seconds", {"source": "main"})


async def test_a_failure_in_the_middle_goes_on_where_it_was(open_bot: OpenBot, erp: StubErp) -> None:
    for number in range(60):
        erp.stocked(f"A-{number:02}", "1")
    bot = open_bot(areas=("stock",))
    erp.failing = lambda call: AuthFailed("refused") if call == "stock A-45" else None
    assert not await bot.poll()
    assert len(await bot.events()) == 40
    erp.failing = lambda call: None
    erp.asked.clear()
    await bot.poll()
    assert len([call for call in erp.asked if call.startswith("stock")]) == 20
    assert len(await bot.events()) == 60


async def test_pauses_grow_while_a_source_is_down(open_bot: OpenBot, erp: StubErp) -> None:
    bot = open_bot(seconds=30)
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        bot.clock.advance(seconds=seconds)
        if len(pauses) == 8:
            erp.failing = lambda call: None
        if len(pauses) == 10:
            raise Killed

    erp.failing = lambda call: Unavailable("down")
    with pytest.raises(Killed):
        await bot.poller.run(sleep=sleep)
    assert pauses == [60, 120, 240, 480, 600, 600, 600, 600, 30, 30]


async def test_what_one_area_cannot_do_leaves_the_others(open_bot: OpenBot, erp: StubErp) -> None:
    fill(erp)
    erp.failing = lambda call: NotPermitted("no") if "sales" in call or "SO-" in call else None
    bot = open_bot()
    with capture_logs() as logs:
        await bot.poll(10)
    assert sorted(await bot.told()) == [line for line in OPENED if "SO-1" not in line]
    assert [line["part"] for line in logs if line["event"] == "poll.down"] == ["orders/sweep"]


async def test_a_source_without_changes_is_polled_by_lists(open_bot: OpenBot, erp: StubErp) -> None:
    class Mute(StubErp):
        capabilities = frozenset(Capability) - {Capability.CHANGED_SINCE}

    mute = Mute(erp.clock)
    fill(mute)
    bot = open_bot(mute)
    await bot.poll()
    assert sorted(await bot.told()) == [line for line in OPENED if "stock" not in line]
    mute.invoiced("INV-1", YESTERDAY, InvoiceStatus.PAID)
    mute.requested("PO-3")
    await bot.poll(3)
    assert (await bot.told())[4:] == ["po.submitted PO-3", "invoice.paid INV-1"]
    assert "changes" not in mute.asked


async def test_an_area_whose_changes_are_not_told_is_polled_by_its_list(open_bot: OpenBot, erp: StubErp) -> None:
    class HalfMute(StubErp):
        async def changed_since(self, area: Area, cursor: str, *, limit: int) -> Changes:
            if area in {Area.STOCK, Area.FINANCE}:
                raise Unsupported(f"no changes of {area}")
            return await super().changed_since(area, cursor, limit=limit)

    half = HalfMute(erp.clock)
    fill(half)
    bot = open_bot(half)
    await bot.poll()
    half.invoiced("INV-1", YESTERDAY, InvoiceStatus.PAID)
    await bot.poll(4)
    assert sorted(await bot.told()) == sorted([*[line for line in OPENED if "stock" not in line], "invoice.paid INV-1"])


async def test_what_was_deleted_is_over_after_the_next_sweep(open_bot: OpenBot, erp: StubErp) -> None:
    fill(erp)
    bot = open_bot()
    await bot.poll()
    for area, key in ((Area.STOCK, "A-1"), (Area.SALES, "SO-1"), (Area.PURCHASING, "PO-1"), (Area.FINANCE, "INV-1")):
        erp.drop(area, key)
    await bot.poll(10)
    assert sorted((await bot.told())[6:]) == ["invoice.overdue INV-1 over", "order.late SO-1 over", "po.decided PO-1"]
    erp.clock.advance(days=1)
    await bot.poll(2)
    assert (await bot.told())[-1] == "stock.low A-1 over"


async def test_without_the_backlog_only_news_is_told(open_bot: OpenBot, erp: StubErp) -> None:
    fill(erp)
    bot = open_bot(backlog=False)
    await bot.poll(3)
    assert await bot.told() == []
    erp.stocked("A-1", "70")
    await bot.poll()
    assert await bot.told() == [], "nobody was told of it, so nobody has to hear that it is over"
    erp.stocked("A-1", "3")
    erp.stocked("A-2", "9")
    erp.invoiced("INV-1", YESTERDAY, InvoiceStatus.PART_PAID, owed="3")
    await bot.poll()
    assert await bot.told() == ["stock.low A-1"], "what was known and is a little better is no news either"
    erp.stocked("A-2", "0")
    await bot.poll()
    assert (await bot.told())[1:] == ["stock.out A-2"]


async def test_orders_are_news_only_where_asked_for(open_bot: OpenBot, erp: StubErp) -> None:
    erp.ordered("SO-1", TOMORROW)
    bot = open_bot(areas=("orders", "order_news"))
    await bot.poll()
    erp.ordered("SO-2", TOMORROW)
    await bot.poll()
    erp.ordered("SO-2", TOMORROW, total="70")
    await bot.poll(9)
    assert await bot.told() == ["order.created SO-2", "order.changed SO-2"]
    assert (await bot.events())[1]["data"]["changes"] == ["amount: 56 CNY → 70 CNY"]  # type: ignore[index]


async def test_a_cursor_that_the_source_does_not_know_starts_anew(open_bot: OpenBot, erp: StubErp) -> None:
    fill(erp)
    bot = open_bot()
    await bot.poll()

    class Other(StubErp):
        async def changed_since(self, area: Area, cursor: str, *, limit: int) -> Changes:
            if cursor.startswith("["):
                raise Invalid("not a cursor of this ERP")
            changes = await super().changed_since(area, cursor.removeprefix("x"), limit=limit)
            return Changes(items=changes.items, cursor=f"x{changes.cursor}", more=changes.more)

    other = Other(erp.clock)
    fill(other)
    other.stocked("B-1", "2")
    bot.erp = other
    bot.restart()
    await bot.poll(3)
    assert sorted(await bot.told()) == sorted([*OPENED, "stock.low B-1", "po.changed PO-1"])


async def test_a_record_that_cannot_be_read_is_logged_once_and_read_later(open_bot: OpenBot, erp: StubErp) -> None:
    fill(erp)
    bot = open_bot()
    await bot.poll()
    erp.failing = lambda call: NotPermitted("locked") if call in {"stock A-1", "invoice INV-1"} else None
    erp.stocked("A-1", "70")
    erp.stocked("A-2", "70")
    erp.invoiced("INV-1", YESTERDAY, InvoiceStatus.PAID)
    with capture_logs() as logs:
        await bot.poll(15)
    assert (await bot.told())[6:] == ["stock.low A-2 over"]
    assert sorted(line["key"] for line in logs if line["event"] == "poll.not_read") == ["A-1", "INV-1"]
    erp.failing = lambda call: None
    await bot.poll(10)
    assert (await bot.told())[7:] == ["invoice.paid INV-1"], "the next sweep misses it in the list and reads it"
    erp.clock.advance(days=1)
    await bot.poll(2)
    assert (await bot.told())[8:] == ["stock.low A-1 over"]


async def test_what_takes_the_source_too_long_is_asked_in_smaller_pieces(open_bot: OpenBot, erp: StubErp) -> None:
    class Slow(StubErp):
        async def changed_since(self, area: Area, cursor: str, *, limit: int) -> Changes:
            if limit > 100:
                raise Unavailable("no answer in time")
            return await super().changed_since(area, cursor, limit=limit)

    slow = Slow(erp.clock)
    fill(slow)
    bot = open_bot(slow)
    await bot.poll(5)
    assert sorted(await bot.told()) == OPENED


async def test_two_processes_tell_no_event_twice(open_bot: OpenBot, erp: StubErp) -> None:
    fill(erp)
    one, other = open_bot(), open_bot()
    for _ in range(5):
        await asyncio.gather(one.poller.poll(), other.poller.poll())
        erp.clock.advance(seconds=60)
    assert sorted(await one.told()) == OPENED
    erp.asked.clear()
    await one.poller.poll()
    spared = len(erp.asked)
    await other.poller.poll(unless_within=30)
    assert len(erp.asked) == spared, "somebody did a moment ago"


async def test_while_the_intake_is_away_events_wait_in_their_order(open_bot: OpenBot, erp: StubErp) -> None:
    erp.stocked("A-1", "60")
    bot = open_bot()
    await bot.poll()

    def away() -> None:
        raise StoreUnavailable("OperationalError")

    bot.door.before = away
    for available in ("5", "0"):
        erp.stocked("A-1", available)
        assert not await bot.poll()
    bot.door.before = lambda: None
    erp.stocked("A-1", "80")
    await bot.poll(2)
    # What came and went while nothing could be stored is nobody's news; what was stored is told in order.
    assert await bot.told() == ["stock.low A-1", "stock.low A-1 over"]


async def test_one_that_crashes_leaves_the_others_and_begins_anew() -> None:
    began: list[str] = []
    enough = asyncio.Event()

    async def broken() -> None:
        began.append("broken")
        if len(began) >= 4:
            enough.set()
        raise ZeroDivisionError

    async def well() -> None:
        began.append("well")
        await asyncio.Event().wait()

    with capture_logs() as logs:
        task = asyncio.create_task(source_poller.supervise({"broken": broken, "well": well}, pause=0))
        await enough.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert began.count("well") == 1
    assert {line["part"] for line in logs if line["event"] == "poll.crashed"} == {"broken"}


async def test_a_position_is_moved_by_one_only(open_bot: OpenBot) -> None:
    store = open_bot().store
    first = Checkpoint(source="main", area="stock", round=1)
    assert await store.advance(None, first, (), ())
    assert not await store.advance(None, first, (), ())
    assert await store.advance(first, Checkpoint(source="main", area="stock", round=2), (), ())
    assert not await store.advance(first, Checkpoint(source="main", area="stock", round=3), (), [{"id": "x"}])
    assert await store.unsent("main", 10) == []


async def test_what_the_first_look_finds_is_said_to_have_been_so(open_bot: OpenBot, erp: StubErp) -> None:
    fill(erp)
    bot = open_bot()
    await bot.poll(3)
    found = await bot.events()
    assert found
    assert all(event.get("standing") is True for event in found)
    erp.stocked("A-3", "0")
    await bot.poll()
    assert "standing" not in (await bot.events())[-1]
