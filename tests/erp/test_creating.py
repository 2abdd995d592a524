"""Creating step by step: the mark tells what the ERP has, whatever the write answered."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bot.erp.creating import create
from bot.erp.errors import ErpError, Invalid, Unavailable, UnknownOutcome
from bot.erp.model import DocumentDraft, DraftLine, SalesOrder
from tests.bare_records import bare
from tests.rows import each_row

DRAFT = DocumentDraft(
    kind="order", partner="C001", lines=(DraftLine(sku="A", quantity=Decimal(1)),), mark="7f3a9c21", by="anna"
)
THERE = bare(SalesOrder, "SO-1")
LOST = UnknownOutcome("no answer in time")


class Erp:
    """Finds ``found`` one after the other, and answers a write as told."""

    def __init__(self, *found: SalesOrder | ErpError | None, answer: ErpError | None = None) -> None:
        self.found = [*found]
        self.answer = answer
        self.writes = 0

    async def find(self, mark: str) -> SalesOrder | None:
        found = self.found.pop(0)
        if isinstance(found, ErpError):
            raise found
        return found

    async def write(self, draft: DocumentDraft) -> None:
        self.writes += 1
        if self.answer is not None:
            raise self.answer

    async def create(self) -> SalesOrder:
        return await create(DRAFT, write=self.write, find=self.find)


@each_row(
    ("erp", "writes"),
    [
        (Erp(None, THERE), 1),
        (Erp(None, THERE, answer=LOST), 1),
        (Erp(THERE), 0),
    ],
)
async def test_what_is_there_is_returned(erp: Erp, writes: int) -> None:
    assert await erp.create() == THERE
    assert erp.writes == writes


@each_row(
    ("erp", "error", "writes"),
    [
        (Erp(None, None), UnknownOutcome, 1),
        (Erp(None, None, answer=LOST), UnknownOutcome, 1),
        (Erp(None, Unavailable("down")), UnknownOutcome, 1),
        (Erp(None, Unavailable("down"), answer=LOST), UnknownOutcome, 1),
        (Erp(None, answer=Unavailable("down")), Unavailable, 1),
        (Erp(None, answer=Invalid("blocked")), Invalid, 1),
        (Erp(Unavailable("down")), Unavailable, 0),
    ],
)
async def test_a_write_in_doubt_is_told_apart_from_none(erp: Erp, error: type[ErpError], writes: int) -> None:
    with pytest.raises(error):
        await erp.create()
    assert erp.writes == writes
