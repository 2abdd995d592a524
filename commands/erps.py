"""/erps: how each ERP does: whether it answers, how fast, what it said that cannot be right, how old its copies are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.cards.tables import Table
from bot.cards.view import ListView, View
from bot.chat.context import QuestionContext
from bot.chat.operations import Operations, SourceState
from bot.chat.registry import command
from bot.chat.view_parts import table_of_lines
from bot.mechanisms.health import PartStatus
from bot.words.columns import Column
from bot.words.phrase import Words, phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpRow:
    """One ERP. ``synced_at`` is until when its kept documents are known, None where there are none."""

    name: str
    system: str
    state: PartStatus
    trouble: Words
    calls: int
    failed: int
    milliseconds: int | None
    rejected: int
    synced_at: datetime | None

    @classmethod
    def of(cls, source: SourceState) -> ErpRow:
        return cls(
            name=source.name,
            system=source.vendor,
            state=PartStatus.DEGRADED if source.trouble else PartStatus.OK,
            trouble=source.trouble,
            calls=source.calls,
            failed=source.failed,
            milliseconds=source.milliseconds,
            rejected=source.rejected,
            synced_at=source.synced_at,
        )


_COLUMNS = (
    Column(phrase("ERP"), "name"),
    Column(phrase("System"), "system"),
    Column(phrase("State"), "state"),
    Column(phrase("Reason"), "trouble"),
    Column(phrase("Calls"), "calls"),
    Column(phrase("Failed"), "failed"),
    Column(phrase("Milliseconds a call"), "milliseconds"),
    Column(phrase("Records kept aside"), "rejected"),
    Column(phrase("Copies as of"), "synced_at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpStates(ListView):
    """The ERPs, in the order of the configuration."""

    card: ClassVar[str] = "erp_states"
    tabled: ClassVar[bool] = True
    opens_rows: ClassVar[bool] = False

    rows: tuple[ErpRow, ...]

    def table(self) -> Table:
        return table_of_lines(_COLUMNS, self)


@command(
    "erps",
    aliases=("ERP状态", "系统状态", "erpzt"),
    examples=("/erps", "/ERP状态"),
    shows=(),
    changes=False,
    summary=phrase("How each ERP does: answers, speed, records kept aside, age of copies"),
    place=87,
    personal=True,
    reserved=True,
)
async def erps(*, operations: Operations, context: QuestionContext) -> View:
    """Show the ERPs. None of them is asked for it."""
    rows = tuple(map(ErpRow.of, await operations.sources()))
    page = rows[context.offset : context.offset + (context.rows or ErpStates.page_size)]
    return ErpStates(rows=page, total=len(rows), offset=context.offset, line="/erps")
