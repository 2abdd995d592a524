"""The statements of the inbox, one trip of the database each.

With SQLite every statement, each row that Python steps over, and the beginning and the end of a transaction let another
thread take the interpreter, and under load each way back costs a switch interval. So a batch goes in as one JSON
parameter and one statement that is its own transaction, and nothing is fetched back unless something in it was known
already. What Python there is to do is done before, by whoever makes the job.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

import orjson
from sqlalchemy import update
from sqlalchemy.engine import Connection

from bot.chat.inbox import InboxState, Letter
from bot.store.database import Database
from bot.store.direct import Direct
from bot.store.tables import INBOX
from bot.store.upsert import insert_into

_SETTLED = frozenset({InboxState.ANSWERED, InboxState.FAILED})

_INSERT = (
    "INSERT INTO inbox (msg_id, state, received_ms, payload) SELECT json_extract(value, '$[0]'), ?, "
    "json_extract(value, '$[1]'), json_extract(value, '$[2]') FROM json_each(?)"
)
# Each state with whether it is settled: settled questions lose their payload.
_MARK = (
    "UPDATE inbox SET state = json_extract(mark.value, '$[0]'), "
    "payload = CASE json_extract(mark.value, '$[1]') WHEN 1 THEN '' ELSE payload END "
    "FROM json_each(?) AS mark WHERE msg_id = mark.key"
)


def milliseconds(moment: datetime) -> int:
    """Return a time as the table holds it."""
    return int(moment.timestamp() * 1000)


def storing(database: Database, letters: Mapping[str, Letter]) -> Callable[[], frozenset[str]]:
    """Return the job that stores those letters that are not there yet and gives back their ids."""
    one_by_one = partial(database.state, partial(_insert_new, letters=letters))
    if database.direct is None:
        return one_by_one
    rows = [(one.msg_id, milliseconds(one.received_at), one.payload) for one in letters.values()]
    parameters = (InboxState.WAITING.value, orjson.dumps(rows).decode())
    return partial(_insert_directly, database.direct, parameters, frozenset(letters), one_by_one)


def marking(database: Database, marks: Mapping[str, InboxState]) -> Callable[[], None]:
    """Return the job that sets states; settled questions lose their payload, which holds the secret reply address."""
    if database.direct is None:
        return partial(database.transact, partial(_mark_all, marks=marks))
    states = {msg_id: (state.value, state in _SETTLED) for msg_id, state in marks.items()}
    return partial(database.direct.execute, _MARK, (orjson.dumps(states).decode(),))


def _insert_directly(
    direct: Direct, parameters: tuple[object, ...], ids: frozenset[str], one_by_one: Callable[[], frozenset[str]]
) -> frozenset[str]:
    try:
        direct.execute(_INSERT, parameters)
    except sqlite3.IntegrityError:
        return one_by_one()  # some were there before: nothing was stored, and each one must be looked at
    return ids


def _mark_all(connection: Connection, marks: Mapping[str, InboxState]) -> None:
    by_state: dict[InboxState, list[str]] = {}
    for msg_id, state in marks.items():
        by_state.setdefault(state, []).append(msg_id)
    for state, ids in by_state.items():
        emptied = {"payload": ""} if state in _SETTLED else {}
        connection.execute(update(INBOX).where(INBOX.c.msg_id.in_(ids)).values(state=state, **emptied))


def _insert_new(connection: Connection, letters: Mapping[str, Letter]) -> frozenset[str]:
    if not letters:
        return frozenset()
    insert = insert_into(INBOX, connection.dialect.name).on_conflict_do_nothing(index_elements=["msg_id"])
    rows = [
        {
            "msg_id": one.msg_id,
            "state": InboxState.WAITING,
            "received_ms": milliseconds(one.received_at),
            "payload": one.payload,
        }
        for one in letters.values()
    ]
    return frozenset(connection.execute(insert.returning(INBOX.c.msg_id), rows).scalars())
