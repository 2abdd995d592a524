"""A real Tryton server, prepared while other tests run and started by the first test that needs it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.erp.tryton.server import server_process
from tests.erp.tryton.server.server_process import TrytonServer

READING, DECIDING, CHATTING = "reading", "deciding", "chatting"
"""Copies of one database, so that decisions in one do not affect the others.

They are few because the server loads all modules for each.
"""

_PREPARING = pytest.StashKey[subprocess.Popen[bytes] | None]()
_TIMES = pytest.StashKey[dict[str, float]]()
_FIXTURE = "tryton_server"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the real server after two thirds of the others.

    It is installed and filled while those run; idle workers take the last third.
    """
    own = [item for item in items if _wants_server(item)]
    others = [item for item in items if not _wants_server(item)]
    place = 2 * len(others) // 3
    while 0 < place < len(others) and others[place].path == others[place - 1].path:
        place += 1
    items[:] = [*others[:place], *own, *others[place:]]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start once for all workers; any of them may wait for it later."""
    first = os.environ.get("PYTEST_XDIST_WORKER", "gw0") == "gw0"
    if first and any(map(_wants_server, session.items)) and not session.config.option.collectonly:
        session.config.stash[_PREPARING] = server_process.begin()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Clean up if the run ends before a test needed the server."""
    preparing = config.stash.get(_PREPARING, None)
    if preparing is not None and preparing.poll() is None:
        preparing.terminate()
        preparing.wait(10)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if _TIMES in config.stash:
        times = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in config.stash[_TIMES].items())
        terminalreporter.write_line(f"Tryton server: {times}")


def _wants_server(item: pytest.Item) -> bool:
    return _FIXTURE in getattr(item, "fixturenames", ())


@pytest.fixture(scope="session")
def tryton_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrytonServer]:
    times: dict[str, float] = {}
    request.config.stash[_TIMES] = times
    begun = time.monotonic()
    preparing = request.config.stash.get(_PREPARING, None) or server_process.begin()
    source = server_process.finish(preparing)
    times["waited until it was installed and filled"] = time.monotonic() - begun
    times |= server_process.steps() if preparing is not None else {}
    server = TrytonServer(source, tmp_path_factory.mktemp("tryton"), (READING, DECIDING, CHATTING))
    begun = time.monotonic()
    server.start()
    times["started in"] = time.monotonic() - begun
    yield server
    server.stop()
