"""How many documents are late or overdue: what an ERP's lists tell beside the alerts."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from bot.chat.parsing import command_line
from bot.chat.records.lookup import FETCH_LIMIT
from bot.erp.errors import ErpError
from bot.erp.hub import ErpHub
from bot.erp.kinds import AREA_KINDS, FEED_KINDS, Kind
from bot.erp.port import Filter, ListQuery
from bot.words.phrase import Phrase

_AWAITED = (*AREA_KINDS, *(kind for kind in FEED_KINDS if kind.amounts.left))
"""What somebody waits for: goods that are late are those of orders."""


@dataclass(frozen=True, slots=True)
class OverdueCount:
    """How many documents of a kind are late or overdue, and the ``line`` that lists them.

    ``count`` is None where nothing could be read. ``unread`` say what else was not looked at, and why.
    """

    what: Phrase
    line: str
    count: int | None
    unread: tuple[Phrase, ...] = ()


async def count_overdue(erp: ErpHub, usable: Collection[str]) -> tuple[OverdueCount, ...]:
    """Return the counts of all kinds that an ERP has and whose command is among the ``usable`` ones of the reader."""
    counted = (
        _count(erp, kind, kind.late_list, kind.words.late)
        for kind in _AWAITED
        if kind.late_list and kind.words.late and kind.command in usable and erp.offers(kind.capability)
    )
    return tuple(await asyncio.gather(*counted))


async def _count(erp: ErpHub, kind: Kind[Any], wanted: Filter, what: Phrase) -> OverdueCount:
    line = command_line(kind.command, wanted.value)
    try:
        found = await erp.documents(kind, ListQuery(filter=wanted, limit=FETCH_LIMIT))  # as the list itself asks
    except ErpError as error:
        return OverdueCount(what, line, None, (error.tell(),))
    return OverdueCount(what, line, found.value.total, (*found.failures, *found.notes))
