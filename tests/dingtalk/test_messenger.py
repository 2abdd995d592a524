from __future__ import annotations

from typing import Any

import orjson
import pytest

from bot.dingtalk.card_api import CardApi
from bot.dingtalk.card_wire import TemplateChoice, own_template
from bot.dingtalk.messenger import DingTalkMessenger
from bot.dingtalk.openapi import OpenApi
from bot.dingtalk.robot import Robot
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import Messenger, SendFailed, SendFailureKind
from tests.dingtalk.conftest import (
    CREATE_URL,
    DIRECT_URL,
    GROUP_URL,
    KEYS,
    TOKEN_URL,
    UPDATE_URL,
    FakeDingTalk,
    stock_card,
)

GROUP = Place(PlaceKind.GROUP, "cidKp3Lr+/00==")
PERSON = Place(PlaceKind.PERSON, "manager4220")
SHOWN = {"success": True, "result": {"deliverResults": [{"success": True}]}}
NOT_SHOWN = {"success": True, "result": {"deliverResults": [{"success": False, "errorMsg": "robot not in group"}]}}
SCOPE = {
    "code": "Forbidden.AccessDenied.AccessTokenPermissionDenied",
    "requestid": "r",
    "accessdenieddetail": {"requiredScopes": ["Card.Instance.Write"]},
}


def code(name: str, status: int = 400) -> dict[str, Any]:
    return {"status": status, "payload": {"code": name, "requestid": "r"}}


@pytest.fixture
def places(api: OpenApi, dingtalk: FakeDingTalk) -> Messenger:
    dingtalk.token()
    alerts = own_template("mine.schema", variables={"t": "title", "s": "sku"})
    templates = TemplateChoice(by_card={"alert": alerts, "stock": own_template("stock.schema")})
    return DingTalkMessenger(CardApi(api), Robot(api), KEYS, templates=templates)


def body(dingtalk: FakeDingTalk, url: str) -> Any:
    return orjson.loads(dingtalk.asked(url)[0]["data"])


async def test_a_card_for_a_group(places: Messenger, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, payload=SHOWN)
    await places.show([GROUP], "t1", stock_card())
    sent = body(dingtalk, CREATE_URL)
    assert (sent["outTrackId"], sent["openSpaceId"]) == ("t1", f"dtv1.card//IM_GROUP.{GROUP.id}")
    assert sent["imGroupOpenDeliverModel"] == {"robotCode": KEYS.robot_code}
    assert sent["cardData"]["cardParamMap"]["title"] == "库存 SKU123"


async def test_a_card_calls_people_of_its_group(places: Messenger, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, payload=SHOWN)
    await places.show([GROUP], "t1", stock_card(), called={"manager4220": "王*经理", "<b>": "nobody"})
    sent = body(dingtalk, CREATE_URL)
    assert sent["cardAtUserIds"] == ["manager4220"]
    assert sent["imGroupOpenDeliverModel"]["atUserIds"] == {"manager4220": "王*经理"}
    first = sent["cardData"]["cardParamMap"]["markdown"].split("\n")[0]
    assert first.startswith("<a atId=manager4220>@王")
    assert "*" not in first


async def test_a_card_for_a_person(places: Messenger, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, payload=SHOWN)
    await places.show([PERSON], "t1", stock_card())
    assert body(dingtalk, CREATE_URL)["openSpaceId"] == "dtv1.card//IM_ROBOT.manager4220"


async def test_each_kind_of_card_has_its_template(places: Messenger, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, payload=SHOWN)
    await places.show([GROUP], "t1", stock_card(name="alert"))
    sent = body(dingtalk, CREATE_URL)
    assert (sent["cardTemplateId"], sent["cardData"]["cardParamMap"]) == (
        "mine.schema",
        {"t": "库存 SKU123", "s": "SKU123"},
    )


async def test_a_change_fills_the_template_that_the_card_was_made_with(
    places: Messenger, dingtalk: FakeDingTalk
) -> None:
    dingtalk.put(UPDATE_URL, payload={"success": True, "result": True})
    await places.change("t1", stock_card(name="digest", fields={}), "alert")
    sent = body(dingtalk, UPDATE_URL)
    assert sent["cardData"]["cardParamMap"] == {"t": "库存 SKU123", "s": ""}
    assert sent["cardUpdateOptions"]["updateCardDataByKey"] is True


async def test_the_buttons_of_a_change_stand_on_the_card_that_was_made(
    places: Messenger, dingtalk: FakeDingTalk
) -> None:
    dingtalk.put(UPDATE_URL, payload={"success": True, "result": True})
    await places.change("t1", stock_card(name="digest"), "stock")
    variables = body(dingtalk, UPDATE_URL)["cardData"]["cardParamMap"]
    assert orjson.loads(variables["btns"])[0]["event"]["params"]["params"]["card"] == "stock"


