"""Cards: strictness, deliveries, updates, what each viewer sees (docs: platform/dingtalk/cards.md)."""

from __future__ import annotations

import orjson
import pytest

from tests.simulator.bare_client import CARDS, PURCHASING, TEMPLATE, WAREHOUSE, card_body

CREATE = "/v1.0/card/instances/createAndDeliver"
INSTANCES = "/v1.0/card/instances"
BY_KEY = {"updateCardDataByKey": True, "updatePrivateDataByKey": True}


def params(**values):
    return {"cardParamMap": values}


def seen(wire, viewer, out_track_id="card-1"):
    return wire.engine.cards.get(out_track_id).view_for(viewer)


async def test_create_and_deliver(wire):
    status, answer = await wire.card()
    assert (status, answer["success"], answer["result"]["outTrackId"]) == (200, True, "card-1")
    [result] = answer["result"]["deliverResults"]
    assert (result["spaceType"], result["spaceId"], result["success"]) == ("IM_GROUP", WAREHOUSE, True)
    assert result["carrierId"]
    [item] = wire.engine.items(WAREHOUSE, "keeper01")
    card = item["card"]
    assert (item["kind"], card["title"], card["markdown"], card["tips"]) == ("card", "库存", "**12** 件", "刚刚")
    assert [(b["text"], b["id"], b["url"], b["request"]) for b in card["buttons"]] == [
        ("同意", "yes", "", True),
        ("打开", "", "https://erp.example/1", False),
    ]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"outTrackId": ""}, "param.outTrackIdEmpty"),
        ({"outTrackId": None}, "param.outTrackIdEmpty"),
        ({"cardTemplateId": None}, "param.cardTemplateIdEmpty"),
        ({"cardTemplateId": "nobody.schema"}, "param.templateNotExist"),
        ({"cardData": None}, "param.cardDataAndPrivateDataBothEmpty"),
        ({"cardData": {}}, "param.cardPublicDataEmpty"),
        ({"cardData": params(title=1)}, "MissingStringValue"),
        ({"cardData": params(title=None)}, "MissingStringValue"),
        ({"cardData": params(sys_full_json_obj={"msgButtons": []})}, "MissingStringValue"),
        ({"cardData": params(**{"k" * 101: "v"})}, "param.invalid"),
        ({"openSpaceId": None}, "param.openSpaceIdEmpty"),
        ({"openSpaceId": WAREHOUSE}, "param.openSpaceIdInvalid"),
        ({"openSpaceId": "dtv1.card//SOMEWHERE.x"}, "param.openSpaceIdInvalid"),
        ({"imGroupOpenSpaceModel": None}, "param.openSpaceModelInvalid"),
        ({"imGroupOpenDeliverModel": None}, "param.spaceDeliverModelEmpty"),
        ({"imGroupOpenDeliverModel": "x"}, "param.openDeliverModelError"),
        ({"callbackType": "stream"}, "param.invalid"),
        ({"userIdType": "1"}, "param.invalid"),
        ({"privateData": {"stranger": params(a="b")}}, "param.userIdNotExist"),
        ({"privateData": {"keeper01": params(a=1)}}, "MissingStringValue"),
    ],
)
async def test_broken_rules_are_400(wire, change, code):
    status, answer = await wire.card(**change)
    assert (status, answer["code"]) == (400, code)
    assert len(wire.engine.cards) == 0
    assert not wire.engine.items(WAREHOUSE)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"openSpaceId": "dtv1.card//IM_GROUP.cidNowhere=="}, "openConversationId"),
        ({"openSpaceId": f"dtv1.card//IM_GROUP.{WAREHOUSE.lower()}"}, "openConversationId"),
        ({"imGroupOpenDeliverModel": {"robotCode": "other"}}, "robotCode"),
        ({"imGroupOpenDeliverModel": {}}, "robotCode"),
        (
            {
                "openSpaceId": "dtv1.card//IM_ROBOT.stranger",
                "imRobotOpenSpaceModel": {},
                "imRobotOpenDeliverModel": {"spaceType": "IM_ROBOT"},
            },
            "user",
        ),
        (
            {
                "openSpaceId": "dtv1.card//IM_ROBOT.ext_carrier",
                "imRobotOpenSpaceModel": {},
                "imRobotOpenDeliverModel": {"spaceType": "IM_ROBOT"},
            },
            "user",
        ),
    ],
)
async def test_deliveries_fail_one_by_one_under_http_200(wire, change, words):
    status, answer = await wire.card(**change)
    [result] = answer["result"]["deliverResults"]
    assert (status, answer["success"], result["success"]) == (200, True, False)
    assert words in result["errorMsg"]


