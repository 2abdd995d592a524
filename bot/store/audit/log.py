"""The audit log in the database: written in batches, kept while writing fails, and checked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.engine import Connection

from bot.access.audit import BOT_ACTOR, AuditCheck, AuditEntry, AuditKind, AuditSearch, RecordedEntry
from bot.mechanisms.backoff import BackoffPolicy
from bot.store.audit.chain import NO_ENTRY, AuditWitness, ChainLink
from bot.store.audit.checks import (
    AuditFindings,
    check_log,
    find_problems,
    find_unguarded,
    put_back_head,
    read_record,
    say_missing_guard,
)
from bot.store.audit.entries import BROKEN, LONGEST, LOST, append_entries, find_entries, purge_entries
from bot.store.audit.journal import AuditJournal
from bot.store.audit_guards import find_missing_guards, put_back_guards
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from bot.store.tables import HEARTBEAT
from bot.store.transactions import begin_immediate
from bot.words.phrase import Words

log = structlog.get_logger(__name__)

GATHERING = 0.05
"""Seconds in which entries gather before their commit: what a crash may lose."""

BATCH = 500
"""Entries per commit: others want to write in between."""

RETRYING: Final = BackoffPolicy(first=1.0, longest=15.0)
"""Seconds before a retry while the database accepts no entries."""

MOST_WAITING: Final = 20_000
"""Entries kept while the database accepts none, some 10 MB; further ones are only counted."""

INSPECTED_EVERY: Final = 60.0
"""Seconds between two checks of the guards and the end of the log."""
INSPECTED: Final = 1_000
"""The number of entries in such a check."""

WRITTEN_WITHIN: Final = 3.0
"""Seconds an answer waits for its entry if it must be recorded."""

LOST_MOMENTS: Final = 120.0
"""Seconds of writes that a power cut may take from SQLite: a database that lacks more is an older one."""

_LOST_END: Final = "link"
"""Part of every finding about an end known from outside the database."""

LINK_LOGGED_EVERY = 1_000
"""Entries after which the log names the newest link, so that it also exists where logs are collected."""

MOST_NOTED: Final = 100
"""Breaks per check that get an entry each; the next check finds the others."""


@dataclass(frozen=True, slots=True)
class AuditState:
    """Whether the log is being written, and intact. Without ``trouble`` and ``broken`` all is well.

    ``trouble`` is why the database accepts no entries, ``lost`` how many could not be kept meanwhile; ``broken`` lists
    the unaccepted breaks.
    """

    trouble: Words = ""
    waiting: int = 0
    lost: int = 0
    broken: tuple[str, ...] = ()


@dataclass(slots=True)
class _Lost:
    """Entries dropped for lack of room: their number, and the times of the first and the last."""

    count: int
    first: datetime
    last: datetime

    def entry(self, now: datetime) -> AuditEntry:
        span = f"{self.first.isoformat(timespec='seconds')} to {self.last.isoformat(timespec='seconds')}"
        detail = f"{self.count} entries from {span} could not be kept"
        return AuditEntry(kind=AuditKind.OPERATOR, at=now, actor=BOT_ACTOR, action=LOST, detail=detail)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class StoredAudit:
    """The audit log: records, searches and verifies.

    `run` must be running: it writes the recorded entries, and at its end the rest.
    """

    def __init__(
        self,
        database: Database,
        witness: AuditWitness,
        *,
        journal: Path | None = None,
        now: Callable[[], datetime] = _utc_now,
        on_older: Callable[[Connection, datetime], object] | None = None,
    ) -> None:
        """``journal`` is the folder for entries that the database does not accept.

        ``on_older`` is called with a database older than before, as after a restore.
        """
        self._database = database
        self._witness = witness
        self._journal = AuditJournal(journal) if journal is not None else None
        self._journalled: list[AuditEntry] = []
        self._now = now
        self._on_older = on_older
        self._inspected = False
        self._inspecting = asyncio.Lock()
        self._waiting: list[AuditEntry] = []
        self._under_way = 0
        """Entries whose commit has begun."""
        self._lost: _Lost | None = None
        self._came = asyncio.Event()
        self._written: list[asyncio.Future[bool]] = []
        """Waiters until everything recorded so far is written, or cannot be."""
        self._trouble: Words = ""
        self._broken: tuple[str, ...] = ()
        self._newest = 0
        """The number of this process's newest entry."""

    @property
    def waiting(self) -> int:
        """The number of entries waiting for their commit."""
        return len(self._waiting) + self._under_way

    @property
    def state(self) -> AuditState:
        """Whether entries are written, and the breaks found by the last check."""
        lost = self._lost.count if self._lost else 0
        return AuditState(self._trouble, self.waiting, lost, self._broken)

    def record(self, entry: AuditEntry) -> None:
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(entry)
        elif self._lost is None:
            self._lost = _Lost(1, entry.at, entry.at)
        else:
            self._lost.count, self._lost.last = self._lost.count + 1, entry.at
        self._came.set()

    async def run(self) -> None:
        """Write entries as they come until cancelled, and then the rest."""
        await self._take_over_journal()
        looking = asyncio.create_task(self._inspect_again())
        failures = 0
        try:
            while True:
                await self._came.wait()
                await asyncio.sleep(GATHERING)
                if await self._try_to_write():
                    failures = 0
                    continue
                failures += 1
                await self._keep_waiting()
                self._came.set()
                await asyncio.sleep(RETRYING.pause(failures))
        finally:
            looking.cancel()
            await self._write_rest()

    async def written(self) -> bool:
        """Wait until all recorded entries are committed; False if that is impossible now."""
        if self._trouble:
            return False
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._written.append(done)
        self._came.set()
        try:
            async with asyncio.timeout(WRITTEN_WITHIN):
                return await done
        except TimeoutError:
            return False

    async def can_write(self) -> bool:
        """Return whether the database accepts an entry now; none is left behind."""
        try:
            await self._database.run(_try_entry)
        except _EntryTested:
            return True
        except StoreUnavailable:
            return False
        raise AssertionError("a try ends with an error")

    async def flush(self) -> None:
        """Write the waiting entries. Raises `StoreUnavailable`; unwritten ones then keep waiting."""
        self._came.clear()
        if not self._inspected:
            await self.inspect()
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            self._under_way = len(batch)
            work = asyncio.wrap_future(self._database.start(partial(self._append, batch)))
            try:
                await asyncio.shield(work)
            except StoreUnavailable:
                self._put_back(batch)
                raise
            except asyncio.CancelledError:
                try:
                    await work
                except StoreUnavailable:
                    self._put_back(batch)
                raise
            finally:
                self._under_way = 0
            if not self._waiting and self._lost is not None:
                self._waiting, self._lost = [self._lost.entry(self._now())], None

    def _put_back(self, batch: Sequence[AuditEntry]) -> None:
        self._waiting[:0] = batch
        self._came.set()

    async def _try_to_write(self) -> bool:
        waiting, self._written = self._written, []
        try:
            await self.flush()
        except StoreUnavailable as error:
            self._fail(error)
        else:
            if self._trouble:
                log.info("audit.written_again")
            self._trouble = ""
            if self._journalled:
                await self._keep_waiting()
        for done in waiting:
            if not done.done():
                done.set_result(not self._trouble)
        return not self._trouble

    def _fail(self, error: StoreUnavailable) -> None:
        why = error.explain() or error.detail
        if str(why) != str(self._trouble):
            log.error("audit.not_written", entries=len(self._waiting), error=error.detail)
        self._trouble = why
        # Any obstacle is searched again: it may be one that can be fixed.
        self._inspected = False

    async def _write_rest(self) -> None:
        if not await self._try_to_write():
            await self._keep_waiting(last=True)

    async def _take_over_journal(self) -> None:
        """Take over entries that an earlier process could not write."""
        if self._journal is None:
            return
        try:
            left = await asyncio.to_thread(self._journal.read)
        except OSError as error:
            log.error("audit.journal_unreadable", file=str(self._journal.file), error=error.strerror)
            return
        self._journalled = left
        if left:
            self._put_back(left)

    async def _keep_waiting(self, *, last: bool = False) -> None:
        """Write the waiting entries to the file, unless it has them."""
        entries = list(self._waiting)
        if self._journal is None or entries == self._journalled:
            return
        try:
            await asyncio.to_thread(self._journal.keep, entries)
        except OSError as error:
            say = log.critical if last else log.warning
            say("audit.not_kept", entries=len(entries), file=str(self._journal.file), error=error.strerror)
        else:
            self._journalled = entries

    async def search(self, wanted: AuditSearch) -> tuple[RecordedEntry, ...]:
        """Return entries in the requested order; raises `StoreUnavailable`."""
        return await self._database.read(partial(find_entries, wanted=wanted))

    async def purge(self, before: datetime, now: datetime) -> int:
        """Delete the entries from before a time, log that, and return their number.

        The number and hash of the last one are kept, so that the rest still proves its order.
        """
        return await self._database.run(partial(purge_entries, before=before, now=now))

    async def accept(self, entry: AuditEntry) -> ChainLink:
        """Append an entry that accepts the breaks, each of which has an entry before it."""
        link = await self._database.run(partial(_begin_and_append, entries=[entry]))
        self._broken = ()
        await asyncio.to_thread(self._witness.write, link)
        return link

    async def verify(self, *, known: Collection[ChainLink] = ()) -> AuditFindings:
        """Return the problems of the log; ``known`` are links noted elsewhere.

        Entries appended meanwhile are not checked. Raises `StoreUnavailable`.
        """
        return await self._look(known, None)

    async def check(self) -> AuditCheck:
        found = await self.verify()
        return AuditCheck(entries=found.entries, problems=found.problems)

    async def check_end(self, most: int) -> AuditFindings:
        """Return the problems of the newest ``most`` entries, and of the end according to the witness.

        The cost does not grow with the log. Raises `StoreUnavailable`.
        """
        return await self._look((), most)

    async def inspect(self, most: int | None = INSPECTED, *, noting: int = MOST_NOTED) -> tuple[str, ...]:
        """Check the newest entries or all, restore the log's protections, and record breaks.

        Returns the unaccepted ones. A recorded break stays on record, however the log continues. Raises
        `StoreUnavailable`.
        """
        async with self._inspecting:
            work = asyncio.wrap_future(self._database.start(partial(self._inspect, most, noting)))
            self._broken = await asyncio.shield(work)
        self._inspected = True
        return self._broken

    async def _inspect_again(self) -> None:
        while True:
            await asyncio.sleep(INSPECTED_EVERY)
            try:
                await self.inspect()
            except StoreUnavailable as error:
                log.warning("audit.not_inspected", error=error.detail)

    async def _look(self, known: Collection[ChainLink], most: int | None) -> AuditFindings:
        work = asyncio.wrap_future(self._database.start(partial(self._look_through, known, most)))
        return await work

    def _look_through(self, known: Collection[ChainLink], most: int | None) -> AuditFindings:
        problem, witnessed, held = self._read_witness()

        def look(connection: Connection) -> AuditFindings:
            links = [*known, *([witnessed] if witnessed is not None else [])]
            last, found, count = check_log(connection, links, most)
            record = read_record(connection)
            return AuditFindings(
                entries=count,
                last=last,
                broken=(*problem, *found),
                witnessed=witnessed is not None,
                unguarded=tuple(find_unguarded(connection)),
                unaccepted=(*(each for each in held if each not in record.ever), *record.unaccepted),
            )

        return self._database.read_blocking(look)

    def _read_witness(self) -> tuple[tuple[str, ...], ChainLink | None, tuple[str, ...]]:
        """Return the file's problems, its link, and the breaks at the time of writing."""
        try:
            return (), self._witness.read(), self._witness.broken()
        except (OSError, ValueError) as error:
            return (f"{self._witness.file} cannot be read: {error}",), None, ()

    def _inspect(self, most: int | None, noting: int) -> tuple[str, ...]:
        put_back = [*self._put_back_guards(), *self._database.run_blocking(put_back_head)]
        problem, witnessed, held = self._read_witness()
        links = [] if witnessed is None or _is_told(witnessed, held) else [witnessed]

        def look(connection: Connection) -> tuple[tuple[str, ...], list[str]]:
            found = find_problems(connection, links, most)
            record = read_record(connection)
            seen = [each[:LONGEST] for each in (*held, *put_back, *problem, *found, *find_unguarded(connection))]
            known = {*record.unaccepted, *(record.ever - set(put_back))}
            return record.unaccepted, [each for each in dict.fromkeys(seen) if each not in known]

        unaccepted, new = self._database.read_blocking(look)
        noted = new[:noting]
        broken = (*unaccepted, *noted)
        if noted:
            if any(_LOST_END in each for each in noted):
                self._handle_older(self._witness.written_at())
            # Before the entries, which may be lost with the database: a loss must not look smaller afterwards.
            self._write_witness(witnessed or NO_ENTRY, broken)
            for each in noted:
                log.error("audit.broken", what=each)
            self._append([_broken_entry(each, self._now()) for each in noted], broken)
        return broken

    def _handle_older(self, known_at: float) -> None:
        """Report a database older than the witness by more than a power cut can explain."""

        def handle(connection: Connection) -> None:
            beat = connection.scalar(select(HEARTBEAT.c.at_ms)) or 0
            if self._on_older is not None and known_at * 1000 - beat > LOST_MOMENTS * 1000:
                begin_immediate(connection)
                self._on_older(connection, self._now())

        self._database.run_blocking(handle)

    def _put_back_guards(self) -> list[str]:
        """Recreate missing guards; returns a description of each."""
        if not (missing := self._database.read_blocking(find_missing_guards)):
            return []
        try:
            self._database.run_blocking(lambda connection: put_back_guards(connection, missing))
        except StoreUnavailable as error:
            log.error("audit.guards_not_put_back", guards=missing, error=error.detail)
            return []
        return [f"{say_missing_guard(name)}, and put back" for name in missing]

    def _append(self, entries: Sequence[AuditEntry], broken: Sequence[str] | None = None) -> None:
        link = self._database.run_blocking(partial(_begin_and_append, entries=entries))
        self._write_witness(link, self._broken if broken is None else broken)
        if link.seq // LINK_LOGGED_EVERY > self._newest // LINK_LOGGED_EVERY:
            log.info("audit.link", seq=link.seq, hash=link.hash)
        self._newest = link.seq

    def _write_witness(self, link: ChainLink, broken: Sequence[str]) -> None:
        try:
            self._witness.write(link, broken)
        except OSError as error:
            # The next batch writes it; until then an older link proves everything before it.
            log.warning("audit.witness_not_written", error=error.strerror)


class _EntryTested(Exception):
    """Rolls back an entry that only tested writing."""


def _try_entry(connection: Connection) -> None:
    entry = AuditEntry(kind=AuditKind.OPERATOR, at=_utc_now(), actor=BOT_ACTOR, action="audit.try")
    _begin_and_append(connection, [entry])
    raise _EntryTested


def _begin_and_append(connection: Connection, entries: Sequence[AuditEntry]) -> ChainLink:
    begin_immediate(connection)
    return append_entries(connection, entries)


def _broken_entry(what: str, now: datetime) -> AuditEntry:
    return AuditEntry(kind=AuditKind.OPERATOR, at=now, actor=BOT_ACTOR, action=BROKEN, detail=what)


def _is_told(link: ChainLink, broken: Sequence[str]) -> bool:
    """Return whether the loss of a link was already recorded, by a process that ended before it had a newer link."""
    return any(each.endswith(f"a link to entry {link.seq} is known") for each in broken)
