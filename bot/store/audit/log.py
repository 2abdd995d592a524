"""The audit log in the database: appended in batches, searched, verified, and purged when its time is over.

All processes append to one chain: they lock the row that holds its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import orjson
import structlog
from sqlalchemy import Select, delete, func, insert, select, update
from sqlalchemy.engine import Connection, RowMapping
from sqlalchemy.sql import ColumnElement

from bot.access.audit import BOT_ACTOR, AuditEntry, AuditKind, AuditSearch, RecordedEntry
from bot.disclosure import FieldClass
from bot.store.audit.chain import NO_ENTRY, AuditWitness, ChainCheck, ChainLink, append_link
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from bot.store.row_times import from_ms, to_ms
from bot.store.statements import execute_many
from bot.store.tables import AUDIT, AUDIT_DOCUMENT, AUDIT_HEAD
from bot.store.transactions import begin_immediate

log = structlog.get_logger(__name__)

GATHERING = 0.05
"""Seconds in which entries gather before they are committed: what a crash may lose."""

BATCH = 500
"""Entries in one commit: others want to write in between."""

RETRY_PAUSE = 1.0
"""Seconds before entries are written again while the store is away."""

LINK_LOGGED_EVERY = 1_000
"""Entries after which the log names the newest link, so that it also stands where logs are collected."""

PURGE = "audit.purge"
ACCEPT = "audit.accept"

_READ_AT_ONCE = 2_000
_LONGEST = 500

_A, _D, _H = AUDIT.c, AUDIT_DOCUMENT.c, AUDIT_HEAD.c
_INSERT = insert(AUDIT)
_INSERT_DOCUMENT = insert(AUDIT_DOCUMENT)


@dataclass(frozen=True, slots=True)
class AuditFindings:
    """What a look through the log came to: how many entries, the newest, and every place where it is broken.

    ``witnessed`` is False where no link was known from outside the database: then the end may be missing.
    """

    entries: int
    last: ChainLink
    broken: tuple[str, ...]
    witnessed: bool


class StoredAudit:
    """Implements `bot.access.audit.AuditLog` and `bot.access.audit.AuditReader`.

    `run` must be running: it writes what was recorded, at its end the rest.
    """

    def __init__(self, database: Database, witness: AuditWitness) -> None:
        self._database = database
        self._witness = witness
        self._fits: bool | None = None
        """Whether the log has the entry that the witness knows; None before the first look."""
        self._waiting: list[AuditEntry] = []
        self._came = asyncio.Event()
        self._newest = 0
        """Number of the newest entry of this process."""

    @property
    def waiting(self) -> int:
        """How many entries wait for their commit."""
        return len(self._waiting)

    def record(self, entry: AuditEntry) -> None:
        self._waiting.append(entry)
        self._came.set()

    async def run(self) -> None:
        """Write what comes until cancelled, and then what is left."""
        try:
            while True:
                await self._came.wait()
                await asyncio.sleep(GATHERING)
                try:
                    await self.flush()
                except StoreUnavailable as error:
                    log.error("audit.not_written", entries=len(self._waiting), error=error.detail)
                    await asyncio.sleep(RETRY_PAUSE)
        finally:
            await self._write_rest()

    async def flush(self) -> None:
        """Write what waits. Raises `StoreUnavailable`, and then what is not written still waits."""
        self._came.clear()
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
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

    def _put_back(self, batch: Sequence[AuditEntry]) -> None:
        self._waiting[:0] = batch
        self._came.set()

    async def _write_rest(self) -> None:
        try:
            await self.flush()
        except StoreUnavailable as error:
            log.error("audit.lost", entries=len(self._waiting), error=error.detail)

    async def search(self, wanted: AuditSearch) -> tuple[RecordedEntry, ...]:
        """Return entries in the order that is wanted; raises `StoreUnavailable`."""
        return await self._database.read(partial(find_entries, wanted=wanted))

    async def purge(self, before: datetime, now: datetime) -> int:
        """Forget the entries from before a moment, note that in the log, and return how many they were.

        The number and hash of the last of them are kept, so that the others still prove their order.
        """
        return await self._database.run(partial(purge_entries, before=before, now=now))

    async def accept(self, entry: AuditEntry) -> ChainLink:
        """Go on although the log has lost its end: append an entry that says so, and let the witness start there."""
        link = await self._database.run(partial(_begin_and_append, entries=[entry]))
        await asyncio.to_thread(self._witness.write, link)
        return link

    async def verify(self, *, known: Collection[ChainLink] = ()) -> AuditFindings:
        """Return what is wrong with the log; ``known`` are links that somebody noted elsewhere.

        Entries that come meanwhile are not looked at. Raises `StoreUnavailable`.
        """
        return await self._check(known, None)

    async def check_end(self, most: int) -> AuditFindings:
        """Return what is wrong with the newest ``most`` entries, and with what the witness says of the end.

        It takes no longer for a log of years. Raises `StoreUnavailable`.
        """
        return await self._check((), most)

    async def _check(self, known: Collection[ChainLink], most: int | None) -> AuditFindings:
        try:
            witnessed = await asyncio.to_thread(self._witness.read)
        except (OSError, ValueError) as error:
            return AuditFindings(0, NO_ENTRY, (f"{self._witness.file} cannot be read: {error}",), witnessed=False)
        links = [*known, *([witnessed] if witnessed is not None else [])]
        last, found, count = await self._database.read(partial(check_log, known=links, most=most))
        return AuditFindings(count, last, tuple(found), witnessed=witnessed is not None)

    def _append(self, entries: Sequence[AuditEntry]) -> None:
        link, fits = self._database.run_blocking(partial(self._append_and_compare, entries))
        if fits:
            self._write_witness(link)
        elif self._fits is not False:
            log.error("audit.end_missing", seq=link.seq, witness=str(self._witness.file))
        self._fits = fits
        if link.seq // LINK_LOGGED_EVERY > self._newest // LINK_LOGGED_EVERY:
            log.info("audit.link", seq=link.seq, hash=link.hash)
        self._newest = link.seq

    def _write_witness(self, link: ChainLink) -> None:
        try:
            self._witness.write(link)
        except OSError as error:
            # The next batch writes it; until then an older link proves what was before it.
            log.warning("audit.witness_not_written", error=error.strerror)

    def _append_and_compare(self, entries: Sequence[AuditEntry], connection: Connection) -> tuple[ChainLink, bool]:
        begin_immediate(connection)
        # The file is looked at once, and again as long as it does not fit: an operator may have accepted the loss.
        fits = self._fits or self._witness_fits(connection)
        return append_entries(connection, entries), fits

    def _witness_fits(self, connection: Connection) -> bool:
        try:
            known = self._witness.read()
        except (OSError, ValueError):
            return False
        if known is not None:
            return not _contradiction(connection, known)
        if connection.scalar(select(_H.seq)):
            log.warning("audit.witness_missing", file=str(self._witness.file))
        return True


def _begin_and_append(connection: Connection, entries: Sequence[AuditEntry]) -> ChainLink:
    begin_immediate(connection)
    return append_entries(connection, entries)


def append_entries(connection: Connection, entries: Sequence[AuditEntry]) -> ChainLink:
    """Append entries to the chain within the caller's transaction, and return its new end."""
    locked = select(_H.seq, _H.hash).where(_H.id == 1).with_for_update()
    row = connection.execute(locked).one()
    end = ChainLink(row.seq, row.hash)
    rows = []
    for entry in entries:
        rows.append(_row(entry))
        end = append_link(rows[-1], end)
    execute_many(connection, _INSERT, rows)
    execute_many(connection, _INSERT_DOCUMENT, [mention for row in rows for mention in _mentions(row)])
    connection.execute(update(AUDIT_HEAD).values(seq=end.seq, hash=end.hash))
    return end


