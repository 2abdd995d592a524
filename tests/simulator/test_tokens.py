"""App tokens, their errors, flow control, envelopes.

Docs: platform/dingtalk/openapi.md, platform/dingtalk/limits.md
"""

from __future__ import annotations

import pytest

from tests.simulator.bare_client import APP, PURCHASING, WAREHOUSE, card_body

SEND = "/v1.0/robot/groupMessages/send"
TEXT = {
    "robotCode": "dingdemoappkey",
    "openConversationId": WAREHOUSE,
    "msgKey": "sampleText",
    "msgParam": '{"content":"hi"}',
}


async def test_the_token_stays_the_same_while_it_is_valid_and_is_extended(wire, clock):
    first = (await wire.call("POST", "/v1.0/oauth2/accessToken", APP))[1]
    clock.advance(seconds=7000)
    second = (await wire.call("POST", "/v1.0/oauth2/accessToken", APP))[1]
    clock.advance(seconds=7000)
    assert first == second
    assert first["expireIn"] == 7200
    assert wire.engine.credentials.is_valid_token(first["accessToken"])
    clock.advance(seconds=201)
    assert not wire.engine.credentials.is_valid_token(first["accessToken"])
    third = (await wire.call("POST", "/v1.0/oauth2/accessToken", APP))[1]
    assert third["accessToken"] != first["accessToken"]


async def test_wrong_credentials(wire):
    status, answer = await wire.call("POST", "/v1.0/oauth2/accessToken", {**APP, "appSecret": "x"})
    assert (status, answer["code"]) == (400, "invalidClientIdOrSecret")


async def test_a_form_is_no_body(wire):
    status, answer = await wire.call("POST", "/v1.0/oauth2/accessToken", data=APP)
    assert (status, answer["code"]) == (400, "MissingBody")


async def test_all_three_forms_give_the_same_token(wire):
    new = (await wire.call("POST", "/v1.0/oauth2/accessToken", APP))[1]["accessToken"]
    body = {"client_id": APP["appKey"], "client_secret": APP["appSecret"], "grant_type": "client_credentials"}
    corp = (await wire.call("POST", "/v1.0/oauth2/dingdemocorp/token", body))[1]
    old = (await wire.call("GET", "/gettoken", params={"appkey": APP["appKey"], "appsecret": APP["appSecret"]}))[1]
    assert new == corp["access_token"] == old["access_token"]
    assert old["errcode"] == 0


@pytest.mark.parametrize(
    ("change", "path", "status", "code"),
    [
        ({"grant_type": "password"}, "dingdemocorp", 400, "unsupported.grant.type"),
        ({"client_secret": "x"}, "dingdemocorp", 400, "invalid.client"),
    ],
)
async def test_errors_of_the_corp_form(wire, change, path, status, code):
    body = {"client_id": APP["appKey"], "client_secret": APP["appSecret"], "grant_type": "client_credentials"}
    got, answer = await wire.call("POST", f"/v1.0/oauth2/{path}/token", {**body, **change})
    assert (got, answer["code"]) == (status, code)


async def test_a_bad_token_on_both_hosts(wire):
    status, answer = await wire.call("POST", SEND, TEXT, headers={"x-acs-dingtalk-access-token": "nope"})
    assert (status, answer["code"]) == (400, "InvalidAuthentication")
    assert "requestid" in answer
    assert "request_id" not in answer
    status, answer = await wire.call("POST", "/topapi/v2/user/get", {"userid": "x"}, params={"access_token": "nope"})
    assert (status, answer["errcode"]) == (200, 88)
    assert "request_id" in answer


async def test_an_administrator_can_expire_all_tokens(wire):
    await wire.token()
    await wire.call("POST", "/sim/tokens/expire", {})
    status, answer = await wire.api("POST", SEND, TEXT)
    assert (status, answer["code"]) == (400, "InvalidAuthentication")


