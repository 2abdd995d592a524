"""Logins of agents: a person says yes on a page, and nothing else gives a client anything."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import urlencode

import httpx2
import pytest
from mcp.client import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)

from bot.admin.api_keys import list_keys, revoke_key
from bot.bootstrap import api as api_parts
from bot.web.mcp.tools import TOOLS
from bot.web.oauth.clients import make_client
from tests.rows import each_row
from tests.scenario.conftest import KEEPER, OUTSIDER, OpenSystem
from tests.scenario.test_api import BOSS, Door, opened
from tests.scenario.test_attacks import tell
from tests.web.oauth_client import ALL, BACK, CHALLENGE, VERIFIER, OAuthClient, answered
from tests.web.page_client import PageClient, PageMarkup, page_client


@dataclass
class Scene:
    """A running bot, a program that asks it, and a client whose person has a browser."""

    door: Door
    client: OAuthClient

    @property
    def browser(self) -> PageClient:
        return self.client.browser

    @property
    def base(self) -> str:
        return self.client.base

    async def given(self) -> dict[str, str]:
        """Return what a client gets whose person has said yes to all."""
        status, told = await self.client.exchange(await self.client.code())
        assert status == 200, told
        return told

    async def status(self, token: str) -> int:
        """Return what a token opens: at the API and for agents it is the same door."""
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
        async with self.browser.session.post(f"{self.base}/mcp", json=ping, headers=headers) as answer:
            status = answer.status
        self.door.client.token = token
        of_api = (await self.door.client.get("/whoami")).status
        assert (of_api == 200) == (status == 200)
        return status


@asynccontextmanager
async def scene_of(door: Door) -> AsyncIterator[Scene]:
    base = door.system.app.settings.http.public_url
    async with page_client(base) as browser:
        client = OAuthClient(base, browser)
        await client.register()
        yield Scene(door, client)


@pytest.fixture
async def scene(open_system: OpenSystem) -> AsyncIterator[Scene]:
    """Somebody who is logged in, and a client that is known."""
    async with open_system() as system, opened(system) as door, scene_of(door) as scene:
        await scene.browser.log_in(BOSS)
        yield scene


@dataclass
class Storage:
    """What the official client keeps."""

    tokens: OAuthToken | None = None
    info: OAuthClientInformationFull | None = None
    got: list[OAuthToken] = field(default_factory=list)

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens
        self.got.append(tokens)

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.info

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.info = client_info


def official(
    scene: Scene, storage: Storage, path: str, back: str = "http://127.0.0.1:4711/back"
) -> OAuthClientProvider:
    """The login of the official client; its person is nobody yet in the browser, logs in with DingTalk and taps yes."""
    came: list[dict[str, str]] = []

    async def show(address: str) -> None:
        page = await scene.browser.get(address)
        if page.address.path == "/login":
            page = await scene.browser.choose(page.dingtalk, BOSS)
        _, told = await scene.client.tap(page)
        came.append(dict(told))

    async def wait() -> AuthorizationCodeResult:
        told = came.pop()
        return AuthorizationCodeResult(code=told["code"], state=told["state"], iss=told["iss"])

    said = OAuthClientMetadata.model_validate({"client_name": "Official client", "redirect_uris": [back]})
    return OAuthClientProvider(f"{scene.base}{path}", said, storage, show, wait)


@pytest.mark.parametrize("path", ["/mcp", "/mcp/sse"])
async def test_the_official_client_logs_in_and_renews_its_tokens(path: str, open_system: OpenSystem) -> None:
    async with open_system() as system, opened(system) as door, scene_of(door) as scene:
        storage = Storage()
        login = official(scene, storage, path)
        async with connected(scene, path, login) as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == [tool.name for tool in TOOLS]
            assert not (await client.call_tool("stock", {"product": "SKU123"})).is_error
            assert storage.tokens is not None
            assert storage.tokens.scope == " ".join(ALL)
            scene.browser.session.cookie_jar.clear()  # so that nobody could be asked a second time
            login.context.token_expiry_time = 1.0
            assert not (await client.call_tool("stock", {"product": "SKU123"})).is_error
        first, second = storage.got
        assert first.access_token != second.access_token
        (line,) = await list_keys(system.app.settings, datetime.now(UTC))
        assert BOSS in line
        assert "by a login for 'Official client'" in line


@asynccontextmanager
async def connected(scene: Scene, path: str, login: OAuthClientProvider) -> AsyncIterator[Client]:
    """The official client at one of the addresses."""
    address = f"{scene.base}{path}"
    async with AsyncExitStack() as kept:
        if path == "/mcp/sse":
            transport = sse_client(address, auth=login)
        else:
            carrying = await kept.enter_async_context(httpx2.AsyncClient(auth=login))
            transport = streamable_http_client(address, http_client=carrying)
        yield await kept.enter_async_context(Client(transport))


async def test_what_is_where_is_told_as_the_standards_say(scene: Scene) -> None:
    base = scene.base
    async with scene.browser.session.post(f"{base}/mcp", json={}) as answer:
        assert answer.status == 401
        where = f"{base}/.well-known/oauth-protected-resource/mcp"
        assert answer.headers["WWW-Authenticate"] == f'Bearer realm="dingerp", resource_metadata="{where}"'
    async with scene.browser.session.post(f"{base}/mcp", json={}, headers={"Authorization": "Bearer x"}) as answer:
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    _, resource = await scene.client.send("GET", where.removeprefix(base))
    assert (resource["resource"], resource["authorization_servers"]) == (f"{base}/mcp", [base])
    _, server = await scene.client.send("GET", "/.well-known/oauth-authorization-server")
    assert server["issuer"] == base
    assert server["code_challenge_methods_supported"] == ["S256"]
    assert server["token_endpoint_auth_methods_supported"] == ["none"]
    assert server["scopes_supported"] == resource["scopes_supported"] == [*ALL]


async def test_behind_a_prefix_all_addresses_have_it(open_system: OpenSystem) -> None:
    async with open_system(http={"public_url": "https://erp.example/bot"}) as system, opened(system) as door:
        port = f"http://127.0.0.1:{system.app.port}"

        async def told(path: str) -> dict[str, str]:
            async with door.client.session.get(f"{port}{path}") as answer:
                return await answer.json()

        server = await told("/.well-known/oauth-authorization-server/bot")
        assert server == await told("/.well-known/oauth-authorization-server")
        assert (server["issuer"], server["token_endpoint"]) == (
            "https://erp.example/bot",
            "https://erp.example/bot/oauth/token",
        )
        resource = await told("/.well-known/oauth-protected-resource/bot/mcp")
        assert resource["resource"] == "https://erp.example/bot/mcp"


async def test_without_pages_there_is_no_login(open_system: OpenSystem) -> None:
    async with open_system(pages={"enabled": False}) as system, opened(system) as door:
        await door.key()
        base = f"http://127.0.0.1:{system.app.port}"
        for path in ("/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-authorization-server"):
            async with door.client.session.get(f"{base}{path}") as answer:
                assert answer.status == 404
        for path in ("/oauth/register", "/oauth/token"):
            async with door.client.session.post(f"{base}{path}") as answer:
                assert answer.status == 404
        async with door.client.session.post(f"{base}/mcp", json={}) as answer:
            assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="dingerp"')


async def test_a_person_sees_who_asks_and_chooses_what_it_may(scene: Scene) -> None:
    await scene.client.register(client_name="ERP‮ <img src=x> **Bank**\nLine")
    page = await scene.client.ask(scope="stock why propose openid", resource=f"{scene.base}/mcp")
    assert page.status == 200
    assert not PageMarkup.of(page.html).is_foreign
    assert "<bdi>ERP &lt;img src=x&gt; **Bank** Line</bdi>" in page.html
    assert "https://agent.example" in page.text
    assert re.findall(r'name="tool-(\w+)" value="1"( checked)?', page.html) == [
        ("stock", " checked"), ("why", " checked"), ("propose", ""),
    ]  # fmt: skip
    assert page.headers["X-Frame-Options"] == "DENY"
    policy = page.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' https://agent.example;" in policy
    came, told = await scene.client.tap(page, tools=["stock", "report"])
    assert came.headers["Location"].startswith(f"{BACK}?code=")
    assert (told["state"], told["iss"]) == ("a state", scene.base)
    status, tokens = await scene.client.exchange(told["code"])
    assert (status, tokens["scope"], tokens["expires_in"]) == (200, "stock", 3600)
    scene.door.client.token = tokens["access_token"]
    whose = (await scene.door.client.get("/whoami")).body
    assert (whose["owner"], whose["scopes"]) == (BOSS, ["stock"])
    assert (await scene.door.client.ask("/order")).status == 403
    assert (await scene.door.client.ask("/stock SKU123")).status == 200


async def test_who_refuses_gives_nothing(scene: Scene) -> None:
    came, told = await scene.client.tap(await scene.client.ask(), "refuse")
    assert (came.status, told) == (303, {"error": "access_denied", "state": "a state", "iss": scene.base})
    came, told = await scene.client.tap(await scene.client.ask(), "allow", tools=())
    assert (came.status, told) == (200, {})
    assert await list_keys(scene.door.system.app.settings, datetime.now(UTC)) == [
        "there are no keys, so there is no API"
    ]


async def test_nobody_says_yes_without_a_login_or_from_elsewhere(scene: Scene) -> None:
    page = await scene.client.ask()
    for wrong in ({"form": ""}, {"form": "0" * 64}):
        came, told = await scene.client.tap(page, **wrong)
        assert (came.status, told) == (403, {})
    for headers in ({"Origin": "https://agent.example"}, {"Sec-Fetch-Site": "cross-site"}):
        fields = {"form": page.form_token, "decision": "allow", "tool-stock": "1", **scene.client.asked}
        came = await scene.browser.post("/oauth/authorize", fields, headers=headers, allow_redirects=False)
        assert (came.status, answered(came)) == (403, {})
    async with page_client(scene.base) as other:
        scene.client.browser = other
        assert (await scene.client.ask()).address.path == "/login"
        foreign = await other.log_in(KEEPER, scene.client.address())
        assert foreign.address.path == "/oauth/authorize"
        came, told = await scene.client.tap(foreign, form=page.form_token)
        assert (came.status, told) == (403, {}), "another's form is none of this session"


async def test_who_is_no_member_sees_no_page(open_system: OpenSystem) -> None:
    async with open_system() as system, opened(system) as door, scene_of(door) as scene:
        page = await scene.browser.log_in(OUTSIDER, scene.client.address())
        assert (page.status, page.address.path) == (403, "/login/callback")
        assert (await scene.client.ask()).address.path == "/login"


@each_row(
    "changes, error",
    [
        ({"client_id": ""}, ""),
        ({"client_id": "dgi_W10"}, ""),
        ({"client_id": "dgi_%%%"}, ""),
        ({"redirect_uri": ""}, ""),
        ({"redirect_uri": "https://evil.example/back"}, ""),
        ({"redirect_uri": f"{BACK}/"}, ""),
        ({"redirect_uri": f"{BACK}?x=1"}, ""),
        ({"redirect_uri": "https://agent.example:444/back"}, ""),
        ({"redirect_uri": "https://agent.example@evil.example/back"}, ""),
        ({"redirect_uri": "javascript:alert(1)"}, ""),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": ""}, "unsupported_response_type"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"resource": "https://elsewhere.example/mcp"}, "invalid_target"),
        ({"scope": "openid admin"}, "invalid_scope"),
        ({"state": "s" * 1001}, "invalid_request"),
    ],
)
async def test_a_wrong_request_sends_nobody_anywhere(changes: dict[str, str], error: str, scene: Scene) -> None:
    page = await scene.browser.get(scene.client.address(**changes), allow_redirects=False)
    assert (page.status, page.headers.get("Location")) == (400, None)
    assert "没有允许任何操作" in page.text
    back = re.search(r'<a href="([^"]+)" rel="noopener', page.html)
    assert (back is not None) == bool(error), "it leads back by a tap, where the address is the client's"
    if back is not None:
        assert unescape(back[1]).startswith(f"{BACK}?error={error}&")
    fields = {"form": await _form_token(scene), "decision": "allow", "tool-stock": "1", **scene.client.asked}
    came = await scene.browser.post("/oauth/authorize", fields, allow_redirects=False)
    assert (came.status, came.headers.get("Location")) == (400, None)


async def _form_token(scene: Scene) -> str:
    return (await scene.browser.get("/programs")).form_token


async def test_what_is_asked_twice_is_not_read(scene: Scene) -> None:
    page = await scene.browser.get(f"{scene.client.address()}&{urlencode({'redirect_uri': 'https://evil.example/'})}")
    assert page.status == 400
    status, told = await scene.client.send(
        "POST", "/oauth/token", data=[("grant_type", "refresh_token"), ("grant_type", "authorization_code")]
    )
    assert (status, told["error"]) == (400, "invalid_request")


@each_row(
    "registered, sent, takes",
    [
        ("http://127.0.0.1:3000/back", "http://127.0.0.1:4711/back", True),
        ("http://127.0.0.1/back", "http://127.0.0.1:4711/back", True),
        ("http://localhost:3000/back", "http://localhost:4711/back", True),
        ("http://[::1]:3000/back", "http://[::1]:4711/back", True),
        ("http://127.0.0.1:3000/back", "http://localhost:4711/back", False),
        ("http://127.0.0.1:3000/back", "http://127.0.0.1:4711/other", False),
        ("http://127.0.0.1:3000/back", "http://127.0.0.1:4711/back?next=x", False),
        ("http://127.0.0.1:3000/back", "https://127.0.0.1:4711/back", False),
        ("http://127.0.0.1:3000/back", "http://x@127.0.0.1:4711/back", False),
        ("https://a.example:3000/back", "https://a.example:4711/back", False),
    ],
)
async def test_on_this_machine_any_port_is_the_client_s(registered: str, sent: str, takes: bool) -> None:
    client = make_client({"redirect_uris": [registered]})
    assert client.takes(registered)
    assert client.takes(sent) is takes


@each_row(
    "said, error",
    [
        ([], "invalid_client_metadata"),
        ({}, "invalid_redirect_uri"),
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": "https://a.example/"}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://a.example/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://127.0.0.1.evil.example/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["cursor://x/y"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://a.example/#f"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://u:p@a.example/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://a.example\\@b.example/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://a.example/ b"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https:///back"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://a.example:x/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": [f"https://a.example/{'x' * 300}"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://a.example/"] * 11}, "invalid_redirect_uri"),
        ({"redirect_uris": [f"https://a.example/{'x' * 270}"] * 4}, "invalid_client_metadata"),
        ({"redirect_uris": ["https://a.example/"], "client_name": 7}, "invalid_client_metadata"),
    ],
)
async def test_a_client_says_where_it_may_be_answered(said: object, error: str, scene: Scene) -> None:
    status, told = await scene.client.send("POST", "/oauth/register", json=said)
    assert (status, told["error"]) == (400, error)


async def test_a_registration_is_json_of_a_bounded_length(scene: Scene) -> None:
    said = {"redirect_uris": [BACK], "client_name": "x" * 20_000}
    assert (await scene.client.send("POST", "/oauth/register", json=said))[0] == 413
    assert (await scene.client.send("POST", "/oauth/register", data=said))[0] == 400
    assert (
        await scene.client.send("POST", "/oauth/register", data=b"{", headers={"Content-Type": "application/json"})
    )[0] == 400


@each_row(
    "changes, error",
    [
        ({"client_id": "other"}, "invalid_grant"),
        ({"redirect_uri": "https://agent.example/other"}, "invalid_grant"),
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": CHALLENGE}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"client_id": ""}, "invalid_request"),
        ({"redirect_uri": ""}, "invalid_request"),
        ({"resource": "https://elsewhere.example/mcp"}, "invalid_target"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"code": "dgc_00000000_" + "a" * 43}, "invalid_grant"),
    ],
)
async def test_a_code_is_worth_nothing_to_others(changes: dict[str, str], error: str, scene: Scene) -> None:
    code = await scene.client.code()
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
    status, told = await scene.client.token(**(fields | changes))
    assert (status, told["error"]) == (400, error)


async def test_a_code_and_a_refresh_token_are_shown_once(scene: Scene) -> None:
    code = await scene.client.code()
    _, first = await scene.client.exchange(code)
    status, told = await scene.client.exchange(code)
    assert (status, told["error"]) == (400, "invalid_grant")
    assert await scene.status(first["access_token"]) != 200, "who shows it again ends what it gave"
    tokens = await scene.given()
    _, renewed = await scene.client.refresh(tokens["refresh_token"])
    assert await scene.status(renewed["access_token"]) == 200
    status, told = await scene.client.refresh(tokens["refresh_token"])
    assert (status, told["error"]) == (400, "invalid_grant")
    assert await scene.status(renewed["access_token"]) != 200
    assert (await scene.client.refresh(renewed["refresh_token"]))[0] == 400


async def test_a_refresh_token_opens_nothing_by_itself(scene: Scene) -> None:
    tokens = await scene.given()
    assert await scene.status(tokens["refresh_token"]) == 401


async def test_who_guesses_has_to_wait(scene: Scene) -> None:
    statuses = [(await scene.client.exchange("dgc_00000000_" + "a" * 43))[0] for _ in range(40)]
    assert statuses[0] == 400
    assert statuses[-1] == 429


async def test_a_client_gives_back_what_it_got(scene: Scene) -> None:
    tokens = await scene.given()
    sent = {"token": tokens["refresh_token"], "client_id": scene.client.id}
    assert (await scene.client.send("POST", "/oauth/revoke", data=sent))[0] == 200
    assert await scene.status(tokens["access_token"]) != 200
    assert (await scene.client.send("POST", "/oauth/revoke", data=sent))[0] == 200, "nobody learns what was there"
    assert (await scene.client.send("POST", "/oauth/revoke", data={"token": "x"}))[0] == 400


async def test_a_person_sees_what_asks_in_their_name_and_ends_it(scene: Scene) -> None:
    tokens = await scene.given()
    await scene.door.key(BOSS, "order")
    page = await scene.browser.get("/programs")
    assert "Agent" in page.text
    keys = re.findall(r'name="key" value="([0-9a-f]{8})"', page.html)
    assert tokens["access_token"][4:12] in keys
    async with page_client(scene.base) as other:
        seen = await other.log_in(KEEPER, "/programs")
        assert "Agent" not in seen.text
        refused = await other.post("/programs", {"form": seen.form_token, "key": keys[0]})
        assert refused.status == 404
    assert await scene.status(tokens["access_token"]) == 200
    for key in keys:
        page = await scene.browser.post("/programs", {"form": page.form_token, "key": key})
    assert "Agent" not in page.text
    assert await scene.status(tokens["access_token"]) != 200
    assert (await scene.client.refresh(tokens["refresh_token"]))[0] == 400


async def test_an_operator_ends_it_as_any_key(scene: Scene) -> None:
    tokens = await scene.given()
    await revoke_key(scene.door.system.app.settings, tokens["access_token"][4:12])
    assert await scene.status(tokens["access_token"]) != 200
    assert (await scene.client.refresh(tokens["refresh_token"]))[0] == 400


async def test_whoever_leaves_takes_their_agents_along(scene: Scene) -> None:
    async with page_client(scene.base) as browser:
        scene.client.browser = browser
        await browser.log_in(KEEPER)
        tokens, code = await scene.given(), await scene.client.code()
        await tell(scene.door.system, "user_leave_org", {"userId": [KEEPER]})
        assert await scene.status(tokens["access_token"]) != 200
        assert (await scene.client.refresh(tokens["refresh_token"]))[0] == 400
        assert (await scene.client.exchange(code))[0] == 400
        assert (await scene.client.ask()).address.path == "/login"


async def test_a_token_is_good_for_an_hour(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.access.agent_grants.TOKEN_LASTS", timedelta(0))
    tokens = await scene.given()
    assert await scene.status(tokens["access_token"]) != 200
    monkeypatch.undo()
    _, renewed = await scene.client.refresh(tokens["refresh_token"])
    assert await scene.status(renewed["access_token"]) == 200


async def test_a_token_for_another_address_is_no_token(
    open_system: OpenSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = api_parts.ApiKeys

    def elsewhere(*given: object, **more: object) -> object:
        return keys(*given, **{**more, "resource": "https://elsewhere.example/mcp"})  # type: ignore[arg-type]

    monkeypatch.setattr(api_parts, "ApiKeys", elsewhere)
    async with open_system() as system, opened(system) as door, scene_of(door) as scene:
        await scene.browser.log_in(BOSS)
        tokens = await scene.given()
        assert await scene.status(tokens["access_token"]) == 401
        await door.key()
        assert (await door.client.get("/whoami")).status == 200, "a key is for no address"
