"""Reads the products behind changed codes with few questions, where a source has no call for many products at once.

Codes that change together mostly begin alike, and a search finds part of a code: one question for what they begin with
brings all of them. What it does not bring is asked for by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import groupby

from bot.erp.index.folding import key_of
from bot.erp.model import Product

Search = Callable[[str, int], Awaitable[tuple[Product, ...]]]
"""Asks a source for products that have a text, so many at most."""

_LEAST_SIGNS, _LEAST_CODES = 3, 3
"""A shorter beginning finds half the catalogue; for fewer codes a common question spares nothing."""
_NAMESAKES = 5
"""Products that may match a code as well as the one that has it: by their barcode, say."""


async def read_products(codes: Iterable[str], search: Search, *, most: int) -> dict[str, Product | None]:
    """Return the products by `key_of` their codes, None for those that the search does not find.

    ``most`` is how many products one question may bring. Raises what ``search`` raises.
    """
    wanted = {key_of(code): code for code in codes}
    found: dict[str, Product] = {}
    groups: list[Sequence[str]] = [sorted(wanted)]
    singles: list[str] = []
    while groups:
        keys = groups.pop()
        if len(keys) < _LEAST_CODES:
            singles += keys
            continue
        begin = _common_prefix(keys[0], keys[-1])
        full = True
        if len(begin) >= _LEAST_SIGNS:
            hits = await search(begin, most)
            found.update((key_of(hit.sku), hit) for hit in hits)
            full = len(hits) >= most
        missing = [key for key in keys if key not in found]
        if full:
            groups += _split(missing, len(begin))
        else:
            singles += missing
    for key in singles:
        if key not in found:
            hits = await search(wanted[key], min(_NAMESAKES, most))
            found.update((key_of(hit.sku), hit) for hit in hits)
    return {key: found.get(key) for key in wanted}


def _common_prefix(first: str, last: str) -> str:
    """Return what the first and the last of sorted texts, and so all between them, begin with."""
    length = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), None)
    return first[:length] if length is not None else min(first, last, key=len)


def _split(keys: Sequence[str], length: int) -> Iterable[Sequence[str]]:
    """Return sorted keys that are alike up to ``length`` in groups that are alike in one more character."""
    return [list(alike) for _, alike in groupby(keys, key=lambda key: key[: length + 1])]
