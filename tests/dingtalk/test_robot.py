from __future__ import annotations

from typing import Any

import orjson
import pytest

from bot.chat.message import SessionWebhook
from bot.dingtalk.errors import (
    DingTalkDeliveryFailed,
    DingTalkOutcomeUnknown,
    DingTalkRateLimited,
    DingTalkSessionExpired,
)
from bot.dingtalk.openapi import OpenApi
from bot.dingtalk.robot import MAX_PARAM_BYTES, Robot, fit
from tests.dingtalk.conftest import DIRECT_URL, GROUP_URL, NOW, OAPI, WEBHOOK_URL, FakeDingTalk

UPLOAD_URL = f"{OAPI}/media/upload"


@pytest.fixture
def robot(api: OpenApi, dingtalk: FakeDingTalk) -> Robot:
    dingtalk.token()
    return Robot(api)


async def test_a_group_gets_markdown(robot: Robot, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(GROUP_URL, payload={"processQueryKey": "k"})
    assert await robot.send_to_group("cid==", "dingrobot", title="库存", markdown="**12**") == "k"
    body = orjson.loads(dingtalk.asked(GROUP_URL)[0]["data"])
    param = orjson.loads(body.pop("msgParam"))
    assert body == {"robotCode": "dingrobot", "openConversationId": "cid==", "msgKey": "sampleMarkdown"}
    assert param == {"title": "库存", "text": "**12**"}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            {"processQueryKey": "k", "invalidStaffIdList": ["u1"], "flowControlledStaffIdList": []},
            DingTalkDeliveryFailed,
        ),
        ({"processQueryKey": "k", "invalidStaffIdList": [], "flowControlledStaffIdList": ["u1"]}, DingTalkRateLimited),
    ],
)
async def test_who_got_nothing_is_noticed(
    robot: Robot, dingtalk: FakeDingTalk, answer: dict[str, Any], expected: type[Exception]
) -> None:
    dingtalk.post(DIRECT_URL, payload=answer)
    with pytest.raises(expected):
        await robot.send_to_people(["u1"], "dingrobot", title="t", markdown="m")


async def test_people_get_markdown(robot: Robot, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(DIRECT_URL, payload={"processQueryKey": "k", "invalidStaffIdList": []})
    assert await robot.send_to_people(["u1"], "dingrobot", title="t", markdown="m") == "k"
    assert orjson.loads(dingtalk.asked(DIRECT_URL)[0]["data"])["userIds"] == ["u1"]


async def test_an_unknown_result_is_not_repeated(robot: Robot, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(GROUP_URL, status=400, payload={"code": "unknown.send.result", "requestid": "r"}, repeat=True)
    with pytest.raises(DingTalkOutcomeUnknown):
        await robot.send_to_group("cid==", "dingrobot", title="t", markdown="m")
    assert len(dingtalk.asked(GROUP_URL)) == 1


async def test_a_session_is_answered(robot: Robot, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(WEBHOOK_URL, payload={"errcode": 0, "errmsg": "ok"})
    await robot.answer_session(SessionWebhook(WEBHOOK_URL, NOW), title="库存", markdown="**12**")
    [asked] = dingtalk.asked(WEBHOOK_URL)
    assert orjson.loads(asked["data"]) == {"msgtype": "markdown", "markdown": {"title": "库存", "text": "**12**"}}


async def test_a_session_that_is_over(robot: Robot, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(WEBHOOK_URL, payload={"errcode": 300001, "errmsg": "session 不存在"}, repeat=True)
    with pytest.raises(DingTalkSessionExpired):
        await robot.answer_session(SessionWebhook(WEBHOOK_URL, NOW), title="t", markdown="m")
    assert len(dingtalk.asked(WEBHOOK_URL)) == 1


@pytest.mark.parametrize("letter", ["长", '"', "\n", "😀", "a"])
async def test_a_long_text_is_cut_to_the_limit(robot: Robot, dingtalk: FakeDingTalk, letter: str) -> None:
    dingtalk.post(GROUP_URL, payload={})
    await robot.send_to_group("cid==", "dingrobot", title=letter * 9000, markdown=letter * 20_000)
    param = orjson.loads(dingtalk.asked(GROUP_URL)[0]["data"])["msgParam"].encode()
    assert 0.95 * MAX_PARAM_BYTES < len(param) <= MAX_PARAM_BYTES
    assert orjson.loads(param)["text"].endswith(" …")


def test_a_cut_falls_between_characters() -> None:
    assert fit("库存", 6) == "库存"
    assert fit("库存量", 8) == "库 …"


async def test_a_file_is_uploaded_and_then_sent(robot: Robot, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(f"{UPLOAD_URL}?access_token=token-1", payload={"errcode": 0, "media_id": "@lAD1", "type": "file"})
    dingtalk.post(DIRECT_URL, payload={"processQueryKey": "k", "invalidStaffIdList": []})
    media_id = await robot.upload("file", name="发票.xlsx", content=b"PK", media_type="application/x")
    key = await robot.send_file("u1", "dingrobot", name="发票.xlsx", media_id=media_id)
    assert key == "k"
    assert dingtalk.asked(UPLOAD_URL)
    body = orjson.loads(dingtalk.asked(DIRECT_URL)[0]["data"])
    assert (body["userIds"], body["msgKey"]) == (["u1"], "sampleFile")
    assert orjson.loads(body["msgParam"]) == {"mediaId": "@lAD1", "fileName": "发票.xlsx", "fileType": "xlsx"}


async def test_an_upload_without_an_id_is_none(robot: Robot, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(f"{UPLOAD_URL}?access_token=token-1", payload={"errcode": 0}, repeat=True)
    with pytest.raises(DingTalkOutcomeUnknown):
        await robot.upload("file", name="a.xlsx", content=b"PK", media_type="application/x")
