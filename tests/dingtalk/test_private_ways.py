"""What the asker alone may see reaches nobody else, whichever way it goes and whatever fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
import pytest

from bot.cards.card import Card, CardButton
from bot.chat.answers.ports import AnswerCards, AnswerUnconfirmed, AnswerVia, SentAnswer
from bot.chat.answers.probe_results import UNCONFIRMED, ProbeResults
from bot.chat.message import Sender
from bot.dingtalk.answer_channel import IN_YOUR_CHAT, DingTalkAnswerChannel
from bot.dingtalk.card_api import CardApi
from bot.dingtalk.openapi import OpenApi
from bot.dingtalk.own_cards import ONLY_YOU, PrivateWay
from bot.dingtalk.robot import Robot
from tests.dingtalk.conftest import (
    CREATE_URL,
    DIRECT,
    DIRECT_URL,
    GROUP,
    GROUP_URL,
    KEYS,
    NOW,
    WEBHOOK_URL,
    FakeDingTalk,
    question,
    stock_card,
)

SHOWN = {"success": True, "result": {"deliverResults": [{"success": True}]}}
NOT_SHOWN = {"success": True, "result": {"deliverResults": [{"success": False, "errorMsg": "not in group"}]}}
QUOTA = {"code": "Forbidden.AccessDenied.ApiCountLimitForOrg", "requestid": "r"}
SECRET = "¥128,000"
MORE = CardButton("查看完整", "blue", token="ask|0|/order SO-1")


def own_card(**changes: Any) -> Card:
    told = {"title": f"SO-1 {SECRET}", "body": f"合计 {SECRET}", "tips": SECRET, "twin": f"SO-1 合计 {SECRET}"}
    return stock_card(**{"name": "order", **told, "fields": {"total": SECRET}, **changes})


def shared_card() -> Card:
    return stock_card(
        name="order", title="SO-1", body="合计 🔒", tips="", twin="SO-1 合计 🔒", buttons=(MORE,), fields={}
    )


class PrivateWayFixture:
    """The channel with one private way, and what it said in the group's fallbacks."""

    def __init__(self, api: OpenApi, way: PrivateWay) -> None:
        self.confirmed = ProbeResults(private_values=True)
        self.channel = DingTalkAnswerChannel(
            CardApi(api), Robot(api), KEYS, now=lambda: NOW, private_way=way, confirmed=lambda: self.confirmed
        )
        self.own = own_card()
        self.drawn = 0
        self.doubt: AnswerUnconfirmed | None = None

    async def answer(self, **changes: Any) -> SentAnswer:
        def draw() -> Card:
            self.drawn += 1
            return shared_card()

        async def announce() -> None:
            if self.doubt is not None:
                raise self.doubt

        message = question(text="/order SO-1", **changes)
        return await self.channel.answer(message, AnswerCards(self.own, draw), track_id="t1", before_fallback=announce)


OpenWay = Callable[[PrivateWay], PrivateWayFixture]


@pytest.fixture
def open_way(api: OpenApi, dingtalk: FakeDingTalk) -> OpenWay:
    dingtalk.token()
    return lambda way: PrivateWayFixture(api, way)


def sent(dingtalk: FakeDingTalk, url: str) -> list[dict[str, Any]]:
    return [orjson.loads(call["data"]) for call in dingtalk.asked(url)]


def text_of(body: Mapping[str, Any]) -> str:
    return orjson.dumps(body).decode()


async def test_a_card_for_the_asker_alone(open_way: OpenWay, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, payload=SHOWN)
    channel = open_way(PrivateWay.RECIPIENTS)
    assert await channel.answer() == SentAnswer(AnswerVia.OWN_CARD)
    [body] = sent(dingtalk, CREATE_URL)
    assert body["openSpaceId"] == f"dtv1.card//IM_GROUP.{GROUP.id}"
    assert body["imGroupOpenDeliverModel"] == {"robotCode": "dingrobot", "recipients": ["manager4220"]}
    assert SECRET in body["cardData"]["cardParamMap"]["markdown"]
    assert text_of(body["imGroupOpenSpaceModel"]).count(str(ONLY_YOU)) == 3
    assert SECRET not in text_of(body["imGroupOpenSpaceModel"])
    assert channel.drawn == 0  # the shared card is drawn only where it is needed