async def test_a_group_without_the_bot(wire):
    await wire.call("PUT", "/sim/conversations", {"conversationId": WAREHOUSE, "botMember": False})
    answer = (await wire.card())[1]
    assert answer["result"]["deliverResults"][0]["success"] is False
    status, answer = await wire.api("POST", CREATE, card_body("card-2"))
    assert status == 200


async def test_several_spaces_at_once(wire):
    answer = (
        await wire.card(
            openSpaceId=f"dtv1.card//im_group.{PURCHASING};IM_ROBOT.keeper01;IM_GROUP.{WAREHOUSE.lower()}",
            imRobotOpenSpaceModel={},
            imRobotOpenDeliverModel={"spaceType": "IM_ROBOT"},
        )
    )[1]
    assert [result["success"] for result in answer["result"]["deliverResults"]] == [True, True, False]
    assert len(wire.engine.items(wire.engine.direct("keeper01").id, "keeper01")) == 1
    await wire.api("PUT", INSTANCES, {"outTrackId": "card-1", "cardData": params(title="new")})
    assert [
        wire.engine.items(place)[0]["card"]["title"] for place in (PURCHASING, wire.engine.direct("keeper01").id)
    ] == [
        "new",
        "new",
    ]


async def test_recipients_alone_see_a_group_card(wire):
    model = {"robotCode": "dingdemoappkey", "recipients": ["keeper01"]}
    await wire.card(imGroupOpenDeliverModel=model)
    [item] = wire.engine.items(WAREHOUSE, "keeper01")
    assert (item["recipients"], item["card"]["privateToViewer"]) == (["keeper01"], True)
    assert not wire.engine.items(WAREHOUSE, "sales01")
    assert not wire.engine.items(WAREHOUSE, "buyer01")


async def test_a_group_card_calls_people(wire):
    await wire.card(imGroupOpenDeliverModel={"robotCode": "dingdemoappkey", "atUserIds": {"keeper01": "王仓"}})
    assert wire.engine.items(WAREHOUSE, "sales01")[0]["atUserIds"] == ["keeper01"]


async def test_the_same_out_track_id_never_makes_a_second_card(wire):
    first = (await wire.card())[1]
    status, second = await wire.card(cardData=params(title="changed"))
    assert status == 200
    assert second == first
    assert len(wire.engine.items(WAREHOUSE)) == 1
    assert seen(wire, "keeper01").title == "库存"
    wire.engine.faults.set("card_exists_error", on=True)
    status, answer = await wire.card()
    assert (status, answer["code"]) == (400, "param.cardAlreadyExist")


async def test_a_repeat_does_not_claim_a_delivery_that_failed(wire):
    wire.engine.faults.set("deliver_failed", on=True, count=1)
    await wire.card()
    again = (await wire.card())[1]
    assert again["result"]["deliverResults"][0]["success"] is False


async def test_unpublished_templates(wire):
    await wire.call("PUT", "/sim/templates", {"id": "own.schema", "published": False})
    status, answer = await wire.card(cardTemplateId="own.schema")
    assert (status, answer["code"]) == (400, "param.templateUnpublished")
    await wire.call("PUT", "/sim/templates", {"id": "own.schema"})
    assert (await wire.card(cardTemplateId="own.schema"))[0] == 200


