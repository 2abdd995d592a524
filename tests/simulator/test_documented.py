"""Details of the platform that differ from what one would expect (docs: platform/dingtalk/unknowns.md)."""

from __future__ import annotations

import pytest

from tests.rows import each_row

APP = {"appkey": "dingdemoappkey", "appsecret": "dingdemosecret"}
ROBOT = {"robotCode": "dingdemoappkey"}
DOWNLOAD, DING = "/v1.0/robot/messageFiles/download", "/v1.0/robot/ding/send"
RECALL, TICKET = "/v1.0/robot/ding/recall", "/v1.0/oauth2/jsapiTickets"
SOMEBODY = "/v1.0/contact/users/nobody"
LIST = "/v1.0/workflow/processes/instanceIds/query"
SEND, USER = "/v1.0/robot/groupMessages/send", "/topapi/v2/user/get"
CORP = {"client_id": APP["appkey"], "client_secret": APP["appsecret"], "grant_type": "client_credentials"}
KEPT = "x-acs-dingtalk-access-token"
DAY = 86_400_000


@each_row(
    "method, path, options, status, answer",
    [
        ("GET", "/gettoken", {"params": {**APP, "appsecret": "x"}}, 200, {"errcode": 40096}),
        ("GET", "/gettoken", {}, 200, {"errcode": 40035}),
        ("POST", SEND, {}, 400, {"code": "AuthenticationFailed.MissingParameter"}),
        ("POST", SEND, {"headers": {KEPT: ""}}, 400, {"code": "AuthenticationFailed.MissingParameter"}),
        (
            "POST",
            SEND,
            {"headers": {"Authorization": "Bearer x"}},
            400,
            {"code": "AuthenticationFailed.MissingParameter"},
        ),
        ("POST", SEND, {"headers": {KEPT: "wrong"}}, 400, {"code": "InvalidAuthentication"}),
        ("POST", USER, {"params": {"access_token": "wrong"}}, 200, {"errcode": 88, "sub_code": "40014"}),
        ("POST", USER, {"params": {"access_token": ""}}, 200, {"errcode": 88, "sub_code": "40000"}),
        ("POST", USER, {}, 200, {"errcode": 88, "sub_code": "40000"}),
        ("POST", TICKET, {}, 400, {"code": "AuthenticationFailed.MissingParameter"}),
        ("POST", TICKET, {"headers": {KEPT: "wrong"}}, 400, {"code": "InvalidAuthentication"}),
        ("GET", SOMEBODY, {}, 400, {"code": "AuthenticationFailed.MissingParameter"}),
        ("GET", SOMEBODY, {"headers": {KEPT: "wrong"}}, 400, {"code": "InvalidAuthentication"}),
        ("POST", RECALL, {"headers": {KEPT: "wrong"}}, 400, {"code": "InvalidAuthentication"}),
        ("POST", "/topapi/nothing", {}, 200, {"errcode": 22, "sub_msg": "不合法ApiName"}),
        ("POST", "/robot/send", {"params": {"access_token": "wrong"}}, 200, {"errcode": 300005}),
        ("POST", "/v1.0/oauth2/othercorp/token", {"body": CORP}, 500, {"code": "unknownError"}),
        (
            "POST",
            "/v1.0/oauth2/accessToken",
            {"body": {"appKey": "x", "appSecret": "y"}},
            400,
            {"code": "invalidClientIdOrSecret"},
        ),
    ],
)
async def test_wrong_credentials(wire, method, path, options, status, answer):
    got, told = await wire.call(method, path, **options)
    assert (got, {key: told.get(key) for key in answer}) == (status, answer)


def ding(**changes):
    return {**ROBOT, "remindType": 1, "receiverUserIdList": ["keeper01"], "content": "缺货", **changes}


def streamed(**changes):
    return {"outTrackId": "none", "guid": "g", "key": "msgContent", "content": "x", "isFull": True, **changes}


def listed(wire, begin=1, end=None, **changes):
    now = wire.engine.milliseconds()
    ends = {} if end is None else {"endTime": now - end * DAY}
    return {"processCode": "PROC-DEMO-PURCHASE", "startTime": now - begin * DAY, **ends, **changes}


@each_row(
    "method, path, body, code",
    [
        ("POST", DING, ding(receiverUserIdList=["keeper01"] * 201), "ding.receivercount.limit"),
        ("POST", DING, ding(receiverUserIdList=["keeper01"] * 21, remindType=2), "ding.receivercount.limit"),
        ("POST", DING, ding(receiverUserIdList=["keeper01"] * 21, remindType=3), "ding.receivercount.limit"),
        ("POST", DING, ding(receiverUserIdList=[]), "miss.staffId"),
        ("POST", DING, ding(remindType=4), "invalidParameter.param.invalid"),
        ("POST", RECALL, {**ROBOT}, "invalidParameter.param.invalid"),
        ("POST", RECALL, {**ROBOT, "openDingId": "ding0"}, "invalidParameter.param.invalid"),
        ("POST", RECALL, {"robotCode": "other", "openDingId": "ding0"}, "invalidParameter.robotCode.notExsit"),
        ("POST", DOWNLOAD, {**ROBOT, "downloadCode": "old"}, "invalidParameter.robotCode.downloadCode"),
        ("POST", DOWNLOAD, {"robotCode": "other", "downloadCode": "old"}, "invalidParameter.robotCode.auth"),
        ("POST", DOWNLOAD, {"robotCode": "", "downloadCode": "old"}, "invalidParameter.robotCode.empty"),
        ("POST", DOWNLOAD, {**ROBOT, "downloadCode": ""}, "invalidParameter.robotCode.empty"),
        ("PUT", "/v1.0/card/streaming", streamed(), "param.stream.outTrackId"),
        ("PUT", "/v1.0/card/streaming", streamed(content="x" * 3_073), "param.stream.content"),
        ("POST", LIST, {"maxResults": 21}, "invalidMaxResults"),
        ("POST", LIST, {"userIds": ["u"] * 11}, "param.invalid"),
        ("POST", LIST, {"begin": 121}, "invalidEndTime"),
        ("POST", LIST, {"begin": 200, "end": 79}, "invalidEndTime"),
        ("POST", LIST, {"begin": 366, "end": 300}, "invalidEndTime"),
        ("POST", LIST, {"begin": 360, "end": 300}, ""),
        ("POST", LIST, {"begin": 119}, ""),
        ("POST", DING, ding(receiverUserIdList=["keeper01"] * 200), ""),
        ("POST", DING, ding(receiverUserIdList=["keeper01"] * 20, remindType=3), ""),
    ],
)
async def test_refusals_have_their_documented_codes(wire, method, path, body, code):
    status, answer = await wire.api(method, path, listed(wire, **body) if path == LIST else body)
    assert (status, answer.get("code", "")) == (400 if code else 200, code)


