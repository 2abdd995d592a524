"""A program of the company on loopback: it verifies what it is sent, and answers as it is told to."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

SECRET, OLD_SECRET = (f"whsec_{base64.b64encode(key).decode()}" for key in (b"n" * 24, b"o" * 24))


def is_signed(secret: str, headers: Any, body: bytes) -> bool:
    """Verify a Standard Webhook, by the steps of the page for those who write receivers."""
    signed = b".".join((headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body))
    digest = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    expected = f"v1,{base64.b64encode(digest).decode()}"
    return any(hmac.compare_digest(expected, each) for each in headers["webhook-signature"].split())


@dataclass
class ReceivingProgram:
    """What it got, and what it answers; ``answers`` are used up one by one, and then it takes everything."""

    url: str = ""
    secret: str = SECRET
    got: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    calls: int = 0
    answers: list[web.Response] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.calls += 1
        body = await request.read()
        assert is_signed(self.secret, request.headers, body), "not signed"
        assert request.headers["Content-Type"] == "application/cloudevents+json"
        if self.answers:
            return self.answers.pop(0)
        self.got.append(orjson.loads(body))
        self.ids.append(request.headers["webhook-id"])
        return web.Response(status=204)

    def types(self) -> list[str]:
        return [event["type"] for event in self.got]


@asynccontextmanager
async def receiving_program() -> AsyncIterator[ReceivingProgram]:
    """Run one on a free port."""
    program, app = ReceivingProgram(), web.Application()
    app.router.add_post("/events", program.take)
    server = TestServer(app)
    await server.start_server()
    program.url = str(server.make_url("/events"))
    yield program
    await server.close()
