"""The transport to DingTalk: one pooled session with tokens, rate limits, retries and metrics for every call."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

import aiohttp
import orjson
import structlog
from prometheus_client import Counter, Histogram
from yarl import URL

from bot.dingtalk.apis import ACCESS_TOKEN, ApiCall, AppKeys, Endpoints, Host
from bot.dingtalk.call_troubles import ApiTries, CallTrouble, find_troubles
from bot.dingtalk.downloads import choose_source, open_outside
from bot.dingtalk.envelope import read_answer
from bot.dingtalk.errors import (
    DingTalkError,
    DingTalkNoAnswer,
    DingTalkNoToken,
    DingTalkOutcomeUnknown,
    DingTalkQuotaExhausted,
    DingTalkRateLimited,
    DingTalkRefused,
    DingTalkTokenExpired,
    DingTalkTooLarge,
    DingTalkUnavailable,
)
from bot.dingtalk.quota import MonthlyMeter
from bot.dingtalk.rate_limit import SlidingWindowLimiter
from bot.dingtalk.refusals import SECOND
from bot.dingtalk.tokens import AccessTokenGrant, AccessTokens
from bot.mechanisms.backoff import BackoffPolicy
from bot.mechanisms.metrics import Metrics
from bot.mechanisms.time_limit import TimeLimit
from bot.outbox.spending import Purpose, Quota, current_spending

_log = structlog.get_logger(__name__)

_TOKEN_HEADER = "x-acs-dingtalk-access-token"  # noqa: S105 - a header's name

_UNSENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)
"""Failures in which DingTalk certainly did not receive the call."""

_BAD_ADDRESS = (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError)

_WITH_ADDRESS = (*_BAD_ADDRESS, aiohttp.ClientResponseError)
"""Failures that contain the whole address, which may be a key: they must not be chained."""

_FREE = frozenset(
    kind.outcome for kind in (DingTalkRateLimited, DingTalkQuotaExhausted, DingTalkUnavailable, DingTalkTokenExpired)
)
"""Outcomes of attempts that do not count against the month: DingTalk did not process them.

A rejected token does not even identify the month.
"""

_OK = "ok"

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRetryPolicy:
    """The time limits of a call, in seconds.

    ``overall`` bounds waiting and all retries; an attempt started in time may finish. DingTalk's own services give up
    after about 3 s (docs: platform/dingtalk/openapi.md#timeouts), so ``per_try`` is ample.
    """

    per_try: float = 10.0
    connect: float = 5.0
    overall: float = 30.0
    tries: int = 3
    backoff: float = 0.5
    """The first wait is drawn from 0 to this, the second from 0 to twice as much, and so on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRates:
    """Calls per second. ``default`` overrides the rate of each `ApiCall`; ``by_api``, by name, overrides both."""

    default: float | None = None
    by_api: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, api: ApiCall) -> float:
        """Return the calls per second of one API."""
        return self.by_api.get(api.name, self.default or api.qps)


