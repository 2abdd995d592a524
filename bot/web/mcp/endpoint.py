"""``/mcp`` of a running bot: Streamable HTTP, and the older transport by server-sent events beside it.

Each message of an agent is one call of the SDK's own transport, which is an ASGI application, and stands alone: what it
may do is in the key that it shows, so a key that ends ends everything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from importlib import import_module
from importlib.util import find_spec
from secrets import token_hex

from aiohttp import web

from bot.web.api.problems import ApiProblem
from bot.web.api.proposals import tell_proposal
from bot.web.api.questions import QuestionBody, tell_answer
from bot.web.api.records import Json
from bot.web.api.routes import MOST_BYTES, ApiRequest, RequestModel, no_answer, read_body
from bot.web.api.site import ApiSite
from bot.web.mcp.event_streams import AgentStreams
from bot.web.mcp.exchange import Exchange
from bot.web.mcp.tools import AgentAsk
from bot.words.errors import DingerpError
from bot.words.phrase import phrase

MCP = "/mcp"
EVENT_STREAM, MESSAGES = f"{MCP}/sse", f"{MCP}/messages"
NOT_INSTALLED = phrase("This bot speaks no MCP: `pip install 'dingerp[mcp]'` where it is installed.")
FROM_PAGE = phrase("Programs ask here, and no pages in a browser.")


@dataclass(frozen=True, slots=True)
class McpSite:
    """Serves agents with keys as `ApiSite` serves programs; whoever asks from a page in a browser is refused."""

    api: ApiSite
    streams: AgentStreams

    def mount(self, app: web.Application) -> None:
        """Add everything to an application."""
        for path, method, name, serve in (
            (MCP, "POST", "mcp", self._serve),
            (EVENT_STREAM, "GET", "mcp_stream", self._stream),
            (MESSAGES, "POST", "mcp_message", self._take),
        ):
            app.router.add_route("*", path, self.api.handler(name, _read, _only(method, serve), in_turn=False))
        app.on_shutdown.append(self.streams.end)

    async def _serve(self, asked: ApiRequest) -> web.StreamResponse:
        exchange = Exchange(asked.request, await read_body(asked.request), asked.request.raw_headers)
        await _exchange(asked, exchange)
        return exchange.response()

    async def _stream(self, asked: ApiRequest) -> web.StreamResponse:
        return await self.streams.serve(asked)

    async def _take(self, asked: ApiRequest) -> web.StreamResponse:
        return await self.streams.take(asked, _exchange)


_Serve = Callable[[ApiRequest], Awaitable[web.StreamResponse]]


def _only(method: str, serve: _Serve) -> _Serve:
    """Return what serves agents, where there is what speaks with them."""

    async def check(asked: ApiRequest) -> web.StreamResponse:
        if "Origin" in asked.request.headers:
            raise ApiProblem(HTTPStatus.FORBIDDEN, FROM_PAGE)
        if asked.request.method != method:
            # Of Streamable HTTP there are no sessions, so there is nothing to listen to, and nothing to end.
            return web.Response(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": method})
        if find_spec("mcp") is None:
            raise ApiProblem(HTTPStatus.NOT_IMPLEMENTED, NOT_INSTALLED)
        return await serve(asked)

    return check


async def _read(_request: web.Request) -> RequestModel:
    """Return what every request asks for; the rest is for the SDK to read."""
    return RequestModel()


async def _exchange(asked: ApiRequest, exchange: Exchange) -> None:
    """Have a message answered by the SDK's server."""
    # It is slow to load, and the event loop serves others meanwhile.
    transport = await asyncio.to_thread(import_module, "bot.web.mcp.transport")
    await transport.serve(partial(_tell, asked), exchange, MOST_BYTES)


async def _tell(asked: ApiRequest, ask: AgentAsk) -> Json:
    """Return the answer to what a tool asks, or the problem with it, as the API writes them."""
    asking = asked.parts.asked(asked.request, asked.program, ask)
    try:
        async with asked.parts.shares.turn(asked.program.key.id):
            return await (tell_answer(asking) if isinstance(ask, QuestionBody) else tell_proposal(asking, token_hex()))
    except ApiProblem as problem:
        return problem.body(asking.language, asked.parts.languages)
    except DingerpError as error:
        return no_answer(error).body(asking.language, asked.parts.languages)
