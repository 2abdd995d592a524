"""Figures of the whole bot: page, file, programs and looks in somebody's place show each reader the same cut."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook

from bot.admin.api_keys import add_key
from bot.kit.demo_waits import seed_waits
from bot.store.database import Database
from tests.efficiency.year import SHANGHAI
from tests.scenario.alerts.scenario import AlertScenario, open_timeline_in
from tests.scenario.test_permission_matrix import STAFF
from tests.web.api_client import api_client
from tests.web.page_client import PageClient, page_client

PERSON = "第 2 级"
"""The level at which one person alone decides."""


@dataclass
class Figures:
    """A bot with a year of decisions, and the browsers of its people."""

    scenario: AlertScenario
    browsers: Mapping[str, PageClient]
    month: str


@pytest.fixture
async def figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Figures]:
    monkeypatch.chdir(tmp_path)
    roles = {role: frozenset({STAFF[role]}) for role in STAFF if role != "no role"}
    access = {"directory": None, "presets": True, "roles": roles}
    async with AsyncExitStack() as stack:
        scenario = await stack.enter_async_context(open_timeline_in(tmp_path, access=access))
        now = scenario.clock.now.astimezone(SHANGHAI)
        database = Database(scenario.system.app.settings.database)
        await seed_waits(database, now)
        await database.close()
        browsers = {}
        for role in ("keeper", "manager", "admin"):
            browsers[role] = await stack.enter_async_context(page_client(scenario.system.app.settings.http.public_url))
            await browsers[role].log_in(STAFF[role])
        yield Figures(scenario, browsers, f"{now.replace(day=1) - timedelta(days=1):%Y-%m}")


async def test_each_reader_sees_the_same_cut_on_the_page_and_in_its_file(figures: Figures) -> None:
    address = f"/efficiency?month={figures.month}"
    keeper, manager, admin = [await browser.get(address) for browser in figures.browsers.values()]
    assert {page.status for page in (keeper, manager, admin)} == {200}
    assert PERSON not in keeper.text + manager.text, "one person decides there"
    assert PERSON in admin.text
    assert "全部: " not in keeper.text
    assert "全部: " in manager.text
    assert "您本人" in keeper.text
    assert "没有可以显示的审批" not in manager.text, "a table of rows is not called empty"
    assert "<svg" in manager.html
    assert PERSON not in manager.html, "nor in the chart"
    for role, told in (("manager", False), ("admin", True)):
        file = await figures.browsers[role].get(f"/file?line=/efficiency+{figures.month}")
        cells = {
            str(cell.value) for row in load_workbook(BytesIO(file.content)).worksheets[0].iter_rows() for cell in row
        }
        assert ("全部" in cells, PERSON in cells) == (True, told)
    assert (await figures.browsers["manager"].get("/ask?line=/deciders")).status == 403
    assert (await figures.browsers["keeper"].get("/ask?line=/efficiency+questions")).status == 403


async def test_a_program_sees_what_its_owner_sees_within_its_scopes(figures: Figures) -> None:
    app = figures.scenario.system.app
    async with api_client(f"http://127.0.0.1:{app.port}") as client:
        for owner, scopes, names in (
            (STAFF["admin"], ("*",), {"All", "Level 2"}),
            (STAFF["admin"], ("efficiency", "po"), {"All"}),
            (STAFF["manager"], ("*",), {"All"}),
            (STAFF["keeper"], ("*",), set[str]()),
        ):
            client.token, *_ = await add_key(app.settings, owner, scopes, "30d", figures.scenario.clock.now)
            told = await client.ask(f"/efficiency {figures.month}", language="en")
            shown = {str(row["name"]) for row in told.view["rows"]}
            assert {"All", "Level 2"} & shown == names, (owner, scopes)


async def test_nobody_looks_at_somebodys_figures_in_their_place(figures: Figures) -> None:
    seen = await figures.browsers["admin"].get(f"/people/keeper01/sees?line=/efficiency+{figures.month}")
    assert "您本人" not in seen.text
