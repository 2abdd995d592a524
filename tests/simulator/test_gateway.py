"""Opening, tickets, pings, acknowledgements, redelivery (docs: platform/dingtalk/stream.md)."""

from __future__ import annotations

import asyncio

import aiohttp
import orjson
import pytest

from tests.simulator.bare_client import MESSAGES, WAREHOUSE, accept


async def test_open_hands_out_an_endpoint_and_a_ticket(wire):
    ticket = await wire.ticket()
    assert ticket["endpoint"] == wire.url.replace("http", "ws") + "/connect"
    assert len(ticket["ticket"]) == 36


@pytest.mark.parametrize(
    "body", [{"clientSecret": "wrong"}, {"clientId": " dingdemoappkey"}, {"clientId": None}], ids=str
)
async def test_wrong_credentials_are_401(wire, body):
    status, text = await wire.open(body)
    answer = orjson.loads(text)
    assert (status, answer["code"], answer["message"]) == (401, "authFailed", "鉴权失败")
    assert answer["requestid"]


@pytest.mark.parametrize(
    "subscriptions",
    [None, {}, [{"type": "EVENT", "topic": "user_leave_org"}], [{"type": "NEWS", "topic": "*"}], ["CALLBACK"]],
    ids=str,
)
async def test_bad_subscriptions_are_400(wire, subscriptions):
    status, _ = await wire.open({"subscriptions": subscriptions})
    assert status == 400


async def test_without_json_in_accept_the_answer_is_xml(wire):
    status, text = await wire.open(accept="*/*")
    assert status == 200
    assert text.startswith("<?xml")
    assert "<ticket>" in text


