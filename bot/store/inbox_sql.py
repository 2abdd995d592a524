"""The statements of the inbox, one trip of the database each.

With SQLite every statement, each row that Python steps over, and the beginning and the end of a transaction let another
thread take the interpreter, and under load each way back costs a switch interval. So a batch goes in as one JSON
parameter and one statement that is its own transaction, and nothing is fetched back unless something in it was known
already.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

import orjson
from sqlalchemy import select, text, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import Update

from bot.chat.inbox import InboxState, Letter
from bot.store.tables import INBOX
from bot.store.upsert import insert_into

_SETTLED = frozenset({InboxState.ANSWERED, InboxState.FAILED})

_INSERT_JSON = (
    "INSERT INTO inbox (msg_id, state, received_ms, payload) SELECT json_extract(value, '$[0]'), ?, "
    "json_extract(value, '$[1]'), json_extract(value, '$[2]') FROM json_each(?)"
)

_MARK_JSON = "UPDATE inbox SET state = :state%s WHERE msg_id IN (SELECT value FROM json_each(:ids))"
# Constant text: writing a statement anew for each number of ids took nearly half of a small commit (measured).
_MARK = text(_MARK_JSON % "")
_SETTLE = text(_MARK_JSON % ", payload = ''")


def milliseconds(moment: datetime) -> int:
    """Return a time as the table holds it."""
    return int(moment.timestamp() * 1000)


class SomeKnown(Exception):
    """A letter of the batch was there before: nothing was stored, and each one must be looked at."""


def insert_letters(connection: Connection, letters: Mapping[str, Letter]) -> frozenset[str]:
    """Store letters by one statement and return the ids of those that were new. Raises `SomeKnown`."""
    if connection.dialect.name == "postgresql":
        return _insert_postgresql(connection, letters)
    rows = [(one.msg_id, milliseconds(one.received_at), one.payload) for one in letters.values()]
    try:
        connection.exec_driver_sql(_INSERT_JSON, (InboxState.WAITING.value, orjson.dumps(rows).decode()))
    except IntegrityError:
        raise SomeKnown from None
    return frozenset(letters)


def insert_unknown_letters(connection: Connection, letters: Mapping[str, Letter]) -> frozenset[str]:
    """Store those letters that are not there yet and return their ids."""
    known = set(connection.execute(select(INBOX.c.msg_id).where(INBOX.c.msg_id.in_(letters))).scalars())
    new = {msg_id: letter for msg_id, letter in letters.items() if msg_id not in known}
    return insert_letters(connection, new) if new else frozenset()


def mark(connection: Connection, marks: Mapping[str, InboxState]) -> None:
    """Set states; settled questions lose their payload, for it holds the reply address, which is a secret."""
    by_state: dict[InboxState, list[str]] = {}
    for msg_id, state in marks.items():
        by_state.setdefault(state, []).append(msg_id)
    for state, ids in by_state.items():
        if connection.dialect.name == "postgresql":
            connection.execute(_marking(state, ids))
        else:
            values = {"state": state, "ids": orjson.dumps(ids).decode()}
            connection.execute(_SETTLE if state in _SETTLED else _MARK, values)


def _marking(state: InboxState, ids: Collection[str]) -> Update:
    marking = update(INBOX).where(INBOX.c.msg_id.in_(ids)).values(state=state)
    return marking.values(payload="") if state in _SETTLED else marking


def _insert_postgresql(connection: Connection, letters: Mapping[str, Letter]) -> frozenset[str]:
    rows = [
        {
            "msg_id": one.msg_id,
            "state": InboxState.WAITING,
            "received_ms": milliseconds(one.received_at),
            "payload": one.payload,
        }
        for one in letters.values()
    ]
    insert = insert_into(INBOX, "postgresql").on_conflict_do_nothing(index_elements=["msg_id"])
    return frozenset(connection.execute(insert.returning(INBOX.c.msg_id), rows).scalars())
