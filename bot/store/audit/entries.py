"""The entries of the audit log as rows: appended to their chain, searched, and purged after their retention.

All processes append to one chain: they lock the row with its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any, Final

import orjson
from sqlalchemy import Insert, Select, delete, func, insert, select, update
from sqlalchemy.engine import Connection, RowMapping
from sqlalchemy.sql import ColumnElement

from bot.access.audit import BOT_ACTOR, STRANGE_ENTRY, AuditEntry, AuditKind, AuditSearch, RecordedEntry
from bot.store.audit.chain import ChainLink, append_link
from bot.store.errors import StoreUnavailable
from bot.store.row_times import from_ms, to_ms
from bot.store.statements import execute_many, insert_into
from bot.store.tables import AUDIT, AUDIT_DOCUMENT, AUDIT_HEAD
from bot.store.transactions import begin_immediate
from bot.words.disclosure import FieldClass
from bot.words.phrase import phrase

PURGE = "audit.purge"
ACCEPT = "audit.accept"
BROKEN = "audit.broken"
"""An entry about a break found by the bot; it is unaccepted until an `ACCEPT` follows."""
LOST = "audit.lost"
"""An entry about entries that could not be kept."""

LONGEST: Final = 500
"""Characters stored of a text."""
_LAST_NUMBER: Final = 2**63 - 1
_TAKEN_AT_ONCE = 500

_A, _D, _H = AUDIT.c, AUDIT_DOCUMENT.c, AUDIT_HEAD.c
_INSERT = insert(AUDIT)


def append_entries(connection: Connection, entries: Sequence[AuditEntry]) -> ChainLink:
    """Append entries to the chain within the caller's transaction, and return its new end."""
    locked = select(_H.seq, _H.hash).where(_H.id == 1).with_for_update()
    head = connection.execute(locked).one_or_none()
    if head is None:
        raise StoreUnavailable(phrase("the end of the audit log is gone"))
    end, rows = ChainLink(head.seq, head.hash), []
    for entry, seq in zip(entries, _free_numbers(connection, head.seq, len(entries)), strict=True):
        rows.append(_row(entry))
        end = append_link(rows[-1], end, seq)
    execute_many(connection, _INSERT, rows)
    mentions = [mention for row in rows for mention in mentions_of(row)]
    execute_many(connection, _insert_mention(connection.dialect.name), mentions)
    connection.execute(update(AUDIT_HEAD).values(seq=end.seq, hash=end.hash))
    return end


@cache
def _insert_mention(dialect: str) -> Insert:
    # An existing row was inserted before its entry, and must not prevent the entry from being written.
    return insert_into(AUDIT_DOCUMENT, dialect).on_conflict_do_nothing()


def _free_numbers(connection: Connection, after: int, count: int) -> list[int]:
    """Return the next unused numbers: a row inserted behind the end must not stop the log.

    Raises `StoreUnavailable` if there are none.
    """
    numbers: list[int] = []
    while len(numbers) < count:
        behind = select(_A.seq).where(_A.seq > after).order_by(_A.seq).limit(_TAKEN_AT_ONCE)
        # SQLite also accepts texts, which sort after all numbers.
        taken = [number for number in connection.scalars(behind) if isinstance(number, int)]
        last = taken[-1] if taken else _LAST_NUMBER
        there = set(taken)
        free = (number for number in range(after + 1, last + 1) if number not in there)
        numbers += islice(free, count - len(numbers))
        if len(numbers) < count and last == _LAST_NUMBER:
            raise StoreUnavailable(phrase("no number is free behind the end of the audit log, which was moved"))
        after = last
    return numbers


def purge_entries(connection: Connection, before: datetime, now: datetime) -> int:
    """Delete the entries from before a time, inside the caller's transaction."""
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
    """Return entries in the requested order."""
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
    """Return a text accepted by every database, of bounded length."""
    return text[:LONGEST].replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def mentions_of(row: Any) -> list[dict[str, Any]]:
    """Return the index rows for the documents of an entry."""
    try:
        numbers = dict.fromkeys(map(_folded, orjson.loads(row["documents"])))
    except (ValueError, TypeError):  # not written here, as its hash tells
        return []
    return [{"document": number, "seq": row["seq"]} for number in numbers]


def _folded(number: str) -> str:
    return _clean(number).casefold()


def _recorded(row: RowMapping) -> RecordedEntry:
    try:
        entry = _entry(row)
    except (TypeError, ValueError, OverflowError):  # inserted or changed from outside: its hash tells
        entry = _unreadable(row)
    return RecordedEntry(seq=row["seq"] if isinstance(row["seq"], int) else 0, entry=entry, hash=str(row["hash"]))


_TEXTS = ("actor", "action", "conversation", "rule", "outcome", "detail")


def _entry(row: RowMapping) -> AuditEntry:
    texts = {name: row[name] for name in _TEXTS}
    documents = tuple(orjson.loads(row["documents"]))
    if not all(isinstance(text, str) for text in (*texts.values(), *documents)):
        raise TypeError("no text")
    return AuditEntry(
        kind=AuditKind(row["kind"]),
        at=from_ms(row["at_ms"]),
        documents=documents,
        shown=tuple(map(FieldClass, orjson.loads(row["shown"]))),
        **texts,
    )


def _unreadable(row: RowMapping) -> AuditEntry:
    actor, action = (_clean(str(row[name])) for name in ("actor", "action"))
    try:
        at = from_ms(row["at_ms"])
    except (TypeError, OverflowError):
        at = from_ms(0)
    return AuditEntry(kind=AuditKind.UNREADABLE, at=at, actor=actor, action=action, detail=str(STRANGE_ENTRY))
