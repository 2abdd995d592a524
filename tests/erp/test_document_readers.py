"""Adapters that read many documents at once return what they read one by one, and nothing that is not there."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from bot.erp.kinds import AREA_KINDS
from bot.erp.port import DocumentBatches, ListQuery
from bot.erp.vendors import AdapterContext
from bot.kit.testing import company as reference
from bot.kit.testing.contract_base import ContractBase
from bot.kit.testing.fake_erp import RequestKind

READERS = (
    "test_demo_contract:TestDemoContract",
    "erpnext.test_contract:TestErpNextContract",
    "kingdee.test_contract:TestKingdeeSignedContract",
    "odoo.test_contract:TestOdooJson2Contract",
    "odoo.test_contract:TestOdooJsonRpcContract",
    "sql.test_contract:TestSqlContract",
    "tryton.test_contract:TestTrytonContract",
)


MOST_CALLS = 15
"""For all documents with their lines, the first time with names and settings; Tryton reads pages of ten here."""


@pytest.mark.sampled(2)
@pytest.mark.parametrize("adapter", READERS)
async def test_many_documents_by_their_numbers(adapter: str, tmp_path: Path) -> None:
    module, _, name = adapter.partition(":")
    contract: Any = getattr(import_module(f"tests.erp.{module}"), name)()
    assert isinstance(contract, ContractBase)
    clock = reference.Clock()
    company = reference.ReferenceCompany(reference.TODAY, number=type(contract).number, now=clock.now)
    (tmp_path / "installation").mkdir()
    installation = contract.install(company, clock, tmp_path / "installation")
    await installation.start()
    options = contract.vendor.options.model_validate(contract.options(installation, 10.0))
    erp: Any = await contract.vendor.open(AdapterContext(name="main", data_dir=tmp_path, now=clock.now), options)

    def count() -> int:
        """Return how often the ERP was asked; those without a network are asked by no request."""
        return installation.requests.count(RequestKind.READ) if hasattr(installation, "requests") else 0

    try:
        batches: Any = erp
        assert isinstance(batches, DocumentBatches)
        for kind in AREA_KINDS:
            numbers = [each.number for each in (await erp.documents(kind, ListQuery(limit=100))).items]
            assert numbers
            asked = count()
            found = await batches.read_documents(kind.area, [*numbers, "NO-SUCH-1", "%"])
            assert count() - asked <= MOST_CALLS
            by_number = {document.number: document for document in found}
            assert len(found) == len(numbers)
            for number in numbers:
                assert by_number[number] == await erp.document(kind, number)
            assert await batches.read_documents(kind.area, ["NO-SUCH-1"]) == ()
    finally:
        await erp.close()
        await installation.stop()
