"""Keeps one shared table as its list is, and puts what people write into it to the owner.

The bot never writes into a cell that people write into: no edit is lost, and none of the bot's own late writes looks
like one. What became of an edit stands in a column beside it. Each round reads the table first, so that a write with an
unknown outcome, or a crash in the midst of it, is seen by what it has done.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import uuid4

import structlog

from bot.access.audit import AuditEntry, AuditKind, AuditLog, NotRecorded, RequiredAudit
from bot.cards.language import Language
from bot.chat.registry import Commands
from bot.mechanisms.metrics import Metrics
from bot.outbox.spending import Purpose, spending
from bot.sheets.changes import SheetChanges, own_records, plan_changes
from bot.sheets.edits import digest_of, line_for, written_in
from bot.sheets.records import AT_ONCE, TEXT_FIELD, SheetRefused, TableClient, TableRecord
from bot.sheets.sheet import (
    KEY_HEADING,
    STATUS_HEADING,
    CellEdit,
    EditDesk,
    EditRefused,
    EditWish,
    ListReader,
    ReadList,
    SharedSheet,
    SheetState,
    SheetStates,
    WantedRow,
    column_names,
    number_of,
)
from bot.words.errors import DingerpError
from bot.words.phrase import phrase

log = structlog.get_logger(__name__)

T = TypeVar("T")

AGAIN_AFTER = timedelta(minutes=5)
"""Until the next try after one that failed, where rounds are rarer."""
SHEET_ACTION = "sheet"
"""How the action of an entry of the audit log begins; the name of the table follows."""

OpenTable = Callable[[], Awaitable[TableClient]]
"""Opens a sheet's table in its operator's name; raises `SheetRefused` without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharingParts:
    """What all sheets share. ``sparing`` says whether the month's calls are kept for what is urgent."""

    lists: ListReader
    desk: EditDesk
    states: SheetStates
    commands: Commands
    language: Language
    audit: AuditLog
    required: RequiredAudit | None
    sparing: Callable[[], bool]
    metrics: Metrics
    now: Callable[[], datetime]


