"""Runs the steps of a documentation page in a temporary folder and in subprocesses."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from zipfile import ZipFile

from .tree import ROOT

BIN = Path(sys.executable).parent


def recipe(target: str) -> Iterator[list[str]]:
    """Yield the commands by which the Makefile makes a target, with the programs of this environment."""
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    for line in found[1].splitlines():
        yield shlex.split(line.strip().removeprefix("@").replace("$(BIN)", str(BIN)))


class PageProject:
    """Holds a page's files and runs its commands; ``path`` is where Python finds packages."""

    def __init__(self, folder: Path, *, path: Sequence[Path]) -> None:
        self.folder = folder
        self._path = os.pathsep.join(map(str, path))

    def write(self, name: str, content: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")

    def python(self, *arguments: str, fails: bool = False) -> str:
        """Run Python in the folder; see `run`."""
        return self.run(sys.executable, *arguments, fails=fails)

    def run(self, *command: str, fails: bool = False) -> str:
        """Run a command in the folder and return its output; fails if the exit code is not the expected one."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "DING", "COV"))}
        ended = subprocess.run(
            command,
            cwd=self.folder,
            env={**kept, "PYTHONPATH": self._path},
            capture_output=True,
            text=True,
            timeout=240,
        )
        written = f"{ended.stdout}\n{ended.stderr}"
        assert bool(ended.returncode) == fails, written
        return written

    def install(self, target: Path) -> None:
        """Build the package and unpack it, like pip but without a network."""
        self.python("-m", "hatchling", "build", "-t", "wheel", "-d", str(target.with_name("built")))
        (wheel,) = target.with_name("built").glob("*.whl")
        with ZipFile(wheel) as archive:
            archive.extractall(target)
