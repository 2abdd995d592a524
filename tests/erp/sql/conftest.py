"""The company in a database, and sources that are closed again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.erp.sql.adapter import SqlErp
from bot.erp.sql.options import SqlOptions
from bot.erp.vendors import AdapterContext
from bot.kit.testing.company import Clock, ReferenceCompany
from tests.erp.fakes.grasp import Grasp
from tests.erp.fakes.sql import SqlInstallation
from tests.erp.sql.minimal_source import Open
from tests.erp.sql.postgres_server import Postgres

NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)


@pytest.fixture
async def open_erp(tmp_path: Path) -> AsyncIterator[Open]:
    opened: list[SqlErp] = []

    def open_erp(**options: Any) -> SqlErp:
        context = AdapterContext(name="main", data_dir=tmp_path, now=lambda: NOW)
        opened.append(SqlErp(context, SqlOptions.model_validate(options)))
        return opened[-1]

    yield open_erp
    for erp in opened:
        await erp.close()


@pytest.fixture
async def sqlite_company(tmp_path: Path) -> AsyncIterator[SqlInstallation]:
    clock = Clock()
    installation = SqlInstallation.in_folder(ReferenceCompany(now=clock.now), clock, tmp_path)
    await installation.start()
    yield installation
    await installation.stop()


@pytest.fixture
async def server_company(postgres: Postgres) -> AsyncIterator[SqlInstallation]:
    clock = Clock()
    installation = SqlInstallation(ReferenceCompany(now=clock.now), clock, postgres.admin_url)
    await installation.start()
    yield installation
    await installation.stop()


@pytest.fixture
async def grasp(postgres: Postgres) -> AsyncIterator[Grasp]:
    clock = Clock()
    installation = Grasp(ReferenceCompany(now=clock.now), clock, postgres.admin_url)
    await installation.start()
    yield installation
    await installation.stop()
