"""Looks customers and vendors up: by code, by the whole name, or by part of either."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from bot.chat.errors import NothingFound
from bot.chat.lookup import FETCH_LIMIT, SEARCH_LIMIT, DocumentList, OneDocument, find_closest
from bot.chat.parsing import command_line
from bot.erp.errors import Ambiguous, NotFound, NotPermitted, Unsupported
from bot.erp.hub import Answer
from bot.erp.model import Customer, Slice, Supplier
from bot.erp.port import Filter, ListQuery

P = TypeVar("P", Customer, Supplier)
T = TypeVar("T")

SUMMED = 100
"""Documents of a partner that one question adds up; of more it says that they are not added up."""


@dataclass(frozen=True, slots=True)
class PartnerLookup(Generic[P]):
    """How to find the partners of ``command``: ``one`` by the code, ``many`` by a query."""

    command: str
    one: Callable[[str], Awaitable[Answer[P]]]
    many: Callable[[ListQuery], Awaitable[Answer[Slice[P]]]]

    async def look_up(self, text: str, *, offset: int) -> OneDocument[P] | DocumentList[P]:
        """Return the partner that ``text`` names whole, else the only one it fits, else all that it fits.

        Raises `NothingFound` when it fits none. What a list tells of a partner is all there is: none is read twice.
        """
        if any(sign.isdigit() for sign in text):
            try:
                return OneDocument(await self.one(text))
            except (NotFound, Ambiguous):
                pass  # the list shows what there is
        found = await self.many(ListQuery(text=text, offset=offset, limit=FETCH_LIMIT))
        if not text:
            return DocumentList(found)
        if not found.value.total:
            raise NothingFound(text, await self._closest(text))
        chosen = _named_whole(found.value, text)
        if chosen is None:
            return DocumentList(found)
        return OneDocument(_part(found, chosen))

    async def _closest(self, text: str) -> tuple[str, ...]:
        async def search(part: str) -> list[str]:
            hits = await self.many(ListQuery(text=part, limit=SEARCH_LIMIT))
            return [partner.name for partner in hits.value.items if partner.name]

        return tuple(command_line(self.command, name) for name in await find_closest(text, search))


def _named_whole(found: Slice[P], text: str) -> P | None:
    """Return the one partner with exactly this code or name, else the only one; None for several."""
    folded = text.casefold()
    exact = [partner for partner in found.items if folded in (partner.code.casefold(), partner.name.casefold())]
    if len(exact) == 1:
        return exact[0]
    return found.items[0] if found.total == 1 and found.items else None


def _part(found: Answer[Slice[P]], chosen: P) -> Answer[P]:
    return Answer(
        value=chosen,
        source=chosen.source or found.source,
        as_of=found.as_of,
        stale=found.stale,
        failures=found.failures,
        notes=found.notes,
    )


async def if_offered(read: Awaitable[Answer[T]]) -> Answer[T] | None:
    """Return the answer; None where the ERP does not have such documents, or its account may not read them."""
    try:
        return await read
    except (Unsupported, NotPermitted):
        return None


def whole(found: Answer[Slice[T]] | None, *, part: bool = False) -> tuple[T, ...] | None:
    """Return the documents of a list that was read to its end; None where it was not, or could not be read.

    ``part``: the reader sees some of the documents only. Where they see none, it is not said that there is none.
    """
    if found is None or len(found.value.items) < found.value.total or (part and not found.value.total):
        return None
    return found.value.items


def count_all(found: Answer[Slice[Any]] | None, *, part: bool = False) -> int | None:
    """Return how many documents a list has, also those that were not read; None where `whole` says nothing either."""
    return None if found is None or (part and not found.value.total) else found.value.total


def list_open(name: str) -> ListQuery:
    """Return the question for what is open with a partner."""
    return ListQuery(filter=Filter.OPEN, partner=name, limit=SUMMED)
