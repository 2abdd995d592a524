"""The demo ERP passes the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from bot.erp.demo.adapter import open_demo
from bot.erp.port import Erp
from bot.testing.erp_contract import ErpContract

from .conftest import NOW, TODAY


class TestDemoErp(ErpContract):
    approver, second_approver, outsider = "buymanager01", "finance01", "keeper01"

    @pytest.fixture
    def today(self) -> date:
        return TODAY

    @pytest.fixture
    async def erp(self, demo_file: Path) -> AsyncIterator[Erp]:
        erp = await open_demo(demo_file, today=TODAY, now=lambda: NOW)
        yield erp
        await erp.close()
