"""How often one click and one typed line read the case: each read is a round trip while a person waits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy.sql import Executable

from bot.approvals.case import Case
from bot.chat.questions.dispatcher import QuestionDispatcher
from bot.store.approvals.repository import StoredCaseRepository, StoredCaseTransactions
from bot.store.database import Database
from tests.commands.approval_fakes import ApprovalFixture
from tests.commands.company import NOW
from tests.commands.conftest import Ask
from tests.commands.test_approval_clicks import ApprovalClickHarness
from tests.commands.test_approvals import DIRECT, MANAGER

ReadCases = Callable[..., list[Case]]

ONE_READ_AND_THE_LOCKED_ONE = ["read", "locked"]
THE_NEXT_ONE = ["read"]
"""Who has decided is offered the next order that waits for them."""


@pytest.fixture
async def store(sqlite_url: str) -> AsyncIterator[StoredCaseTransactions]:
    database = Database(sqlite_url)
    await database.migrate()
    yield StoredCaseTransactions(database, lambda: NOW)
    await database.close()


@pytest.fixture
async def reads(approvals: ApprovalFixture, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of case reads since the case was opened; it grows with every read."""
    await approvals.submit()
    found: list[str] = []

    def counted(read: ReadCases) -> ReadCases:
        def count(self: StoredCaseRepository, query: Executable, **values: object) -> list[Case]:
            found.append("locked" if self._locking else "read")
            return read(self, query, **values)

        return count

    for name in ("_cases", "_readable_cases"):
        monkeypatch.setattr(StoredCaseRepository, name, counted(getattr(StoredCaseRepository, name)))
    return found


@pytest.mark.parametrize(("is_own", "more"), [(True, THE_NEXT_ONE), (False, [])])
async def test_a_click(
    dispatcher: QuestionDispatcher, approvals: ApprovalFixture, reads: list[str], is_own: bool, more: list[str]
) -> None:
    """On a group's card nobody is offered their own next order: everybody would read it."""
    harness = ApprovalClickHarness(dispatcher, approvals, await approvals.case())
    reads.clear()
    card = await harness.click(harness.approve, track=harness.own if is_own else harness.group)
    assert "Recorded. The ERP is being updated." in card.body
    assert reads == ONE_READ_AND_THE_LOCKED_ONE + more


@pytest.mark.parametrize("line", ["/approve PO-1001", "/reject PO-1001 太贵"])
async def test_a_line(ask: Ask, reads: list[str], line: str) -> None:
    await ask(line, person=MANAGER, where=DIRECT)
    assert reads == ONE_READ_AND_THE_LOCKED_ONE + THE_NEXT_ONE


async def test_passing_on(ask: Ask, reads: list[str]) -> None:
    await ask("/pending PO-1001 buyer01 forward", person=MANAGER, where=DIRECT)
    assert reads == ["read"], "who has the turn as well is not offered it, and nothing is locked"


async def test_who_comes_late_costs_one_read_and_locks_nothing(
    ask: Ask, approvals: ApprovalFixture, reads: list[str]
) -> None:
    await ask("/approve PO-1001", person=MANAGER, where=DIRECT)
    reads.clear()
    await ask("/approve PO-1001", person=MANAGER, where=DIRECT)
    assert reads == ["read", *THE_NEXT_ONE]
