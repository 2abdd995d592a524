"""Each switch does what its label says, and counts down."""

from __future__ import annotations

import asyncio

import aiohttp
import orjson
import pytest

from tests.simulator.bare_client import CARDS, MESSAGES, WAREHOUSE, accept, card_body

from .test_cards import CREATE, params

ALL = {
    *("disconnect", "reset", "half_open", "duplicate_push", "no_redelivery", "drop_offline", "quota_payload"),
    *("unpublished_bot", "slow_open", "open_401", "open_503", "open_close", "html_error", "waf", "slow_api"),
    *("api_reset", "lying_timeout", "qps_limit", "quota_exhausted", "scope_denied", "invalid_auth", "system_busy"),
    *("deliver_failed", "template_unpublished", "card_exists_error", "no_params_id", "no_action_ids", "slow_toast"),
    *("late_ack_applies", "session_expired", "refused"),
}


async def switch(wire, name, **settings):
    status, faults = await wire.call("PUT", "/sim/faults", {name: {"on": True, **settings}})
    assert status == 200
    return faults[name]


async def test_the_board(wire):
    faults = (await wire.call("GET", "/sim/faults"))[1]
    assert set(faults) == ALL
    for fault in faults.values():
        assert fault["on"] is False
        assert fault["rate"] == 1
        assert set(fault["label"]) == set(fault["help"]) == {"zh", "en"}


@pytest.mark.parametrize(
    "body",
    [
        {"nothing": {"on": True}},
        {"reset": {"on": 1}},
        {"reset": {"rate": 2}},
        {"reset": {"count": -1}},
        {"reset": {"colour": "red"}},
        {"reset": True},
    ],
    ids=str,
)
async def test_bad_settings_change_nothing(wire, body):
    assert (await wire.call("PUT", "/sim/faults", {"waf": {"on": True}, **body}))[0] == 400
    assert not wire.engine.faults.active


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("refused", 403, "Forbidden.AccessDenied.QpmLimitForAppkeyAndApi"),
        ("qps_limit", 403, "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"),
        ("quota_exhausted", 403, "Forbidden.AccessDenied.ApiCountLimitForOrg"),
        ("scope_denied", 403, "Forbidden.AccessDenied.AccessTokenPermissionDenied"),
        ("invalid_auth", 400, "InvalidAuthentication"),
        ("system_busy", 500, "system.busy"),
        ("template_unpublished", 400, "param.templateUnpublished"),
    ],
)
async def test_api_errors_strike_as_often_as_told(wire, name, status, code):
    await wire.token()
    await switch(wire, name, count=2)
    answers = [await wire.card(f"card-{number}") for number in range(3)]
    assert [(got, answer.get("code")) for got, answer in answers] == [(status, code)] * 2 + [(200, None)]
    assert (await wire.call("GET", "/sim/faults"))[1][name]["on"] is False
    assert len(wire.engine.cards) == 1


@pytest.mark.parametrize(
    ("name", "errcode"),
    [("qps_limit", 90018), ("scope_denied", 88), ("invalid_auth", 88), ("system_busy", -1)],
)
async def test_the_old_api_has_its_own_words(wire, name, errcode):
    await wire.token()
    await switch(wire, name)
    answer = await wire.oapi("/topapi/v2/user/get", {"userid": "keeper01"})
    assert answer["errcode"] == errcode
    assert answer.get("sub_code") == {"scope_denied": "60011", "invalid_auth": "40014"}.get(name)


async def test_the_missing_scope_is_named(wire):
    await switch(wire, "scope_denied")
    answer = (await wire.card())[1]
    assert answer["accessdenieddetail"] == {"requiredScopes": ["Card.Instance.Write"]}


async def test_a_fault_for_one_api_spares_the_others(wire):
    await switch(wire, "system_busy", api="PUT /v1.0/card")
    assert (await wire.card())[0] == 200
    update = {"outTrackId": "card-1", "cardData": params(tips="x")}
    assert (await wire.api("PUT", "/v1.0/card/instances", update))[0] == 500


