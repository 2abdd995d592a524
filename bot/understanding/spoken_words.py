"""Literal words of the sentence files, searched all at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from operator import add

PARTED = "…"
"""Stands in a word for other words between its parts: Chinese verbs part from their objects."""
NUMBER = "#"
"""Stands for any number in the words of wishes and of what is unknown: 出库#, "book #"."""
_ANY_NUMBER = r"\s*(?:[0-9][0-9.,]*|[一二两三四五六七八九十百千万半]+)"


@dataclass(frozen=True, kw_only=True)
class SpokenWords:
    """Words searched all at once; most sentences contain none, which a cheap test detects without the pattern."""

    begin: Mapping[str, tuple[str, ...]] = field(compare=False)
    """What the words begin with, by one or two signs of it."""
    signs: frozenset[str] = field(compare=False)
    words: tuple[str, ...]
    """The longest first."""

    @classmethod
    def of(cls, words: Iterable[str]) -> SpokenWords:
        """Build it from lower-case words; Latin ones are whole."""
        longest_first = tuple(sorted(words, key=lambda word: (-len(word), word)))
        begin: dict[str, tuple[str, ...]] = {}
        for word in _beginnings(longest_first):
            begin[word[:2]] = (*begin.get(word[:2], ()), word)
        return cls(begin=begin, signs=frozenset(begin), words=longest_first)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        # Made at the first sentence that may hold one of the words: all patterns take a tenth of a bot's start.
        return re.compile("|".join(map(_pattern_of, self.words)))

    def search(self, text: str) -> re.Match[str] | None:
        """Return the first match in a lower-case text."""
        return next(self.find_all(text), None)

    def find_all(self, text: str) -> Iterator[re.Match[str]]:
        """Yield the matches in a lower-case text."""
        said = _signs_in(text)
        if not self.signs.isdisjoint(said):
            for signs in self.signs & said:
                if any(word in text for word in self.begin[signs]):
                    return self._pattern.finditer(text)
        return iter(())

    @cached_property
    def in_chinese(self) -> str:
        """The Chinese ones as part of a pattern, for use among other words."""
        return "|".join(_pattern_of(word) for word in self.words if not word.isascii())

    @cached_property
    def in_english(self) -> str:
        """The Latin ones, likewise."""
        return "|".join(_pattern_of(word) for word in self.words if word.isascii())


def _pattern_of(word: str) -> str:
    escaped = re.escape(word)
    pattern = rf"(?<![a-z]){escaped}(?![a-z])" if word.isascii() else escaped.replace(PARTED, ".{1,16}?")
    return pattern.replace(re.escape(NUMBER), _ANY_NUMBER)


# Asked again and again for one sentence, by each list of words.
@lru_cache(maxsize=8)
def _signs_in(text: str) -> frozenset[str]:
    """Return the characters of a text and its adjacent pairs."""
    return frozenset(text) | frozenset(map(add, text, text[1:]))


def _beginnings(words: Iterable[str]) -> tuple[str, ...]:
    """Return the prefixes of words, without those that begin with another: 没开票 and 没开发票 with 没开."""
    begin: list[str] = []
    for word in sorted({re.split(rf"[{PARTED}{NUMBER}]", word)[0] for word in words}):
        if not begin or not word.startswith(begin[-1]):
            begin.append(word)
    return tuple(begin)
