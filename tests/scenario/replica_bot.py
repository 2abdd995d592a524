"""``dingerp run`` as one of several replicas: ``python -m tests.scenario.replica_bot``."""

from __future__ import annotations

import asyncio

from bot.app import run_until_stopped
from bot.bootstrap import preflight
from bot.mechanisms.log import configure_logging
from bot.settings import load_settings

if __name__ == "__main__":
    preflight.REPLICAS_OFFERED = True
    chosen = load_settings()
    configure_logging(chosen.log.level, chosen.log.format)
    asyncio.run(run_until_stopped(chosen))
