"""The audit log: one chain whatever happens, and every change of it is found."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot.access.audit import AuditEntry, AuditKind, AuditSearch
from bot.store.audit.chain import AuditWitness, ChainLink, append_link, hash_row
from bot.store.audit.log import StoredAudit
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from bot.words.disclosure import FieldClass

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def entry(number: int, **fields: Any) -> AuditEntry:
    known: dict[str, Any] = {
        "kind": AuditKind.QUESTION,
        "at": AT + timedelta(minutes=number),
        "actor": "sales01",
        "action": "order",
        "conversation": "cidA==",
        "documents": (f"SO-{number}",),
        "shown": (FieldClass.AMOUNT, FieldClass.PARTNER),
        "rule": "default",
        "outcome": "answered",
    }
    return AuditEntry(**known | fields)


@pytest.fixture
def witness(tmp_path: Path) -> AuditWitness:
    return AuditWitness(tmp_path)


@pytest.fixture
def audit(database: Database, witness: AuditWitness) -> StoredAudit:
    return StoredAudit(database, witness)


async def fill(audit: StoredAudit, last: int, first: int = 1) -> None:
    for number in range(first, last + 1):
        audit.record(entry(number))
        if number % 3 == 0:
            await audit.flush()
    await audit.flush()


async def broken(audit: StoredAudit, *known: ChainLink) -> tuple[str, ...]:
    return (await audit.verify(known=known)).broken


class Tamperer:
    """Somebody who can write to the file of the database, and removes its guards first."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self, *statements: str) -> None:
        with closing(sqlite3.connect(self._file)) as connection, connection:
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                connection.execute(statement)

    def chain_anew(self) -> None:
        """Give all entries the hashes that fit."""
        with closing(sqlite3.connect(self._file)) as connection, connection:
            connection.row_factory = sqlite3.Row
            end = ChainLink(0, "0" * 64)
            for row in connection.execute("SELECT * FROM audit ORDER BY seq").fetchall():
                fresh = dict(row)
                end = append_link(fresh, end)
                connection.execute(
                    "UPDATE audit SET previous = ?, hash = ? WHERE seq = ?",
                    (fresh["previous"], fresh["hash"], row["seq"]),
                )
            connection.execute("UPDATE audit_head SET seq = ?, hash = ?", (end.seq, end.hash))


@pytest.fixture
def tamper(tmp_path: Path) -> Tamperer:
    return Tamperer(tmp_path / "bot.sqlite3")


async def test_entries_come_back_as_they_were_the_newest_first(audit: StoredAudit) -> None:
    await fill(audit, 4)
    found = await audit.search(AuditSearch(limit=2))
    assert [(kept.seq, kept.entry) for kept in found] == [(4, entry(4)), (3, entry(3))]
    assert [kept.seq for kept in await audit.search(AuditSearch(before=3))] == [2, 1]
    assert (await audit.verify()).entries == 4
    assert await broken(audit) == ()


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (AuditSearch(actor="boss"), [2]),
        (AuditSearch(action="po.approve"), [2]),
        (AuditSearch(kind=AuditKind.REFUSAL), [3]),
        (AuditSearch(document="so-1"), [3, 1]),
        (AuditSearch(document="SO"), []),
        (AuditSearch(since=AT + timedelta(minutes=2)), [3, 2]),
        (AuditSearch(until=AT + timedelta(minutes=2)), [1]),
        (AuditSearch(document="SO-1", kind=AuditKind.REFUSAL), [3]),
    ],
)
async def test_searching(audit: StoredAudit, wanted: AuditSearch, found: list[int]) -> None:
    audit.record(entry(1))
    audit.record(entry(2, actor="boss", action="po.approve", kind=AuditKind.DECISION))
    audit.record(entry(3, kind=AuditKind.REFUSAL, documents=("So-1", "SO-9")))
    await audit.flush()
    assert [kept.seq for kept in await audit.search(wanted)] == found


async def test_what_no_database_takes_is_replaced_and_long_texts_are_cut(audit: StoredAudit) -> None:
    audit.record(entry(1, detail="a\0b\ud800c" + "x" * 1000, documents=("PO\0",)))
    await audit.flush()
    (kept,) = await audit.search(AuditSearch(document="po\0"))
    assert kept.entry.detail.startswith("a\ufffdb?c")
    assert len(kept.entry.detail) == 500
    assert await broken(audit) == ()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'nobody' WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 2",
        "DELETE FROM audit_head",
        "UPDATE audit_head SET seq = 1",
    ],
)
async def test_the_database_itself_refuses_changes(audit: StoredAudit, database: Database, statement: str) -> None:
    await fill(audit, 3)
    with pytest.raises(StoreUnavailable, match="IntegrityError"):
        await database.run(lambda connection: connection.execute(text(statement)))
    assert await broken(audit) == ()


