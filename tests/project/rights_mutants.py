"""Changes of the code that decides who sees and does what, by hand: each must fail a test that the list names.

`make mutants-rights` makes one at a time in a copy of the project and runs its tests. mutmut (`make mutants`) draws its
changes at random; these are the mistakes that would open a door.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from .tree import ROOT, files

LIST = Path(__file__).with_suffix(".toml")

KINDS = frozenset({"scope", "source", "member", "field class", "way", "command", "closed by default"})
"""What a mutant drops."""

_WORKERS, _SECONDS = 2, 600
_FAILED = 1
"""pytest's exit code when tests ran and some failed; others mean that they did not run."""


@dataclass(frozen=True, slots=True)
class RightsMutant:
    """One change: the words ``before``, which stand once in ``file``, become ``after``; ``tests`` are node ids."""

    name: str
    drops: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]

    def applied_to(self, code: str) -> str:
        """Return the changed code. Raises `ValueError` where the words don't stand in it exactly once."""
        if code.count(self.before) != 1:
            raise ValueError(f"{self.name}: {self.file} has the words {code.count(self.before)} times")
        return code.replace(self.before, self.after)


def read_mutants() -> tuple[RightsMutant, ...]:
    listed = tomllib.loads(LIST.read_text(encoding="utf-8"))["mutant"]
    return tuple(RightsMutant(**{**each, "tests": tuple(each["tests"])}) for each in listed)


def find_survivors(mutants: Sequence[RightsMutant]) -> Iterator[RightsMutant]:
    """Yield the mutants whose tests pass."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(_WORKERS) as pool:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(_WORKERS):
            copies.put(_copy_project(Path(folder, str(number))))
        tests = sorted({test for mutant in mutants for test in mutant.tests})
        if not _passes(tests, Path(folder, "0")):
            raise RuntimeError("the tests fail without any change, so they would kill all mutants")

        def survives(mutant: RightsMutant) -> bool:
            copy = copies.get()
            try:
                return not _is_killed(mutant, copy)
            finally:
                copies.put(copy)

        for mutant, survived in zip(mutants, pool.map(survives, mutants), strict=True):
            if survived:
                yield mutant


def _copy_project(folder: Path) -> Path:
    for path in files():
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return folder


def _is_killed(mutant: RightsMutant, copy: Path) -> bool:
    """Return whether a test fails in a changed copy. Raises `RuntimeError` where the tests cannot run."""
    with _changed(copy / mutant.file, mutant):
        return not _passes(mutant.tests, copy)


def _passes(tests: Iterable[str], copy: Path) -> bool:
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy), "CI": "true"},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if ran.returncode not in (0, _FAILED):
        raise RuntimeError(f"{ran.stdout}{ran.stderr}")
    return ran.returncode == 0


@contextmanager
def _changed(path: Path, mutant: RightsMutant) -> Iterator[None]:
    code = path.read_text(encoding="utf-8")
    path.write_text(mutant.applied_to(code), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(code, encoding="utf-8")


def _named(names: Iterable[str]) -> tuple[RightsMutant, ...]:
    wanted = frozenset(names)
    return tuple(mutant for mutant in read_mutants() if not wanted or mutant.name in wanted)


def main(names: Sequence[str]) -> int:
    """Run the mutants of these names, or all; print the survivors and return 1 if there are any."""
    mutants = _named(names)
    survivors = 0
    for mutant in find_survivors(mutants):
        survivors += 1
        print(f"survived: {mutant.name} ({mutant.file})", flush=True)
    print(f"{len(mutants) - survivors} of {len(mutants)} mutants were killed.")
    return int(survivors > 0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
