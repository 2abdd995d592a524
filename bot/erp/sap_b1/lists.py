"""Lists of documents of several books, with as little read as their order and total allow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Generic

from bot.erp.errors import Invalid
from bot.erp.listing import D, Listing
from bot.erp.model import Slice
from bot.erp.port import Filter, ListQuery
from bot.erp.sap_b1 import wording
from bot.erp.sap_b1.books import Book
from bot.erp.sap_b1.client import Client
from bot.erp.sap_b1.values import day_of, text
from bot.erp.together import together


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Generic[D]):
    """How one kind of document is listed."""

    listing: Listing[D]
    books: tuple[Book, ...]
    read: Callable[[Book, Sequence[int]], Awaitable[Sequence[D]]]
    """Reads documents of a book by their keys, in any order, without lines."""
    narrow: Mapping[Filter, Mapping[Book, str]] = field(default_factory=dict)
    """Conditions that leave all that a filter wants, and perhaps more; a book that is not named has nothing of it."""


@dataclass(frozen=True, slots=True)
class _Head:
    """What order and search want to know of a document."""

    book: Book
    key: int
    number: str
    day: date
    texts: tuple[str, ...]

    def matches(self, wanted: str) -> bool:
        return any(wanted in part.casefold() for part in (self.number, *self.texts))


class Lister:
    """Answers `ListQuery`; raises what `Client.rows` raises."""

    def __init__(self, client: Client, *, days: int) -> None:
        self._client = client
        self._days = days

    async def pick(self, listed: Listed[D], query: ListQuery, today: date) -> Slice[D]:
        """Return part of a list.

        What a filter leaves is read whole and picked from. Of a list of everything the heads give order and total, and
        only the part that is asked for is read.
        """
        listed.listing.sort((), query.filter)  # Refuses a list that there is not.
        if query.filter is not Filter.ALL:
            narrow = listed.narrow[query.filter]
            heads = await self._heads({book: narrow[book] for book in listed.books if book in narrow})
            found = await self._read(listed, [head for head in heads if head.matches(query.text.casefold())])
            return listed.listing.pick(found, query, today)
        since = wording.day_text(today - timedelta(days=self._days), self._client.version)
        heads = await self._heads({book: f"{book.day} ge {since}" for book in listed.books})
        heads = sorted((h for h in heads if h.matches(query.text.casefold())), key=lambda head: head.number)
        heads.sort(key=lambda head: head.day, reverse=True)
        part = heads[query.offset : query.offset + query.limit]
        found = await self._read(listed, part)
        return Slice(items=tuple(listed.listing.sort(found, query.filter)), total=len(heads))

    async def _heads(self, wanted: Mapping[Book, str]) -> list[_Head]:
        asked = (
            # An order that does not change while pages are read.
            self._client.rows(
                book.entity,
                select=book.head,
                where=wording.all_of(book.where, book.living, condition),
                order=book.key,
            )
            for book, condition in wanted.items()
        )
        answers = await together(*asked)
        try:
            return [
                _Head(
                    book,
                    int(row[book.key]),
                    book.number(row),
                    day_of(row.get(book.day)) or date.min,
                    tuple(text(row.get(name)) for name in book.texts),
                )
                for book, rows in zip(wanted, answers, strict=True)
                for row in rows
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise Invalid(f"a document without key or number: {error}", source=self._client.source) from error

    async def _read(self, listed: Listed[D], heads: Sequence[_Head]) -> list[D]:
        parts = {book: [head.key for head in heads if head.book is book] for book in listed.books}
        found = await together(*(listed.read(book, keys) for book, keys in parts.items() if keys))
        return [document for documents in found for document in documents]
