"""The inbox: nothing acknowledged is lost, nothing is taken twice, frames share commits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from sqlalchemy import func, select, text

from bot.chat.answers.ports import InboxMessage, InboxState
from bot.store.chat.inbox import RETENTION, StoredInbox, insert_job
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from bot.store.tables import INBOX
from bot.words.errors import DingerpError

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@asynccontextmanager
async def running(database: Database) -> AsyncIterator[StoredInbox]:
    inbox = StoredInbox(database)
    task = asyncio.create_task(inbox.run())
    yield inbox
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def question(number: int, at: datetime = NOW) -> InboxMessage:
    return InboxMessage(f"msg{number}", f'{{"n":{number}}}', at)


async def accepted(inbox: StoredInbox, message: InboxMessage) -> bool:
    """Return after the commit whether the question is new; raises the error instead."""
    stored: asyncio.Future[bool | DingerpError] = asyncio.get_running_loop().create_future()
    inbox.accept(message, stored.set_result)
    new = await stored
    if isinstance(new, DingerpError):
        raise new
    return new


def counted(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return a list that gets every job of the database's thread."""
    jobs: list[object] = []
    start = database.start
    monkeypatch.setattr(database, "start", lambda job: (jobs.append(job), start(job))[1])
    return jobs


async def states(database: Database) -> dict[str, tuple[str, str]]:
    rows = await database.run(lambda connection: connection.execute(select(INBOX)).all())
    return {row.msg_id: (row.state, row.payload) for row in rows}


async def test_a_question_is_new_once(database: Database) -> None:
    async with running(database) as inbox:
        assert await accepted(inbox, question(1))
        assert not await accepted(inbox, question(1))
    async with running(database) as after_restart:
        assert not await accepted(after_restart, question(1))


async def test_twins_in_one_batch_are_new_once(database: Database) -> None:
    async with running(database) as inbox:
        assert sorted(await asyncio.gather(*(accepted(inbox, question(7)) for _ in range(5)))) == [False] * 4 + [True]


