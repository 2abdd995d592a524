"""Batches and serial numbers of ERPNext."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bot.erp.erpnext.adapter import ErpNextErp
from bot.kit.testing.company import ReferenceCompany
from tests.erp.erpnext.conftest import Open
from tests.erp.fakes.erpnext import FakeErpNext


@pytest.mark.parametrize("doctype", ["Batch", "Serial No"])
async def test_who_may_not_read_them_is_told_the_stock(site: FakeErpNext, erp: ErpNextErp, doctype: str) -> None:
    _in_serials(site)
    site.unreadable.add(doctype)
    assert (await erp.stock("SKU123")).total.on_hand == Decimal(11370)
    assert bool((await erp.stock("SKU123")).lots) is (doctype == "Serial No")
    assert bool((await erp.stock("SKU124")).lots) is (doctype == "Batch")


async def test_what_expired_lies_there_all_the_same(erp: ErpNextErp, company: ReferenceCompany) -> None:
    first = (await erp.stock("SKU123")).lots[0]
    assert (first.number, first.quantity) == ("L-2511", 600)
    assert first.is_expired(company.today)


async def test_each_serial_number_is_a_piece_where_it_lies(site: FakeErpNext, erp: ErpNextErp) -> None:
    _in_serials(site)
    lots = (await erp.stock("SKU124")).lots
    assert [(lot.number, lot.quantity, lot.warehouse) for lot in lots] == [("S-1", 1, "MAIN"), ("S-2", 1, "SH")]


async def test_of_one_company_only_what_lies_in_its_warehouses(site: FakeErpNext, open_erp: Open) -> None:
    erp = open_erp(site, company="Other Company")
    assert (await erp.stock("SKU123")).lots == ()


async def test_a_release_that_tells_of_single_warehouses_only(
    site: FakeErpNext, erp: ErpNextErp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.erp.fakes.erpnext_documents.batch_quantities", lambda _level: None)
    level = await erp.stock("SKU123")
    assert (level.lots, level.total.on_hand) == ((), Decimal(11370))


def _in_serials(site: FakeErpNext) -> None:
    """Let two pieces of SKU124 have serial numbers, and a third one that was delivered."""
    site.numbered.add("SKU124")
    for n, warehouse in enumerate(("MAIN", "SH", None), 1):
        row = {"name": f"S-{n}", "serial_no": f"S-{n}", "item_code": "SKU124", "warehouse": warehouse, "batch_no": None}
        site.serials.append(row)
