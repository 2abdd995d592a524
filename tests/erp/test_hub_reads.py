"""What the hub passes on: every call with its arguments, its name in the metrics, and its own key in the cache."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.erp.books import Books, InSeveralBooks
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
from bot.erp.hub import ErpHub, default_scope
from bot.erp.kinds import KINDS, PURCHASE_ORDERS, Kind
from bot.erp.limits import SourceLimits
from bot.erp.merging import ProductCodes
from bot.erp.model import (
    Area,
    Changes,
    Customer,
    Decision,
    DecisionOutcome,
    Invoice,
    Product,
    Slice,
    Supplier,
    Verdict,
)
from bot.erp.model.goods import GoodsDelivery, GoodsReceipt
from bot.erp.port import Capability, Filter, ListQuery
from bot.erp.units import Units
from bot.kit.testing.contract_base import name_of
from bot.mechanisms.metrics import Metrics
from bot.words.errors import ConfigurationError
from tests.bare_records import bare
from tests.erp.hub_sources import DECIDED, DECISION, START, Clock, MakeHub, counted, level, purchase
from tests.erp.named_reads import NamedReads

DAY = date(2026, 11, 20)
DOWN = Unavailable("down")


class Asked(NamedReads):
    """A source that records its calls with all arguments; answers are queued per call as in `test_hub`."""

    def __init__(self, name: str = "main", *, without: frozenset[Capability] = frozenset(), **answers: Any) -> None:
        self.name = name
        self.capabilities = frozenset(Capability) - without
        self.answers = {call: list(queue) if isinstance(queue, list) else [queue] for call, queue in answers.items()}
        self.calls: list[tuple[Any, ...]] = []
        self.closed = 0

    def __getattr__(self, call: str) -> Callable[..., Any]:
        if call not in self.answers:
            raise AttributeError(call)

        async def answer(*args: Any, **kwargs: Any) -> Any:
            self.calls.append((call, *args, *kwargs.items()))
            queue = self.answers[call]
            answer = queue.pop(0) if len(queue) > 1 else queue[0]
            if isinstance(answer, BaseException):
                raise answer
            return answer

        return answer

    async def close(self) -> None:
        self.closed += 1


DATED = [kind for kind in KINDS if kind.record not in (Customer, Supplier, GoodsDelivery, GoodsReceipt)]
_DAYS = ("ordered_on", "issued_on", "start_on", "quoted_on", "paid_on")


def dated(kind: Kind[Any], number: str, days: int = 0) -> Any:
    """Return a document of some days after `DAY`."""
    name = next(each for each in _DAYS if each in kind.record.__dataclass_fields__)
    return bare(kind.record, number, **{name: DAY + timedelta(days=days)})


def bill(number: str) -> Invoice:
    return bare(Invoice, number)


def single(hub: ErpHub, kind: Kind[Any] | None, number: str) -> Awaitable[Any]:
    return hub.stock(number) if kind is None else hub.document(kind, number)


SINGLE: list[Kind[Any] | None] = [None, *DATED]
"""What is read one by one: stock, and documents."""
QUERY = ListQuery(text="x", filter=Filter.ALL, offset=3, limit=4)
by_name = pytest.mark.parametrize("kind", SINGLE, ids=lambda kind: kind.call if kind else "stock")
by_list = pytest.mark.parametrize("kind", DATED, ids=name_of)


@by_name
async def test_one_document_is_asked_for_as_it_was_typed_and_remembered_in_any_case(
    kind: Kind[Any] | None, make_hub: MakeHub, metrics: Metrics, clock: Clock
) -> None:
    call, value = (kind.call, dated(kind, "Ab-1")) if kind else ("stock", level())
    source = Asked(**{call: [value, DOWN]})
    hub = make_hub(source)
    found = await single(hub, kind, "Ab-1")
    assert (found.value, found.source, found.as_of, found.stale) == (value, "main", START, False)
    assert source.calls == [(call, "Ab-1")]
    assert counted(metrics, call, "ok") == 1
    clock.seconds = 60
    old = await single(hub, kind, "aB-1")
    assert (old.value, old.stale, old.as_of) == (value, True, START)
    with pytest.raises(Unavailable):
        await single(hub, kind, "Ab-2")


@by_name
async def test_what_no_source_offers_is_not_asked_for(kind: Kind[Any] | None, make_hub: MakeHub) -> None:
    call, capability = (kind.call, kind.capability) if kind else ("stock", Capability.STOCK)
    source = Asked(without=frozenset({capability}), **{call: None})
    with pytest.raises(Unsupported) as caught:
        await single(make_hub(source), kind, "Ab-1")
    assert (caught.value.detail, source.calls) == (f"no source offers {call}", [])


@by_list
async def test_a_list_of_one_source_is_asked_for_as_it_is(kind: Kind[Any], make_hub: MakeHub, metrics: Metrics) -> None:
    page: Slice[Any] = Slice(items=(dated(kind, "A-1"),), total=9)
    source = Asked(**{kind.list_call: [page, DOWN]})
    hub = make_hub(source)
    assert (await hub.documents(kind, QUERY)).value is page
    assert source.calls == [(kind.list_call, QUERY)]
    assert counted(metrics, kind.list_call, "ok") == 1
    assert (await hub.documents(kind, QUERY)).stale
    with pytest.raises(Unavailable):
        await hub.documents(kind, ListQuery(text="x", offset=3, limit=5))
    with pytest.raises(Unsupported) as caught:
        await make_hub(Asked(without=frozenset({kind.capability}))).documents(kind, QUERY)
    assert caught.value.detail == f"no source offers {kind.list_call}"


@by_list
async def test_lists_of_several_sources_are_one_in_the_order_of_their_days(
    kind: Kind[Any], make_hub: MakeHub, metrics: Metrics
) -> None:
    call = kind.list_call
    a = Asked("a", **{call: Slice(items=(dated(kind, "A-1", 4), dated(kind, "A-2", 1)), total=2)})
    b = Asked("b", **{call: Slice(items=(dated(kind, "B-1", 3), dated(kind, "B-2", 2)), total=3)})
    c = Asked("c", without=frozenset({kind.capability}))
    found = await make_hub(a, b, c).documents(kind, ListQuery(text="x", offset=1, limit=2))
    assert ([item.number for item in found.value.items], found.value.total) == (["B-1", "B-2"], 5)
    assert a.calls == b.calls == [(call, ListQuery(text="x", offset=0, limit=3))]
    assert counted(metrics, call, "ok", "a") == counted(metrics, call, "ok", "b") == 1


async def test_products_are_asked_for_with_text_and_limit(make_hub: MakeHub, metrics: Metrics) -> None:
    hits = (level().product,)
    source = Asked(find_products=[hits, DOWN])
    hub = make_hub(source)
    assert (await hub.find_products("Ab", limit=3)).value == hits
    assert source.calls == [("find_products", "Ab", ("limit", 3))]
    assert counted(metrics, "find_products", "ok") == 1
    assert (await hub.find_products("Ab", limit=3)).stale
    for text, limit in (("ab", 3), ("Ab", 4)):
        with pytest.raises(Unavailable):
            await hub.find_products(text, limit=limit)


async def test_products_of_several_sources_are_asked_for_with_the_limit(make_hub: MakeHub) -> None:
    a, b = Asked("a", find_products=(level().product,)), Asked("b", find_products=())
    assert (await make_hub(a, b).find_products("Ab", limit=3)).value == (level().product,)
    assert a.calls == b.calls == [("find_products", "Ab", ("limit", 3))]


async def test_a_table_makes_one_source_one_of_several(make_hub: MakeHub) -> None:
    source = Asked(stock=level())
    await make_hub(source, products=ProductCodes({"OURS": {"main": "SKU123"}})).stock("OURS")
    assert source.calls == [("stock", "SKU123")]


async def test_units_of_the_configuration_are_judged_and_converted_by(make_hub: MakeHub) -> None:
    other = level()
    thousand = Product(sku="SKU123", name="螺丝", unit="千个")
    a = Asked("a", stock=other)
    b = Asked("b", stock=replace(other, product=thousand))
    plain = await make_hub(a, b).stock("SKU123")
    assert plain.value.total.on_hand == Decimal(5)
    listed = await make_hub(a, b, units=Units({"千个": "1000 个"})).stock("SKU123")
    assert listed.value.total.on_hand == Decimal(5005)


async def test_changes_are_asked_for_with_area_cursor_and_limit(make_hub: MakeHub, metrics: Metrics) -> None:
    changes = Changes(items=(), cursor="7", more=False)
    source = Asked(changed_since=[changes, DOWN])
    hub = make_hub(source)
    assert await hub.source_client("main").changed_since(Area.STOCK, "6", limit=10) is changes
    assert source.calls == [("changed_since", Area.STOCK, "6", ("limit", 10))]
    assert counted(metrics, "changed_since", "ok") == 1
    with pytest.raises(Unavailable):
        await hub.source_client("main").changed_since(Area.STOCK, "6", limit=10)
    unable = make_hub(Asked(without=frozenset({Capability.CHANGED_SINCE})))
    with pytest.raises(Unsupported) as caught:
        await unable.source_client("main").changed_since(Area.STOCK, "6", limit=10)
    assert (caught.value.detail, caught.value.source) == ("no changed_since here", "main")


async def test_one_source_is_searched_for_the_index(make_hub: MakeHub, metrics: Metrics) -> None:
    hits = (level().product, level().product)
    source = Asked(find_products=[hits, DOWN])
    hub = make_hub(source, Asked("b", find_products=()))
    assert await hub.source_client("main").find_products("Ab", limit=7) == hits[:1], "what comes twice is shown once"
    assert source.calls == [("find_products", "Ab", ("limit", 7))]
    assert counted(metrics, "find_products", "ok") == 1
    with pytest.raises(Unavailable):
        await hub.source_client("main").find_products("Ab", limit=7)


async def test_a_source_that_is_not_here_is_named(make_hub: MakeHub) -> None:
    hub = make_hub(Asked())
    with pytest.raises(Unsupported) as caught:
        hub.source_client("other")
    assert (caught.value.detail, caught.value.source) == ("no such source", "other")
    with pytest.raises(Unsupported) as caught:
        await hub.reread("other", PURCHASE_ORDERS, "PO-1")
    assert caught.value.source == "other"


async def test_categories_are_looked_for_code_by_code(make_hub: MakeHub) -> None:
    screw = Product(sku="SKU1", name="螺丝", unit="个", category="紧固件")
    source = Asked(find_products=[(screw,), ()])
    assert await make_hub(source).categories("main", ["SKU1", "SKU2", "SKU1"]) == {"紧固件"}
    assert source.calls == [("find_products", "SKU1", ("limit", 5)), ("find_products", "SKU2", ("limit", 5))]


async def test_an_order_that_is_read_anew_has_its_source_and_time(make_hub: MakeHub, clock: Clock) -> None:
    source = Asked(purchase_order=[purchase(version="2"), DOWN])
    hub = make_hub(source)
    clock.seconds = 30
    assert (await hub.reread("main", PURCHASE_ORDERS, "Po-1001")).review.version == "2"
    assert source.calls == [("purchase_order", "Po-1001")]
    clock.seconds = 90
    old = await hub.purchase_order("PO-1001")
    assert (old.source, old.as_of, old.stale) == ("main", START + timedelta(seconds=30), True)
    with pytest.raises(Unsupported):
        await make_hub(Asked(without=frozenset({Capability.PURCHASE_ORDERS}))).reread(
            "main", PURCHASE_ORDERS, "PO-1001"
        )


async def test_the_sources_are_named_in_their_order(make_hub: MakeHub) -> None:
    assert make_hub(Asked("b"), Asked("a")).sources == ("b", "a")
    with pytest.raises(ConfigurationError) as caught:
        make_hub(Asked("a"), Asked("a"))
    assert caught.value.detail == "two ERP sources have the same name"
    assert default_scope() == ""


async def test_a_check_is_counted_and_not_repeated(make_hub: MakeHub, metrics: Metrics) -> None:
    source = Asked(check=[DOWN, None])
    assert await make_hub(source).check() == {"main": DOWN}
    assert source.calls == [("check",)]
    assert counted(metrics, "check", "Unavailable") == 1


# Which answer counts


async def test_a_number_of_several_sources_is_nobodys_guess(make_hub: MakeHub) -> None:
    hub = make_hub(*(Asked(name, invoice=bill(f"INV-{name}")) for name in "abc"))
    with pytest.raises(InSeveralBooks) as caught:
        await hub.invoice("INV-1")
    assert (caught.value.what, caught.value.books) == ("INV-1", (("a",), ("b",), ("c",)))
    found = await hub.within(Books("b")).invoice("INV-1")
    assert (found.value.number, found.source, found.value.books) == ("INV-b", "b", ("b",))


async def test_an_old_copy_is_a_document_like_any_other(make_hub: MakeHub, clock: Clock) -> None:
    busy = RateLimited("busy", retry_after=60)
    a, b = Asked("a", invoice=[bill("INV-a"), busy]), Asked("b", invoice=[NotFound("INV-1"), bill("INV-b")])
    hub = make_hub(a, b)
    assert (await hub.invoice("INV-1")).source == "a"
    clock.seconds = 60
    with pytest.raises(InSeveralBooks):
        await hub.invoice("INV-1")
    found = await hub.within(Books("a")).invoice("INV-1")
    assert (found.source, found.stale) == ("a", True)


@pytest.mark.parametrize("error", [NotPermitted("no"), AuthFailed("key")])
async def test_of_who_may_not_answer_nothing_old_is_told(make_hub: MakeHub, error: ErpError) -> None:
    a, b = Asked("a", invoice=[bill("INV-a"), error]), Asked("b", invoice=NotFound("INV-1"))
    hub = make_hub(a, b)
    await hub.invoice("INV-1")
    with pytest.raises(type(error)) as caught:
        await hub.invoice("INV-1")
    assert caught.value.source == "a"
    stock_a, stock_b = Asked("a", stock=[level(1), error]), Asked("b", stock=level(2))
    both = make_hub(stock_a, stock_b)
    await both.stock("SKU123")
    found = await both.stock("SKU123")
    assert (found.value.total.on_hand, found.parts[0].value, found.parts[0].error) == (Decimal(2), None, error)


async def test_the_first_error_and_the_first_miss_are_told(make_hub: MakeHub) -> None:
    first, second = NotPermitted("no"), AuthFailed("key")
    hub = make_hub(Asked("a", invoice=NotFound("x")), Asked("b", invoice=first), Asked("c", invoice=second))
    with pytest.raises(NotPermitted):
        await hub.invoice("INV-1")
    misses = [NotFound("inv-1", source=source) for source in "ab"]
    hub = make_hub(Asked("a", invoice=misses[0]), Asked("b", invoice=misses[1]))
    with pytest.raises(NotFound) as caught:
        await hub.invoice("INV-1")
    assert (caught.value.what, caught.value.source) == ("INV-1", "a")


# Stored answers, the index, decisions


class AnswerStore:
    """Stores answers as the database does; ``log`` lists its calls."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str, str], tuple[Any, Any]] = {}
        self.log: list[tuple[Any, ...]] = []

    def put(self, source: str, call: str, asked: str, value: Any, as_of: Any) -> None:
        self.log.append(("put", source, call, asked))
        self.kept[source, call, asked] = (value, as_of)

    def forget(self, source: str, call: str, asked: str) -> None:
        self.log.append(("forget", source, call, asked))
        self.kept.pop((source, call, asked), None)

    def get(self, source: str, call: str, asked: str) -> tuple[Any, Any] | None:
        self.log.append(("get", source, call, asked))
        return self.kept.get((source, call, asked))


