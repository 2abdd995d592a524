"""Several sources behind one hub: codes, barcodes, rates, breakers, and sources that come and go."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.erp.answer import Answer, SourceAnswer
from bot.erp.document_calls import DocumentCalls
from bot.erp.errors import NotFound, RateLimited, Unavailable, Unsupported
from bot.erp.kinds import Kind
from bot.erp.limits import SourceLimits
from bot.erp.merging import ProductCodes
from bot.erp.model import Product, Quantities, Slice, StockLevel
from bot.erp.multi_source import MultiSource
from bot.erp.port import Capability, Erp, ListQuery
from bot.erp.units import Units
from bot.mechanisms.metrics import Metrics
from bot.words.phrase import phrase
from tests.erp.hub_sources import START, Clock, MakeHub, Source, counted


def stocked(sku: str, on_hand: int, barcode: str = "") -> StockLevel:
    return StockLevel(
        product=Product(sku=sku, name="螺丝", unit="个", barcode=barcode),
        total=Quantities(on_hand=Decimal(on_hand)),
        per_warehouse=(),
        reorder_point=None,
        as_of=START,
    )


class FakeSource(DocumentCalls):
    """A source with a few products; every read raises ``error``, after ``seconds``."""

    capabilities = frozenset(Capability)

    def __init__(self, name: str, *levels: StockLevel) -> None:
        self.name = name
        self.levels = {level.product.sku.casefold(): level for level in levels}
        self.calls: list[str] = []
        self.error: Exception | None = None
        self.seconds = 0.0

    async def stock(self, sku: str) -> StockLevel:
        await self._called(f"stock {sku}")
        if sku.casefold() not in self.levels:
            raise NotFound(sku, source=self.name)
        return self.levels[sku.casefold()]

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        await self._called(f"find {text}")
        products = (level.product for level in self.levels.values())
        return tuple(product for product in products if text in f"{product.sku} {product.name} {product.barcode}")[
            :limit
        ]

    async def documents(self, kind: Kind[Any], query: ListQuery) -> Slice[Any]:
        await self._called(f"orders {query.offset}+{query.limit}")
        return Slice(items=(), total=0)

    async def close(self) -> None:
        pass

    async def _called(self, call: str) -> None:
        self.calls.append(call)
        if self.seconds:
            await asyncio.sleep(self.seconds)
        if self.error:
            raise self.error


def screw(sku: str, barcode: str = "") -> Product:
    return stocked(sku, 0, barcode).product


def watch(*sources: Source) -> list[tuple[str, str, int]]:
    """Return the searches of these sources from now on: each with its text and limit."""
    asked: list[tuple[str, str, int]] = []

    def watch_one(source: Any) -> None:
        answer = source.find_products

        async def find_products(text: str, *, limit: int) -> Any:
            asked.append((source.name, text, limit))
            return await answer(text, limit=limit)

        source.find_products = find_products

    for source in sources:
        watch_one(source)
    return asked


async def test_stock_is_of_all_sources_together(make_hub: MakeHub, metrics: Metrics) -> None:
    found = await make_hub(FakeSource("a", stocked("SKU1", 5)), FakeSource("b", stocked("sku1", 7))).stock("SKU1")
    assert found.value.total.on_hand == Decimal(12)
    assert [part.source for part in found.parts] == ["a", "b"]
    assert counted(metrics, "stock", "ok", "a") == counted(metrics, "stock", "ok", "b") == 1


async def test_one_source_that_has_it_answers_as_if_alone(make_hub: MakeHub) -> None:
    b = FakeSource("b", stocked("SKU1", 7))
    found = await make_hub(FakeSource("a"), b).stock("SKU1")
    assert (found.value, found.source, found.parts) == (stocked("SKU1", 7), "b", ())
    assert found.value is b.levels["sku1"], "what has our code already is not copied"


async def test_the_mapping_table_asks_each_source_by_its_own_code(make_hub: MakeHub) -> None:
    a, b, c = (
        FakeSource("a", stocked("SKU1", 5)),
        FakeSource("b", stocked("B-1", 7)),
        FakeSource("c", stocked("SKU1", 100)),
    )
    hub = make_hub(a, b, c, products=ProductCodes({"SKU1": {"b": "B-1", "c": ""}}))
    for asked in ("sku1", "b-1"):
        found = await hub.stock(asked)
        assert (found.value.product.sku, found.value.total.on_hand) == ("SKU1", Decimal(12))
    assert c.calls == [], "the table says that it lacks the product"
    assert [product.sku for product in (await hub.find_products("SKU1", limit=9)).value] == ["SKU1"]


async def test_a_search_asks_each_source_by_its_code_and_within_the_limit(make_hub: MakeHub, metrics: Metrics) -> None:
    a, b, c, d = (
        Source("a", find_products=(screw("SKU1"), screw("SKU7"))),
        Source("b", find_products=(screw("B-1"),)),
        Source("c", find_products=(screw("Z-1"), screw("Z-2"))),
        Source("d", find_products=NotFound("SKU1")),
    )
    asked = watch(a, b, c, d)
    hub = make_hub(a, b, c, d, products=ProductCodes({"SKU1": {"b": "B-1", "c": ""}}))
    found = await hub.find_products("b-1", limit=2)
    assert [product.sku for product in found.value] == ["SKU1", "Z-1"]
    assert asked == [("a", "b-1", 2), ("b", "B-1", 2), ("c", "b-1", 2), ("d", "b-1", 2)]
    assert counted(metrics, "find_products", "ok", "a") == counted(metrics, "find_products", "NotFound", "d") == 1
    assert len((await hub.find_products("x", limit=3)).value) == 3


async def test_the_answers_of_a_search_are_told_apart_by_what_was_asked(make_hub: MakeHub) -> None:
    """The last answer for one code is not the last known answer for another."""
    down = [Unavailable("down")]
    a, b = Source("a", find_products=[(screw("B-1"),), *down]), Source("b", find_products=[(screw("B-2"),), *down])
    hub = make_hub(a, b, products=ProductCodes({"SKU1": {"b": "B-1"}}))
    await hub.find_products("SKU1", limit=2)
    again = await hub.find_products("SKU1", limit=2)
    assert (again.stale, len(again.value), len(again.failures)) == (True, 2, 2)
    for text, limit in (("SKU2", 2), ("SKU1", 3)):
        with pytest.raises(Unavailable):
            await hub.find_products(text, limit=limit)


async def test_a_code_that_a_source_lacks_by_the_table_is_searched_and_remembered_as_it_was_typed(
    make_hub: MakeHub,
) -> None:
    a, b = Source("a", find_products=()), Source("b", find_products=[(screw("Z"),), Unavailable("down")])
    hub = make_hub(a, b, products=ProductCodes({"SKU1": {"b": ""}, "SKU2": {"b": ""}}))
    assert [product.sku for product in (await hub.find_products("SKU1", limit=2)).value] == ["Z"]
    assert (await hub.find_products("SKU1", limit=2)).stale
    other = await hub.find_products("SKU2", limit=2)
    assert (other.value, other.stale) == ((), False), "what one code brought is not the answer for another"


async def test_where_nothing_can_be_asked_the_call_is_named(make_hub: MakeHub) -> None:
    with pytest.raises(Unavailable) as caught:
        await make_hub().find_products("x", limit=2)
    assert caught.value.detail == "nobody answered find_products"


async def test_what_a_search_missed_is_told(make_hub: MakeHub) -> None:
    with pytest.raises(Unavailable):
        await make_hub(
            Source("a", find_products=NotFound("x")), Source("b", find_products=Unavailable("down"))
        ).find_products("x", limit=1)
    with pytest.raises(NotFound):
        await make_hub(
            Source("a", find_products=NotFound("x")), Source("b", find_products=NotFound("x"))
        ).find_products("x", limit=1)


async def test_no_source_has_what_the_table_says_that_all_lack(make_hub: MakeHub) -> None:
    a, b = FakeSource("a", stocked("SKU1", 5)), FakeSource("b", stocked("SKU1", 7))
    with pytest.raises(NotFound) as caught:
        await make_hub(a, b, products=ProductCodes({"SKU1": {"a": "", "b": ""}})).stock("SKU1")
    assert (caught.value.what, a.calls, b.calls) == ("SKU1", [], [])


async def test_what_nobody_offers_is_named(make_hub: MakeHub) -> None:
    missing = frozenset({Capability.STOCK, Capability.SALES_ORDERS})
    hub = make_hub(Source("a", without=missing), Source("b", without=missing))
    with pytest.raises(Unsupported) as caught:
        await hub.stock("SKU1")
    assert caught.value.detail == "no source offers stock"
    with pytest.raises(Unsupported) as caught:
        await hub.orders(ListQuery())
    assert caught.value.detail == "no source offers orders"


async def test_the_last_known_value_of_one_of_several_stands_in_under_our_code(make_hub: MakeHub, clock: Clock) -> None:
    a = Source("a", stock=NotFound("SKU1"))
    b = Source("b", stock=[stocked("B-1", 7), Unavailable("down")])
    hub = make_hub(a, b, products=ProductCodes({"SKU1": {"b": "B-1"}}))
    fresh = await hub.stock("SKU1")
    assert (fresh.value, fresh.source, fresh.as_of) == (stocked("SKU1", 7), "b", START)
    assert (fresh.stale, fresh.failures, fresh.notes) == (False, (), ())
    clock.seconds = 60
    old = await hub.stock("SKU1")
    assert (old.value, old.as_of, old.stale) == (stocked("SKU1", 7), START, True)
    assert [str(failure) for failure in old.failures] == ["b: The ERP does not answer at the moment."]


async def test_what_is_noted_of_a_single_answer_goes_along(clock: Clock) -> None:
    note = phrase("a place is missing")

    async def hear(source: Erp, call: str, args: Any, read: Any) -> SourceAnswer[Any] | NotFound:
        if source.name == "a":
            return NotFound("SKU1")
        return SourceAnswer(source=source.name, value=await read(source), as_of=START, notes=(note,))

    several = MultiSource(hear, ProductCodes(), Units(), str, clock.monotonic)
    found = await several.stock([FakeSource("a"), FakeSource("b", stocked("SKU1", 7))], "SKU1")  # type: ignore[list-item]
    assert found == Answer(stocked("SKU1", 7), "b", START, notes=(note,))


async def test_a_twin_is_looked_for_by_three_hits_and_asked_by_its_code(make_hub: MakeHub, metrics: Metrics) -> None:
    a = FakeSource("a", stocked("SKU1", 5, "690123"))
    b = Source("b", stock=[NotFound("SKU1"), stocked("XY", 7, "690123")], find_products=(screw("XY", "690123"),))
    asked = watch(b)
    found = await make_hub(a, b).stock("SKU1")
    assert found.value.total.on_hand == Decimal(12)
    assert asked == [("b", "690123", 3)]
    assert b.calls == ["stock", "find_products", "stock"]
    assert counted(metrics, "find_products", "ok", "b") == counted(metrics, "stock", "ok", "b") == 1


@pytest.mark.parametrize("answer", [NotFound("690123"), Unavailable("down"), ()])
async def test_where_a_twin_cannot_be_looked_for_the_rest_is_the_answer(make_hub: MakeHub, answer: Any) -> None:
    a, b = FakeSource("a", stocked("SKU1", 5, "690123")), Source("b", stock=NotFound("SKU1"), find_products=answer)
    found = await make_hub(a, b).stock("SKU1")
    assert (found.value.total.on_hand, found.source, found.parts) == (Decimal(5), "a", ())


async def test_a_source_that_the_table_knows_is_never_searched_for_a_twin(make_hub: MakeHub) -> None:
    a, b = FakeSource("a", stocked("SKU1", 5, "690123")), FakeSource("b", stocked("XY", 7, "690123"))
    hub = make_hub(a, b, products=ProductCodes({"SKU1": {"b": "B-9"}}))
    assert (await hub.stock("SKU1")).value.total.on_hand == Decimal(5)
    assert b.calls == ["stock B-9"]


async def test_pages_are_remembered_each_by_itself(make_hub: MakeHub) -> None:
    page: Slice[Any] = Slice(items=(), total=2)
    a, b = (Source(name, orders=[page, Unavailable("down")]) for name in "ab")
    hub = make_hub(a, b)
    await hub.orders(ListQuery(offset=0, limit=8))
    again = await hub.orders(ListQuery(offset=0, limit=8))
    assert (again.value.total, again.stale) == (4, True)
    with pytest.raises(Unavailable):
        await hub.orders(ListQuery(offset=8, limit=8))


async def test_the_table_also_serves_a_single_source(make_hub: MakeHub) -> None:
    hub = make_hub(FakeSource("b", stocked("B-1", 7)), products=ProductCodes({"SKU1": {"b": "B-1"}}))
    assert (await hub.stock("SKU1")).value == stocked("SKU1", 7)


async def test_a_barcode_finds_the_product_under_another_code(make_hub: MakeHub) -> None:
    a, b = FakeSource("a", stocked("SKU1", 5, "690123")), FakeSource("b", stocked("XY", 7, "690123"))
    hub = make_hub(a, b)
    assert (await hub.stock("SKU1")).value.total.on_hand == Decimal(12)
    b.calls.clear()
    assert (await hub.stock("SKU1")).value.total.on_hand == Decimal(12)
    assert b.calls == ["stock XY"], "the code is remembered"


async def test_a_barcode_that_nobody_else_has_is_looked_for_once(make_hub: MakeHub, clock: Clock) -> None:
    a, b = FakeSource("a", stocked("SKU1", 5, "690123")), FakeSource("b", stocked("XY", 7, "6901234"))
    hub = make_hub(a, b)
    for _ in range(2):
        assert (await hub.stock("SKU1")).value.total.on_hand == Decimal(5)
    assert b.calls == ["stock SKU1", "find 690123", "stock SKU1"]
    clock.seconds += 601
    await hub.stock("SKU1")
    assert b.calls[-1] == "find 690123", "but not for ever"


async def test_a_barcode_that_two_products_have_there_names_neither(make_hub: MakeHub) -> None:
    a = FakeSource("a", stocked("SKU1", 5, "690123"))
    b = FakeSource("b", stocked("XY", 7, "690123"), stocked("XZ", 9, "690123"))
    hub = make_hub(a, b)
    for _ in range(2):
        found = await hub.stock("SKU1")
        assert (found.value, found.source, found.parts) == (stocked("SKU1", 5, "690123"), "a", ())
    assert b.calls == ["stock SKU1", "find 690123", "stock SKU1"], "that neither is meant is remembered"


async def test_a_code_that_is_another_products_barcode_hides_no_second_one(make_hub: MakeHub) -> None:
    a = FakeSource("a", stocked("SKU1", 5, "690123"))
    b = FakeSource("b", stocked("690123", 1), stocked("XY", 7, "690123"), stocked("XZ", 9, "690123"))
    assert (await make_hub(a, b).stock("SKU1")).value.total.on_hand == Decimal(5)
    c = FakeSource("c", stocked("690123", 1), stocked("XY", 7, "690123"))
    assert (await make_hub(a, c).stock("SKU1")).value.total.on_hand == Decimal(12)


async def test_where_the_sources_tell_two_barcodes_none_is_looked_for(make_hub: MakeHub) -> None:
    a, b = FakeSource("a", stocked("SKU1", 5, "690123")), FakeSource("b", stocked("SKU1", 7, "690999"))
    c = FakeSource("c", stocked("XY", 100, "690123"), stocked("XZ", 100, "690999"))
    assert (await make_hub(a, b, c).stock("SKU1")).value.total.on_hand == Decimal(12)
    assert c.calls == ["stock SKU1"]


async def test_a_barcode_is_looked_for_where_another_source_tells_none(make_hub: MakeHub) -> None:
    a, b = FakeSource("a", stocked("SKU1", 5, "690123")), FakeSource("b", stocked("SKU1", 7))
    c = FakeSource("c", stocked("XY", 100, "690123"))
    assert (await make_hub(a, b, c).stock("SKU1")).value.total.on_hand == Decimal(112)


async def test_a_dead_source_is_told_with_its_last_known_value(make_hub: MakeHub, clock: Clock) -> None:
    a, b = FakeSource("a", stocked("SKU1", 5)), FakeSource("b", stocked("SKU1", 7))
    hub = make_hub(a, b)
    await hub.stock("SKU1")
    clock.seconds = 3600
    b.error = RateLimited("busy", retry_after=60)
    found = await hub.stock("SKU1")
    assert (found.value.total.on_hand, found.stale) == (Decimal(5), False)
    dead = found.parts[1]
    assert dead.value is not None
    assert dead.value.total.on_hand == Decimal(7)
    assert (dead.fresh, dead.as_of, found.as_of) == (False, START, START + timedelta(hours=1))


async def test_a_dead_source_without_a_past_is_told_too(make_hub: MakeHub) -> None:
    a, b = FakeSource("a", stocked("SKU1", 5)), FakeSource("b")
    b.error = Unavailable("down")
    found = await make_hub(a, b).stock("SKU1")
    assert [(part.source, part.value is None) for part in found.parts] == [("a", False), ("b", True)]
    with pytest.raises(Unavailable):
        await make_hub(a, b).stock("SKU2")


async def test_each_source_has_its_own_time(make_hub: MakeHub) -> None:
    quick, slow = FakeSource("a", stocked("SKU1", 5)), FakeSource("b", stocked("SKU1", 7))
    slow.seconds = 60
    found = await make_hub(quick, slow, timeouts={"b": 0.02}).stock("SKU1")
    assert found.value.total.on_hand == Decimal(5)
    assert len(found.failures) == 1


async def test_pages_of_several_sources_ask_each_from_the_beginning(make_hub: MakeHub) -> None:
    a, b = FakeSource("a"), FakeSource("b")
    await make_hub(a, b).orders(ListQuery(offset=20, limit=20))
    assert a.calls == b.calls == ["orders 0+40"]
    alone = FakeSource("a")
    await make_hub(alone).orders(ListQuery(offset=20, limit=20))
    assert alone.calls == ["orders 20+20"]


async def test_a_flapping_source_is_left_alone_and_comes_back(
    make_hub: MakeHub, clock: Clock, metrics: Metrics
) -> None:
    def gauge() -> float | None:
        return metrics.registry.get_sample_value("dingerp_erp_open", {"source": "b"})

    a, b = FakeSource("a", stocked("SKU1", 5)), FakeSource("b", stocked("SKU1", 7))
    b.error = Unavailable("down")
    hub = make_hub(a, b, protections={"b": SourceLimits(failures=2, pause=30)})
    assert gauge() == 0
    for _ in range(2):
        await hub.stock("SKU1")
    assert gauge() == 1
    calls = len(b.calls)
    assert (await hub.stock("SKU1")).parts[1].value is None
    assert len(b.calls) == calls, "it is not asked"
    clock.seconds += 30
    b.error = None
    assert (await hub.stock("SKU1")).value.total.on_hand == Decimal(12)
    assert gauge() == 0


async def test_calls_are_spaced_out(make_hub: MakeHub, clock: Clock) -> None:
    source = FakeSource("a", *(stocked(f"SKU{i}", i) for i in range(6)))
    hub = make_hub(source, protections={"a": SourceLimits(rate=2)})
    for i in range(6):
        await hub.stock(f"SKU{i}")
    assert clock.slept == [pytest.approx(0.5)] * 4


async def test_who_would_wait_longer_than_the_time_of_a_question_is_refused(make_hub: MakeHub) -> None:
    source = FakeSource("a", stocked("SKU1", 1), stocked("SKU2", 2))
    hub = make_hub(source, protections={"a": SourceLimits(rate=0.1)}, timeout=5.0)
    await hub.stock("SKU1")
    with pytest.raises(RateLimited) as caught:
        await hub.stock("SKU2")
    assert caught.value.retry_after == pytest.approx(10.0)
    assert source.calls == ["stock SKU1"]


async def test_identical_questions_in_flight_are_one_call_to_each_source(make_hub: MakeHub) -> None:
    a, b = FakeSource("a", stocked("SKU1", 5)), FakeSource("b", stocked("SKU1", 7))
    a.seconds = b.seconds = 0.02
    hub = make_hub(a, b)
    answers = await asyncio.gather(*(hub.stock("SKU1") for _ in range(1000)))
    assert {found.value.total.on_hand for found in answers} == {Decimal(12)}
    assert (len(a.calls), len(b.calls)) == (1, 1)


async def test_three_sources_are_asked_at_the_same_time(make_hub: MakeHub) -> None:
    all_asked = asyncio.Barrier(3)

    class Meeting(FakeSource):
        async def stock(self, sku: str) -> StockLevel:
            await all_asked.wait()
            return await super().stock(sku)

    hub = make_hub(*(Meeting(name, stocked("SKU1", 1)) for name in "abc"), timeout=60.0)
    assert (await hub.stock("SKU1")).value.total.on_hand == Decimal(3)
