"""People reply to a card with a word: it acts on the card's document, whatever brought the card."""

from __future__ import annotations

from typing import Any

import pytest

from bot.erp.model import ReviewState
from bot.kit.simulator.cards import SimCardView
from bot.kit.simulator.payloads import bot_user_id
from tests.scenario.alerts.scenario import BUYING
from tests.scenario.approvals.scenario import (
    BOSS,
    MANAGER,
    SMALL,
    OpenApprovalScenario,
    open_approval_scenario,
    plain_text,
)
from tests.scenario.conftest import KEEPER, BotSystem

__all__ = ["open_approval_scenario"]  # pytest finds fixtures in the module

COLLEAGUE = "$:LWCP_v1:$Colleague=="


def reply(system: BotSystem, line: str, title: str, *, sender: str = "") -> dict[str, Any]:
    """Return the keys of a callback that replies to a card with this title, of the bot unless a sender is named."""
    quoted = {
        "msgType": "interactiveCard",
        "senderId": sender or bot_user_id(system.engine.config),
        "content": {"title": title, "summary": ""},
    }
    return {"text": {"content": f" {line}", "isReplyMsg": True, "repliedMsg": quoted}}


async def answer(
    system: BotSystem, line: str, card: SimCardView, who: str = KEEPER, *, sender: str = "", where: str = ""
) -> SimCardView:
    return await system.ask(line, who, where=where, raw=reply(system, line, card.title, sender=sender))


@pytest.fixture
async def system(reading_system: BotSystem) -> BotSystem:
    return reading_system


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("first", "word", "opens"),
    [
        ("/order SO-1001", "订单", "SO-1001"),
        ("/order SO-1001", "发货了吗", "SO-1001"),
        ("/invoice INV-7", "发票", "INV-7"),
        ("/po PO-1001", "采购", "PO-1001"),
        ("/mo MO-1", "生产", "MO-1"),
        ("/stock SKU123", "库存", "SKU123"),
        ("/stock SKU123", "库存 @上海仓", "SKU123"),
        ("/stock SKU123", "还有多少", "SKU123"),
        ("/order SO-1001", "关注", "SO-1001"),
        ("/po PO-1001", "到货了吗", "PO-1001"),
    ],
)
async def test_a_word_is_about_the_quoted_answer(system: BotSystem, first: str, word: str, opens: str) -> None:
    card = await system.ask(first)
    seen = await answer(system, word, card)
    assert opens in plain_text(seen)
    assert seen.title != "没太明白"


async def test_what_names_a_document_itself_is_not_about_the_quoted_one(system: BotSystem) -> None:
    card = await system.ask("/order SO-1001")
    assert (await answer(system, "库存 SKU123", card)).title.startswith("SKU123")


@pytest.mark.parametrize("words", ["帮助", "谢谢", "好的", ""])
async def test_what_is_about_nothing_stays_as_it_is(system: BotSystem, words: str) -> None:
    card = await system.ask("/order SO-1001")
    assert (await answer(system, words, card)).title == (await system.ask(words)).title


async def test_a_pushed_approval_is_approved_by_a_word(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, understanding={"enabled": True}) as scenario:
        card = scenario.card(SMALL, BUYING)
        await answer(scenario.system, "同意", card, BOSS, where=BUYING)
        await scenario.settle()
        assert (await scenario.order(SMALL)).status is ReviewState.APPROVED
        assert await scenario.erp.decisions(SMALL) == [(BOSS, "approve", "")]


async def test_a_pushed_approval_is_rejected_with_a_reason(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, understanding={"enabled": True}) as scenario:
        card = scenario.card(SMALL, MANAGER)
        await answer(scenario.system, "拒绝 价格过高", card, MANAGER, where=scenario.system.engine.direct(MANAGER).id)
        await scenario.settle()
        assert await scenario.erp.decisions(SMALL) == [(MANAGER, "reject", "价格过高")]


async def test_who_agrees_with_a_colleague_decides_nothing(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, understanding={"enabled": True}) as scenario:
        card = scenario.card(SMALL, BUYING)
        await answer(scenario.system, "同意", card, BOSS, sender=COLLEAGUE, where=BUYING)
        await scenario.settle()
        assert await scenario.erp.decisions(SMALL) == []