async def test_answers_are_kept_for_the_next_process_and_forgotten(make_hub: MakeHub, clock: Clock) -> None:
    store, source = AnswerStore(), Asked(stock=[level(3), *[DOWN] * 3, NotFound("SKU123"), DOWN])
    await make_hub(source, kept=store).stock("SKU123")
    place = ("main", "stock", repr(("", "sku123")))
    assert store.log == [("put", *place)]
    clock.seconds = 60
    hub = make_hub(source, kept=store)
    old = await hub.stock("SKU123")
    assert (old.value, old.source, old.as_of, old.stale) == (level(3), "main", START, True)
    with pytest.raises(NotFound):
        await hub.stock("SKU123")
    assert store.log[1:] == [("get", *place), ("forget", *place)]
    with pytest.raises(Unavailable):
        await hub.stock("SKU123")


async def test_what_this_process_knows_is_not_looked_for_elsewhere(make_hub: MakeHub) -> None:
    store, source = AnswerStore(), Asked(stock=[level(3), DOWN])
    hub = make_hub(source, kept=store)
    await hub.stock("SKU123")
    assert (await hub.stock("SKU123")).stale
    assert [entry[0] for entry in store.log] == ["put"]


async def test_the_part_of_a_sum_may_come_from_an_earlier_process(make_hub: MakeHub, clock: Clock) -> None:
    store = AnswerStore()
    await make_hub(Asked("a", stock=level(1)), Asked("b", stock=level(2)), kept=store).stock("SKU123")
    clock.seconds = 60
    found = await make_hub(Asked("a", stock=level(4)), Asked("b", stock=DOWN), kept=store).stock("SKU123")
    part = found.parts[1]
    assert (part.source, part.value, part.as_of, part.error) == ("b", level(2), START, DOWN)
    assert found.parts[0].as_of == START + timedelta(seconds=60)


