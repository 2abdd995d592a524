"""``dingerp run`` with a fast clock: ``python -m tests.scenario.alerts.fast_clock_bot``.

Work that a dead process had leased is free when the lease ends: after 90 s, which pass quickly here.
"""

from __future__ import annotations

import asyncio
import os
import time
from datetime import UTC, datetime, timedelta

import structlog

from bot.app import running, stop_signal
from bot.dingtalk.openapi import ApiRetryPolicy
from bot.mechanisms.log import configure_logging
from bot.settings import load_settings

SPEED = 8
PATIENCE = ApiRetryPolicy(per_try=1.0, connect=1.0, overall=3.0, tries=3, backoff=0.1)
"""Calls keep real time, so they have to end sooner: two of them take 8 s at most, and a lease of 90 s lasts 11 s here.

With longer calls a living bot would still repeat an old state when another bot already has its card.
"""

BEGAN = "TEST_CLOCK_BEGAN"
"""Variable with the moment, in seconds since 1970, from which the clock runs fast: the same for all processes."""

log = structlog.get_logger(__name__)


def clock(began: float) -> datetime:
    return datetime.fromtimestamp(began, UTC) + timedelta(seconds=(time.time() - began) * SPEED)


async def main() -> None:
    """Run the bot until it is stopped."""
    settings, began, stop = load_settings(), float(os.environ[BEGAN]), stop_signal()
    configure_logging(settings.log.level, settings.log.format)
    async with running(settings, clock=lambda: clock(began), patience=PATIENCE) as app:
        log.info("bot.running", port=app.port)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
