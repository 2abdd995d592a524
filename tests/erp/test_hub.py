"""The hub over sources with scripted answers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bot.erp.errors import (
    AuthFailed,
    Conflict,
    ErpError,
    NotFound,
    NotPermitted,
    RateLimited,
    Unavailable,
    UnknownOutcome,
    Unsupported,
)
from bot.erp.kinds import SALES_ORDERS
from bot.erp.model import (
    Area,
    Changes,
    Decision,
    DecisionOutcome,
    DecisionResult,
    DocumentDraft,
    ReviewState,
    SalesOrder,
    Slice,
    Verdict,
)
from bot.erp.port import Capability, ListQuery
from bot.mechanisms.metrics import Metrics
from bot.words.errors import ConfigurationError
from tests.bare_records import bare
from tests.erp.hub_sources import DECIDED, DECISION, START, Clock, MakeHub, Source, counted, level, purchase

MakeHub = MakeHub


async def test_an_answer_carries_its_source_and_time(make_hub: MakeHub, metrics: Metrics) -> None:
    found = await make_hub(Source(stock=level())).stock("SKU123")
    assert found.value == level()
    assert (found.source, found.as_of, found.stale, found.failures) == ("main", START, False, ())
    assert counted(metrics, "stock", "ok") == 1
    assert metrics.registry.get_sample_value("dingerp_erp_seconds_count", {"source": "main", "call": "stock"}) == 1


async def test_an_answer_is_of_the_moment_at_which_it_was_asked_for(make_hub: MakeHub, clock: Clock) -> None:
    source = Source(stock=level())
    source.gate.clear()
    asking = asyncio.create_task(make_hub(source).stock("SKU123"))
    await source.begun.wait()
    clock.seconds += 4  # what is sold meanwhile may not be in it
    source.gate.set()
    assert (await asking).as_of == START


async def test_every_read_of_the_port_is_offered(make_hub: MakeHub) -> None:
    lists = ("orders", "invoices", "purchase_orders", "production_orders")
    singles = ("stock", "order", "invoice", "purchase_order", "production_order")
    everything: Slice[Any] = Slice(items=("row",), total=1)
    answers: dict[str, Any] = dict.fromkeys(lists, everything) | {name: name for name in singles}
    products = (level().product,)
    source = Source(find_products=products, **answers)
    hub = make_hub(source)
    for name in singles:
        assert (await getattr(hub, name)("X")).value == name
    for name in lists:
        assert (await getattr(hub, name)(ListQuery())).value is everything
    assert (await hub.find_products("x", limit=1)).value == products
    assert sorted(source.calls) == sorted((*lists, *singles, "find_products"))


async def test_identical_reads_at_the_same_moment_are_one(make_hub: MakeHub) -> None:
    source = Source(stock=[level(1), level(2)])
    source.gate.clear()
    hub = make_hub(source)
    asked = [asyncio.create_task(hub.stock(sku)) for sku in ("SKU123", "sku123", "SKU123")]
    await source.begun.wait()
    source.gate.set()
    assert {found.value.total.on_hand for found in await asyncio.gather(*asked)} == {Decimal(1)}
    assert source.calls == ["stock"]
    assert (await hub.stock("SKU123")).value == level(2), "a later read is a new one"


async def test_an_asker_who_leaves_does_not_take_the_answer_from_the_others(make_hub: MakeHub) -> None:
    source = Source(stock=level())
    source.gate.clear()
    hub = make_hub(source)
    first, second = (asyncio.create_task(hub.stock("SKU123")) for _ in range(2))
    await source.begun.wait()
    first.cancel()
    await asyncio.wait([first])
    source.gate.set()
    assert (await second).value == level()
    assert first.cancelled()
    assert source.calls == ["stock"]


async def test_a_read_is_repeated_with_growing_pauses(make_hub: MakeHub, clock: Clock, metrics: Metrics) -> None:
    source = Source(stock=[Unavailable("down"), Unavailable("down"), level()])
    assert (await make_hub(source).stock("SKU123")).value == level()
    first, second = clock.slept
    assert 0.05 <= first <= 0.15
    assert 0.2 <= second <= 0.6
    assert counted(metrics, "stock", "Unavailable") == 2
    assert counted(metrics, "stock", "ok") == 1


async def test_three_attempts_are_all(make_hub: MakeHub) -> None:
    source = Source(stock=Unavailable("down"))
    with pytest.raises(Unavailable) as caught:
        await make_hub(source).stock("SKU123")
    assert caught.value.source == "main"
    assert len(source.calls) == 3


async def test_the_pause_that_the_erp_asks_for_is_kept_if_there_is_time(make_hub: MakeHub, clock: Clock) -> None:
    source = Source(stock=[RateLimited("busy", retry_after=3.0), level()])
    assert (await make_hub(source).stock("SKU123")).value == level()
    assert clock.slept == [3.0]
    impatient = Source(stock=[RateLimited("busy", retry_after=6.0), level()])
    with pytest.raises(RateLimited):
        await make_hub(impatient).stock("SKU123")
    assert clock.slept == [3.0]
    assert impatient.calls == ["stock"]


@pytest.mark.parametrize("error", [AuthFailed("key"), NotPermitted("no"), NotFound("SKU123"), Conflict("x")])
async def test_what_a_repeat_cannot_mend_is_not_repeated(make_hub: MakeHub, error: ErpError) -> None:
    source = Source(stock=error)
    with pytest.raises(type(error)):
        await make_hub(source).stock("SKU123")
    assert source.calls == ["stock"]


async def test_a_slow_source_is_given_up_in_time(make_hub: MakeHub, metrics: Metrics) -> None:
    source = Source(stock=level())
    source.gate.clear()
    with pytest.raises(Unavailable):
        await make_hub(source, timeouts={"main": 0.0}).stock("SKU123")
    assert counted(metrics, "stock", "timeout") == 1


async def test_when_the_erp_is_down_the_last_known_value_is_given_with_its_time(
    make_hub: MakeHub, clock: Clock
) -> None:
    source = Source(stock=[level(7), Unavailable("down")], order=Unavailable("down"))
    hub = make_hub(source)
    await hub.stock("SKU123")
    clock.seconds += 3600
    found = await hub.stock("sku123")
    assert found.value == level(7)
    assert (found.stale, found.as_of) == (True, START)
    assert [str(failure) for failure in found.failures] == ["The ERP does not answer at the moment."]
    with pytest.raises(Unavailable):
        await hub.order("SO-1")


async def test_a_definite_no_is_never_hidden_by_an_old_yes(make_hub: MakeHub) -> None:
    for error in (NotFound("SKU123"), NotPermitted("no"), AuthFailed("key")):
        hub = make_hub(Source(stock=[level(), error]))
        await hub.stock("SKU123")
        with pytest.raises(type(error)):
            await hub.stock("SKU123")


async def test_what_was_not_found_is_forgotten(make_hub: MakeHub) -> None:
    hub = make_hub(Source(stock=[level(), NotFound("SKU123"), Unavailable("down")]))
    await hub.stock("SKU123")
    with pytest.raises(NotFound):
        await hub.stock("SKU123")
    with pytest.raises(Unavailable):
        await hub.stock("SKU123")


async def test_memory_for_old_answers_is_bounded(make_hub: MakeHub) -> None:
    source = Source(stock=level())
    hub = make_hub(source, copies=2)
    for sku in ("A", "B", "C"):
        await hub.stock(sku)
    source.answers["stock"] = [Unavailable("down")]
    assert (await hub.stock("C")).stale
    with pytest.raises(Unavailable):
        await hub.stock("A")


async def test_all_sources_are_asked_at_once_and_the_one_that_has_it_answers(make_hub: MakeHub) -> None:
    one, two, three = (
        Source("one", purchase_order=NotFound("PO-1001")),
        Source("two", purchase_order=purchase(version="2")),
        Source("x", purchase_order=NotFound("PO-1001")),
    )
    for source in (one, two, three):
        source.gate.clear()
    asked = asyncio.create_task(make_hub(one, two, three).purchase_order("PO-1001"))
    for source in (one, two, three):
        await source.begun.wait()
    for source in (three, two, one):
        source.gate.set()
    found = await asked
    assert (found.source, found.value.review.version) == ("two", "2")
    assert found.failures == ()


async def test_one_failing_source_is_noted_beside_the_answer_of_another(make_hub: MakeHub) -> None:
    hub = make_hub(Source("one", stock=Unavailable("down")), Source("two", stock=level()))
    found = await hub.stock("SKU123")
    assert (found.source, found.stale) == ("two", False)
    assert [str(failure) for failure in found.failures] == ["one: The ERP does not answer at the moment."]


async def test_not_found_needs_the_word_of_every_source(make_hub: MakeHub) -> None:
    missing, down = Source("one", stock=NotFound("SKU9")), Source("two", stock=Unavailable("down"))
    with pytest.raises(NotFound):
        await make_hub(missing, Source("three", stock=NotFound("SKU9"))).stock("SKU9")
    with pytest.raises(Unavailable):
        await make_hub(missing, down).stock("SKU9")


async def test_a_full_list_beats_an_empty_one_and_a_fresh_one_a_stale_one(make_hub: MakeHub) -> None:
    empty: Slice[Any] = Slice(items=(), total=0)
    old: Slice[Any] = Slice(items=("old",), total=1)
    new: Slice[Any] = Slice(items=("new",), total=1)
    one, two = Source("one", orders=[old, Unavailable("down")]), Source("two", orders=[empty, empty, new])
    hub = make_hub(one, two)
    assert (await hub.orders(ListQuery())).value is old
    stale = await hub.orders(ListQuery())
    assert (stale.value, stale.stale) == (old, True)
    fresh = await hub.orders(ListQuery())
    assert (fresh.value, fresh.stale) == (new, False)


async def test_only_sources_that_offer_it_are_asked(make_hub: MakeHub) -> None:
    unable = Source("one", without=frozenset({Capability.INVOICES}), invoice="never")
    assert (await make_hub(unable, Source("two", invoice="yes")).invoice("INV-7")).source == "two"
    with pytest.raises(Unsupported):
        await make_hub(unable).invoice("INV-7")
    assert unable.calls == []


async def test_two_sources_of_one_name_are_refused(make_hub: MakeHub) -> None:
    with pytest.raises(ConfigurationError):
        make_hub(Source("main"), Source("main"))


async def test_a_fault_in_an_adapter_is_seen_and_counted(make_hub: MakeHub, metrics: Metrics) -> None:
    with pytest.raises(ZeroDivisionError):
        await make_hub(Source(stock=ZeroDivisionError())).stock("SKU123")
    assert counted(metrics, "stock", "crashed") == 1


@pytest.mark.parametrize("defect", [KeyError("1280.00"), TypeError("1280.00"), ValueError("1280.00")])
async def test_an_answer_that_an_adapter_does_not_understand_is_none(
    make_hub: MakeHub, metrics: Metrics, defect: Exception
) -> None:
    with pytest.raises(Unavailable, match=f"its answer to stock is not understood: {type(defect).__name__}") as raised:
        await make_hub(Source(stock=defect)).stock("SKU123")
    assert "1280" not in raised.value.detail, "what the ERP said is not repeated"
    assert counted(metrics, "stock", "crashed") == 3


# Decisions


async def test_a_decision_goes_to_the_named_source_once(make_hub: MakeHub, metrics: Metrics) -> None:
    one, two = Source("one", decide=DECIDED), Source("two", decide=DECIDED)
    assert await make_hub(one, two).decide("two", DECISION) is DECIDED
    assert (one.calls, two.calls) == ([], ["decide"])
    assert counted(metrics, "decide", "ok", "two") == 1


@pytest.mark.parametrize("error", [Unavailable("down"), RateLimited("busy", retry_after=0.0)])
async def test_a_decision_is_never_repeated(make_hub: MakeHub, error: ErpError) -> None:
    source = Source(decide=error)
    with pytest.raises(type(error)):
        await make_hub(source).decide("main", DECISION)
    assert source.calls == ["decide"]


async def test_an_unknown_source_or_a_missing_ability_is_unsupported(make_hub: MakeHub) -> None:
    source = Source(decide=DECIDED, without=frozenset({Capability.REJECT}))
    hub = make_hub(source)
    for name, decision in (("other", DECISION), ("main", replace(DECISION, verdict=Verdict.REJECT))):
        result = await hub.decide(name, decision)
        assert (result.outcome, result.document) == (DecisionOutcome.UNSUPPORTED, None)
    assert source.calls == []


async def test_an_unconfirmed_decision_is_unknown_and_read_again(make_hub: MakeHub) -> None:
    after = purchase(ReviewState.APPROVED, "2")
    result = await make_hub(Source(decide=UnknownOutcome("x"), purchase_order=after)).decide("main", DECISION)
    assert (result.outcome, result.document) == (DecisionOutcome.UNKNOWN, after)
    silent = await make_hub(Source(decide=UnknownOutcome("x"), purchase_order=Unavailable("down"))).decide(
        "main", DECISION
    )
    assert (silent.outcome, silent.document) == (DecisionOutcome.UNKNOWN, None)


async def test_a_decision_that_takes_too_long_is_unknown(make_hub: MakeHub) -> None:
    class Hanging(Source):
        async def decide(self, decision: Decision) -> DecisionResult:
            self.calls.append("decide")
            await asyncio.Event().wait()
            raise AssertionError

    source = Hanging(purchase_order=purchase())
    result = await make_hub(source, write_timeout=0.0).decide("main", DECISION)
    assert (result.outcome, result.document) == (DecisionOutcome.UNKNOWN, purchase())
    assert source.calls == ["decide", "purchase_order"]


class Creating(Source):
    """A source that creates sales orders."""

    creates = frozenset({"order"})


DRAFT = DocumentDraft(kind="order", partner="C1", lines=(), mark="7f3a9c21", by="anna")


async def test_a_draft_goes_to_the_named_source_once(make_hub: MakeHub) -> None:
    created, silent = bare(SalesOrder, "SO-9"), Source("silent", create=None, find_created=None)
    source = Creating("two", create=created, find_created=created)
    hub = make_hub(silent, source)
    assert hub.creating(SALES_ORDERS) == ("two",)
    assert await hub.create("two", DRAFT) is created
    assert await hub.find_created("two", SALES_ORDERS, DRAFT.mark) is created
    assert (silent.calls, source.calls) == ([], ["create", "find_created"])
    for name in ("silent", "other"):
        with pytest.raises(Unsupported):
            await hub.create(name, DRAFT)


@pytest.mark.parametrize("error", [Unavailable("down"), UnknownOutcome("lost")])
async def test_a_draft_is_never_written_again(make_hub: MakeHub, error: ErpError) -> None:
    source = Creating(create=error, find_created=None)
    with pytest.raises(type(error)):
        await make_hub(source).create("main", DRAFT)
    assert source.calls == ["create"]


async def test_a_decision_is_finished_though_its_asker_left(make_hub: MakeHub) -> None:
    source = Source(decide=DECIDED)
    source.gate.clear()
    hub = make_hub(source)
    asker = asyncio.create_task(hub.decide("main", DECISION))
    await source.begun.wait()
    asker.cancel()
    await asyncio.wait([asker])
    closing = asyncio.create_task(hub.close())
    await asyncio.sleep(0)
    assert not source.closed, "closing waits for the decision"
    source.gate.set()
    await closing
    assert source.closed


async def test_who_asks_after_a_decision_sees_it(make_hub: MakeHub) -> None:
    before, after = purchase(), purchase(ReviewState.APPROVED, "2")
    source = Source(purchase_order=[before, after, Unavailable("down")], decide=DECIDED)
    hub = make_hub(source)
    held = source.gate = asyncio.Event()
    early = asyncio.create_task(hub.purchase_order("PO-1001"))
    await source.begun.wait()
    source.gate = asyncio.Event()
    source.gate.set()
    await hub.decide("main", DECISION)
    assert (await hub.purchase_order("PO-1001")).value == after, "it does not join the read from before"
    held.set()
    assert (await early).value == before
    down = await hub.purchase_order("PO-1001")
    assert (down.value, down.stale) == (after, True), "the read from before is not remembered"


async def test_a_decided_order_is_remembered_as_decided(make_hub: MakeHub) -> None:
    source = Source(purchase_order=[purchase(), Unavailable("down")], decide=DECIDED)
    hub = make_hub(source)
    await hub.purchase_order("PO-1001")
    await hub.decide("main", DECISION)
    assert (await hub.purchase_order("PO-1001")).value == DECIDED.document


async def test_changes_are_asked_from_one_source_with_its_cursor(make_hub: MakeHub) -> None:
    changes = Changes(items=(), cursor="7", more=False)
    hub = make_hub(Source(changed_since=[Unavailable("down"), changes]))
    assert await hub.source_client("main").changed_since(Area.STOCK, "6", limit=10) is changes
    with pytest.raises(Unsupported):
        await hub.source_client("other").changed_since(Area.STOCK, "6", limit=10)


async def test_check_tells_for_each_source(make_hub: MakeHub) -> None:
    error = AuthFailed("key")
    hub = make_hub(Source("one", check=None), Source("two", check=error))
    assert await hub.check() == {"one": None, "two": error}


async def test_closing_ends_reads_and_closes_sources(make_hub: MakeHub) -> None:
    source: Any = Source(stock=level())
    source.gate.clear()
    hub = make_hub(source)
    asked = asyncio.create_task(hub.stock("SKU123"))
    await source.begun.wait()
    await hub.close()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert source.closed
