"""What may have been meant by a code or number that nobody has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

MAX_CLOSEST = 4
SAMPLE = 100
"""Hits among which a search looks for the closest."""

Search = Callable[[str], Awaitable[Iterable[str]]]
"""Returns the codes or numbers that contain a text, up to `SAMPLE`."""

_LOOK_ALIKES = str.maketrans("oil", "011")


async def closest(text: str, search: Search) -> tuple[str, ...]:
    """Return the hits most like ``text``, best first.

    They are found by shorter and shorter beginnings of it, at most three searches: the end is where codes differ.
    """
    # Imported here, as wherever words are compared: 2 MB that a bot needs only once somebody mistypes.
    from rapidfuzz import process
    from rapidfuzz.distance import JaroWinkler

    for length in dict.fromkeys((len(text) - 1, len(text) * 3 // 4, len(text) // 2)):
        if length < 2:
            break
        hits = tuple(dict.fromkeys(await search(text[:length])))
        if hits:
            scorer = JaroWinkler.similarity
            ranked = process.extract(text, hits, scorer=scorer, processor=_folded, limit=MAX_CLOSEST)
            return tuple(hit for hit, _, _ in ranked)
    return ()


def _folded(text: str) -> str:
    return text.casefold().translate(_LOOK_ALIKES)
