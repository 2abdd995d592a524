"""The bot's parts are looked at, and the monitor tells how they are."""

from __future__ import annotations

import asyncio

from structlog.testing import capture_logs

from bot.mechanisms.health import WELL, HealthMonitor, HealthReport, PartHealth, PartStatus, degraded
from bot.words.errors import DingerpError


async def test_each_look_replaces_the_one_before_and_changes_are_logged() -> None:
    trouble = ""

    async def look() -> PartHealth:
        return degraded(trouble)

    monitor = HealthMonitor({"outbox": look})
    assert HealthReport(monitor.parts).status == "ready", "before the first look"
    with capture_logs() as lines:
        await monitor.look()
        trouble = "it stands still"
        await monitor.look()
        assert monitor.parts == {"outbox": PartHealth(PartStatus.DEGRADED, "it stands still")}
        await monitor.look()
        trouble = ""
        await monitor.look()
    assert monitor.parts == {"outbox": WELL}
    assert [(line["log_level"], line["status"], line["reason"]) for line in lines] == [
        ("error", "degraded", "it stands still"),
        ("info", "ok", ""),
    ]


async def test_a_part_that_raises_or_never_answers_is_down_and_the_others_are_not() -> None:
    async def fail() -> PartHealth:
        raise DingerpError("the disk is full")

    async def hang() -> PartHealth:
        await asyncio.Event().wait()
        raise AssertionError

    async def work() -> PartHealth:
        return WELL

    monitor = HealthMonitor({"database": fail, "outbox": hang, "events": work}, seconds=0.01)
    await monitor.look()
    assert str(monitor.parts["database"].reason) == "database: the disk is full"
    assert "no answer" in str(monitor.parts["outbox"].reason)
    assert monitor.parts["events"] is WELL
    assert not HealthReport(monitor.parts).is_ready
