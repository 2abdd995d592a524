"""The extension behind conditions is where the pinned release has it, and is loaded without its package."""

from __future__ import annotations

import subprocess
import sys

from tests.project.tree import ROOT

LOADED = """
import sys
from bot.alerts.rules.cel_engine import compile_program, new_context
assert compile_program("1 + 1 == 2").execute(new_context()) is True
print(*sorted(name for name in sys.modules if name.partition(".")[0] in ("cel", "prompt_toolkit", "pygments")))
import cel
print(cel.evaluate("2 * 3"))
"""


def test_the_extension_is_loaded_without_its_package() -> None:
    ran = subprocess.run([sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["cel.cel", "6"]
