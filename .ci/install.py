"""Install into this environment what ``pip install`` would: ``python .ci/install.py -r requirements.lock``.

``--python PATH``, as the first arguments, names the Python of another environment.

pip looks through every file that an index offers of each package, which takes half a minute for the lock; uv takes
three seconds. It asks where pip is configured to ask on this machine. What it does not know, or cannot do, pip does.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UV = Path(sys.executable).with_name("uv")
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")

OPTIONS = {
    "index-url": "--default-index",
    "extra-index-url": "--index",
    "find-links": "--find-links",
    "constraint": "--constraint",
    "trusted-host": "--allow-insecure-host",
}
"""What uv calls a setting of pip. Each may have several values."""

VARIABLES = {"cert": ("SSL_CERT_FILE",), "proxy": ("HTTP_PROXY", "HTTPS_PROXY")}
"""Variables that tell uv the same as a setting of pip."""

OF_NO_ACCOUNT = frozenset(
    {
        *("break-system-packages", "cache-dir", "default-timeout", "disable-pip-version-check", "no-cache-dir"),
        *("no-color", "no-compile", "no-input", "no-warn-script-location", "prefer-binary", "progress-bar", "quiet"),
        *("require-virtualenv", "retries", "root-user-action", "timeout", "use-feature", "verbose", "version"),
    }
)
"""Settings that do not change what is installed where all versions are given."""


def settings(lines: Iterable[str]) -> dict[str, str]:
    """Read what ``pip config list`` says of installing: the environment beats ``install``, which beats ``global``."""
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in lines:
        section, _, rest = line.partition(".")
        name, _, value = rest.partition("=")
        if section in found:
            found[section][name.replace("_", "-")] = str(ast.literal_eval(value))
    return found["global"] | found["install"] | found[":env:"]


def spell(pip: Mapping[str, str]) -> tuple[list[str], dict[str, str]] | None:
    """Return the options and variables that tell uv the same; None where it has no words for it."""
    options, variables = [], {}
    for name, value in pip.items():
        if name in OPTIONS:
            options += [word for each in value.split() for word in (OPTIONS[name], each)]
        elif name in VARIABLES:
            variables |= dict.fromkeys(VARIABLES[name], value)
        elif name == "no-index" and value.casefold() in {"1", "true", "yes", "on"}:
            options.append("--no-index")
        elif name not in OF_NO_ACCOUNT and name != "no-index":
            return None
    # As pip does: the version that is asked for, whichever index has it.
    return [*options, "--index-strategy", "unsafe-best-match"], variables


def by_uv(python: str, arguments: Sequence[str]) -> bool:
    """Install, after uv itself; false where that was not possible."""
    listed = subprocess.run([*PIP, "config", "list"], capture_output=True, text=True, check=False)
    told = spell(settings(listed.stdout.splitlines())) if listed.returncode == 0 else None
    version = re.search(r"^uv==\S+", (ROOT / "requirements-dev.lock").read_text("utf-8"), re.MULTILINE)
    if told is None or version is None:
        return False
    if not UV.exists() and subprocess.run([*PIP, "install", "--no-deps", version.group()], check=False).returncode:
        return False
    options, variables = told
    command = [str(UV), "pip", "install", "--quiet", "--no-config", "--python", python, *options, *arguments]
    return subprocess.run(command, env={**os.environ, **variables}, check=False).returncode == 0


def main(arguments: Sequence[str]) -> int:
    """Install; return pip's exit code where it had to be asked."""
    python, rest = sys.executable, list(arguments)
    if rest[:1] == ["--python"]:
        python, rest = rest[1], rest[2:]
    if by_uv(python, rest):
        return 0
    return subprocess.run([*PIP, "--python", python, "install", *rest], check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
