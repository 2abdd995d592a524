"""Several ERPs behind one bot: two that answer, and one that is configured and down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import EntryPoint

import pytest

from bot.erp import vendors
from bot.settings import ErpSettings
from tests.scenario.conftest import BotSystem, OpenSystem

SECONDS = 0.4
"""Time-out of the source that is down."""


@asynccontextmanager
async def silence() -> AsyncIterator[str]:
    """A server that accepts connections and never answers; yields its address."""
    tasks: set[asyncio.Task[None]] = set()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(4096):
            pass
        writer.close()

    server = await asyncio.start_server(
        lambda reader, writer: tasks.add(asyncio.ensure_future(listen(reader, writer))), "127.0.0.1", 0
    )
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()


@pytest.fixture
async def sources(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[dict[str, ErpSettings]]:
    """Two companies and an Odoo that does not answer."""
    monkeypatch.setitem(vendors._OURS, "odoo", EntryPoint("odoo", "bot.erp.odoo.manifest:vendor", vendors.GROUP))
    async with silence() as url:
        odoo = {"vendor": "odoo", "url": url, "database": "x", "user": "bot", "key": "secret", "timeout": SECONDS}
        yield {
            "demo": ErpSettings(vendor="demo"),
            "plant": ErpSettings(vendor="demo"),
            "odoo": ErpSettings.model_validate(odoo),
        }


@pytest.fixture
async def system(open_system: OpenSystem, sources: dict[str, ErpSettings]) -> AsyncIterator[BotSystem]:
    async with open_system(erp=sources) as opened:
        yield opened


async def test_both_real_sources_are_split_by_warehouse_and_the_dead_one_is_marked(system: BotSystem) -> None:
    card = await system.ask("/stock SKU123")
    found = await system.app.hub.stock("SKU123")
    both = [part.value for part in found.parts if part.value]
    assert [part.source for part in found.parts if part.value] == ["demo", "plant"]
    assert found.value.total.on_hand == sum(level.total.on_hand or 0 for level in both)
    assert f"{found.value.total.available:,}" in card.markdown
    for source in ("demo", "plant"):
        assert card.markdown.count(f"· {source}") == len(both[0].per_warehouse)
    assert "**odoo**" in card.markdown
    assert "ERP 暂时没有响应" in card.markdown


def calls_of(system: BotSystem, source: str) -> float:
    """Return how often a source was called."""
    samples = [sample for family in system.app.metrics.registry.collect() for sample in family.samples]
    return sum(
        sample.value
        for sample in samples
        if sample.name == "dingerp_erp_calls_total" and sample.labels["source"] == source
    )


async def test_after_some_failures_the_dead_one_costs_no_time_at_all(system: BotSystem) -> None:
    for _ in range(5):
        await system.app.hub.stock("SKU123")
    before = calls_of(system, "odoo")
    found = await system.app.hub.stock("SKU123")
    assert calls_of(system, "odoo") == before, "it is not asked"
    assert [part.source for part in found.parts if not part.fresh] == ["odoo"]
    assert system.count("erp_open", source="odoo") == 1


async def test_lists_and_searches_work_over_all_of_them(system: BotSystem) -> None:
    late = await system.ask("/order late")
    assert any(button.text.startswith("SO-") for button in late.buttons)
    assert "odoo" in late.tips
    picks = await system.ask("库存 螺丝")
    assert any(button.text.startswith("SKU123") for button in picks.buttons)
