"""Proactive messages, recall, read status, files (docs: platform/dingtalk/robots.md, platform/dingtalk/files.md)."""

from __future__ import annotations

import aiohttp
import orjson
import pytest

from tests.simulator.bare_client import MESSAGES, WAREHOUSE

GROUP = "/v1.0/robot/groupMessages/send"
PEOPLE = "/v1.0/robot/oToMessages/batchSend"
ROBOT = {"robotCode": "dingdemoappkey"}


def group_body(key="sampleMarkdown", param=None, **changes):
    text = orjson.dumps(param or {"title": "库存", "text": "**12**"}).decode()
    return {**ROBOT, "openConversationId": WAREHOUSE, "msgKey": key, "msgParam": text, **changes}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, ""),
        ({"content": ""}, "invalidParameter.param.invalid"),
    ],
)
async def test_a_ding_calls_people(wire, changes, code):
    body = {
        "robotCode": "dingdemoappkey",
        "remindType": 1,
        "receiverUserIdList": ["keeper01", "nobody"],
        "content": "缺货",
        **changes,
    }
    status, answer = await wire.api("POST", "/v1.0/robot/ding/send", body)
    if code:
        assert (status, answer["code"]) == (400, code)
        return
    assert (status, answer["failedList"]) == (200, {"user not exist": ["nobody"]})
    [item] = wire.engine.items(wire.engine.direct("keeper01").id)
    assert (item["msgtype"], item["text"]) == ("ding", "缺货")


async def test_a_group_message(wire):
    status, answer = await wire.api("POST", GROUP, group_body())
    assert status == 200
    assert answer["processQueryKey"]
    [item] = wire.engine.items(WAREHOUSE, "keeper01")
    assert (item["msgtype"], item["title"], item["text"], item["fromBot"]) == ("markdown", "库存", "**12**", True)
    assert item["sender"] == {"userId": "", "name": "ERP 助手"}


@pytest.mark.parametrize(
    ("key", "param", "expected"),
    [
        ("sampleText", {"content": "hi"}, {"msgtype": "text", "text": "hi"}),
        ("sampleImageMsg", {"photoURL": "https://x/1.png"}, {"msgtype": "image", "pictureUrl": "https://x/1.png"}),
        (
            "sampleLink",
            {"title": "t", "text": "x", "messageUrl": "https://x", "picUrl": ""},
            {"msgtype": "link", "url": "https://x"},
        ),
        (
            "sampleActionCard",
            {"title": "t", "text": "x", "singleTitle": "go", "singleURL": "https://x"},
            {"msgtype": "actionCard", "buttons": [{"text": "go", "url": "https://x"}]},
        ),
        (
            "sampleActionCard2",
            {"title": "t", "text": "x", "actionTitle1": "a", "actionURL1": "u", "actionTitle2": "b", "actionURL2": "v"},
            {"buttons": [{"text": "a", "url": "u"}, {"text": "b", "url": "v"}]},
        ),
        (
            "sampleActionCard6",
            {"title": "t", "text": "x", "buttonTitle1": "a", "buttonUrl1": "u", "buttonTitle2": "b", "buttonUrl2": "v"},
            {"buttons": [{"text": "a", "url": "u"}, {"text": "b", "url": "v"}]},
        ),
        ("sampleFile", {"mediaId": "@x", "fileName": "po.xlsx", "fileType": "xlsx"}, {"fileName": "po.xlsx"}),
        ("sampleAudio", {"mediaId": "@x", "duration": "900"}, {"fileName": "audio.amr"}),
    ],
)
async def test_every_kind_is_shown(wire, key, param, expected):
    assert (await wire.api("POST", GROUP, group_body(key, param)))[0] == 200
    [item] = wire.engine.items(WAREHOUSE, "keeper01")
    assert {name: item[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"robotCode": None}, "invalidParameter.robotCode.missing"),
        ({"robotCode": ""}, "invalidParameter.robotCode.empty"),
        ({"robotCode": "x"}, "invalidParameter.robotCode.notExsit"),
        ({"openConversationId": None}, "miss.openConversationId"),
        ({"openConversationId": WAREHOUSE.lower()}, "invalid.openConversationId"),
        ({"msgKey": ""}, "invalidParameter.msgKey.empty"),
        ({"msgKey": "sampleActionCard1"}, "invalidParameter.msgKey.invalid"),
        ({"msgParam": {"title": "t", "text": "x"}}, "msgParam.invalid"),
        ({"msgParam": "no json"}, "msgParam.invalid"),
        ({"msgParam": '{"title":"t"}'}, "miss.param.text"),
        ({"msgParam": '{"title":"t","text":"' + "x" * 15_000 + '"}'}, "msgParam.tooLong"),
    ],
)
async def test_group_errors(wire, change, code):
    status, answer = await wire.api("POST", GROUP, group_body(**change))
    assert (status, answer["code"]) == (400, code)
    assert not wire.engine.items(WAREHOUSE)


async def test_a_group_without_the_bot(wire):
    wire.engine.conversation(WAREHOUSE).bot_member = False
    assert (await wire.api("POST", GROUP, group_body()))[1]["code"] == "chatbotNotInstall"
    assert (await wire.api("POST", "/v1.0/robot/groups/robots/query", {"openConversationId": WAREHOUSE}))[0] == 400


