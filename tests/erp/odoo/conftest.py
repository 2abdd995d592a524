"""Fixtures that open the adapter over a fake Odoo of any release."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.erp.odoo.adapter import OdooErp
from bot.erp.odoo.manifest import vendor
from bot.erp.vendors import AdapterContext
from bot.testing.company import Clock, ReferenceCompany
from bot.testing.fake_erp import SECRET
from tests.erp.fakes.odoo import DATABASE, FakeOdoo
from tests.erp.fakes.odoo_records import BOT

Open = Callable[..., Awaitable[tuple[OdooErp, FakeOdoo]]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def open_odoo(clock: Clock, tmp_path: Path) -> AsyncIterator[Open]:
    """Opens a fake of the named release and an adapter for it; ``server`` replaces the fake."""
    opened: list[OdooErp | FakeOdoo] = []

    async def open_odoo(
        release: tuple[int, int] = (19, 0), *, server: FakeOdoo | None = None, **options: Any
    ) -> tuple[OdooErp, FakeOdoo]:
        if server is None:
            server = FakeOdoo(ReferenceCompany(now=clock.now), clock, release)
        if not server.url:
            await server.start()
            opened.append(server)
        settings = {"url": server.url, "database": DATABASE, "user": BOT, "key": SECRET, "company": 1, **options}
        context = AdapterContext(name="main", data_dir=tmp_path, now=clock.now)
        erp = await vendor.open(context, vendor.options.model_validate(settings))
        assert isinstance(erp, OdooErp)
        opened.insert(0, erp)
        return erp, server

    yield open_odoo
    for resource in opened:
        if isinstance(resource, FakeOdoo):
            await resource.stop()
        else:
            await resource.close()
