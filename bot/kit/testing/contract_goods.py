"""Contract cases of what an adapter tells about goods: products, prices, arrivals, deliveries, receipts, shortages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

import pytest

from bot.erp.errors import NotFound, Unsupported
from bot.erp.goods.lists import by_day
from bot.erp.goods.port import ArrivalQuery, GoodsReader, ShortageQuery, WarehouseQuery
from bot.erp.kinds import Kind
from bot.erp.model import Area, StockLevel
from bot.erp.model.goods import Arrival, Prices
from bot.erp.port import GOODS, Capability, Erp
from bot.kit.testing.company import TODAY, ReferenceCompany
from bot.kit.testing.contract_base import ContractBase, case
from bot.kit.testing.contract_reads import EACH_MOVED, check_types
from bot.kit.testing.erp_checks import case_variants, expect_not_found
from bot.kit.testing.gaps import comparable
from bot.kit.testing.goods_checks import (
    expected_arrivals,
    expected_contents,
    expected_details,
    expected_prices,
    expected_shortages,
)

_ALL = 10_000
_SKUS = ("SKU123", "SKU125", "SKU128", "SKU201", "SKU204", "A/B 50%#1", "零件-07")
_NO_SUCH = ("NO-SUCH", "", "%", "' or '1'='1", "../x", "号码")


class GoodsErp(Erp, GoodsReader, Protocol):
    """An adapter that also reads about goods."""


class GoodsContract(ContractBase):
    """Reading about goods; an adapter offers what its vendor knows."""

    @pytest.fixture
    def reader(self, erp: Erp) -> GoodsErp:
        assert isinstance(erp, GoodsReader)
        return erp

    @case("goods.refuse", "What is not offered about goods is refused by name", refusal=True)
    async def test_refused_goods(self, erp: Erp) -> None:
        if not isinstance(erp, GoodsReader):
            assert not erp.capabilities & GOODS
            return
        calls: Mapping[Capability, Callable[[], Awaitable[object]]] = {
            Capability.PRODUCT_DETAILS: lambda: erp.product("SKU123"),
            Capability.PRICES: lambda: erp.prices("SKU123", customer=""),
            Capability.ARRIVALS: lambda: erp.arrivals(ArrivalQuery()),
            **{kind.capability: partial(erp.of_order, kind, "SO-1001") for kind in EACH_MOVED[1]},
            Capability.SHORTAGES: lambda: erp.shortages(ShortageQuery()),
            Capability.WAREHOUSE_STOCK: lambda: erp.warehouse_stock(WarehouseQuery(warehouse="MAIN")),
        }
        for capability in GOODS - self.offers:
            with pytest.raises(Unsupported):
                await calls[capability]()

    @case(
        "goods.product",
        "A product is told with its vendors, its components and what it goes into",
        needs=(Capability.PRODUCT_DETAILS,),
    )
    async def test_details(self, reader: GoodsErp, company: ReferenceCompany) -> None:
        for sku in _SKUS:
            if self.gaps.expected(company.products[sku]) is None:
                continue
            for spelling in case_variants(sku):
                found = await reader.product(spelling)
                check_types(found)
                self.assert_same(found, expected_details(company, company.products[sku]))
        await expect_not_found(reader.product, *_NO_SUCH[:1])
        for sku in _NO_SUCH[1:]:
            with pytest.raises(NotFound):
                await reader.product(sku)

    @case(
        "goods.prices",
        "Prices are exact: by the list, of the last sales (to a customer) and of the last purchases",
        needs=(Capability.PRICES,),
    )
    async def test_prices(self, reader: GoodsErp, company: ReferenceCompany) -> None:
        for sku in _SKUS:
            wanted = self._prices(company, sku)
            if wanted is None:
                continue
            found = await reader.prices(sku.lower(), customer="")
            check_types(found)
            assert comparable(found) == comparable(wanted)
            for customer in {point.partner for point in wanted.sales}:
                part = customer[1:6].upper()
                narrowed = await reader.prices(sku, customer=part)
                assert comparable(narrowed) == comparable(self._prices(company, sku, part))
        for sku in _NO_SUCH:
            with pytest.raises(NotFound):
                await reader.prices(sku, customer="")

    def _prices(self, company: ReferenceCompany, sku: str, customer: str = "") -> Prices | None:
        product = self.gaps.expected(company.products[sku])
        orders, bought = (self.expected_records(company, area) for area in (Area.SALES, Area.PURCHASING))
        if product is None:
            return None
        told: Prices = self.gaps.expected(expected_prices(company, product, orders, bought, customer))
        return told

    @case(
        "goods.arrivals",
        "What is on its way is told once, due first, by product and until a day",
        needs=(Capability.ARRIVALS,),
    )
    async def test_arrivals(self, reader: GoodsErp, company: ReferenceCompany) -> None:
        everything = self._arrivals(company)
        assert len({each.due_on for each in everything}) > 2
        found = await reader.arrivals(ArrivalQuery(limit=_ALL))
        check_types(found.items)
        assert _without_places(found.items) == _without_places(everything)
        assert found.total == len(everything)
        for page in range(0, len(everything), 3):
            part = await reader.arrivals(ArrivalQuery(offset=page, limit=3))
            assert _without_places(part.items) == _without_places(everything[page : page + 3])
            assert part.total == len(everything)
        for until in (TODAY, TODAY + timedelta(days=7)):
            soon = await reader.arrivals(ArrivalQuery(until=until, limit=_ALL))
            assert _without_places(soon.items) == _without_places(self._arrivals(company, until=until))
            later = await reader.arrivals(ArrivalQuery(since=until, limit=_ALL))
            wanted = tuple(each for each in everything if each.due_on is not None and each.due_on >= until)
            assert _without_places(later.items) == _without_places(wanted)
        for sku in {each.sku for each in everything[:4]}:
            of_product = await reader.arrivals(ArrivalQuery(sku=sku.lower(), limit=_ALL))
            assert _without_places(of_product.items) == _without_places(self._arrivals(company, sku=sku))
        for sku in _NO_SUCH[:1]:
            assert (await reader.arrivals(ArrivalQuery(sku=sku))).items == ()

    @case(
        "goods.arrivals_of_vendor",
        "What is on its way from a vendor is found by part of the name, in any case",
        needs=(Capability.ARRIVALS,),
    )
    async def test_arrivals_of_vendor(self, reader: GoodsErp, company: ReferenceCompany) -> None:
        vendors = sorted({each.partner for each in self._arrivals(company) if each.partner})
        assert vendors
        for n, name in enumerate(vendors):
            part = (name, name.lower(), name[1:], name.upper()[:-1])[n % 4]
            found = await reader.arrivals(ArrivalQuery(vendor=part, limit=_ALL))
            assert _without_places(found.items) == _without_places(self._arrivals(company, vendor=part)), part
            assert found.total == len(found.items)
            soon = await reader.arrivals(ArrivalQuery(vendor=part, until=TODAY, limit=_ALL))
            assert _without_places(soon.items) == _without_places(self._arrivals(company, vendor=part, until=TODAY))
        for nobody in ("no such vendor", "%", "'"):
            assert (await reader.arrivals(ArrivalQuery(vendor=nobody, limit=_ALL))).items == self._arrivals(
                company, vendor=nobody
            )

    def _arrivals(self, company: ReferenceCompany, **query: Any) -> tuple[Arrival, ...]:
        bought, made = (self.expected_records(company, area) for area in (Area.PURCHASING, Area.PRODUCTION))
        told = map(self.gaps.expected, expected_arrivals(bought, made, **query))
        return tuple(each for each in told if each is not None)

    @case(
        "order.moved",
        "An order tells what was moved for it, oldest first; an order that does not exist is not found",
        over=EACH_MOVED,
    )
    async def test_moved(self, erp: Erp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        moved = self.expected_documents(company, kind)
        assert kind.origin is not None
        for order in self.expected_documents(company, kind.origin):
            wanted = [each for each in moved if order.number in kind.order_numbers(each)]
            assert comparable(await erp.of_order(kind, order.number.lower())) == comparable(by_day(wanted))
        for number in _NO_SUCH:
            with pytest.raises(NotFound):
                await erp.of_order(kind, number)

    @case(
        "goods.shortages",
        "What is below its reorder point or owed without lying there is told, in all and by warehouse",
        needs=(Capability.SHORTAGES,),
    )
    async def test_shortages(self, reader: GoodsErp, company: ReferenceCompany) -> None:
        levels = self._levels(company)
        for warehouse, name in (("", ""), *company.warehouses.items()):
            told = map(self.gaps.expected, expected_shortages(levels, warehouse))
            wanted = tuple(each for each in told if each is not None)
            for spelling in filter(None, (warehouse.lower(), name)) if warehouse else ("",):
                found = await reader.shortages(ShortageQuery(warehouse=spelling, limit=_ALL))
                check_types(found.items)
                assert comparable(found.items) == comparable(wanted)
                assert found.total == len(wanted)
            page = await reader.shortages(ShortageQuery(warehouse=warehouse, offset=1, limit=2))
            assert (comparable(page.items), page.total) == (comparable(wanted[1:3]), len(wanted))
        with pytest.raises(NotFound):
            await reader.shortages(ShortageQuery(warehouse="no such warehouse"))

    @case(
        "goods.warehouse",
        "What lies in a warehouse is told by product, page by page, and by part of its name",
        needs=(Capability.WAREHOUSE_STOCK,),
    )
    async def test_warehouse(self, reader: GoodsErp, company: ReferenceCompany) -> None:
        levels = self._levels(company)
        for code, name in company.warehouses.items():
            wanted = self.gaps.expected(expected_contents(code, name, levels))
            for spelling in (code, code.lower(), name):
                found = await reader.warehouse_stock(WarehouseQuery(warehouse=spelling, limit=_ALL))
                check_types(found)
                assert comparable(found) == comparable(wanted)
            page = await reader.warehouse_stock(WarehouseQuery(warehouse=code, offset=2, limit=3))
            assert comparable(page) == comparable(replace(wanted, items=wanted.items[2:5]))
            screws = await reader.warehouse_stock(WarehouseQuery(warehouse=code, text="screw", limit=_ALL))
            assert comparable(screws) == comparable(self.gaps.expected(expected_contents(code, name, levels, "screw")))
        for warehouse in ("no such warehouse", "", "%"):
            with pytest.raises(NotFound):
                await reader.warehouse_stock(WarehouseQuery(warehouse=warehouse))

    def _levels(self, company: ReferenceCompany) -> list[StockLevel]:
        told = (self.gaps.expected(level) for level in company.stock.values())
        return [level for level in told if level is not None and self.gaps.expected(level.product) is not None]


def _without_places(arrivals: tuple[Arrival, ...]) -> Any:
    """Return arrivals without what each vendor may know or not of where they come."""
    return comparable(tuple(replace(each, category="", warehouse="", owners=()) for each in arrivals))
