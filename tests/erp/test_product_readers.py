"""Adapters that read many products at once return what they find one by one, and nothing that is not there."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from bot.erp.port import ProductBatches
from bot.erp.vendors import AdapterContext
from bot.kit.testing import company as reference
from bot.kit.testing.contract_base import ContractBase
from bot.kit.testing.gaps import comparable

READERS = (
    "erpnext.test_contract:TestErpNextContract",
    "odoo.test_contract:TestOdooJson2Contract",
    "odoo.test_contract:TestOdooJsonRpcContract",
    "tryton.test_contract:TestTrytonContract",
)


@pytest.mark.parametrize("adapter", READERS)
async def test_many_products_by_their_codes(adapter: str, tmp_path: Path) -> None:
    module, _, name = adapter.partition(":")
    contract: Any = getattr(import_module(f"tests.erp.{module}"), name)()
    assert isinstance(contract, ContractBase)
    clock = reference.Clock()
    company = reference.ReferenceCompany(reference.TODAY, number=type(contract).number, now=clock.now)
    (tmp_path / "installation").mkdir()
    installation = contract.install(company, clock, tmp_path / "installation")
    await installation.start()
    options = contract.vendor.options.model_validate(contract.options(installation, 10.0))
    erp = await contract.vendor.open(AdapterContext(name="main", data_dir=tmp_path, now=clock.now), options)
    try:
        assert isinstance(erp, ProductBatches)
        wanted = [contract.gaps.expected(product) for product in company.products.values()]
        found = await erp.read_products([product.sku for product in wanted] + ["NO-SUCH-CODE", "SKU12_", "%"])
        by_code = {product.sku: product for product in found}
        assert len(found) == len(wanted)
        assert [comparable(by_code[product.sku]) for product in wanted] == [comparable(product) for product in wanted]
        assert await erp.read_products(["NO-SUCH-CODE"]) == ()
    finally:
        await erp.close()
        await installation.stop()