async def test_create_then_deliver_answers_a_list(wire):
    body = card_body()
    status, answer = await wire.api("POST", INSTANCES, body)
    assert (status, answer) == (200, {"success": True, "result": "card-1"})
    assert not wire.engine.items(WAREHOUSE)
    status, answer = await wire.api("POST", f"{INSTANCES}/deliver", body)
    assert isinstance(answer["result"], list)
    assert answer["result"][0]["success"]
    assert len(wire.engine.items(WAREHOUSE)) == 1


async def test_a_card_needs_the_open_space_model_of_a_space(wire):
    await wire.api("POST", INSTANCES, card_body(imGroupOpenSpaceModel=None))
    status, answer = await wire.api("POST", f"{INSTANCES}/deliver", card_body())
    assert (status, answer["code"]) == (400, "param.openSpaceModelInvalid")
    added = {"outTrackId": "card-1", "imGroupOpenSpaceModel": {"supportForward": False}}
    assert (await wire.api("PUT", f"{INSTANCES}/spaces", added))[1]["result"] is True
    assert (await wire.api("POST", f"{INSTANCES}/deliver", card_body()))[0] == 200


async def test_an_update_replaces_everything_unless_asked_by_key(wire):
    await wire.card()
    await wire.api(
        "PUT", INSTANCES, {"outTrackId": "card-1", "cardData": params(tips="a"), "cardUpdateOptions": BY_KEY}
    )
    assert (seen(wire, "").title, seen(wire, "").tips) == ("库存", "a")
    await wire.api("PUT", INSTANCES, {"outTrackId": "card-1", "cardData": params(tips="b")})
    face = seen(wire, "")
    assert (face.title, face.markdown, face.tips, face.buttons) == ("", "", "b", ())
    assert face.version == 3


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"cardData": params(a="b")}, "param.outTrackIdEmpty"),
        ({"outTrackId": "nothing", "cardData": params(a="b")}, "param.cardNotExist"),
        ({"outTrackId": "card-1"}, "param.cardDataAndPrivateDataBothEmpty"),
        ({"outTrackId": "card-1", "cardData": params(a=1)}, "MissingStringValue"),
        (
            {"outTrackId": "card-1", "cardData": params(), "cardUpdateOptions": {"updateCardDataByKey": "true"}},
            "param.invalid",
        ),
    ],
)
async def test_bad_updates(wire, body, code):
    await wire.card()
    status, answer = await wire.api("PUT", INSTANCES, body)
    assert (status, answer["code"]) == (400, code)


async def test_private_data_overrides_for_one_viewer_where_it_arrives(wire):
    await wire.card(privateData={"keeper01": params(tips="只给你")})
    assert (seen(wire, "keeper01").tips, seen(wire, "keeper01").private_to_viewer) == ("刚刚", False)
    await wire.call("PUT", "/sim/readings", {"privateValues": True})
    assert seen(wire, "keeper01").tips == "只给你"
    assert seen(wire, "keeper01").private_to_viewer
    assert seen(wire, "sales01").tips == "刚刚"


async def test_private_data_needs_variables_that_the_template_declares(wire):
    await wire.call("PUT", "/sim/templates", {"id": "own.schema", "private": ["role"]})
    await wire.card(cardTemplateId="own.schema", privateData={"keeper01": params(role="x", tips="no")})
    assert wire.engine.cards.get("card-1").private == {"keeper01": {"role": "x"}}


async def test_large_values_are_noted_not_refused(wire):
    assert (await wire.card(cardData=params(markdown="料" * 342)))[0] == 200
    assert any("1026 bytes" in entry.summary for entry in wire.engine.timeline.after())


def card_frame(frame, answer):
    return answer if frame["headers"]["topic"] == CARDS else frame["decoded"]


async def test_the_answer_of_a_click_is_everybodys_at_their_next_look(wire):
    answer = {"response": {"cardUpdateOptions": BY_KEY, "cardData": params(tips="¥12"), "userPrivateData": params()}}
    await wire.card()
    async with wire.stream(lambda frame: card_frame(frame, answer)):
        assert (await wire.engine.click("card-1", "keeper01", "yes")).ok
    assert {who: seen(wire, who).tips for who in ("keeper01", "sales01", "")} == dict.fromkeys(
        ("keeper01", "sales01", ""), "¥12"
    )
    assert seen(wire, "sales01").title == "库存"


