"""Adapters that read many documents at once return what they read one by one, and nothing that is not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.erp.kinds import AREA_KINDS
from bot.erp.port import DocumentBatches, ListQuery
from bot.kit.testing.fake_erp import RequestKind
from tests.erp.opened_adapter import opened

READERS = (
    "test_demo_contract:TestDemoContract",
    "erpnext.test_contract:TestErpNextContract",
    "kingdee.test_contract:TestKingdeeSignedContract",
    "odoo.test_contract:TestOdooJson2Contract",
    "odoo.test_contract:TestOdooJsonRpcContract",
    "sql.test_contract:TestSqlContract",
    "tryton.test_contract:TestTrytonContract",
)


MOST_CALLS = 25
"""For all documents with their lines and who decided them, the first time with names and settings; Tryton reads pages
of ten here.
"""


@pytest.mark.sampled(2)
@pytest.mark.parametrize("adapter", READERS)
async def test_many_documents_by_their_numbers(adapter: str, tmp_path: Path) -> None:
    async with opened(adapter, tmp_path) as found:
        erp, installation = found.erp, found.installation
        assert isinstance(erp, DocumentBatches)
        for kind in AREA_KINDS:
            numbers = [each.number for each in (await erp.documents(kind, ListQuery(limit=100))).items]
            assert numbers
            asked = _calls(installation)
            read = await erp.read_documents(kind.area, [*numbers, "NO-SUCH-1", "%"])
            assert _calls(installation) - asked <= MOST_CALLS
            by_number = {document.number: document for document in read}
            assert len(read) == len(numbers)
            for number in numbers:
                assert by_number[number] == await erp.document(kind, number)
            assert await erp.read_documents(kind.area, ["NO-SUCH-1"]) == ()


def _calls(installation: Any) -> int:
    """Return how often the ERP was asked; those without a network are asked by no request."""
    return installation.requests.count(RequestKind.READ) if hasattr(installation, "requests") else 0
