"""What is asked of ``connections/open``, by which way, and that no secret of it is ever told."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from dingtalk_stream import Credential
from structlog.testing import capture_logs

from bot.dingtalk.errors import DingTalkAuthFailed
from bot.dingtalk.gateway import StreamGateway, StreamOpenFailed
from bot.dingtalk.stream_policy import StreamPolicy

from .gateway_double import BOT, TICKET, GatewayDouble, answer, cut_off, hang
from .stream_parts import SECRET, Recorder, on, streaming


async def test_the_call_is_what_the_gateway_expects() -> None:
    async with streaming(on(BOT, Recorder()), local_ip="192.0.2.7", user_agent="ours/1") as stream:
        link = await stream.link()

        assert stream.gateway.opens == [
            {
                "clientId": "app-key",
                "clientSecret": SECRET,
                "subscriptions": [{"type": "CALLBACK", "topic": BOT}],
                "ua": stream.gateway.opens[0]["ua"],
                "localIp": "192.0.2.7",
            }
        ]
        assert stream.gateway.opens[0]["ua"].endswith("-union")
        headers = stream.gateway.open_headers[0]
        assert (headers["Accept"], headers["Content-Type"]) == ("application/json", "application/json")
        assert headers["User-Agent"] == "ours/1"
        assert link.ticket == TICKET, "whatever the ticket holds arrives as it is"


@asynccontextmanager
async def context(double: GatewayDouble, **changes: Any) -> AsyncIterator[StreamGateway]:
    async with double.serving(), aiohttp.ClientSession() as session:
        fixed = {"endpoint": double.url, "proxy": None, "user_agent": "x", "local_ip": "", "policy": StreamPolicy()}
        yield StreamGateway(Credential(" app-key ", f"\t{SECRET}\n"), session=session, **fixed | changes)


async def test_blanks_around_pasted_keys_are_cut_off() -> None:
    double = GatewayDouble()
    async with context(double) as gateway:
        await (await gateway.open(())).close()

    assert (double.opens[0]["clientId"], double.opens[0]["clientSecret"]) == ("app-key", SECRET)


def by(endpoint: str) -> Any:
    return answer(200, {"endpoint": endpoint, "ticket": TICKET})


@pytest.mark.parametrize(
    ("opening", "error", "outcome"),
    [
        (answer(401, {"code": "authFailed"}), DingTalkAuthFailed, "auth_failed"),
        (answer(401, "<html>", "text/html"), DingTalkAuthFailed, "auth_failed"),
        (answer(403, {"code": "authFailed"}), DingTalkAuthFailed, "auth_failed"),
        (answer(400, {"code": 17}), StreamOpenFailed, "refused"),
        (answer(400, "<html>", "text/html"), StreamOpenFailed, "refused"),
        (answer(200, "<html>", "text/html"), StreamOpenFailed, "refused"),
        (answer(200, "x" * 1_000_000, "text/plain"), StreamOpenFailed, "refused"),
        (answer(503, "\x00ÿ", "text/plain"), StreamOpenFailed, "refused"),
        (by("wss://"), StreamOpenFailed, "refused"),
        (by("ftp://host/connect"), StreamOpenFailed, "refused"),
        (by("ws://127.0.0.1:1/connect"), StreamOpenFailed, "network"),
        (by("ws://127.0.0.1:1/connect?a=b"), StreamOpenFailed, "network"),
        (hang, StreamOpenFailed, "timeout"),
        (cut_off, StreamOpenFailed, "network"),
    ],
)
async def test_every_failure_has_a_name_and_tells_no_secret(
    opening: Any, error: type[Exception], outcome: str, caplog: pytest.LogCaptureFixture
) -> None:
    double = GatewayDouble()
    double.script.append(opening)
    caplog.set_level(logging.DEBUG)
    async with context(double, policy=StreamPolicy(open_timeout=0.2)) as gateway:
        with pytest.raises(error) as caught:
            await gateway.open(())

    assert getattr(caught.value, "outcome", "") == outcome
    told = f"{caught.value!r} {caught.value.__cause__!r} {caplog.text}"
    assert SECRET not in told
    assert "t/ick" not in told
    assert "t%2Fick" not in told


async def test_a_handshake_that_is_refused_tells_no_ticket() -> None:
    double = GatewayDouble()
    double.handshake_status = 403
    async with context(double) as gateway:
        with pytest.raises(StreamOpenFailed) as caught:
            await gateway.open(())

    assert (caught.value.outcome, str(caught.value)) == ("handshake", "WebSocket refused with status 403")
    assert caught.value.__cause__ is None


async def test_an_endpoint_with_a_query_keeps_it() -> None:
    double = GatewayDouble()
    async with context(double) as gateway:
        double.script.append(by(f"{double.url.replace('http', 'ws', 1)}/connect?region=union"))
        socket = await gateway.open(())
        link = await double.link()
        await socket.close()

    assert link.ticket == TICKET


async def test_nothing_is_sent_after_a_redirect() -> None:
    double = GatewayDouble()
    elsewhere = GatewayDouble()
    async with elsewhere.serving(), context(double) as gateway:

        async def redirect(_request: web.Request) -> web.StreamResponse:
            raise web.HTTPTemporaryRedirect(f"{elsewhere.url}/v1.0/gateway/connections/open")

        double.script.append(redirect)
        with pytest.raises(StreamOpenFailed):
            await gateway.open(())

    assert elsewhere.opens == []


async def test_the_whole_life_of_a_connection_logs_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    double = GatewayDouble()
    double.script.extend([answer(503, ""), answer(401, {"code": "authFailed"})])
    with capture_logs() as logs:
        async with streaming(on(BOT, Recorder()), gateway=double) as stream:
            link = await stream.link()
            await link.close()
            await stream.link()

    told = repr(logs) + caplog.text
    assert len(logs) >= 5
    assert not [secret for secret in (SECRET, TICKET, "ick%2B", "sessionWebhook") if secret in told]


async def test_one_explicit_proxy_serves_http_and_websocket() -> None:
    """The proxy is asked for the HTTP call as a whole address, for the WebSocket too (a tunnel would be for wss)."""
    asked: list[str] = []

    async def proxy(request: web.Request) -> web.StreamResponse:
        asked.append(f"{request.method} {request.url.host} {request.path}")
        return web.json_response({"endpoint": "ws://gateway.test/connect", "ticket": "t"})

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", proxy)
    server = TestServer(app)
    await server.start_server()
    async with context(GatewayDouble(), endpoint="http://api.test", proxy=str(server.make_url(""))) as gateway:
        with pytest.raises(StreamOpenFailed, match="WebSocket refused with status 200"):
            await gateway.open(())
    await server.close()

    assert asked == ["POST api.test /v1.0/gateway/connections/open", "GET gateway.test /connect"]


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "WS_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    double = GatewayDouble()
    async with context(double) as gateway:
        await (await gateway.open(())).close()

    assert len(double.opens) == 1
