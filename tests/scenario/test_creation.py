"""Documents that people begin in a whole bot: typed, shown, tapped, written once, and read back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.erp.kinds import SALES_ORDERS
from bot.erp.port import ListQuery
from bot.kit.simulator.cards import SimCardView
from tests.scenario.conftest import BotSystem, OpenSystem

SELLER, MANAGER, KEEPER = "sales01", "salesmanager01", "keeper01"
CREATE, DROP = "确认创建", "不建了"
LINE = "/新建 订单 C001 SKU123×20 SKU146×2.5"
RULES = """
open = true

[[rules]]
name = "销售可新建订单"
commands = ["new"]
roles = ["sales"]
creates = ["order"]
most_quantity = 500
"""


@pytest.fixture
async def system(open_system: OpenSystem, tmp_path: Path) -> AsyncIterator[BotSystem]:
    file = tmp_path / "access.toml"
    file.write_text(RULES)
    accounts = {person: {"demo": person} for person in (SELLER, MANAGER, KEEPER)}
    async with open_system(access={"file": file, "accounts": accounts}) as system:
        yield system


async def ask(system: BotSystem, line: str = LINE, who: str = SELLER) -> SimCardView:
    return await system.ask(line, who, where=system.engine.direct(who).id)


async def becomes(system: BotSystem, card: SimCardView, text: str, who: str = SELLER) -> SimCardView:
    """Return a card once its person reads a text on it."""
    await system.engine.wait_for(lambda: text in system.see(card, who).markdown)
    return system.see(card, who)


async def count_orders(system: BotSystem) -> int:
    return (await system.app.hub.documents(SALES_ORDERS, ListQuery(limit=1))).value.total


async def test_one_card_leads_from_the_line_to_the_order(system: BotSystem) -> None:
    before = await count_orders(system)
    card = await ask(system)
    assert "SKU123** 螺丝 内六角 20 个" in card.markdown
    assert "sales01" in card.markdown
    pressed = await asyncio.gather(*(system.press(card, CREATE, SELLER) for _ in range(3)))
    assert all(result.ok for result in pressed)
    done = await becomes(system, card, "已建成草稿")
    (number,) = (button.text for button in done.buttons)
    assert number in done.title
    assert await count_orders(system) == before + 1
    order = await system.click(done, number, SELLER)
    assert "草稿" in order.markdown


async def test_a_dropped_one_is_not_written(system: BotSystem) -> None:
    before = await count_orders(system)
    card = await ask(system)
    await system.press(card, DROP, SELLER)
    done = await becomes(system, card, "什么都没有建")
    assert not done.buttons
    assert await count_orders(system) == before


async def test_in_a_group_the_preview_is_the_askers_alone(system: BotSystem) -> None:
    before = await count_orders(system)
    card = await system.ask(LINE, SELLER)
    assert system.cards_of(SELLER)[card.out_track_id].button(CREATE)
    assert await system.press(card, CREATE, SELLER)
    assert "C001" in (await becomes(system, card, "已建成草稿")).markdown
    assert await count_orders(system) == before + 1


async def test_who_may_not_create_is_refused(system: BotSystem) -> None:
    denied = await ask(system, LINE, KEEPER)
    assert denied.button(CREATE) is None
    assert "没有权限" in denied.title
    over = await ask(system, LINE.replace("20", "501"))
    assert "超出规则“销售可新建订单”" in over.markdown
