"""The demo company, filled once per run, of which each test gets a copy of its own; hubs on a clock of the test's."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bot.erp.hub import ErpHub
from bot.kit.company.adapter import open_demo
from bot.kit.company.company import DemoCompany, make_company
from bot.mechanisms.metrics import Metrics
from tests.erp.hub_sources import Clock, MakeHub

TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def company() -> DemoCompany:
    return make_company(TODAY)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    async def fill(file: Path) -> Path:
        await (await open_demo(file, today=TODAY, now=lambda: NOW)).close()
        return file

    return asyncio.run(fill(tmp_path_factory.mktemp("demo") / "demo.sqlite3"))


@pytest.fixture
def demo_file(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(filled, tmp_path / "demo.sqlite3"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def make_hub(clock: Clock, metrics: Metrics) -> AsyncIterator[MakeHub]:
    hubs: list[ErpHub] = []

    def make(*sources: Any, **settings: Any) -> ErpHub:
        times = {"monotonic": clock.monotonic, "sleep": clock.sleep, "rng": Random(1)}
        hubs.append(ErpHub(sources, metrics=metrics, now=clock.now, **{**times, **settings}))
        return hubs[-1]

    yield make
    for hub in hubs:
        await hub.close()