class Index:
    """Returns scripted matches, for one source."""

    def __init__(self, found: Any) -> None:
        self.found = found
        self.asked: list[tuple[str, str, int]] = []

    async def find(self, source: str, text: str, *, limit: int) -> Any:
        self.asked.append((source, text, limit))
        return self.found


async def test_the_index_answers_in_place_of_the_source(make_hub: MakeHub, metrics: Metrics) -> None:
    hits = (level().product,)
    index, source = Index(hits), Asked(find_products=(), stock=level())
    hub = make_hub(source, index=index)
    assert (await hub.find_products("Ab", limit=3)).value == hits
    assert (index.asked, source.calls) == ([("main", "Ab", 3)], [])
    await hub.stock("SKU123")
    assert len(index.asked) == 1, "only searches for products are its own"
    empty = Index(())
    assert (await make_hub(source, index=empty).find_products("Ab", limit=3)).value == ()
    assert source.calls == [("stock", "SKU123")]


async def test_where_the_index_cannot_answer_the_source_is_asked(make_hub: MakeHub) -> None:
    index, source = Index(None), Asked(find_products=(level().product,))
    assert (await make_hub(source, index=index).find_products("Ab", limit=3)).value == (level().product,)
    assert source.calls == [("find_products", "Ab", ("limit", 3))]


