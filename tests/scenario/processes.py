"""The bot and the simulator as processes of their own, as an operator starts them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import perf_counter

import orjson
from sqlalchemy import create_engine

from bot.kit.company import seeding
from bot.kit.company.sales import ZONE
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.engine import SimEngine
from bot.settings import EMBEDDED
from bot.store import database
from bot.store.data_keys import GivenKeys
from bot.store.database import Database
from bot.store.revisions import latest_revision
from tests.scenario.fork_server import ForkedProcess, fork
from tests.scenario.traffic import LONGEST_WAIT, eventually
from tests.unlimited import ONE_CARD, UNLIMITED

_FOREIGN = ("DINGTALK_", "DINGERP_")
_ROOT = Path(__file__).parents[2]


KILLED: Counter[str] = Counter()
"""How many processes each file of tests killed while they worked; `make soak` tells it."""

SHARED_KEY = "NiRIXLxoWqp0Zk-9miiSD7JRNwK714YZ6CqjKtQ6P3Q="
"""The key of a database that bots with folders of their own share."""


def shared_database(url: str) -> Database:
    """Return the database of bots that `environment` lets share one, with their key."""
    return Database(url, GivenKeys.parse(SHARED_KEY) if url.startswith("postgresql") else None)


def environment(config: SimulatorConfig, url: str, folder: Path, **more: str) -> dict[str, str]:
    """Return the few variables with which ``dingerp run`` answers; an empty value leaves a variable out."""
    wanted = {
        "DINGTALK_CLIENT_ID": config.client_id,
        "DINGTALK_CLIENT_SECRET": config.client_secret,
        "DINGTALK_OPENAPI_ENDPOINT": url,
        "DINGTALK_OAPI_ENDPOINT": url,
        "DINGERP_ERP__MAIN__VENDOR": "demo",
        "DINGERP_DATA_DIR": str(folder),
        "DINGERP_HTTP__PORT": "0",
        **UNLIMITED,
        **ONE_CARD,
        **more,
    }
    if wanted["DINGERP_ERP__MAIN__VENDOR"] != EMBEDDED:
        wanted.setdefault("DINGERP_ACCESS__OPEN", "true")
    if wanted.get("DINGERP_DATABASE_URL", "").startswith("postgresql"):
        wanted.setdefault("DINGERP_DATA_KEY", SHARED_KEY)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return {**inherited, **{name: value for name, value in wanted.items() if value}}


def own_environment() -> dict[str, str]:
    """Return the variables for a program of the tests' own."""
    return {**os.environ, "PYTHONPATH": str(_ROOT)}


NO_INDEX = {"DINGERP_INDEX__ENABLED": "false", "DINGERP_UNDERSTANDING__ENABLED": "false"}
"""For tests without product searches and sentences: the dictionary of pinyin is one more process to start."""


