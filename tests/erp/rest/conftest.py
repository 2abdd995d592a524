"""Servers and sources that are closed again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.erp.rest.adapter import RestErp
from bot.erp.rest.options import RestOptions
from bot.erp.vendors import AdapterContext
from bot.kit.testing.fake_erp import FakeServer
from tests.erp.rest.scripted_server import Open, Start

NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)


@pytest.fixture
async def open_erp(tmp_path: Path) -> AsyncIterator[Open]:
    opened: list[RestErp] = []

    def open_erp(**options: Any) -> RestErp:
        context = AdapterContext(name="main", data_dir=tmp_path, now=lambda: NOW)
        opened.append(RestErp(context, RestOptions.model_validate(options)))
        return opened[-1]

    yield open_erp
    for erp in opened:
        await erp.close()


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    started: list[FakeServer] = []

    async def start(server: FakeServer) -> FakeServer:
        await server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        await server.stop()
