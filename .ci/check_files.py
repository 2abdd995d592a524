"""Check that data files parse and that no merge was left half done: ``python .ci/check_files.py FILE …``.

The git hook passes the files of a commit; without arguments every file of the repository is checked.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import yaml


def _load_yaml(text: str) -> None:
    for _ in yaml.safe_load_all(text):
        pass


PARSERS: dict[str, Callable[[str], object]] = {
    ".json": json.loads,
    ".toml": tomllib.loads,
    ".yaml": _load_yaml,
    ".yml": _load_yaml,
}

CONFLICT = re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE)


def problems(paths: Iterable[Path]) -> Iterator[str]:
    """Yield one line for each file that is wrong; files that are no text are left alone."""
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if mark := CONFLICT.search(text):
            yield f"{path}:{text.count(chr(10), 0, mark.start()) + 1}: merge conflict"
        elif parse := PARSERS.get(path.suffix):
            try:
                parse(text)
            except (ValueError, yaml.YAMLError) as error:
                yield f"{path}: {' '.join(str(error).split())}"


def main(arguments: Sequence[str]) -> int:
    """Print every problem; return 1 if there is one."""
    names = arguments or subprocess.run(
        ["git", "ls-files", "-z"], capture_output=True, text=True, check=True
    ).stdout.strip("\0").split("\0")
    found = list(problems(path for name in names if (path := Path(name)).is_file()))
    for line in found:
        print(line)
    return int(bool(found))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
