"""``dingerp audit``: what an operator finds, proves and exports, and what is recorded of operators themselves."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import zipfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from bot.access.audit import AuditEntry, AuditKind
from bot.store.audit.chain import AuditWitness
from bot.store.audit.log import StoredAudit
from bot.store.database import Database
from bot.words.disclosure import FieldClass
from tests.admin.conftest import AdminShell

AT = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)

ENTRIES = (
    AuditEntry(
        kind=AuditKind.QUESTION, at=AT, actor="sales01", action="order", conversation="cidA==",
        documents=("SO-1", "SO-2"), shown=(FieldClass.AMOUNT, FieldClass.PARTNER), rule="default", outcome="answered",
    ),
    AuditEntry(
        kind=AuditKind.DECISION, at=AT + timedelta(hours=1), actor="manager01", action="approve",
        documents=("PO-1001",), rule="all", outcome="applied",
    ),
    AuditEntry(
        kind=AuditKind.REFUSAL, at=AT + timedelta(hours=2), actor='=cmd|"/c calc"!A1', action="po", detail="-1+1",
        outcome="denied",
    ),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _known_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ops")
    monkeypatch.delenv("SUDO_USER", raising=False)


@pytest.fixture
def log(shell: AdminShell) -> AdminShell:
    """A shell where a bot has recorded `ENTRIES`."""

    async def fill(database: Database) -> None:
        audit = StoredAudit(database, AuditWitness(witness_folder()))
        for entry in ENTRIES:
            audit.record(entry)
        await audit.flush()

    shell.store(fill)
    return shell


def witness_folder() -> Path:
    from bot.settings import load_settings

    return load_settings().data_dir


def tamper(shell: AdminShell, *statements: str) -> None:
    with closing(sqlite3.connect(shell.file)) as connection, connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)


def test_searching(log: AdminShell) -> None:
    first, *_ = log.says("audit", "search", "--document", "so-1").splitlines()
    assert "2026-11-24 09:30:00  question  sales01  order  SO-1 SO-2  (amount, partner) answered [default]" in first
    assert [row["actor"] for row in log.read("audit", "search", "--kind", "decision")] == ["manager01"]
    assert [row["seq"] for row in log.read("audit", "search", "--who", "manager01", "--what", "approve")] == [2]
    assert "no kind" in log.refuses("audit", "search", "--kind", "votes")
    assert "No such entry" in log.says("audit", "search", "--until", "2026-11-24T09:00")


def test_operators_are_recorded_too(log: AdminShell, monkeypatch: pytest.MonkeyPatch) -> None:
    log.says("events", "search")
    monkeypatch.setenv("SUDO_USER", "lin")
    log.says("audit", "search", "--document", "PO-1001")
    log.says("audit", "export", "--format", "jsonl")
    found = log.read("audit", "search", "--who", "ops (lin)")
    assert [(row["kind"], row["action"], row["documents"]) for row in found] == [
        ("export", "audit export", []),
        ("operator", "audit search", ["PO-1001"]),
    ]
    (events,) = log.read("audit", "search", "--what", "events search")
    assert (events["actor"], events["kind"]) == ("ops", "operator")


def test_a_whole_log_is_verified(log: AdminShell) -> None:
    said = log.says("audit", "verify")
    assert said.startswith("3 entries in good order, the newest 3:")
    assert "may be missing" not in said
    facts = log.read("audit", "verify")
    assert (facts["entries"], facts["broken"], facts["witnessed"]) == (4, [], True)
    link = facts["newest"]
    log.says("audit", "verify", "--link", link)
    assert "another one" in log.says("audit", "verify", "--link", f"2:{link.partition(':')[2]}", code=1)
    assert "is no link" in log.refuses("audit", "verify", "--link", "2")


def test_the_first_broken_entry_is_named(log: AdminShell) -> None:
    tamper(log, "UPDATE audit SET actor = 'somebody' WHERE seq = 1", "DELETE FROM audit WHERE seq = 3")
    first, *_ = log.says("audit", "verify", code=1).splitlines()
    assert first == "entry 1 was changed: its content does not have its hash"


def test_without_a_witness_that_is_said(log: AdminShell) -> None:
    (witness_folder() / "audit.head").unlink()
    assert "its end may be missing" in log.says("audit", "verify")


def test_a_restored_backup(log: AdminShell, tmp_path: Path) -> None:
    """As docs/how-to/audit.md#after-a-backup-was-restored tells it."""
    backup = log.file.read_bytes()
    log.says("audit", "search")
    log.file.write_bytes(backup)
    assert log.says("audit", "verify", code=1) == "entry 4 is missing at the end: a link to entry 4 is known\n"
    assert "say why" in log.refuses("audit", "accept", "--reason", " ")
    for _ in range(3):  # however long the log goes on, what is missing stays what it was
        log.says("audit", "search")
    lost = "entry 4 is missing at the end: a link to entry 4 is known"
    assert log.says("audit", "verify", code=1) == f"{lost}\n"
    said = log.says("audit", "accept", "--reason", "backup of Monday restored")
    assert said.startswith(f"accepted: {lost}\n")
    log.says("audit", "verify")
    (accepted,) = log.read("audit", "search", "--what", "audit.accept")
    assert accepted["detail"] == f"backup of Monday restored: {lost}"


@pytest.fixture
def exported(log: AdminShell, tmp_path: Path) -> Any:
    def export(form: str, *options: str) -> bytes:
        out = tmp_path / f"log.{form}"
        said = log.says("audit", "export", "--format", form, "--out", str(out), *options)
        assert f"in {out}" in said
        assert out.stat().st_mode & 0o777 == 0o600
        return out.read_bytes()

    return export


def test_csv_is_read_by_spreadsheets_and_is_never_a_formula(exported: Any) -> None:
    text = exported("csv").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["seq"] for row in rows[:3]] == ["1", "2", "3"]
    assert (rows[0]["documents"], rows[0]["at"]) == ("SO-1 SO-2", "2026-11-24T09:30:00.000+08:00")
    assert (rows[2]["actor"], rows[2]["detail"]) == ("'" + '=cmd|"/c calc"!A1', "'-1+1")
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]


def test_xlsx_holds_texts_alone(exported: Any) -> None:
    with zipfile.ZipFile(io.BytesIO(exported("xlsx"))) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        texts = unescape(book.read("xl/sharedStrings.xml").decode())
    assert "<f>" not in sheet
    assert '=cmd|"/c calc"!A1' in texts
    assert {part.partition('"')[0] for part in sheet.split(' t="')[1:]} == {"s"}


def test_json_lines_of_what_is_wanted(exported: Any) -> None:
    (row,) = [json.loads(line) for line in exported("jsonl", "--document", "PO-1001").splitlines()[:1]]
    assert (row["actor"], row["documents"], row["shown"]) == ("manager01", ["PO-1001"], [])


def test_syslog_messages(exported: Any) -> None:
    first, _, third, *_ = exported("syslog").decode().splitlines()
    assert first.startswith('<110>1 2026-11-24T09:30:00.000+08:00 - dingerp - question [dingerp@32473 seq="1"')
    assert 'shown="amount partner"' in first
    assert 'actor="=cmd|\\"/c calc\\"!A1"' in third


def test_what_cannot_be_exported(log: AdminShell) -> None:
    assert "no format" in log.refuses("audit", "export", "--format", "pdf")
    assert "cannot be written" in log.refuses("audit", "export", "--out", "/nowhere/log.csv")