async def test_who_asks_under_another_account_is_not_answered_by_the_index(make_hub: MakeHub) -> None:
    index, source = Index(()), Asked(find_products=(level().product,))
    hub = make_hub(source, index=index, scope=lambda: "anna")
    assert (await hub.find_products("Ab", limit=3)).value == (level().product,)
    assert index.asked == []


@pytest.mark.parametrize(
    ("verdict", "capability"), [(Verdict.APPROVE, Capability.APPROVE), (Verdict.REJECT, Capability.REJECT)]
)
async def test_a_decision_needs_its_own_ability(
    verdict: Verdict, capability: Capability, make_hub: MakeHub, metrics: Metrics
) -> None:
    decision = Decision(number="PO-1001", version="1", verdict=verdict, by="boss01")
    able = Asked("able", decide=DECIDED)
    unable = Asked("unable", without=frozenset({capability}), decide=DECIDED)
    hub = make_hub(able, unable)
    assert await hub.decide("able", decision) is DECIDED
    await asyncio.sleep(0)
    assert not hub._decisions._writes._under_way, "nothing is left to wait for"
    assert able.calls == [("decide", decision)]
    assert (await hub.decide("unable", decision)).document is None
    assert unable.calls == []
    assert counted(metrics, "decide", "ok", "able") == 1


