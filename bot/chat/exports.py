"""Lists and reports as files: read in full with the asker's rights, and sent to the asker's own chat."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Protocol

import structlog

from bot.access.audit import AuditEntry, AuditKind, AuditLog, NotRecorded, RequiredAudit, say_limit, say_rows
from bot.access.limits import LimitReached
from bot.access.shared_limits import FileLimits
from bot.access.shown import find_shown
from bot.cards.card import Card, FileRenderer
from bot.cards.language import Language, choose_language
from bot.cards.notices import ChoiceNotice, FailedNotice, LimitNotice, NotFoundNotice, Suggestion
from bot.cards.tables import Table
from bot.cards.view import ListView, View
from bot.cards.workbook import Cell, Sheet, write_workbook
from bot.chat.context import QuestionContext
from bot.chat.errors import BadArgument
from bot.chat.present_rights import NotedRights, PresentRights
from bot.chat.question_handler import PreparedAnswer, QuestionHandler
from bot.chat.registry import Commands
from bot.chat.view_parts import Freshness
from bot.erp.model import Money
from bot.mechanisms.metrics import Metrics
from bot.outbox.spending import Purpose, spending
from bot.words.disclosure import HIDDEN, FieldClass, cut
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase

log = structlog.get_logger(__name__)

AT_ONCE = 100
"""Rows per question to an ERP: as many as a search examines anyway."""
CALLS = 2
"""DingTalk calls a file costs: the upload, and the message with it."""
_WAIT_TYPED = 8.0
_WAIT_CLICKED = 0.8
"""Seconds after which the answer only announces the file: a click must be answered within DingTalk's two."""
_FILES_AT_ONCE = 2
"""Workbooks written concurrently; others wait."""


class ExportState(StrEnum):
    """The state of a requested file."""

    SENT = "sent"
    COMING = "coming"
    BUSY = "busy"
    """The person's previous file is not ready yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportView(View):
    """A file that was or will be sent. It contains ``rows`` of ``total``, at most ``most``.

    Both are None if others read along: they may not know how many documents the asker can see.
    """

    card: ClassVar[str] = "export"
    leads_on: ClassVar[bool] = False

    state: ExportState
    name: str = ""
    rows: int | None = None
    total: int | None = None
    is_cut: bool = False
    most: int
    calls: int = CALLS


class FileCourier(Protocol):
    """Sends to people's own chats with the bot. Raises a `bot.words.errors.DingerpError`."""

    async def send_file(self, user_id: str, name: str, content: bytes, *, allow: Callable[[], Awaitable[None]]) -> None:
        """Send a file; even if it raises, the file may have arrived.

        ``allow`` is awaited last, before anything has reached the person: an error from it stops the delivery.
        """
        ...

    async def write(self, user_id: str, card: Card) -> None:
        """Send the text of a card."""
        ...


@dataclass(frozen=True, slots=True)
class _Gathered:
    """A whole list: its line, its content, the deciding rule, and what had to be hidden."""

    line: str
    table: Table
    command: str
    rule: str
    documents: tuple[str, ...]
    shown: frozenset[FieldClass]
    withheld: frozenset[FieldClass]
    notes: tuple[Phrase, ...] = ()
    """Remarks on the figures, such as sources that report none."""