async def test_values_for_the_asker_in_the_groups_card(open_way: OpenWay, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, payload=SHOWN)
    assert await open_way(PrivateWay.PRIVATE_DATA).answer() == SentAnswer(AnswerVia.OWN_CARD)
    [body] = sent(dingtalk, CREATE_URL)
    private = body.pop("privateData")
    assert list(private) == ["manager4220"]
    assert SECRET in private["manager4220"]["cardParamMap"]["markdown"]
    assert "logo" not in private["manager4220"]["cardParamMap"]  # only what differs
    assert "recipients" not in body["imGroupOpenDeliverModel"]
    assert SECRET not in text_of(body)


async def test_until_it_is_confirmed_that_values_arrive_nobody_gets_any(
    open_way: OpenWay, dingtalk: FakeDingTalk
) -> None:
    dingtalk.post(CREATE_URL, payload=SHOWN)
    channel = open_way(PrivateWay.PRIVATE_DATA)
    channel.confirmed = UNCONFIRMED
    await channel.answer()
    [body] = sent(dingtalk, CREATE_URL)
    assert "privateData" not in body
    assert body["imGroupOpenDeliverModel"]["recipients"] == ["manager4220"]


async def test_values_that_are_too_long_leave_the_button(open_way: OpenWay, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, payload=SHOWN)
    channel = open_way(PrivateWay.PRIVATE_DATA)
    channel.own = own_card(body="合" * 342)
    assert await channel.answer() == SentAnswer(AnswerVia.OWN_CARD)
    [body] = sent(dingtalk, CREATE_URL)
    assert "privateData" not in body
    assert MORE.text in body["cardData"]["cardParamMap"]["sys_full_json_obj"]


async def test_values_cannot_make_another_kind_of_card(open_way: OpenWay, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, payload=SHOWN)
    channel = open_way(PrivateWay.PRIVATE_DATA)
    channel.own = own_card(name="orders")
    await channel.answer()
    [body] = sent(dingtalk, CREATE_URL)
    assert body["imGroupOpenDeliverModel"]["recipients"] == ["manager4220"]
    assert "privateData" not in body


async def test_a_card_in_the_askers_own_chat_and_a_line_in_the_group(open_way: OpenWay, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, payload=SHOWN)
    dingtalk.post(WEBHOOK_URL, payload={"errcode": 0})
    assert await open_way(PrivateWay.DIRECT).answer() == SentAnswer(AnswerVia.OWN_CARD)
    [body] = sent(dingtalk, CREATE_URL)
    assert body["openSpaceId"] == "dtv1.card//IM_ROBOT.manager4220"
    assert SECRET in body["cardData"]["cardParamMap"]["markdown"]
    [line] = sent(dingtalk, WEBHOOK_URL)
    assert line["markdown"] == {"title": str(IN_YOUR_CHAT), "text": str(IN_YOUR_CHAT)}


@pytest.mark.parametrize("webhook", [{"payload": {"errcode": 300001}}, {"exception": TimeoutError()}], ids=repr)
async def test_the_line_in_the_group_may_fail(
    open_way: OpenWay, dingtalk: FakeDingTalk, webhook: dict[str, Any]
) -> None:
    dingtalk.post(CREATE_URL, payload=SHOWN)
    dingtalk.post(WEBHOOK_URL, **webhook)
    assert await open_way(PrivateWay.DIRECT).answer() == SentAnswer(AnswerVia.OWN_CARD)


async def test_without_a_webhook_there_is_no_line(open_way: OpenWay, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, payload=SHOWN)
    assert await open_way(PrivateWay.DIRECT).answer(webhook=None) == SentAnswer(AnswerVia.OWN_CARD)
    assert not dingtalk.asked(WEBHOOK_URL)


async def test_a_line_that_may_stand_is_not_written_again(open_way: OpenWay, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, payload=SHOWN)
    channel = open_way(PrivateWay.DIRECT)
    channel.doubt = AnswerUnconfirmed("an earlier try")
    assert await channel.answer() == SentAnswer(AnswerVia.OWN_CARD)
    assert not dingtalk.asked(WEBHOOK_URL)


