"""A source's recent answer is given again only to readers of the same scope, and never for longer than allowed."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.erp.cache import _HELD
from bot.erp.errors import Conflict, ErpError, NotFound, Unavailable, UnknownOutcome
from bot.erp.hub import ErpHub
from bot.erp.limits import SourceLimits
from bot.erp.model import ReviewState, Slice
from bot.erp.port import Filter, ListQuery
from bot.mechanisms.metrics import Metrics
from bot.settings import ErpSettings
from tests.erp.hub_sources import DECIDED, DECISION, START, Clock, MakeHub, Source, level, purchase

SECONDS = 2.0
LATE = ListQuery(filter=Filter.LATE)

context: ContextVar[str] = ContextVar("asking", default="")
"""The person for whom the sources of these tests are asked."""


class MemoryLastKnown:
    """Stores answers as the database does, for the next process."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str, str], tuple[Any, datetime]] = {}

    def put(self, source: str, call: str, asked: str, value: Any, as_of: datetime) -> None:
        self.kept[source, call, asked] = (value, as_of)

    def forget(self, source: str, call: str, asked: str) -> None:
        self.kept.pop((source, call, asked), None)

    def get(self, source: str, call: str, asked: str) -> tuple[Any, datetime] | None:
        return self.kept.get((source, call, asked))


@pytest.fixture
def make_hub(make_hub: MakeHub) -> MakeHub:
    def make(*sources: Any, seconds: float = SECONDS, **settings: Any) -> ErpHub:
        guards = {source.name: SourceLimits(cache=seconds) for source in sources}
        return make_hub(*sources, **{"protections": guards, "scope": context.get, **settings})

    return make


def spared(metrics: Metrics, call: str, source: str = "main") -> float:
    labels = {"source": source, "call": call}
    return metrics.registry.get_sample_value("dingerp_erp_cached_total", labels) or 0.0


async def test_the_same_question_a_moment_later_costs_no_call_and_keeps_its_time(
    make_hub: MakeHub, clock: Clock, metrics: Metrics
) -> None:
    source = Source(stock=[level(1), level(2)])
    hub = make_hub(source)
    first = await hub.stock("SKU123")
    clock.seconds += SECONDS - 0.1
    again = await hub.stock("sku123")
    assert (again, again.as_of, again.stale) == (first, START, False)
    assert (source.calls, spared(metrics, "stock")) == (["stock"], 1)
    clock.seconds += 0.1
    later = await hub.stock("SKU123")
    assert (later.value, later.as_of) == (level(2), START + timedelta(seconds=SECONDS)), "not prolonged by being given"
    assert (source.calls, spared(metrics, "stock")) == (["stock", "stock"], 1)


async def test_another_question_is_another_call(make_hub: MakeHub) -> None:
    everything: Slice[Any] = Slice(items=("row",), total=1)
    source = Source(stock=level(), orders=everything, invoices=everything, find_products=(level().product,))
    hub = make_hub(source)
    for _ in range(2):
        await hub.stock("SKU123")
        await hub.stock("SKU124")
        await hub.orders(ListQuery())
        await hub.orders(ListQuery(offset=8))
        await hub.invoices(ListQuery())
        await hub.find_products("x", limit=1)
        await hub.find_products("x", limit=2)
    assert sorted(source.calls) == sorted((*("stock", "orders", "find_products") * 2, "invoices"))


async def test_zero_seconds_ask_every_time(make_hub: MakeHub, metrics: Metrics) -> None:
    source = Source(stock=level())
    hub = make_hub(source, seconds=0)
    await hub.stock("SKU123")
    await hub.stock("SKU123")
    assert (len(source.calls), spared(metrics, "stock")) == (2, 0)


async def test_what_was_late_yesterday_is_asked_again_after_midnight(make_hub: MakeHub, clock: Clock) -> None:
    midnight = START.replace(hour=0, minute=0) + timedelta(days=1)
    yesterday: Slice[Any] = Slice(items=(), total=0)
    today: Slice[Any] = Slice(items=("row",), total=1)
    source = Source(orders=[yesterday, today])
    hub = make_hub(source)
    clock.seconds = (midnight - START).total_seconds() - 1
    source.gate.clear()
    before = asyncio.create_task(hub.orders(LATE))
    await source.begun.wait()
    clock.seconds += 1
    after = asyncio.create_task(hub.orders(LATE))
    await asyncio.sleep(0)  # let it find the read that is under way
    source.gate.set()
    assert ((await before).value, (await after).value) == (yesterday, today)
    assert (await hub.orders(LATE)).value == today
    assert source.calls == ["orders", "orders"]


