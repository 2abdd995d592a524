"""/status: how the parts of the bot are, and what helps where one is not well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from bot.cards.actions import Ask
from bot.cards.tables import Table
from bot.cards.view import Button, ListView, View
from bot.chat.context import QuestionContext
from bot.chat.operations import Operations
from bot.chat.registry import command
from bot.chat.view_parts import table_of_lines
from bot.mechanisms.health import PartHealth, PartStatus, words_of
from bot.words.columns import Column
from bot.words.phrase import Phrase, Words, phrase

_WORST_FIRST = (PartStatus.DOWN, PartStatus.DEGRADED, PartStatus.OK)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRow:
    """One part; ``remedy`` is empty where it is well."""

    part: Phrase | str
    state: PartStatus
    reason: Words
    remedy: Words


_COLUMNS = (
    Column(phrase("Part"), "part"),
    Column(phrase("State"), "state"),
    Column(phrase("Reason"), "reason"),
    Column(phrase("What helps"), "remedy"),
)
_BESIDE: Mapping[str, Phrase] = MappingProxyType(
    {"/erps": phrase("ERPs"), "/quota": phrase("Quotas"), "/outbox dead": phrase("Cards given up")}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BotStatus(ListView):
    """All parts, those that are not well first. ``misread`` of ``asked`` questions were not understood since the
    start.
    """

    card: ClassVar[str] = "bot_status"
    page_size: ClassVar[int] = 12
    tabled: ClassVar[bool] = True
    opens_rows: ClassVar[bool] = False

    rows: tuple[PartRow, ...]
    unwell: int
    misread: int
    asked: int

    def buttons(self) -> Sequence[Button]:
        return (*ListView.buttons(self), *(Button(name, Ask(line)) for line, name in _BESIDE.items()))

    def table(self) -> Table:
        return table_of_lines(_COLUMNS, self)


@command(
    "status",
    aliases=("运行状态", "健康状态", "yxzt"),
    examples=("/status", "/运行状态"),
    shows=(),
    changes=False,
    summary=phrase("How the bot is: its connection, database, ERPs and rules"),
    place=86,
    personal=True,
    reserved=True,
    slashed=True,
)
async def status(*, operations: Operations, context: QuestionContext) -> View:
    """Show all parts of the bot."""
    report = await operations.health()
    rows = sorted((_row(*each) for each in report.parts.items()), key=lambda row: _WORST_FIRST.index(row.state))
    misread, asked = operations.misread()
    return BotStatus(
        rows=tuple(rows[context.offset : context.offset + (context.rows or BotStatus.page_size)]),
        total=len(rows),
        offset=context.offset,
        line="/status",
        unwell=sum(row.state is not PartStatus.OK for row in rows),
        misread=misread,
        asked=asked,
    )


def _row(name: str, part: PartHealth) -> PartRow:
    words, is_well = words_of(name), part.status is PartStatus.OK
    return PartRow(part=words.name, state=part.status, reason=part.reason, remedy="" if is_well else words.remedy)
