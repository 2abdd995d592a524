from __future__ import annotations

from typing import Any

import orjson
import pytest

from bot.dingtalk.card_api import CardApi, CardSpace
from bot.dingtalk.errors import DingTalkDeliveryFailed, DingTalkRefused
from bot.dingtalk.openapi import OpenApi
from tests.dingtalk.conftest import CREATE_URL, DIRECT, GROUP, UPDATE_URL, FakeDingTalk

SHOWN = {"spaceType": "IM_GROUP", "spaceId": "cid", "success": True, "carrierId": "pqk", "errorMsg": ""}
NOT_SHOWN = {**SHOWN, "success": False, "errorMsg": "robot not in group"}


@pytest.fixture
def cards(api: OpenApi, dingtalk: FakeDingTalk) -> CardApi:
    dingtalk.token()
    return CardApi(api)


async def create(cards: CardApi, **changes: Any) -> None:
    values: dict[str, Any] = {
        "track_id": "track-1",
        "params": {"title": "库存"},
        "template_id": "t.schema",
        "spaces": [CardSpace(GROUP)],
        "summary": "库存 SKU123",
        "robot_code": "dingrobot",
    }
    await cards.create_and_deliver(**{**values, **changes})


def delivered(*results: dict[str, Any]) -> dict[str, Any]:
    return {"success": True, "result": {"outTrackId": "track-1", "deliverResults": list(results)}}


async def test_a_card_in_a_group(cards: CardApi, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, payload=delivered(SHOWN))
    await create(cards)
    [asked] = dingtalk.asked(CREATE_URL)
    assert orjson.loads(asked["data"]) == {
        "cardTemplateId": "t.schema",
        "outTrackId": "track-1",
        "callbackType": "STREAM",
        "cardData": {"cardParamMap": {"title": "库存"}},
        "userIdType": 1,
        "openSpaceId": "dtv1.card//IM_GROUP.cidKp3Lr+/00==",
        "imGroupOpenSpaceModel": {
            "supportForward": False,
            "lastMessageI18n": {"ZH_CN": "库存 SKU123", "EN_US": "库存 SKU123"},
            "notification": {"alertContent": "库存 SKU123", "notificationOff": False},
        },
        "imGroupOpenDeliverModel": {"robotCode": "dingrobot"},
    }


async def test_a_card_for_one_person(cards: CardApi, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, payload=delivered(SHOWN))
    await create(cards, spaces=[CardSpace(DIRECT, "manager4220")], private={"manager4220": {"role": "approver"}})
    body = orjson.loads(dingtalk.asked(CREATE_URL)[0]["data"])
    assert body["openSpaceId"] == "dtv1.card//IM_ROBOT.manager4220"
    assert body["imRobotOpenDeliverModel"] == {"spaceType": "IM_ROBOT", "robotCode": "dingrobot"}
    assert body["imRobotOpenSpaceModel"]["supportForward"] is False
    assert body["privateData"] == {"manager4220": {"cardParamMap": {"role": "approver"}}}
    assert "imGroupOpenSpaceModel" not in body


async def test_a_direct_card_needs_a_person(cards: CardApi) -> None:
    with pytest.raises(ValueError, match="person"):
        await create(cards, spaces=[CardSpace(DIRECT)])


@pytest.mark.parametrize("results", [[NOT_SHOWN], [SHOWN, NOT_SHOWN], [{}], [{"success": "false"}]])
async def test_every_delivery_is_checked(cards: CardApi, dingtalk: FakeDingTalk, results: list[Any]) -> None:
    dingtalk.post(CREATE_URL, payload=delivered(*results))
    with pytest.raises(DingTalkDeliveryFailed, match="not shown"):
        await create(cards)


@pytest.mark.parametrize("answer", [delivered(), {"success": True}, {"success": "true", "result": None}])
async def test_a_silent_success_is_one(cards: CardApi, dingtalk: FakeDingTalk, answer: dict[str, Any]) -> None:
    dingtalk.post(CREATE_URL, payload=answer)
    await create(cards)
    assert len(dingtalk.asked(CREATE_URL)) == 1


async def test_a_card_that_exists_after_a_lost_answer_is_a_success(cards: CardApi, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, exception=TimeoutError())
    dingtalk.post(CREATE_URL, status=400, payload={"code": "param.cardAlreadyExist", "requestid": "r"})
    await create(cards)
    assert len(dingtalk.asked(CREATE_URL)) == 2


@pytest.mark.parametrize("code", ["param.templateUnpublished", "param.contentUnsafe", "param.openSpaceIdInvalid"])
async def test_a_refused_card_is_not_repeated(cards: CardApi, dingtalk: FakeDingTalk, code: str) -> None:
    dingtalk.post(CREATE_URL, status=400, payload={"code": code, "message": code, "requestid": "r"}, repeat=True)
    with pytest.raises(DingTalkRefused) as caught:
        await create(cards)
    assert caught.value.code == code
    assert len(dingtalk.asked(CREATE_URL)) == 1


async def test_an_update_leaves_the_other_variables_alone(cards: CardApi, dingtalk: FakeDingTalk) -> None:
    dingtalk.put(UPDATE_URL, payload={"success": True, "result": True}, repeat=True)
    await cards.update("track-1", {"tips": "已同意"})
    await cards.update("track-1", {}, {"u1": {"role": "done"}})
    first, second = (orjson.loads(asked["data"]) for asked in dingtalk.asked(UPDATE_URL))
    assert first == {
        "outTrackId": "track-1",
        "cardData": {"cardParamMap": {"tips": "已同意"}},
        "cardUpdateOptions": {"updateCardDataByKey": True, "updatePrivateDataByKey": True},
        "userIdType": 1,
    }
    assert second["privateData"] == {"u1": {"cardParamMap": {"role": "done"}}}
