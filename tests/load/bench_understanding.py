"""What reading sentences costs: ``python -m tests.load.bench_understanding`` prints the numbers.

The company has 100 000 products and 20 000 customers and vendors with Chinese names. Asked are the sentences of the
tests' tables, and as many again with names of that company: whole, in part, by pinyin, by first letters, and of nobody.
"""

from __future__ import annotations

import asyncio
import platform
import random
import statistics
import tracemalloc
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import process_time

from bot.chat.registry import Commands
from bot.erp.index.pinyin import look_up, spell
from bot.understanding.grammar import Grammar
from bot.understanding.learning import COMMON
from bot.understanding.sentences import Sentences
from bot.understanding.vocabulary import NumberShape, Vocabulary
from tests.understanding.test_sentences import SENTENCES

PRODUCTS, PARTNERS = 100_000, 20_000
READING_MS = 5.0
"""The goal at the 95th percentile, of processor time."""
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class UnderstandingFigures:
    """Processor time of each sentence in milliseconds, and what it took to begin."""

    readings: Sequence[float]
    prepare_seconds: float
    megabytes: float


def measure(products: int, partners: int) -> UnderstandingFigures:
    """Read all sentences in a company of this size. Of each the quickest of a few rounds counts."""
    commands = Commands.discover()
    sentences = Sentences.load(commands)
    chance = random.Random(7)
    tracemalloc.start()
    vocabulary = make_vocabulary(products, partners, chance)
    Grammar(commands, sentences, vocabulary).prepare()
    megabytes = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    again = make_vocabulary(products, partners, random.Random(7))
    began = process_time()
    grammar = Grammar(commands, sentences, again).prepare()
    prepared = process_time() - began
    asked = [*(sentence for sentence, _ in SENTENCES), *_about(vocabulary, chance, len(SENTENCES))]
    readings = [min(_timed(grammar, sentence) for _ in range(ROUNDS)) for sentence in asked]
    return UnderstandingFigures(sorted(readings), prepared, megabytes)


def make_vocabulary(products: int, partners: int, chance: random.Random) -> Vocabulary:
    """Return the words of a company with so many names."""
    readings = asyncio.run(look_up(set(COMMON)))

    def word(signs: int) -> str:
        return "".join(chance.choices(COMMON, k=signs))

    cities, trades = [word(2) for _ in range(300)], [word(2) for _ in range(400)]
    names = tuple(f"{chance.choice(cities)}{word(2)}{chance.choice(trades)}有限公司" for _ in range(partners))
    goods = tuple(f"{chance.choice(trades)}{word(2)} M{chance.randint(3, 30)} {place}" for place in range(products))
    spellings = {name: spell(name, readings) for name in names}
    prefixes = {"order": "SO-", "invoice": "INV-", "po": "PO-", "mo": "MO-"}
    return Vocabulary(
        documents={command: (NumberShape(prefix),) for command, prefix in prefixes.items()},
        products=(NumberShape("SKU"),),
        warehouses=("上海仓", "深圳仓"),
        partners=names,
        goods=goods,
        pinyin={name: syllables for name, (_, syllables) in spellings.items()},
        initials={name: letters for name, (letters, _) in spellings.items()},
        readings=readings,
    )


def _about(vocabulary: Vocabulary, chance: random.Random, count: int) -> Iterator[str]:
    for turn in range(count):
        name = chance.choice(vocabulary.partners)
        subject = (
            name,
            name[:4],
            vocabulary.pinyin[name].split()[0][:9],
            vocabulary.initials[name].split()[0][:4],
            chance.choice(vocabulary.goods).split()[0],
            "".join(chance.choices(COMMON, k=4)),
        )[turn % 6]
        yield f"{subject}{chance.choice(('的订单', '还有多少', '欠多少钱', '最近怎么样'))}"


def _timed(grammar: Grammar, sentence: str) -> float:
    began = process_time()
    grammar.read(sentence)
    return (process_time() - began) * 1e3


def percentile(readings: Sequence[float], part: float) -> float:
    """Return the value below which this part of sorted ``readings`` is."""
    return readings[min(len(readings) - 1, int(len(readings) * part))]


def main() -> None:
    figures = measure(PRODUCTS, PARTNERS)
    below = bisect_left(figures.readings, READING_MS) / len(figures.readings)
    print(f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}")
    print(f"{PRODUCTS} products, {PARTNERS} partners, {len(figures.readings)} sentences")
    print(f"median {statistics.median(figures.readings):.2f} ms, p95 {percentile(figures.readings, 0.95):.2f} ms,")
    print(f"longest {figures.readings[-1]:.2f} ms; {below:.1%} below {READING_MS:g} ms (processor time)")
    print(f"prepared in {figures.prepare_seconds:.2f} s beside the loop, {figures.megabytes:.0f} MB")


if __name__ == "__main__":
    main()
