"""The bot's HTTP server: health, readiness, metrics, and the hooks by which events come in."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Any

import orjson
import structlog
from aiohttp import web
from aiohttp.http import HttpProcessingError
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bot.mechanisms.health import HealthReport
from bot.mechanisms.metrics import Metrics
from bot.web.api.site import ApiSite
from bot.web.connections import BoundedConnections
from bot.web.hooks import HookEndpoint
from bot.web.key_page import KeyPage
from bot.web.mcp.endpoint import McpSite
from bot.web.oauth.site import OAuthSite
from bot.web.pages.site import PageSite
from bot.words.errors import ConfigurationError

_BACKLOG = 128
"""Connections that wait to be accepted."""

_NO_SUCH_FAMILY = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL})

_IDLE_SECONDS = 15.0
"""How long an idle connection is kept; no sender's requests are so rare that a new connection would matter to it."""

METRICS = web.AppKey("metrics", Metrics)
"""What the server of an application counts in."""

Readiness = Callable[[], Awaitable[HealthReport]]
"""Returns how the bot is."""


def new_app(metrics: Metrics) -> web.Application:
    """Return an application for `serving_at` that has no pages yet."""
    app = web.Application()
    app[METRICS] = metrics
    app.on_response_prepare.append(_hide_versions)
    return app


async def _hide_versions(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "dingerp"  # and not which versions of Python and aiohttp to look for faults in


def make_web_app(
    *,
    metrics: Metrics,
    readiness: Readiness,
    hooks: HookEndpoint | None = None,
    key_page: KeyPage | None = None,
    site: PageSite | None = None,
    api: ApiSite | None = None,
    agents: McpSite | None = None,
    logins: OAuthSite | None = None,
) -> web.Application:
    """Return the application, which holds no state."""

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def readyz(_request: web.Request) -> web.Response:
        report = await readiness()
        body, status = orjson.dumps(report.as_json()), 200 if report.is_ready else 503
        return web.Response(body=body, status=status, content_type="application/json")

    async def show_metrics(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = new_app(metrics)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", show_metrics)
    if hooks is not None:
        hooks.mount(app)
    if key_page is not None:
        key_page.mount(app)
    if site is not None:
        site.mount(app)
    if api is not None:
        api.mount(app)
    if agents is not None:
        agents.mount(app)
    if logins is not None:
        logins.mount(app)
    return app


@contextmanager
def listening(host: str, port: int) -> Iterator[Sequence[socket.socket]]:
    """Take a port at all addresses of ``host`` until the context ends; nobody is served yet.

    Raises `ConfigurationError` where it is taken.
    """
    with ExitStack() as stack:
        try:
            listeners = _bound(stack, host, port)
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise ConfigurationError(f"cannot listen on {host}:{port} ({why}); set DINGERP_HTTP__PORT") from None
        yield listeners


def _bound(stack: ExitStack, host: str, port: int) -> Sequence[socket.socket]:
    listeners: list[socket.socket] = []
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    missing: OSError | None = None
    for family, kind, protocol, _, address in dict.fromkeys(found):
        # A free port is the same one at all addresses.
        chosen = port or (listeners[0].getsockname()[1] if listeners else 0)
        try:
            listeners.append(stack.enter_context(_listener(family, kind, protocol, (address[0], chosen, *address[2:]))))
        except OSError as error:
            if error.errno not in _NO_SUCH_FAMILY:
                raise
            missing = error  # a name may have addresses of a family that is switched off here
    if missing is not None and not listeners:
        raise missing
    return listeners


def _listener(family: int, kind: int, protocol: int, address: tuple[object, ...]) -> socket.socket:
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # elsewhere it would let two processes share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


@asynccontextmanager
async def serving(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve an application with `METRICS` until the context ends; gives the port.

    Raises `ConfigurationError` where it is taken.
    """
    with listening(host, port) as listeners:
        async with serving_at(app, listeners) as served:
            yield served


@asynccontextmanager
async def serving_at(app: web.Application, listeners: Sequence[socket.socket]) -> AsyncIterator[int]:
    """Serve what comes to `listening` sockets until the context ends; gives the port."""
    # Compressed bodies are refused, not unpacked: they may be huge. The rest of a body that was refused as too large is
    # read and dropped for 2 s only, so that its sender gets to read the answer.
    runner = web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=2,
        auto_decompress=False,
        lingering_time=2,
        keepalive_timeout=_IDLE_SECONDS,
        logger=ServerLog(app[METRICS]),
    )
    await runner.setup()
    assert runner.server is not None
    bounded = BoundedConnections(runner.server)
    servers: list[asyncio.Server] = []
    try:
        servers += [await asyncio.get_running_loop().create_server(bounded, sock=listener) for listener in listeners]
        yield listeners[0].getsockname()[1]
    finally:
        for server in servers:
            server.close()
        await runner.cleanup()


log = structlog.get_logger(__name__)


class ServerLog(logging.LoggerAdapter[logging.Logger]):
    """Takes the place of aiohttp's own log.

    Who sends what is no HTTP costs one line and a number: no traceback, and nothing of what was sent, which may be a
    signature.
    """

    def __init__(self, metrics: Metrics) -> None:
        super().__init__(logging.getLogger("aiohttp.server"))
        self._metrics = metrics

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Write a line, without the traceback of a request that cannot be read."""
        error = kwargs.get("exc_info")
        if not isinstance(error, HttpProcessingError):
            super().log(level, msg, *args, **kwargs)
            return
        name = type(error).__name__
        self._metrics.errors.labels("http", name).inc()
        log.warning("http.unreadable_request", error=name, status=error.code)