class SheetSharing:
    """One shared table."""

    def __init__(self, sheet: SharedSheet, parts: SharingParts, open_table: OpenTable) -> None:
        self.sheet = sheet
        self._parts = parts
        self._open_table = open_table
        self._key = parts.language.say(KEY_HEADING)
        self._status = parts.language.say(STATUS_HEADING)
        self._columns: frozenset[str] = frozenset()
        """Those that the table is known to have."""

    async def due_in(self) -> timedelta:
        """Return the time until the next round, also after a restart."""
        found = await self._parts.states.round_of(self.sheet.name)
        if found.failed_at is not None:
            due = found.failed_at + min(self.sheet.every, AGAIN_AFTER)
        elif found.refreshed_at is not None:
            due = found.refreshed_at + self.sheet.every
        else:
            return timedelta(0)
        return max(due - self._parts.now(), timedelta(0))

    async def refresh(self) -> bool:
        """Make one round, record how it went, and return whether the table is as its list. Raises a `DingerpError`
        only when the store is away.
        """
        states, name = self._parts.states, self.sheet.name
        outcome = self._parts.metrics.sheet_rounds.labels
        try:
            if self._parts.sparing():
                raise SheetRefused(phrase("the month's calls are kept for what is urgent"))
            with spending(Purpose.SHEET):
                await self._round()
        except DingerpError as error:
            log.warning("sheet.not_refreshed", sheet=name, error=type(error).__name__, detail=error.detail)
            failure = error.tell()
        except Exception as defect:
            # What is wrong with one table must not end the bot.
            self._parts.metrics.errors.labels("sheets", type(defect).__name__).inc()
            log.error("sheet.defect", sheet=name, exc_info=defect)
            failure = phrase("a defect of the bot, see its log")
        else:
            outcome(name, "done").inc()
            await states.note_round(name, self._parts.now())
            return True
        self._columns = frozenset()
        outcome(name, "failed").inc()
        await states.note_round(name, self._parts.now(), failure)
        return False

    async def _round(self) -> None:
        parts, name = self._parts, self.sheet.name
        table = await self._open_table()
        state = await parts.states.load(name)
        there = await table.records()
        own = own_records(there, state.records, self._key)
        # The list comes last before the writes: rights that end meanwhile end with this round.
        found = await parts.lists.read(self.sheet)
        if not found.closed:
            await self._prepare_columns(table, column_names(self.sheet, found.headings, self._key, self._status))
        made = frozenset(state.records)
        state = await self._take_edits(replace(state, records=own), there, found, made)
        wanted = await self._with_status(found.rows, state)
        changes = plan_changes(wanted, there, own, keep_others=not found.is_whole)
        if changes:
            await self._record(changes, found)
        await self._apply(table, changes, state)

    async def _prepare_columns(self, table: TableClient, needed: Sequence[str]) -> None:
        """Add the columns that are missing. Raises `SheetRefused` for one that does not hold text."""
        if self._columns.issuperset(needed):
            return
        there = await table.columns()
        for column in needed:
            if column not in there:
                await table.add_column(column)
            elif there[column] != TEXT_FIELD and column not in self.sheet.edits:
                raise SheetRefused(phrase("the column %(name)s has to be one of text", name=column))
        self._columns = frozenset(needed)

    async def _take_edits(
        self, state: SheetState, there: Sequence[TableRecord], found: ReadList, made: Collection[str]
    ) -> SheetState:
        """Put to the owner what people wrote, and return the state with that. Of a closed list nothing is asked.

        A row asks about a document that is on the list, or that the bot ``made`` it for: people can write any key.
        """
        if not self.sheet.edits or found.closed:
            return state
        numbers = {row.key: row.number for row in found.rows}
        for record in there:
            key = state.records.get(record.id)
            if key is None or (key not in numbers and record.id not in made):
                continue
            for column in self.sheet.edits:
                value = written_in(record.cells.get(column, ""))
                number = numbers.get(key, number_of(key))
                state = await self._take_edit(state, (key, column), number, value)
        return state

    async def _take_edit(self, state: SheetState, cell: tuple[str, str], number: str, value: str) -> SheetState:
        known = state.edits.get(cell)
        if not value:
            return await self._saved(state, cell, None) if known is not None else state
        digest = digest_of(value)
        if known is None or known.digest != digest:
            known = CellEdit(digest=digest, asked_as=str(uuid4()))
            # Before it is asked for: after a crash the same edit is asked for by the same key.
            state = await self._saved(state, cell, known)
        elif known.is_settled:
            return state
        try:
            line = line_for(self._parts.commands, self.sheet.edits[cell[1]], number, value)
            wish = EditWish(sheet=self.sheet, line=line, reason=f"{cell[1]}: {value}", asked_as=known.asked_as)
            known = replace(known, proposal=await self._parts.desk.propose(wish))
        except EditRefused as refused:
            if refused.later:
                return state
            known = replace(known, refused=self._say(refused.reason))
        return await self._saved(state, cell, known)

    async def _saved(self, state: SheetState, cell: tuple[str, str], edit: CellEdit | None) -> SheetState:
        edits = {each: known for each, known in state.edits.items() if each != cell}
        changed = replace(state, edits=edits if edit is None else edits | {cell: edit})
        await self._parts.states.save(self.sheet.name, changed)
        return changed

    async def _with_status(self, rows: Sequence[WantedRow], state: SheetState) -> Sequence[WantedRow]:
        """Return the rows with what became of their edits."""
        if not self.sheet.edits:
            return rows
        told: dict[str, list[str]] = {}
        for (key, column), edit in sorted(state.edits.items()):
            told.setdefault(key, []).append(f"{column}: {await self._told(edit)}")
        return [replace(row, cells={**row.cells, self._status: " · ".join(told.get(row.key, ()))}) for row in rows]

    async def _told(self, edit: CellEdit) -> str:
        if edit.refused:
            return edit.refused
        if not edit.proposal:
            return self._say(phrase("waits, since so much was asked at once"))
        return self._say(await self._parts.desk.outcome(edit.proposal))

    async def _record(self, changes: SheetChanges, found: ReadList) -> None:
        """Record who is shown what from now on, before it is written. Raises `NotRecorded`."""
        counts = f"{len(changes.inserts)} new, {len(changes.updates)} changed, {len(changes.deletes)} gone"
        numbers = {row.key: row.number for row in found.rows}
        touched = [row.number for row in changes.inserts]
        touched += [numbers.get(changes.records.get(each.id, ""), "") for each in changes.updates]
        entry = AuditEntry(
            kind=AuditKind.EXPORT,
            at=self._parts.now(),
            actor=self.sheet.owner,
            action=f"{SHEET_ACTION} {self.sheet.name}",
            documents=tuple(dict.fromkeys(filter(None, touched))),
            shown=found.shown,
            rule=found.rule,
            outcome="denied" if found.closed else "answered",
            detail=counts,
        )
        self._parts.audit.record(entry)
        if self._parts.required is not None and not await self._parts.required.written():
            raise NotRecorded

    async def _apply(self, table: TableClient, changes: SheetChanges, state: SheetState) -> None:
        """Write the changes: what is to go first."""
        rows, name = self._parts.metrics.sheet_rows.labels, self.sheet.name
        for ids in _batches(changes.deletes):
            await table.delete(ids)
            rows(name, "deleted").inc(len(ids))
        for cells in _batches(changes.updates):
            await table.update(cells)
            rows(name, "updated").inc(len(cells))
        records = dict(changes.records)
        for new in _batches(changes.inserts):
            made = await table.insert([row.cells for row in new], str(uuid4()))
            rows(name, "inserted").inc(len(made))
            records |= {record: row.key for record, row in zip(made, new, strict=True)}
        keys = {*records.values()}
        edits = {cell: edit for cell, edit in state.edits.items() if cell[0] in keys}
        kept = SheetState(records=records, edits=edits)
        if kept != await self._parts.states.load(name):
            await self._parts.states.save(name, kept)

    def _say(self, words: object) -> str:
        return self._parts.language.show(words)


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield as many at once as one call takes."""
    return (items[first : first + AT_ONCE] for first in range(0, len(items), AT_ONCE))
