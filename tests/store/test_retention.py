"""What is over is forgotten in its time, table by table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, insert, select

from bot.approvals.case import CaseState
from bot.store.approvals.repository import StoredCaseRepository, forget_cases
from bot.store.approvals.rows import audit_row
from bot.store.database import Database
from bot.store.tables import APPROVAL_AUDIT, APPROVAL_CASE, APPROVAL_DECISION, APPROVAL_VOTE
from tests.store import stored_examples as examples

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


async def test_decided_cases_are_forgotten_with_their_parts_and_open_ones_never(database: Database) -> None:
    old = NOW - timedelta(days=100)
    cases = [
        replace(examples.FULL_CASE, id="old-1", number="A", state=CaseState.APPROVED, opened_at=old),
        replace(examples.FULL_CASE, id="new-1", number="B", state=CaseState.APPROVED, opened_at=NOW),
        replace(examples.FULL_CASE, id="open-1", number="C", state=CaseState.OPEN, opened_at=old),
    ]

    def fill(connection: object) -> None:
        repository = StoredCaseRepository(connection, NOW)  # type: ignore[arg-type]
        for case in cases:
            repository.put(case)
        repository.flush()

    await database.run(fill)
    await database.run(lambda c: c.execute(insert(APPROVAL_AUDIT), audit_row(replace(examples.AUDIT, case="old-1"))))
    assert await forget_cases(database, NOW - timedelta(days=50)) == 1
    for table, column in ((APPROVAL_CASE, "id"), (APPROVAL_VOTE, "case_id"), (APPROVAL_DECISION, "case_id")):
        found = await database.run(lambda c, t=table, n=column: set(c.scalars(select(t.c[n]))))  # type: ignore[misc]
        assert found == {"new-1", "open-1"}
    assert await database.run(lambda c: c.scalar(select(func.count()).select_from(APPROVAL_AUDIT))) == 1
    assert await forget_cases(database, NOW - timedelta(days=50)) == 0
