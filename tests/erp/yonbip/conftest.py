"""Fixtures: a fake server with the reference company, and sources for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.erp.vendors import AdapterContext
from bot.erp.yonbip.adapter import YonBipErp
from bot.erp.yonbip.options import YonBipOptions
from bot.kit.testing.company import TODAY, Clock, ReferenceCompany
from bot.kit.testing.fake_erp import SECRET
from tests.erp.fakes.yonbip import APP_KEY, TENANT, FakeYonBip

Open = Callable[..., YonBipErp]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def company(clock: Clock) -> ReferenceCompany:
    return ReferenceCompany(TODAY, now=clock.now)


@pytest.fixture
async def server(company: ReferenceCompany, clock: Clock) -> AsyncIterator[FakeYonBip]:
    server = FakeYonBip(company, clock)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def open_with(server: FakeYonBip, clock: Clock, tmp_path: Path) -> AsyncIterator[Open]:
    """Opens a source with more options."""
    opened: list[YonBipErp] = []

    def open_with(**options: Any) -> YonBipErp:
        account = {"url": server.url, "tenant": TENANT, "app_key": APP_KEY, "app_secret": SECRET, "list_days": 3650}
        checked = YonBipOptions.model_validate({**account, "timeout": 10, "write_timeout": 10, **options})
        erp = YonBipErp(AdapterContext(name="yon", data_dir=tmp_path, now=clock.now), checked)
        opened.append(erp)
        return erp

    yield open_with
    for erp in opened:
        await erp.close()


@pytest.fixture
def erp(open_with: Open) -> YonBipErp:
    return open_with()
