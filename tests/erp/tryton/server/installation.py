"""Installs Tryton into a separate environment and fills a database; a complete and recent one is reused.

It runs in a separate process, so that it can start early and be awaited late; concurrent runs wait for each other.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

HERE = Path(__file__).resolve().parent
HOME = HERE.parents[3] / ".tryton"
DATABASE = "demo"
MODULES = (
    *("account_invoice_stock", "production", "purchase"),
    *("sale", "stock_lot_sled", "stock_supply", "stock_supply_production"),
)
_CONTENT = (
    *("requirements.txt", "demo_company.py", "groundwork.py", "documents.py"),
    *("report.py", "sparing.py", "fill.py"),
)
"""The inputs that determine the content of the database."""
_ADMIN_PASSWORD = "Admin#2026"


@dataclass(frozen=True)
class Prepared:
    """A filled database."""

    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / f"{DATABASE}.sqlite"

    @property
    def expected(self) -> Path:
        return self.folder / "expected.json"

    @property
    def ready(self) -> bool:
        """Whether it is complete (the report is written last) and of today: the server forecasts from today on."""
        if not self.expected.exists():
            return False
        today: str = json.loads(self.expected.read_text())["today"]
        return today == date.today().isoformat()  # noqa: DTZ011  # as the server and the data say it


def prepared() -> Prepared:
    """Return the location of the database for the present data, filled or not."""
    digest = hashlib.sha256()
    for name in _CONTENT:
        digest.update(name.encode() + b"\0" + (HERE / name).read_bytes())
    return Prepared(HOME / digest.hexdigest()[:12])


def python() -> str:
    """Return the Python of Tryton's environment."""
    return str(HOME / "venv" / "bin" / "python")


QUICKLY = "-O"
"""Skips Tryton's own assertions, which iterate over all of the many records it reads."""


def prepare() -> Prepared:
    """Run the missing steps. Raises `subprocess.CalledProcessError` if a step fails."""
    home()
    with _alone():
        _install()
        target = prepared()
        if not target.ready:
            _fill(target)
    return target


def home() -> Path:
    """Return the directory of all installations, which git ignores."""
    HOME.mkdir(exist_ok=True)
    (HOME / ".gitignore").write_text("*\n")
    return HOME


@contextmanager
def _alone() -> Iterator[None]:
    with (HOME / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install() -> None:
    requirements, stamp = HERE / "requirements.txt", HOME / "venv" / "installed"
    wanted = f"{sys.version}\n{requirements.read_text()}"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    with _step("environment"):
        venv.create(HOME / "venv", with_pip=False, clear=True)
    with _step("install"):
        install = HERE.parents[3] / ".ci" / "install.py"
        subprocess.run([sys.executable, install, "--python", python(), "-r", requirements], check=True)
    stamp.write_text(wanted)


def _fill(target: Prepared) -> None:
    """Fill a new database in a temporary directory, and move it into place when it is complete."""
    with tempfile.TemporaryDirectory(dir=HOME, prefix="filling-") as name:
        filling = Prepared(Path(name))
        config = write_config(filling.folder)
        password = filling.folder / "password"
        password.write_text(_ADMIN_PASSWORD)
        with _step("database"):
            subprocess.run(
                [python(), QUICKLY, HERE / "fill.py", config, filling.database, filling.expected, *MODULES],
                check=True,
                env={**os.environ, "TRYTONPASSFILE": str(password)},
            )
        target.folder.mkdir(exist_ok=True)
        filling.database.replace(target.database)
        filling.expected.replace(target.expected)


def write_config(folder: Path, port: int | None = None) -> Path:
    """Write the server's configuration into the directory of its databases and return its path."""
    lines = ["[password]", "length = 8", "[database]", "uri = sqlite://", f"path = {folder}"]
    if port is not None:
        lines += ["database_mixins = sparing.KeptConnections", "[web]", f"listen = 127.0.0.1:{port}"]
    file = folder / "trytond.conf"
    file.write_text("\n".join(lines) + "\n")
    return file


@contextmanager
def _step(name: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    print(json.dumps({"step": name, "seconds": round(time.monotonic() - started, 1)}), flush=True)