async def test_no_answer_is_held_longer_than_the_clock_on_the_wall_allows(make_hub: MakeHub, clock: Clock) -> None:
    """The monotonic clock stands still while a machine sleeps."""
    source = Source(stock=[level(1), level(2), level(3)])
    hub = make_hub(source, monotonic=lambda: 0.0)
    await hub.stock("SKU123")
    clock.seconds += SECONDS
    assert (await hub.stock("SKU123")).value == level(2)
    clock.seconds -= SECONDS
    assert (await hub.stock("SKU123")).value == level(3), "what is of the future is not recent"


@pytest.mark.parametrize("error", [NotFound("SKU123"), Conflict("x")])
async def test_an_error_is_not_held(make_hub: MakeHub, error: ErpError) -> None:
    source = Source(stock=[error, level()])
    hub = make_hub(source)
    with pytest.raises(type(error)):
        await hub.stock("SKU123")
    assert (await hub.stock("SKU123")).value == level()


async def test_a_last_known_value_is_not_held_as_a_fresh_one(make_hub: MakeHub, clock: Clock) -> None:
    source = Source(stock=[level(1), *[Unavailable("down")] * 3, level(2)])
    hub = make_hub(source)
    await hub.stock("SKU123")
    clock.seconds += SECONDS
    assert (await hub.stock("SKU123")).stale
    found = await hub.stock("SKU123")
    assert (found.value, found.stale) == (level(2), False)


async def test_memory_is_bounded(make_hub: MakeHub) -> None:
    source = Source(stock=level())
    hub = make_hub(source)
    for number in range(_HELD + 1):
        await hub.stock(f"SKU{number}")
    source.calls.clear()
    await hub.stock(f"SKU{_HELD}")
    assert source.calls == []
    await hub.stock("SKU0")
    assert source.calls == ["stock"]


async def test_each_source_has_its_own_seconds(make_hub: MakeHub) -> None:
    quick, held = Source("quick", stock=level()), Source("held", stock=level())
    hub = make_hub(quick, held, protections={"quick": SourceLimits(cache=0), "held": SourceLimits(cache=60)})
    for _ in range(3):
        assert (await hub.stock("SKU123")).value.total.on_hand == Decimal(10)
    assert (len(quick.calls), len(held.calls)) == (3, 1)


def test_two_seconds_are_the_default() -> None:
    assert ErpSettings(vendor="demo").cache_seconds == SECONDS


# Decisions


async def test_a_decision_drops_what_its_source_said_and_nothing_else(make_hub: MakeHub) -> None:
    after = purchase(ReviewState.APPROVED, "2")
    one = Source("one", purchase_order=[purchase(), after], stock=level(), decide=DECIDED)
    two = Source("two", purchase_order=NotFound("PO-1001"), stock=level())
    hub = make_hub(one, two)
    await hub.purchase_order("PO-1001")
    await hub.stock("SKU123")
    await hub.decide("one", DECISION)
    one.calls.clear()
    two.calls.clear()
    assert (await hub.purchase_order("PO-1001")).value == replace(after, source="one")
    await hub.stock("SKU123")
    assert one.calls == ["purchase_order", "stock"]
    assert two.calls == ["purchase_order"], "what was not found is asked again, stock is held"


@pytest.mark.parametrize("error", [Conflict("changed"), UnknownOutcome("x"), Unavailable("down")])
async def test_a_decision_that_fails_drops_it_too(make_hub: MakeHub, error: ErpError) -> None:
    changed = purchase(version="9")
    source = Source(purchase_order=[purchase(), changed], decide=error)
    hub = make_hub(source)
    await hub.purchase_order("PO-1001")
    await asyncio.wait([asyncio.ensure_future(hub.decide("main", DECISION))])
    assert (await hub.purchase_order("PO-1001")).value == changed


