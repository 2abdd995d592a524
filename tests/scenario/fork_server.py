"""Python programs as forks of a process that has loaded the bot's modules: loading them is most of a start.

Each fork is a process of its own, with its own environment, folder and files, and can be killed like any other. Other
tests cover how an operator starts the bot.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import importlib
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import orjson

import commands

_ROOT = Path(__file__).parents[2]
_LOADED = (
    *("bot.app", "bot.bootstrap.services", "bot.cli.serving", "bot.kit.company.adapter", "bot.mechanisms.log"),
    *("alembic.command", "chinese_calendar", "psycopg"),
    *(module.name for module in pkgutil.iter_modules(commands.__path__, "commands.")),
)
"""The modules that a bot needs; those that are not installed are left out."""


class ForkedProcess:
    """A running program, with the parts of asyncio's process API that tests need."""

    def __init__(self, pid: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._reader, self._writer = reader, writer
        self._end = asyncio.create_task(self._watch())

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def wait(self) -> int:
        """Wait for its end; return its exit code, or the negative number of the signal that ended it."""
        return await asyncio.shield(self._end)

    async def _watch(self) -> int:
        self.returncode = int(await self._reader.readline() or -1)
        self._writer.close()
        await self._writer.wait_closed()
        return self.returncode


async def fork(
    module: str, *arguments: str, env: Mapping[str, str], folder: Path, out: Path, err: Path
) -> ForkedProcess:
    """Start a module as ``python -m`` does."""
    order = {"command": [module, *arguments], "env": dict(env), "folder": str(folder), "out": str(out), "err": str(err)}
    reader, writer = await asyncio.open_unix_connection(_address())
    writer.write(orjson.dumps(order) + b"\n")
    return ForkedProcess(int(await reader.readline()), reader, writer)


@cache
def _address() -> str:
    """Start the forking process and return the address where it listens. It ends with this process."""
    address = f"\0dingerp-forking-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(listener.fileno())],
            stdin=subprocess.PIPE,
            cwd=_ROOT,
            pass_fds=[listener.fileno()],
        )
    atexit.register(_end, process)
    return address


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.wait()


def main(listener: socket.socket) -> None:
    """Fork for every connection, until the tests end."""
    for module in _LOADED:
        with suppress(ImportError):
            importlib.import_module(module)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, _reap)
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if listener not in ready:
            return
        caller, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            _watch_over(caller)
            return
        caller.close()


def _reap(number: int, frame: FrameType | None) -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _watch_over(caller: socket.socket) -> None:
    """Fork again, so that the parent can report how the program ended; the child returns as the program itself."""
    with caller, caller.makefile("rb") as read:
        order = orjson.loads(read.readline())
        pid = os.fork()
        if pid:
            caller.sendall(b"%d\n" % pid)
            status = os.waitpid(pid, 0)[1]
            with suppress(OSError):
                caller.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
            os._exit(0)
    _become(**order)


def _become(command: Sequence[str], env: Mapping[str, str], folder: str, out: str, err: str) -> None:
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.chdir(folder)
    for name, mode, number in ((os.devnull, os.O_RDONLY, 0), (out, os.O_WRONLY, 1), (err, os.O_WRONLY, 2)):
        file = os.open(name, mode)
        os.dup2(file, number)
        os.close(file)
    module, *arguments = command
    more: Any = env.get("PYTHONPATH", "")
    sys.path[:1] = [folder, *filter(None, more.split(os.pathsep))]
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
