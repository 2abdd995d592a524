"""Looks documents up: by number, by part of a number or name, or as a list; suggests what may be meant instead."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from bot.chat.days import DayRange
from bot.chat.errors import NothingFound
from bot.chat.parsing import command_line
from bot.chat.records.own_documents import OWN_WORDS, OwnedLists
from bot.erp.errors import Ambiguous, ErpError, NotFound
from bot.erp.hub import Answer, ErpHub
from bot.erp.listing import D, Listing
from bot.erp.model import Product, Slice
from bot.erp.port import Filter, ListQuery
from bot.phrase import Phrase
from bot.spelling import most_alike, other_spellings

MAX_CLOSEST = 4
SEARCH_LIMIT = 100
"""Hits among which a search looks for the closest."""

Search = Callable[[str], Awaitable[Iterable[str]]]
"""Returns the codes or numbers that contain a text, up to `SEARCH_LIMIT`."""

T = TypeVar("T")

_LOOK_ALIKES = str.maketrans("oil", "011")


async def find_closest(text: str, search: Search) -> tuple[str, ...]:
    """Return the hits most like ``text``, best first.

    Searches for shorter and shorter beginnings of it, three at most, because codes differ at the end.
    """
    for length in dict.fromkeys((len(text) - 1, len(text) * 3 // 4, len(text) // 2)):
        if length < 2:
            break
        hits = tuple(dict.fromkeys(await search(text[:length])))
        if hits:
            return most_alike(text, hits, limit=MAX_CLOSEST, fold=_folded)
    return ()


def _folded(text: str) -> str:
    return text.casefold().translate(_LOOK_ALIKES)


async def read_as_spelled(
    text: str, read: Callable[[str], Awaitable[T]], *, missing: tuple[type[ErpError], ...] = (NotFound, Ambiguous)
) -> T | None:
    """Return what ``read`` brings by the number that ``text`` spells, be it with other punctuation.

    None where that is no number, and where ``read`` raises an error that says that there is nothing of that number.
    """
    for number in (text, *other_spellings(text)) if any(char.isdigit() for char in text) else ():
        try:
            return await read(number)
        except missing:
            continue
    return None


FETCH_LIMIT = 20
"""Documents that one question fetches: more than a page shows, so that short lists can be summed up."""


class Numbered(Protocol):
    """Anything with a number."""

    @property
    def number(self) -> str: ...


@dataclass(frozen=True, slots=True)
class OneDocument(Generic[D]):
    """The one document that was meant."""

    found: Answer[D]


@dataclass(frozen=True, slots=True)
class DocumentList(Generic[D]):
    """A list, perhaps an empty one; ``query`` finds it again, None for one person's."""

    found: Answer[Slice[D]]
    query: ListQuery | None = None
    product: Product | None = None
    """What all documents of the list have a line of, where they were looked for by it."""


@dataclass(frozen=True, slots=True)
class NoDocument:
    """A text fits no document; ``notes`` say why some may be missing."""

    notes: tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class DocumentLookup(Generic[D]):
    """How to find the documents of ``command``: one of a ``kind`` by its number, ``many`` by a query."""

    command: str
    erp: ErpHub
    kind: Listing[D]
    many: Callable[[ListQuery], Awaitable[Answer[Slice[D]]]]
    owned: OwnedLists[D] | None = None
    """Those of one person, where documents are somebody's."""
    linked: Callable[[str, ListQuery], Awaitable[Answer[Slice[D]] | None]] | None = None
    """Finds those that belong to another document, by its number."""
    bounded: bool = False
    """Whether ``many`` lists documents of some amounts alone."""

    async def look_up(
        self, text: str, wanted: Filter, *, days: DayRange | None = None, offset: int, rows: int | None = None
    ) -> OneDocument[D] | DocumentList[D]:
        """Return what `find` does; raises `NothingFound` where that is nothing."""
        hit = await self.find(text, wanted, days=days, offset=offset, rows=rows)
        if isinstance(hit, NoDocument):
            raise NothingFound(text, await self.closest(text), hit.notes)
        return hit

    async def find(
        self, text: str, wanted: Filter, *, days: DayRange | None = None, offset: int, rows: int | None = None
    ) -> OneDocument[D] | DocumentList[D] | NoDocument:
        """Return the document with the number ``text``, else the only one it fits, else all that it fits.

        ``text`` may also name the person whose documents are meant: 我的 the asker, a name a colleague.

        A named list, or that of some days or amounts, may be empty. With ``rows`` what the text fits is a list of so
        many, also where it is the number of none and fits a single one.
        """
        searching = bool(text) and wanted is Filter.ALL and days is None and not self.bounded
        # Text without a digit is no number: a search for a customer or vendor costs one call less.
        if searching and any(char.isdigit() for char in text):
            try:
                return OneDocument(await self.erp.document(self.kind, text))
            except (NotFound, Ambiguous):
                pass  # the list shows what there is
        query = ListQuery(filter=wanted, text=text, offset=offset, limit=rows or FETCH_LIMIT)
        if days is not None:
            query = replace(query, during=days.during, due=days.due_in)
        if self.owned and text.casefold() in OWN_WORDS:
            return DocumentList(await self.owned.of_asker(query))
        found = await self.many(query)
        if self.owned and text and not found.value.total and not any(char.isdigit() for char in text):
            of_colleague = await self.owned.of_named(text, query)
            if of_colleague.value.total:
                return DocumentList(of_colleague)
            rows = rows or FETCH_LIMIT
        if self.linked and text and not found.value.total and (of_other := await self.linked(text, query)):
            return DocumentList(of_other)
        if searching and not found.value.total:
            return await self._spelled_otherwise(text, found.notes)
        if searching and rows is None and found.value.total == 1 and found.value.items:
            (row,) = found.value.items
            return OneDocument(await self.erp.beside(row).document(self.kind, row.number))
        return DocumentList(found, query)

    async def _spelled_otherwise(self, text: str, notes: tuple[Phrase, ...]) -> OneDocument[D] | NoDocument:
        """Return the document whose number ``text`` spells with other punctuation."""
        for number in other_spellings(text):
            try:
                return OneDocument(await self.erp.document(self.kind, number))
            except (NotFound, Ambiguous):
                continue
        return NoDocument(notes)

    async def closest(self, text: str) -> tuple[str, ...]:
        """Return the lines for the documents whose numbers are most like a text."""

        books: dict[str, dict[tuple[str, ...], None]] = {}

        async def search(part: str) -> list[str]:
            hits = await self.many(ListQuery(text=part, limit=SEARCH_LIMIT))
            for document in hits.value.items:
                books.setdefault(document.number, {})[document.books] = None
            return [document.number for document in hits.value.items]

        closest = await find_closest(text, search)
        lines = [command_line(self.command, number, books=names) for number in closest for names in books[number]]
        return tuple(lines[:MAX_CLOSEST])
