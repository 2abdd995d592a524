"""Where handlers find the engine."""

from __future__ import annotations

from aiohttp import web

from bot.simulator.engine import Engine

ENGINE: web.AppKey[Engine] = web.AppKey("engine", Engine)
