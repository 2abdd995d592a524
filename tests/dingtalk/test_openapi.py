from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from bot.dingtalk.apis import CREATE_AND_DELIVER, GROUP_SEND, SESSION_WEBHOOK, USER, Endpoints
from bot.dingtalk.errors import (
    DingTalkAuthFailed,
    DingTalkOutcomeUnknown,
    DingTalkQuotaExhausted,
    DingTalkRateLimited,
    DingTalkRefused,
    DingTalkTokenExpired,
    DingTalkUnavailable,
)
from bot.dingtalk.openapi import ApiRates, ApiRetryPolicy, OpenApi, pooled_session
from bot.mechanisms.metrics import Metrics
from tests.dingtalk.conftest import CREATE_URL, GROUP_URL, KEYS, OAPI, TOKEN_URL, WEBHOOK_URL, FakeDingTalk, Run

USER_URL = f"{OAPI}/topapi/v2/user/get"
OK = {"success": True, "result": {}}
QPS = {"code": "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", "message": "qps", "requestid": "r"}
STALE = {"code": "InvalidAuthentication", "message": "不合法的access_token", "requestid": "r"}


def calls(metrics: Metrics, api: str, outcome: str) -> float:
    return metrics.registry.get_sample_value("dingerp_api_calls_total", {"api": api, "outcome": outcome}) or 0.0


# --- against queued answers -------------------------------------------------------------------------------------


async def test_the_new_api_takes_its_token_in_a_header(dingtalk: FakeDingTalk, api: OpenApi, metrics: Metrics) -> None:
    dingtalk.token()
    dingtalk.post(CREATE_URL, payload=OK)
    assert await api.call(CREATE_AND_DELIVER, {"outTrackId": "t"}) == OK
    [asked] = dingtalk.asked(CREATE_URL)
    assert asked["headers"]["x-acs-dingtalk-access-token"] == "token-1"
    assert asked["headers"]["Accept"] == "application/json"
    assert asked["data"] == b'{"outTrackId":"t"}'
    assert dingtalk.asked(TOKEN_URL)[0]["data"] == b'{"appKey":"dingappkey0001","appSecret":"app-secret"}'
    assert calls(metrics, "create_and_deliver", "ok") == calls(metrics, "access_token", "ok") == 1


async def test_the_old_api_takes_its_token_in_the_query(dingtalk: FakeDingTalk, api: OpenApi) -> None:
    dingtalk.token("to/ken+1")
    dingtalk.post(f"{USER_URL}?access_token=to/ken%2B1", payload={"errcode": 0})
    await api.call(USER, {"userid": "u"})
    [asked] = dingtalk.asked(USER_URL)
    assert "x-acs-dingtalk-access-token" not in asked["headers"]


@pytest.mark.parametrize("status", [400, 401])
async def test_an_expired_token_is_renewed_once(dingtalk: FakeDingTalk, api: OpenApi, status: int) -> None:
    dingtalk.token("old")
    dingtalk.token("new")
    dingtalk.post(GROUP_URL, status=status, payload=STALE)
    dingtalk.post(GROUP_URL, payload={"processQueryKey": "k"})
    await api.call(GROUP_SEND, {})
    assert [asked["headers"]["x-acs-dingtalk-access-token"] for asked in dingtalk.asked(GROUP_URL)] == ["old", "new"]


async def test_a_token_refused_twice_is_an_error(dingtalk: FakeDingTalk, api: OpenApi) -> None:
    dingtalk.token(repeat=True)
    dingtalk.post(GROUP_URL, status=400, payload=STALE, repeat=True)
    with pytest.raises(DingTalkTokenExpired):
        await api.call(GROUP_SEND, {})
    assert len(dingtalk.asked(GROUP_URL)) == 2


