"""Pages about people of the whole bot: what administrators see of members, and as they would see it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from bot.settings import RuleSettings
from bot.store.audit.log import StoredAudit
from tests.scenario.conftest import KEEPER, BotSystem, OpenSystem
from tests.web.page_client import PageClient, page_client

ADMINISTRATOR, CONTROLLER = "it01", "finance01"
RULES = (
    {"name": "keepers", "commands": ["*"], "roles": ["warehouse"], "fields": ["quantity", "partner"]},
    {"name": "bosses", "commands": ["*"], "roles": ["boss"], "fields": ["*"]},
    {"name": "it", "commands": ["*"], "roles": ["it"], "fields": ["quantity", "amount"]},
    {"name": "control", "commands": ["people"], "people": [CONTROLLER], "fields": ["quantity"]},
    {"name": "part", "commands": ["*"], "people": [CONTROLLER], "warehouses": ["WH-BJ"]},
)


@pytest.fixture
async def system(open_system: OpenSystem) -> AsyncIterator[BotSystem]:
    """A bot with rules for keepers, bosses, and those who look after it."""
    async with open_system(access={"rules": tuple(map(RuleSettings.model_validate, RULES))}) as opened:
        yield opened


@pytest.fixture
async def browsers(system: BotSystem) -> AsyncIterator[tuple[PageClient, PageClient, PageClient]]:
    """The browsers of an administrator, of a controller who sees a part, and of a keeper."""
    url = system.app.settings.http.public_url
    async with AsyncExitStack() as stack:
        found = tuple([await stack.enter_async_context(page_client(url)) for _ in range(3)])
        for browser, user_id in zip(found, (ADMINISTRATOR, CONTROLLER, KEEPER), strict=True):
            await browser.log_in(user_id)
        administrator, controller, keeper = found
        yield administrator, controller, keeper


def _figures(html: str) -> list[str]:
    return re.findall(r"[¥$€]\s?[\d,.]+", html)


async def test_members_are_shown_with_roles_and_why_they_may(
    browsers: tuple[PageClient, PageClient, PageClient],
) -> None:
    browser, _, _ = browsers
    listed = await browser.get("/people")
    assert f'href="/people/{KEEPER}"' in listed.html
    shown = await browser.get(f"/people/{KEEPER}?command=/po")
    for said in ("王仓", "仓管", "keepers", "/stock", "王仓可以使用"):
        assert said in shown.text
    assert (await browser.get("/people/nobody")).status == 404


async def test_what_a_member_sees_is_drawn_as_they_would_see_it(
    system: BotSystem, browsers: tuple[PageClient, PageClient, PageClient]
) -> None:
    browser, _, _ = browsers
    called = system.engine.flow.used
    own = await browser.get("/ask?line=/order+SO-1001")
    assert _figures(own.text)
    seen = await browser.get(f"/people/{KEEPER}/sees?line=/order+SO-1001")
    assert "SO-1001" in seen.text
    assert _figures(seen.text) == []
    # What the administrator may not see stays hidden, too: partners' names, which bosses and keepers see.
    partner = re.search(r"<strong>([^<]+)</strong>", (await browsers[2].get("/ask?line=/order+SO-1001")).html)
    assert partner is not None
    of_boss = await browser.get("/people/boss01/sees?line=/order+SO-1001")
    assert _figures(of_boss.text)
    assert "🔒" in of_boss.text
    assert system.engine.flow.used == called


async def test_it_never_acts_and_leads_nowhere(browsers: tuple[PageClient, PageClient, PageClient]) -> None:
    browser, _, _ = browsers
    for line in (
        "/lang en",
        "/watch SKU123",
        "/export order late",
        "/approve PO-1001",
        "/bind demo x",
        "/mute stock.low",
    ):
        seen = await browser.get(f"/people/{KEEPER}/sees?line={line}")
        main = seen.html.partition("<main")[2].partition("</main>")[0]
        assert 'method="post"' not in main, line
        assert 'name="token"' not in main, line
    assert 'lang="zh-CN"' in (await browsers[2].get("/")).html
    assert "我的关注 (0)" in (await browsers[2].get("/ask?line=/watches")).text
    listed = await browser.get(f"/people/{KEEPER}/sees?line=/order+late")
    main = listed.html.partition("<main")[2].partition("</main>")[0]
    assert re.findall(r'href="(/ask[^"]*)"', main) == []
    for method in ("/people/keeper01/sees", "/people/keeper01"):
        page = await browser.get("/")
        sent = await browser.post(method, {"form": page.form_token, "token": "ask|0|/lang en"})
        assert sent.status == 405


async def test_others_see_nobody(browsers: tuple[PageClient, PageClient, PageClient]) -> None:
    _, controller, keeper = browsers
    for path in ("/people", "/people/boss01", "/people/boss01/sees?line=/order+SO-1001", "/ask?line=/people"):
        page = await keeper.get(path)
        assert page.status == 403, path
        assert _figures(page.text) == []
        assert "赵总" not in page.text.replace("王仓", "")
    # Whoever sees a part of the documents sees not what others see of all.
    seen = await controller.get("/people/boss01/sees?line=/order+SO-1001")
    assert seen.status == 403
    assert _figures(seen.text) == []


async def test_each_look_is_recorded_first_and_none_is_shown_without(
    browsers: tuple[PageClient, PageClient, PageClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, _, _ = browsers
    await browser.get(f"/people/{KEEPER}/sees?line=/order+SO-1001")
    audited = await browser.get(f"/ask?line=/audit+{ADMINISTRATOR}")
    assert "SO-1001" in audited.text
    assert "keeper01: /order" in audited.text
    assert "SO-1001" not in (await browser.get(f"/ask?line=/audit+{KEEPER}")).text

    async def away(_log: StoredAudit) -> bool:
        return False

    monkeypatch.setattr(StoredAudit, "written", away)
    refused = await browser.get(f"/people/{KEEPER}/sees?line=/order+SO-1002")
    assert "审计日志目前无法写入" in refused.text
    assert '<table class="rows">' not in refused.html