async def test_who_waits_sees_a_switch_move(wire):
    waiting = asyncio.create_task(wire.engine.wait_for(lambda: "waf" in wire.engine.faults.active))
    await asyncio.sleep(0)
    wire.engine.faults.set("waf", on=True)
    assert await waiting


async def test_the_odds_are_those_asked_for(wire):
    wire.engine.faults.set("waf", on=True, rate=0.25)
    strikes = sum(wire.engine.faults.trigger("waf") is not None for _ in range(2000))
    assert 400 < strikes < 600


async def test_delivery_fails_under_http_200(wire):
    await switch(wire, "deliver_failed")
    status, answer = await wire.card()
    assert status == 200
    assert answer["result"]["deliverResults"][0]["success"] is False
    assert not wire.engine.items(WAREHOUSE)


async def test_html_and_waf_bodies(wire):
    await wire.token()
    await switch(wire, "html_error", count=1)
    headers = {"x-acs-dingtalk-access-token": await wire.token()}
    async with wire.session.post(wire.url + CREATE, json=card_body(), headers=headers) as response:
        assert (response.status, response.content_type) == (502, "text/html")
    await switch(wire, "waf", count=1)
    assert (await wire.card())[1]["status"] == 1111
    assert not wire.engine.items(WAREHOUSE)


async def test_a_reset_call_did_nothing(wire):
    await wire.token()
    await switch(wire, "api_reset", count=1)
    with pytest.raises(aiohttp.ClientError):
        await wire.card()
    assert not wire.engine.items(WAREHOUSE)


async def test_a_lying_timeout_did_everything(wire):
    await wire.token()
    await switch(wire, "lying_timeout", count=1, delayMs=20)
    with pytest.raises(aiohttp.ClientError):
        await wire.card()
    assert len(wire.engine.items(WAREHOUSE)) == 1
    assert (await wire.card())[0] == 200
    assert len(wire.engine.items(WAREHOUSE)) == 1


async def test_slow_answers(wire):
    await switch(wire, "slow_api", delayMs=60)
    await switch(wire, "slow_open", delayMs=60)
    loop = asyncio.get_running_loop()
    started = loop.time()
    await wire.token()
    between = loop.time()
    await wire.ticket()
    assert between - started >= 0.05
    assert loop.time() - between >= 0.05


@pytest.mark.parametrize(("name", "status"), [("open_401", 401), ("open_503", 503)])
async def test_opening_refused(wire, name, status):
    await switch(wire, name, count=1)
    assert (await wire.open())[0] == status
    assert (await wire.open())[0] == 200


async def test_connections_closed_right_away(wire):
    await switch(wire, "open_close")
    ticket = await wire.ticket()
    socket = await wire.session.ws_connect(ticket["endpoint"], params={"ticket": ticket["ticket"]})
    message = await socket.receive()
    assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
    await socket.close()
    assert not wire.engine.pushes.connections


async def test_a_reset_loses_the_frame_which_comes_again_elsewhere(start):
    async with start(redelivery_delay=0.05) as wire, wire.stream() as first:
        await switch(wire, "reset", count=1)
        message = wire.engine.say(WAREHOUSE, "keeper01", "hello")
        await first.end()
        assert not first.about(MESSAGES)
        async with wire.stream() as second:
            [frame] = await second.take(MESSAGES)
    assert frame["decoded"]["msgId"] == message.msg_id


async def test_a_half_open_connection_swallows_pushes_until_the_gateway_notices(start):
    async with start(redelivery_delay=0.02, ping_interval=0.03, redeliveries=500) as wire, wire.stream() as dead:
        await switch(wire, "half_open", count=1)
        message = wire.engine.say(WAREHOUSE, "keeper01", "hello")
        await wire.engine.wait_for(lambda: not wire.engine.pushes.connections)
        assert not dead.frames
        async with wire.stream() as alive:
            [frame] = await alive.take(MESSAGES)
    assert frame["decoded"]["msgId"] == message.msg_id


