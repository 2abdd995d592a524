"""The commands of docs/how-to/audit.md, run as they stand there."""

from __future__ import annotations

import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.access.audit import AuditEntry, AuditKind
from bot.settings import load_settings
from bot.store.audit.chain import AuditWitness
from bot.store.audit.log import StoredAudit
from bot.store.database import Database
from tests.admin.conftest import AdminShell

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "audit.md"


def commands_of(text: str) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


def test_every_command_of_the_page_works(shell: AdminShell) -> None:
    entry = AuditEntry(
        kind=AuditKind.QUESTION, at=datetime.now(UTC), actor="sales01", action="po", documents=("PO-1001",)
    )

    async def fill(database: Database) -> None:
        audit = StoredAudit(database, AuditWitness(load_settings().data_dir))
        audit.record(entry)
        await audit.flush()

    shell.store(fill)
    link = shell.read("audit", "verify")["newest"]
    commands = commands_of(PAGE.read_text(encoding="utf-8"))
    assert {command.split()[2] for command in commands} == {"search", "export", "verify", "accept"}
    for command in commands:
        program, *arguments = shlex.split(command.replace("NUMBER:HASH", link))
        assert program == "dingerp"
        shell.says(*arguments)
    assert {path.name for path in shell.folder.glob("*.*") if path.suffix in {".xlsx", ".csv", ".jsonl"}} == {
        "audit.xlsx",
        "sales01.csv",
        "po-1001.jsonl",
    }
    assert '"actor":"sales01"' in (shell.folder / "po-1001.jsonl").read_text()


@pytest.mark.parametrize("kind", AuditKind)
def test_the_page_says_what_each_kind_is(kind: AuditKind) -> None:
    assert f"| `{kind}` |" in PAGE.read_text(encoding="utf-8")
