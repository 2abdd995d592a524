"""The control API: what the chat page and outside tests use."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import orjson
import pytest

from bot.chat.registry import Commands
from bot.kit.demo import suggested_commands
from bot.kit.simulator.config import SuggestedCommand
from tests.simulator.bare_client import CARDS, MESSAGES, PURCHASING, WAREHOUSE


async def say(wire, text="hello", sender="keeper01", conversation=WAREHOUSE, **more):
    body = {"conversationId": conversation, "senderId": sender, "text": text, **more}
    return await wire.call("POST", "/sim/messages", body)


async def read(wire, viewer="keeper01", after=0, conversation=WAREHOUSE):
    query = {"conversation": conversation, "viewer": viewer, "after": str(after)}
    return (await wire.call("GET", "/sim/messages", params=query))[1]["items"]


async def test_the_commands_that_the_page_offers_are_told_by_whoever_starts_it(start):
    offered = SuggestedCommand(name="forecast", chinese="销量预测", english="Sales forecast")
    async with start(commands=(offered,)) as wire:
        _, state = await wire.call("GET", "/sim/state")
    assert state["commands"] == [{"name": "forecast", "label": {"zh": "销量预测", "en": "Sales forecast"}}]


def test_those_of_the_demo_are_all_commands_that_the_bot_has():
    offered = {command.name: command for command in suggested_commands()}
    assert {*offered} == {*Commands.discover()}
    assert all(command.english.isascii() and not command.chinese.isascii() for command in offered.values())


async def test_state(wire):
    state = (await wire.call("GET", "/sim/state"))[1]
    keys = {"robotCode": "dingdemoappkey", "clientId": "dingdemoappkey"}
    assert state["robot"] == {"name": "ERP 助手", **keys, "homePage": ""}
    assert state["connections"] == 0
    assert state["quota"] == {"used": 0, "limit": 5_000, "uses": 0, "usesLimit": 3_000, "month": "2026-11"}
    people = {person["userId"]: person for person in state["people"]}
    assert len(people) == 15
    assert people["keeper01"]["roles"] == ["warehouse"]
    assert people["sales_en"]["language"] == "en"
    assert people["ext_carrier"]["external"] is True
    assert "approver" in people["buymanager01"]["roles"]
    groups = [chat for chat in state["conversations"] if chat["kind"] == "group"]
    assert [(chat["id"], chat["title"]) for chat in groups] == [
        (WAREHOUSE, "仓库与销售群"),
        (PURCHASING, "采购与财务群"),
        ("cidRn5Vw/2c+Customers03Cc==", "客户项目群"),
    ]
    assert ["ext_carrier" in group["members"] for group in groups] == [True, False, True]
    direct = [chat["members"] for chat in state["conversations"] if chat["kind"] == "direct"]
    assert len(direct) == 14
    assert ["ext_carrier"] not in direct


async def test_messages_are_shown_to_members(wire):
    status, answer = await say(wire, "/stock SKU123", atUserIds=["sales01"])
    assert status == 200
    [item] = await read(wire)
    assert item["seq"] == answer["seq"]
    assert item["msgId"] == answer["msgId"]
    assert (item["text"], item["fromBot"], item["atUserIds"]) == ("@ERP 助手 /stock SKU123", False, ["sales01"])
    assert item["sender"] == {"userId": "keeper01", "name": "王仓"}
    assert await read(wire, "buyer01") == []
    assert await read(wire, after=answer["seq"]) == []


async def test_the_mention_in_the_text_is_taken_out_for_the_bot(wire):
    async with wire.stream() as stream:
        await say(wire, "@ERP 助手 /stock SKU123")
        await say(wire, "/stock @ERP 助手 SKU123")
        texts = [frame["decoded"]["text"]["content"] for frame in await stream.take(MESSAGES, 2)]
    assert texts == [" /stock SKU123", "/stock  SKU123"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"senderId": "keeper01"}, 400),
        ({"conversationId": "cidNone", "senderId": "keeper01"}, 404),
        ({"conversationId": WAREHOUSE, "senderId": "nobody"}, 404),
        ({"conversationId": WAREHOUSE, "senderId": "buyer01"}, 400),
        ({"conversationId": WAREHOUSE, "senderId": "keeper01", "atUserIds": ["nobody"]}, 404),
        ({"conversationId": WAREHOUSE, "senderId": "keeper01", "raw": []}, 200),
        ({"conversationId": WAREHOUSE, "senderId": "keeper01", "raw": [1]}, 400),
    ],
    ids=str,
)
async def test_bad_messages(wire, body, status):
    got, answer = await wire.call("POST", "/sim/messages", body)
    assert got == status
    assert ("error" in answer) == (status != 200)


async def test_broken_json(wire):
    assert (await wire.call("POST", "/sim/messages", data="{"))[0] == 400
    assert (await wire.call("POST", "/sim/messages", []))[0] == 400


async def test_other_types(wire):
    rich = {"richText": [{"text": "看这个"}, {"type": "picture", "downloadCode": "x"}]}
    async with wire.stream() as stream:
        await say(wire, "", msgtype="richText", content=rich)
        await say(
            wire, "", "keeper01", wire.engine.direct("keeper01").id, msgtype="audio", content={"recognition": "查库存"}
        )
        first, second = await stream.take(MESSAGES, 2)
    assert first["decoded"]["content"] == rich
    assert second["decoded"]["content"]["recognition"] == "查库存"
    assert (await read(wire))[0]["text"] == "看这个"


async def test_clicks_over_http(wire):
    await wire.card()
    body = {"outTrackId": "card-1", "conversationId": WAREHOUSE, "userId": "keeper01", "buttonId": "yes"}
    async with wire.stream() as stream:
        status, answer = await wire.call("POST", "/sim/clicks", body)
        assert (status, answer["ok"], answer["toast"]) == (200, True, None)
        assert "elapsedMs" in answer
        forged = {**body, "buttonId": None, "params": {"id": "po.approve|PO-1001"}}
        assert (await wire.call("POST", "/sim/clicks", forged))[1]["ok"]
        frame = (await stream.take(CARDS, 2))[1]
    content = orjson.loads(frame["decoded"]["content"])["cardPrivateData"]
    assert content == {"actionIds": ["po.approve|PO-1001"], "params": {"id": "po.approve|PO-1001"}}
    link = {**body, "buttonId": "打开"}
    assert (await wire.call("POST", "/sim/clicks", link))[0] == 400


async def test_timeline_and_calls(wire):
    async with wire.stream():
        await say(wire)
        await wire.engine.wait_for(lambda: not wire.engine.pushes.in_flight)
    await wire.card()
    items = (await wire.call("GET", "/sim/timeline"))[1]["items"]
    kinds = [item["direction"] for item in items]
    assert kinds.index("push") < kinds.index("ack") < len(kinds) - 1 - kinds[::-1].index("call")
    last = (await wire.call("GET", "/sim/timeline", params={"after": items[-2]["seq"], "limit": "5"}))[1]["items"]
    assert [item["seq"] for item in last] == [items[-1]["seq"]]
    assert last[0]["name"] == "POST /v1.0/card/instances/createAndDeliver"
    calls = (await wire.call("GET", "/sim/calls"))[1]
    assert calls["total"] == 3
    assert calls["billed"] == 1


async def test_raw_text_can_be_pushed(wire):
    async with wire.stream() as stream:
        pushed = await wire.call(
            "POST", "/sim/push", {"raw": '{"headers":{"topic":"odd"},"type":"SYSTEM","data":"{}"}'}
        )
        assert pushed == (200, {"messageId": None})
        await stream.take("odd")
    await wire.engine.wait_for(lambda: not wire.engine.pushes.connections)
    assert (await wire.call("POST", "/sim/push", {"topic": "x"}))[0] == 404


@pytest.mark.parametrize("how", ["reset", "close"])
async def test_connections_can_be_dropped(wire, how):
    async with wire.stream() as stream:
        assert (await wire.call("POST", "/sim/connections/drop", {"how": how}))[1] == {"dropped": 1}
        await stream.end()
        await wire.engine.wait_for(lambda: not wire.engine.pushes.connections)
    assert stream.socket.close_code == (1000 if how == "close" else 1006)


async def test_reset_goes_back_to_the_start_and_keeps_connections(wire):
    async with wire.stream() as stream:
        seq = (await say(wire))[1]["seq"]
        await wire.card()
        wire.engine.faults.set("waf", on=True)
        await wire.call("POST", "/sim/reset", {})
        state = (await wire.call("GET", "/sim/state"))[1]
        assert (state["connections"], state["quota"]["used"], state["faults"]["waf"]["on"]) == (1, 0, False)
        assert await read(wire) == []
        assert (await wire.call("GET", "/sim/calls"))[1]["total"] == 0
        assert (await say(wire))[1]["seq"] > seq
        await stream.take(MESSAGES, 2)
    assert (await wire.card())[0] == 200


@asynccontextmanager
async def watching(wire, viewer):
    """Yield a function that waits for the next event of a kind."""
    async with wire.session.get(f"{wire.url}/sim/live", params={"viewer": viewer}) as response:
        assert response.content_type == "text/event-stream"
        await response.content.readuntil(b"\n\n")

        async def following(kind):
            async with asyncio.timeout(60):
                while True:
                    block = (await response.content.readuntil(b"\n\n")).decode()
                    name, _, data = block.partition("\n")
                    if name == f"event: {kind}":
                        return orjson.loads(data.strip().removeprefix("data: "))

        yield following


async def test_viewers_see_live_what_concerns_them(wire):
    async with watching(wire, "keeper01") as following:
        await say(wire, "in the other group", "buyer01", PURCHASING)
        await say(wire, "here")
        assert (await following("message"))["text"] == "@ERP 助手 here"
        await wire.card()
        assert (await following("timeline"))["direction"] in ("note", "call")
        assert (await following("quota"))["used"] == 1
        assert (await following("card"))["card"]["title"] == "库存"
        update = {"outTrackId": "card-1", "cardData": {"cardParamMap": {"title": "neu"}}}
        await wire.api("PUT", "/v1.0/card/instances", update)
        assert (await following("card"))["card"]["title"] == "neu"
        async with wire.stream():
            assert await following("connections") == 1
        await wire.call("PUT", "/sim/faults", {"waf": {"on": True}})
        assert (await following("faults"))["waf"]["on"] is True
        await wire.call("POST", "/sim/reset", {})
        assert await following("reset") == {}


async def test_a_viewer_who_leaves_is_forgotten(wire):
    async with watching(wire, "keeper01"):
        assert len(wire.engine.live.viewers) == 1
    async with asyncio.timeout(60):
        while wire.engine.live.viewers:
            wire.engine.say(WAREHOUSE, "keeper01", "x")
            await wire.call("GET", "/sim/state")


async def test_the_page_and_nothing_outside_its_folder(wire):
    async with wire.session.get(f"{wire.url}/") as response:
        assert response.status == 200
        assert response.content_type == "text/html"
    async with wire.session.get(f"{wire.url}/static/%2e%2e/engine.py") as response:
        assert response.status == 404
