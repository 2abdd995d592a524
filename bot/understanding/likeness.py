"""Similarity: the pieces of a sentence support commands as they did in known sentences.

The weights are trained on the sentences of the tests (``python -m tests.understanding.training``) and stored beside the
word lists. Codes, names and days are replaced by their kinds first, so the weights apply to all companies, and a name
has no influence. It is a log-linear model: one sum per piece, verifiable by hand.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from struct import Struct

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
_WEIGHT = Struct("<Bh")
"""A weight as it is kept: the place of its command, and hundredths. A table for each piece took five times as much."""

Weights = Mapping[str, Mapping[str, int]]
"""Piece → command → hundredths."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """Returns the commands supported by the pieces of a sentence."""

    commands: Sequence[str]
    packed: Mapping[str, bytes]
    """Piece → its weights (`_WEIGHT`), one after the other."""

    @classmethod
    def of(cls, commands: Sequence[str], weights: Weights) -> Likeness:
        """Build it from the weights of pieces."""
        places = {command: place for place, command in enumerate(commands)}
        pack = _WEIGHT.pack
        return cls(
            commands,
            {
                piece: b"".join([pack(places[command], weight) for command, weight in each.items()])
                for piece, each in weights.items()
            },
        )

    @classmethod
    @cache
    def load(cls) -> Likeness:
        """Load the weights shipped with the program."""
        content = orjson.loads(files("commands").joinpath("sentences", _FILE).read_bytes())
        return cls.of(content["commands"], content["weights"])

    def odds(self, pieces: Iterable[str]) -> dict[str, float]:
        """Return the log probability of each command."""
        sums = [0] * len(self.commands)
        for piece in set(pieces):
            for place, weight in _WEIGHT.iter_unpack(self.packed.get(piece, b"")):
                sums[place] += weight
        top = max(sums, default=0)
        logs = [max((value - top) / SCALE, -_FAR) for value in sums]
        total = math.log(sum(map(math.exp, logs))) if logs else 0.0
        return {command: value - total for command, value in zip(self.commands, logs, strict=True)}


def pieces_of(scan: Scan, kind_of: Callable[[Span], str]) -> list[str]:
    """Return the pieces of a sentence, of one to three characters or words, with recognised parts replaced by their
    kinds.

    ``kind_of`` names the kind of a span; an empty kind keeps its text.
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