async def test_a_read_that_a_decision_overtook_is_not_held(make_hub: MakeHub) -> None:
    after = purchase(ReviewState.APPROVED, "2")
    source = Source(purchase_order=[purchase(), after], decide=DECIDED)
    hub = make_hub(source)
    held = source.gate = asyncio.Event()
    early = asyncio.create_task(hub.purchase_order("PO-1001"))
    await source.begun.wait()
    source.gate = asyncio.Event()
    source.gate.set()
    await hub.decide("main", DECISION)
    held.set()
    assert (await early).value == purchase()
    assert (await hub.purchase_order("PO-1001")).value == after


# Scopes


class ScopedSource(Source):
    """A source whose figures depend on who asks; for unknown people it is down."""

    def __init__(self, **levels: int) -> None:
        super().__init__()
        self.levels = levels

    async def stock(self, sku: str) -> Any:
        self.calls.append(context.get())
        await self.gate.wait()
        if self.levels.get(context.get()) is None:
            raise Unavailable("down")
        return level(self.levels[context.get()])


async def ask_as(who: str, hub: ErpHub, sku: str = "SKU123") -> Any:
    """Ask in a context of its own, as every question does."""

    async def ask() -> Any:
        context.set(who)
        return await hub.stock(sku)

    return await asyncio.create_task(ask())


async def test_reads_at_the_same_moment_are_shared_within_a_scope_only(make_hub: MakeHub) -> None:
    source = ScopedSource(anna=1, boss=2)
    hub = make_hub(source)
    founds = await asyncio.gather(*(ask_as(who, hub) for who in ("anna", "boss", "anna", "boss")))
    assert [found.value.total.on_hand for found in founds] == [1, 2, 1, 2]
    assert source.calls == ["anna", "boss"], "the read runs as the one who asks"


async def test_what_one_was_told_a_moment_ago_no_other_is_told(make_hub: MakeHub) -> None:
    source = ScopedSource(anna=1, boss=2)
    hub = make_hub(source)
    for _ in range(2):
        assert (await ask_as("anna", hub)).value == level(1)
        assert (await ask_as("boss", hub)).value == level(2)
    assert source.calls == ["anna", "boss"]


async def test_the_last_known_value_is_that_of_the_same_scope(make_hub: MakeHub, clock: Clock) -> None:
    source, shelf = ScopedSource(anna=1), MemoryLastKnown()
    hub = make_hub(source, kept=shelf)
    await ask_as("anna", hub)
    source.levels.clear()
    restarted = make_hub(source, kept=shelf)
    clock.seconds += SECONDS
    for asked in (hub, restarted):
        assert (await ask_as("anna", asked)).value == level(1)
        for other in ("boss", ""):
            with pytest.raises(Unavailable):
                await ask_as(other, asked)


async def test_a_decision_is_seen_in_every_scope(make_hub: MakeHub) -> None:
    source = ScopedSource(anna=1, boss=1)
    source.answers["decide"] = [DECIDED]
    hub = make_hub(source)
    await ask_as("anna", hub)
    await hub.decide("main", replace(DECISION, by="boss"))
    source.levels = {"anna": 5}
    assert (await ask_as("anna", hub)).value == level(5)


async def test_a_code_that_one_may_not_see_is_not_missing_for_another(make_hub: MakeHub) -> None:
    """The code of a product at a second source, found by its barcode, is remembered within a scope."""
    coded = replace(level(1), product=replace(level().product, barcode="690123"))
    twin = replace(coded, product=replace(coded.product, sku="XY"))

    class Elsewhere(Source):
        async def stock(self, sku: str) -> Any:
            if sku != "XY":
                raise NotFound(sku)
            return twin

        async def find_products(self, text: str, *, limit: int) -> Any:
            return (twin.product,) if context.get() == "boss" else ()

    hub = make_hub(Source("a", stock=coded), Elsewhere("b"))
    assert (await ask_as("anna", hub)).value.total.on_hand == Decimal(1)
    assert (await ask_as("boss", hub)).value.total.on_hand == Decimal(2)
    assert (await ask_as("anna", hub)).value.total.on_hand == Decimal(1)
