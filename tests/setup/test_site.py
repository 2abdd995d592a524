"""The pages of the set-up without a browser: who may come in, what is kept, and when something is written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from bot.kit.simulator.server import RunningSimulator, open_simulator
from bot.settings import load_settings
from bot.setup.draft import SetupStep
from bot.setup.running import check_setup, run_setup
from bot.setup.site import SetupSite
from tests.rows import each_row
from tests.scenario.traffic import eventually
from tests.setup.test_files import contents
from tests.web.page_client import PageClient, Seen, page_client

KEYS = {"client_id": "dingdemoappkey", "client_secret": "dingdemosecret"}
OPEN_TO_ALL = {"GET /", "GET /setup", "POST /setup", "GET /static/{name}"}
"""Routes that tell nobody anything."""


@dataclass(frozen=True)
class Served:
    """A set-up under way in a folder; ``shown`` is what the terminal shows."""

    simulator: RunningSimulator
    shown: list[str]
    task: asyncio.Task[bool]
    folder: Path

    @property
    def address(self) -> str:
        return self.shown[-1].splitlines()[-1]

    @property
    def base(self) -> str:
        return self.address.partition("/setup")[0]

    @property
    def token(self) -> str:
        return self.address.partition("token=")[2]

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[tuple[PageClient, Seen]]:
        """Come in by the address that the terminal shows; give the browser and its first page."""
        async with page_client(self.base) as client:
            yield client, await client.post("/setup", {"token": self.token})


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    monkeypatch.chdir(tmp_path)
    async with open_simulator() as simulator:
        for host in ("OPENAPI", "OAPI"):
            monkeypatch.setenv(f"DINGTALK_{host}_ENDPOINT", simulator.url)
        monkeypatch.setenv("DINGERP_HTTP__PORT", "0")
        shown: list[str] = []
        task = asyncio.create_task(run_setup(load_settings(), None, shown.append))
        await eventually(lambda: shown or task.done(), hint=lambda: task)
        yield Served(simulator, shown, task, tmp_path)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def routes() -> list[str]:
    """Return all routes; to mount them none of the site's parts is needed."""
    app = web.Application()
    SetupSite(*[None] * 8).mount(app)  # type: ignore[arg-type]
    found = ((route.method, route.resource) for route in app.router.routes() if route.method != "HEAD")
    return [f"{method} {resource.canonical}" for method, resource in found if resource is not None]


async def test_every_route_is_closed_to_whoever_is_not_in(served: Served) -> None:
    async with served.browser() as (former, page), served.browser() as (_, _), page_client(served.base) as stranger:
        for route in routes():
            if route in OPEN_TO_ALL:
                continue
            method, path = route.split()
            for who in (stranger, former):
                seen = await (who.get(path) if method == "GET" else who.post(path, {"form": page.form_token, **KEYS}))
                assert seen.status == 403, (route, who)
                assert "form_token" not in seen.html
        assert (await stranger.get("/setup")).status == 403
        assert (await stranger.post("/setup", {"token": "guessed"})).status == 403


async def test_an_address_opens_once_and_looking_at_it_opens_nothing(served: Served) -> None:
    address, token = served.address, served.token
    async with page_client(served.base) as client:
        assert (await client.get(address)).status == 200
        assert (await client.get("/setup/app")).status == 403
        assert (await client.post("/setup", {"token": token})).status == 200
        assert served.token != token
        assert (await client.post("/setup", {"token": token})).status == 403


@each_row(
    "fields, headers",
    [
        ({"form": "0" * 64}, {}),
        ({}, {}),
        ({"form": "own"}, {"Origin": "https://elsewhere.example"}),
        ({"form": "own"}, {"Sec-Fetch-Site": "cross-site"}),
    ],
)
async def test_a_foreign_form_does_nothing(
    served: Served, fields: Mapping[str, str], headers: Mapping[str, str]
) -> None:
    async with served.browser() as (client, page):
        own = {name: page.form_token if value == "own" else value for name, value in fields.items()}
        assert (await client.post("/setup/app", {**own, **KEYS}, headers=headers)).status == 403
        assert "dingdemoappkey" not in (await client.get("/setup/app")).html


async def test_nothing_is_written_before_the_last_step_and_then_all_is(served: Served) -> None:
    async with served.browser() as (client, page):
        form = {"form": page.form_token}
        for step, fields in (
            ("app", {"client_id": "dingdemoappkey", "client_secret": "wrong"}),
            ("app", KEYS),
            ("erp", {"vendor": "odoo", "option-url": "nowhere", "option-key": "hidden-key"}),
            ("erp", {"vendor": "demo"}),
            ("access", {"choice": "everybody", "person-it01": "1"}),
            ("write", {}),
            ("group", {"do": "later"}),
        ):
            seen = await client.post(f"/setup/{step}", {**form, **fields})
            assert seen.status == 200, step
            assert "hidden-key" not in seen.html
            assert "dingdemosecret" not in seen.html
            assert contents(served.folder) == {}, step
        digest = seen.html.partition('name="digest" value="')[2].partition('"')[0]
        (served.folder / "access.toml").write_text("# mine\n")
        seen = await client.post("/setup/write", {**form, "digest": digest})
        assert set(contents(served.folder)) == {"access.toml"}, "it was not what was shown"
        digest = seen.html.partition('name="digest" value="')[2].partition('"')[0]
        assert (await client.post("/setup/write", {**form, "digest": digest})).status == 200
    assert await served.task
    assert {"dingerp.toml", "access.toml", "data/secrets/dingtalk-client-secret"} == set(contents(served.folder))
    missing = [finding for finding in check_setup(load_settings()) if finding.remedy]
    assert [str(finding.what) for finding in missing] == ["The first group"]


@each_row("agrees, words", [("", "用户拒绝授权"), ("yes", "钉钉的回应")])
async def test_an_app_by_a_qr_code(served: Served, agrees: str, words: str) -> None:
    async with served.browser() as (client, page):
        seen = await client.post("/setup/app", {"form": page.form_token, "do": "scan"})
        code = seen.html.partition('<p><a href="')[2].partition('"')[0]
        assert served.simulator.engine.credentials.registrations.values()[-1].user_code in code
        await client.post(code, {"agree": agrees})
        # The first look was at once, and DingTalk wants a pause.
        async with asyncio.timeout(60):
            while words not in seen.text:
                await asyncio.sleep(0.2)
                seen = await client.get("/setup/app")
        assert "dingdemosecret" not in seen.html


def test_every_step_has_a_page() -> None:
    assert {f"{method} /setup/{step}" for step in SetupStep for method in ("GET", "POST")} <= {*routes()}