async def test_a_changed_entry_is_named(audit: StoredAudit, tamper: Tamperer) -> None:
    await fill(audit, 5)
    tamper("UPDATE audit SET actor = 'somebody' WHERE seq = 3")
    assert await broken(audit) == ("entry 3 was changed: its content does not have its hash",)


@pytest.mark.parametrize("column", ["at_ms", "kind", "actor", "action", "conversation", "rule", "outcome", "detail"])
async def test_every_column_counts(audit: StoredAudit, tamper: Tamperer, column: str) -> None:
    await fill(audit, 2)
    tamper(f"UPDATE audit SET {column} = '17' WHERE seq = 1")
    assert (await broken(audit))[0].startswith("entry 1 was changed")


async def test_a_changed_entry_with_a_fitting_hash_breaks_the_chain(audit: StoredAudit, tamper: Tamperer) -> None:
    await fill(audit, 5)
    (kept,) = await audit.search(AuditSearch(document="SO-3"))
    tamper("UPDATE audit SET actor = 'somebody' WHERE seq = 3", f"UPDATE audit SET hash = '{'1' * 64}' WHERE seq = 3")
    found = await broken(audit)
    assert found[-1] == "entry 4 does not follow entry 3: one of them was replaced"
    assert await broken(audit, ChainLink(3, kept.hash)) == (
        *found,
        "entry 3 is another one than the link that is known says",
    )


async def test_a_removed_entry_is_named(audit: StoredAudit, tamper: Tamperer) -> None:
    await fill(audit, 5)
    tamper("DELETE FROM audit WHERE seq IN (2, 3)")
    assert await broken(audit) == ("entry 2 to 3 are missing",)


async def test_removed_last_entries_are_named(audit: StoredAudit, tamper: Tamperer) -> None:
    await fill(audit, 5)
    tamper("DELETE FROM audit WHERE seq > 3")
    assert (await broken(audit))[0] == "entry 4 to 5 are missing at the end"


async def test_removed_last_entries_are_known_to_the_witness(audit: StoredAudit, tamper: Tamperer) -> None:
    await fill(audit, 5)
    tamper("DELETE FROM audit WHERE seq > 3", "DELETE FROM audit_document WHERE seq > 3")
    tamper.chain_anew()
    assert await broken(audit) == ("entry 4 to 5 are missing at the end: a link to entry 5 is known",)


async def test_a_log_that_was_written_anew_is_known_to_the_witness(audit: StoredAudit, tamper: Tamperer) -> None:
    await fill(audit, 5)
    tamper("UPDATE audit SET actor = 'somebody' WHERE seq = 3")
    tamper.chain_anew()
    assert await broken(audit) == ("entry 5 is another one than the link that is known says",)


async def test_an_inserted_entry_is_named(audit: StoredAudit, tamper: Tamperer) -> None:
    await fill(audit, 3)
    copy = (
        "INSERT INTO audit SELECT 4, at_ms, kind, 'ghost', action, conversation, '[]', shown, rule, outcome, detail,"
        " hash, hash FROM audit WHERE seq = 3"
    )
    tamper(copy)
    assert await broken(audit) == ("entry 4 was inserted behind the end",)


async def test_an_entry_that_no_search_would_find_is_named(audit: StoredAudit, tamper: Tamperer) -> None:
    await fill(audit, 3)
    tamper("DELETE FROM audit_document WHERE seq = 2")
    assert await broken(audit) == ("entry 2 is not found by its documents",)


async def test_a_restored_backup_is_noticed_until_somebody_accepts_the_loss(
    witness: AuditWitness, tmp_path: Path
) -> None:
    file, backup = tmp_path / "used.sqlite3", tmp_path / "backup"
    database = Database(f"sqlite:///{file}")
    await database.migrate()
    audit = StoredAudit(database, witness)
    await fill(audit, 3)
    await database.checkpoint()
    shutil.copy(file, backup)
    await fill(audit, 6, first=4)
    await database.close()
    shutil.copy(backup, file)
    for log in ("wal", "shm"):
        tmp_path.joinpath(f"used.sqlite3-{log}").unlink(missing_ok=True)

    restored = Database(f"sqlite:///{file}")
    later = StoredAudit(restored, witness)
    assert await broken(later) == ("entry 4 to 6 are missing at the end: a link to entry 6 is known",)
    lost = "entry 4 to 6 are missing at the end: a link to entry 6 is known"
    for number in (7, 8):
        later.record(entry(number))
        await later.flush()
    assert [each.entry.action for each in await later.search(AuditSearch(after=3))] == [
        "audit.broken",
        "order",
        "order",
    ]
    found = await later.verify()
    assert (found.broken, found.unaccepted, later.state.broken) == ((), (lost,), (lost,))
    link = await later.accept(entry(9, kind=AuditKind.OPERATOR, action="audit.accept", documents=()))
    assert (witness.read(), (await later.verify()).problems, later.state.broken) == (link, (), ())
    later.record(entry(10))
    await later.flush()
    assert witness.read() == ChainLink(8, (await later.search(AuditSearch(limit=1)))[0].hash)
    await restored.close()


