"""The JSON adapter passes the contract with the very configuration that its README shows."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from bot.erp.kinds import BILLS, QUOTATIONS, SALES_ORDERS
from bot.erp.model import Feed, Verdict
from bot.erp.port import Capability
from bot.erp.rest.manifest import vendor
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.erp_contract import ErpContract
from bot.kit.testing.gaps import Gaps
from tests.erp.fakes.plain import FakePlain
from tests.erp.rest.documented_config import api_options


@pytest.mark.sampled(3)
class TestRestContract(ErpContract):
    offers, feeds = frozenset(Capability), frozenset(Feed)
    """With a login that runs out."""

    decides = MappingProxyType(dict.fromkeys((SALES_ORDERS, BILLS, QUOTATIONS), frozenset(Verdict)))
    name, vendor = "rest", vendor
    gaps = Gaps(cases={"list.created_by": "the API of the README tells no creator"})

    def install(self, company: ReferenceCompany, clock: Clock, folder: Path) -> FakePlain:
        return FakePlain(company, clock)

    def options(self, installation: FakePlain, timeout: float) -> dict[str, Any]:
        return api_options(url=installation.url or "http://127.0.0.1:1", timeout=timeout, write_timeout=timeout)
