"""Figures of the whole bot: page, file, programs and looks in somebody's place show each reader the same cut."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from bot.admin.api_keys import add_key
from bot.cards.language import load_languages
from bot.efficiency.figures import DividedBy, divide_decisions, month_before
from bot.efficiency.views import name_group
from bot.efficiency.waits import DecisionWait
from bot.efficiency.working_time import WorkingHours
from bot.kit.demo_waits import seed_waits
from bot.store.database import Database
from bot.store.efficiency import StoredEfficiency
from bot.words.phrase import Phrase
from tests.efficiency.year import SHANGHAI, attack
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


NAMES: Mapping[str, Callable[[Mapping[str, Any]], tuple[str, ...]]] = {
    "": lambda row: (row["name"], str(row["figures"]["count"])),
    "alerts": lambda row: (row["rule"], str(row["figures"]["opened"])),
    "questions": lambda row: (f"/{row['command']}" if row["command"] else "", row["department"]),
    "findings": lambda row: (row["seen"], row["reason"]),
}
"""The first two cells of a row, by the part of the figures."""
FIRST = 3
"""Rows that a page and a card show at once, at least."""
ZIPPED = b"PK"


@pytest.mark.parametrize("role", STAFF)
async def test_every_door_shows_a_role_the_same_rows(figures: Figures, role: str) -> None:
    """Whole or some at a time, to a program, in a file, on a page and on a card; or nothing at any of them."""
    system, who = figures.scenario.system, STAFF[role]
    address = f"http://127.0.0.1:{system.app.port}"
    async with api_client(address) as client, page_client(system.app.settings.http.public_url) as browser:
        client.token, *_ = await add_key(system.app.settings, who, ("*",), "30d", figures.scenario.clock.now)
        await browser.log_in(who)
        for part, named in NAMES.items():
            line = " ".join(filter(None, ("/efficiency", figures.month if part != "findings" else "", part)))
            told = await client.ask(line, limit=100)
            page = await browser.get(f"/ask?line={line.replace(' ', '+')}")
            assert page.status == told.status
            file = await browser.get(f"/file?line={line.replace(' ', '+')}")
            card = await system.ask(line, who, where=system.engine.direct(who).id)
            rows = [named(row) for row in told.view["rows"]] if told.status == 200 else []
            for text in (page.text, card.markdown, file.text):
                assert (PERSON in text) <= (PERSON in dict(rows))
            if not rows:
                assert told.status == 403 or told.view["total"] == 0
                assert not file.content.startswith(ZIPPED)
                continue
            paged = [
                named(row)
                for offset in range(0, len(rows), 3)
                for row in (await client.ask(line, limit=3, offset=offset)).view["rows"]
            ]
            sheet = load_workbook(BytesIO(file.content)).worksheets[0]
            cells = [tuple("" if cell is None else str(cell) for cell in row[:2]) for row in sheet.values]
            assert paged == [row for row in cells if row in rows] == rows
            assert all(cell in page.text for row in rows[:FIRST] for cell in row)
            assert all(name in card.markdown for name, _ in rows[:FIRST])


async def test_a_year_of_months_by_every_key_tells_of_no_few_people(figures: Figures) -> None:
    """All figures of the manager, month by month, cannot be added and subtracted until a few people are left."""
    app = figures.scenario.system.app
    database = Database(app.settings.database)
    kept = StoredEfficiency(database, WorkingHours(SHANGHAI), lambda: figures.scenario.clock.now)
    last = date.fromisoformat(f"{figures.month}-01")
    shown = 0
    async with api_client(f"http://127.0.0.1:{app.port}") as client:
        for number in range(12):
            month = month_before(last, number)
            waits = await kept.decisions(month)
            parts: dict[int, Sequence[DecisionWait]] = {}
            for scopes in (("*",), ("efficiency", "po"), ("efficiency", "order")):
                client.token, *_ = await add_key(
                    app.settings, STAFF["manager"], scopes, "30d", figures.scenario.clock.now
                )
                told = await client.ask(f"/efficiency {month:%Y-%m}", language="en", limit=100)
                groups: dict[str, Sequence[DecisionWait]] = {}
                for row in told.view["rows"]:
                    if row["heads"] is not None:
                        by = next(each for each in DividedBy if row["heads"] == f"By {each.value}")
                        found = divide_decisions(waits, SHANGHAI)[by].groups
                        groups = {name_in_english(by, name): of for name, of in found.items()}
                    if row["name"] in groups:
                        parts[len(parts)] = groups.pop(row["name"])
                    elif row["name"] == "Others together":
                        parts[len(parts)] = [wait for of in groups.values() for wait in of]
                    elif row["name"] == "All":
                        parts[len(parts)] = waits
            shown += len(parts)
            assert not attack([*parts.values()], STAFF["manager"])
    await database.close()
    assert shown > 12


def name_in_english(by: DividedBy, name: object) -> str:
    label = name_group(by, name)
    return load_languages()["en"].say(label) if isinstance(label, Phrase) else label


async def test_nobody_looks_at_somebodys_figures_in_their_place(figures: Figures) -> None:
    seen = await figures.browsers["admin"].get(f"/people/keeper01/sees?line=/efficiency+{figures.month}")
    assert "您本人" not in seen.text
