"""The compared bots, each in a process of its own with the same environment."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import orjson
import psutil

from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.engine import SimEngine
from tests.unlimited import ONE_CARD, UNLIMITED

HERE = Path(__file__).parent
ERP_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Contender:
    """How a bot is started."""

    name: str
    command: tuple[str, ...]
    extra: Mapping[str, str] = field(default_factory=dict)
    prepared_by: tuple[str, ...] = ()
    """Run to its end before the bot starts, in the same environment."""


README = Contender("README bot", (sys.executable, str(HERE / "readme_bot.py")))
README_AWAITED = Contender("README bot, ERP awaited", README.command, {"ERP_WAY": "await"})
BARE = Contender("bare loop", (sys.executable, str(HERE / "bare_loop.py")))
DINGERP = Contender(
    "dingerp",
    (sys.executable, "-m", "tests.load.instant_erp", "run"),
    {
        "DINGERP_ERP__MAIN__VENDOR": "instant",
        # Only 64 products are asked for: the read cache would answer most questions.
        "DINGERP_ERP__MAIN__CACHE_SECONDS": "0",
        "DINGERP_LIMITS__QPS": "inf",
        **UNLIMITED,
        **ONE_CARD,
        # Otherwise the bot would begin to save calls after 9 000 answers.
        "DINGERP_LIMITS__MONTHLY_CALLS": "1000000000",
        "DINGERP_HTTP__PORT": "0",
        "DINGERP_LOG__LEVEL": "info",
        # The compared bots know no rights either.
        "DINGERP_ACCESS__OPEN": "true",
    },
    # Only the very first start creates the tables, and the memory for that would stay in the process.
    prepared_by=(sys.executable, "-m", "bot.cli", "db", "upgrade"),
)
WITH_RIGHTS = replace(
    DINGERP,
    name="dingerp with rights",
    extra={
        **DINGERP.extra,
        # The ready rules, with one more for each group, and the asker in one of the roles that may ask.
        "DINGERP_ACCESS__OPEN": "false",
        "DINGERP_ACCESS__PRESETS": "true",
        "DINGERP_ACCESS__ROLES": '{"keeper": ["keeper01"], "sales": ["sales01"], "finance": ["finance01"]}',
        "DINGERP_ACCESS__RULES": orjson.dumps(
            [
                {"commands": ["stock"], "shared": True, "fields": ["quantity"], "conversations": [f"cidLoad{n:04}/+=="]}
                for n in range(256)
            ]
        ).decode(),
    },
)


@dataclass(slots=True)
class StartedContender:
    process: psutil.Process
    first_call: float
    """Seconds from the start of the process to its first call of the gateway."""

    def resident(self) -> float:
        """Return its resident memory in MB."""
        return float(self.process.memory_info().rss) / 1e6

    def cpu_seconds(self) -> float:
        """Return how long the processor has worked for it."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@asynccontextmanager
async def running(contender: Contender, engine: SimEngine, config: SimulatorConfig) -> AsyncIterator[StartedContender]:
    """Start the bot, wait until it is connected, and end it afterwards."""
    with TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "DINGTALK_CLIENT_ID": config.client_id,
            "DINGTALK_CLIENT_SECRET": config.client_secret,
            "DINGTALK_OPENAPI_ENDPOINT": engine.base_url,
            "DINGTALK_OAPI_ENDPOINT": engine.base_url,
            "DINGERP_DATA_DIR": folder,
            "ERP_SECONDS": str(ERP_SECONDS),
            **contender.extra,
        }
        if contender.prepared_by:
            preparing = await asyncio.create_subprocess_exec(
                *contender.prepared_by, env=environment, cwd=HERE.parents[1], stdout=asyncio.subprocess.DEVNULL
            )
            assert await preparing.wait() == 0, "the bot could not be prepared"
        opens = "POST /v1.0/gateway/connections/open"
        before, started = engine.calls[opens], perf_counter()
        process = await asyncio.create_subprocess_exec(
            *contender.command, env=environment, cwd=HERE.parents[1], stderr=None
        )
        try:
            await engine.wait_for(lambda: engine.calls[opens] > before, timeout=120)
            first_call = perf_counter() - started
            await engine.wait_for(lambda: engine.pushes.connections, timeout=120)
            yield StartedContender(psutil.Process(process.pid), first_call)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
            await process.wait()
            await engine.wait_for(lambda: not engine.pushes.connections, timeout=120)
