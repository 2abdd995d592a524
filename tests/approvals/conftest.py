"""A company at work for each test, and databases as one and as two processes have them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store.database import Database
from tests.approvals.world import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(params=["sqlite", "postgresql"])
async def two(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Database, Database]]:
    """Return one database, opened twice: as two processes do."""
    url = f"sqlite:///{tmp_path / 'bot.sqlite3'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    one, other = Database(url), Database(url)
    await one.migrate()
    yield one, other
    await one.close()
    await other.close()