@pytest.mark.parametrize("way", PrivateWay)
async def test_each_way_costs_one_call(open_way: OpenWay, dingtalk: FakeDingTalk, way: PrivateWay) -> None:
    dingtalk.post(CREATE_URL, payload=SHOWN, repeat=True)
    await open_way(way).answer(webhook=None)
    assert sum(len(calls) for calls in dingtalk.requests.values()) == 2  # the token and the card


@pytest.mark.parametrize("way", [PrivateWay.RECIPIENTS, PrivateWay.PRIVATE_DATA])
async def test_a_text_in_the_group_is_everybodys(open_way: OpenWay, dingtalk: FakeDingTalk, way: PrivateWay) -> None:
    dingtalk.post(CREATE_URL, payload=NOT_SHOWN)
    dingtalk.post(GROUP_URL, payload={})
    assert await open_way(way).answer() == SentAnswer(AnswerVia.MARKDOWN)
    [body] = sent(dingtalk, GROUP_URL)
    assert "SO-1" in body["msgParam"]
    assert SECRET not in text_of(body)
    assert not dingtalk.asked(DIRECT_URL)


async def test_a_text_in_the_askers_own_chat_is_theirs(open_way: OpenWay, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, payload=NOT_SHOWN)
    dingtalk.post(DIRECT_URL, payload={})
    assert await open_way(PrivateWay.DIRECT).answer() == SentAnswer(AnswerVia.MARKDOWN)
    [body] = sent(dingtalk, DIRECT_URL)
    assert (body["userIds"], SECRET in body["msgParam"]) == (["manager4220"], True)
    assert not dingtalk.asked(GROUP_URL)


@pytest.mark.parametrize("way", PrivateWay)
async def test_the_webhook_carries_everybodys_text(open_way: OpenWay, dingtalk: FakeDingTalk, way: PrivateWay) -> None:
    dingtalk.post(CREATE_URL, status=403, payload=QUOTA)
    dingtalk.post(WEBHOOK_URL, payload={"errcode": 0})
    assert await open_way(way).answer() == SentAnswer(AnswerVia.WEBHOOK)
    [body] = sent(dingtalk, WEBHOOK_URL)
    assert "SO-1" in body["markdown"]["text"]
    assert SECRET not in text_of(body)


@pytest.mark.parametrize("way", PrivateWay)
async def test_spared_calls_carry_everybodys_text(api: OpenApi, dingtalk: FakeDingTalk, way: PrivateWay) -> None:
    dingtalk.post(WEBHOOK_URL, payload={"errcode": 0})
    channel = PrivateWayFixture(api, way)
    channel.channel = DingTalkAnswerChannel(
        CardApi(api), Robot(api), KEYS, now=lambda: NOW, private_way=way, sparing=lambda language: "…"
    )
    assert await channel.answer() == SentAnswer(AnswerVia.WEBHOOK)
    [body] = sent(dingtalk, WEBHOOK_URL)
    assert SECRET not in text_of(body)


@pytest.mark.parametrize("way", PrivateWay)
async def test_somebody_without_a_user_id_gets_everybodys_card(
    open_way: OpenWay, dingtalk: FakeDingTalk, way: PrivateWay
) -> None:
    dingtalk.post(CREATE_URL, payload=SHOWN)
    outsider = Sender(staff_id=None, nick="外部客户")
    assert await open_way(way).answer(sender=outsider) == SentAnswer(AnswerVia.CARD)
    [body] = sent(dingtalk, CREATE_URL)
    assert SECRET not in text_of(body)


@pytest.mark.parametrize("way", PrivateWay)
async def test_an_own_chat_needs_no_private_way(open_way: OpenWay, dingtalk: FakeDingTalk, way: PrivateWay) -> None:
    dingtalk.post(CREATE_URL, payload=SHOWN)
    await open_way(way).answer(conversation=DIRECT)
    [body] = sent(dingtalk, CREATE_URL)
    assert SECRET in body["cardData"]["cardParamMap"]["markdown"]
    assert "recipients" not in text_of(body)
    assert "privateData" not in body
