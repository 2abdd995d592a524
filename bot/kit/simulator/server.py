"""The simulator as one aiohttp application on one origin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from aiohttp import web

from bot.kit.simulator import control_api, gateway
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.engine import ENGINE_KEY, SimEngine
from bot.kit.simulator.openapi import routes

_MAX_BODY = 64 << 20
_SHUTDOWN_SECONDS = 2.0
_PAGE = Path(str(files("bot.kit.simulator"))) / "page"
_TOP = Path(__file__).resolve().parents[3]
_TOKENS = "templates/pages/static/tokens.css"
"""Colours and sizes, which are those of the bot's own pages: from the top of the project, as `preview.html` finds them
when it is opened as a file.
"""


@dataclass(frozen=True, slots=True)
class RunningSimulator:
    """A running simulator. ``url`` is its origin, without a trailing slash."""

    url: str
    engine: SimEngine


def make_app(config: SimulatorConfig | None = None, engine: SimEngine | None = None) -> web.Application:
    """Build the application, from an ``engine`` or a configuration."""
    app = web.Application(client_max_size=_MAX_BODY)
    app[ENGINE_KEY] = engine or SimEngine(config)
    gateway.add_routes(app)
    control_api.add_routes(app)
    app.router.add_get("/", _index)
    app.router.add_get("/static/{path:.+}", _static)
    app.router.add_get(f"/{_TOKENS}", _tokens)
    routes.add_routes(app)
    app.on_shutdown.append(_close)
    return app


@asynccontextmanager
async def open_simulator(
    config: SimulatorConfig | None = None, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[RunningSimulator]:
    """Run a simulator for the duration of the block; port 0 picks a free port."""
    engine = SimEngine(config)
    runner = web.AppRunner(make_app(engine=engine), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        bound = runner.addresses[0][1]
        engine.bound_url = f"http://{'127.0.0.1' if host in ('', '0.0.0.0') else host}:{bound}"  # noqa: S104
        yield RunningSimulator(engine.bound_url, engine)
    finally:
        await runner.cleanup()


async def serve(host: str, port: int, config: SimulatorConfig | None = None) -> None:
    """Listen until cancelled."""
    async with open_simulator(config, host=host, port=port):
        await asyncio.Event().wait()


async def _close(app: web.Application) -> None:
    engine = app[ENGINE_KEY]
    engine.close()
    for connection in list(engine.pushes.connections.values()):
        connection.finish()


async def _index(request: web.Request) -> web.StreamResponse:
    return _file("index.html")


async def _static(request: web.Request) -> web.StreamResponse:
    return _file(request.match_info["path"])


def _file(name: str) -> web.StreamResponse:
    """Return a file of the chat page, never one outside its folder."""
    path = (_PAGE / name).resolve()
    if not path.is_relative_to(_PAGE.resolve()) or not path.is_file():
        return web.Response(status=404, text="not found")
    return _sent(path)


async def _tokens(_request: web.Request) -> web.StreamResponse:
    return _sent(_TOP / _TOKENS)


def _sent(path: Path) -> web.FileResponse:
    return web.FileResponse(path, headers={"Cache-Control": "no-cache"})
