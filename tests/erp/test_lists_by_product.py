"""Lists of the documents of a product behind the hub: codes of the sources, what can't be asked, what may be seen."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.access.grants import Scope
from bot.erp.errors import NotListedByProduct
from bot.erp.hub import ErpHub
from bot.erp.merging import ProductCodes
from bot.erp.model import Area, OrderLine, SalesOrder
from bot.erp.narrowing import Narrowing
from bot.erp.port import Capability, ListQuery
from bot.mechanisms.metrics import Metrics
from tests.erp.narrowed_company import NOW, CompanyInMemory, an_order


def holding(number: str, sku: str, *, customer: str = "宏达", salesperson: str = "") -> SalesOrder:
    line = OrderLine(sku=sku, name="", unit="pcs", quantity=Decimal(5))
    return replace(an_order(number, customer, salesperson=salesperson), lines=(line,))


ORDERS = (
    holding("SO-1", "SKU123", salesperson="anna"),
    holding("SO-2", "SKU9"),
    holding("SO-3", "sku123", customer="申力"),
)


def hub(*sources: CompanyInMemory, products: ProductCodes | None = None) -> ErpHub:
    return ErpHub(sources, metrics=Metrics(), now=lambda: NOW, products=products)  # type: ignore[arg-type]  # it reads


async def numbers(asked: ErpHub, **query: str) -> list[str]:
    found = await asked.orders(ListQuery(**query))  # type: ignore[arg-type]  # only texts are asked for here
    assert found.value.total == len(found.value.items)
    return [order.number for order in found.value.items]


async def test_each_source_is_asked_by_its_own_code() -> None:
    codes = ProductCodes({"SKU123": {"one": "SKU123", "two": "B-7", "three": ""}})
    one, two, three = (
        CompanyInMemory("one", order=ORDERS),
        CompanyInMemory("two", order=(holding("X-1", "b-7"), holding("X-2", "SKU123"))),
        CompanyInMemory("three", order=(holding("Y-1", "SKU123"),)),
    )
    assert await numbers(hub(one, two, three, products=codes), product="sku123") == ["SO-1", "SO-3", "X-1"]
    assert three.calls == [], "it has no such product"
    alone = hub(three, products=codes)
    assert await numbers(alone, product="SKU123") == []


async def test_a_source_that_cannot_be_asked_is_named() -> None:
    able, unable = CompanyInMemory("one", order=ORDERS), CompanyInMemory("two", order=ORDERS)
    unable.capabilities = frozenset(Capability) - {Capability.ORDERS_OF_PRODUCT}
    found = await hub(able, unable).orders(ListQuery(product="SKU123"))
    assert found.value.total == 2
    assert [str(note) for note in found.notes] == ["two can't be asked which of these documents have a product."]
    with pytest.raises(NotListedByProduct):
        await hub(unable).orders(ListQuery(product="SKU123"))
    assert not [call for call in unable.calls if call.startswith("orders")]


async def test_a_reader_of_some_documents_sees_those_alone() -> None:
    def narrowed(scope: Scope, by_number: frozenset[Area] = frozenset()) -> ErpHub:
        narrowing = Narrowing({Area.SALES: (scope,)}, lambda source: frozenset({"anna"}), by_number)
        return hub(CompanyInMemory("main", order=ORDERS)).narrowed(narrowing)

    assert await numbers(narrowed(Scope(own=True)), product="SKU123") == ["SO-1"]
    assert await numbers(narrowed(Scope(partners=frozenset({"申力"}))), product="SKU123") == ["SO-3"]
    nameless = narrowed(Scope(own=True), frozenset({Area.SALES}))
    assert await numbers(nameless, product="SKU123") == ["SO-1"], "a product is nobody's name"
    assert await numbers(nameless, product="SKU123", partner="宏达") == []
