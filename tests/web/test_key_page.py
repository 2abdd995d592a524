"""``/keys/{token}`` over a real socket: one key by one link, and nothing else is told or kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from bot.cards.language import Language, choose_language, load_languages
from bot.mechanisms.health import HealthReport
from bot.mechanisms.metrics import Metrics
from bot.web.key_page import KeyPage
from bot.web.server import make_web_app, serving
from bot.words.errors import DingerpError

FORM = "application/x-www-form-urlencoded"
TOKEN, KEY = "t0ken-_9", "hunter2<&密"


@dataclass(frozen=True, slots=True)
class FakeLink:
    user_id: str = "sales01"
    source: str = "main"
    account: str = '<li>"na'


@dataclass(slots=True)
class FakeDesk:
    """Takes keys for one link."""

    outcome: str = "stored"
    away: bool = False
    taken: list[str] = field(default_factory=list)

    async def find_link(self, token: str) -> FakeLink | None:
        if self.away:
            raise DingerpError("the database is away")
        return FakeLink() if token == TOKEN else None

    async def enter(self, token: str, secret: SecretStr) -> str:
        assert token == TOKEN
        self.taken.append(secret.get_secret_value())
        return self.outcome


@dataclass(slots=True)
class PageScene:
    desk: FakeDesk
    http: aiohttp.ClientSession
    address: str

    async def get(self, token: str = TOKEN) -> tuple[int, str, Any]:
        async with self.http.get(f"{self.address}/keys/{token}") as answer:
            return answer.status, await answer.text(), answer.headers

    async def post(self, token: str = TOKEN, **body: Any) -> tuple[int, str, Any]:
        async with self.http.post(f"{self.address}/keys/{token}", **body) as answer:
            return answer.status, await answer.text(), answer.headers


async def well() -> HealthReport:
    return HealthReport({})


def language_of(user_id: str) -> Language:
    return choose_language(load_languages(), "zh_CN" if user_id else "en")


@pytest.fixture
async def scene() -> AsyncIterator[PageScene]:
    desk = FakeDesk()
    app = make_web_app(metrics=Metrics(), readiness=well, key_page=KeyPage(desk, language_of))
    async with serving(app, "127.0.0.1", 0) as port, aiohttp.ClientSession() as http:
        yield PageScene(desk, http, f"http://127.0.0.1:{port}")


async def test_the_form_says_for_which_account_it_is_and_is_kept_nowhere(scene: PageScene) -> None:
    status, text, headers = await scene.get()
    assert status == 200
    assert "&lt;li&gt;&quot;na" in text
    assert "您的 ERP 个人密钥" in text
    assert 'type="password"' in text
    assert '<html lang="zh-CN">' in text
    assert "<script" not in text
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert scene.desk.taken == []


async def test_a_key_is_taken_and_repeated_nowhere(scene: PageScene) -> None:
    with capture_logs() as logs:
        status, text, headers = await scene.post(data={"key": f" {KEY}\n"})
    assert (status, scene.desk.taken) == (200, [KEY])
    assert "密钥已保存" in text
    assert "<form" not in text
    assert "hunter2" not in f"{text}{headers}{logs}"


@pytest.mark.parametrize(
    ("outcome", "status"), [("no_key", 400), ("refused", 403), ("foreign", 403), ("no_answer", 503)]
)
async def test_what_is_not_stored_may_be_tried_again(scene: PageScene, outcome: str, status: int) -> None:
    scene.desk.outcome = outcome
    answered, text, _ = await scene.post(data={"key": KEY})
    assert (answered, "<form" in text, "hunter2" in text) == (status, True, False)


async def test_a_link_that_does_not_stand_tells_nothing(scene: PageScene) -> None:
    for answer in (await scene.get("other"), await scene.post("other", data={"key": KEY})):
        status, text, _ = answer
        assert (status, "no longer valid" in text, "<form" in text, "main" in text) == (404, True, False, False)
    scene.desk.outcome = "no_link"
    assert (await scene.post(data={"key": KEY}))[0] == 404


@pytest.mark.parametrize(
    "body",
    [
        {"json": {"key": KEY}},
        {"data": b"key=x" * 10_000},
        {"data": b"key=%ff%fe", "headers": {"Content-Type": f"{FORM}; charset=no-such"}},
        {},
    ],
)
async def test_what_no_form_sends_is_not_taken_as_a_key(scene: PageScene, body: dict[str, Any]) -> None:
    status, _, _ = await scene.post(**body)
    assert status in (200, 400)
    assert not scene.desk.taken


async def test_while_the_database_is_away_nothing_is_taken(scene: PageScene) -> None:
    scene.desk.away = True
    for answer in (await scene.get(), await scene.post(data={"key": KEY})):
        assert answer[0] == 503
        assert "away" not in answer[1]
    assert scene.desk.taken == []


async def test_without_an_address_there_is_no_page() -> None:
    async with (
        serving(make_web_app(metrics=Metrics(), readiness=well), "127.0.0.1", 0) as port,
        aiohttp.ClientSession() as http,
        http.get(f"http://127.0.0.1:{port}/keys/{TOKEN}") as answer,
    ):
        assert answer.status == 404
