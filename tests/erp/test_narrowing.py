"""A reader of some documents finds those, all of them, and nothing else: in answers, lists, sums and searches."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.access.grants import EVERYTHING, Scope
from bot.erp.errors import NotFound, Unavailable
from bot.erp.hub import ErpHub
from bot.erp.kinds import AREA_KINDS, Kind
from bot.erp.model import (
    Area,
    Bill,
    Customer,
    Lot,
    Payment,
    Product,
    Supplier,
)
from bot.erp.model.goods import GoodsDelivery, GoodsReceipt, ProductDetails
from bot.erp.narrowing import Narrowing, ScopeKeys
from bot.erp.port import ListQuery
from bot.erp.reader_lists import MAX_PAGES, PAGE
from bot.mechanisms.metrics import Metrics
from tests.bare_records import bare
from tests.erp.narrowed_company import (
    NOW,
    CompanyInMemory,
    a_level,
    a_production,
    a_purchase,
    an_invoice,
    an_order,
)
from tests.examples import examples
from tests.rows import each_row

AREAS = (Area.STOCK, Area.SALES, Area.FINANCE, Area.PURCHASING, Area.PRODUCTION)


def a_hub(*sources: CompanyInMemory) -> ErpHub:
    async def at_once(seconds: float) -> None:
        pass

    return ErpHub(sources, metrics=Metrics(), now=lambda: NOW, sleep=at_once)  # type: ignore[arg-type]  # it only reads


def narrowed(hub: ErpHub, *scopes: Scope, names: frozenset[str] = frozenset()) -> ErpHub:
    return hub.narrowed(Narrowing(dict.fromkeys(AREAS, scopes), lambda source: names))


def only(**restrictions: set[str]) -> Scope:
    return replace(EVERYTHING, **{name: frozenset(words) for name, words in restrictions.items()})  # type: ignore[arg-type]


# A restriction that a record tells nothing about is not met: this is said once more here, in the plainest words.
def is_visible(keys: Mapping[str, set[str]], scopes: tuple[Scope, ...], names: frozenset[str]) -> bool:
    def met(wanted: frozenset[str] | None, key: str) -> bool:
        return wanted is None or bool({word.lower() for word in wanted} & {word.lower() for word in keys.get(key, ())})

    return any(
        all(met(getattr(scope, key), key) for key in ("sources", "companies", "warehouses", "categories", "partners"))
        and (not scope.own or met(names, "owners"))
        for scope in scopes
    )


def keys_of(document: Any, source: str) -> dict[str, set[str]]:
    keys = {"sources": {source}, "companies": {document.extra.get("company", "")} - {""}}
    partner = getattr(document, "customer", "") or getattr(document, "vendor", "")
    people = {getattr(document, name, "") for name in ("salesperson", "requester", "buyer")} - {""}
    named = {document.named(account) for account in people} if hasattr(document, "named") else set()
    return keys | {"partners": {partner} - {""}, "owners": people | named}


WORDS = st.sampled_from(["A", "B", "C"])
COMPANIES = st.sampled_from(["", "A", "B"])
PEOPLE = st.sampled_from(["", "anna", "boris"])
SOME = st.none() | st.frozensets(st.sampled_from(["A", "b", "C", "other"]), max_size=2)
SCOPES = st.lists(
    st.builds(
        Scope,
        sources=st.none() | st.frozensets(st.sampled_from(["one", "two"]), max_size=1),
        companies=SOME,
        warehouses=SOME,
        categories=SOME,
        partners=SOME,
        own=st.booleans(),
    )
    | st.just(EVERYTHING),
    max_size=3,
).map(tuple)


def test_each_restriction_of_a_scope_counts() -> None:
    keys = ScopeKeys(source="one", company="A", category="C", partner="P", owners=("anna",), warehouses=("W",))
    scope = only(sources={"one"}, companies={"A"}, categories={"C"}, partners={"P"}, warehouses={"W"})
    narrowing = Narrowing({Area.SALES: (replace(scope, own=True),)}, lambda source: frozenset({"anna"}))
    assert narrowing.covers_keys(Area.SALES, keys)
    others: dict[str, Any] = {"source": "two", "owners": ("boris",), "warehouses": ("V",)}
    others |= dict.fromkeys(("company", "category", "partner"), "another")
    for name, other in others.items():
        assert not narrowing.covers_keys(Area.SALES, replace(keys, **{name: other})), name


LEVELS = st.builds(
    a_level,
    st.just("P0"),
    st.dictionaries(WORDS, st.integers(0, 9), min_size=1),
    category=WORDS,
    company=COMPANIES,
)


@st.composite
def companies(draw: st.DrawFn) -> list[CompanyInMemory]:
    return [draw(company(name)) for name in draw(st.sampled_from([["one"], ["one", "two"]]))]


@st.composite
def company(draw: st.DrawFn, name: str) -> CompanyInMemory:
    count = draw(st.integers(0, 4))

    def numbered(letter: str, make: Any, **more: Any) -> list[Any]:
        numbers = [f"{name}-{letter}{n}" for n in range(count)]
        words = {**more, "company": COMPANIES}
        return [make(number, draw(WORDS), **{key: draw(values) for key, values in words.items()}) for number in numbers]

    return CompanyInMemory(
        name,
        [
            replace(level, product=replace(level.product, sku=f"P{n}", name=f"Product P{n}"))
            for n, level in enumerate(draw(st.lists(LEVELS, max_size=3)))
        ],
        order=numbered("O", an_order, salesperson=PEOPLE),
        invoice=numbered("I", an_invoice),
        purchase_order=numbered("P", a_purchase, requester=PEOPLE, buyer=PEOPLE),
        production_order=numbered("M", a_production),
    )


NAMES = st.sampled_from([frozenset[str](), frozenset({"Anna"}), frozenset({"anna"})])


@settings(max_examples=examples(2))
@given(
    sources=companies(),
    scopes=SCOPES,
    names=NAMES,
)
def test_documents(sources: list[CompanyInMemory], scopes: tuple[Scope, ...], names: frozenset[str]) -> None:
    async def check() -> None:
        hub = narrowed(a_hub(*sources), *scopes, names=names)
        for kind in AREA_KINDS:
            documents = [(document, source.name) for source in sources for document in source.documents_kept[kind.call]]
            visible = {each.number for each, source in documents if is_visible(keys_of(each, source), scopes, names)}
            found: Any = await hub.documents(kind, ListQuery(limit=20))
            assert {document.number for document in found.value.items} == visible
            assert found.value.total == len(visible)
            await check_pages(hub, kind, visible)
            for document, _ in documents:
                await check_one(hub, kind, document.number, is_seen=document.number in visible)

    asyncio.run(check())


async def check_pages(hub: ErpHub, kind: Kind[Any], visible: set[str]) -> None:
    answers: list[Any] = [await hub.documents(kind, ListQuery(offset=offset, limit=2)) for offset in (0, 2, 4, 6)]
    pages = [answer.value for answer in answers]
    shown = [document.number for page in pages for document in page.items]
    assert sorted(shown) == sorted(visible)
    assert {page.total for page in pages} == {len(visible)}


async def check_one(hub: ErpHub, kind: Kind[Any], number: str, *, is_seen: bool) -> None:
    if is_seen:
        found: Any = await hub.document(kind, number)
        assert found.value.number == number
        return
    with pytest.raises(NotFound):
        await hub.document(kind, number)


@settings(max_examples=examples(2))
@given(sources=companies(), scopes=SCOPES)
def test_stock(sources: list[CompanyInMemory], scopes: tuple[Scope, ...]) -> None:
    async def check() -> None:
        hub = narrowed(a_hub(*sources), *scopes)
        for sku in {sku for source in sources for sku in source.levels}:
            places = visible_places(sources, sku, scopes)
            if not places:
                with pytest.raises(NotFound):
                    await hub.stock(sku)
                continue
            level = (await hub.stock(sku)).value
            assert sorted(places) == sorted((place.code, place.quantities.on_hand) for place in level.per_warehouse)
            total = sum((figure for _, figure in places), Decimal())
            assert level.total.on_hand == total

    asyncio.run(check())


def visible_places(sources: list[CompanyInMemory], sku: str, scopes: tuple[Scope, ...]) -> list[tuple[str, Decimal]]:
    """Return the warehouses that may be seen; where a whole level may, also one without a warehouse."""
    places: list[tuple[str, Decimal]] = []
    for source in sources:
        level = source.levels.get(sku)
        for place in level.per_warehouse if level else ():
            assert level is not None
            keys = {
                "sources": {source.name},
                "companies": {level.company} - {""},
                "categories": {level.product.category},
                "warehouses": {place.code, place.name},
            }
            if is_visible(keys, scopes, frozenset()):
                assert place.quantities.on_hand is not None
                places.append((place.code, place.quantities.on_hand))
    return places


@settings(max_examples=examples(1))
@given(sources=companies(), scopes=SCOPES)
def test_products(sources: list[CompanyInMemory], scopes: tuple[Scope, ...]) -> None:
    async def check() -> None:
        found = await narrowed(a_hub(*sources), *scopes).find_products("P", limit=10)
        wide = tuple(Scope(sources=scope.sources, categories=scope.categories) for scope in scopes)
        visible = {
            level.product.sku
            for source in sources
            for level in source.levels.values()
            if is_visible({"sources": {source.name}, "categories": {level.product.category}}, wide, frozenset())
        }
        assert {product.sku for product in found.value} == visible

    asyncio.run(check())


async def test_a_source_outside_is_not_asked() -> None:
    one, two = CompanyInMemory("one", order=[an_order("O1", "A")]), CompanyInMemory("two", order=[an_order("O2", "A")])
    hub = narrowed(a_hub(one, two), only(sources={"one"}))
    await hub.orders(ListQuery())
    await hub.find_products("x", limit=3)
    with pytest.raises(NotFound):
        await hub.order("O2")
    assert two.calls == []


async def test_without_a_scope_nothing_is_there_and_nobody_is_asked() -> None:
    one = CompanyInMemory("one", [a_level("P1", {"A": 1})], order=[an_order("O1", "A")])
    hub = narrowed(a_hub(one))
    assert (await hub.orders(ListQuery())).value.total == 0
    assert (await hub.find_products("P1", limit=3)).value == ()
    for ask in (hub.stock("P1"), hub.order("O1")):
        with pytest.raises(NotFound):
            await ask
    assert one.calls == []


async def test_the_sum_is_that_of_the_visible_warehouses() -> None:
    hub = narrowed(
        a_hub(CompanyInMemory("one", [a_level("P1", {"A": 3, "B": 40}, reorder=20)])), only(warehouses={"a hall"})
    )
    level = (await hub.stock("P1")).value
    assert level.total.available == 3
    assert [place.code for place in level.per_warehouse] == ["A"]
    assert level.reorder_point is None, "it is meant for all warehouses"


async def test_lots_of_hidden_warehouses_are_not_told() -> None:
    lots = tuple(Lot(number=f"L-{code}", quantity=Decimal(1), warehouse=code) for code in "AB")
    level = replace(a_level("P1", {"A": 3, "B": 40}), lots=lots)
    hub = narrowed(a_hub(CompanyInMemory("one", [level])), only(warehouses={"a hall"}))
    assert [lot.number for lot in (await hub.stock("P1")).value.lots] == ["L-A"]


async def test_the_whole_hub_stays_whole() -> None:
    hub = a_hub(CompanyInMemory("one", order=[an_order("O1", "A"), an_order("O2", "B")]))
    assert (await narrowed(hub, only(partners={"A"})).orders(ListQuery())).value.total == 1
    assert (await hub.orders(ListQuery())).value.total == 2
    assert (await hub.order("O2")).value.number == "O2"


async def test_narrowing_twice_never_widens() -> None:
    hub = a_hub(CompanyInMemory("one", order=[an_order("O1", "A"), an_order("O2", "B")]))
    twice = narrowed(narrowed(hub, only(partners={"A"})), EVERYTHING)
    assert [order.number for order in (await twice.orders(ListQuery())).value.items] == ["O1"]


async def test_one_partner_becomes_part_of_the_question() -> None:
    source = CompanyInMemory(
        "one", order=[an_order("O1", "Acme"), an_order("O2", "Acme & Sons"), an_order("O3", "Other")]
    )
    found = await narrowed(a_hub(source), only(partners={"Acme"})).orders(ListQuery())
    assert [order.number for order in found.value.items] == ["O1"]
    assert source.calls == ["orders Acme+0"]


async def test_what_is_remembered_is_narrowed_too() -> None:
    source = CompanyInMemory(
        "one", [a_level("P1", {"A": 1, "B": 20})], order=[an_order("O1", "Mine"), an_order("O2", "Other")]
    )
    hub = a_hub(source)
    for number in ("O1", "O2"):
        await hub.order(number)
    await hub.stock("P1")
    few = narrowed(hub, only(partners={"Mine"}))
    await few.orders(ListQuery())
    source.error = Unavailable("gone")
    found = await few.orders(ListQuery())
    assert (found.stale, [order.number for order in found.value.items]) == (True, ["O1"])
    assert (await few.order("O1")).stale
    for number in ("O2", "never asked for"):
        with pytest.raises(Unavailable):
            await few.order(number)
    level = (await narrowed(hub, only(warehouses={"A"})).stock("P1")).value
    assert level.total.on_hand == 1


async def test_while_the_sources_are_down_nothing_hidden_shines_through() -> None:
    one = CompanyInMemory("one", [a_level("P1", {"B": 20})], order=[an_order("O2", "Other")])
    hub = a_hub(one, CompanyInMemory("two"))
    await hub.stock("P1")
    one.error = Unavailable("gone")
    for sku in ("P1", "never asked for"):
        with pytest.raises(Unavailable):
            await narrowed(hub, only(warehouses={"A"})).stock(sku)


async def test_whoever_may_not_see_partners_finds_documents_by_number() -> None:
    orders = [an_order("SO-A-1", "Acme"), an_order("SO-2", "A Acme")]
    hub = a_hub(CompanyInMemory("one", order=orders)).narrowed(
        Narrowing({}, lambda source: frozenset(), frozenset({Area.SALES}))
    )
    assert [order.number for order in (await hub.orders(ListQuery(text="so-a"))).value.items] == ["SO-A-1"]
    unseen = await hub.orders(ListQuery(text="Acme"))
    assert unseen.value.total == 0
    assert [note.msgid for note in unseen.notes] == [
        "You may not see customers and vendors here, so nothing is found by their names."
    ]
    assert (await hub.orders(ListQuery(text="SO-9"))).notes == (), "a number is no name"
    assert (await hub.invoices(ListQuery(text="Acme"))).notes == ()
    assert (await hub.orders(ListQuery())).value.total == 2
    assert (await hub.order("SO-2")).value.customer == "A Acme"


async def test_a_long_list_is_read_within_bounds_and_says_so() -> None:
    orders = [an_order(f"O{n:04}", "Mine" if n % 2 else "Other") for n in range(PAGE * MAX_PAGES + 50)]
    source = CompanyInMemory("one", order=orders)
    found = await narrowed(a_hub(source), only(partners={"Mine", "Nobody"})).orders(ListQuery(offset=10, limit=5))
    assert len(source.calls) == MAX_PAGES
    assert found.value.total == PAGE * MAX_PAGES / 2
    assert [order.number for order in found.value.items] == [f"O{n:04}" for n in (21, 23, 25, 27, 29)]
    assert [note.msgid for note in found.notes] == ["Only part of a long list was searched: there may be more."]


async def test_a_list_that_was_read_to_its_end_says_nothing() -> None:
    source = CompanyInMemory("one", order=[an_order(f"O{n}", "Mine") for n in range(PAGE + 1)])
    found = await narrowed(a_hub(source), only(partners={"Mine", "Nobody"})).orders(ListQuery())
    assert (found.value.total, found.notes) == (PAGE + 1, ())


def a_delivery(warehouse: str = "") -> GoodsDelivery:
    return bare(GoodsDelivery, "D1", order_number="O1", salesperson="anna", warehouse=warehouse)


def a_receipt(warehouse: str = "") -> GoodsReceipt:
    return bare(GoodsReceipt, "R1", warehouse=warehouse, owners=("boris", "anna"))


BILL = bare(Bill, "B1", extra={"company": "East"})
PAYMENT = bare(Payment, "R1")
OWN = replace(EVERYTHING, own=True)


@each_row(
    ("document", "scope", "covered"),
    [
        (a_delivery(), only(partners={"acme"}), True),
        (a_delivery(), only(partners={"Other"}), False),
        (a_delivery(), OWN, True),
        (a_receipt(), only(partners={"acme"}), True),
        (a_receipt(), only(partners={"Other"}), False),
        (a_receipt(), OWN, True),
        (replace(a_receipt(), owners=("boris",)), OWN, False),
        (replace(a_receipt(), owners=()), OWN, False),
        (a_receipt("A"), only(warehouses={"a"}), True),
        (a_receipt("A"), only(warehouses={"B"}), False),
        (a_receipt(), only(warehouses={"A"}), False),
        (a_delivery("A"), only(warehouses={"a"}), True),
        (a_delivery("A"), only(warehouses={"B"}), False),
        (replace(a_delivery("A"), extra={"warehouse": "B"}), only(warehouses={"B"}), False),
        (replace(a_delivery(), extra={"warehouse": "B"}), only(warehouses={"B"}), True),
        (a_delivery(), only(warehouses={"A"}), False),
        (replace(an_order("O1", "Acme"), extra={"warehouse": "A"}), only(warehouses={"A"}), True),
        (BILL, only(partners={"Acme"}), True),
        (BILL, only(partners={"Other"}), False),
        (BILL, only(companies={"East"}), True),
        (BILL, only(companies={"West"}), False),
        (BILL, OWN, False),
        (PAYMENT, only(partners={"Acme"}), True),
        (PAYMENT, only(partners={"Other"}), False),
        (PAYMENT, only(companies={"East"}), False),
        (Customer(id="C1", code="C1", name="Acme", salesperson="anna"), OWN, True),
        (Customer(id="C1", code="C1", name="Acme", salesperson="boris"), OWN, False),
        (Supplier(id="V1", code="V1", name="Acme", buyer="Anna"), OWN, True),
        (Supplier(id="V1", code="V1", name="Acme"), only(partners={"Acme"}), True),
        (an_invoice("I1", "Acme"), only(categories={"A"}), False),
    ],
)
def test_what_each_kind_of_document_tells_scopes(document: Any, scope: Scope, covered: bool) -> None:
    narrowing = Narrowing(dict.fromkeys(AREAS, (scope,)), lambda source: frozenset({"anna"}))
    assert narrowing.covers(document, "one") is covered
    assert narrowing.keep(document, "one") is (document if covered else None)


def test_a_product_is_seen_by_its_category_and_source_wherever_it_lies() -> None:
    details = ProductDetails(product=Product(sku="P1", name="P1", unit="pcs", category="A"))
    for scope, seen in (
        (only(categories={"a"}, warehouses={"X"}, companies={"East"}), True),
        (only(sources={"one"}), True),
        (only(categories={"B"}), False),
        (only(sources={"two"}), False),
    ):
        narrowing = Narrowing({Area.STOCK: (scope,)}, lambda source: frozenset())
        assert narrowing.keep(details, "one") is (details if seen else None)
        assert narrowing.covers_product(details.product, "one") is seen
        assert narrowing.keep((details.product,), "one") == ((details.product,) if seen else ())


def test_stock_is_seen_by_the_category_of_its_product() -> None:
    level = a_level("P1", {"A": 3}, category="A")
    for category, seen in (("A", True), ("B", False)):
        narrowing = Narrowing({Area.STOCK: (only(categories={category}),)}, lambda source: frozenset())
        assert narrowing.keep(level, "one") == (level if seen else None)


async def test_no_more_products_are_found_than_were_asked_for() -> None:
    levels = [a_level(f"P{n}", {"A": 1}, category="A" if n % 2 else "B") for n in range(9)]
    hub = narrowed(a_hub(CompanyInMemory("one", levels)), only(categories={"A"}))
    assert [product.sku for product in (await hub.find_products("P", limit=2)).value] == ["P1", "P3"]


async def test_what_is_hidden_is_not_found_in_the_words_of_what_is_not_there() -> None:
    stocked = [CompanyInMemory("one", [a_level("P1", {"B": 1})]), CompanyInMemory("two", [a_level("P2", {"A": 1})])]
    orders = [CompanyInMemory("one", order=[an_order("P1", "Other")])]
    for sources in (stocked, stocked[:1], orders):
        hub = narrowed(a_hub(*sources), only(warehouses={"A"}))
        for key in ("P1", "P9"):
            with pytest.raises(NotFound) as missing:
                await (hub.order(key) if sources is orders else hub.stock(key))
            assert missing.value.what == key
    with pytest.raises(NotFound, match="not found: P1"):
        await narrowed(a_hub(*orders)).order("P1")
