"""Checks of the audit log: breaks in its chain, missing guards, and unaccepted problems."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.engine import Connection

from bot.store.audit.chain import NO_ENTRY, ChainCheck, ChainLink
from bot.store.audit.entries import ACCEPT, BROKEN, PURGE, mentions_of
from bot.store.audit_guards import find_missing_guards, find_strange_triggers
from bot.store.tables import AUDIT, AUDIT_DOCUMENT, AUDIT_HEAD

_READ_AT_ONCE = 2_000
_NO_HEAD = "the row with the end of the chain is gone"

_A, _D = AUDIT.c, AUDIT_DOCUMENT.c


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFindings:
    """The result of checking the log: the number of entries, the newest, and every break.

    ``witnessed`` is False if no link was known from outside the database: then the end may be missing. ``unguarded``
    lists missing protections against changes, ``unaccepted`` the breaks found now or earlier and not accepted.
    """

    entries: int = 0
    last: ChainLink = NO_ENTRY
    broken: tuple[str, ...] = ()
    witnessed: bool = False
    unguarded: tuple[str, ...] = ()
    unaccepted: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """All problems, current ones first, each once."""
        return tuple(dict.fromkeys((*self.broken, *self.unguarded, *self.unaccepted)))


@dataclass(frozen=True, slots=True)
class BrokenOnRecord:
    """The breaks recorded in the log's own entries: all, and those since the last acceptance."""

    ever: frozenset[str]
    unaccepted: tuple[str, ...]


def read_record(connection: Connection) -> BrokenOnRecord:
    """Return the recorded breaks, the oldest first."""
    noted = select(_A.seq, _A.detail).where(_A.action == BROKEN).order_by(_A.seq)
    rows = connection.execute(noted).all()
    accepted = max(map(_number, connection.scalars(select(_A.seq).where(_A.action == ACCEPT))), default=0)
    since = tuple(str(row.detail) for row in rows if _number(row.seq) > accepted)
    return BrokenOnRecord(frozenset(str(row.detail) for row in rows), since)


def _number(seq: object) -> int:
    """Return an entry's number; 0 for an invalid one: SQLite stores any type."""
    return seq if isinstance(seq, int) else 0


def find_problems(connection: Connection, known: Sequence[ChainLink], most: int | None) -> list[str]:
    """Return the problems of the log, including rows that cannot be read."""
    try:
        return check_log(connection, known, most)[1]
    except (TypeError, ValueError, OverflowError) as error:
        return [f"the log cannot be looked through ({type(error).__name__}): a row of it was not written by dingerp"]


def find_unguarded(connection: Connection) -> list[str]:
    """Return the missing protections against changes, and obstacles to the bot's writing."""
    gone = [say_missing_guard(name) for name in find_missing_guards(connection)]
    return [
        *gone,
        *(f"the trigger {name} on the audit log is not dingerp's" for name in find_strange_triggers(connection)),
    ]


def say_missing_guard(name: str) -> str:
    """Return the text for a missing guard."""
    return f"the guard {name} was taken away"


def read_head(connection: Connection) -> tuple[ChainLink, ChainLink] | None:
    """Return both ends of the chain: the newest entry, and the newest purged one; None if their row is gone."""
    row = connection.execute(select(AUDIT_HEAD)).mappings().one_or_none()
    if row is None:
        return None
    return ChainLink(row["seq"], row["hash"]), ChainLink(row["purged_seq"], row["purged_hash"])


def put_back_head(connection: Connection) -> list[str]:
    """Rebuild the row with the ends of the chain from the entries, and return a description."""
    if read_head(connection) is not None:
        return []
    end, purged = _ends_by_entries(connection)
    values = {"id": 1, "seq": end.seq, "hash": end.hash, "purged_seq": purged.seq, "purged_hash": purged.hash}
    connection.execute(insert(AUDIT_HEAD).values(values))
    return [f"{_NO_HEAD}; it was put back behind entry {end.seq}"]


