"""The planted company."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.erp.hub import ErpHub
from bot.kit.company.adapter import open_demo
from bot.mechanisms.metrics import Metrics
from tests.checks.planted import PlantedCompany
from tests.erp.conftest import NOW, TODAY, demo_file, filled

__all__ = ["demo_file", "filled"]


@pytest.fixture
async def company(demo_file: Path) -> AsyncIterator[PlantedCompany]:
    hub = ErpHub([await open_demo(demo_file, today=TODAY, now=lambda: NOW)], metrics=Metrics(), now=lambda: NOW)
    yield PlantedCompany(demo_file, hub)
    await hub.close()
