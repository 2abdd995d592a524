"""Patterns of text in conditions: they are matched in linear time, but compiled each time, which is what they cost.

Measured (CEL 0.10.0): ``^A[0-9]+$`` takes 7 µs, ``^\\w+$`` 180 µs (all letters of all scripts), ``\\w{100}`` 51 ms.
"""

from __future__ import annotations

import re
from math import prod

from bot.alerts.rules.engine import compile_program, new_context

_EXAMPLE = "an example is subject.matches('^A[0-9]+$')"
_WIDE, _NARROW = re.compile(r"\\[wWpPbB]"), re.compile(r"\\[dDsS]|\.|\[\^")
_REPEATED = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_WIDE_COST = 12
_MOST = 100
"""About a millisecond."""
_MOST_REPEATED = 1000


def check_pattern(literal: str) -> None:
    """Raise `ValueError` for a string literal of CEL that is no pattern, or one that costs too much."""
    repeated = prod(max(int(low), int(high or 0), 1) for low, high in _REPEATED.findall(literal))
    cost = (_WIDE_COST * len(_WIDE.findall(literal)) + len(_NARROW.findall(literal))) * repeated
    if cost > _MOST or repeated > _MOST_REPEATED:
        raise ValueError(f"{literal:.60} costs too much for each event, write [a-z0-9] for \\w; {_EXAMPLE}")
    try:
        compile_program(f"''.matches({literal})").execute(new_context())
    except (RuntimeError, ValueError):
        raise ValueError(f"{literal:.60} is no pattern, {_EXAMPLE}") from None
