"""Lots of SAP Business One, which only a stored query tells with quantities."""

from __future__ import annotations

import pytest

from bot.erp.errors import Invalid
from bot.erp.port import Capability
from bot.kit.testing.company import ReferenceCompany
from tests.erp.fakes.sap_b1 import FakeSapB1
from tests.erp.sap_b1.conftest import Open

QUERIES = ["dingerp_batches", "dingerp_serials"]


async def test_without_a_query_nothing_is_asked(server: FakeSapB1, open_with: Open) -> None:
    erp = open_with()
    assert Capability.LOTS not in erp.capabilities
    assert (await erp.stock("SKU123")).lots == ()
    assert not [path for path in server.asked if "SQLQueries" in path]


async def test_lots_of_several_pages(server: FakeSapB1, open_with: Open, company: ReferenceCompany) -> None:
    server.cap = 1
    erp = open_with(lots_queries=QUERIES)
    assert (await erp.stock("SKU123")).lots == company.stock["SKU123"].lots
    assert (await erp.stock('O\'NEIL-"2"')).lots == ()


async def test_a_query_that_is_not_stored_is_named(server: FakeSapB1, open_with: Open) -> None:
    erp = open_with(lots_queries=["misspelt"])
    with pytest.raises(Invalid, match="lots_queries: no such query is stored: misspelt"):
        await erp.stock("SKU123")


async def test_who_may_not_run_it_is_told_the_stock(server: FakeSapB1, open_with: Open) -> None:
    server.answers["SQLQueries"] = (403, {"error": {"code": "-5002", "message": "You are not permitted"}})
    level = await open_with(lots_queries=QUERIES).stock("SKU123")
    assert (level.lots, level.total.on_hand) == ((), 11370)