@dataclass(frozen=True, slots=True)
class _WrittenFile:
    """A file that nobody has yet."""

    name: str
    content: bytes
    gathered: _Gathered
    table: Table


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file as it is handed over."""

    name: str
    content: bytes


class _ExportRefused(DingerpError):
    """The asker of a file may no longer get it; ``lost`` says why."""

    def __init__(self, lost: PreparedAnswer) -> None:
        super().__init__("the right to it was lost")
        self.lost = lost


class Exports:
    """Makes the files that people request, one at a time for each of them."""

    def __init__(
        self,
        *,
        handler: QuestionHandler,
        commands: Commands,
        rights: PresentRights,
        courier: FileCourier,
        renderer: FileRenderer,
        languages: Mapping[str, Language],
        audit: AuditLog,
        limits: FileLimits,
        metrics: Metrics,
        rows: int,
        required: RequiredAudit | None = None,
    ) -> None:
        """``handler`` answers read-only lines of ``commands`` without counting them; ``rights`` are checked again when
        a file is sent; ``rows`` is the maximum in one file. With ``required`` no file is sent whose entry that log has
        not stored.
        """
        self._handler = handler
        self._commands = commands
        self._rights = rights
        self._courier = courier
        self._renderer = renderer
        self._languages = languages
        self._audit = audit
        self._limits = limits
        self._metrics = metrics
        self._rows = rows
        self._required = required
        self._writing = asyncio.Semaphore(_FILES_AT_ONCE)
        self._at_work: dict[str, asyncio.Task[Any]] = {}
        self._left: set[asyncio.Task[None]] = set()

    async def export(self, line: str, context: QuestionContext) -> View:
        """Send the list or report of a line as a file, and return the answer.

        Slow ones continue in the background; if one then fails, the person is told in their own chat.
        """
        user_id = context.person.user_id
        assert user_id is not None, "only members are answered"
        if user_id in self._at_work:
            return ExportView(state=ExportState.BUSY, most=self._rows)
        rights = self._rights.note(context)
        work = asyncio.create_task(self._make(line, user_id, context, rights))
        self._at_work[user_id] = work
        work.add_done_callback(lambda done: self._at_work.pop(user_id, None))
        try:
            await asyncio.wait({work}, timeout=_WAIT_CLICKED if context.clicked else _WAIT_TYPED)
        finally:
            if not work.done():
                self._leave(work, user_id, context, rights)
        return work.result() if work.done() else ExportView(state=ExportState.COMING, most=self._rows)

    async def close(self, grace: float = 5.0) -> None:
        """Give the files in progress some seconds, and cancel the rest."""
        tasks = {*self._at_work.values(), *self._left}
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _make(self, line: str, user_id: str, context: QuestionContext, rights: NotedRights) -> View:
        written = await self._write_file(line, user_id, context)
        if isinstance(written, View):
            return written

        async def allow() -> None:
            await self._allow(written, user_id, context, rights)

        try:
            with spending(Purpose.EXPORT):
                await self._courier.send_file(user_id, written.name, written.content, allow=allow)
        except _ExportRefused as refused:
            self._drop(written.gathered, user_id, context, refused.lost)
            return refused.lost.view
        table = written.table
        rows, total = (len(table.rows), table.total) if context.is_private else (None, None)
        is_cut = len(table.rows) < table.total
        return ExportView(
            state=ExportState.SENT, name=written.name, rows=rows, total=total, is_cut=is_cut, most=self._rows
        )

    async def hand_over(self, line: str, context: QuestionContext) -> ExportedFile | View:
        """Return the list or report of a line as a file for its asker's own browser, or why there is none.

        It is limited and recorded like one that is sent, and costs no call. Raises a `DingerpError`.
        """
        user_id = context.person.user_id
        assert user_id is not None, "only members are answered"
        if user_id in self._at_work:
            return ExportView(state=ExportState.BUSY, most=self._rows)
        rights = self._rights.note(context)
        work = asyncio.create_task(self._write_file(line, user_id, context))
        self._at_work[user_id] = work
        work.add_done_callback(lambda done: self._at_work.pop(user_id, None))
        written = await work
        if isinstance(written, View):
            return written
        try:
            await self._allow(written, user_id, context, rights)
        except _ExportRefused as refused:
            self._drop(written.gathered, user_id, context, refused.lost)
            return refused.lost.view
        return ExportedFile(written.name, written.content)

    async def _write_file(self, line: str, user_id: str, context: QuestionContext) -> _WrittenFile | View:
        if (reached := await self._limits.reached(user_id, context.now)) is not None:
            return self._refuse(reached, context)
        gathered = await self._gather(line, context)
        if isinstance(gathered, View):
            return gathered
        if (reached := await self._limits.take(user_id, context.now)) is not None:
            return self._refuse(reached, context)
        language = choose_language(self._languages, context.person.language)
        zone = context.now.tzinfo
        assert zone is not None, "the clock gives aware times"
        table = gathered.table.first(self._rows)
        title = self._commands[gathered.command].called_in(language.code)
        about = _about(table, gathered, context, language)
        async with self._writing:
            content = await asyncio.to_thread(_write, table, about, language, zone)
        return _WrittenFile(f"{title}-{context.now:%Y%m%d-%H%M}.xlsx", content, gathered, table)

    async def _allow(self, written: _WrittenFile, user_id: str, context: QuestionContext, rights: NotedRights) -> None:
        """Record a file that is about to leave; raises `_ExportRefused` and `NotRecorded`."""
        if (lost := await self._rights.find_loss(rights, written.gathered.command)) is not None:
            raise _ExportRefused(lost)
        # Before sending: a file that may have arrived must be on record.
        self._record(written.gathered, written.table, user_id, context)
        if self._required is not None and not await self._required.written():
            raise NotRecorded

    async def _gather(self, line: str, context: QuestionContext) -> _Gathered | View:
        """Return the whole list of a line up to the limit, or an answer that explains why there is none."""
        asked = replace(context, line=line, offset=0, clicked=True, free_text="", rows=min(AT_ONCE, self._rows))
        answer = await self._handler.view_for(asked)
        view, table = self._cut(answer)
        if isinstance(view, ChoiceNotice):
            return _offer_files(view)
        if table is None:
            if answer.outcome == "answered":
                raise BadArgument(phrase("Only lists and reports can be exported."))
            return for_readers(view, context)
        if not table.rows:
            return view  # the empty list says so itself
        # If a name was abbreviated, the line with the full name.
        line = answer.read_as or line
        asked = replace(asked, line=line)
        found, documents = find_shown(view)
        numbers = dict.fromkeys(documents)
        while isinstance(view, ListView) and view.rows and view.last < min(view.total, self._rows):
            answer = await self._handler.view_for(replace(asked, offset=view.last))
            view, page = self._cut(answer)
            if page is None:
                return for_readers(view, context)
            table = table.continued(page)
            numbers |= dict.fromkeys(find_shown(view).documents)
        shown = frozenset(found & answer.grant.fields)
        notes = _notes_of(view)
        return _Gathered(line, table, answer.command, answer.rule, tuple(numbers), shown, view.withheld, notes)

    def _refuse(self, reached: LimitReached, context: QuestionContext) -> View:
        self._metrics.limits_reached.labels(reached.kind, reached.whose).inc()
        entry = AuditEntry(
            kind=AuditKind.REFUSAL,
            at=context.now,
            actor=context.person.user_id or "",
            action="export",
            conversation=context.conversation.id,
            rule=reached.rule,
            outcome="limited",
            detail=str(say_limit(reached.allowed)),
        )
        self._audit.record(entry)
        reason = phrase("You exported %(num)s files today, which is the limit.", num=reached.allowed)
        return LimitNotice(reason=reason, until=reached.until)

    def _drop(self, gathered: _Gathered, user_id: str, context: QuestionContext, lost: PreparedAnswer) -> None:
        log.warning("export.dropped", outcome=lost.outcome)
        entry = AuditEntry(
            kind=AuditKind.REFUSAL,
            at=context.now,
            actor=user_id,
            action=f"export {gathered.command}",
            conversation=context.conversation.id,
            rule=lost.rule,
            outcome=lost.outcome,
        )
        self._audit.record(entry)

    def _record(self, gathered: _Gathered, table: Table, user_id: str, context: QuestionContext) -> None:
        entry = AuditEntry(
            kind=AuditKind.EXPORT,
            at=context.now,
            actor=user_id,
            action=f"export {gathered.command}",
            conversation=context.conversation.id,
            documents=gathered.documents[: len(table.rows)],
            shown=tuple(sorted(gathered.shown)),
            rule=gathered.rule,
            outcome="answered",
            detail=str(say_rows(len(table.rows), table.total)),
        )
        self._audit.record(entry)

    def _leave(self, work: asyncio.Task[View], user_id: str, context: QuestionContext, rights: NotedRights) -> None:
        rest = asyncio.create_task(self._finish(work, user_id, context, rights))
        self._left.add(rest)
        rest.add_done_callback(self._left.discard)

    async def _finish(
        self, work: asyncio.Task[View], user_id: str, context: QuestionContext, rights: NotedRights
    ) -> None:
        """Wait for a file whose asker has an answer already, and tell them if it fails."""
        try:
            view = await work
        except Exception as error:
            reference = secrets.token_hex(3)
            log.error("export.failed", reference=reference, error=type(error).__name__, exc_info=error)
            known = error if isinstance(error, DingerpError) else DingerpError()
            view = FailedNotice(problem=known.tell(), reference=reference)
        lost = await self._rights.find_loss(rights, "")
        if isinstance(view, ExportView) or lost is not None:  # a person who left is told nothing
            return
        try:
            with spending(Purpose.EXPORT):
                await self._courier.write(user_id, self._draw(view, context))
        except DingerpError as error:
            log.error("export.failure_not_told", error=type(error).__name__, detail=error.detail)

    def _cut(self, answer: PreparedAnswer) -> tuple[View, Table | None]:
        view = self._renderer.tell_apart(cut(answer.view, answer.grant.fields))
        return view, view.table()

    def _draw(self, view: View, context: QuestionContext) -> Card:
        zone = context.now.tzinfo
        assert zone is not None, "the clock gives aware times"
        return self._renderer.render(view, context.person.language, zone=zone, trail=())


def for_readers(view: View, context: QuestionContext) -> View:
    """Return why there is no file, in a form for all readers: the suggestions may be only for the asker."""
    if isinstance(view, NotFoundNotice) and not context.is_private:
        return replace(view, closest=())
    return view


def _offer_files(choice: ChoiceNotice) -> ChoiceNotice:
    """Return a choice among the files of the lists that it offers."""
    files = tuple(Suggestion(f"/export {pick.line.removeprefix('/')}", pick.name) for pick in choice.suggestions)
    return replace(choice, suggestions=files)


def _notes_of(view: View) -> tuple[Phrase, ...]:
    seen = getattr(view, "freshness", None)
    return (*(seen.failures if isinstance(seen, Freshness) else ()), *getattr(view, "silences", ()))


_NOTE = phrase("Note")
_ROWS = phrase("Rows in this file")
_ALL_ROWS = phrase("Rows in all")
_MORE = phrase("There are more rows than this list tells.")
_WITHHELD = phrase("🔒: you may not see it")


def _about(table: Table, gathered: _Gathered, context: QuestionContext, language: Language) -> list[tuple[str, Cell]]:
    """Return the second sheet, which describes the first."""
    facts: list[tuple[Phrase, Cell]] = [
        (phrase("Question"), gathered.line),
        (_ROWS, len(table.rows)),
        (_ALL_ROWS, table.total),
    ]
    if table.as_of is not None:
        facts.append((phrase("Figures from"), table.as_of.astimezone(context.now.tzinfo)))
    facts.append((phrase("Exported by"), context.person.name or context.person.user_id or ""))
    facts.append((phrase("Exported at"), context.now))
    about: list[tuple[str, Cell]] = [(language.say(name), value) for name, value in facts]
    about += [(language.say(name), language.show(value)) for name, value in table.facts]
    about += [(language.say(_NOTE), language.say(note)) for note in gathered.notes]
    if len(table.rows) < table.total:
        about.append(
            (language.say(phrase("The list is cut off: a file holds at most %(num)s rows.", num=len(table.rows))), "")
        )
    elif table.more:
        about.append((language.say(_MORE), ""))
    if gathered.withheld:
        about.append((language.say(_WITHHELD), ""))
    return about


def _write(table: Table, about: list[tuple[str, Cell]], language: Language, zone: tzinfo) -> bytes:
    cells: list[tuple[Cell, ...]] = [tuple(_cell(value, language, zone) for value in row) for row in table.rows]
    headings = [language.say(heading) for heading in table.headings]
    if any(_currencies(row) for row in cells):
        cells = [(*row, ", ".join(_currencies(row))) for row in cells]
        headings.append(language.say(phrase("Currency")))
    rest = Sheet(language.say(phrase("About this file")), ("", ""), about)
    return write_workbook([Sheet(language.say(phrase("List")), headings, cells), rest])


def _currencies(row: Iterable[Cell]) -> Iterable[str]:
    """Return the currencies of a row's amounts: a document usually has one."""
    return dict.fromkeys(cell.currency for cell in row if isinstance(cell, Money))


def _cell(value: object, language: Language, zone: tzinfo) -> Cell:
    if value is HIDDEN:
        return str(HIDDEN)
    if isinstance(value, datetime):
        return value.astimezone(zone)
    if isinstance(value, Money | Decimal | date) or type(value) is int:
        return value
    return "" if value is None else language.show(value)
