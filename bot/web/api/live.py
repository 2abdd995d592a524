"""Answers that live: server-sent events of one request, whose answer is sent again when it says something else.

A program asks for them by ``Accept: text/event-stream``. Each look is the same request once more: with the key, its
owner's rights and its limits as they are then, and an entry in the audit log. A look follows when cards or decisions
have changed, and at the latest after `LOOK_EVERY`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus

from aiohttp import web

from bot.access.page_sessions import digest_of
from bot.mechanisms.wakeup import Wakeup
from bot.web.api.problems import ApiProblem
from bot.web.api.streams import EVENTS, STREAM_HEADERS, OpenStreams

LOOK_EVERY, SHORTEST = 30.0, 5.0
"""Seconds between two looks: at most, and at least."""
LONGEST = 3600.0
"""Seconds after which a stream ends; the program connects again."""
MOST_OF_KEY, MOST = 4, 100
"""Streams at the same time."""

_BEGINS = {HTTPStatus.OK, HTTPStatus.NOT_MODIFIED}
_OVER = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.CONFLICT}
"""After these there is nothing to wait for."""

Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(eq=False)
class LiveAnswers:
    """The streams of one process."""

    look_every: float = LOOK_EVERY
    shortest: float = SHORTEST
    streams: OpenStreams = field(init=False)

    def __post_init__(self) -> None:
        self.streams = OpenStreams(MOST_OF_KEY, MOST, self.look_every)

    def serving(self, answer: Answering, refuse: Callable[[ApiProblem], web.Response]) -> Answering:
        """Return what answers as ``answer`` does, and by a stream where a program asks for that."""

        async def serve(request: web.Request) -> web.StreamResponse:
            told = await answer(request)
            if EVENTS not in request.headers.get("Accept", "") or told.status not in _BEGINS:
                return told
            try:
                # By the hash of the token: whose it is, `answer` has looked up.
                with self.streams.opened(digest_of(request.headers["Authorization"])) as wakeup:
                    return await self._stream(request, told, answer, wakeup)
            except ApiProblem as problem:
                return refuse(problem)

        return serve

    async def _stream(
        self, request: web.Request, told: web.StreamResponse, answer: Answering, wakeup: Wakeup
    ) -> web.StreamResponse:
        stream = web.StreamResponse(headers=STREAM_HEADERS)
        await stream.prepare(request)
        loop = asyncio.get_running_loop()
        until, known = loop.time() + LONGEST, request.headers.get("Last-Event-ID", "")
        with suppress(ConnectionError):  # the program has gone
            known = await _tell(stream, told, known)
            while told.status not in _OVER:
                wakeup.clear()
                await self.streams.ended.sleep(self.shortest)
                wait = max(float(told.headers.get("Retry-After", self.look_every)), self.shortest)
                await wakeup.sleep(min(wait - self.shortest, until - loop.time()))
                if self.streams.is_ended or loop.time() >= until:
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
