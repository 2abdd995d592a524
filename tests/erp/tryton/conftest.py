"""The adapter on a fake server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from bot.erp.port import Erp
from bot.erp.tryton.manifest import vendor
from bot.erp.vendors import AdapterContext
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.fake_erp import SECRET
from tests.erp.fakes.tryton import DATABASE, RECORDS_LIMIT, USER, FakeTryton

OpenErp = Callable[..., Awaitable[Erp]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def company(clock: Clock) -> ReferenceCompany:
    return ReferenceCompany(now=clock.now)


@pytest.fixture
async def server(company: ReferenceCompany, clock: Clock) -> AsyncIterator[FakeTryton]:
    server = FakeTryton(company, clock)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def open_erp(server: FakeTryton, clock: Clock, tmp_path: Path) -> AsyncIterator[OpenErp]:
    async with AsyncExitStack() as stack:

        async def open_erp(**options: Any) -> Erp:
            account = {"database": DATABASE, "user": USER, "password": SECRET, "page": RECORDS_LIMIT}
            checked = vendor.options.model_validate({"url": server.url, **account, **options})
            erp = await vendor.open(AdapterContext(name="main", data_dir=tmp_path, now=clock.now), checked)
            stack.push_async_callback(erp.close)
            return erp

        yield open_erp


@pytest.fixture
async def erp(open_erp: OpenErp) -> Erp:
    return await open_erp(approvers={"anna": SECRET, "boris": SECRET, "carla": SECRET})
