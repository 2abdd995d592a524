"""What is kept of a partner's documents is what the demo company's own lists tell, partner by partner."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.chat.records.kept_documents import read_kept
from bot.erp.hub import ErpHub
from bot.erp.kinds import INVOICES, PURCHASE_ORDERS, SALES_ORDERS, Kind
from bot.erp.port import Filter, ListQuery
from bot.kit.company.adapter import open_demo
from bot.mechanisms.metrics import Metrics
from bot.read_model.follower import DocumentFollower, area_followers
from bot.read_model.queries import ReadModel
from bot.store.database import Database
from bot.store.erp.read_model import StoredDocuments
from tests.erp.conftest import NOW, TODAY, demo_file, filled  # noqa: F401  # fixtures
from tests.read_model.conftest import at_once

MOST = 500
"""More documents than any partner of the demo company has."""


@pytest.fixture
async def hub(demo_file: Path) -> AsyncIterator[ErpHub]:  # noqa: F811
    demo = await open_demo(demo_file, today=TODAY, now=lambda: NOW, name="main")
    hub = ErpHub([demo], metrics=Metrics(), now=lambda: NOW)
    yield hub
    await hub.close()


@pytest.fixture
async def model(hub: ErpHub, sqlite_url: str) -> AsyncIterator[ReadModel]:
    database = Database(sqlite_url)
    await database.migrate()
    store = StoredDocuments(database, database)
    keep = timedelta(days=4_000)
    areas = area_followers(hub.source_client("main"), store, now=lambda: NOW, keep=keep, sleep=at_once)
    await DocumentFollower("main", areas, store, metrics=Metrics(), now=lambda: NOW).catch_up()
    yield ReadModel(store, hub)
    await database.close()


def told(documents: Any) -> list[Any]:
    """Return what lists tell of documents: no lines."""
    return [replace(each, lines=()) if hasattr(each, "lines") else each for each in documents]


async def test_every_partner_has_the_documents_that_the_erp_lists(hub: ErpHub, model: ReadModel) -> None:
    kinds: tuple[tuple[Kind[Any], Any, Any], ...] = (
        (SALES_ORDERS, hub.orders, hub.customers),
        (INVOICES, hub.invoices, hub.customers),
        (PURCHASE_ORDERS, hub.purchase_orders, hub.vendors),
    )
    compared = 0
    for kind, read, partners in kinds:
        for partner in (await partners(ListQuery(limit=MOST))).value.items:
            kept = await read_kept(model, hub, kind, partner.name, newest=3, now=NOW)
            assert kept is not None
            still_open = (await read(ListQuery(filter=Filter.OPEN, partner=partner.name, limit=MOST))).value
            newest = (await read(ListQuery(partner=partner.name, limit=3))).value
            assert told(kept.still_open.value.items) == told(still_open.items), (kind.call, partner.name)
            assert kept.still_open.value.total == still_open.total
            assert told(kept.newest.value.items) == told(newest.items), (kind.call, partner.name)
            assert kept.newest.value.total == newest.total
            compared += still_open.total
    assert compared > 100