async def test_many_calls_with_an_expired_token_fetch_one_new_token(dingtalk: FakeDingTalk, api: OpenApi) -> None:
    dingtalk.token("old")
    dingtalk.token("new")
    for _ in range(10):
        dingtalk.post(GROUP_URL, status=400, payload=STALE)
    dingtalk.post(GROUP_URL, payload={}, repeat=True)
    await asyncio.gather(*(api.call(GROUP_SEND, {}) for _ in range(10)))
    assert len(dingtalk.asked(TOKEN_URL)) == 2
    assert len(dingtalk.asked(GROUP_URL)) == 20


async def test_wrong_keys_are_told_and_not_tried_again(dingtalk: FakeDingTalk, api: OpenApi) -> None:
    dingtalk.post(TOKEN_URL, status=400, payload={"code": "invalidClientIdOrSecret", "message": "bad"}, repeat=True)
    for _ in range(5):
        with pytest.raises(DingTalkAuthFailed, match="invalidClientIdOrSecret"):
            await api.call(GROUP_SEND, {})
    assert len(dingtalk.asked(TOKEN_URL)) == 1
    assert not dingtalk.asked(GROUP_URL)


async def test_no_token_means_that_the_call_did_not_happen(dingtalk: FakeDingTalk, api: OpenApi) -> None:
    dingtalk.post(TOKEN_URL, exception=TimeoutError(), repeat=True)
    with pytest.raises(DingTalkUnavailable, match="no access token"):
        await api.call(GROUP_SEND, {})
    assert not dingtalk.asked(GROUP_URL)


def test_rate_limits_are_waited_out(dingtalk: FakeDingTalk, virtual: Run, metrics: Metrics) -> None:
    async def scenario() -> float:
        async with pooled_session() as session:
            api = OpenApi(session, KEYS, metrics=metrics)
            dingtalk.token()
            for _ in range(3):
                dingtalk.post(CREATE_URL, status=403, payload=QPS)
            dingtalk.post(CREATE_URL, payload=OK)
            await api.call(CREATE_AND_DELIVER, {})
            return asyncio.get_running_loop().time() - 1000

    assert 3.0 <= virtual(scenario()) < 3.5
    assert calls(metrics, "create_and_deliver", "rate_limited") == 3
    assert calls(metrics, "create_and_deliver", "ok") == 1


def test_a_rate_limit_without_end_becomes_an_error(dingtalk: FakeDingTalk, virtual: Run, metrics: Metrics) -> None:
    async def scenario() -> float:
        async with pooled_session() as session:
            api = OpenApi(session, KEYS, metrics=metrics)
            dingtalk.token()
            dingtalk.post(CREATE_URL, status=403, payload=QPS, repeat=True)
            with pytest.raises(DingTalkRateLimited):
                await api.call(CREATE_AND_DELIVER, {})
            return asyncio.get_running_loop().time() - 1000

    assert 28 < virtual(scenario()) <= 30


def test_a_queue_longer_than_the_patience_is_an_error(dingtalk: FakeDingTalk, virtual: Run, metrics: Metrics) -> None:
    async def scenario() -> tuple[int, int]:
        async with pooled_session() as session:
            api = OpenApi(session, KEYS, metrics=metrics, patience=ApiRetryPolicy(overall=5), rates=ApiRates(default=2))
            dingtalk.token()
            dingtalk.post(CREATE_URL, payload=OK, repeat=True)
            outcomes = await asyncio.gather(
                *(api.call(CREATE_AND_DELIVER, {}) for _ in range(20)), return_exceptions=True
            )
            late = [outcome for outcome in outcomes if isinstance(outcome, DingTalkRateLimited)]
            return len(late), len(outcomes) - len(late)

    late, sent = virtual(scenario())
    assert (late, sent) == (10, 10)


