"""Proposals of their own for each test, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.store.database import Database
from tests.proposals.desk import Desk


@pytest.fixture(params=["sqlite", "postgres"])
async def desks(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Desk, Desk]]:
    """The same proposals, open at two replicas."""
    url = request.getfixturevalue(f"{request.param}_url")
    one, other = Database(url), Database(url)
    await one.migrate()
    yield Desk(one), Desk(other)
    await one.close()
    await other.close()


@pytest.fixture
def desk(desks: tuple[Desk, Desk]) -> Desk:
    return desks[0]
