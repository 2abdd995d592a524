"""Subscriptions in a running bot: they are kept, listed and stopped, for a group and for a person."""

from __future__ import annotations

from tests.scenario.conftest import KEEPER, BotSystem


async def test_a_group_and_a_person_have_their_own(system: BotSystem) -> None:
    card = await system.ask("/订阅 延期订单 17:00 每天")
    assert card.title == "已订阅：/order 延期"
    assert "每天" in card.markdown
    assert "本群" in card.tips
    chat = system.engine.chat.direct_chat(KEEPER)
    assert chat is not None
    mine = await system.ask("/subscriptions", where=chat.id)
    assert "/order" not in mine.markdown
    stopped = await system.ask("/退订 延期订单")
    assert stopped.title == "已取消订阅：/order 延期"
