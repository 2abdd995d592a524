"""/trace: what an answer did, by the reference on its card: what was asked, the rule, who saw it, and each call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import ClassVar

from bot.access.audit import AuditEntry, AuditKind, AuditLog, AuditReader, search_for
from bot.cards.tables import Table
from bot.cards.view import ListView, View
from bot.chat.arguments import Word
from bot.chat.colleagues import Colleagues
from bot.chat.context import QuestionContext
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.operations import Operations
from bot.chat.parsing import command_line
from bot.chat.registry import command
from bot.chat.view_parts import table_of_lines
from bot.mechanisms.tracing import ANSWER, CARD, NOT_CALLED, Trace, TracedLine, TraceStep, read_reference
from bot.words.columns import Column
from bot.words.phrase import Phrase, phrase

SHOWN_LINES, SHOWN_DOCUMENTS = 6, 5


class TraceReference(Word):
    """The reference on a card, on a page or in the log."""

    placeholder = phrase("reference")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownLine:
    """A line that was asked, how it was answered, and by the audit log who saw which documents."""

    line: str
    read_as: str
    outcome: str
    rule: str
    seen: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownStep:
    """One step of a trace, in milliseconds; calls of ERPs are named as the port names them."""

    began: int
    step: Phrase | str
    source: str
    outcome: Phrase | str
    took: int


_STEPS: Mapping[str, Phrase] = MappingProxyType(
    {ANSWER: phrase("finding the answer"), CARD: phrase("sending the card")}
)
_OUTCOMES: Mapping[str, Phrase] = MappingProxyType(
    {
        "ok": phrase("went well"),
        "timeout": phrase("no answer in time"),
        "shared": phrase("shared with another question"),
        "recent": phrase("answer of a moment ago"),
        "copy": phrase("last known answer"),
        NOT_CALLED: phrase("not called, as it failed just before"),
    }
)
_COLUMNS = (
    Column(phrase("After, in ms"), "began"),
    Column(phrase("Step"), "step"),
    Column(phrase("Source"), "source"),
    Column(phrase("Outcome"), "outcome"),
    Column(phrase("Took, in ms"), "took"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceView(ListView):
    """One trace; its steps in their order. ``took`` is in milliseconds, ``more`` the number of lines left out."""

    card: ClassVar[str] = "trace"
    page_size: ClassVar[int] = 8
    tabled: ClassVar[bool] = True
    opens_rows: ClassVar[bool] = False

    rows: tuple[ShownStep, ...]
    reference: str
    at: datetime
    what: str
    outcome: str
    took: int
    lines: tuple[ShownLine, ...]
    more: int = 0

    def table(self) -> Table:
        return table_of_lines(_COLUMNS, self)


@command(
    "trace",
    aliases=("追踪", "编号"),
    examples=("/trace 7K0M1QX9",),
    shows=(),
    changes=False,
    summary=phrase("What an answer did, by the reference on its card"),
    place=86,
    personal=True,
    reserved=True,
)
async def trace(
    word: TraceReference | None = None,
    *,
    operations: Operations,
    reader: AuditReader,
    log: AuditLog,
    colleagues: Colleagues,
    context: QuestionContext,
) -> View:
    """Show a trace. That somebody looked is recorded: it tells what other people asked."""
    reference = read_reference(word or "")
    if reference is None:
        raise BadArgument(phrase("A reference has eight letters and digits, such as 7K0M1QX9."))
    found = await operations.trace(reference)
    if found is None:
        raise NothingFound(reference)
    log.record(
        AuditEntry(
            kind=AuditKind.OPERATOR,
            at=context.now,
            actor=context.person.user_id or "",
            action="trace",
            conversation=context.conversation.id,
            detail=reference,
        )
    )
    lines = [await _shown(line, reader, colleagues) for line in found.lines[:SHOWN_LINES]]
    return _view(found, tuple(lines), context)


async def _shown(asked: TracedLine, reader: AuditReader, colleagues: Colleagues) -> ShownLine:
    entries = [kept.entry for kept in await reader.search(search_for(asked))]
    people = await colleagues.lookup(tuple(dict.fromkeys(entry.actor for entry in entries)))
    names = {person.user_id: person.name for person in people}
    seen = tuple(
        " ".join((names.get(entry.actor, entry.actor), *entry.documents[:SHOWN_DOCUMENTS])) for entry in entries
    )
    return ShownLine(
        line=asked.line,
        read_as=asked.read_as,
        outcome=asked.outcome,
        rule=asked.rule,
        seen=seen,
    )


def _step(step: TraceStep) -> ShownStep:
    return ShownStep(
        began=step.began,
        step=_STEPS.get(step.name, step.name),
        source=step.subject,
        outcome=_OUTCOMES.get(step.outcome, step.outcome),
        took=step.took,
    )


def _view(found: Trace, lines: tuple[ShownLine, ...], context: QuestionContext) -> TraceView:
    steps = sorted(found.steps, key=lambda step: step.began)
    first = context.offset
    return TraceView(
        rows=tuple(map(_step, steps[first : first + (context.rows or TraceView.page_size)])),
        total=len(steps),
        offset=first,
        line=command_line("trace", found.reference),
        reference=found.reference,
        at=found.at,
        what=found.what,
        outcome=found.outcome,
        took=found.took or 0,
        lines=lines,
        more=len(found.lines) - len(lines),
    )
