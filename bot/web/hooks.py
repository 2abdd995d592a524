"""``POST /hooks/{source}``: events come in by signed webhook.

202 means committed. A refusal is ``application/problem+json`` (RFC 9457) for the sender, a log line and a metric; none
of them repeats what was sent.

Docs: contracts.md#event-intake; docs/how-to/send-events.md
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus

import orjson
import structlog
from aiohttp import web

from bot.alerts.intake.port import Intake, IntakeFull, IntakeOutcome, InvalidJson, InvalidSignature
from bot.alerts.intake.signatures import SignedRequest
from bot.alerts.intake.vendors.translation import CloudEvents
from bot.alerts.intake.webhook import MAX_EVENTS, Webhook
from bot.mechanisms.metrics import Metrics
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

BODY_SECONDS = 20.0
"""Time for a body to arrive; slower senders are refused."""
STORE_AGAIN = 5.0
"""Seconds after which a sender may try again while the database does not answer."""
UNKNOWN = "unknown"
MOST_BYTES = 32_000_000
"""Of all bodies that are being received: senders that prove nothing could else fill the memory."""
ROOM_AGAIN = 2.0
"""Seconds after which a sender may try again when there was no room."""


class _HttpProblem(Exception):
    """A request that is answered with a problem."""

    def __init__(
        self, status: HTTPStatus, detail: str, *, retry_after: float | None = None, unread: bool = False
    ) -> None:
        """``unread``: the body, or the rest of it, is not waited for."""
        super().__init__(detail)
        self.status = status
        self.unread = unread or status in {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_TIMEOUT}
        self.detail = detail
        self.retry_after = retry_after


class BodyMemory:
    """The memory that all bodies share while they arrive."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self.free = most
        """Bytes that are not taken."""

    @contextmanager
    def taken(self, size: int) -> Iterator[None]:
        """Take room for a body of ``size`` bytes at most."""
        if size > self.free:
            detail = "too many bodies arrive at the same time"
            raise _HttpProblem(HTTPStatus.SERVICE_UNAVAILABLE, detail, retry_after=ROOM_AGAIN, unread=True)
        self.free -= size
        try:
            yield
        finally:
            self.free += size


@dataclass(frozen=True, slots=True, kw_only=True)
class HookEndpoint:
    """Serves the configured hooks and hands their events to the intake."""

    hooks: Mapping[str, Webhook]
    intake: Intake
    metrics: Metrics
    now: Callable[[], datetime]
    room: BodyMemory = field(default_factory=BodyMemory)

    def mount(self, app: web.Application) -> None:
        """Serve the hooks from an application."""
        app.router.add_post("/hooks/{source}", self.receive)

    async def receive(self, request: web.Request) -> web.Response:
        """Answer one request."""
        began = time.perf_counter()
        hook = self.hooks.get(request.match_info["source"])
        name, outcome = hook.source if hook else UNKNOWN, "accepted"
        try:
            if hook is None:
                raise _HttpProblem(HTTPStatus.NOT_FOUND, "no such source is configured")
            answer = _accepted(hook, await self._accept(hook, request))
        except _HttpProblem as refused:
            answer, outcome = _problem(refused), refused.status.phrase.lower().replace(" ", "_")
            log.warning("hook.refused", source=name, status=int(refused.status), reason=refused.detail)
        self.metrics.hooks.labels(name, outcome).inc()
        self.metrics.hook_seconds.observe(time.perf_counter() - began)
        return answer

    async def _accept(self, hook: Webhook, request: web.Request) -> IntakeOutcome:
        _check_media(hook, request)
        announced = request.content_length
        _check_size(announced or 0, hook.max_bytes)
        with self.room.taken(hook.max_bytes if announced is None else announced):
            body = await _body(request, hook.max_bytes)
            events = self._read(hook, SignedRequest(request.headers, request.query, body))
        try:
            return await self.intake.accept(hook.source, events, via="webhook")
        except IntakeFull as full:
            raise _HttpProblem(HTTPStatus.TOO_MANY_REQUESTS, full.detail, retry_after=full.retry_after) from None
        except DingerpError as error:
            detail = f"nothing was stored ({type(error).__name__}); send it again"
            again = error.retry_after or STORE_AGAIN
            raise _HttpProblem(HTTPStatus.SERVICE_UNAVAILABLE, detail, retry_after=again) from None

    def _read(self, hook: Webhook, request: SignedRequest) -> CloudEvents:
        try:
            events = hook.read(request, self.now())
        except InvalidSignature as error:
            raise _HttpProblem(HTTPStatus.UNAUTHORIZED, error.detail) from None
        except InvalidJson as error:
            raise _HttpProblem(HTTPStatus.BAD_REQUEST, error.detail) from None
        if len(events) > MAX_EVENTS:
            raise _HttpProblem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {MAX_EVENTS} events in one request")
        return events


def _check_media(hook: Webhook, request: web.Request) -> None:
    said = request.content_type if "Content-Type" in request.headers or hook.needs_media else None
    if said is not None and said not in hook.media:
        raise _HttpProblem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send {' or '.join(sorted(hook.media))}")
    if (request.charset or "utf-8").lower().replace("-", "") not in {"utf8", "usascii"}:
        raise _HttpProblem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send UTF-8")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        # The signature is of the bytes as they came, and a small compressed body may be huge.
        raise _HttpProblem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send it without compression")


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise _HttpProblem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {limit} bytes")


async def _body(request: web.Request, limit: int) -> bytes:
    """Return the body, never holding more than ``limit`` bytes and a buffer."""
    chunks, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.content.iter_any():
                chunks.append(chunk)
                size += len(chunk)
                _check_size(size, limit)
    except (web.RequestPayloadError, ConnectionError):
        raise _HttpProblem(HTTPStatus.BAD_REQUEST, "the body ends before its end") from None
    except TimeoutError:
        raise _HttpProblem(HTTPStatus.REQUEST_TIMEOUT, f"the body took longer than {BODY_SECONDS:.0f} s") from None
    return b"".join(chunks)


def _accepted(hook: Webhook, receipt: IntakeOutcome) -> web.Response:
    if hook.says:
        return web.Response(text=hook.says)
    rejected = [{"id": each.id, "reason": each.reason} for each in receipt.rejected]
    body = {"accepted": receipt.accepted, "duplicate": receipt.duplicate, "rejected": rejected}
    return web.Response(status=HTTPStatus.ACCEPTED, body=orjson.dumps(body), content_type="application/json")


def _problem(refused: _HttpProblem) -> web.Response:
    body = {"title": refused.status.phrase, "status": int(refused.status), "detail": refused.detail}
    answer = web.Response(status=refused.status, body=orjson.dumps(body), content_type="application/problem+json")
    if refused.retry_after is not None:
        answer.headers["Retry-After"] = str(max(1, round(refused.retry_after)))
    if refused.unread:
        answer.force_close()  # instead of waiting for the rest of the body
    return answer
