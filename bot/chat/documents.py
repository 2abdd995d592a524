"""How documents are asked for: by number, by part of a number or name, or as a list.

The four commands about documents differ in what they show, not in how it is found.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from bot.chat.closest import SAMPLE, closest
from bot.chat.errors import NothingFound
from bot.chat.line import command_line
from bot.erp.errors import NotFound
from bot.erp.hub import Found
from bot.erp.model import Slice
from bot.erp.port import Filter, ListQuery

PAGE = 20
"""Documents that one question fetches: more than a page shows, so that short lists can be summed up."""


class Document(Protocol):
    """Anything with a number."""

    @property
    def number(self) -> str: ...


D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class One(Generic[D]):
    """The one document that was meant."""

    found: Found[D]


@dataclass(frozen=True, slots=True)
class Many(Generic[D]):
    """A list, perhaps an empty one."""

    found: Found[Slice[D]]


@dataclass(frozen=True, slots=True)
class Shelf(Generic[D]):
    """Where the documents of ``command`` stand: ``one`` by its number, ``many`` by a query."""

    command: str
    one: Callable[[str], Awaitable[Found[D]]]
    many: Callable[[ListQuery], Awaitable[Found[Slice[D]]]]

    async def look_up(self, text: str, wanted: Filter, *, offset: int) -> One[D] | Many[D]:
        """Return the document with the number ``text``, else the only one it fits, else all that it fits.

        Raises `NothingFound` when it fits none. A named list may be empty.
        """
        searching = bool(text) and wanted is Filter.ALL
        # A number without a digit is no number: customers and vendors cost one call less.
        if searching and any(sign.isdigit() for sign in text):
            try:
                return One(await self.one(text))
            except NotFound:
                pass
        found = await self.many(ListQuery(filter=wanted, text=text, offset=offset, limit=PAGE))
        if searching and not found.value.total:
            raise NothingFound(text, await self._closest(text))
        if searching and found.value.total == 1 and found.value.items:
            return One(await self.one(found.value.items[0].number))
        return Many(found)

    async def _closest(self, text: str) -> tuple[str, ...]:
        async def search(part: str) -> list[str]:
            hits = await self.many(ListQuery(text=part, limit=SAMPLE))
            return [document.number for document in hits.value.items]

        return tuple(command_line(self.command, number) for number in await closest(text, search))
