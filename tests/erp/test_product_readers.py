"""Adapters that read many products at once return what they find one by one, and nothing that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.erp.port import ProductBatches
from bot.kit.testing.gaps import comparable
from tests.erp.opened_adapter import opened

READERS = (
    "erpnext.test_contract:TestErpNextContract",
    "odoo.test_contract:TestOdooJson2Contract",
    "odoo.test_contract:TestOdooJsonRpcContract",
    "tryton.test_contract:TestTrytonContract",
)


@pytest.mark.parametrize("adapter", READERS)
async def test_many_products_by_their_codes(adapter: str, tmp_path: Path) -> None:
    async with opened(adapter, tmp_path) as found:
        erp, gaps = found.erp, found.contract.gaps
        assert isinstance(erp, ProductBatches)
        wanted = [gaps.expected(product) for product in found.company.products.values()]
        read = await erp.read_products([product.sku for product in wanted] + ["NO-SUCH-CODE", "SKU12_", "%"])
        by_code = {product.sku: product for product in read}
        assert len(read) == len(wanted)
        assert [comparable(by_code[product.sku]) for product in wanted] == [comparable(product) for product in wanted]
        assert await erp.read_products(["NO-SUCH-CODE"]) == ()
