"""Latin words with one letter added, missing, wrong or swapped: recieved, shipmnt."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

_WORD = re.compile(r"(?<![a-z0-9'&@_/-])[a-z]{5,16}(?![a-z0-9'&@_/-])", re.IGNORECASE)
"""Shorter words are too near to others, and to names."""


class Misspellings:
    """Finds the meant words, where they are unambiguous."""

    def __init__(self, words: Iterable[str]) -> None:
        """``words`` may be phrases: their words count separately."""
        self._words = {word for phrase in words for word in _WORD.findall(phrase)}
        self._near: dict[str, str] = {}
        """Words that are alike without a letter, with blanks between them: nearly always it is one word."""
        for word in sorted(self._words):
            for form in {word, *_without_a_letter(word)}:
                others = self._near.get(form)
                self._near[form] = f"{others} {word}" if others else word

    def mend(self, text: str, known: Callable[[str], bool]) -> str:
        """Return a text with the meant words; parts ``known`` as written stay."""

        def meant(match: re.Match[str]) -> str:
            word = match[0].casefold()
            if word in self._words or known(word):
                return match[0]
            found = {
                near
                for form in (word, *_without_a_letter(word))
                for near in self._near.get(form, "").split()
                if _is_near(word, near)
            }
            return found.pop() if len(found) == 1 else match[0]

        return _WORD.sub(meant, text)


def _without_a_letter(word: str) -> Iterator[str]:
    return (word[:place] + word[place + 1 :] for place in range(len(word)))


def _is_near(word: str, other: str) -> bool:
    """Return whether two words that are equal without one letter each differ in one letter, or in two swapped
    neighbours.

    The first letter is hardly ever wrong.
    """
    if word[0] != other[0]:
        return False
    if len(word) != len(other):
        return True
    differ = [place for place, pair in enumerate(zip(word, other, strict=True)) if pair[0] != pair[1]]
    swapped = len(differ) == 2 and word[differ[0]] == other[differ[1]] and word[differ[1]] == other[differ[0]]
    return len(differ) == 1 or (swapped and differ[1] == differ[0] + 1)
