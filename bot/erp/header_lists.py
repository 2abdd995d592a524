"""Lists of documents that are expensive to read: headers first for order and total, then only the shown documents.

`bot.erp.kinds.kind.Kind.pick` does the same for ERPs that return whole documents.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Generic, TypeVar

from bot.erp.kinds import D, Kind, kind_of, lines_of_product
from bot.erp.model import Slice
from bot.erp.port import Filter, ListQuery

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Header(Generic[K]):
    """The values of a document that sorting and searching need; its key is used to read it."""

    key: K
    number: str
    day: date | None
    texts: tuple[str, ...]
    """The searched texts besides the number."""
    partner: str = ""

    def matches(self, query: ListQuery) -> bool:
        """Return whether the number or a text contains the query's text, and the document is of its partner."""
        wanted = query.text.casefold()
        is_of = not query.partner or self.partner.casefold() == query.partner.casefold()
        return is_of and any(wanted in part.casefold() for part in (self.number, *self.texts))


async def list_by_headers(
    kind: Kind[D],
    query: ListQuery,
    today: date,
    *,
    headers: Callable[[], Awaitable[Iterable[Header[K]]]],
    read: Callable[[Sequence[K]], Awaitable[Iterable[D]]],
) -> Slice[D]:
    """Return part of a list; raises `Unsupported`, before any request, for a filter that the list lacks.

    ``headers`` returns those of all documents, or at least of all that match the filter; headers with the same key are
    one document. ``read`` returns documents by their keys in any order and leaves out documents deleted meanwhile. With
    a filter or days on which they are due, all candidates are read, as only the documents show whether they match.
    """
    kind.check_filter(query.filter)
    found = {header.key: header for header in await headers() if header.matches(query)}
    # What was done is dated by the day when it was, which only the documents tell.
    if query.during is not None and query.filter is not Filter.DONE:
        found = {key: header for key, header in found.items() if query.during.holds(header.day)}
    if query.filter is not Filter.ALL or query.due is not None:
        documents = await read(list(found)) if found else ()
        picked = kind.pick(documents, query, today)
        return replace(picked, items=tuple(as_listed(document, query) for document in picked.items))
    ordered = sorted(found.values(), key=lambda header: header.number)
    ordered.sort(key=lambda header: header.day or date.min, reverse=True)
    shown = [header.key for header in ordered[query.offset : query.offset + query.limit]]
    documents = await read(shown) if shown else ()
    listed = (as_listed(document, query) for document in documents)
    return Slice(items=tuple(kind.sort(listed, query.filter)), total=len(ordered))


def as_listed(document: D, query: ListQuery) -> D:
    """Return a document as lists have it: with the lines of the product that a query asks for, and no others."""
    if not query.product or kind_of(document).by_product is None:
        return without_lines(document)
    return _with(document, "lines", lines_of_product(document, query.product))


def without_lines(document: D) -> D:
    """Return a document without its lines, as in lists."""
    inside = kind_of(document).inside
    return _with(document, inside, ()) if inside else document


def _with(document: D, name: str, parts: tuple[Any, ...]) -> D:
    changes: dict[str, Any] = {name: parts}
    return replace(document, **changes)
