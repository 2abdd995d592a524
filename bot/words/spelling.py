"""Finds the known word behind a misspelt one, and alternative spellings of numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from bot.words.phrase import Phrase, phrase

_PREFIX_AND_DIGITS = re.compile(r"([^\W\d_]{1,10})[\s_./-]?(\d{1,12})")


def most_alike(
    word: str,
    known: Iterable[str],
    *,
    limit: int,
    similarity: float = 0.0,
    fold: Callable[[str], str] | None = None,
) -> tuple[str, ...]:
    """Return up to ``limit`` of the known words, most similar first; none below ``similarity``, where 1 is equal.

    Words are compared after ``fold``. Words with a common beginning count as more similar (Jaro-Winkler).
    """
    # Imported here, because a bot needs the 2 MB only after the first typing error.
    from rapidfuzz import process
    from rapidfuzz.distance import JaroWinkler

    scorer = JaroWinkler.similarity
    hits = process.extract(word, [*known], scorer=scorer, processor=fold, limit=limit, score_cutoff=similarity)
    return tuple(hit for hit, _, _ in hits)


_CLOSE = 0.75


def closest(word: str, known: Iterable[str], *, similarity: float = _CLOSE) -> tuple[str, ...]:
    """Return the known word behind a misspelt one, ignoring case; empty if no word is close."""
    return most_alike(word, known, limit=1, similarity=similarity, fold=str.casefold)


def did_you_mean(word: str, known: Iterable[str]) -> Phrase:
    """Return ``did you mean 'x'?``, or the known words if nothing is close."""
    words = tuple(known)
    if best := closest(word, words):
        return is_meant(f"{best[0]!r}")
    return phrase("there are: %(names)s", names=words) if words else phrase("there are: none")


def is_meant(name: str) -> Phrase:
    """Return the question whether ``name`` was meant by a misspelt word."""
    return phrase("did you mean %(name)s?", name=name)


_FEWEST_LETTERS = 4
"""Letters of a word that is checked for slips: shorter ones are too close to others."""


def misspelt_for(word: str, known: Iterable[str]) -> bool:
    """Return whether a word is a known one with one letter added, missing, wrong or swapped."""
    from rapidfuzz.distance import OSA

    folded = word.casefold()
    return any(len(each) >= _FEWEST_LETTERS and OSA.distance(folded, each, score_cutoff=1) == 1 for each in known)


_SCRIPTS_MEET = re.compile(r"(?<=[\u4e00-\u9fff])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])(?=[\u4e00-\u9fff])")


def words_of(text: str) -> str:
    """Return ``text`` with a blank between Chinese and other letters: M8螺栓 counts as two words."""
    return _SCRIPTS_MEET.sub(" ", text)


def other_spellings(number: str) -> tuple[str, ...]:
    """Return ERP spellings of a number typed as letters and digits: SO-1001 and SO1001 for ``SO 1001``."""
    match = _PREFIX_AND_DIGITS.fullmatch(number.strip())
    if match is None:
        return ()
    return tuple(each for each in (f"{match[1]}-{match[2]}", f"{match[1]}{match[2]}") if each != number)
