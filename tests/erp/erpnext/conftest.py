"""Fixtures: a site with the reference company, and the adapter for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.erp.erpnext.adapter import ErpNextErp
from bot.erp.erpnext.client import ErpNextClient
from bot.erp.erpnext.mapping import Site
from bot.erp.erpnext.options import ErpNextOptions
from bot.erp.http import Http, HttpOptions
from bot.erp.vendors import AdapterContext
from bot.kit.testing.company import NOW, TODAY, Clock, ReferenceCompany
from bot.kit.testing.fake_erp import SECRET
from tests.erp.erpnext.replay import BOT, EXCHANGES, Asked, RecordedSite
from tests.erp.fakes.erpnext import KEY, PEOPLE, FakeErpNext

Open = Callable[..., ErpNextErp]
Rows = list[dict[str, Any]]
Sleep = Callable[[float], Awaitable[None]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def company(clock: Clock) -> ReferenceCompany:
    return ReferenceCompany(TODAY, now=clock.now)


@pytest.fixture
async def serve(company: ReferenceCompany, clock: Clock) -> AsyncIterator[Callable[..., Awaitable[FakeErpNext]]]:
    """Starts the site; ``workflow`` as in `FakeErpNext`."""
    started: list[FakeErpNext] = []

    async def serve(**how: Any) -> FakeErpNext:
        site = FakeErpNext(company, clock, **how)
        await site.start()
        started.append(site)
        return site

    yield serve
    for site in started:
        await site.stop()


@pytest.fixture
async def site(serve: Callable[..., Awaitable[FakeErpNext]]) -> FakeErpNext:
    return await serve()


@pytest.fixture
async def open_erp(clock: Clock, tmp_path: Path) -> AsyncIterator[Open]:
    """Opens the adapter for a site, with the given options."""
    opened: list[ErpNextErp] = []

    def open_erp(site: FakeErpNext, *, sleep: Sleep = clock.sleep, **options: Any) -> ErpNextErp:
        people = {name: {"key": f"{name}-key", "secret": SECRET} for name in PEOPLE}
        settings = {"url": site.url, "key": KEY, "secret": SECRET, "approvers": people, **options}
        around = AdapterContext(name="main", data_dir=tmp_path, now=clock.now)
        erp = ErpNextErp(around, ErpNextOptions.model_validate(settings), sleep=sleep)
        opened.append(erp)
        return erp

    yield open_erp
    for erp in opened:
        await erp.close()


@pytest.fixture
def erp(site: FakeErpNext, open_erp: Open) -> ErpNextErp:
    return open_erp(site)


@pytest.fixture
async def asked() -> AsyncIterator[Asked]:
    """Returns a client of a site that answers with the exchange of a title."""
    replay = RecordedSite({})
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", replay.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    replay.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    http = Http(HttpOptions(url=replay.url), now=lambda: NOW, source="main")

    def ask(title: str) -> tuple[ErpNextClient, Site]:
        replay.exchange = EXCHANGES[title]
        return ErpNextClient(http, BOT), replay.site

    yield ask
    await http.close()
    await runner.cleanup()
