"""An endpoint on this machine that answers what a test tells it to, wrong answers above all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FakeModel:
    """A server for chat completions; ``answers`` are used up one by one, the last again and again."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.answers: list[Answer] = []
        self.url = ""
        self.reached = asyncio.Event()
        self.released = asyncio.Event()

    def say(self, line: str) -> None:
        """Answer with a command line, as agreed."""
        self.write(orjson.dumps({"line": line}).decode())

    def write(self, content: str | None, **changes: Any) -> None:
        """Answer with a completion whose message has this content."""
        completion = {
            "id": "1",
            "object": "chat.completion",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}],
            "usage": {"prompt_tokens": 700, "completion_tokens": 9, "total_tokens": 709},
            **changes,
        }
        self.give(orjson.dumps(completion))

    def give(self, body: bytes, status: int = 200, **headers: str) -> None:
        """Answer with these bytes."""

        async def answer(request: web.Request) -> web.StreamResponse:
            return web.Response(body=body, status=status, headers={"Content-Type": "application/json", **headers})

        self.answers.append(answer)

    def stall(self) -> None:
        """Never answer."""

        async def answer(request: web.Request) -> web.StreamResponse:
            await self.released.wait()
            return web.Response()

        self.answers.append(answer)

    def hang_up(self) -> None:
        """Close the connection without a word."""

        async def answer(request: web.Request) -> web.StreamResponse:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()

        self.answers.append(answer)

    def pour(self, status: int = 200) -> None:
        """Send bytes as long as somebody takes them."""

        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(status=status)
            await response.prepare(request)
            while not self.released.is_set():
                await response.write(b" " * 65_536)
            return response

        self.answers.append(answer)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Note what was asked, and answer."""
        self.asked.append(await request.json())
        self.reached.set()
        self.keys.append(request.headers.get("Authorization", ""))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await answer(request)


@pytest.fixture
async def fake() -> AsyncIterator[FakeModel]:
    """Return a model that can be told what to answer."""
    model = FakeModel()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", model.handle)
    server = TestServer(app)
    await server.start_server()
    model.url = str(server.make_url("/v1"))
    try:
        yield model
    finally:
        model.released.set()
        await server.close()