def used_before(folder: Path) -> Path:
    """Create the data folder as after a first start: creating the databases takes a third of a bot's start.

    The tests of `dingerp run` cover the first start itself.
    """
    folder.mkdir(parents=True, exist_ok=True)
    store = create_engine(f"sqlite:///{folder / 'dingerp.sqlite3'}")
    with store.begin() as connection:
        database.make_first_tables(connection, latest_revision())
    store.dispose()
    company = create_engine(f"sqlite:///{folder / 'erp-main.sqlite3'}", isolation_level="AUTOCOMMIT")
    with company.connect() as connection:
        seeding.prepare(connection, datetime.now(ZONE).date())
    company.dispose()
    return folder


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended."""

    code: int
    out: str
    err: str
    seconds: float = 0.0
    """Seconds from the request to stop until the end."""


@dataclass(slots=True)
class Program:
    """A running process. Its output goes to files, so it never waits for a reader."""

    process: asyncio.subprocess.Process | ForkedProcess
    out_file: Path
    err_file: Path

    @property
    def out(self) -> str:
        """Its standard output so far."""
        return self.out_file.read_text()

    @property
    def err(self) -> str:
        """Its standard error so far."""
        return self.err_file.read_text()

    def logged(self, event: str) -> list[Mapping[str, object]]:
        """Return the log's entries of this kind (the log is JSON, unless configured otherwise)."""
        entries = [orjson.loads(line) for line in self.err.splitlines() if line.startswith("{") and line.endswith("}")]
        return [entry for entry in entries if entry.get("event") == event]

    async def saying(self, event: str) -> Mapping[str, object]:
        """Wait for the first entry of this kind in the log."""
        await eventually(lambda: self.logged(event) or self.process.returncode is not None, hint=lambda: self.err)
        assert self.logged(event), self.err
        return self.logged(event)[0]

    async def writing(self, lines: int) -> None:
        """Wait until it has written so many lines to standard output."""
        await eventually(lambda: self.out.count("\n") >= lines or self._has_ended, hint=lambda: self.err)
        assert self.out.count("\n") >= lines, self.err

    @property
    def _has_ended(self) -> bool:
        return self.process.returncode is not None

    async def kill(self) -> None:
        """Kill it, as a power cut or the kernel would; if it works, that is counted."""
        if self.process.returncode is None:
            KILLED[os.environ["PYTEST_CURRENT_TEST"].partition("::")[0]] += 1
        await self.end()

    async def end(self) -> None:
        """Make sure that it runs no more."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> Exit:
        """Ask it to stop and wait until it has ended."""
        asked = perf_counter()
        self.process.send_signal(signal.SIGTERM)
        return await self.ended(asked)

    async def ended(self, since: float | None = None) -> Exit:
        """Wait until it ends by itself."""
        async with asyncio.timeout(LONGEST_WAIT):
            code = await self.process.wait()
        return Exit(code, self.out, self.err, perf_counter() - since if since is not None else 0.0)


@asynccontextmanager
async def program(*arguments: str, env: Mapping[str, str], folder: Path) -> AsyncIterator[Program]:
    """Start Python with ``arguments`` in ``folder``; a process that still runs at the end is killed."""
    out_file, err_file = _outputs(folder)
    with out_file.open("wb") as out, err_file.open("wb") as err:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, env=dict(env), cwd=folder, stdout=out, stderr=err
        )
    async with _running(Program(process, out_file, err_file)) as started:
        yield started


@asynccontextmanager
async def forked(module: str, *arguments: str, env: Mapping[str, str], folder: Path) -> AsyncIterator[Program]:
    """Like `program` with ``-m`` and a module, in a quarter of the time: for tests that start many processes."""
    out_file, err_file = _outputs(folder)
    out_file.touch()
    err_file.touch()
    process = await fork(module, *arguments, env=env, folder=folder, out=out_file, err=err_file)
    async with _running(Program(process, out_file, err_file)) as started:
        yield started


@asynccontextmanager
async def at_work(module: str, *arguments: str, folder: Path) -> AsyncIterator[Program]:
    """Fork one of the tests' own programs, and wait until it has written its first line."""
    async with forked(module, *arguments, env=own_environment(), folder=folder) as started:
        await started.writing(1)
        yield started


@asynccontextmanager
async def _running(started: Program) -> AsyncIterator[Program]:
    try:
        yield started
    finally:
        await started.end()


def _write(file: Path, content: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)


def _outputs(folder: Path) -> tuple[Path, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    number = len(list(folder.glob("*.err")))
    return folder / f"{number}.out", folder / f"{number}.err"


@asynccontextmanager
async def dingerp(*arguments: str, env: Mapping[str, str], folder: Path) -> AsyncIterator[Program]:
    """Start ``dingerp`` as `forked` does. Starts in a fresh Python: the first test of `dingerp run`, and the wheel."""
    async with forked("bot.cli", *arguments, env=env, folder=folder) as started:
        yield started


async def run_dingerp(*arguments: str, env: Mapping[str, str], folder: Path, settings: str = "") -> Exit:
    """Run ``dingerp`` to its end; ``settings`` is the content of its ``dingerp.toml``."""
    if settings:
        _write(folder / "dingerp.toml", settings)
    async with dingerp(*arguments, env=env, folder=folder) as started:
        return await started.ended()


async def connected(engine: SimEngine) -> None:
    """Wait until a bot is connected to the simulator."""
    await engine.wait_for(lambda: engine.pushes.connections, timeout=LONGEST_WAIT)
