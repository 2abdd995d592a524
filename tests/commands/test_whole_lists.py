"""A list that is too long to be searched at the ERP is told out of what is kept, if that is current and has more."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from bot.chat.records.kept_documents import whole_lists
from bot.erp.answer import Answer
from bot.erp.hub import ErpHub
from bot.erp.kinds import RECEIPTS, SALES_ORDERS, Kind
from bot.erp.model import Slice
from bot.erp.port import Filter, ListQuery
from bot.erp.reader_lists import PART_ONLY
from bot.read_model.queries import ReadModel
from bot.words.phrase import Phrase
from tests.commands.company import NOW, order
from tests.read_model.memory_documents import MemoryDocuments
from tests.rows import each_row

LATE = ListQuery(filter=Filter.LATE)
ALL = ListQuery()
OF_A_PARTNER = ListQuery(partner="Northwind")
CURRENT, OLD = NOW, NOW - timedelta(hours=1)
ORDERS = tuple(order(f"SO-{number}", "Northwind", late=1) for number in range(3))


@each_row(
    "kind, query, found, notes, synced_at, total",
    [
        (SALES_ORDERS, LATE, 2, (PART_ONLY,), CURRENT, 3),
        (SALES_ORDERS, ALL, 2, (PART_ONLY,), CURRENT, 3),
        (SALES_ORDERS, LATE, 2, (), CURRENT, 2),
        (SALES_ORDERS, LATE, 2, (PART_ONLY,), OLD, 2),
        (SALES_ORDERS, ALL, 4, (PART_ONLY,), CURRENT, 4),
        (SALES_ORDERS, OF_A_PARTNER, 2, (PART_ONLY,), CURRENT, 2),
        (RECEIPTS, ALL, 2, (PART_ONLY,), CURRENT, 2),
    ],
)
async def test_what_is_kept_stands_in_for_the_part_that_was_searched(
    hub: ErpHub,
    kind: Kind[Any],
    query: ListQuery,
    found: int,
    notes: tuple[Phrase, ...],
    synced_at: datetime,
    total: int,
) -> None:
    async def ask(_erp: ErpHub, _query: ListQuery) -> Answer[Slice[Any]]:
        return Answer(Slice(items=(), total=found), "main", NOW, notes=notes)

    kept = MemoryDocuments(synced_at, ORDERS, complete_since=date(2026, 1, 1))
    told = await whole_lists(ReadModel(kept, hub), kind, ask, now=NOW)(hub, query)
    assert told.value.total == total
    assert (PART_ONLY in told.notes) == (bool(notes) and total == found)
    is_incomplete = total != found and query is ALL
    assert ("complete since" in " ".join(map(str, told.notes))) == is_incomplete
