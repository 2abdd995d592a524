"""Runs the steps of a documentation page in a temporary folder and in subprocesses."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile


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
        """Run Python in the folder and return its output; fails if the exit code is not the expected one."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "DING", "COV"))}
        ended = subprocess.run(
            [sys.executable, *arguments],
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