async def test_a_decided_order_is_remembered_with_its_source_and_time(make_hub: MakeHub, clock: Clock) -> None:
    source = Asked(decide=DECIDED, purchase_order=DOWN)
    hub = make_hub(source)
    clock.seconds = 30
    await hub.decide("main", DECISION)
    clock.seconds = 90
    found = await hub.purchase_order("po-1001")
    assert (found.value, found.source, found.as_of, found.stale) == (
        DECIDED.document,
        "main",
        START + timedelta(seconds=30),
        True,
    )


async def test_an_unconfirmed_decision_asks_for_its_order_once_more(make_hub: MakeHub, metrics: Metrics) -> None:
    source = Asked(decide=UnknownOutcome("lost"), purchase_order=purchase(version="2"))
    result = await make_hub(source).decide("main", DECISION)
    assert (result.outcome, result.document, result.text) == (DecisionOutcome.UNKNOWN, purchase(version="2"), "lost")
    assert source.calls == [("decide", DECISION), ("purchase_order", "PO-1001")]
    assert counted(metrics, "decide", "UnknownOutcome") == counted(metrics, "purchase_order", "ok") == 1


async def test_a_decision_without_an_order_leaves_what_was_known(make_hub: MakeHub) -> None:
    source = Asked(decide=Conflict("changed"), purchase_order=[purchase(), DOWN])
    hub = make_hub(source)
    await hub.purchase_order("PO-1001")
    with pytest.raises(Conflict):
        await hub.decide("main", DECISION)
    assert (await hub.purchase_order("PO-1001")).value == purchase()


