"""A counter of its own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.kit.company.adapter import open_demo
from bot.store.database import Database
from tests.creation.counter import NOW, Counter, FaultyErp


@pytest.fixture
async def counter(tmp_path: Path) -> AsyncIterator[Counter]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'bot.sqlite3'}")
    await database.migrate()
    demo = await open_demo(":memory:", today=NOW.date(), now=lambda: NOW)
    counter = Counter(database, FaultyErp(demo))
    yield counter
    await counter.hub.close()
    await database.close()
