"""The first answer in a group, and in somebody's chat with the bot, shows three things to try; over the wire."""

from __future__ import annotations

from bot.kit.simulator.cards import SimCardView
from bot.settings import load_settings
from tests.scenario.alerts.scenario import BUYING
from tests.scenario.conftest import KEEPER, READING, OpenSystem

WORDS = "初次使用？"
ON = {"welcome": True}


def is_welcome(card: SimCardView) -> bool:
    return WORDS in card.tips


async def test_once_in_a_group_and_once_for_each_person(open_system: OpenSystem) -> None:
    async with open_system(notify=ON, access={"roles": {"仓管": frozenset({KEEPER})}}) as system:
        first = await system.ask("/stock SKU123")
        assert is_welcome(first)
        assert [button.text for button in first.buttons[-3:]] == ["今天到哪些货？", "今天要发哪些货？", "缺哪些货？"]
        assert system.engine.flow.used == 1, "it is part of the answer"
        assert not is_welcome(await system.ask("/stock SKU123"))
        assert not is_welcome(await system.ask("/stock SKU123", "sales01")), "the group is no newcomer"
        assert is_welcome(await system.ask("/stock SKU123", where=system.engine.direct(KEEPER).id))
        assert is_welcome(await system.ask("/help", "buyer01", where=BUYING))


async def test_what_it_shows_can_be_tapped_and_leads_back(open_system: OpenSystem) -> None:
    async with open_system(notify=ON) as system:
        first = await system.ask("/stock SKU123")
        shown = await system.click(first, "今天到哪些货？")
        assert "在途" in shown.title
        assert "返回" in [button.text for button in shown.buttons]


async def test_after_a_restart_nobody_is_a_newcomer_again(open_system: OpenSystem) -> None:
    async with open_system(notify=ON) as system:
        assert is_welcome(await system.ask("/stock SKU123"))
    async with open_system(notify=ON) as system:
        assert not is_welcome(await system.ask("/stock SKU123"))


async def test_a_question_back_waits_with_it(open_system: OpenSystem) -> None:
    async with open_system(notify=ON, **READING) as system:
        assert not is_welcome(await system.ask("INV-7跟INV-24付了吗"))
        assert is_welcome(await system.ask("/stock SKU123"))


async def test_it_can_be_switched_off_and_is_on_by_default(open_system: OpenSystem) -> None:
    assert load_settings().notify.welcome
    async with open_system(notify={"welcome": False}) as system:
        assert not is_welcome(await system.ask("/stock SKU123"))
