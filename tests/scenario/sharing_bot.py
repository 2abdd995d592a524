"""``dingerp run`` whose shared tables are refreshed all the time: ``python -m tests.scenario.sharing_bot``."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot import app
from bot.mechanisms.log import configure_logging
from bot.settings import load_settings
from bot.sheets.sharing import SheetSharing

_PAUSE = timedelta(milliseconds=5)


async def _soon(_sharing: SheetSharing) -> timedelta:
    return _PAUSE


if __name__ == "__main__":
    SheetSharing.due_in = _soon  # type: ignore[method-assign]  # settings allow no such times
    chosen = load_settings()
    configure_logging(chosen.log.level, chosen.log.format)
    asyncio.run(app.run_until_stopped(chosen))