async def test_values_of_the_clickers_own_arrive_only_where_private_values_do(wire):
    answer = {"response": {"userPrivateData": params(tips="¥12")}}
    await wire.card()
    async with wire.stream(lambda frame: card_frame(frame, answer)):
        assert (await wire.engine.click("card-1", "keeper01", "yes")).ok
    assert seen(wire, "keeper01").tips == "刚刚"
    wire.engine.readings.private_values = True
    assert (seen(wire, "keeper01").tips, seen(wire, "sales01").tips) == ("¥12", "刚刚")


@pytest.mark.parametrize("body", [{"answersPublic": 1}, {"private": True}], ids=str)
async def test_readings_that_do_not_exist_are_refused(wire, body):
    assert (await wire.call("PUT", "/sim/readings", body))[0] == 400


async def test_the_answer_of_a_click_is_seen_by_the_clicker_alone_where_answers_are_not_public(wire):
    wire.engine.readings.answers_public, wire.engine.readings.private_values = False, True
    answer = {
        "response": {
            "cardUpdateOptions": BY_KEY,
            "cardData": params(tips="处理中"),
            "userPrivateData": params(logo="mine"),
        }
    }
    await wire.card()
    async with wire.stream(lambda frame: card_frame(frame, answer)) as stream:
        result = await wire.engine.click("card-1", "keeper01", "yes")
        [frame] = await stream.take(CARDS)
    assert (result.ok, result.toast) == (True, None)
    assert (seen(wire, "keeper01").tips, seen(wire, "keeper01").logo) == ("处理中", "mine")
    assert seen(wire, "keeper01").title == "库存"
    assert (seen(wire, "sales01").tips, seen(wire, "sales01").logo) == ("刚刚", "")
    await wire.api(
        "PUT", INSTANCES, {"outTrackId": "card-1", "cardData": params(tips="已同意"), "cardUpdateOptions": BY_KEY}
    )
    assert {seen(wire, who).tips for who in ("keeper01", "sales01")} == {"已同意"}
    data = frame["decoded"]
    assert {key: data[key] for key in ("spaceType", "spaceId", "userIdType", "type", "userId", "outTrackId")} == {
        "spaceType": "im",
        "spaceId": WAREHOUSE,
        "userIdType": 1,
        "type": "actionCallback",
        "userId": "keeper01",
        "outTrackId": "card-1",
    }
    assert data["content"] == data["value"]
    assert orjson.loads(data["content"]) == {"cardPrivateData": {"actionIds": ["yes"], "params": {"id": "yes"}}}
    assert data["extension"] == "{}"


async def test_an_answer_without_by_key_replaces_the_clickers_card(wire):
    await wire.card()
    async with wire.stream(lambda frame: card_frame(frame, {"response": {"cardData": params(tips="only")}})):
        assert (await wire.engine.click("card-1", "keeper01", "同意")).ok
    assert (seen(wire, "keeper01").title, seen(wire, "keeper01").tips) == ("", "only")


@pytest.mark.parametrize(
    ("button", "expected"),
    [
        ('{"text":"A","request":true,"params":{"id":"a","n":1}}', {"actionIds": ["a"], "params": {"id": "a", "n": 1}}),
        ('{"text":"A","request":true,"id":"a"}', {"actionIds": ["a"], "params": {"id": "a"}}),
    ],
    ids=["form A", "form B"],
)
async def test_both_forms_of_buttons_deliver_both_ids(wire, button, expected):
    await wire.card(cardData=params(sys_full_json_obj=f'{{"msgButtons":[{button}]}}'))
    async with wire.stream() as stream:
        assert (await wire.engine.click("card-1", "keeper01", "A")).ok
        [frame] = await stream.take(CARDS)
    assert orjson.loads(frame["decoded"]["content"])["cardPrivateData"] == expected


