"""CEL, loaded with the first condition, and a limit on the cost of text patterns.

The package ``cel`` imports its own command line with prompt_toolkit, pygments and rich. Measured in a running bot: the
extension alone takes 3 ms and 3 MB, with its package 115 ms and 12 MB. The location of the extension inside the package
is not guaranteed, so ``pyproject.toml`` pins the release to 0.10.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from functools import cache
from importlib.machinery import PathFinder
from math import prod
from typing import TYPE_CHECKING, cast

from bot.words.phrase import phrase

if TYPE_CHECKING:
    from types import ModuleType

    from cel import Context, Program


_NAME = "cel.cel"


def compile_program(source: str) -> Program:
    """Return the program; raises `ValueError` with the parser's message."""
    return cast("Program", _extension().compile(source))


def new_context() -> Context:
    """Return an empty set of variables."""
    return cast("Context", _extension().Context())


@cache
def _extension() -> ModuleType:
    """Import the extension without its package."""
    if _NAME in sys.modules:
        return sys.modules[_NAME]
    package = importlib.util.find_spec("cel")
    spec = PathFinder.find_spec(_NAME, package.submodule_search_locations) if package else None
    if spec is None or spec.loader is None:
        raise ImportError("common-expression-language is missing, or has no cel.cel as release 0.10 has")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # An extension is initialised once per process: later imports of the package get this one.
    sys.modules[_NAME] = module
    return module


_EXAMPLE = phrase("an example is subject.matches('^A[0-9]+$')")
_WIDE, _NARROW = re.compile(r"\\[wWpPbB]"), re.compile(r"\\[dDsS]|\.|\[\^")
_REPEATED = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_WIDE_COST = 12
_MOST = 100
"""About a millisecond."""
_MOST_REPEATED = 1000


def check_pattern(literal: str) -> None:
    """Raise `ValueError` for a CEL string literal that is no pattern, or too expensive."""
    repeated = prod(max(int(low), int(high or 0), 1) for low, high in _REPEATED.findall(literal))
    cost = (_WIDE_COST * len(_WIDE.findall(literal)) + len(_NARROW.findall(literal))) * repeated
    if cost > _MOST or repeated > _MOST_REPEATED:
        raise ValueError(
            phrase(
                "%(literal)s costs too much for each event, write [a-z0-9] for \\w; %(example)s",
                literal=f"{literal:.60}",
                example=_EXAMPLE,
            )
        )
    try:
        compile_program(f"''.matches({literal})").execute(new_context())
    except (RuntimeError, ValueError):
        raise ValueError(
            phrase("%(literal)s is no pattern, %(example)s", literal=f"{literal:.60}", example=_EXAMPLE)
        ) from None