async def test_one_to_one_messages_tell_unknown_people_under_http_200(wire):
    body = {**ROBOT, "userIds": ["keeper01", "nobody", "ext_carrier"], "msgKey": "sampleText"}
    status, answer = await wire.api("POST", PEOPLE, {**body, "msgParam": '{"content":"hi"}'})
    assert (status, answer["invalidStaffIdList"]) == (200, ["nobody", "ext_carrier"])
    assert answer["flowControlledStaffIdList"] == []
    assert [item["text"] for item in wire.engine.items(wire.engine.direct("keeper01").id, "keeper01")] == ["hi"]


@pytest.mark.parametrize(
    ("user_ids", "code"),
    [([], "invalidParameter.userIds.empty"), (["keeper01"] * 21, "invalidParameter.userIds.overMax")],
    ids=["none", "too many"],
)
async def test_one_to_one_errors(wire, user_ids, code):
    body = {**ROBOT, "userIds": user_ids, "msgKey": "sampleText", "msgParam": '{"content":"hi"}'}
    assert (await wire.api("POST", PEOPLE, body))[1]["code"] == code


async def test_recall(wire):
    key = (await wire.api("POST", GROUP, group_body()))[1]["processQueryKey"]
    body = {**ROBOT, "openConversationId": WAREHOUSE, "processQueryKeys": [key, "old"]}
    answer = (await wire.api("POST", "/v1.0/robot/groupMessages/recall", body))[1]
    assert answer == {"successResult": [key], "failedResult": {"old": "processQueryKey.expireTime"}}
    [item] = wire.engine.items(WAREHOUSE, "keeper01")
    assert (item["recalled"], item["text"]) == (True, "")


async def test_who_has_read(wire):
    body = {**ROBOT, "userIds": ["keeper01"], "msgKey": "sampleText", "msgParam": '{"content":"hi"}'}
    key = (await wire.api("POST", PEOPLE, body))[1]["processQueryKey"]
    query = {**ROBOT, "processQueryKey": key}

    async def status():
        answer = (await wire.api("GET", "/v1.0/robot/oToMessages/readStatus", params=query))[1]
        return [info["readStatus"] for info in answer["messageReadInfoList"]]

    assert await status() == ["UNREAD"]
    wire.engine.items(wire.engine.direct("keeper01").id, "keeper01")
    assert await status() == ["READ"]


async def test_who_has_read_in_a_group(wire):
    key = (await wire.api("POST", GROUP, group_body()))[1]["processQueryKey"]
    wire.engine.items(WAREHOUSE, "sales01")
    body = {**ROBOT, "openConversationId": WAREHOUSE, "processQueryKey": key, "maxResults": 200}
    assert (await wire.api("POST", "/v1.0/robot/groupMessages/query", body))[1]["readUserIds"] == ["sales01"]


def image(name="shelf.png", kind="image"):
    form = aiohttp.FormData()
    form.add_field("type", kind)
    form.add_field("media", b"\x89PNG...", filename=name, content_type="image/png")
    return form


async def upload(wire, form):
    query = {"access_token": await wire.token()}
    return (await wire.call("POST", "/media/upload", data=form, params=query))[1]


async def test_an_uploaded_picture_can_be_sent_and_seen(wire):
    answer = await upload(wire, image())
    assert (answer["errcode"], answer["type"]) == (0, "image")
    assert answer["media_id"].startswith("@lAD")
    await wire.api("POST", GROUP, group_body("sampleImageMsg", {"photoURL": answer["media_id"]}))
    [item] = wire.engine.items(WAREHOUSE, "keeper01")
    async with wire.session.get(wire.url + item["pictureUrl"]) as response:
        assert (response.content_type, await response.read()) == ("image/png", b"\x89PNG...")


@pytest.mark.parametrize(
    ("form", "errcode"), [(("a.png", "picture"), 40004), (("a.exe", "file"), 40005)], ids=["type", "extension"]
)
async def test_upload_errors(wire, form, errcode):
    assert (await upload(wire, image(*form)))["errcode"] == errcode


async def test_a_picture_from_a_person_can_be_downloaded_for_a_while(wire, clock):
    form = aiohttp.FormData({"conversationId": WAREHOUSE, "senderId": "keeper01"})
    form.add_field("file", b"jpeg", filename="shelf.jpg", content_type="image/jpeg")
    async with wire.stream() as stream:
        assert (await wire.call("POST", "/sim/uploads", data=form))[0] == 200
        [frame] = await stream.take(MESSAGES)
    assert frame["decoded"]["msgtype"] == "picture"
    code = frame["decoded"]["content"]["downloadCode"]
    answer = (await wire.api("POST", "/v1.0/robot/messageFiles/download", {**ROBOT, "downloadCode": code}))[1]
    async with wire.session.get(answer["downloadUrl"]) as response:
        assert await response.read() == b"jpeg"
    clock.advance(minutes=10)
    async with wire.session.get(answer["downloadUrl"]) as response:
        assert response.status == 403
    status, answer = await wire.api("POST", "/v1.0/robot/messageFiles/download", {**ROBOT, "downloadCode": "x"})
    assert status == 400
