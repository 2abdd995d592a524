"""What a newer version stored in a record's JSON stays when this version writes it: both run during an upgrade."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Table, select, update

from bot.approvals.oa.forms import OaRecord
from bot.erp.model import Verdict
from bot.store.approvals.repository import StoredCaseTransactions, StoredOaRecords
from bot.store.database import Database
from bot.store.record_codec import pack_body
from bot.store.tables import APPROVAL_CASE, GATE_REQUEST, OA_APPROVAL
from tests.approvals.company import NOW
from tests.approvals.test_repository import a_case, put, vote
from tests.gate.desk import LI, Desk
from tests.rows import each_row

Change = Callable[[], Awaitable[object]]


@each_row(
    ("stored", "known", "new", "written"),
    [
        ({"a": 1, "newer": 2}, {"a": 1}, {"a": 3}, {"a": 3, "newer": 2}),
        # What this version knows and has emptied is gone.
        ({"a": 1, "b": 2}, {"a": 1, "b": 2}, {"a": 1}, {"a": 1}),
        ({"in": {"a": 1, "newer": 2}}, {"in": {"a": 1}}, {"in": {"a": 3}}, {"in": {"a": 3, "newer": 2}}),
        ({"in": {"a": 1, "newer": 2}}, {"in": {"a": 1}}, {"in": None}, {"in": None}),
        # Items of a list: one more, one changed, one less.
        ([{"a": 1, "newer": 2}], [{"a": 1}], [{"a": 1}, {"a": 5}], [{"a": 1, "newer": 2}, {"a": 5}]),
        ([{"a": 1, "newer": 2}], [{"a": 1}], [{"a": 3}], [{"a": 3, "newer": 2}]),
        ([{"a": 1, "newer": 2}, {"a": 4, "newer": 5}], [{"a": 1}, {"a": 4}], [{"a": 4}], [{"a": 4, "newer": 5}]),
        ([{"a": 1, "newer": 2}, {"a": 4, "newer": 5}], [{"a": 1}, {"a": 4}], [{"a": 6}], [{"a": 6}]),
        # A record whose fields are a list has newer ones at its end.
        ({"in": ["1", "CNY", "newer"]}, {"in": ["1", "CNY"]}, {"in": ["2", "CNY"]}, {"in": ["2", "CNY", "newer"]}),
    ],
)
def test_what_was_not_read_is_written_again(stored: Any, known: Any, new: Any, written: Any) -> None:
    packed = pack_body({"body": new}, json.dumps({"body": stored}), {"body": known})
    assert json.loads(packed) == {"body": written}


async def _case(database: Database) -> Change:
    store = StoredCaseTransactions(database, lambda: NOW)
    case = a_case(votes=(vote("wang"),))
    await put(store, case)
    return partial(put, store, replace(case, revision=2))


async def _oa_approval(database: Database) -> Change:
    records, record = StoredOaRecords(database), OaRecord(case="c-1", due_at=NOW)
    await records.begin(record)
    return partial(records.put, replace(record, tries=1))


async def _gate_request(database: Database) -> Change:
    gate = Desk(database).gate
    request = await Desk(database).ask()
    return partial(gate.vote, request.id, LI, "Li", Verdict.APPROVE)


@pytest.mark.parametrize(
    ("table", "begin"), [(APPROVAL_CASE, _case), (OA_APPROVAL, _oa_approval), (GATE_REQUEST, _gate_request)]
)
async def test_a_change_keeps_what_a_newer_version_stored(
    table: Table, begin: Callable[[Database], Awaitable[Change]], sqlite_url: str
) -> None:
    database = Database(sqlite_url)
    await database.migrate()
    change = await begin(database)
    body = json.loads(await database.run(lambda connection: connection.scalar(select(table.c.body))))
    newer = json.dumps(body | {"newer": {"what": 1}})
    await database.run(lambda connection: connection.execute(update(table).values(body=newer)))
    await change()
    after = json.loads(await database.run(lambda connection: connection.scalar(select(table.c.body))))
    await database.close()
    assert after != body | {"newer": {"what": 1}}
    assert after["newer"] == {"what": 1}