async def test_an_exhausted_month_is_not_repeated(dingtalk: FakeDingTalk, api: OpenApi) -> None:
    dingtalk.token()
    code = "Forbidden.AccessDenied.ApiCountLimitForOrg"
    dingtalk.post(CREATE_URL, status=403, payload={"code": code, "message": "", "requestid": ""}, repeat=True)
    with pytest.raises(DingTalkQuotaExhausted):
        await api.call(CREATE_AND_DELIVER, {})
    assert len(dingtalk.asked(CREATE_URL)) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        {"exception": TimeoutError()},
        {"exception": aiohttp.ServerDisconnectedError()},
        {"exception": ConnectionResetError()},
        {"status": 500, "payload": {"code": "unknownError"}},
        {"status": 502, "body": "<html>bad gateway</html>"},
        {"status": 200, "body": "<html>odd</html>"},
    ],
    ids=repr,
)
async def test_after_an_unknown_outcome_only_calls_with_an_identity_are_repeated(
    dingtalk: FakeDingTalk, api: OpenApi, trouble: dict[str, Any]
) -> None:
    dingtalk.token()
    for url in (CREATE_URL, GROUP_URL):
        dingtalk.post(url, **trouble)
        dingtalk.post(url, payload=OK)
    assert await api.call(CREATE_AND_DELIVER, {}) == OK
    with pytest.raises(DingTalkOutcomeUnknown):
        await api.call(GROUP_SEND, {})
    assert len(dingtalk.asked(CREATE_URL)) == 2
    assert len(dingtalk.asked(GROUP_URL)) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        {"exception": aiohttp.ConnectionTimeoutError()},
        {"exception": aiohttp.ClientConnectorError(None, OSError("refused"))},
        {"status": 500, "payload": {"code": "system.busy"}},
        {"status": 503, "body": "<html>maintenance</html>"},
    ],
    ids=repr,
)
async def test_what_certainly_did_not_happen_is_repeated_for_every_call(
    dingtalk: FakeDingTalk, api: OpenApi, trouble: dict[str, Any]
) -> None:
    dingtalk.token()
    dingtalk.post(GROUP_URL, **trouble)
    dingtalk.post(GROUP_URL, payload=OK)
    assert await api.call(GROUP_SEND, {}) == OK


@pytest.mark.parametrize(
    "second",
    [
        {"exception": aiohttp.ConnectionTimeoutError(), "repeat": True},
        {"status": 403, "payload": {"code": "Forbidden.AccessDenied.ApiCountLimitForOrg"}},
    ],
    ids=repr,
)
async def test_a_doubt_is_not_forgotten(dingtalk: FakeDingTalk, api: OpenApi, second: dict[str, Any]) -> None:
    dingtalk.token()
    dingtalk.post(CREATE_URL, exception=TimeoutError())
    dingtalk.post(CREATE_URL, **second)
    with pytest.raises(DingTalkOutcomeUnknown, match="no answer"):
        await api.call(CREATE_AND_DELIVER, {})


async def test_a_refusal_ends_a_doubt(dingtalk: FakeDingTalk, api: OpenApi) -> None:
    dingtalk.token()
    dingtalk.post(CREATE_URL, exception=TimeoutError())
    dingtalk.post(CREATE_URL, status=400, payload={"code": "param.templateUnpublished"})
    with pytest.raises(DingTalkRefused):
        await api.call(CREATE_AND_DELIVER, {})


async def test_three_failures_are_enough(dingtalk: FakeDingTalk, api: OpenApi, metrics: Metrics) -> None:
    dingtalk.token()
    dingtalk.post(CREATE_URL, exception=TimeoutError(), repeat=True)
    with pytest.raises(DingTalkOutcomeUnknown, match="no answer within 10 s"):
        await api.call(CREATE_AND_DELIVER, {})
    assert len(dingtalk.asked(CREATE_URL)) == 3
    assert calls(metrics, "create_and_deliver", "timeout") == 3


def test_waits_between_repetitions_grow_and_are_drawn(dingtalk: FakeDingTalk, virtual: Run, metrics: Metrics) -> None:
    async def scenario() -> float:
        async with pooled_session() as session:
            api = OpenApi(session, KEYS, metrics=metrics, draw=lambda: 1.0)
            dingtalk.token()
            dingtalk.post(CREATE_URL, exception=TimeoutError(), repeat=True)
            with pytest.raises(DingTalkOutcomeUnknown):
                await api.call(CREATE_AND_DELIVER, {})
            return asyncio.get_running_loop().time() - 1000

    assert virtual(scenario()) == pytest.approx(0.5 + 1.0, abs=0.05)