async def test_a_disconnect_frame_follows_a_push(start):
    async with start(hard_close=0.05) as wire, wire.stream() as stream:
        await switch(wire, "disconnect", count=1)
        wire.engine.say(WAREHOUSE, "keeper01", "hello")
        await stream.take("disconnect")
        await stream.end()
        assert len(stream.about(MESSAGES)) == 1


async def test_duplicates(wire):
    await switch(wire, "duplicate_push", count=1)
    async with wire.stream() as stream:
        wire.engine.say(WAREHOUSE, "keeper01", "hello")
        first, second = await stream.take(MESSAGES, 2)
    assert first["decoded"] == second["decoded"]
    assert first["headers"]["messageId"] != second["headers"]["messageId"]


async def test_without_redelivery_a_message_is_lost(start):
    async with start(redelivery_delay=0.02) as wire, wire.stream(answer=None) as stream:
        await switch(wire, "no_redelivery")
        wire.engine.say(WAREHOUSE, "keeper01", "hello")
        await wire.engine.wait_for(lambda: wire.engine.pushes.undelivered)
        assert len(stream.about(MESSAGES)) == 1


async def test_used_up_push_quota_and_unpublished_version(wire):
    await switch(wire, "quota_payload", count=1)
    await switch(wire, "unpublished_bot", count=2)
    async with wire.stream() as stream:
        wire.engine.say(WAREHOUSE, "keeper01", "one")
        wire.engine.say(WAREHOUSE, "keeper01", "two")
        first, second = (frame["decoded"] for frame in await stream.take(MESSAGES, 2))
    assert {"text", "content", "senderStaffId"}.isdisjoint(first)
    assert first["errorCode"] == 20001
    assert "senderStaffId" not in second
    assert second["text"]["content"] == " two"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("no_params_id", {"actionIds": ["yes"], "params": {}}),
        ("no_action_ids", {"actionIds": [], "params": {"id": "yes"}}),
    ],
)
async def test_callbacks_can_lack_either_id(wire, name, expected):
    await wire.card()
    await switch(wire, name)
    async with wire.stream() as stream:
        await wire.engine.click("card-1", "keeper01", "yes")
        [frame] = await stream.take(CARDS)
    assert orjson.loads(frame["decoded"]["content"])["cardPrivateData"] == expected


@pytest.mark.parametrize(("late_applies", "tips"), [(False, "刚刚"), (True, "late")])
async def test_an_answer_held_up_on_its_way(start, late_applies, tips):
    def answer(frame):
        late = {"cardUpdateOptions": {"updateCardDataByKey": True}, "cardData": params(tips="late")}
        return {"response": late} if frame["headers"]["topic"] == CARDS else accept(frame)

    async with start(click_timeout=0.03) as wire, wire.stream(answer):
        await wire.card()
        await switch(wire, "slow_toast", delayMs=60)
        await wire.call("PUT", "/sim/faults", {"late_ack_applies": {"on": late_applies}})
        result = await wire.engine.click("card-1", "keeper01", "yes")
        assert not result.ok
        assert result.toast
        notes = wire.engine.timeline
        await wire.engine.wait_for(lambda: any("given up" in entry.summary for entry in notes.after()))
        await wire.engine.pause(0)
        assert wire.engine.cards.get("card-1").view_for("keeper01").tips == tips


async def test_expired_sessions(wire):
    async with wire.stream() as stream:
        wire.engine.say(WAREHOUSE, "keeper01", "hello")
        [frame] = await stream.take(MESSAGES)
    await switch(wire, "session_expired", count=1)
    path = frame["decoded"]["sessionWebhook"].removeprefix(wire.url)
    body = {"msgtype": "text", "text": {"content": "x"}}
    assert [(await wire.call("POST", path, body))[1]["errcode"] for _ in range(2)] == [300001, 0]