async def test_purged_entries_leave_a_link_that_the_others_follow(audit: StoredAudit, database: Database) -> None:
    await fill(audit, 6)
    assert await audit.purge(AT + timedelta(minutes=4), AT + timedelta(hours=1)) == 3
    assert await audit.purge(AT + timedelta(minutes=4), AT + timedelta(hours=2)) == 0
    assert [kept.seq for kept in await audit.search(AuditSearch())] == [7, 6, 5, 4]
    assert await audit.search(AuditSearch(document="SO-2")) == ()
    assert await broken(audit) == ()
    assert await audit.purge(AT + timedelta(hours=3), AT + timedelta(hours=4)) == 4
    assert [kept.entry.action for kept in await audit.search(AuditSearch())] == ["audit.purge"]
    assert await broken(audit) == ()


async def test_a_purge_that_nobody_noted_is_named(audit: StoredAudit, tamper: Tamperer) -> None:
    await fill(audit, 6)
    (kept,) = await audit.search(AuditSearch(document="SO-2"))
    tamper(
        f"UPDATE audit_head SET purged_seq = 2, purged_hash = '{kept.hash}'",
        "DELETE FROM audit WHERE seq <= 2",
        "DELETE FROM audit_document WHERE seq <= 2",
    )
    assert await broken(audit) == ("the entries up to 2 are gone, and the log does not say that they were purged",)


@pytest.mark.parametrize("content", ["", "17", "17:abc", "x:" + "0" * 64])
async def test_a_damaged_witness_is_told(audit: StoredAudit, witness: AuditWitness, content: str) -> None:
    await fill(audit, 2)
    witness.file.write_text(content)
    (problem,) = await broken(audit)
    assert "audit.head cannot be read" in problem


async def test_without_a_witness_the_end_proves_nothing(audit: StoredAudit, witness: AuditWitness) -> None:
    assert not (await audit.verify()).witnessed
    await fill(audit, 1)
    assert (await audit.verify()).witnessed
    assert witness.file.stat().st_mode & 0o777 == 0o600


async def test_what_waits_is_written_at_the_end_and_after_trouble(
    audit: StoredAudit, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: Callable[..., Any]) -> Any:
        raise StoreUnavailable("OperationalError")

    audit.record(entry(1))
    with monkeypatch.context() as away:
        away.setattr(database, "run_blocking", fails)
        with pytest.raises(StoreUnavailable):
            await audit.flush()
    assert audit.waiting == 1
    running = asyncio.create_task(audit.run())
    await asyncio.sleep(0)
    audit.record(entry(2))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [kept.entry for kept in await audit.search(AuditSearch())] == [entry(2), entry(1)]
    assert audit.waiting == 0


async def test_processes_that_append_at_the_same_time_make_one_chain(database: Database, tmp_path: Path) -> None:
    other = Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    await both_append(database, other, tmp_path)
    await other.close()


@pytest.mark.process
async def test_processes_make_one_chain_on_postgresql(empty_postgres_url: str, tmp_path: Path) -> None:
    first, second = Database(empty_postgres_url), Database(empty_postgres_url)
    await first.migrate()
    await both_append(first, second, tmp_path)
    with pytest.raises(StoreUnavailable):
        await first.run(lambda connection: connection.execute(text("DELETE FROM audit WHERE seq = 2")))
    with pytest.raises(StoreUnavailable):
        await first.run(lambda connection: connection.execute(text("UPDATE audit SET actor = ''")))
    log = StoredAudit(first, AuditWitness(tmp_path))
    assert await log.purge(AT + timedelta(minutes=20), AT + timedelta(hours=1)) > 0
    assert await broken(log) == ()
    await first.close()
    await second.close()


async def both_append(first: Database, second: Database, folder: Path) -> None:
    logs = [StoredAudit(database, AuditWitness(folder)) for database in (first, second)]
    for number in range(1, 41):
        logs[number % 2].record(entry(number))
        if number % 4 == 0:
            await asyncio.gather(*(log.flush() for log in logs))
    found = await logs[0].verify()
    assert (found.entries, found.broken) == (40, ())


def test_others_can_compute_the_hash() -> None:
    """As docs/how-to/audit.md says it: a JSON list without blanks, and SHA-256."""
    import hashlib
    import json

    row: dict[str, Any] = {
        "seq": 1, "at_ms": 1_764_000_000_000, "kind": "question", "actor": "王仓", "action": "order",
        "conversation": "cid==", "documents": '["SO-1"]', "shown": "[]", "rule": "", "outcome": "answered",
        "detail": 'a "b"\n', "previous": "0" * 64,
    }  # fmt: skip
    said = json.dumps(list(row.values()), ensure_ascii=False, separators=(",", ":"))
    assert hash_row(row) == hashlib.sha256(said.encode()).hexdigest()
