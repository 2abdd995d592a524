"""Ways to write without a call: where somebody wrote, for as long as DingTalk takes the webhook."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.chat.message import Sender
from bot.dingtalk.openapi import OpenApi
from bot.dingtalk.reply_addresses import ReplyAddresses
from bot.dingtalk.robot import Robot
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import SendFailed, SendFailureKind
from tests.dingtalk.conftest import DIRECT, GROUP, NOW, WEBHOOK_URL, FakeDingTalk, question, stock_card

HERE = Place(PlaceKind.GROUP, GROUP.id)


def addresses(api: OpenApi, now: Any = NOW) -> ReplyAddresses:
    return ReplyAddresses(Robot(api), lambda: now)


async def test_it_writes_where_somebody_wrote(api: OpenApi, dingtalk: FakeDingTalk) -> None:
    known = addresses(api)
    assert not await known.write(HERE, stock_card())
    assert known.note(question()) == HERE
    dingtalk.post(WEBHOOK_URL, payload={"errcode": 0})
    assert await known.write(HERE, stock_card())
    assert not await known.write(Place(PlaceKind.PERSON, "manager4220"), stock_card())
    assert known.note(question(conversation=DIRECT)) == Place(PlaceKind.PERSON, "manager4220")
    assert known.note(question(conversation=DIRECT, sender=Sender(staff_id=None, nick="外部客户"))) is None
    assert known.note(question(webhook=None)) is None


async def test_a_way_ends_with_its_time_or_its_refusal(api: OpenApi, dingtalk: FakeDingTalk) -> None:
    old = addresses(api, NOW + timedelta(days=1))
    old.note(question())
    assert not await old.write(HERE, stock_card())
    known = addresses(api)
    known.note(question())
    dingtalk.post(WEBHOOK_URL, payload={"errcode": 300001, "errmsg": "session"})
    assert not await known.write(HERE, stock_card())
    assert not await known.write(HERE, stock_card())
    assert len(dingtalk.asked(WEBHOOK_URL)) == 1


@pytest.mark.parametrize(("code", "wait"), [(410100, 600), (660026, 60), (130101, 600)])
async def test_too_fast_is_a_wait(api: OpenApi, dingtalk: FakeDingTalk, code: int, wait: float) -> None:
    known = addresses(api)
    known.note(question())
    dingtalk.post(WEBHOOK_URL, payload={"errcode": code})
    with pytest.raises(SendFailed) as caught:
        await known.write(HERE, stock_card())
    assert (caught.value.trouble, caught.value.retry_after) == (SendFailureKind.LIMITED, wait)


async def test_an_urgent_text_that_may_have_arrived_is_tried_again(api: OpenApi, dingtalk: FakeDingTalk) -> None:
    known = addresses(api)
    known.note(question())
    dingtalk.post(WEBHOOK_URL, exception=TimeoutError())
    with pytest.raises(SendFailed) as caught:
        await known.write(HERE, stock_card())
    assert caught.value.trouble is SendFailureKind.BUSY
