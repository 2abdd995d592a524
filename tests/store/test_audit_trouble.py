"""Nothing stops the audit log silently: it goes on where it can, keeps what it cannot write, and says what is wrong."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.access.audit import AuditKind, AuditSearch
from bot.store.audit import log as audit_module
from bot.store.audit.chain import AuditWitness
from bot.store.audit.checks import find_unguarded
from bot.store.audit.journal import JOURNAL_FILE
from bot.store.audit.log import StoredAudit
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from tests.store.test_audit import Tamperer, entry, fill

FORGED = (
    "INSERT INTO audit SELECT {seq}, at_ms, kind, 'ghost', action, conversation, documents, shown, rule, outcome,"
    " detail, hash, '{seq:064}' FROM audit WHERE seq = 3"
)
REFUSING = "CREATE TRIGGER refuse BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no'); END"


@pytest.fixture
def audit(database: Database, tmp_path: Path) -> StoredAudit:
    return StoredAudit(database, AuditWitness(tmp_path), journal=tmp_path)


@pytest.fixture
def change(tmp_path: Path) -> Callable[..., None]:
    """Change the file of the database as somebody may who leaves its guards alone."""

    def run(*statements: str) -> None:
        with closing(sqlite3.connect(tmp_path / "bot.sqlite3")) as connection, connection:
            for statement in statements:
                connection.execute(statement)

    return run


@pytest.fixture
def tamper(tmp_path: Path) -> Tamperer:
    return Tamperer(tmp_path / "bot.sqlite3")


@asynccontextmanager
async def running(audit: StoredAudit) -> AsyncIterator[None]:
    task = asyncio.create_task(audit.run())
    try:
        yield
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - it may come true in a thread
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("forged", "named"),
    [
        ([4], "entry 4 is inserted: entry 5 follows entry 3"),
        ([4, 5, 7], "entry 4 to 5 are inserted: entry 6 follows entry 3"),
        ([4, 5, 7], "entry 7 is inserted: entry 8 follows entry 6"),
        ([2**63 - 1], "entry 9223372036854775807 was inserted behind the end"),
        ([0], "entry 0 was inserted before the beginning"),
    ],
    ids=str,
)
async def test_a_forged_entry_stops_nothing_and_is_named(
    audit: StoredAudit, change: Callable[..., None], forged: list[int], named: str
) -> None:
    await fill(audit, 3)
    change(*(FORGED.format(seq=seq) for seq in forged))
    audit.record(entry(4))
    audit.record(entry(5))
    await audit.flush()
    assert [kept.entry for kept in await audit.search(AuditSearch(actor="sales01", limit=2))] == [entry(5), entry(4)]
    found = await audit.verify()
    assert named in found.broken
    assert named in await audit.inspect()


@pytest.mark.parametrize(
    "forged",
    [
        "INSERT INTO audit SELECT 4, at_ms, 'party', 'ghost', action, conversation, documents, shown, rule, outcome,"
        " detail, hash, 'h' FROM audit WHERE seq = 3",
        "INSERT INTO audit SELECT 4, at_ms, kind, 'ghost', action, conversation, documents, '[\"secret\"]', rule,"
        " outcome, detail, hash, 'h' FROM audit WHERE seq = 3",
        "INSERT INTO audit SELECT 4, 'then', kind, 'ghost', action, conversation, '7', shown, rule, outcome, detail,"
        " hash, 'h' FROM audit WHERE seq = 3",
        "INSERT INTO audit SELECT 4, at_ms, kind, actor, action, conversation, 'x', shown, rule, outcome, detail, hash,"
        " 'h' FROM audit WHERE seq = 3",
        "INSERT INTO audit SELECT 'zzz', at_ms, kind, actor, action, conversation, '[]', shown, rule, outcome, detail,"
        " hash, 'h' FROM audit WHERE seq = 3",
        "INSERT INTO audit SELECT 4, x'00', kind, x'00', action, conversation, '[]', shown, rule, outcome, x'00', hash,"
        " 'h' FROM audit WHERE seq = 3",
        "INSERT INTO audit SELECT 4, at_ms, kind, actor, 'audit.broken', '', '[]', shown, '', '', x'00', hash,"
        " 'h' FROM audit WHERE seq = 3",
        "INSERT INTO audit SELECT 'zzz', at_ms, kind, actor, 'audit.accept', '', '[]', shown, '', '', '', hash,"
        " 'h' FROM audit WHERE seq = 3",
        "INSERT INTO audit SELECT 4, at_ms, kind, actor, 'audit.purge', '', '[]', shown, '', '', x'00', hash,"
        " 'h' FROM audit WHERE seq = 3",
    ],
)
async def test_a_row_that_nobody_can_read_stops_nothing_and_is_named(
    audit: StoredAudit, change: Callable[..., None], forged: str
) -> None:
    await fill(audit, 3)
    change(forged)
    later = StoredAudit(audit._database, audit._witness)
    later.record(entry(9))
    async with running(later):
        assert await later.written()
        assert any("zzz" in each or "entry 4" in each or "looked through" in each for each in later.state.broken)
    wanted = AuditSearch(document="SO-9")
    assert [kept.entry for kept in await later.search(wanted)] == [entry(9)]
    everything = [kept.entry for kept in await later.search(AuditSearch(after=0, limit=100))]
    assert entry(9) in everything
    assert [each.kind for each in everything if each.actor == "ghost"] == [AuditKind.UNREADABLE] * ("ghost" in forged)
    assert (await later.verify()).broken


async def test_a_forged_place_in_the_index_of_documents_stops_nothing(
    audit: StoredAudit, change: Callable[..., None]
) -> None:
    await fill(audit, 3)
    change("INSERT INTO audit_document VALUES ('so-4', 4), ('po-9', 2)")
    await fill(audit, 4, first=4)
    assert [kept.seq for kept in await audit.search(AuditSearch(document="SO-4"))] == [4]
    assert (await audit.verify()).broken == ("entry 2 is found by documents that it does not name",)


async def test_a_removed_end_of_the_chain_is_put_back_and_told(audit: StoredAudit, tamper: Tamperer) -> None:
    await fill(audit, 3)
    tamper("DELETE FROM audit_head")
    assert (await audit.verify()).broken == ("the row with the end of the chain is gone",)
    later = StoredAudit(audit._database, audit._witness)
    await fill(later, 4, first=4)
    assert "the row with the end of the chain is gone; it was put back behind entry 3" in later.state.broken
    assert (await later.verify()).broken == ()


async def test_a_guard_that_is_gone_is_put_back_and_told(
    audit: StoredAudit, tamper: Tamperer, database: Database
) -> None:
    await fill(audit, 3)
    tamper()
    assert len((await audit.verify()).unguarded) == 4
    broken = await audit.inspect()
    assert "the guard audit_kept was taken away, and put back" in broken
    with pytest.raises(StoreUnavailable, match="IntegrityError"):
        await database.run(lambda connection: connection.execute(text("DELETE FROM audit WHERE seq = 2")))
    await audit.accept(entry(9, kind=AuditKind.OPERATOR, action="audit.accept"))
    assert await audit.inspect() == ()
    tamper()
    assert await audit.inspect() == broken, "it is told each time"


async def test_a_fresh_database_has_its_guards(database: Database) -> None:
    assert await database.read(find_unguarded) == []


@pytest.mark.process
async def test_guards_on_postgresql_are_put_back(empty_postgres_url: str, tmp_path: Path) -> None:
    database = Database(empty_postgres_url)
    await database.migrate()
    assert await database.read(find_unguarded) == []
    audit = StoredAudit(database, AuditWitness(tmp_path))
    await fill(audit, 3)
    for statement in (
        "DROP TRIGGER audit_unchanged ON audit",
        "ALTER TABLE audit DISABLE TRIGGER audit_kept",
        "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
    ):
        await database.run(lambda connection, sql=statement: connection.exec_driver_sql(sql))  # type: ignore[misc]
    assert len(await audit.inspect()) == 6
    assert await database.read(find_unguarded) == []
    for forbidden in ("UPDATE audit SET actor = ''", "DELETE FROM audit WHERE seq = 2", "TRUNCATE audit"):
        with pytest.raises(StoreUnavailable):
            await database.run(lambda connection, sql=forbidden: connection.exec_driver_sql(sql))  # type: ignore[misc]
    for seq in (10, 11, 2**63 - 1):
        await database.run(lambda connection, seq=seq: connection.exec_driver_sql(FORGED.format(seq=seq)))  # type: ignore[misc]
    audit.record(entry(4))
    await audit.flush()
    assert "entry 9223372036854775807 was inserted behind the end" in (await audit.verify()).broken
    await database.close()


async def test_what_is_missing_never_looks_less(tmp_path: Path) -> None:
    """A backup is restored twice, the bot runs in between, and nobody accepts anything before the end."""
    database = Database(f"sqlite:///{tmp_path / 'used.sqlite3'}")
    await database.migrate()
    audit = StoredAudit(database, AuditWitness(tmp_path))
    await fill(audit, 2)
    await database.checkpoint()
    backup = shutil.copy(tmp_path / "used.sqlite3", tmp_path / "backup")
    await fill(audit, 7, first=3)
    for _ in range(2):
        await database.close()
        for end in ("", "-wal", "-shm"):
            tmp_path.joinpath(f"used.sqlite3{end}").unlink(missing_ok=True)
        shutil.copy(backup, tmp_path / "used.sqlite3")
        database = Database(f"sqlite:///{tmp_path / 'used.sqlite3'}")
        audit = StoredAudit(database, AuditWitness(tmp_path))
        await fill(audit, 12, first=8)
    first = "entry 3 to 7 are missing at the end: a link to entry 7 is known"
    second = "entry 3 to 8 are missing at the end: a link to entry 8 is known"
    assert audit.state.broken == (first, second)
    assert (await audit.verify()).unaccepted == (first, second)
    noted = await audit.search(AuditSearch(action="audit.broken", after=0))
    assert [kept.entry.detail for kept in noted] == [first, second]
    await database.close()


BLOCKS = {
    "a trigger": (REFUSING, "DROP TRIGGER refuse"),
    "the schema": ("ALTER TABLE audit RENAME TO hidden", "ALTER TABLE hidden RENAME TO audit"),
    "a column": ("ALTER TABLE audit RENAME COLUMN rule TO rules", "ALTER TABLE audit RENAME COLUMN rules TO rule"),
    "the end moved": ("UPDATE audit_head SET seq = 9223372036854775807", ""),
}


@pytest.mark.parametrize("block", BLOCKS)
async def test_what_cannot_be_written_waits_and_is_told(
    audit: StoredAudit, change: Callable[..., None], block: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_module, "RETRYING", audit_module.BackoffPolicy(first=0.02, longest=0.02))
    await fill(audit, 3)
    stop, mend = BLOCKS[block]
    change(stop)
    async with running(audit):
        audit.record(entry(4))
        await until(lambda: bool(audit.state.trouble))
        assert not await audit.written()
        assert not await audit.can_write()
        audit.record(entry(5))
        assert audit.state.waiting == 2
        if mend:
            change(mend)
            await until(lambda: not audit.state.trouble)
            assert await audit.written()
            assert await audit.can_write()
    if mend:
        assert [kept.entry for kept in await audit.search(AuditSearch(actor="sales01", after=3))] == [
            entry(4),
            entry(5),
        ]


async def test_what_waits_at_the_end_is_written_by_the_next_process(
    audit: StoredAudit, change: Callable[..., None], database: Database, tmp_path: Path
) -> None:
    await fill(audit, 3)
    change(REFUSING)
    async with running(audit):
        audit.record(entry(4, detail="a\ud800"))
        audit.record(entry(5))
        await until(lambda: bool(audit.state.trouble))
    journal = tmp_path / JOURNAL_FILE
    assert journal.stat().st_mode & 0o777 == 0o600
    change("DROP TRIGGER refuse")
    later = StoredAudit(database, AuditWitness(tmp_path), journal=tmp_path)
    async with running(later):
        later.record(entry(6))
        assert await later.written()
    wanted = AuditSearch(actor="sales01", after=3)
    assert [kept.entry.documents for kept in await later.search(wanted)] == [("SO-4",), ("SO-5",), ("SO-6",)]
    assert not journal.exists()


async def test_a_damaged_line_of_the_journal_keeps_no_other_from_being_written(
    audit: StoredAudit, tmp_path: Path
) -> None:
    audit._journal.keep([entry(1), entry(2)])  # type: ignore[union-attr]
    with (tmp_path / JOURNAL_FILE).open("a") as file:
        file.write('{"kind": "nothing"}\nnonsense\n')
    async with running(audit):
        assert await audit.written()
    assert [kept.entry for kept in await audit.search(AuditSearch(after=0))] == [entry(1), entry(2)]


async def test_what_finds_no_room_is_counted_and_recorded(audit: StoredAudit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_module, "MOST_WAITING", 3)
    for number in range(1, 8):
        audit.record(entry(number))
    assert (audit.state.waiting, audit.state.lost) == (3, 4)
    await audit.flush()
    (kept,) = await audit.search(AuditSearch(action="audit.lost"))
    assert (
        kept.entry.detail == "4 entries from 2026-11-24T09:34:00+00:00 to 2026-11-24T09:37:00+00:00 could not be kept"
    )
    assert audit.state.lost == 0
