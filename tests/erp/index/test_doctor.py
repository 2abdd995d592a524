"""What the doctor says of the index, and what the settings make of it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.bootstrap.erps import open_hub_with_index
from bot.doctor.local import check_index
from bot.doctor.results import describe_results
from bot.erp.decider_keys import NO_DECIDER_KEYS
from bot.erp.index.folding import entries
from bot.erp.index.port import SyncState
from bot.mechanisms.background import BackgroundTasks
from bot.mechanisms.metrics import Metrics
from bot.settings import ErpSettings, IndexSettings, Settings, load_settings
from bot.store.database import Database
from bot.store.erp.product_index import StoredProductIndex
from bot.store.erp.records import StoredErpRecords

from .catalogue import screw


def settings_of(database: str, **changes: object) -> Settings:
    return load_settings().model_copy(
        update={"erp": {"main": ErpSettings(vendor="demo")}, "database_url": SecretStr(database), **changes}
    )


async def lines(settings: Settings) -> list[str]:
    return list(describe_results(await check_index(settings), "en"))


async def test_each_state_is_said(address: str, store: StoredProductIndex) -> None:
    settings = settings_of(address)
    assert await lines(settings) == ["[ok] Index of “main”: not filled yet, 0 products so far"]
    now = datetime.now(UTC)
    filling = SyncState(source="main", cursor="1")
    await store.advance(None, filling, entries=entries([screw("A-1"), screw("A-2")], {}))
    assert await lines(settings) == ["[ok] Index of “main”: not filled yet, 2 products so far"]
    stopped = replace(filling, trouble="Unavailable")
    await store.advance(filling, stopped)
    assert await lines(settings) == [
        "[--] Index of “main”: not filled yet, 2 products so far",
        "     → The last attempt ended with Unavailable; until it works the ERP is asked.",
    ]
    filled = replace(filling, walking=False, walked_at=now, synced_at=now - timedelta(minutes=3, seconds=5))
    await store.advance(stopped, filled)
    assert await lines(settings) == ["[ok] Index of “main”: 2 products, 3 min old"]
    old = replace(filled, synced_at=now - timedelta(hours=2))
    await store.advance(filled, old)
    assert await lines(settings) == [
        "[--] Index of “main”: 2 products, 120 min old",
        "     → The running bot brings it up to date; until then the ERP is asked.",
    ]
    await store.advance(old, replace(old, trouble="Unsupported"))
    assert await lines(settings) == ["[--] Index of “main”: none, since this ERP does not tell which products changed"]
    assert await lines(settings_of(address, index=IndexSettings(enabled=False, seconds=60))) == []


async def test_a_database_that_cannot_tell_is_not_this_looks_matter(tmp_path: Path) -> None:
    assert await check_index(settings_of("mysql://db/bot")) == []
    assert await check_index(settings_of(f"sqlite:///{tmp_path / 'empty.sqlite3'}")) == []


@pytest.mark.parametrize("enabled", [True, False])
async def test_a_bot_keeps_the_index_if_it_is_told_to(
    address: str, database: Database, tmp_path: Path, enabled: bool
) -> None:
    settings = settings_of(address, data_dir=tmp_path, index=IndexSettings(enabled=enabled, seconds=1))
    metrics = Metrics()

    def value(name: str, **labels: str) -> float:
        return metrics.registry.get_sample_value(f"dingerp_{name}", {"source": "main", **labels}) or 0

    async with AsyncExitStack() as stack:
        background = BackgroundTasks()
        records = StoredErpRecords(database)
        hub = await open_hub_with_index(
            stack, background, settings, metrics, lambda: datetime.now(UTC), database, records, NO_DECIDER_KEYS
        )
        if enabled:
            async with asyncio.timeout(30):
                while not value("index_products"):  # noqa: ASYNC110  # what happens in the background tells nobody
                    await asyncio.sleep(0.05)
        before = value("erp_calls_total", call="find_products", outcome="ok")
        found = await hub.find_products("luosi", limit=5)
        assert bool(found.value) is enabled, "only the index knows whole syllables"
        after = value("erp_calls_total", call="find_products", outcome="ok")
        assert after - before == (0 if enabled else 1)
        assert not background.failed.done()