async def test_a_webhook_is_called_without_a_token_and_stays_secret(dingtalk: FakeDingTalk, api: OpenApi) -> None:
    dingtalk.post(WEBHOOK_URL, payload={"errcode": -1, "errmsg": "busy"})
    dingtalk.post(WEBHOOK_URL, payload={"errcode": 300001, "errmsg": "session 0f1e2d3c 不存在"})
    with capture_logs() as logs, pytest.raises(DingTalkRefused) as caught:
        await api.call(SESSION_WEBHOOK, {}, address=WEBHOOK_URL)
    assert not dingtalk.asked(TOKEN_URL)
    assert "0f1e2d3c" not in caught.value.detail + str(logs)
    assert len(logs) == 1


@pytest.mark.parametrize("address", ["ftp://x/secret", "no address secret", "https://:secret@/"])
async def test_a_broken_address_is_refused_and_not_repeated(api: OpenApi, address: str) -> None:
    with pytest.raises(DingTalkRefused) as caught:
        await api.call(SESSION_WEBHOOK, {}, address=address)
    assert "secret" not in caught.value.detail
    assert caught.value.__cause__ is None


async def test_logs_hold_neither_token_nor_secret(dingtalk: FakeDingTalk, api: OpenApi) -> None:
    dingtalk.token("old-token")
    dingtalk.token("new-token")
    dingtalk.post(GROUP_URL, status=400, payload=STALE)
    dingtalk.post(GROUP_URL, exception=aiohttp.ConnectionTimeoutError())
    dingtalk.post(GROUP_URL, payload=OK)
    with capture_logs() as logs:
        await api.call(GROUP_SEND, {"msgParam": "price 99.50"})
    assert [line["why"] for line in logs] == ["token_expired", "unavailable"]
    assert not any(word in str(logs) for word in ("old-token", "new-token", "app-secret", "99.50"))
    assert "app-secret" not in repr(api.keys)


# --- against a server on this machine ---------------------------------------------------------------------------

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class FakePlatform:
    """A server whose one answer to all calls but the token's a test writes itself."""

    endpoints: Endpoints = field(default_factory=Endpoints)
    seen: list[dict[str, Any]] = field(default_factory=list)
    answer: Handler | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/v1.0/oauth2/accessToken":
            return web.json_response({"accessToken": "t", "expireIn": 7200})
        self.seen.append(await request.json())
        assert self.answer is not None
        return await self.answer(request)


@pytest.fixture
async def platform() -> AsyncIterator[FakePlatform]:
    platform = FakePlatform()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", platform.handle)
    async with TestServer(app) as server:
        base = str(server.make_url("/")).rstrip("/")
        platform.endpoints = Endpoints(api=base, oapi=base)
        yield platform


async def test_a_burst_keeps_within_dingtalks_limit(platform: FakePlatform, metrics: Metrics) -> None:
    """Against a server that counts as DingTalk does; 200 calls, their order and a jumping clock are in test_rate."""
    arrivals: list[float] = []
    refused = 0

    async def limit(request: web.Request) -> web.Response:
        nonlocal refused
        now = asyncio.get_running_loop().time()
        if len(arrivals) >= 20 and now - arrivals[-20] < 1.0:
            refused += 1
            return web.json_response(QPS, status=403)
        arrivals.append(now)
        return web.json_response(OK)

    platform.answer = limit
    async with pooled_session() as session:
        api = OpenApi(session, KEYS, metrics=metrics, endpoints=platform.endpoints)
        async with asyncio.TaskGroup() as group:
            for number in range(50):
                group.create_task(api.call(CREATE_AND_DELIVER, {"outTrackId": number}))
                await asyncio.sleep(0.01)
    assert refused <= 2  # a machine that stalls may push two calls together; they are sent again
    assert {body["outTrackId"] for body in platform.seen} == set(range(50))
    assert len(arrivals) == 50
    assert 2.5 < arrivals[-1] - arrivals[0] < 6


