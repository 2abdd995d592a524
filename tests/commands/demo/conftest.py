from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from shutil import copyfile, copytree

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


@pytest.fixture(scope="session")
def followed(three_days_later: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the bot's database, with its key, when the bot has read that company once: that takes a second."""
    company, folder = tmp_path_factory.mktemp("company"), tmp_path_factory.mktemp("followed")

    async def read() -> None:
        async with (
            opened_demo(three_days_later, company, lambda: NOW) as demo,
            opened_hub(demo, lambda: NOW) as hub,
            opened_database(folder) as database,
        ):
            await document_follower(hub, database, lambda: NOW).catch_up()

    # In a thread, because the first test that asks for it may have a running loop here.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, read()).result()
    return folder


@asynccontextmanager
async def opened_demo(company: Path, folder: Path, now: Callable[[], datetime]) -> AsyncIterator[DemoCompany]:
    file = folder / "company.sqlite3"
    copyfile(company, file)
    erp = await open_demo(file, today=TODAY, now=now)
    yield DemoCompany(erp, file)
    await erp.close()


@asynccontextmanager
async def opened_hub(demo: DemoCompany, now: Callable[[], datetime]) -> AsyncIterator[ErpHub]:
    hub = ErpHub([demo.erp], metrics=UNREAD, now=now, timeout=10, protections={"demo": SourceLimits(cache=2)})
    yield hub
    await hub.close()


@asynccontextmanager
async def opened_database(folder: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{folder / 'bot.sqlite3'}")
    await database.migrate()
    yield database
    await database.close()


def document_follower(hub: ErpHub, database: Database, now: Callable[[], datetime]) -> DocumentFollower:
    store = StoredDocuments(database, database)
    areas = area_followers(hub.source_client("demo"), store, now=now, keep=timedelta(days=400), sleep=at_once)
    return DocumentFollower("demo", areas, store, metrics=UNREAD, now=now)


@pytest.fixture
async def demo(three_days_later: Path, tmp_path: Path, now: Callable[[], datetime]) -> AsyncIterator[DemoCompany]:
    """The company after three of its days; nothing happens any more but what is decided."""
    async with opened_demo(three_days_later, tmp_path, now) as demo:
        yield demo


@pytest.fixture
async def hub(demo: DemoCompany, now: Callable[[], datetime]) -> AsyncIterator[ErpHub]:
    async with opened_hub(demo, now) as hub:
        yield hub


@pytest.fixture
async def database(followed: Path, tmp_path: Path) -> AsyncIterator[Database]:
    copytree(followed, tmp_path, dirs_exist_ok=True)
    async with opened_database(tmp_path) as database:
        yield database


@pytest.fixture
async def follower(hub: ErpHub, database: Database, now: Callable[[], datetime]) -> DocumentFollower:
    """What keeps copies of the company's documents; it has read them once."""
    follower = document_follower(hub, database, now)
    await follower.catch_up()
    return follower


@pytest.fixture
def kept(database: Database, follower: DocumentFollower) -> StoredDocuments:
    return StoredDocuments(database, database)
