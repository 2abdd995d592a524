"""Homophones: words in other characters with the same sound, which input methods offer: 库村 for 库存."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

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
