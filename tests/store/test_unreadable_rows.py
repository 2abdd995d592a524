"""A row that was changed in the database hides no other one: lists go on without it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from types import MappingProxyType
from typing import TypeAlias

import pytest
from sqlalchemy import insert, text
from sqlalchemy.engine import Connection
from structlog.testing import capture_logs

from bot.alerts.intake.poll_state import Checkpoint
from bot.alerts.subscriptions import Subscription
from bot.approvals.oa.forms import OaRecord
from bot.chat.questions.dialogues import DialogueKey, LastQuestion
from bot.erp.model import Area
from bot.erp.validation import QuarantinedRecord
from bot.erp.validation_rules import Defect
from bot.outbox.place import Place, PlaceKind
from bot.store.alerts.events import StoredPolls
from bot.store.alerts.subscriptions import StoredSubscriptions
from bot.store.approvals.repository import StoredCaseRepository, StoredCaseTransactions, StoredOaRecords
from bot.store.chat.conversations import StoredDialogues
from bot.store.chat.inbox import StoredInbox
from bot.store.database import Database
from bot.store.erp.records import StoredErpRecords, read_rejected
from bot.store.tables import INBOX
from bot.words.sealing import NotOpened
from tests.store.stored_examples import SMALL_CASE

NOW = datetime(2026, 11, 5, 8, 30, tzinfo=UTC)
NUMBERS = ("1", "2", "3")

ReadNumbers: TypeAlias = Callable[[], Awaitable[Iterable[str]]]


async def keep_cases(database: Database) -> ReadNumbers:
    store = StoredCaseTransactions(database, lambda: NOW)

    def put(cases: StoredCaseRepository) -> None:
        for number in NUMBERS:
            cases.put(replace(SMALL_CASE, id=f"c-{number}", number=number, due_at=NOW))

    await store.transact(put)

    async def read() -> Iterable[str]:
        opened = await store.query(lambda cases: [case.number for case in cases.open_cases()])
        assert [case.number for case in await store.query(lambda cases: cases.due(NOW, 10))] == opened
        with pytest.raises(NotOpened):
            await store.query(lambda cases: cases.newest(SMALL_CASE.key._replace(number="2")))
        return opened

    return read


async def keep_oa_records(database: Database) -> ReadNumbers:
    store = StoredOaRecords(database)
    for number in NUMBERS:
        await store.begin(OaRecord(case=number, due_at=NOW))

    async def read() -> Iterable[str]:
        return [record.case for record in await store.under_way()]

    return read


async def keep_subscriptions(database: Database) -> ReadNumbers:
    store = StoredSubscriptions(database)
    place = Place(PlaceKind.PERSON, "keeper01")
    for number in NUMBERS:
        due = Subscription(
            place=place, conversation="", user_id="keeper01", line=number, at=time(8), workdays=False, next_at=NOW
        )
        await store.put(due)

    async def read() -> Iterable[str]:
        found = [each.line for each in await store.at_place(place)]
        assert await store.send_due(NOW, UTC) == len(found)
        return sorted(found)

    return read


async def keep_dialogues(database: Database) -> ReadNumbers:
    store = StoredDialogues(database)
    await store.save([(DialogueKey(number, "cid"), LastQuestion(line=number, at=NOW)) for number in NUMBERS], NOW)

    async def read() -> Iterable[str]:
        return [last.line for _, last in await store.load(NOW)]

    return read


async def keep_questions(database: Database) -> ReadNumbers:
    received = {"state": "waiting", "received_ms": int(NOW.timestamp() * 1000)}
    rows = [{"msg_id": number, "payload": number, **received} for number in NUMBERS]
    await database.run(lambda connection: connection.execute(insert(INBOX), rows))

    async def read() -> Iterable[str]:
        return [message.payload for message in await StoredInbox(database).unanswered(NOW - timedelta(minutes=1))]

    return read


async def keep_answers(database: Database) -> ReadNumbers:
    store = StoredErpRecords(database)
    for number in NUMBERS:
        store.put("main", "find_products", number, (), NOW)
    await store.write()

    async def read() -> Iterable[str]:
        again = StoredErpRecords(database)
        await again.load()
        return [number for number in NUMBERS if again.get("main", "find_products", number) is not None]

    return read


async def keep_rejected(database: Database) -> ReadNumbers:
    store = StoredErpRecords(database)
    for number in NUMBERS:
        store.add(
            QuarantinedRecord(
                source="main", area=Area.STOCK, key=number, defect=Defect.NEGATIVE, why="w", record=number, at=NOW
            )
        )
    await store.write()

    async def read() -> Iterable[str]:
        def find(connection: Connection) -> Iterable[str]:
            records, _ = read_rejected(connection, source="", area="", limit=10)
            return sorted(record.record for record in records)

        return await database.run(find)

    return read


async def keep_unsent(database: Database) -> ReadNumbers:
    store = StoredPolls(database)
    await store.advance(None, Checkpoint(source="main", area="stock"), (), [{"id": number} for number in NUMBERS])

    async def read() -> Iterable[str]:
        return [str(event["id"]) for _, event in await store.unsent("main", 10)]

    return read


LISTS: Mapping[str, tuple[Callable[[Database], Awaitable[ReadNumbers]], str, str]] = MappingProxyType(
    {
        "approval_case.body": (keep_cases, "approval_case", "id = 'c-2'"),
        "approval_native.body": (keep_oa_records, "approval_native", "case_id = '2'"),
        "subscription.line": (keep_subscriptions, "subscription", "rowid = 2"),
        "dialogue.line": (keep_dialogues, "dialogue", "user_id = '2'"),
        "dialogue.rows": (keep_dialogues, "dialogue", "user_id = '2'"),
        "inbox.payload": (keep_questions, "inbox", "msg_id = '2'"),
        "erp_copy.value": (keep_answers, "erp_copy", "rowid = 2"),
        "erp_copy.asked": (keep_answers, "erp_copy", "rowid = 2"),
        "erp_rejected.record": (keep_rejected, "erp_rejected", "key = '2'"),
        "poll_unsent.event": (keep_unsent, "poll_unsent", "number = 2"),
    }
)


@pytest.mark.parametrize("column", LISTS)
async def test_a_list_goes_on_without_it(database: Database, column: str) -> None:
    await database.unlock()
    keep, table, which = LISTS[column]
    read = await keep(database)
    swap = text(f"UPDATE {table} SET {column.partition('.')[2]} = 's1:AAAA' WHERE {which}")
    assert (await database.run(lambda connection: connection.execute(swap))).rowcount == 1
    with capture_logs() as logs:
        found = list(await read())
    assert len(found) == 2
    assert found == sorted(found)
    unreadable = [log for log in logs if log["event"] == "store.unreadable"]
    assert {log["table"] for log in unreadable} == {table}
    assert all(column.partition(".")[2] in log["detail"] for log in unreadable)
