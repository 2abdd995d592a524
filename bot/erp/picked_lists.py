"""Lists for ERPs that cannot narrow them to a partner, a direction or what is open: picked out of those they have."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date

from bot.erp.errors import Unsupported
from bot.erp.listing import D, Listing
from bot.erp.model import Slice
from bot.erp.port import UNCHANGING, Filter, ListQuery

PAGE, MAX_PAGES = 100, 5
"""Documents that are read at a time, and how often for one list."""


async def pick_from_lists(
    kind: Listing[D], query: ListQuery, read: Callable[[ListQuery], Awaitable[Slice[D]]], *, source: str
) -> Slice[D]:
    """Return part of a list out of what ``read`` lists, which need not know partners or what is `UNCHANGING`.

    Raises `Unsupported` where more would have to be read than is reasonable.
    """
    found = await _candidates(query, read, source)
    if query.partner:
        found = [document for document in found if kind.matches(document, query)]
    if query.filter in UNCHANGING:
        is_meant, _ = kind.filters[query.filter]
        found = kind.sort((document for document in found if is_meant(document, date.min)), query.filter)
    return Slice(items=tuple(found[query.offset : query.offset + query.limit]), total=len(found))


async def _candidates(query: ListQuery, read: Callable[[ListQuery], Awaitable[Slice[D]]], source: str) -> list[D]:
    # The name of a partner holds itself: searching for it finds all that is theirs.
    wide = replace(
        query,
        filter=Filter.ALL if query.filter in UNCHANGING else query.filter,
        text=query.partner or query.text,
        partner="",
        limit=PAGE,
    )
    found: list[D] = []
    for page in range(MAX_PAGES):
        part = await read(replace(wide, offset=page * PAGE))
        found += part.items
        if not part.items or len(found) >= part.total:
            return found
    raise Unsupported("too many documents to pick these out of them", source=source)
