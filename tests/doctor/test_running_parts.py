"""What a running bot tells of its parts."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.doctor.results import CheckGrade
from bot.doctor.running import check_running
from bot.settings import HttpSettings, load_settings


async def test_a_part_that_is_well_may_tell_what_it_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = {
        "stream": {"status": "ok", "reason": ""},
        "language model": {"status": "ok", "reason": "1 of 2000 calls"},
        "quota": {"status": "degraded", "reason": "used up"},
    }

    async def ready(request: web.Request) -> web.Response:
        return web.json_response({"parts": parts})

    app = web.Application()
    app.router.add_get("/readyz", ready)
    async with TestServer(app) as server:
        settings = load_settings(http=HttpSettings.model_validate({"port": server.port}))
        results = await check_running(settings)
    assert [(str(result.words), result.grade) for result in results[1:]] == [
        ("well", CheckGrade.GOOD),
        ("1 of 2000 calls", CheckGrade.GOOD),
        ("used up", CheckGrade.NOTE),
    ]
