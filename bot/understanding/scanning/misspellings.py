"""Words that were misspelled, or spelled by other characters of the same sound: recieved, 库村."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

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


_LONGEST_NAME = 8
"""Signs of a name of which variants are made."""


@dataclass(frozen=True, slots=True)
class SameSound:
    """The characters that sound alike, computed once for all words of a company."""

    signs: Mapping[str, str]
    """Character → all that sound like it, itself among them."""

    @classmethod
    def of(cls, readings: Mapping[str, tuple[str, ...]]) -> SameSound:
        """Build it from the readings of characters, the usual one first; without readings nothing sounds alike."""
        # As it is usually read: 不完 is 付款 only by readings that hardly anybody knows.
        sounds = {sign: _flat(syllables[0]) for sign, syllables in readings.items() if syllables}
        alike: dict[str, list[str]] = {}
        for sign, sound in sounds.items():
            alike.setdefault(sound, []).append(sign)
        joined = {sound: "".join(sorted(signs)) for sound, signs in alike.items()}
        return cls({sign: joined[sound] for sign, sound in sounds.items()})


class Homophones:
    """Finds the words that were meant. Homophones have equally many characters."""

    def __init__(self, words: Iterable[str], sounds: SameSound, *, kept_signs: int = 0) -> None:
        """``kept_signs`` is the number of leading characters that must match exactly: surnames."""
        self._sounds = sounds.signs
        # The longest first: 采够单 is 采购单 and not 采购.
        self._words = sorted((word for word in words if self._sounds), key=lambda word: (-len(word), word))
        spellings = (f"({_spelling(word, self._sounds, kept_signs)})" for word in self._words)
        self._pattern = re.compile("|".join(spellings) or "(?!)")

    def mend(self, text: str, known: Callable[[str], bool]) -> str:
        """Return a text with the meant words; parts ``known`` as written stay."""

        def meant(match: re.Match[str]) -> str:
            assert match.lastindex is not None, "the pattern is made of groups"
            return match[0] if known(match[0]) else self._words[match.lastindex - 1]

        return self._pattern.sub(meant, text)

    def variants(self, name: str) -> Iterator[str]:
        """Yield homophones of ``name`` that differ in a character; none for a long one."""
        if len(name) > _LONGEST_NAME:
            return
        for place, sign in enumerate(name):
            for same in self._sounds.get(sign, ""):
                if same != sign:
                    yield f"{name[:place]}{same}{name[place + 1 :]}"


@cache
def _flat(syllable: str) -> str:
    """Return a syllable in its common simplified pronunciation: z for zh, c for ch, s for sh, -in for -ing, -en for
    -eng.
    """
    return re.sub(r"(?<=[ei]n)g$", "", re.sub(r"^([zcs])h", r"\1", syllable))


def _spelling(word: str, sounds: Mapping[str, str], kept_signs: int) -> str:
    """Return a pattern of all characters read like those of a word in its usual reading."""
    kept, rest = word[:kept_signs], word[kept_signs:]
    return re.escape(kept) + "".join(f"[{re.escape(sounds.get(sign, sign))}]" for sign in rest)
