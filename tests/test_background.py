"""What is done again and again as long as the bot runs."""

from __future__ import annotations

import asyncio
import contextlib

from structlog.testing import capture_logs

from bot.background import repeat
from bot.errors import DingerpError


async def test_an_error_is_logged_and_the_next_time_tries_again() -> None:
    done: list[int] = []
    twice = asyncio.Event()

    async def work() -> None:
        done.append(len(done))
        if len(done) == 1:
            raise DingerpError("away")
        twice.set()

    with capture_logs() as logs:
        task = asyncio.create_task(repeat(work, every=0.0, failed="things.not_done"))
        await twice.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert [(line["event"], line["error"], line["detail"]) for line in logs] == [
        ("things.not_done", "DingerpError", "away")
    ]
