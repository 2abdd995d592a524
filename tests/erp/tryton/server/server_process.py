"""Serves copies of the filled database on a free port of localhost, and stops the server by its process id."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.erp.tryton.server.installation import (
    HERE,
    HOME,
    QUICKLY,
    Prepared,
    home,
    prepared,
    python,
    write_config,
)
from tests.free_ports import free_port

_VERSION = b'{"id":0,"method":"common.server.version","params":[]}'
_START_SECONDS = 60
_ATTEMPTS = 3
"""Attempts to find a port: another program may take it before the server does."""


def begin() -> subprocess.Popen[bytes] | None:
    """Start installing and filling in the background, unless it is done; `finish` waits for it."""
    if prepared().ready and Path(python()).exists():
        return None
    with (home() / "prepare.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.erp.tryton.server"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=HERE.parents[3],
        )


def finish(preparing: subprocess.Popen[bytes] | None) -> Prepared:
    """Wait until the installation is complete; raises `RuntimeError` with the last lines of the log if it failed."""
    if preparing is not None and preparing.wait() != 0:
        lines = (HOME / "prepare.log").read_text(errors="replace").splitlines()
        raise RuntimeError("Tryton could not be prepared:\n" + "\n".join(lines[-15:]))
    return prepared()


def steps() -> dict[str, float]:
    """Return the seconds that each step of the last preparation took."""
    lines = (home() / "prepare.log").read_text(errors="replace").splitlines()
    told = [json.loads(line) for line in lines if line.startswith('{"step"')]
    return {step["step"]: step["seconds"] for step in told}


@dataclass
class TrytonServer:
    """A server whose databases are copies; ``expected`` is the server's report on the original."""

    source: Prepared
    folder: Path
    databases: tuple[str, ...]
    url: str = ""
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def expected(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "expected.json").read_text(encoding="utf-8")))

    def start(self) -> None:
        """Copy, serve, and wait until the server answers; raises `RuntimeError` if it does not."""
        shutil.copy(self.source.expected, self.folder)
        for name in self.databases:
            shutil.copy(self.source.database, self.folder / f"{name}.sqlite")
        for _ in range(_ATTEMPTS):
            if self._start(free_port()):
                return
        raise RuntimeError(f"Tryton does not start, see {self.folder / 'trytond.log'}")

    def _start(self, port: int) -> bool:
        config = write_config(self.folder, port)
        # Without the names of its databases, the server answers no call on them.
        with (self.folder / "trytond.log").open("ab") as log:
            self._process = subprocess.Popen(
                [python(), QUICKLY, "-m", "trytond.cli", "-c", str(config), "-d", *self.databases],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(HERE), "TRYTON_TODAY": self.expected["today"]},
            )
        self.url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            request = urllib.request.Request(f"{self.url}/rpc/", _VERSION, {"Content-Type": "application/json"})
            try:
                with urllib.request.urlopen(request, timeout=2):
                    return True
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        self.stop()
        return False

    def stop(self) -> None:
        """End the server."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
