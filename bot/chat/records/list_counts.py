"""How many there are in the lists that somebody keeps empty: what is late, due today, short."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any, TypeAlias

from bot.chat.conditions import LONG_AGO
from bot.chat.parsing import command_line
from bot.chat.records.lookup import FETCH_LIMIT
from bot.erp.answer import Answer
from bot.erp.capabilities import Capability
from bot.erp.errors import ErpError
from bot.erp.goods.port import ArrivalQuery, ShortageQuery
from bot.erp.hub import ErpHub
from bot.erp.kinds import AREA_KINDS, FEED_KINDS, Kind
from bot.erp.model import Slice
from bot.erp.port import Filter, ListQuery, Period
from bot.words.phrase import Phrase, phrase

_AWAITED = (*AREA_KINDS, *(kind for kind in FEED_KINDS if kind.amounts.left))
"""What somebody waits for: goods that are late are those of orders."""

_Read: TypeAlias = Callable[[], Awaitable[Answer[Slice[Any]]]]


@dataclass(frozen=True, slots=True)
class ListCount:
    """How many there are in a list, and the ``line`` that shows it.

    ``count`` is None where nothing could be read. ``unread`` say what else was not looked at, and why.
    """

    what: Phrase
    line: str
    count: int | None
    unread: tuple[Phrase, ...] = ()


async def count_overdue(erp: ErpHub, usable: Collection[str]) -> tuple[ListCount, ...]:
    """Return the counts of all kinds that an ERP has and whose command is among the ``usable`` ones of the reader."""
    return await _gather(
        _count_documents(erp, kind, kind.words.late, ListQuery(filter=kind.late_list), kind.late_list.value)
        for kind in _counted(erp, usable)
        if kind.late_list and kind.words.late
    )


async def count_due(erp: ErpHub, usable: Collection[str], today: date) -> tuple[ListCount, ...]:
    """Return how many open documents are due by today. As in the lists that show them, late ones are among them."""
    due = ListQuery(filter=Filter.OPEN, due=Period(LONG_AGO, today))
    return await _gather(
        _count_documents(erp, kind, phrase("Due by today: %(list)s", list=each), due, Filter.OPEN, "due", "today")
        for kind in _counted(erp, usable)
        if Filter.OPEN in kind.filters and (each := kind.words.open)
    )


async def count_goods(erp: ErpHub, usable: Collection[str], today: date) -> tuple[ListCount, ...]:
    """Return how many products are short, and how much that was ordered or made should be here by today."""
    due = ArrivalQuery(until=today, limit=1)
    lists: tuple[tuple[Capability, str, Phrase, _Read], ...] = (
        (Capability.SHORTAGES, "/shortage", phrase("Products short"), partial(erp.shortages, ShortageQuery(limit=1))),
        (Capability.ARRIVALS, "/arrivals today", phrase("Goods due by today"), partial(erp.arrivals, due)),
    )
    return await _gather(
        _count(what, line, read)
        for capability, line, what, read in lists
        if line.split()[0].removeprefix("/") in usable and erp.offers(capability)
    )


def _counted(erp: ErpHub, usable: Collection[str]) -> Iterator[Kind[Any]]:
    return (kind for kind in _AWAITED if kind.command in usable and erp.offers(kind.capability))


def _count_documents(
    erp: ErpHub, kind: Kind[Any], what: Phrase, query: ListQuery, *words: str
) -> Coroutine[None, None, ListCount]:
    asked = replace(query, limit=FETCH_LIMIT)  # as the list itself asks
    return _count(what, command_line(kind.command, *words), partial(erp.documents, kind, asked))


async def _count(what: Phrase, line: str, read: _Read) -> ListCount:
    try:
        found = await read()
    except ErpError as error:
        return ListCount(what, line, None, (error.tell(),))
    return ListCount(what, line, found.value.total, (*found.failures, *found.notes))


async def _gather(counted: Iterable[Coroutine[None, None, ListCount]]) -> tuple[ListCount, ...]:
    return tuple(await asyncio.gather(*counted))
