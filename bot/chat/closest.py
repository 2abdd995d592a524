"""What may have been meant by a code or number that nobody has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from rapidfuzz import fuzz, process

MAX_CLOSEST = 4

Search = Callable[[str], Awaitable[Iterable[str]]]
"""Returns the codes or numbers that contain a text."""


async def closest(text: str, search: Search) -> tuple[str, ...]:
    """Return the hits most like ``text``, best first, found by shorter and shorter beginnings of it: two searches."""
    for length in (len(text) * 3 // 4, len(text) // 2):
        if length < 2:
            break
        hits = tuple(dict.fromkeys(await search(text[:length])))
        if hits:
            ranked = process.extract(
                text.casefold(), hits, scorer=fuzz.ratio, processor=str.casefold, limit=MAX_CLOSEST
            )
            return tuple(hit for hit, _, _ in ranked)
    return ()