async def test_variables_that_stand_one_below_the_other(wire):
    declared = {"id": "own.schema", "buttonGroup": ["btns", "btns2"], "markdown": ["body", "body2", "body3"]}
    await wire.call("PUT", "/sim/templates", declared)
    values = {"btns": '[{"text":"A"}]', "btns2": '[{"text":"B"}]', "body": "one", "body3": "three"}
    await wire.card(cardTemplateId="own.schema", cardData=params(**values))
    assert seen(wire, "").markdown == "one\n\nthree"
    assert [button.text for button in seen(wire, "").buttons] == ["A", "B"]


async def test_button_groups_of_own_templates(wire):
    await wire.call("PUT", "/sim/templates", {"id": "own.schema", "buttonGroup": "btns", "markdown": "body"})
    group = (
        '[{"text":"同意","color":"blue","status":"normal","event":{"type":"sendCardRequest","params":'
        '{"actionId":"approve","params":{"po":"PO-1001"}}}},'
        '{"text":"不能","status":"disabled","event":{"type":"sendCardRequest","params":{"actionId":"no"}}},'
        '{"text":"打开","event":{"type":"openLink","params":{"url":"https://erp.example"}}}]'
    )
    await wire.card(cardTemplateId="own.schema", cardData=params(btns=group, body="text"))
    assert seen(wire, "").markdown == "text"
    assert [button.url for button in seen(wire, "").buttons] == ["", "", "https://erp.example"]
    async with wire.stream() as stream:
        assert (await wire.engine.click("card-1", "keeper01", "approve")).ok
        [frame] = await stream.take(CARDS)
    assert orjson.loads(frame["decoded"]["content"])["cardPrivateData"] == {
        "actionIds": ["approve"],
        "params": {"po": "PO-1001", "id": "approve"},
    }
    status, _ = await wire.call(
        "POST",
        "/sim/clicks",
        {"outTrackId": "card-1", "conversationId": WAREHOUSE, "userId": "keeper01", "buttonId": "no"},
    )
    assert status == 400


async def test_union_ids_where_a_card_asks_for_them(wire):
    await wire.card(userIdType=2)
    async with wire.stream() as stream:
        await wire.engine.click("card-1", "keeper01", "yes")
        [frame] = await stream.take(CARDS)
    assert frame["decoded"]["userId"] == wire.engine.person("keeper01").union_id


async def test_without_callback_type_a_click_reaches_nobody(wire):
    await wire.card(callbackType=None)
    async with wire.stream() as stream:
        result = await wire.engine.click("card-1", "keeper01", "yes")
    assert not result.ok
    assert result.toast
    assert not stream.about(CARDS)


async def test_no_answer_in_time_is_a_toast_and_a_late_one_changes_nothing(start):
    async with start(click_timeout=0.05) as wire, wire.stream(answer=None) as stream:
        await wire.card()
        result = await wire.engine.click("card-1", "keeper01", "yes")
        assert not result.ok
        assert result.toast
        [frame] = await stream.take(CARDS)
        await stream.ack(frame, {"response": {"cardData": params(tips="late")}})
        await wire.engine.wait_for(lambda: not wire.engine.pushes.in_flight)
        assert seen(wire, "keeper01").tips == "刚刚"


@pytest.mark.parametrize(
    "answer", [{"response": {"cardData": params(tips=1)}}, {"response": {"cardData": "x"}}, [1]], ids=str
)
async def test_malformed_answers_are_a_toast(wire, answer):
    await wire.card()
    async with wire.stream(lambda frame: card_frame(frame, answer)):
        result = await wire.engine.click("card-1", "keeper01", "yes")
    assert not result.ok
    assert seen(wire, "keeper01").version == 1


async def test_clicks_without_a_connection_fail_at_once(wire):
    await wire.card()
    assert not (await wire.engine.click("card-1", "keeper01", "yes")).ok