async def test_a_server_stricter_than_expected_still_gets_every_call_once(
    platform: FakePlatform, metrics: Metrics
) -> None:
    served: list[int] = []

    async def limit(request: web.Request) -> web.Response:
        if len(platform.seen) % 4 == 1:
            return web.json_response({"status": 1111, "wait": 0.05, "punish": "deny"})
        served.append(platform.seen[-1]["outTrackId"])
        return web.json_response(OK)

    platform.answer = limit
    async with pooled_session() as session:
        api = OpenApi(session, KEYS, metrics=metrics, endpoints=platform.endpoints, rates=ApiRates(default=1000))
        await asyncio.gather(*(api.call(CREATE_AND_DELIVER, {"outTrackId": number}) for number in range(60)))
    assert sorted(served) == list(range(60))


async def test_a_slow_answer_ends_in_time(platform: FakePlatform, metrics: Metrics) -> None:
    release = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        await release.wait()
        return web.json_response(OK)

    platform.answer = hang
    async with pooled_session() as session:
        patience = ApiRetryPolicy(per_try=0.05, backoff=0.001)
        api = OpenApi(session, KEYS, metrics=metrics, endpoints=platform.endpoints, patience=patience)
        with pytest.raises(DingTalkOutcomeUnknown):
            await api.call(CREATE_AND_DELIVER, {})
        release.set()
    assert len(platform.seen) == 3


async def test_a_connection_cut_in_the_middle_is_an_unknown_outcome(platform: FakePlatform, metrics: Metrics) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b'{"proc')
        assert request.transport is not None
        request.transport.abort()
        return response

    platform.answer = cut
    async with pooled_session() as session:
        api = OpenApi(session, KEYS, metrics=metrics, endpoints=platform.endpoints)
        with pytest.raises(DingTalkOutcomeUnknown):
            await api.call(GROUP_SEND, {})
    assert len(platform.seen) == 1


async def test_an_answer_that_is_not_even_http_hides_the_address(metrics: Metrics) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 what\r\n\r\n")
        writer.close()

    key = "-".join(("0f1e", "2d3c"))  # so that the traceback's own line does not show it
    server = await asyncio.start_server(babble, "127.0.0.1")
    async with server, pooled_session() as session:
        host, port = server.sockets[0].getsockname()[:2]
        api = OpenApi(session, KEYS, metrics=metrics)
        with pytest.raises(DingTalkOutcomeUnknown) as caught:
            await api.call(SESSION_WEBHOOK, {}, address=f"http://{host}:{port}/robot?session={key}")
    assert key not in "".join(traceback.format_exception(caught.value))


async def test_nobody_there(metrics: Metrics, unused_tcp_port: int) -> None:
    nowhere = Endpoints(api=f"http://127.0.0.1:{unused_tcp_port}")
    async with pooled_session() as session:
        api = OpenApi(session, KEYS, metrics=metrics, endpoints=nowhere, draw=lambda: 0.0)
        with pytest.raises(DingTalkUnavailable):
            await api.call(GROUP_SEND, {})


async def test_an_explicit_proxy_is_used(platform: FakePlatform, metrics: Metrics) -> None:
    async def ok(request: web.Request) -> web.Response:
        return web.json_response({**OK, "host": request.host})

    platform.answer = ok
    async with pooled_session(proxy=platform.endpoints.api) as session:
        api = OpenApi(session, KEYS, metrics=metrics, endpoints=Endpoints(api="http://dingtalk.invalid"))
        answer = await api.call(CREATE_AND_DELIVER, {})
    assert answer["host"] == "dingtalk.invalid"


async def test_redirects_are_not_followed_with_a_token(platform: FakePlatform, metrics: Metrics) -> None:
    async def elsewhere(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "http://127.0.0.1:1/steal"})

    platform.answer = elsewhere
    async with pooled_session() as session:
        api = OpenApi(session, KEYS, metrics=metrics, endpoints=platform.endpoints)
        with pytest.raises(DingTalkOutcomeUnknown):
            await api.call(GROUP_SEND, {})
