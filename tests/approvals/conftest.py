"""A company at work for each test, and databases as one and as two processes have them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.store.database import Database
from tests.approvals.env import ApprovalEnv


@pytest.fixture
def env() -> ApprovalEnv:
    return ApprovalEnv()


@pytest.fixture(params=["sqlite", "postgres"])
async def two(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Database, Database]]:
    """Return one database, opened twice: as two processes do."""
    url = request.getfixturevalue(f"{request.param}_url")
    one, other = Database(url), Database(url)
    await one.migrate()
    yield one, other
    await one.close()
    await other.close()
