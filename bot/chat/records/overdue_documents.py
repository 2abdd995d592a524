"""How many documents are late or overdue: what an ERP's lists tell beside the alerts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any, TypeAlias

from bot.chat.parsing import command_line
from bot.chat.records.lookup import FETCH_LIMIT
from bot.erp.errors import ErpError
from bot.erp.hub import Answer, ErpHub
from bot.erp.model import Slice
from bot.erp.port import Capability, Filter, ListQuery
from bot.words.phrase import Phrase, phrase

_ReadList: TypeAlias = Callable[[ErpHub, ListQuery], Awaitable[Answer[Slice[Any]]]]

_LISTS: tuple[tuple[str, Filter, Capability, Phrase, _ReadList], ...] = (
    ("order", Filter.LATE, Capability.SALES_ORDERS, phrase("Late orders"), ErpHub.orders),
    ("invoice", Filter.OVERDUE, Capability.INVOICES, phrase("Overdue invoices"), ErpHub.invoices),
    ("po", Filter.LATE, Capability.PURCHASE_ORDERS, phrase("Late purchase orders"), ErpHub.purchase_orders),
    ("bill", Filter.OVERDUE, Capability.BILLS, phrase("Overdue bills"), ErpHub.bills),
    ("mo", Filter.LATE, Capability.PRODUCTION_ORDERS, phrase("Late production"), ErpHub.production_orders),
)


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
        _count(erp, command, wanted, what, read)
        for command, wanted, capability, what, read in _LISTS
        if command in usable and erp.offers(capability)
    )
    return tuple(await asyncio.gather(*counted))


async def _count(erp: ErpHub, command: str, wanted: Filter, what: Phrase, read: _ReadList) -> OverdueCount:
    line = command_line(command, wanted.value)
    try:
        found = await read(erp, ListQuery(filter=wanted, limit=FETCH_LIMIT))  # as the list itself asks
    except ErpError as error:
        return OverdueCount(what, line, None, (error.tell(),))
    return OverdueCount(what, line, found.value.total, (*found.failures, *found.notes))
