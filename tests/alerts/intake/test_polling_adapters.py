"""Every adapter, over its vendor's fake server: all that is the matter is told, and nothing twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.alerts.intake.poll_state import PollConfig
from bot.erp.port import Capability, Filter, ListQuery
from bot.kit.testing import company as reference
from bot.store.database import Database
from tests.alerts.intake.polling_harness import PollingHarness
from tests.erp.opened_adapter import opened

ADAPTERS = (
    "erpnext.test_contract:TestErpNextContract", "kingdee.test_contract:TestKingdeeSignedContract",
    "odoo.test_contract:TestOdooJson2Contract", "rest.test_contract:TestRestContract",
    "sap_b1.test_contract:TestSapB1Contract", "sql.test_contract:TestSqlContract",
    "tryton.test_contract:TestTrytonContract", "yonbip.test_contract:TestYonBipContract",
    "test_demo_contract:TestDemoContract",
)  # fmt: skip


class Clock(reference.Clock):
    """The reference company's clock, moved as polling's tests move theirs."""

    def advance(self, seconds: float = 0, **span: float) -> None:
        super().advance(timedelta(seconds=seconds, **span).total_seconds())


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    await database.migrate()
    yield database
    await database.close()


async def listed(erp: Any) -> set[str]:
    """Return what the ERP's own lists say, in the words of events."""
    lists = (
        (Capability.INVOICES, erp.invoices, Filter.OVERDUE, "invoice.overdue"),
        (Capability.SALES_ORDERS, erp.orders, Filter.LATE, "order.late"),
        (Capability.PRODUCTION_ORDERS, erp.production_orders, Filter.LATE, "production.late"),
        (Capability.PURCHASE_ORDERS, erp.purchase_orders, Filter.PENDING, "po.submitted"),
    )
    found = set()
    for capability, read, wanted, kind in lists:
        if capability in erp.capabilities:
            page = await read(ListQuery(filter=wanted, limit=500))
            found |= {f"{kind} {document.number}" for document in page.items}
    assert found
    return found


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "polls",
    [
        # The lists are looked through twice; of all that comes after nothing is new.
        pytest.param(8, id="eight"),
        pytest.param(20, id="twenty", marks=pytest.mark.soak),
    ],
)
@pytest.mark.parametrize("adapter", ADAPTERS)
async def test_polls_tell_what_the_company_has_once(
    adapter: str, polls: int, database: Database, tmp_path: Path
) -> None:
    clock = Clock()
    async with opened(adapter, tmp_path, clock=clock) as found:
        erp = found.erp
        bot = PollingHarness(erp, database, clock, PollConfig(calls=200))  # type: ignore[arg-type]  # as far as it is used
        assert await bot.poll(polls)
        told = Counter(await bot.told())
        assert set(told.values()) == {1}, told
        assert {line for line in told if "stock" not in line} == await listed(erp)
