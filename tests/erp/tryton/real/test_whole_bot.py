"""The whole bot with a real Tryton, the demo company and an Odoo that is down: one question, one card."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.kit.simulator.chat import SimDelivery
from bot.settings import ErpSettings
from tests.erp.tryton.real.conftest import READING
from tests.erp.tryton.server.server_process import TrytonServer
from tests.scenario.conftest import KEEPER, BotSystem, run_system
from tests.scenario.test_many_sources import silence

pytestmark = [pytest.mark.process, pytest.mark.timeout(360)]

SECONDS = 1.0
"""Timeout of the source that is down; the others answer within it."""

UNITS = {"u": "1 个"}
"""Units that an operator configures so that the sources' pieces are added up. A table of products is not needed:
both use SKU123."""

DEMO = {"上海仓": 8_600, "深圳仓": 2_450, "成都仓": 320}
"""The demo company's stock of it."""

_ROW = re.compile(r"^\*\*(\S+)\*\* · (\S+) 可用 [\d,]+<br>现存 ([\d,]+) ", re.MULTILINE)
"""A warehouse on the card: its name, its source and its stock."""


@pytest.fixture
async def system(
    tryton_server: TrytonServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[BotSystem]:
    monkeypatch.chdir(tmp_path)
    account = {"url": tryton_server.url, "database": READING, "user": "dingbot", "password": "DingBot#2026"}
    async with silence() as url:
        odoo = {"url": url, "database": "x", "user": "bot", "key": "secret", "timeout": SECONDS}
        # All questions go to the ERPs, including the one that is down, and nobody else asks: their time is measured.
        always = {"cache_seconds": 0, "breaker_failures": 0}
        erp = {
            name: ErpSettings.model_validate({"vendor": name, **always, **options})
            for name, options in (("demo", {}), ("tryton", account), ("odoo", odoo))
        }
        off = {"enabled": False}
        async with run_system(tmp_path, erp=erp, units=UNITS, index=off, understanding=off, read_model=off) as one:
            yield one


async def test_one_card_has_both_real_sources_by_warehouse_and_marks_the_dead_one(
    system: BotSystem, tryton_server: TrytonServer
) -> None:
    message = system.engine.say(system.group, KEEPER, "/stock SKU123")
    card = await system.engine.wait_for(lambda: next(iter(system.engine.cards_for(message)), None), timeout=60)
    await system.settle()
    assert [type(item) for item in system.answers(message)] == [SimDelivery]
    places = tryton_server.expected["products"]["SKU123"]["warehouses"]
    names = tryton_server.expected["warehouses"]
    held = {("demo", name): count for name, count in DEMO.items()}
    held |= {("tryton", names[code]["name"]): int(place["on_hand"]) for code, place in places.items()}
    shown = {(source, name): int(figure.replace(",", "")) for name, source, figure in _ROW.findall(card.markdown)}
    assert shown == held
    assert f"现存 {sum(held.values()):,} " in card.markdown.partition("**odoo**")[0]
    assert "**odoo** <font colorTokenV2=common_orange1_color>ERP 暂时没有响应。</font>" in card.markdown
    assert "· odoo" not in card.markdown
    assert card.tips.endswith("· demo + tryton")


async def test_the_card_waits_for_one_time_out_of_the_dead_one(system: BotSystem) -> None:
    for asked in range(1, 4):
        card = await system.ask("/stock SKU123")
        assert "· tryton" in card.markdown
        assert "**odoo**" in card.markdown
        await system.settle()
        assert system.count("erp_calls_total", source="tryton", call="stock", outcome="ok") == asked
        assert system.count("erp_calls_total", source="odoo", call="stock", outcome="timeout") == asked
