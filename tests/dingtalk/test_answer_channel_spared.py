"""When the month's calls run out, questions are answered through their own webhook, and the answer says so."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from bot.chat.answers.ports import AnswerCards, AnswerUnconfirmed, AnswerVia, SentAnswer
from bot.chat.message import SessionWebhook
from bot.dingtalk.answer_channel import DingTalkAnswerChannel
from bot.dingtalk.card_api import CardApi
from bot.dingtalk.errors import (
    DingTalkCardUnconfirmed,
    DingTalkOutcomeUnknown,
    DingTalkQuotaExhausted,
    DingTalkSessionExpired,
)
from bot.dingtalk.openapi import OpenApi
from bot.dingtalk.robot import Robot
from tests.dingtalk.conftest import CREATE_URL, KEYS, NOW, WEBHOOK_URL, FakeDingTalk, question, stock_card

SHOWN = {"success": True, "result": {"deliverResults": [{"success": True}]}}
LINE = {"zh_CN": "本月调用次数将尽，暂以文字回复。"}


class SparedChannelFixture:
    """The channel while calls are spared, and what was announced."""

    def __init__(self, api: OpenApi) -> None:
        self.channel = DingTalkAnswerChannel(CardApi(api), Robot(api), KEYS, now=lambda: NOW, sparing=LINE.get)
        self.announced = 0
        self.doubt: AnswerUnconfirmed | None = None

    async def answer(self, **changes: Any) -> SentAnswer:
        async def announce() -> None:
            if self.doubt is not None:
                raise self.doubt
            self.announced += 1

        return await self.channel.answer(
            question(**changes), AnswerCards(stock_card()), track_id="t1", before_fallback=announce
        )


@pytest.fixture
def channel(api: OpenApi, dingtalk: FakeDingTalk) -> SparedChannelFixture:
    dingtalk.token()
    dingtalk.post(CREATE_URL, payload=SHOWN)
    return SparedChannelFixture(api)


async def test_the_answer_costs_no_call_and_says_why_it_is_a_text(
    channel: SparedChannelFixture, dingtalk: FakeDingTalk
) -> None:
    dingtalk.post(WEBHOOK_URL, payload={"errcode": 0})
    assert await channel.answer() == SentAnswer(AnswerVia.WEBHOOK)
    assert (channel.announced, dingtalk.asked(CREATE_URL)) == (1, [])
    words = orjson.loads(dingtalk.asked(WEBHOOK_URL)[0]["data"])["markdown"]
    assert words["text"] == f"库存 SKU123  \n  可用 12\n\n{LINE['zh_CN']}"


@pytest.mark.parametrize("webhook", [None, SessionWebhook(WEBHOOK_URL, NOW)], ids=["none", "over"])
async def test_without_a_webhook_the_question_still_gets_its_card(
    channel: SparedChannelFixture, webhook: SessionWebhook | None
) -> None:
    assert await channel.answer(webhook=webhook) == SentAnswer(AnswerVia.CARD)
    assert channel.announced == 0


async def test_a_webhook_that_refuses_leaves_the_card(channel: SparedChannelFixture, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(WEBHOOK_URL, payload={"errcode": 300001, "errmsg": "session"})
    with capture_logs() as logs:
        assert await channel.answer() == SentAnswer(AnswerVia.CARD)
    assert [line["via"] for line in logs if line["event"] == "answer_way_failed"] == ["webhook"]


async def test_a_text_that_may_stand_is_not_followed_by_a_card(
    channel: SparedChannelFixture, dingtalk: FakeDingTalk
) -> None:
    dingtalk.post(WEBHOOK_URL, exception=TimeoutError())
    with pytest.raises(DingTalkOutcomeUnknown):
        await channel.answer()
    assert dingtalk.asked(CREATE_URL) == []


async def test_where_a_card_may_stand_only_that_card_is_tried_again(
    channel: SparedChannelFixture, dingtalk: FakeDingTalk
) -> None:
    channel.doubt = DingTalkCardUnconfirmed("create_and_deliver: no answer")
    assert await channel.answer() == SentAnswer(AnswerVia.CARD)
    assert dingtalk.asked(WEBHOOK_URL) == []


@pytest.mark.parametrize("webhook", [None, SessionWebhook(WEBHOOK_URL, NOW)], ids=["none", "over"])
async def test_the_last_calls_are_not_for_answers(
    api: OpenApi, dingtalk: FakeDingTalk, webhook: SessionWebhook | None
) -> None:
    channel = DingTalkAnswerChannel(
        CardApi(api), Robot(api), KEYS, now=lambda: NOW, sparing=LINE.get, reserved=lambda: True
    )

    async def announce() -> None:
        return

    cards = AnswerCards(stock_card())
    with pytest.raises(DingTalkQuotaExhausted):
        await channel.answer(question(webhook=webhook), cards, track_id="t1", before_fallback=announce)
    dingtalk.post(WEBHOOK_URL, payload={"errcode": 300001, "errmsg": "session"})
    with pytest.raises(DingTalkSessionExpired):
        await channel.answer(question(), cards, track_id="t1", before_fallback=announce)
    assert dingtalk.asked(CREATE_URL) == []
