"""What a sentence is like: pieces of it speak for commands as much as they did in sentences that are known.

The weights are learnt from the sentences of the tests (``python -m tests.understanding.training``) and lie beside the
lists of words. Codes, names and days are replaced by their kinds before, so they are the same for all companies, and
a name can say nothing. It is a log-linear model: a sum for each piece, that can be looked up by hand.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import orjson

from bot.understanding.scanning.spans import Scan, Span, SpanKind

NOTHING = "-"
"""Stands for sentences that ask for nothing."""
SCALE = 100
"""Weights are kept as whole hundredths."""
_FILE = "likeness.json"
_LONGEST = 3
"""Signs or words of a piece."""
_TOKEN = re.compile(r"<\w+>|[a-z']+|\S")
_FAR = 30.0

Weights = Mapping[str, Mapping[str, int]]
"""Piece → command → hundredths."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """Says for which commands the pieces of a sentence speak."""

    commands: Sequence[str]
    weights: Weights

    @classmethod
    @cache
    def load(cls) -> Likeness:
        """Read the weights that come with the program."""
        content = orjson.loads(files("commands").joinpath("sentences", _FILE).read_bytes())
        return cls(content["commands"], content["weights"])

    def odds(self, pieces: Iterable[str]) -> dict[str, float]:
        """Return the logarithm of how probable each command is."""
        sums = dict.fromkeys(self.commands, 0)
        for piece in set(pieces):
            for command, weight in self.weights.get(piece, {}).items():
                sums[command] += weight
        top = max(sums.values(), default=0)
        logs = {command: max((value - top) / SCALE, -_FAR) for command, value in sums.items()}
        total = math.log(sum(math.exp(value) for value in logs.values())) if logs else 0.0
        return {command: value - total for command, value in logs.items()}


def pieces_of(scan: Scan, kind_of: Callable[[Span], str]) -> list[str]:
    """Return the pieces of a sentence of one to three signs or words, with the kinds of what was found in their place.

    ``kind_of`` names the kind of a span; an empty one leaves it as it is written.
    """
    text = scan.text.casefold() if len(scan.text.casefold()) == len(scan.text) else scan.text
    for span in sorted(scan.spans, key=lambda span: -span.start):
        if span.kind is not SpanKind.CUE and (kind := kind_of(span)):
            text = f"{text[: span.start]} <{kind}> {text[span.start + len(span.text) :]}"
    tokens = _TOKEN.findall(text)
    return [
        " ".join(tokens[start : start + size])
        for size in range(1, _LONGEST + 1)
        for start in range(len(tokens) - size + 1)
    ]