def purge_entries(connection: Connection, before: datetime, now: datetime) -> int:
    """Forget the entries from before a moment, inside the caller's transaction."""
    begin_immediate(connection)
    first_kept = connection.scalar(select(func.min(_A.seq)).where(_A.at_ms >= to_ms(before)))
    old = select(_A.seq, _A.hash).order_by(_A.seq.desc()).limit(1)
    row = connection.execute(old if first_kept is None else old.where(_A.seq < first_kept)).one_or_none()
    if row is None:
        return 0
    purged = ChainLink(row.seq, row.hash)
    note = AuditEntry(kind=AuditKind.OPERATOR, at=now, actor=BOT_ACTOR, action=PURGE, detail=str(purged))
    append_entries(connection, [note])
    connection.execute(update(AUDIT_HEAD).values(purged_seq=purged.seq, purged_hash=purged.hash))
    connection.execute(delete(AUDIT_DOCUMENT).where(_D.seq <= purged.seq))
    return connection.execute(delete(AUDIT).where(_A.seq <= purged.seq)).rowcount


def find_entries(connection: Connection, wanted: AuditSearch) -> tuple[RecordedEntry, ...]:
    """Return entries in the order that is wanted."""
    order = _A.seq.desc() if wanted.after is None else _A.seq
    found = _with_document(select(AUDIT), wanted.document).where(*_conditions(wanted))
    rows = connection.execute(found.order_by(order).limit(wanted.limit)).mappings()
    return tuple(map(_recorded, rows))


def _with_document(statement: Select[Any], document: str) -> Select[Any]:
    if not document:
        return statement
    return statement.join(AUDIT_DOCUMENT, _D.seq == _A.seq).where(_D.document == _folded(document))


def _conditions(wanted: AuditSearch) -> Iterator[ColumnElement[bool]]:
    for column, value in ((_A.actor, wanted.actor), (_A.action, wanted.action), (_A.kind, wanted.kind)):
        if value:
            yield column == value
    if wanted.since is not None:
        yield _A.at_ms >= to_ms(wanted.since)
    if wanted.until is not None:
        yield _A.at_ms < to_ms(wanted.until)
    if wanted.before is not None:
        yield _A.seq < wanted.before
    if wanted.after is not None:
        yield _A.seq > wanted.after


