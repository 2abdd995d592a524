"""What a running bot tells of its parts."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.doctor.results import CheckGrade, describe_results
from bot.doctor.running import check_running
from bot.mechanisms.health import HealthReport, down
from bot.settings import HttpSettings, load_settings
from bot.words.phrase import phrase

FULL = phrase("only %(size)d MB are free on the disk of %(file)s", size=3, file="/data/bot.sqlite3")


async def test_a_part_that_is_well_may_tell_what_it_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = {
        "stream": {"status": "ok", "reason": ""},
        "language model": {"status": "ok", "reason": "1 of 2000 calls"},
        "quota": {"status": "degraded", "reason": "used up"},
        "database": HealthReport({"database": down(FULL)}).parts["database"].as_json(),
        "outbox": {
            "status": "degraded",
            "reason": "late",
            "message": {"id": "%(count)d late", "values": {"of": "cards"}},
        },
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
        (str(FULL), CheckGrade.BAD),
        ("late", CheckGrade.NOTE),
    ]
    assert "[!!] 运行中的机器人，数据库: /data/bot.sqlite3 所在磁盘只剩 3 MB" in "\n".join(
        describe_results(results, "zh_CN")
    )
