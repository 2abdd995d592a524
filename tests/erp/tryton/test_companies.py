"""Two companies in one database: an account that is shown documents of both is told of one, and none is guessed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bot.erp.errors import NotFound
from bot.erp.goods.port import ArrivalQuery, GoodsReader, ShortageQuery
from bot.erp.kinds import KINDS, Kind
from bot.erp.model import Area, WarehouseStock
from bot.erp.port import Erp, ListQuery
from bot.erp.setup import SetupInspector
from bot.erp.tryton.adapter import TrytonErp
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.contract_base import name_of
from bot.kit.testing.erp_checks import all_changes, numbers, read_list
from bot.kit.testing.reference_records import WAREHOUSES, quantities, stock_level
from tests.erp.fakes.tryton import FakeTryton
from tests.erp.tryton.conftest import OpenErp

_ALL = 1_000


@pytest.fixture
def second(server: FakeTryton, clock: Clock) -> ReferenceCompany:
    """A company with the same products and numbers, whose customer of each order is another."""
    second = ReferenceCompany(now=clock.now)
    second.orders |= {number: replace(order, customer="Theirs") for number, order in second.orders.items()}
    server.second_company = second
    return second


@pytest.mark.parametrize("kind", [each for each in KINDS if each.capability in TrytonErp.capabilities], ids=name_of)
async def test_lists_hold_one_company(erp: Erp, second: ReferenceCompany, kind: Kind[Any]) -> None:
    found = await read_list(erp, kind, ListQuery(limit=_ALL))
    assert len(set(numbers(found))) == len(found.items) == found.total
    assert found.items


async def test_a_number_of_both_companies_is_read_in_the_own(erp: Erp, second: ReferenceCompany) -> None:
    assert (await erp.order("SO-1001")).customer != "Theirs"
    second.orders["SO-9001"] = replace(second.orders["SO-1001"], number="SO-9001")
    with pytest.raises(NotFound):
        await erp.order("SO-9001")


async def test_the_company_of_the_options_is_told(open_erp: OpenErp, second: ReferenceCompany) -> None:
    theirs = await open_erp(company=2)
    assert (await theirs.order("SO-1001")).customer == "Theirs"


async def test_stock_goods_and_changes_are_of_one_company(
    erp: Erp, second: ReferenceCompany, company: ReferenceCompany
) -> None:
    before = (
        await erp.stock("SKU123"),
        await erp.arrivals(ArrivalQuery(limit=_ALL)),
        await erp.prices("SKU123", customer=""),
    )
    reserved = quantities("500", reserved="90", incoming="7")
    place = WarehouseStock(code="MAIN", name=WAREHOUSES["MAIN"], quantities=reserved)
    second.stock["SKU123"] = replace(second.stock["SKU123"], per_warehouse=(place,), reorder_point=Decimal(9))
    after = (
        await erp.stock("SKU123"),
        await erp.arrivals(ArrivalQuery(limit=_ALL)),
        await erp.prices("SKU123", customer=""),
    )
    assert after == before
    for area in Area:
        keys = [(change.key, change.changed_at) for change in (await all_changes(erp, area, limit=5))[0]]
        assert len(keys) == len(set(keys))
    assert company.stock["SKU123"] != second.stock["SKU123"]


async def test_stock_below_zero_without_a_rule_is_short(erp: Erp, company: ReferenceCompany) -> None:
    assert isinstance(erp, GoodsReader)
    place = WarehouseStock(code="MAIN", name=WAREHOUSES["MAIN"], quantities=quantities("-5"))
    company.stock["SKU126"] = stock_level(company.products["SKU126"], (place,), None, company.stock["SKU126"].as_of)
    found = {short.sku: short for short in (await erp.shortages(ShortageQuery(limit=_ALL))).items}
    assert found["SKU126"].on_hand == -5
    assert found["SKU126"].owed == 5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"company": 7}, "The account sees no company 7; it sees: 1."),
        ({"language": "ja"}, "The language ja is not installed in the ERP."),
    ],
)
async def test_a_company_or_language_that_is_not_there(open_erp: OpenErp, options: dict[str, Any], words: str) -> None:
    erp = await open_erp(**options)
    assert isinstance(erp, SetupInspector)
    (problem,) = await erp.setup_problems()
    assert (str(problem.words), problem.is_fatal) == (words, True)
    right = await open_erp(company=1, language="zh_CN")
    assert isinstance(right, SetupInspector)
    assert list(await right.setup_problems()) == []
