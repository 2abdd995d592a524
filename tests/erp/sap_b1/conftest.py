"""Fixtures: a fake server with the reference company, and sources for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.erp.sap_b1.adapter import SapB1Erp
from bot.erp.sap_b1.options import SapB1Options
from bot.erp.vendors import AdapterContext
from bot.kit.testing.company import TODAY, Clock, ReferenceCompany
from bot.kit.testing.fake_erp import SECRET
from bot.kit.testing.reference_records import USERS
from tests.erp.fakes.sap_b1 import COMPANY, USER, FakeSapB1, user_password
from tests.erp.fakes.sap_b1_records import number

Open = Callable[..., SapB1Erp]

ACCOUNT = {"company": COMPANY, "user": USER, "password": SECRET}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def company(clock: Clock) -> ReferenceCompany:
    return ReferenceCompany(TODAY, number=number, now=clock.now)


@pytest.fixture(params=["v2"])
async def server(request: pytest.FixtureRequest, company: ReferenceCompany, clock: Clock) -> AsyncIterator[FakeSapB1]:
    server = FakeSapB1(company, clock, version=request.param)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def open_with(server: FakeSapB1, clock: Clock, tmp_path: Path) -> AsyncIterator[Open]:
    """Opens a source with more options."""
    opened: list[SapB1Erp] = []

    def open_with(**options: Any) -> SapB1Erp:
        asked = {"url": server.url, "version": server.version, "list_days": 3650, "timeout": 10, "write_timeout": 10}
        people = {"approvers": {user.id: user_password(user.id) for user in USERS}}
        checked = SapB1Options.model_validate({**ACCOUNT, **asked, **people, **options})
        erp = SapB1Erp(AdapterContext(name="b1", data_dir=tmp_path, now=clock.now), checked)
        opened.append(erp)
        return erp

    yield open_with
    for erp in opened:
        await erp.close()


@pytest.fixture
def erp(open_with: Open) -> SapB1Erp:
    return open_with()


both_versions = pytest.mark.parametrize("server", ["v1", "v2"], indirect=True)