async def test_qps_is_counted_for_each_api_and_second(start, clock):
    async with start(qps_limit=2) as wire:
        answers = [await wire.api("POST", SEND, TEXT) for _ in range(3)]
        assert [status for status, _ in answers] == [200, 200, 403]
        assert answers[2][1]["code"] == "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"
        assert (await wire.card())[0] == 200
        assert [(await wire.oapi("/topapi/role/list"))["errcode"] for _ in range(3)] == [0, 0, 90018]
        clock.advance(seconds=1)
        assert (await wire.api("POST", SEND, TEXT))[0] == 200


async def test_the_month_is_counted_and_contacts_are_free(start, clock):
    async with start(quota_limit=2) as wire:
        assert (await wire.card("a"))[0] == 200
        assert (await wire.oapi("/topapi/v2/user/get", {"userid": "keeper01"}))["errcode"] == 0
        assert (await wire.api("POST", SEND, TEXT))[0] == 200
        status, answer = await wire.card("b")
        assert (status, answer["code"]) == (403, "Forbidden.AccessDenied.ApiCountLimitForOrg")
        calls = (await wire.call("GET", "/sim/calls"))[1]
        assert calls["billed"] == 2
        assert calls["calls"]["POST /v1.0/card/instances/createAndDeliver"] == 2
        clock.advance(days=7)
        assert (await wire.call("GET", "/sim/state"))[1]["quota"] == {
            "used": 0,
            "limit": 2,
            "uses": 0,
            "usesLimit": 3_000,
            "month": "2026-12",
        }


async def test_the_meter_can_be_set(wire):
    assert (await wire.call("PUT", "/sim/quota", {"used": 9999, "limit": 10_000}))[1]["used"] == 9999
    assert (await wire.card("a"))[0] == 200
    assert (await wire.card("b"))[0] == 403
    await wire.call("PUT", "/sim/quota", {"limit": None})
    assert (await wire.card("c"))[0] == 200


async def test_unknown_paths_answer_in_the_manner_of_their_host(wire):
    status, answer = await wire.call("POST", "/v1.0/robot/otoMessages/batchSend", {})
    assert (status, answer["code"]) == (404, "InvalidAction.NotFound")
    status, answer = await wire.call("POST", "/topapi/nothing", {})
    assert (status, answer["errcode"]) == (200, 22)


async def test_the_old_card_api_is_refused_to_new_apps(wire):
    status, answer = await wire.api("POST", "/v1.0/im/v1.0/robot/interactiveCards/send", {})
    assert status == 403
    assert answer["accessdenieddetail"]["requiredScopes"]


async def test_secrets_are_shortened_on_the_timeline(wire):
    token = await wire.token()
    await wire.ticket()
    wire.engine.say(PURCHASING, "buyer01", "/po")
    await wire.api("POST", "/v1.0/card/instances/createAndDeliver", card_body())
    text = str((await wire.call("GET", "/sim/timeline"))[1])
    assert token[:4] in text
    assert token not in text
    assert APP["appSecret"] not in text
    assert "session=" not in text


async def test_messages_events_clicks_and_session_webhooks_are_uses(start):
    async with start(uses_limit=4) as wire:
        flow = wire.engine.flow
        wire.engine.say(WAREHOUSE, "keeper01", "/stock SKU123")
        wire.engine.emit_event("user_leave_org", {})
        assert flow.uses == 1
        wire.engine.emit_event("bpms_task_change", {})
        session, _ = wire.engine.credentials.sessions.issue(WAREHOUSE)
        body = {"msgtype": "text", "text": {"content": "x"}}
        assert (await wire.oapi(f"/robot/sendBySession?session={session}", body))["errcode"] == 0
        assert (flow.uses, flow.used) == (3, 0)
        state = (await wire.call("PUT", "/sim/quota", {"uses": 4}))[1]
        assert (state["uses"], state["usesLimit"]) == (4, 4)
        # Beyond the quota nothing is refused: the content is missing.
        wire.engine.say(WAREHOUSE, "keeper01", "/stock SKU123")
        assert "20001" in str(wire.engine.timeline.after(0)[-1].render())
        assert flow.uses == 5