def pooled_session(*, proxy: str | None = None, connections: int = 100) -> aiohttp.ClientSession:
    """Return a session for `OpenApi`; create and close it inside the event loop.

    Only this proxy is used, never one from the environment, so that HTTP and the stream take the same route.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections, keepalive_timeout=30.0),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        proxy=proxy,
    )


class _ApiState:
    """The address, the rate limit and the metrics of one API."""

    def __init__(self, api: ApiCall, base: str, rate: float, metrics: Metrics) -> None:
        self.api = api
        self.url = URL(base + api.path)
        self.bucket = SlidingWindowLimiter(rate)
        self.seconds: Histogram = metrics.api_seconds.labels(api.name)
        self.tries = ApiTries()
        self._calls = metrics.api_calls
        self._outcomes: dict[str, Counter] = {}

    def record(self, outcome: str, seconds: float) -> None:
        counter = self._outcomes.get(outcome)
        if counter is None:
            counter = self._outcomes[outcome] = self._calls.labels(self.api.name, outcome)
        counter.inc()
        self.seconds.observe(seconds)
        self.tries.note(outcome, time.monotonic())


@dataclass(slots=True)
class _CallState:
    """The progress of one call. ``doubt`` is set once an attempt may have succeeded."""

    deadline: float
    turn: int | None = None
    failures: int = 0
    renewed: bool = False
    doubt: DingTalkOutcomeUnknown | None = None


class OpenApi:
    """Calls DingTalk's two API families and its webhooks.

    A call waits for its turn, renews an expired token once, and waits out rate limits. It is repeated if it certainly
    did not happen, or if a repeat is harmless. ``draw`` returns numbers from 0 to 1 for jitter.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        keys: AppKeys,
        *,
        metrics: Metrics,
        endpoints: Endpoints | None = None,
        meter: MonthlyMeter | None = None,
        patience: ApiRetryPolicy | None = None,
        rates: ApiRates | None = None,
        proxy: str | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """``proxy`` is that of ``session``, for files from other hosts."""
        self.keys = keys
        self.tokens = AccessTokens(self._fetch_token)
        self._session = session
        self._proxy = proxy
        self._endpoints = endpoints or Endpoints()
        self._metrics = metrics
        self._meter = meter
        self._patience = patience or ApiRetryPolicy()
        self._rates = rates or ApiRates()
        self._draw = draw
        self._backoff = BackoffPolicy(first=self._patience.backoff, spread=(0.0, 1.0))
        self._limit = TimeLimit(self._patience.per_try)
        # Our own limit bounds the whole attempt and costs less than an aiohttp timer for each.
        self._timeout = aiohttp.ClientTimeout(
            total=None, connect=self._patience.connect, sock_connect=self._patience.connect
        )
        self._lanes: dict[str, _ApiState] = {}

    @property
    def troubles(self) -> Mapping[str, CallTrouble]:
        """The failing APIs by name."""
        return find_troubles({name: lane.tries for name, lane in self._lanes.items()}, time.monotonic())

    async def call(
        self,
        api: ApiCall,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        form: Callable[[], aiohttp.FormData] | None = None,
        address: str = "",
        user_token: str = "",
    ) -> dict[str, Any]:
        """Make one call and return its decoded answer.

        ``form`` builds a multipart body in place of ``body``, anew for each attempt. ``address`` is the full URL of a
        webhook. ``user_token`` asks in a person's name, where a call needs no token of the app. Raises a
        `DingTalkError`; a call that may have happened and must not be repeated ends in `DingTalkOutcomeUnknown`.
        """
        payload = None if body is None else orjson.dumps(body)

        async def send(lane: _ApiState, token: str) -> dict[str, Any]:
            url, headers = self._label(lane, user_token or token, query, address)
            if payload is not None:
                headers["Content-Type"] = "application/json"
            # All calls of this turn of the loop are prepared before the first is sent: repeated work finds its code in
            # the processor's caches (5 % more answers, measured).
            await asyncio.sleep(0)
            response = await self._session.request(
                api.method,
                url,
                data=payload if form is None else form(),
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
            )
            # An answer read to its end returns its connection to the pool; one that cannot be read closes it.
            return read_answer(api, response.status, await response.read(), client_id=self.keys.client_id)

        return await self._persist(api, send)

    async def fetch(self, api: ApiCall, address: str, *, limit: int) -> bytes:
        """Return the bytes at ``address``, which may be on any public host; redirects are not followed.

        Raises `DingTalkTooLarge` beyond ``limit`` bytes, and other `DingTalkError`.
        """
        url, configured = choose_source(api.name, address, self._endpoints)

        async def send(lane: _ApiState, token: str) -> bytes:
            if configured:
                return await self._download(self._session, api, url, limit)
            async with await open_outside(self._proxy, url) as session:
                return await self._download(session, api, url, limit)

        return await self._persist(api, send)

    async def _download(self, session: aiohttp.ClientSession, api: ApiCall, url: URL, limit: int) -> bytes:
        async with session.request(api.method, url, timeout=self._timeout, allow_redirects=False) as response:
            if response.status >= 500:
                raise DingTalkUnavailable(f"{api.name}: HTTP {response.status}")
            if response.status != 200:
                raise DingTalkRefused(f"{api.name}: HTTP {response.status}")
            content = bytearray()
            async for chunk in response.content.iter_any():
                content += chunk
                if len(content) > limit:
                    raise DingTalkTooLarge(f"{api.name}: more than {limit} bytes")
            return bytes(content)

    async def _persist(self, api: ApiCall, send: Callable[[_ApiState, str], Awaitable[_Answer]]) -> _Answer:
        """Repeat until the call succeeds, a repeat would be wrong, or the time is over."""
        lane = self._lanes.get(api.name) or self._open_lane(api)
        course = _CallState(asyncio.get_running_loop().time() + self._patience.overall)
        while True:
            try:
                # Before the turn, as calls waiting for the same token would all go out together.
                token = (self.tokens.ready() or await self._token(api, course)) if api.token else ""
                await self._take_turn(lane, course)
                return await self._try(lane, send, token)
            except DingTalkRefused:
                raise
            except DingTalkError as trouble:
                if isinstance(trouble, DingTalkTokenExpired):
                    self.tokens.drop(token)
                wait = self._next_wait(lane, trouble, course)
                if wait is not None:
                    _log.info("dingtalk_repeats", api=api.name, why=trouble.outcome, code=trouble.code, wait=wait)
                    await asyncio.sleep(wait)
                elif course.doubt is None or course.doubt is trouble:
                    raise
                else:
                    # An earlier attempt may have succeeded, whatever the last error.
                    raise course.doubt from trouble

    def _next_wait(self, lane: _ApiState, trouble: DingTalkError, course: _CallState) -> float | None:
        """Return the seconds to wait before a retry, None if there must be none."""
        left = course.deadline - asyncio.get_running_loop().time()
        match trouble:
            case DingTalkTokenExpired() if not course.renewed:
                course.renewed = True
                return 0.0
            case DingTalkRateLimited() if (pause := trouble.retry_after or SECOND) < left:
                lane.bucket.pause(pause)
                return 0.0
            case DingTalkOutcomeUnknown():
                course.doubt = trouble
                repeatable = lane.api.idempotent
            case DingTalkUnavailable():
                repeatable = not isinstance(trouble, DingTalkNoToken)
            case _:
                return None
        course.failures += 1
        wait = self._backoff.pause(course.failures, self._draw())
        return round(wait, 3) if repeatable and course.failures < self._patience.tries and wait < left else None

    async def _take_turn(self, lane: _ApiState, course: _CallState) -> None:
        try:
            course.turn = await lane.bucket.take(course.turn, deadline=course.deadline)
        except TimeoutError:
            raise DingTalkRateLimited(
                f"{lane.api.name}: no turn within {self._patience.overall:g} s", retry_after=self._patience.overall
            ) from None

    async def _token(self, api: ApiCall, course: _CallState) -> str:
        """Return a newly fetched token; if that fails, the call itself certainly did not happen."""
        try:
            async with asyncio.timeout_at(course.deadline):
                return await self.tokens.get()
        except (DingTalkOutcomeUnknown, DingTalkRateLimited, DingTalkUnavailable, TimeoutError) as trouble:
            raise DingTalkNoToken(f"{api.name}: no access token in time") from trouble

    async def _try(self, lane: _ApiState, send: Callable[[_ApiState, str], Awaitable[_Answer]], token: str) -> _Answer:
        """Make one attempt, count it, and translate network errors into a `DingTalkError`."""
        started = time.perf_counter()
        outcome = "cancelled"
        try:
            with self._limit.running():
                answer = await send(lane, token)
            outcome = _OK
        except DingTalkError as trouble:
            outcome = trouble.outcome
            raise
        except (aiohttp.ClientError, TimeoutError, OSError) as failure:
            ours = self._translated(lane.api.name, failure)
            outcome = ours.outcome
            raise ours from (None if isinstance(failure, _WITH_ADDRESS) else failure)
        finally:
            lane.record(outcome, time.perf_counter() - started)
            if self._meter is not None:
                self._bill(lane.api, self._meter, outcome)
        return answer

    def _bill(self, api: ApiCall, meter: MonthlyMeter, outcome: str) -> None:
        """Count an attempt against its quota."""
        if api.billed and outcome in (_OK, DingTalkQuotaExhausted.outcome):
            meter.note_answer(exhausted=outcome != _OK)
        if outcome in _FREE:
            return
        if api.use:
            meter.count(Quota.USES)
        elif api.billed and current_spending().purpose is Purpose.OTHER:
            meter.count(Quota.CALLS, api.purpose, current_spending().conversation)
        elif api.billed:
            meter.count(Quota.CALLS)

    def _translated(self, name: str, failure: Exception) -> DingTalkError:
        """Return the `DingTalkError` for a network error."""
        kind = type(failure).__name__
        if isinstance(failure, _BAD_ADDRESS):
            return DingTalkRefused(f"{name}: not a usable address")
        if isinstance(failure, _UNSENT):
            return DingTalkUnavailable(f"{name}: not reached ({kind})")
        if isinstance(failure, TimeoutError):
            return DingTalkNoAnswer(f"{name}: no answer within {self._patience.per_try:g} s")
        return DingTalkOutcomeUnknown(f"{name}: connection broken ({kind})")

    def _label(
        self, lane: _ApiState, token: str, query: Mapping[str, str] | None, address: str
    ) -> tuple[URL, dict[str, str]]:
        """Return the address and headers of one attempt."""
        # Without Accept some gateways answer in XML (docs: platform/dingtalk/stream.md#opening).
        headers = {"Accept": "application/json"}
        url = URL(address, encoded=True) if address else lane.url
        if query:
            url = url.update_query(query)
        if token and lane.api.host is Host.OAPI:
            url = url.update_query(access_token=token)
        elif token:
            headers[_TOKEN_HEADER] = token
        return url, headers

    def _open_lane(self, api: ApiCall) -> _ApiState:
        lane = _ApiState(api, self._endpoints.base(api.host), self._rates.of(api), self._metrics)
        return self._lanes.setdefault(api.name, lane)

    async def _fetch_token(self) -> AccessTokenGrant:
        keys = {"appKey": self.keys.client_id, "appSecret": self.keys.client_secret.get_secret_value()}
        answer = await self.call(ACCESS_TOKEN, keys)
        token, lifetime = answer.get("accessToken"), answer.get("expireIn")
        if not isinstance(token, str) or not token or not isinstance(lifetime, int | float):
            raise DingTalkOutcomeUnknown(f"{ACCESS_TOKEN.name}: an answer without a token")
        return AccessTokenGrant(token, float(lifetime))
