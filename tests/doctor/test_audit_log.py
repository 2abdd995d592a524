"""The doctor looks at the end of the audit log: fast however long it is, and no worse than the full check there."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.access.audit import AuditEntry, AuditKind
from bot.bootstrap.database import make_database
from bot.doctor import local
from bot.doctor.local import check_audit
from bot.doctor.results import CheckGrade
from bot.kit.simulator.config import SimulatorConfig
from bot.settings import Settings
from bot.store.audit.chain import WITNESS_FILE, AuditWitness
from bot.store.audit.journal import AuditJournal
from bot.store.audit.log import StoredAudit
from bot.store.engines import sqlite_file
from tests.scenario.conftest import system_settings

AT = datetime(2026, 11, 27, 9, tzinfo=UTC)


@pytest.fixture
async def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of a bot whose log has twelve entries, of which the doctor looks at five."""
    monkeypatch.setattr(local, "_AUDIT_ENTRIES", 5)
    settings = system_settings(SimulatorConfig(), "http://localhost:1", tmp_path, {})
    settings.data_dir.mkdir(exist_ok=True)
    database = make_database(settings)
    await database.migrate()
    audit = StoredAudit(database, AuditWitness(settings.data_dir))
    for number in range(12):
        audit.record(AuditEntry(kind=AuditKind.QUESTION, at=AT, actor=f"p{number}", action="order"))
    await audit.flush()
    await database.close()
    return settings


def tamper(settings: Settings, statement: str) -> None:
    file = sqlite_file(settings.database)
    assert file is not None
    with closing(sqlite3.connect(file)) as connection, connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)


async def test_a_whole_log(settings: Settings) -> None:
    (result,) = await check_audit(settings)
    assert (result.grade, "newest 5 entries" in str(result.words)) == (CheckGrade.GOOD, True)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE audit SET actor = 'somebody' WHERE seq = 11", "entry 11 was changed"),
        ("DELETE FROM audit WHERE seq = 10", "entry 10 is missing"),
        ("DELETE FROM audit WHERE seq = 12", "entry 12 is missing at the end"),
        ("DELETE FROM audit WHERE seq = 7", "entry 7 is missing"),
    ],
)
async def test_what_is_broken_at_the_end_is_named(settings: Settings, statement: str, words: str) -> None:
    tamper(settings, statement)
    (result,) = await check_audit(settings)
    assert result.grade is CheckGrade.BAD
    assert words in str(result.words)
    assert result.remedy is not None
    assert "audit verify" in str(result.remedy)


async def test_what_keeps_the_log_from_being_written_or_read_is_told(settings: Settings) -> None:
    tamper(settings, "SELECT 1")
    (result,) = await check_audit(settings)
    assert (result.grade, "guard audit_unchanged" in str(result.words)) == (CheckGrade.BAD, True)
    tamper(settings, "ALTER TABLE audit RENAME TO hidden")
    (result,) = await check_audit(settings)
    assert (result.grade, "cannot be read" in str(result.words)) == (CheckGrade.BAD, True)


async def test_entries_that_wait_beside_the_database_are_told(settings: Settings) -> None:
    entry = AuditEntry(kind=AuditKind.QUESTION, at=AT, actor="p1", action="order")
    AuditJournal(settings.data_dir).keep([entry, entry])
    (result,) = await check_audit(settings)
    assert (result.grade, "2 entries" in str(result.words)) == (CheckGrade.BAD, True)


async def test_what_is_older_is_left_to_the_full_check(settings: Settings) -> None:
    tamper(settings, "UPDATE audit SET actor = 'somebody' WHERE seq = 3")
    (result,) = await check_audit(settings)
    assert "entry 3" not in str(result.words)


async def test_a_missing_or_damaged_witness_is_told(settings: Settings) -> None:
    witness = settings.data_dir / WITNESS_FILE
    witness.write_text("nonsense")
    (result,) = await check_audit(settings)
    assert result.grade is CheckGrade.BAD
    witness.unlink()
    (result,) = await check_audit(settings)
    assert result.grade is CheckGrade.NOTE
    assert WITNESS_FILE in str(result.words)


async def test_before_the_first_start_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    assert await check_audit(system_settings(SimulatorConfig(), "http://localhost:1", tmp_path, {})) == []
