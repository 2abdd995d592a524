"""Fixtures: a fake server with the reference company, and sources for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.erp.kingdee.adapter import KingdeeErp
from bot.erp.kingdee.options import KingdeeOptions
from bot.erp.vendors import AdapterContext
from bot.kit.testing.company import TODAY, Clock
from bot.kit.testing.fake_erp import SECRET
from tests.erp.fakes.kingdee import ACCT, APP_ID, USER, FakeKingdee, SignedKingdee
from tests.erp.fakes.kingdee_records import NumberedCompany

ACCOUNT = {"acct_id": ACCT, "user": USER}
PASSWORD = {"password": SECRET}
APP = {"app_id": APP_ID, "app_secret": SECRET}

Open = Callable[..., KingdeeErp]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def company(clock: Clock) -> NumberedCompany:
    return NumberedCompany(TODAY, now=clock.now)


@pytest.fixture
async def server(company: NumberedCompany, clock: Clock) -> AsyncIterator[FakeKingdee]:
    server = FakeKingdee(company, clock, page=2000)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def signed_server(company: NumberedCompany, clock: Clock) -> AsyncIterator[FakeKingdee]:
    server = SignedKingdee(company, clock, page=2000)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def open_at(clock: Clock, tmp_path: Path) -> AsyncIterator[Open]:
    """Opens a source at a server; with the password unless another login is given."""
    opened: list[KingdeeErp] = []

    def open_at(server: FakeKingdee, **options: Any) -> KingdeeErp:
        way_in = {} if "app_id" in options or "password" in options else PASSWORD
        checked = KingdeeOptions.model_validate(
            {"url": server.url, "timeout": 10, "write_timeout": 10, "list_days": 3650, **ACCOUNT, **way_in, **options}
        )
        erp = KingdeeErp(AdapterContext(name="k3", data_dir=tmp_path, now=clock.now), checked)
        opened.append(erp)
        return erp

    yield open_at
    for erp in opened:
        await erp.close()


@pytest.fixture
def erp(open_at: Open, server: FakeKingdee) -> KingdeeErp:
    return open_at(server)


def queries(server: FakeKingdee, form: str) -> list[dict[str, Any]]:
    """Return the queries of a form, in order."""
    return [
        sent["data"] for name, sent in server.asked if name == "ExecuteBillQuery" and sent["data"]["FormId"] == form
    ]