def check_log(
    connection: Connection, known: Sequence[ChainLink], most: int | None = None
) -> tuple[ChainLink, list[str], int]:
    """Return the end of the chain, what is wrong, and how many entries were looked at: the newest ``most``, or all."""
    head = connection.execute(select(AUDIT_HEAD)).mappings().one()
    start, end = ChainLink(head["purged_seq"], head["purged_hash"]), ChainLink(head["seq"], head["hash"])
    found, count = list(_purge_contradiction(connection, start)), 0
    if most is not None and end.seq - most > start.seq:
        start = _link_before(connection, end.seq - most) or start
    check = ChainCheck(start)
    for rows in _portions(connection, start.seq, end.seq):
        found += check.follow(rows)
        found += _missing_mentions(connection, rows)
        count += len(rows)
    found += check.end(end)
    newest = connection.scalar(select(func.max(_A.seq))) or 0
    # Entries that came meanwhile have moved the head along.
    if newest > max(end.seq, connection.scalar(select(_H.seq)) or 0):
        found.append(f"entry {newest} was inserted behind the end")
    found += filter(None, (_contradiction(connection, link) for link in known))
    return end, found, count


def _link_before(connection: Connection, seq: int) -> ChainLink | None:
    """Return the link of the newest entry up to a number; None where there is none."""
    up_to = select(_A.seq, _A.hash).where(_A.seq <= seq).order_by(_A.seq.desc()).limit(1)
    row = connection.execute(up_to).one_or_none()
    return None if row is None else ChainLink(row.seq, row.hash)


def _portions(connection: Connection, after: int, last: int) -> Iterator[list[dict[str, Any]]]:
    while True:
        wanted = select(AUDIT).where(_A.seq > after, _A.seq <= last).order_by(_A.seq).limit(_READ_AT_ONCE)
        rows = [dict(row) for row in connection.execute(wanted).mappings()]
        if not rows:
            return
        yield rows
        after = rows[-1]["seq"]


def _missing_mentions(connection: Connection, rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield which entries the search for a document would not find."""
    between = select(_D.document, _D.seq).where(_D.seq.between(rows[0]["seq"], rows[-1]["seq"]))
    there = {(mention.document, mention.seq) for mention in connection.execute(between)}
    for row in rows:
        if any((mention["document"], mention["seq"]) not in there for mention in _mentions(row)):
            yield f"entry {row['seq']} is not found by its documents"


def _purge_contradiction(connection: Connection, start: ChainLink) -> Iterator[str]:
    """Yield a finding for entries that are gone without an entry about their retention having ended."""
    if start == NO_ENTRY:
        return
    noted = connection.scalar(select(_A.detail).where(_A.action == PURGE).order_by(_A.seq.desc()).limit(1))
    if noted != str(start):
        yield f"the entries up to {start.seq} are gone, and the log does not say that they were purged"


def _contradiction(connection: Connection, known: ChainLink) -> str:
    """Return how the log contradicts a link that is known from elsewhere; empty if it does not."""
    head = connection.execute(select(AUDIT_HEAD)).one()
    if known.seq < head.purged_seq:
        return ""
    if known.seq > head.seq:
        first = head.seq + 1
        span = f"{first} is" if first == known.seq else f"{first} to {known.seq} are"
        return f"entry {span} missing at the end: a link to entry {known.seq} is known"
    purged = known.seq == head.purged_seq
    found = head.purged_hash if purged else connection.scalar(select(_A.hash).where(_A.seq == known.seq))
    return "" if found == known.hash else f"entry {known.seq} is another one than the link that is known says"


def _row(entry: AuditEntry) -> dict[str, Any]:
    return {
        "at_ms": to_ms(entry.at),
        "kind": entry.kind.value,
        "actor": _clean(entry.actor),
        "action": _clean(entry.action),
        "conversation": _clean(entry.conversation),
        "documents": orjson.dumps([_clean(number) for number in entry.documents]).decode(),
        "shown": orjson.dumps(sorted(entry.shown)).decode(),
        "rule": _clean(entry.rule),
        "outcome": _clean(entry.outcome),
        "detail": _clean(entry.detail),
    }


def _clean(text: str) -> str:
    """Return a text that every database takes and that cannot be long."""
    return text[:_LONGEST].replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _mentions(row: Any) -> list[dict[str, Any]]:
    numbers = dict.fromkeys(map(_folded, orjson.loads(row["documents"])))
    return [{"document": number, "seq": row["seq"]} for number in numbers]


def _folded(number: str) -> str:
    return _clean(number).casefold()


def _recorded(row: RowMapping) -> RecordedEntry:
    entry = AuditEntry(
        kind=AuditKind(row["kind"]),
        at=from_ms(row["at_ms"]),
        actor=row["actor"],
        action=row["action"],
        conversation=row["conversation"],
        documents=tuple(orjson.loads(row["documents"])),
        shown=tuple(map(FieldClass, orjson.loads(row["shown"]))),
        rule=row["rule"],
        outcome=row["outcome"],
        detail=row["detail"],
    )
    return RecordedEntry(seq=row["seq"], entry=entry, hash=row["hash"])
