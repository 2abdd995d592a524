"""A project made by following a page of the documentation, in a folder and processes of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile


class PageProject:
    """Holds the files that a page shows and runs what it says; ``path`` is where Python finds packages."""

    def __init__(self, folder: Path, *, path: Sequence[Path]) -> None:
        self.folder = folder
        self._path = os.pathsep.join(map(str, path))

    def write(self, name: str, content: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")

    def python(self, *arguments: str, fails: bool = False) -> str:
        """Run Python in the folder and return what it wrote; fails with that unless it ends as expected."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "DING", "COV"))}
        ended = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env={**kept, "PYTHONPATH": self._path},
            capture_output=True,
            text=True,
            timeout=50,
        )
        written = f"{ended.stdout}\n{ended.stderr}"
        assert bool(ended.returncode) == fails, written
        return written

    def install(self, target: Path) -> None:
        """Do what pip does without a network: build the package and unpack it."""
        self.python("-m", "hatchling", "build", "-t", "wheel", "-d", str(target.with_name("built")))
        (wheel,) = target.with_name("built").glob("*.whl")
        with ZipFile(wheel) as archive:
            archive.extractall(target)