async def test_a_ticket_works_once_and_for_90_seconds(wire, clock):
    used = await wire.ticket()
    await (await wire.session.ws_connect(used["endpoint"], params={"ticket": used["ticket"]})).close()
    old = await wire.ticket()
    clock.advance(seconds=90)
    for ticket in (used["ticket"], old["ticket"], "never-issued"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await wire.session.ws_connect(used["endpoint"], params={"ticket": ticket})
        assert caught.value.status == 401


async def test_a_frame_has_the_documented_shape(wire):
    async with wire.stream() as stream:
        message = wire.engine.say(WAREHOUSE, "keeper01", "/stock SKU123")
        [frame] = await stream.take(MESSAGES)
    assert (frame["specVersion"], frame["type"]) == ("1.0", "CALLBACK")
    assert frame["headers"]["contentType"] == "application/json"
    assert frame["headers"]["time"].isdigit()
    assert isinstance(frame["data"], str)
    data = frame["decoded"]
    assert data["text"] == {"content": " /stock SKU123"}
    assert (data["msgId"], data["conversationId"], data["conversationType"]) == (message.msg_id, WAREHOUSE, "2")
    assert (data["senderStaffId"], data["robotCode"], data["isInAtList"]) == ("keeper01", "dingdemoappkey", True)
    assert data["atUsers"] == [{"dingtalkId": data["chatbotUserId"]}]
    assert data["sessionWebhookExpiredTime"] == data["createAt"] + 90 * 60 * 1000


async def test_outsiders_have_no_staff_id(wire):
    async with wire.stream() as stream:
        wire.engine.say(WAREHOUSE, "ext_carrier", "/stock SKU123", at_user_ids=["keeper01", "ext_carrier"])
        [frame] = await stream.take(MESSAGES)
    data = frame["decoded"]
    assert {"senderStaffId", "senderCorpId", "senderUnionId"}.isdisjoint(data)
    assert [who.get("staffId") for who in data["atUsers"]] == [None, "keeper01", None]


async def test_direct_messages_come_without_group_fields(wire):
    chat = wire.engine.direct("sales_en").id
    async with wire.stream() as stream:
        wire.engine.say(chat, "sales_en", "/order SO-1001")
        [frame] = await stream.take(MESSAGES)
    data = frame["decoded"]
    assert data["text"]["content"] == "/order SO-1001"
    assert data["conversationType"] == "1"
    assert {"atUsers", "isInAtList", "conversationTitle"}.isdisjoint(data)


async def test_a_group_bot_gets_only_what_mentions_it_and_what_it_can_read(wire):
    async with wire.stream() as stream:
        wire.engine.say(WAREHOUSE, "keeper01", "good morning", at_bot=False)
        wire.engine.say(WAREHOUSE, "keeper01", msgtype="audio", content={"recognition": "hello", "duration": 900})
        wire.engine.say(WAREHOUSE, "keeper01", "last")
        [frame] = await stream.take(MESSAGES)
    assert frame["decoded"]["text"]["content"] == " last"


async def test_raw_keys_replace_and_remove(wire):
    async with wire.stream() as stream:
        wire.engine.say(WAREHOUSE, "keeper01", "x", raw={"msgtype": "unknownMsgType", "text": None, "extra": 1})
        [frame] = await stream.take(MESSAGES)
    assert "text" not in frame["decoded"]
    assert (frame["decoded"]["msgtype"], frame["decoded"]["extra"]) == ("unknownMsgType", 1)


async def test_messages_wait_while_nobody_is_connected(wire):
    first = wire.engine.say(WAREHOUSE, "keeper01", "one")
    second = wire.engine.say(WAREHOUSE, "keeper01", "two")
    async with wire.stream() as stream:
        frames = await stream.take(MESSAGES, 2)
    assert [frame["decoded"]["msgId"] for frame in frames] == [first.msg_id, second.msg_id]


async def test_dropped_while_offline_if_so_wished(wire):
    wire.engine.faults.set("drop_offline", on=True)
    wire.engine.say(WAREHOUSE, "keeper01", "lost")
    async with wire.stream() as stream:
        wire.engine.say(WAREHOUSE, "keeper01", "kept")
        [frame] = await stream.take(MESSAGES)
    assert frame["decoded"]["text"]["content"] == " kept"
    assert wire.engine.pushes.undelivered == 1


async def test_without_ack_a_message_comes_again_three_times(start):
    async with start(redelivery_delay=0.02) as wire, wire.stream(answer=None) as stream:
        wire.engine.say(WAREHOUSE, "keeper01", "hello")
        frames = await stream.take(MESSAGES, 4)
        await wire.engine.wait_for(lambda: wire.engine.pushes.undelivered)
        assert len(stream.about(MESSAGES)) == 4
    assert len({frame["decoded"]["msgId"] for frame in frames}) == 1
    assert len({frame["headers"]["messageId"] for frame in frames}) == 4


@pytest.mark.parametrize("code", [200, 400, 404])
async def test_an_acknowledged_message_waits_for_nothing_more(wire, code):
    async with wire.stream(answer=None) as stream:
        wire.engine.say(WAREHOUSE, "keeper01", "hello")
        [frame] = await stream.take(MESSAGES)
        assert wire.engine.pushes.in_flight == 1
        await stream.ack(frame, {"response": None}, code)
        await wire.engine.wait_for(lambda: not wire.engine.pushes.in_flight)


async def test_an_ack_of_500_is_no_ack_where_that_is_wanted(start):
    async with start(redelivery_delay=0.05, repeats_failed=True) as wire, wire.stream(answer=None) as stream:
        wire.engine.say(WAREHOUSE, "keeper01", "hello")
        [frame] = await stream.take(MESSAGES)
        await stream.ack(frame, {"response": None}, 500)
        again = (await stream.take(MESSAGES, 2))[1]
        await stream.ack(again, {"response": None})
        await wire.engine.wait_for(lambda: not wire.engine.pushes.in_flight)
    assert not wire.engine.pushes.undelivered


@pytest.mark.parametrize(
    "text", ["no json", "[]", '{"code":200}', '{"code":200,"headers":{"messageId":"MID"},"data":{"response":{}}}']
)
async def test_malformed_acks_stand_on_the_timeline_and_do_not_count(start, text):
    async with start(redelivery_delay=0.05) as wire, wire.stream(answer=None) as stream:
        wire.engine.say(WAREHOUSE, "keeper01", "hello")
        [frame] = await stream.take(MESSAGES)
        await stream.socket.send_str(text.replace("MID", frame["headers"]["messageId"]))
        await stream.take(MESSAGES, 2)
        assert any(entry.name == "malformed" for entry in wire.engine.timeline.after())


async def test_a_ping_must_be_echoed(start):
    async with start(ping_interval=0.2) as wire, wire.stream() as stream:
        pings = await stream.take("ping", 4)
        assert not stream.closed
        assert all(set(frame["decoded"]) == {"opaque"} for frame in pings)


@pytest.mark.parametrize("echo", [None, {"opaque": "something else"}], ids=["silent", "wrong"])
async def test_two_pings_without_echo_end_the_connection(start, echo):
    async with start(ping_interval=0.02) as wire, wire.stream(answer=lambda frame: echo) as stream:
        await stream.end()
        assert len(stream.about("ping")) == 2
        await wire.engine.wait_for(lambda: not wire.engine.pushes.connections)


async def test_a_disconnect_frame_ends_pushes_then_the_connection(start):
    async with start(hard_close=0.05) as wire, wire.stream() as old:
        await wire.call("POST", "/sim/connections/drop", {"how": "disconnect"})
        [frame] = await old.take("disconnect")
        assert frame["type"] == "SYSTEM"
        assert frame["decoded"]["reason"] in ("connection is expired", "persistent connection is timeout")
        async with wire.stream() as new:
            for _ in range(5):
                wire.engine.say(WAREHOUSE, "keeper01", "hello")
            await new.take(MESSAGES, 5)
            await old.end()
    assert not old.about(MESSAGES)


async def test_each_push_goes_to_one_of_several_connections(wire):
    async with wire.stream() as one, wire.stream() as two:
        await wire.engine.wait_for(lambda: len(wire.engine.pushes.connections) == 2)
        for _ in range(30):
            wire.engine.say(WAREHOUSE, "keeper01", "hello")
        await wire.engine.wait_for(lambda: not wire.engine.pushes.in_flight)
        assert len(one.about(MESSAGES)) + len(two.about(MESSAGES)) == 30
        assert one.about(MESSAGES)
        assert two.about(MESSAGES)


async def test_only_subscribed_topics_are_pushed(wire):
    async with wire.stream(subscriptions=[{"type": "EVENT", "topic": "*"}]) as stream:
        wire.engine.say(WAREHOUSE, "keeper01", "hello")
        wire.engine.emit_event("user_leave_org", {"userId": ["sales01"]})
        [frame] = await stream.take("*")
    assert not stream.about(MESSAGES)
    assert frame["headers"]["eventType"] == "user_leave_org"
    assert frame["headers"]["eventCorpId"] == "dingdemocorp"


async def test_an_event_answered_later_comes_again(start):
    async with start(redelivery_delay=0.02) as wire, wire.stream(answer=None) as stream:
        wire.engine.emit_event("label_conf_modify", {})
        frame = (await stream.take("*"))[0]
        await stream.ack(frame, {"status": "LATER", "message": ""})
        again = (await stream.take("*", 2))[1]
        assert again["headers"]["eventId"] == frame["headers"]["eventId"]
        await stream.ack(again, {"status": "SUCCESS", "message": ""})
        await wire.engine.wait_for(lambda: not wire.engine.pushes.in_flight)


async def test_websocket_pings_are_answered(wire):
    async with wire.stream(autoping=False) as stream:
        await stream.socket.ping(b"here?")
        async with asyncio.timeout(60), stream.arrived:
            await stream.arrived.wait_for(lambda: stream.pongs)


async def test_any_frame_can_be_pushed(wire):
    async with wire.stream(answer=accept) as stream:
        await wire.call("POST", "/sim/push", {"topic": "/v9/unknown", "data": {"a": 1}, "headers": {"x": "y"}})
        [frame] = await stream.take("/v9/unknown")
    assert (frame["decoded"], frame["headers"]["x"]) == ({"a": 1}, "y")
