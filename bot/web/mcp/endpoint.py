"""``/mcp`` of a running bot: Streamable HTTP, one request at a time, by the SDK's own transport.

The transport is an ASGI application, and each request of ours is one call of it. There are no sessions: what a request
may do is in its key, so a key that ends ends everything.
"""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from importlib import import_module
from importlib.util import find_spec
from secrets import token_hex
from typing import Any

from aiohttp import web

from bot.web.api.problems import ApiProblem
from bot.web.api.proposals import tell_proposal
from bot.web.api.questions import QuestionBody, tell_answer
from bot.web.api.records import Json
from bot.web.api.routes import MOST_BYTES, ApiRequest, RequestModel, no_answer, read_body
from bot.web.api.site import ApiSite
from bot.web.mcp.tools import AgentAsk
from bot.words.errors import DingerpError
from bot.words.phrase import phrase

MCP = "/mcp"
NOT_INSTALLED = phrase("This bot speaks no MCP: `pip install 'dingerp[mcp]'` where it is installed.")
FROM_PAGE = phrase("Programs ask here, and no pages in a browser.")


@dataclass(frozen=True, slots=True)
class McpSite:
    """Serves agents with keys as `ApiSite` serves programs; whoever asks from a page in a browser is refused."""

    api: ApiSite

    def mount(self, app: web.Application) -> None:
        """Add it to an application."""
        app.router.add_route("*", MCP, self.api.handler("mcp", _read, self._serve))

    async def _serve(self, asked: ApiRequest) -> web.StreamResponse:
        request = asked.request
        if "Origin" in request.headers:
            raise ApiProblem(HTTPStatus.FORBIDDEN, FROM_PAGE)
        if request.method != "POST":
            # Without sessions there is nothing to listen to, and nothing to end.
            return web.Response(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "POST"})
        if find_spec("mcp") is None:
            raise ApiProblem(HTTPStatus.NOT_IMPLEMENTED, NOT_INSTALLED)
        # It is slow to load, and the event loop serves others meanwhile.
        transport = await asyncio.to_thread(import_module, "bot.web.mcp.transport")
        exchange = Exchange(request, await read_body(request))
        await transport.serve(partial(_tell, asked), exchange, MOST_BYTES)
        return exchange.response()


async def _read(_request: web.Request) -> RequestModel:
    """Return what every request asks for; the rest is for the SDK to read."""
    return RequestModel()


async def _tell(asked: ApiRequest, ask: AgentAsk) -> Json:
    """Return the answer to what a tool asks, or the problem with it, as the API writes them."""
    asking = asked.parts.asked(asked.request, asked.program, ask)
    try:
        return await (tell_answer(asking) if isinstance(ask, QuestionBody) else tell_proposal(asking, token_hex()))
    except ApiProblem as problem:
        return problem.body(asking.language, asked.parts.languages)
    except DingerpError as error:
        return no_answer(error).body(asking.language, asked.parts.languages)


@dataclass(slots=True)
class Exchange:
    """One request as ASGI (asgi.readthedocs.io, HTTP 2.4) has it, and what an application sends back."""

    request: web.Request
    body: bytes
    _status: int = field(default=int(HTTPStatus.INTERNAL_SERVER_ERROR), init=False)
    _headers: list[tuple[str, str]] = field(default_factory=list, init=False)
    _sent: list[bytes] = field(default_factory=list, init=False)
    _is_read: bool = field(default=False, init=False)

    @property
    def scope(self) -> MutableMapping[str, Any]:
        """What the application is called with."""
        request = self.request
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": request.scheme,
            "path": request.path,
            "raw_path": request.path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in request.raw_headers],
            "client": None,
            "server": None,
        }

    async def receive(self) -> MutableMapping[str, Any]:
        """Give the body, all of it at once; nothing follows."""
        if self._is_read:
            await asyncio.Event().wait()
        self._is_read = True
        return {"type": "http.request", "body": self.body, "more_body": False}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Take a part of the answer."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]]
        else:
            self._sent.append(message.get("body", b""))

    def response(self) -> web.Response:
        """Return what was sent."""
        headers = [pair for pair in self._headers if pair[0].lower() != "content-length"]
        return web.Response(status=self._status, headers=headers, body=b"".join(self._sent))
