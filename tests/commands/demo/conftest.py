from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path
from shutil import copyfile

import pytest

from bot.erp.hub import ErpHub
from bot.erp.limits import SourceLimits
from bot.kit.company.adapter import open_demo
from bot.read_model.follower import DocumentFollower, area_followers
from bot.store.database import Database
from bot.store.erp.read_model import StoredDocuments
from tests.commands.company import NOW, TODAY
from tests.commands.conftest import UNREAD
from tests.commands.demo.company import DemoCompany, let_days_pass
from tests.read_model.conftest import at_once


@pytest.fixture
def now() -> Callable[[], datetime]:
    return lambda: NOW


@pytest.fixture(scope="session")
def three_days_later(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("demo") / "company.sqlite3"
    let_days_pass(file)
    return file


@pytest.fixture
async def demo(three_days_later: Path, tmp_path: Path, now: Callable[[], datetime]) -> AsyncIterator[DemoCompany]:
    """The company after three of its days; nothing happens any more but what is decided."""
    file = tmp_path / "company.sqlite3"
    copyfile(three_days_later, file)
    erp = await open_demo(file, today=TODAY, now=now)
    yield DemoCompany(erp, file)
    await erp.close()


@pytest.fixture
async def hub(demo: DemoCompany, now: Callable[[], datetime]) -> AsyncIterator[ErpHub]:
    hub = ErpHub([demo.erp], metrics=UNREAD, now=now, timeout=10, protections={"demo": SourceLimits(cache=2)})
    yield hub
    await hub.close()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    await database.migrate()
    yield database
    await database.close()


@pytest.fixture
async def follower(hub: ErpHub, database: Database, now: Callable[[], datetime]) -> DocumentFollower:
    """What keeps copies of the company's documents; it has read them once."""
    store = StoredDocuments(database, database)
    source = hub.source_client("demo")
    areas = area_followers(source, store, now=now, keep=timedelta(days=400), sleep=at_once)
    follower = DocumentFollower("demo", areas, store, metrics=UNREAD, now=now)
    await follower.catch_up()
    return follower


@pytest.fixture
def kept(database: Database, follower: DocumentFollower) -> StoredDocuments:
    return StoredDocuments(database, database)
