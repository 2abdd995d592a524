"""Session webhooks and custom robots (docs: platform/dingtalk/robots.md#session-webhooks, #custom-robots)."""

from __future__ import annotations

import pytest

from bot.kit.simulator.openapi.webhooks import sign
from tests.simulator.bare_client import MESSAGES, PURCHASING, WAREHOUSE

TEXT = {"msgtype": "text", "text": {"content": "库存 12"}}
SECRET = "SECdemo0123456789abcdef"


async def session_of(wire):
    async with wire.stream() as stream:
        wire.engine.say(WAREHOUSE, "ext_carrier", "/stock SKU123")
        [frame] = await stream.take(MESSAGES)
    url = frame["decoded"]["sessionWebhook"]
    assert url.startswith(f"{wire.url}/robot/sendBySession?session=")
    return url.removeprefix(wire.url)


async def test_replies_through_the_session(wire):
    path = await session_of(wire)
    for body in (
        {**TEXT, "at": {"atUserIds": ["keeper01", None]}},
        {"msgtype": "markdown", "markdown": {"title": "t", "text": "**x**"}},
        {"msgtype": "link", "link": {"title": "t", "text": "x", "messageUrl": "https://x"}},
        {"msgtype": "actionCard", "actionCard": {"title": "t", "text": "x", "singleTitle": "a", "singleURL": "u"}},
        {
            "msgtype": "actionCard",
            "actionCard": {"title": "t", "text": "x", "btns": [{"title": "a", "actionURL": "u"}]},
        },
        {"msgtype": "feedCard", "feedCard": {"links": [{"title": "t", "messageURL": "u", "picURL": "p"}]}},
        {"msgtype": "empty"},
    ):
        assert await wire.call("POST", path, body) == (200, {"errcode": 0, "errmsg": "ok"})
    items = wire.engine.items(WAREHOUSE, "keeper01", after=1)
    assert [item["msgtype"] for item in items] == ["text", "markdown", "link", "actionCard", "actionCard", "markdown"]
    assert items[0]["atUserIds"] == ["keeper01"]


async def test_it_costs_no_call_of_the_month_and_ends_after_90_minutes(wire, clock):
    path = await session_of(wire)
    clock.advance(minutes=89)
    assert (await wire.call("POST", path, TEXT))[1]["errcode"] == 0
    clock.advance(minutes=1)
    status, answer = await wire.call("POST", path, TEXT)
    assert (status, answer["errcode"], answer["errmsg"]) == (200, 300001, "session 不存在")
    assert wire.engine.flow.used == 0


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({}, 40035),
        ({"msgtype": "text"}, 40035),
        ({"msgtype": "text", "text": {"content": ""}}, 40035),
        ({"msgtype": "markdown", "markdown": {"text": "no title"}}, 40035),
        ({"msgtype": "interactiveCard", "interactiveCard": {}}, 400105),
        ({**TEXT, "at": {"atUserIds": ["x"] * 51}}, 40035),
        ({"msgtype": "text", "text": {"content": "x" * 20_001}}, 460101),
    ],
    ids=["empty", "no text", "empty text", "no title", "card", "too many", "too long"],
)
async def test_bad_bodies(wire, body, errcode):
    status, answer = await wire.call("POST", await session_of(wire), body)
    assert (status, answer["errcode"]) == (200, errcode)


async def test_the_content_type_matters(wire):
    path = await session_of(wire)
    assert (await wire.call("POST", path, data="x"))[1]["errcode"] == 43004


async def robot(wire, body=TEXT, **query):
    params = {"access_token": "demo-warehouse-robot", **query}
    return (await wire.call("POST", "/robot/send", body, params=params))[1]["errcode"]


async def test_twenty_a_minute_then_mute_for_ten(wire, clock):
    assert [await robot(wire) for _ in range(20)] == [0] * 20
    assert await robot(wire) == 130101
    clock.advance(minutes=9, seconds=59)
    assert await robot(wire) == 130101
    clock.advance(seconds=1)
    assert await robot(wire) == 0
    assert len(wire.engine.items(WAREHOUSE)) == 21


async def test_a_minute_later_there_is_room_again(wire, clock):
    for _ in range(20):
        await robot(wire)
    clock.advance(seconds=60)
    assert await robot(wire) == 0


async def test_a_repeated_uuid_is_shown_once(wire):
    assert [await robot(wire, {**TEXT, "msgUuid": "u1"}) for _ in range(2)] == [0, 0]
    assert len(wire.engine.items(WAREHOUSE)) == 1


async def test_unknown_robots(wire):
    assert await robot(wire, access_token="x") == 300005


def test_the_signature_is_dingtalks():
    assert sign("SEC0123456789abcdef", "1700000000000") == "TSZbRFUuvaSQaRKUpF970OPCb2/LcQAP3wOvwZIzBZk="


async def test_signed_robots(wire, clock):
    now = str(int(clock().timestamp() * 1000))
    token = {"access_token": "demo-purchase-robot"}
    assert await robot(wire, **token) == 310000
    assert await robot(wire, **token, timestamp=now, sign="x") == 310000
    assert await robot(wire, **token, timestamp=now, sign=sign(SECRET, now)) == 0
    assert len(wire.engine.items(PURCHASING)) == 1
    clock.advance(hours=1, seconds=1)
    assert await robot(wire, **token, timestamp=now, sign=sign(SECRET, now)) == 310000
