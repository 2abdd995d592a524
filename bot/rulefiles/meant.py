"""What a misspelt word may have been meant for."""

from __future__ import annotations

from collections.abc import Iterable

_CLOSE = 0.75


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean 'x'?``, or what there is where nothing is close."""
    from rapidfuzz import process
    from rapidfuzz.distance import JaroWinkler

    words = list(known)
    best = process.extractOne(word, words, scorer=JaroWinkler.similarity, score_cutoff=_CLOSE)
    return f"did you mean {best[0]!r}?" if best else f"there are: {', '.join(words) or 'none'}"
