"""Streams of server-sent events: how many are open, and how they end. What they tell is said by who opens them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType

from aiohttp import web

from bot.mechanisms.wakeup import Wakeup
from bot.web.api.problems import HEADERS, ApiProblem
from bot.words.phrase import phrase

EVENTS = "text/event-stream"
STREAM_HEADERS: Mapping[str, str] = MappingProxyType(
    {**HEADERS, "Content-Type": EVENTS, "X-Accel-Buffering": "no", "Vary": "Authorization"}
)
TOO_MANY = phrase("Too many streams are open. Close one, or ask again later.")


@dataclass(eq=False)
class OpenStreams:
    """The streams of one sort in one process: at most so many of each key, and in all.

    Who finds no room may try again after ``again`` seconds.
    """

    most_of_key: int
    most: int
    again: float
    _open: Counter[str] = field(default_factory=Counter)
    """How many each key has."""
    _waiting: set[Wakeup] = field(default_factory=set)
    ended: Wakeup = field(default_factory=Wakeup)
    is_ended: bool = False

    def poke(self) -> None:
        """Let all streams look: something has changed."""
        for wakeup in self._waiting:
            wakeup.call()

    async def end(self, _app: web.Application) -> None:
        """End all streams: the process stops."""
        self.is_ended = True
        self.ended.call()
        self.poke()

    @contextmanager
    def opened(self, key: str) -> Iterator[Wakeup]:
        """Have a stream of a key open, and give what ends its sleep. Raises `ApiProblem` where there is no room."""
        if self.is_ended or self._open[key] >= self.most_of_key or self._open.total() >= self.most:
            raise ApiProblem(HTTPStatus.TOO_MANY_REQUESTS, TOO_MANY, retry_after=self.again)
        wakeup = Wakeup()
        self._open[key] += 1
        self._waiting.add(wakeup)
        try:
            yield wakeup
        finally:
            self._waiting.discard(wakeup)
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]
