"""What is done again and again as long as the bot runs."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from structlog.testing import capture_logs

from bot.mechanisms import background
from bot.mechanisms.background import repeat
from bot.words.errors import DingerpError


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


async def _lines_of(*failures: str) -> list[str]:
    """Return what is logged of work that fails so, one time after the other; an empty text is no failure."""
    left, ended = list(failures), asyncio.Event()

    async def work() -> None:
        if not left:
            ended.set()
        elif detail := left.pop(0):
            raise DingerpError(detail)

    with capture_logs() as logs:
        task = asyncio.create_task(repeat(work, every=0.0, failed="things.not_done"))
        await ended.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    return [line["detail"] for line in logs]


async def test_the_same_error_is_logged_once_until_it_ends_or_changes() -> None:
    assert await _lines_of("full", "full", "full") == ["full"]
    assert await _lines_of("full", "locked", "full") == ["full", "locked", "full"]
    assert await _lines_of("full", "", "full") == ["full", "full"]


async def test_an_error_that_lasts_is_logged_again_after_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "REMIND_SECONDS", 0.0)
    assert await _lines_of("full", "full") == ["full", "full"]
