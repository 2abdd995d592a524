"""Learns what sentences are like from those of the tables: ``python -m tests.understanding.training``.

Logistic regression with a fixed seed: the same sentences always give the same weights.
"""

from __future__ import annotations

import asyncio
import math
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random

import orjson

from bot.chat.parsing import normalise
from bot.chat.registry import Commands
from bot.understanding.exporting import drop_export
from bot.understanding.grammar import Grammar
from bot.understanding.likeness import NOTHING, SCALE, Likeness
from bot.understanding.sentences import Sentences
from tests.understanding.conftest import learn_demo
from tests.understanding.test_sentences import SENTENCES

FILE = Path("commands/sentences/likeness.json")
EPOCHS = 14
RATE = 0.5
LEAST_COUNT = 2
"""How often a piece must stand in the sentences: the others are names and chance."""
LEAST_WEIGHT = 8
"""Hundredths below which a weight is left out."""
_SEED = 18

Example = tuple[frozenset[str], str]


def learn(grammar: Grammar, table: Iterable[tuple[str, str]]) -> dict[str, object]:
    """Return the commands and the weights of pieces, from sentences with the lines that they ask for."""
    read = [
        (pieces, name)
        for sentence, line in table
        if (name := _command(line))
        for pieces in _pieces(grammar, sentence, stranger=name not in {NOTHING, "find"})
    ]
    counts = Counter(piece for pieces, _ in read for piece in pieces)
    examples = [(frozenset(piece for piece in pieces if counts[piece] >= LEAST_COUNT), name) for pieces, name in read]
    commands = sorted({name for _, name in examples})
    weights = _fit(examples, commands)
    kept = {
        piece: {
            command: value for command, weight in each.items() if abs(value := round(weight * SCALE)) >= LEAST_WEIGHT
        }
        for piece, each in sorted(weights.items())
    }
    return {"commands": commands, "weights": {piece: each for piece, each in kept.items() if each}}


def _command(line: str) -> str:
    name = line.removeprefix("/").partition(" ")[0]
    return "" if name in {"?", "export"} else NOTHING if line == NOTHING else name


def _pieces(grammar: Grammar, sentence: str, *, stranger: bool) -> Iterator[frozenset[str]]:
    """Yield what a sentence is like, also if it is a ``stranger`` whom it names: names are no sign of office talk."""
    text = normalise(sentence)
    if drop_export(text) is not None or text.startswith("/"):
        return
    scan = grammar.recognition.scan(text)
    yield (known := frozenset(grammar.pieces(scan)))
    unknown = frozenset(grammar.pieces_without_names(scan))
    if stranger and unknown != known:
        yield unknown


def _fit(examples: Sequence[Example], commands: Sequence[str]) -> dict[str, dict[str, float]]:
    weights: dict[str, dict[str, float]] = {}
    order, rng = list(examples), Random(_SEED)
    for epoch in range(EPOCHS):
        rng.shuffle(order)
        rate = RATE / (1 + epoch)
        for pieces, name in order:
            sums = dict.fromkeys(commands, 0.0)
            for piece in pieces:
                for command, weight in weights.get(piece, {}).items():
                    sums[command] += weight
            top = max(sums.values())
            shares = {command: math.exp(value - top) for command, value in sums.items()}
            total = sum(shares.values())
            for command, share in shares.items():
                step = rate * ((command == name) - share / total)
                if abs(step) > 0.005:
                    for piece in sorted(pieces):
                        each = weights.setdefault(piece, {})
                        each[command] = each.get(command, 0.0) + step
    return weights


def main() -> None:
    """Learn from the tables, and write the weights beside the lists of words."""
    commands = Commands.discover()
    with tempfile.TemporaryDirectory() as folder:
        vocabulary = asyncio.run(learn_demo(Path(folder)))
    grammar = Grammar(commands, Sentences.load(commands), vocabulary, Likeness((), {}))
    FILE.write_bytes(orjson.dumps(learn(grammar, SENTENCES)) + b"\n")


if __name__ == "__main__":
    main()
