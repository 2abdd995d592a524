"""A proxy between the bot and a Tryton server that can be cut, be slow, or lose the answers to writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from tests.scenario.traffic import eventually

_WRITES = (b'"model.purchase.purchase.confirm"', b'"model.purchase.purchase.cancel"')

_OF_THE_HOP = ("host", "content-length")


@dataclass(slots=True)
class FlakyProxy:
    """Forwards requests; ``url`` is the bot's address of the server."""

    server: str
    session: aiohttp.ClientSession
    url: str = ""
    cut: bool = False
    slow_seconds: float = 0.0
    """Extra seconds that answers to writes take."""
    loses_answers: bool = False
    """Whether writes reach the server but their answers get lost."""
    writes: int = 0

    async def written(self, number: int) -> None:
        """Wait until the server has received this number of writes."""
        await eventually(lambda: self.writes >= number, hint=lambda: self.writes)

    async def pass_on(self, request: web.Request) -> web.StreamResponse:
        """Forward a request unless a fault is set."""
        body = await request.read()
        if self.cut:
            return _break_off(request)
        writes = any(method in body for method in _WRITES)
        headers = {
            name: value for name, value in request.headers.items() if name.lower() not in ("host", "content-length")
        }
        async with self.session.post(f"{self.server}{request.path_qs}", data=body, headers=headers) as answer:
            content, status, kind = await answer.read(), answer.status, answer.content_type
        self.writes += writes
        if writes and self.loses_answers:
            return _break_off(request)
        if writes and self.slow_seconds:
            await asyncio.sleep(self.slow_seconds)
        return web.Response(body=content, status=status, content_type=kind)


@asynccontextmanager
async def proxy_to(server: str) -> AsyncIterator[FlakyProxy]:
    """Open a proxy on localhost."""
    async with aiohttp.ClientSession(auto_decompress=True) as session:
        line = FlakyProxy(server, session)
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", line.pass_on)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        line.url = f"http://{host}:{port}"
        yield line
        await runner.cleanup()


def _break_off(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()
