"""``dingerp access outsiders`` and ``unmark``: what an operator sees of groups with outsiders, and takes back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.store.database import Database
from bot.store.people import StoredOutsiders, unmark_group
from tests.admin.conftest import AdminShell

AT = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)


def outsiders_in(database: Database) -> StoredOutsiders:
    return StoredOutsiders(database, now=lambda: AT)


@pytest.fixture
def marked(shell: AdminShell) -> AdminShell:
    """A shell where the bot has seen outsiders in two groups."""

    async def note(database: Database) -> None:
        outsiders = outsiders_in(database)
        for group in ("cidA==", "cidB=="):
            outsiders.note(group)
        await outsiders.store()

    shell.store(note)
    return shell


def known(shell: AdminShell) -> list[str]:
    async def load(database: Database) -> list[str]:
        outsiders = outsiders_in(database)
        await outsiders.load()
        return [group for group in ("cidA==", "cidB==") if outsiders.are_in(group)]

    return shell.store(load)


def test_groups_are_listed_with_where_that_is_known_from(marked: AdminShell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DINGERP_ACCESS__OUTSIDER_GROUPS", '["cidN=="]')
    lines = [line.split() for line in marked.says("access", "outsiders").splitlines()]
    assert sorted(lines) == [
        ["cidA==", "since", "2026-11-24", "09:30:00"],
        ["cidB==", "since", "2026-11-24", "09:30:00"],
        ["cidN==", "by", "access.outsider_groups"],
    ]


def test_without_any_the_list_says_so(shell: AdminShell) -> None:
    shell.has_a_database()
    assert "no group with people from outside" in shell.says("access", "outsiders")


def test_a_group_is_unmarked_with_a_reason_that_is_recorded(marked: AdminShell) -> None:
    assert "unmarked" in marked.says("access", "unmark", "cidA==", "--reason", "the carrier has left")
    assert known(marked) == ["cidB=="]
    (entry,) = marked.read("audit", "search", "--kind", "operator", "--what", "access unmark")
    assert entry["detail"] == "cidA==: the carrier has left"


def test_what_cannot_be_unmarked_is_said_and_not_recorded(marked: AdminShell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DINGERP_ACCESS__OUTSIDER_GROUPS", '["cidB=="]')
    assert "is not marked" in marked.refuses("access", "unmark", "cidX==", "--reason", "x")
    assert "outsider_groups" in marked.refuses("access", "unmark", "cidB==", "--reason", "x")
    assert "say why" in marked.refuses("access", "unmark", "cidA==", "--reason", " ")
    assert known(marked) == ["cidA==", "cidB=="]
    assert marked.read("audit", "search", "--kind", "operator", "--what", "access unmark") == []


async def test_a_running_bot_learns_it_and_marks_the_group_again(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'other.sqlite3'}")
    await database.migrate()
    running, operator = outsiders_in(database), outsiders_in(database)
    running.note("cidA==")
    await running.store()
    await database.run(lambda connection: unmark_group(connection, "cidA=="))
    await running.load()
    assert not running.are_in("cidA==")
    running.note("cidA==")
    await running.store()
    await operator.load()
    assert operator.are_in("cidA==")
    await database.close()