async def test_each_source_is_spared_as_it_is_configured(make_hub: MakeHub) -> None:
    shy, bold = Asked("shy", invoice=DOWN), Asked("bold", invoice=bill("INV-1"))
    hub = make_hub(shy, bold, protections={"shy": SourceLimits(failures=1, pause=60)})
    for _ in range(3):
        assert (await hub.invoice("INV-1")).source == "bold"
    assert (len(shy.calls), len(bold.calls)) == (3, 3), "three attempts, and then none"


async def test_below_zero_is_believed_unless_the_source_may_not_have_it(make_hub: MakeHub) -> None:
    for protections in ({}, {"main": SourceLimits()}, {"other": SourceLimits(negative_stock=False)}):
        found = await make_hub(Asked(stock=level(-5)), protections=protections).stock("SKU123")
        assert found.value == level(-5)
    strict = make_hub(Asked(stock=level(-5)), protections={"main": SourceLimits(negative_stock=False)})
    with pytest.raises(ErpError):
        await strict.stock("SKU123")


async def test_what_was_left_out_is_noted(make_hub: MakeHub) -> None:
    twice = (level().product, level().product)
    texts = ["main: 1 records cannot be right and are left out."]
    alone = await make_hub(Asked(find_products=twice)).find_products("x", limit=9)
    assert [str(note) for note in alone.notes] == texts
    both = await make_hub(Asked(find_products=twice), Asked("b", find_products=())).find_products("x", limit=9)
    assert [str(note) for note in both.notes] == texts


async def test_a_unit_that_the_configuration_does_not_list_is_refused(make_hub: MakeHub) -> None:
    odd = replace(level(), product=replace(level().product, unit="扎"))
    assert (await make_hub(Asked(stock=odd)).stock("SKU123")).value == odd
    with pytest.raises(ErpError):
        await make_hub(Asked(stock=odd), units=Units({"千个": "1000 个"})).stock("SKU123")


async def test_what_cannot_be_right_is_kept_aside_with_its_source(make_hub: MakeHub) -> None:
    kept: list[Any] = []

    class Quarantine:
        def add(self, record: Any) -> None:
            kept.append(record)

    with pytest.raises(ErpError):
        await make_hub(Asked(stock=level(10**18)), quarantine=Quarantine()).stock("SKU123")
    assert [(record.source, record.key, record.at) for record in kept] == [("main", "SKU123", START)]


async def test_closing_closes_every_source_once(make_hub: MakeHub) -> None:
    a, b = Asked("a"), Asked("b")
    await make_hub(a, b).close()
    assert (a.closed, b.closed) == (1, 1)