def _ends_by_entries(connection: Connection) -> tuple[ChainLink, ChainLink]:
    row = connection.execute(select(_A.seq, _A.hash).order_by(_A.seq.desc()).limit(1)).one_or_none()
    try:
        purged = ChainLink.parse(_noted_purge(connection) or str(NO_ENTRY))
    except ValueError:  # a changed entry, as its hash tells
        purged = NO_ENTRY
    return (purged if row is None else ChainLink(row.seq, row.hash)), purged


def check_log(
    connection: Connection, known: Sequence[ChainLink], most: int | None = None
) -> tuple[ChainLink, list[str], int]:
    """Return the end of the chain, its problems, and the number of entries checked: the newest ``most``, or all."""
    head = read_head(connection)
    end, purged = head or _ends_by_entries(connection)
    start, count = purged, 0
    found = [*([] if head else [_NO_HEAD]), *_purge_contradiction(connection, purged)]
    if most is not None and end.seq - most > start.seq:
        start = _link_before(connection, end.seq - most) or start
    check = ChainCheck(start)
    for rows in _portions(connection, start.seq, end.seq):
        found += check.follow(rows)
        found += _wrong_mentions(connection, rows)
        count += len(rows)
    found += check.end(end)
    oldest = connection.scalar(select(func.min(_A.seq)))
    if isinstance(oldest, int) and oldest <= purged.seq:
        found.append(f"entry {oldest} was inserted before the beginning")
    newest = connection.scalar(select(func.max(_A.seq))) or 0
    # Entries appended meanwhile have moved the head along.
    now = read_head(connection)
    if not isinstance(newest, int) or newest > max(end.seq, now[0].seq if now else 0):
        found.append(f"entry {newest} was inserted behind the end")
    found += filter(None, (_contradiction(connection, link) for link in known))
    return end, found, count


def _link_before(connection: Connection, seq: int) -> ChainLink | None:
    """Return the link of the newest entry up to a number; None if there is none."""
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


def _wrong_mentions(connection: Connection, rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield entries missing from the document index, and index rows that point to the wrong entry."""
    between = select(_D.document, _D.seq).where(_D.seq.between(rows[0]["seq"], rows[-1]["seq"]))
    there: dict[int, set[str]] = {}
    for mention in connection.execute(between):
        there.setdefault(mention.seq, set()).add(mention.document)
    for row in rows:
        has, found = {mention["document"] for mention in mentions_of(row)}, there.get(row["seq"], set())
        if not has <= found:
            yield f"entry {row['seq']} is not found by its documents"
        elif found != has:
            yield f"entry {row['seq']} is found by documents that it does not name"


def _purge_contradiction(connection: Connection, start: ChainLink) -> Iterator[str]:
    """Yield a finding for entries that are gone without a purge entry."""
    if start == NO_ENTRY:
        return
    if _noted_purge(connection) != str(start):
        yield f"the entries up to {start.seq} are gone, and the log does not say that they were purged"


def _noted_purge(connection: Connection) -> str | None:
    noted = connection.scalar(select(_A.detail).where(_A.action == PURGE).order_by(_A.seq.desc()).limit(1))
    return None if noted is None else str(noted)


def _contradiction(connection: Connection, known: ChainLink) -> str:
    """Return how the log contradicts a link known from elsewhere; empty if it does not."""
    end, purged_to = read_head(connection) or _ends_by_entries(connection)
    if known.seq < purged_to.seq:
        return ""
    if known.seq > end.seq:
        first = end.seq + 1
        span = f"{first} is" if first == known.seq else f"{first} to {known.seq} are"
        return f"entry {span} missing at the end: a link to entry {known.seq} is known"
    purged = known.seq == purged_to.seq
    found = purged_to.hash if purged else connection.scalar(select(_A.hash).where(_A.seq == known.seq))
    return "" if found == known.hash else f"entry {known.seq} is another one than the link that is known says"
