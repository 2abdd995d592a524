"""The ERPNext adapter passes the contract, with and without a Workflow for Purchase Orders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.erp.erpnext.manifest import vendor
from bot.erp.model import Feed
from bot.erp.port import Capability
from bot.testing.company import Clock, ReferenceCompany
from bot.testing.erp_contract import ErpContract
from bot.testing.fake_erp import SECRET
from tests.erp.fakes.erpnext import KEY, PEOPLE, FakeErpNext
from tests.erp.fakes.erpnext_gaps import GAPS, SUBMIT_GAPS


@pytest.mark.sampled(3)
class TestErpNextContract(ErpContract):
    feeds = frozenset(Feed)
    offers = frozenset(Capability)
    name, vendor = "erpnext", vendor
    gaps = GAPS

    def install(self, company: ReferenceCompany, clock: Clock, folder: Path) -> FakeErpNext:
        return FakeErpNext(company, clock)

    def options(self, installation: FakeErpNext, timeout: float) -> dict[str, Any]:
        return {
            "url": installation.url,
            "key": KEY,
            "secret": SECRET,
            "approvers": {name: {"key": f"{name}-key", "secret": SECRET} for name in PEOPLE},
            "timeout": timeout,
            "write_timeout": timeout,
        }


@pytest.mark.sampled(7)
class TestErpNextSubmitContract(TestErpNextContract):
    name, gaps = "erpnext-submit", SUBMIT_GAPS
    offers = frozenset(Capability) - {Capability.REJECT}

    def install(self, company: ReferenceCompany, clock: Clock, folder: Path) -> FakeErpNext:
        return FakeErpNext(company, clock, workflow=False)

    def options(self, installation: FakeErpNext, timeout: float) -> dict[str, Any]:
        return {**super().options(installation, timeout), "workflow": False}