@pytest.mark.parametrize(
    "change",
    [
        {"buttonId": "gone"},
        {"outTrackId": "none"},
        {"userId": "buyer01"},
        {"userId": "x"},
        {"conversationId": PURCHASING},
    ],
    ids=str,
)
async def test_clicks_on_what_is_not_there_are_404(wire, change):
    await wire.card()
    body = {"outTrackId": "card-1", "conversationId": WAREHOUSE, "userId": "keeper01", "buttonId": "yes", **change}
    assert (await wire.call("POST", "/sim/clicks", body))[0] == 404


STREAMING = "382e4302-551d-4880-bf29-a30acfab2e71.schema"


def stream_body(**changes):
    body = {"outTrackId": "card-1", "guid": "g1", "key": "msgContent", "content": "text", "isFull": True}
    return {**body, "isFinalize": False, "isError": False, **changes}


async def test_streaming(wire):
    await wire.card(cardTemplateId=STREAMING, cardData=params(msgTitle="t", flowStatus="1"))
    answer = await wire.api("PUT", "/v1.0/card/streaming", stream_body())
    assert answer == (200, {"success": True, "result": True})
    assert (seen(wire, "").title, seen(wire, "").markdown) == ("t", "text")
    await wire.api("PUT", "/v1.0/card/streaming", stream_body(content="same guid"))
    assert seen(wire, "").markdown == "text"
    await wire.api("PUT", "/v1.0/card/streaming", stream_body(guid="g2", content="end", isFinalize=True))
    assert wire.engine.cards.get("card-1").data["flowStatus"] == "3"
    assert (await wire.api("PUT", "/v1.0/card/streaming", stream_body(guid="g3")))[0] == 500


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"guid": ""}, 400, "param.stream.guidEmpty"),
        ({"key": ""}, 400, "param.stream.keyEmpty"),
        ({"isFull": "true"}, 400, "param.stream.isFull"),
        ({"content": None}, 400, "param.stream.contentEmpty"),
        ({"content": "x" * 3_073}, 400, "param.stream.content"),
        ({"key": "msgTitle"}, 500, "unknownError"),
        ({"isFull": False}, 400, "param.stream.isFull"),
    ],
)
async def test_streaming_errors(wire, change, status, code):
    await wire.card(cardTemplateId=STREAMING, cardData=params(msgTitle="t"))
    got, answer = await wire.api("PUT", "/v1.0/card/streaming", stream_body(**change))
    assert (got, answer["code"]) == (status, code)


async def test_ordinary_templates_do_not_stream(wire):
    await wire.card(cardTemplateId=TEMPLATE)
    assert (await wire.api("PUT", "/v1.0/card/streaming", stream_body(key="markdown")))[1]["code"] == "unknownError"


async def test_a_pinned_card_and_its_end(wire):
    await wire.card(
        openSpaceId=f"dtv1.card//ONE_BOX.{WAREHOUSE}",
        topOpenSpaceModel={"spaceType": "ONE_BOX"},
        topOpenDeliverModel={"expiredTimeMillis": 1795600000000},
    )
    assert wire.engine.items(WAREHOUSE)[0]["top"] is True
    close = {"outTrackId": "card-1", "openConversationId": WAREHOUSE}
    assert (await wire.api("POST", "/v1.0/card/tops/close", params=close))[1]["result"] is True
    assert wire.engine.items(WAREHOUSE)[0]["recalled"] is True


async def test_the_stored_card_can_be_read(wire):
    await wire.card()
    card = (await wire.call("GET", "/sim/cards", params={"outTrackId": "card-1"}))[1]
    assert card["cardData"]["title"] == "库存"
    assert [copy["conversationId"] for copy in card["deliveries"]] == [WAREHOUSE]
    assert (await wire.call("GET", "/sim/cards", params={"outTrackId": "none"}))[0] == 404


async def test_register_callback(wire):
    body = {"callbackUrl": "https://erp.example/cb", "callbackRouteKey": "k", "apiSecret": "s"}
    assert (await wire.api("POST", "/v1.0/card/callbacks/register", body))[1]["success"]
    assert (await wire.api("POST", "/v1.0/card/callbacks/register", {}))[0] == 400