async def test_frames_of_one_moment_share_a_commit(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = counted(database, monkeypatch)
    async with running(database) as inbox:
        assert all(await asyncio.gather(*(accepted(inbox, question(number)) for number in range(400))))
    assert 1 <= len(jobs) <= 3


async def test_a_flush_writes_at_once_what_was_accepted(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = counted(database, monkeypatch)
    async with running(database) as inbox:
        inbox.flush()
        assert jobs == [], "nothing was accepted"
        told = [asyncio.ensure_future(accepted(inbox, question(number))) for number in range(3)]
        await asyncio.sleep(0)
        inbox.flush()
        assert len(jobs) == 1, "not only in the next turn of the loop"
        inbox.flush()
        assert await asyncio.gather(*told) == [True] * 3
    assert len(jobs) == 1


async def test_what_comes_while_a_batch_is_written_follows_in_one_batch(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    async with running(database) as inbox:
        database.start(lambda: gate.wait(10))
        jobs = counted(database, monkeypatch)
        first = asyncio.ensure_future(accepted(inbox, question(1)))
        await asyncio.sleep(0)
        inbox.flush()
        others = [asyncio.ensure_future(accepted(inbox, question(number))) for number in (2, 3)]
        await asyncio.sleep(0)
        inbox.flush()
        assert len(jobs) == 1
        gate.set()
        assert await asyncio.gather(first, *others) == [True] * 3
    assert len(jobs) == 2


async def test_a_known_question_among_new_ones_keeps_none_of_them_out(database: Database) -> None:
    async with running(database) as inbox:
        await accepted(inbox, question(1))
        new = await asyncio.gather(*(accepted(inbox, question(number)) for number in (1, 2, 3)))
    assert new == [False, True, True]
    assert set(await states(database)) == {"msg1", "msg2", "msg3"}


async def test_marks_without_anybody_waiting_share_a_commit(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(database) as inbox:
        await asyncio.gather(*(accepted(inbox, question(number)) for number in range(50)))
        jobs = counted(database, monkeypatch)
        for number in range(50):
            inbox.mark_soon(f"msg{number}", InboxState.ANSWERED)
            await asyncio.sleep(0)
    assert len(jobs) == 1
    assert set((await states(database)).values()) == {("answered", "")}


async def test_what_becomes_of_a_question_in_doubt_is_written_at_once(database: Database) -> None:
    async with running(database) as inbox:
        await accepted(inbox, question(1))
        await inbox.mark("msg1", InboxState.FALLING_BACK)
        inbox.mark_soon("msg1", InboxState.ANSWERED)
        # Behind it in the thread that writes: no pause was made.
        assert await states(database) == {"msg1": ("answered", "")}


async def test_an_end_in_the_middle_of_writing_writes_all(database: Database) -> None:
    with structlog.testing.capture_logs() as logs:
        async with running(database) as inbox:
            accepting = [asyncio.create_task(accepted(inbox, question(number))) for number in range(3)]
            await asyncio.sleep(0)
    assert await asyncio.gather(*accepting) == [True, True, True]
    assert logs == []


async def test_nothing_to_insert_is_no_trouble(database: Database) -> None:
    assert await asyncio.wrap_future(database.start(insert_job(database, {}))) == frozenset()


async def test_more_than_a_batch_is_accepted_whole(database: Database) -> None:
    async with running(database) as inbox:
        assert all(await asyncio.gather(*(accepted(inbox, question(number)) for number in range(1300))))
    assert await database.run(lambda connection: connection.scalar(select(func.count()).select_from(INBOX))) == 1300


async def test_marks_written_late_reach_the_table_when_the_inbox_ends(database: Database) -> None:
    async with running(database) as inbox:
        await accepted(inbox, question(1))
        inbox.mark_soon("msg1", InboxState.ANSWERED)
    assert await states(database) == {"msg1": ("answered", "")}


async def test_after_a_crash_unanswered_questions_come_back_in_order(
    database: Database,
) -> None:
    async with running(database) as inbox:
        await accepted(inbox, question(1, NOW - timedelta(minutes=5)))
        await accepted(inbox, question(3, NOW - timedelta(seconds=10)))
        await accepted(inbox, question(2, NOW - timedelta(seconds=20)))
        await accepted(inbox, question(4))
        await accepted(inbox, question(5))
        await inbox.mark("msg4", InboxState.FALLING_BACK)
        await inbox.mark("msg5", InboxState.ANSWERED)
    again = await StoredInbox(database).unanswered(NOW - timedelta(minutes=2))
    assert [(found.msg_id, found.too_old) for found in again] == [("msg1", True), ("msg2", False), ("msg3", False)]
    assert again[1] == question(2, NOW - timedelta(seconds=20))
    table = await states(database)
    assert table["msg1"][0] == "waiting", "until its asker was told"
    assert table["msg4"] == ("failed", "")
    assert table["msg5"] == ("answered", "")


async def test_who_is_told_may_fail_and_the_others_are_told_and_the_defect_is_known(database: Database) -> None:
    def fail(_: bool | DingerpError) -> None:
        raise LookupError("a defect")

    inbox = StoredInbox(database)
    running = asyncio.create_task(inbox.run())
    await asyncio.sleep(0)
    inbox.accept(question(1), fail)
    assert await accepted(inbox, question(2))
    with pytest.raises(LookupError):
        await running


async def test_what_cannot_be_written_down_is_a_known_defect_and_keeps_nobody_waiting(database: Database) -> None:
    inbox = StoredInbox(database)
    running = asyncio.create_task(inbox.run())
    await asyncio.sleep(0)
    inbox.accept(InboxMessage("msg1", "half of an emoji: \ud83d", NOW), lambda _: None)
    with pytest.raises(Exception, match="surrogate"):
        await asyncio.wait_for(running, 60)
    assert await asyncio.wait_for(accepted(inbox, question(2)), 60)


async def test_old_rows_are_forgotten(database: Database) -> None:
    async with running(database) as inbox:
        await accepted(inbox, question(1, NOW - RETENTION - timedelta(seconds=1)))
        await accepted(inbox, question(2))
        await inbox.prune(NOW)
    assert set(await states(database)) == {"msg2"}


async def test_a_broken_database_is_no_acknowledgement_and_not_the_end(database: Database) -> None:
    async with running(database) as inbox:
        await database.run(lambda connection: connection.execute(text("ALTER TABLE inbox RENAME TO away")))
        with pytest.raises(StoreUnavailable):
            await accepted(inbox, question(1))
        await database.run(lambda connection: connection.execute(text("ALTER TABLE away RENAME TO inbox")))
        assert await accepted(inbox, question(1))
