"""The demo company, filled once per run; each test gets a copy of its own."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bot.kit.company.adapter import open_demo
from bot.kit.company.company import DemoCompany, make_company

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
