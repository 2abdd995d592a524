"""Which of the known words a misspelt one may have been meant for."""

from __future__ import annotations

from collections.abc import Callable, Iterable


def most_alike(
    word: str,
    known: Iterable[str],
    *,
    limit: int,
    similarity: float = 0.0,
    fold: Callable[[str], str] | None = None,
) -> tuple[str, ...]:
    """Return up to ``limit`` of the known words, most alike first; none below ``similarity``, where 1 is equal.

    Words are compared as ``fold`` returns them. Words that begin alike count as more alike (Jaro-Winkler).
    """
    # Imported here, because a bot needs the 2 MB only once somebody mistypes.
    from rapidfuzz import process
    from rapidfuzz.distance import JaroWinkler

    scorer = JaroWinkler.similarity
    hits = process.extract(word, [*known], scorer=scorer, processor=fold, limit=limit, score_cutoff=similarity)
    return tuple(hit for hit, _, _ in hits)
