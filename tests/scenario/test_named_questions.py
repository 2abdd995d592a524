"""A named question of the whole bot: the page, the file, programs and subscriptions show each reader the same cut."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook

from bot.admin.api_keys import add_key
from bot.settings import QuestionSettings, RuleSettings
from tests.named_questions.company import NOT_INVOICED, ORDERS
from tests.scenario.alerts.scenario import AlertScenario, open_timeline_in
from tests.scenario.test_permission_matrix import STAFF
from tests.web.api_client import api_client
from tests.web.page_client import PageClient, page_client


@dataclass
class Asked:
    """A bot with a question of the company's own, and the browsers of its people."""

    scenario: AlertScenario
    browsers: Mapping[str, PageClient]


@pytest.fixture
async def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Asked]:
    monkeypatch.chdir(tmp_path)
    company, file = tmp_path / "company.sqlite3", tmp_path / "questions.toml"
    with sqlite3.connect(company) as connection:
        connection.executescript(ORDERS)
    file.write_text(NOT_INVOICED.replace('source = "main"', 'source = "books"'), encoding="utf-8")
    questions = QuestionSettings.model_validate({"file": file, "databases": {"books": {"url": f"sqlite:///{company}"}}})
    every = {"roles": ["finance", "sales", "keeper"]}
    access = {
        "directory": None,
        "roles": {role: frozenset({STAFF[role]}) for role in ("finance", "sales", "keeper")},
        "rules": (
            RuleSettings.model_validate({"commands": ["ask"], **every}),
            RuleSettings.model_validate({"commands": ["order"], "roles": ["finance"], "fields": ["*"]}),
            RuleSettings.model_validate(
                {"commands": ["order"], "roles": ["sales"], "fields": ["quantity"], "partners": ["华东机械"]}
            ),
            RuleSettings.model_validate({"commands": ["order"], "roles": ["keeper"]}),
        ),
    }
    async with AsyncExitStack() as stack:
        scenario = await stack.enter_async_context(open_timeline_in(tmp_path, access=access, questions=questions))
        browsers = {}
        for role in ("finance", "sales", "keeper"):
            browsers[role] = await stack.enter_async_context(page_client(scenario.system.app.settings.http.public_url))
            await browsers[role].log_in(STAFF[role])
        yield Asked(scenario, browsers)


ALL_DAYS = "2026-10-01..2026-11-30"


async def test_page_and_file_show_each_reader_the_same_cut(asked: Asked) -> None:
    address = f"/ask?line=/ask+not_invoiced+{ALL_DAYS}"
    finance, sales, keeper = [await browser.get(address) for browser in asked.browsers.values()]
    assert "已发货未开票" in finance.text
    assert "宏达五金" in finance.text
    assert "1,200.50" in finance.text
    assert "SO-1" in sales.text
    for hidden in ("宏达五金", "1,200.50", "SO-2"):
        assert hidden not in sales.html
    assert "SO-1" not in keeper.html, "has none of the question's roles"
    for role, numbers in (("finance", {"SO-1", "SO-2", "SO-3", "SO-4"}), ("sales", {"SO-1", "SO-3"})):
        file = await asked.browsers[role].get(f"/file?line=/ask+not_invoiced+{ALL_DAYS}")
        sheet = load_workbook(BytesIO(file.content)).worksheets[0]
        cells = {cell.value: cell.data_type for row in sheet.iter_rows() for cell in row}
        assert {value for value in cells if str(value).startswith("SO-")} == numbers
        assert "f" not in cells.values(), "what begins with = is text"


async def test_a_program_asks_by_the_name_with_its_owners_rights(asked: Asked) -> None:
    app = asked.scenario.system.app
    async with api_client(f"http://127.0.0.1:{app.port}") as client:
        for owner, scopes, total in (
            (STAFF["finance"], ("*",), 4),
            (STAFF["finance"], ("ask", "order"), 4),
            (STAFF["sales"], ("*",), 2),
        ):
            client.token, *_ = await add_key(app.settings, owner, scopes, "30d", asked.scenario.clock.now)
            told = await client.ask(f"/ask not_invoiced {ALL_DAYS}", language="en")
            assert told.view["total"] == total
            assert (await client.ask(f"已发货未开票 {ALL_DAYS}", language="zh_CN")).view["total"] == total


async def test_it_can_be_subscribed_to_by_its_name(asked: Asked) -> None:
    system, finance = asked.scenario.system, STAFF["finance"]
    own = system.engine.direct(finance).id
    await system.ask("/subscribe ask not_invoiced 9:00 daily", who=finance, where=own)
    await system.ask("/subscribe 已发货未开票 10:00 daily", who=finance, where=own)
    listed = await system.ask("/subscriptions", who=finance, where=own)
    assert "**09:00** /ask not＿invoiced" in listed.markdown
    assert "**10:00** /已发货未开票" in listed.markdown
