"""Answers that live: server-sent events of one request, whose answer is sent again when it says something else.

A program asks for them by ``Accept: text/event-stream``. Each look is the same request once more: with the key, its
owner's rights and its limits as they are then, and an entry in the audit log. A look follows when cards or decisions
have changed, and at the latest after `LOOK_EVERY`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus

from aiohttp import web

from bot.access.page_sessions import digest_of
from bot.mechanisms.wakeup import Wakeup
from bot.web.api.problems import HEADERS, ApiProblem
from bot.words.phrase import phrase

EVENTS = "text/event-stream"
LOOK_EVERY, SHORTEST = 30.0, 5.0
"""Seconds between two looks: at most, and at least."""
LONGEST = 3600.0
"""Seconds after which a stream ends; the program connects again."""
MOST_OF_KEY, MOST = 4, 100
"""Streams at the same time."""
TOO_MANY = phrase("Too many streams are open. Close one, or ask again later.")

_BEGINS = {HTTPStatus.OK, HTTPStatus.NOT_MODIFIED}
_OVER = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.CONFLICT}
"""After these there is nothing to wait for."""
_STREAM_HEADERS = {**HEADERS, "Content-Type": EVENTS, "X-Accel-Buffering": "no", "Vary": "Authorization"}

Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(eq=False)
class LiveAnswers:
    """The streams of one process."""

    look_every: float = LOOK_EVERY
    shortest: float = SHORTEST
    _open: Counter[str] = field(default_factory=Counter)
    """How many each key has, by the hash of its token."""
    _waiting: set[Wakeup] = field(default_factory=set)
    _ended: Wakeup = field(default_factory=Wakeup)
    _is_ended: bool = False

    def poke(self) -> None:
        """Let all streams look: something has changed."""
        for wakeup in self._waiting:
            wakeup.call()

    async def end(self, _app: web.Application) -> None:
        """End all streams: the process stops."""
        self._is_ended = True
        self._ended.call()
        self.poke()

    def serving(self, answer: Answering, refuse: Callable[[ApiProblem], web.Response]) -> Answering:
        """Return what answers as ``answer`` does, and by a stream where a program asks for that."""

        async def serve(request: web.Request) -> web.StreamResponse:
            told = await answer(request)
            if EVENTS not in request.headers.get("Accept", "") or told.status not in _BEGINS:
                return told
            key = digest_of(request.headers["Authorization"])
            if self._open[key] >= MOST_OF_KEY or self._open.total() >= MOST:
                return refuse(ApiProblem(HTTPStatus.TOO_MANY_REQUESTS, TOO_MANY, retry_after=self.look_every))
            with self._opened(key) as wakeup:
                return await self._stream(request, told, answer, wakeup)

        return serve

    @contextmanager
    def _opened(self, key: str) -> Iterator[Wakeup]:
        wakeup = Wakeup()
        self._open[key] += 1
        self._waiting.add(wakeup)
        try:
            yield wakeup
        finally:
            self._waiting.discard(wakeup)
            self._open[key] -= 1

    async def _stream(
        self, request: web.Request, told: web.StreamResponse, answer: Answering, wakeup: Wakeup
    ) -> web.StreamResponse:
        stream = web.StreamResponse(headers=_STREAM_HEADERS)
        await stream.prepare(request)
        loop = asyncio.get_running_loop()
        until, known = loop.time() + LONGEST, request.headers.get("Last-Event-ID", "")
        with suppress(ConnectionError):  # the program has gone
            known = await _tell(stream, told, known)
            while told.status not in _OVER:
                wakeup.clear()
                await self._ended.sleep(self.shortest)
                wait = max(float(told.headers.get("Retry-After", self.look_every)), self.shortest)
                await wakeup.sleep(min(wait - self.shortest, until - loop.time()))
                if self._is_ended or loop.time() >= until:
                    break
                told = await answer(request)
                known = await _tell(stream, told, known)
        return stream


async def _tell(stream: web.StreamResponse, told: web.StreamResponse, known: str) -> str:
    """Send an answer or a problem if it says something else than what is ``known``; return what is known then."""
    says = told.headers.get("ETag") or str(told.status)
    if says == known or told.status == HTTPStatus.NOT_MODIFIED:
        await stream.write(b": the same\n\n")
        return says
    assert isinstance(told, web.Response)
    assert isinstance(told.body, bytes)
    is_answer = told.status == HTTPStatus.OK
    kind, named = ("answer", f"id: {says}\n") if is_answer else ("problem", "")
    await stream.write(f"{named}event: {kind}\ndata: ".encode() + told.body + b"\n\n")
    return says
