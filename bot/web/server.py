"""The bot's HTTP server: health, readiness, metrics, and the hooks by which events come in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import orjson
from aiohttp import web
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bot.errors import ConfigurationError
from bot.metrics import Metrics
from bot.web.hooks import HookEndpoint

Readiness = Callable[[], Awaitable[Sequence[str]]]
"""Returns the reasons, in plain words, why the bot cannot answer now; none when it can."""


def make_web_app(*, metrics: Metrics, readiness: Readiness, hooks: HookEndpoint | None = None) -> web.Application:
    """Return the application, which holds no state."""

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def readyz(_request: web.Request) -> web.Response:
        reasons = list(await readiness())
        body = {"status": "not ready" if reasons else "ready", "reasons": reasons}
        return web.Response(body=orjson.dumps(body), status=503 if reasons else 200, content_type="application/json")

    async def show_metrics(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", show_metrics)
    if hooks is not None:
        hooks.mount(app)
    return app


@asynccontextmanager
async def serving(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve until the context ends; gives the port. Raises `ConfigurationError` where it is taken."""
    # Compressed bodies are refused, not unpacked: they may be huge. The rest of a body that was refused as too large is
    # read and dropped for 2 s only, so that its sender comes to read the answer.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2, auto_decompress=False, lingering_time=2)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise ConfigurationError(f"cannot listen on {host}:{port} ({why}); set DINGERP_HTTP__PORT") from None
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