async def test_a_ding_names_people_by_the_reason(wire):
    answer = (await wire.api("POST", DING, ding(receiverUserIdList=["keeper01", "nobody", "noone"])))[1]
    assert list(answer["failedList"].values()) == [["nobody", "noone"]]


async def test_a_ding_is_taken_back_from_everybody(wire):
    people = ["keeper01", "it01"]
    sent = (await wire.api("POST", DING, ding(receiverUserIdList=people)))[1]["openDingId"]
    chats = [wire.engine.direct(user_id).items[-1] for user_id in people]
    assert [item.recalled for item in chats] == [False, False]
    assert await wire.api("POST", RECALL, {**ROBOT, "openDingId": sent}) == (200, {"openDingId": sent})
    assert [item.recalled for item in chats] == [True, True]


async def test_a_ticket_is_extended_up_to_a_day(wire, clock):
    async def ticket():
        key = {"appKey": APP["appkey"], "appSecret": APP["appsecret"]}
        token = (await wire.call("POST", "/v1.0/oauth2/accessToken", key))[1]["accessToken"]
        status, answer = await wire.call("POST", TICKET, headers={KEPT: token})
        assert (status, answer["expireIn"]) == (200, 7200)
        return answer["jsapiTicket"]

    first = await ticket()
    for _ in range(15):
        clock.advance(minutes=95)
        assert await ticket() == first
    clock.advance(minutes=16)
    second = await ticket()
    assert second != first, "a day after its birth"
    clock.advance(hours=2)
    assert await ticket() != second


@each_row(
    "path, body, scope",
    [
        (DING, {}, "Premium.Ding.Write"),
        (RECALL, {}, "Premium.Ding.Write"),
        (TICKET, {}, "qyapi_base"),
        (SEND, {}, "qyapi_robot_sendmsg"),
        ("/v1.0/workflow/processInstances", {}, "Workflow.Instance.Write"),
        ("/v1.0/workflow/tasks/redirect", {}, "Workflow.Instance.Write"),
        (LIST, {}, "Workflow.Instance.Read"),
    ],
)
async def test_permission_points_have_their_documented_names(wire, path, body, scope):
    await wire.call("PUT", "/sim/faults", {"scope_denied": {"on": True}})
    status, answer = await wire.api("POST", path, body)
    assert (status, answer["accessdenieddetail"]) == (403, {"requiredScopes": [scope]})


async def test_the_permission_to_read_an_approval(wire):
    await wire.call("PUT", "/sim/faults", {"scope_denied": {"on": True}})
    answer = (await wire.api("GET", "/v1.0/workflow/processInstances"))[1]
    assert answer["accessdenieddetail"] == {"requiredScopes": ["Workflow.Instance.Read"]}


@pytest.mark.parametrize(
    ("people", "executors"), [(1, 101), (0, 1)], ids=["too many people", "somebody who has no part in it"]
)
async def test_who_did_their_part_of_a_to_do_is_refused_in_one_code(wire, people, executors):
    path = "/v1.0/todo/users/" + wire.engine.person("boss01").union_id.replace("/", "%2F") + "/tasks"
    unions = [wire.engine.person("boss01").union_id]
    urls = {"appUrl": "https://example.com", "pcUrl": "https://example.com"}
    todo = {"subject": "PO-1", "executorIds": unions, "participantIds": unions, "detailUrl": urls}
    created = (await wire.api("POST", path, todo))[1]
    states = [{"id": unions[0] if people else "x", "isDone": True}] * executors
    for task in (created["id"], "unknown"):
        status, answer = await wire.api("PUT", f"{path}/{task}/executorStatus", {"executorStatusList": states})
        assert (status, answer["code"]) == (400, "todo.taskExecutorStatusUpdate.paramError")


async def test_events_of_people_have_the_shape_of_an_internal_app(wire):
    subscriptions = [{"type": "EVENT", "topic": "*"}]
    async with wire.stream(subscriptions=subscriptions) as stream:
        await wire.call("POST", "/sim/people", {"userId": "sales01", "roles": ["sales", "approver"]})
        await wire.call("POST", "/sim/people", {"userId": "sales01", "left": True})
        given, left = await stream.take("*", 2)
    assert given["decoded"]["userIdList"] == ["sales01"]
    assert given["decoded"]["action"] == "add"
    assert given["decoded"]["labelIdList"] == [wire.engine.enterprise.role_id("approver")]
    assert left["decoded"]["userId"] == ["sales01"]
    assert left["decoded"]["timeStamp"].isdigit()
