"""A compact table of many words with their meanings.

Thirty thousand words are known and hardly any is ever used. In a dictionary each takes 160 bytes, mostly for its own
object; here it takes its characters and two more. The words beginning with each pair of characters are looked up first,
and most places in a sentence begin no word at all.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

_FIRST = 2
"""Signs by which words stand together."""
_BEGINS, _MEANS = "\n", "\t"
"""Stand before and after the rest of a word; no text of a person has them (`bot.chat.parsing.normalise`)."""
_OFFSET = 32
"""Values are numbered by signs from here on: those before part words."""


class _Group(NamedTuple):
    rests: str
    """The words without their first signs, each with the sign of its value."""
    sizes: tuple[int, ...]
    """How long they are, the longest first."""


class WordTable(Mapping[str, T], Generic[T]):
    """An immutable mapping of words. Equal values should be one object: each is stored once."""

    def __init__(self, words: Mapping[str, T]) -> None:
        values = {id(value): value for value in words.values()}
        signs = {each: chr(_OFFSET + number) for number, each in enumerate(values)}
        rests: dict[str, list[str]] = {}
        for word, value in words.items():
            rest = f"{_BEGINS}{word[_FIRST:]}{_MEANS}{signs[id(value)]}"
            rests.setdefault(word[:_FIRST], []).append(rest)
        shared: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._values = tuple(values.values())
        self._groups: dict[str, _Group] = {}
        for first, each in rests.items():
            # What stands around a rest are three signs.
            sizes = tuple(sorted({len(first) - 3 + size for size in map(len, each)}, reverse=True))
            self._groups[first] = _Group("".join(each), shared.setdefault(sizes, sizes))
        self._size = len(words)

    def __getitem__(self, word: str) -> T:
        group = self._groups.get(word[:_FIRST])
        if group is not None:
            sought = f"{_BEGINS}{word[_FIRST:]}{_MEANS}"
            at = group.rests.find(sought)
            if at >= 0:
                return self._values[ord(group.rests[at + len(sought)]) - _OFFSET]
        raise KeyError(word)

    def __contains__(self, word: object) -> bool:
        if not isinstance(word, str):
            return False
        group = self._groups.get(word[:_FIRST])
        return group is not None and f"{_BEGINS}{word[_FIRST:]}{_MEANS}" in group.rests

    def __iter__(self) -> Iterator[str]:
        for first, group in self._groups.items():
            for rest in group.rests.split(_BEGINS)[1:]:
                yield first + rest[: rest.index(_MEANS)]

    def __len__(self) -> int:
        return self._size

    @property
    def longest(self) -> int:
        """The number of characters in the longest word."""
        return max((group.sizes[0] for group in self._groups.values()), default=0)

    def ends(self, text: str, start: int, last: int) -> Sequence[int]:
        """Return the ends of words that begin at a place in a text, the longest first; none after ``last``."""
        group = self._groups.get(text[start : start + _FIRST])
        found: Sequence[int] = ()
        if group is not None:
            rests, sizes = group
            found = [
                start + size
                for size in sizes
                if start + size <= last and f"{_BEGINS}{text[start + _FIRST : start + size]}{_MEANS}" in rests
            ]
        # At the end of the text a word of one sign is found already.
        if text[start] in self._groups and start + 1 < len(text):
            return [*found, start + 1]
        return found


class Meanings(Generic[T]):
    """Collects the meanings of words, some of which have several. Equal meanings share one tuple."""

    def __init__(self) -> None:
        self.of: dict[str, tuple[T, ...]] = {}
        self._longer: dict[tuple[int, int], tuple[T, ...]] = {}
        """By what a word meant before and what is added, as objects: to compare them takes longer."""

    def add(self, words: Iterable[str], meaning: T) -> None:
        """Add a meaning of words."""
        of, longer, added = self.of, self._longer, id(meaning)
        for word in words:
            known = of.get(word, ())
            meanings = longer.get((id(known), added))
            if meanings is None:
                meanings = longer[id(known), added] = (*known, meaning)
            of[word] = meanings


@dataclass(frozen=True, slots=True)
class KnownWords(Container[str]):
    """The words of a table, and others."""

    table: Container[str]
    others: frozenset[str]

    def __contains__(self, word: object) -> bool:
        return word in self.others or word in self.table