@pytest.mark.parametrize(("place", "url"), [(GROUP, GROUP_URL), (PERSON, DIRECT_URL)], ids=["group", "person"])
async def test_a_plain_message_is_the_text_twin(
    places: Messenger, dingtalk: FakeDingTalk, place: Place, url: str
) -> None:
    dingtalk.post(url, payload={"processQueryKey": "k"})
    await places.write(place, stock_card())
    assert orjson.loads(body(dingtalk, url)["msgParam"])["text"] == "库存 SKU123  \n  可用 12"


TROUBLES = [
    ({"payload": NOT_SHOWN}, SendFailureKind.NO_CARDS),
    ({"status": 403, "payload": SCOPE}, SendFailureKind.NO_CARDS),
    (code("param.templateUnpublished"), SendFailureKind.NO_CARDS),
    (code("param.contentUnsafe"), SendFailureKind.NO_CARDS),
    (code("param.openSpaceIdInvalid"), SendFailureKind.HOPELESS),
    (code("param.userIdNotExist"), SendFailureKind.HOPELESS),
    (code("system.busy", 500), SendFailureKind.BUSY),
    (code("unknownError", 500), SendFailureKind.UNKNOWN),
    ({"exception": TimeoutError()}, SendFailureKind.UNKNOWN),
    (code("Forbidden.AccessDenied.ApiCountLimitForOrg", 403), SendFailureKind.SPENT),
    (code("Forbidden.AccessDenied.IpNotInWhiteList", 403), SendFailureKind.SETUP),
]


@pytest.mark.parametrize(("answer", "trouble"), TROUBLES, ids=repr)
async def test_what_a_refused_card_means(
    places: Messenger, dingtalk: FakeDingTalk, answer: dict[str, Any], trouble: SendFailureKind
) -> None:
    dingtalk.post(CREATE_URL, **answer, repeat=True)
    with pytest.raises(SendFailed) as raised:
        await places.show([GROUP], "t1", stock_card())
    assert raised.value.trouble is trouble
    assert raised.value.detail


async def test_a_lost_answer_is_followed_by_the_news_that_the_card_is_there(
    places: Messenger, dingtalk: FakeDingTalk
) -> None:
    dingtalk.post(CREATE_URL, exception=TimeoutError())
    dingtalk.post(CREATE_URL, **code("param.cardAlreadyExist"))
    await places.show([GROUP], "t1", stock_card())


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (code("param.cardNotExist"), SendFailureKind.GONE),
        (code("param.contentUnsafe"), SendFailureKind.HOPELESS),
        ({"status": 403, "payload": SCOPE}, SendFailureKind.SETUP),
        (code("system.busy", 500), SendFailureKind.BUSY),
    ],
    ids=repr,
)
async def test_what_a_refused_change_means(
    places: Messenger, dingtalk: FakeDingTalk, answer: dict[str, Any], trouble: SendFailureKind
) -> None:
    dingtalk.put(UPDATE_URL, **answer, repeat=True)
    with pytest.raises(SendFailed) as raised:
        await places.change("t1", stock_card(), "stock")
    assert raised.value.trouble is trouble


@pytest.mark.parametrize(
    ("name", "trouble", "reason"),
    [
        ("chatbotNotInstall", SendFailureKind.HOPELESS, "the bot is not in this group: add it there"),
        ("group.disbanded", SendFailureKind.HOPELESS, "the group was disbanded: correct the route"),
        ("contain.notAllowed.text", SendFailureKind.HOPELESS, "group_send: HTTP 400 contain.notAllowed.text"),
        ("unknown.send.result", SendFailureKind.UNKNOWN, "group_send"),
    ],
)
async def test_what_a_refused_text_means(
    places: Messenger, dingtalk: FakeDingTalk, name: str, trouble: SendFailureKind, reason: str
) -> None:
    dingtalk.post(GROUP_URL, **code(name))
    with pytest.raises(SendFailed) as raised:
        await places.write(GROUP, stock_card())
    assert raised.value.trouble is trouble
    assert raised.value.detail.startswith(reason)


async def test_a_template_that_asks_for_what_the_card_lacks_leaves_the_text(
    places: Messenger, dingtalk: FakeDingTalk
) -> None:
    with pytest.raises(SendFailed, match="has no field") as raised:
        await places.show([GROUP], "t1", stock_card(name="alert", fields={}))
    assert raised.value.trouble is SendFailureKind.NO_CARDS
    assert dingtalk.asked(TOKEN_URL) == []
