"""A company's own card templates with buttons and fields: what is drawn, and what a click sends to the bot."""

from __future__ import annotations

import orjson
import pytest

from bot.kit.simulator.card_templates import InvalidFieldValue, InvalidTemplate, _read_field, read_template
from tests.rows import each_row
from tests.simulator.bare_client import CARDS, WAREHOUSE

REASON = {
    "name": "reason",
    "label": "原因",
    "type": "SELECT",
    "placeholder": "请选择",
    "options": [{"value": "太贵", "text": "价格太高"}, {"value": "规格不符"}],
}
WORDS = {"name": "words", "label": "说明", "placeholder": "可不填", "defaultValue": "无"}
NO = {"text": "${no}", "color": "red", "params": {"id": "${token}", "card": "approval"}}
OWN = {"id": "own.schema", "buttons": [NO, {"text": "${more}", "params": {"id": "more"}}]}


async def shown(wire, fields, **variables):
    """Declare a template with these fields and show a card of it; return the card as the control API has it."""
    status, _ = await wire.call("PUT", "/sim/templates", {**OWN, **fields})
    assert status == 200
    variables = {"title": "PO-1", "no": "拒绝", "token": "po.no|1", **variables}
    await wire.card(cardTemplateId="own.schema", cardData={"cardParamMap": variables})
    query = {"conversation": WAREHOUSE, "viewer": "keeper01"}
    return (await wire.call("GET", "/sim/messages", params=query))[1]["items"][-1]["card"]


async def click(wire, fields, button="拒绝"):
    """Press the button with values in the fields; return the answer and the parameters that the bot got."""
    async with wire.stream() as stream:
        body = {"outTrackId": "card-1", "conversationId": WAREHOUSE, "userId": "keeper01", "buttonId": button}
        status, answer = await wire.call("POST", "/sim/clicks", {**body, "fields": fields})
        if status != 200 or not answer["ok"]:
            assert not stream.about(CARDS)
            return status, answer
        [frame] = await stream.take(CARDS)
    return status, orjson.loads(frame["decoded"]["content"])["cardPrivateData"]


async def test_buttons_that_stand_in_a_template(wire):
    card = await shown(wire, {})
    assert [(button["text"], button["color"], button["params"]) for button in card["buttons"]] == [
        ("拒绝", "red", {"id": "po.no|1", "card": "approval"})
    ], "one without a text is not drawn"
    assert await click(wire, {}) == (
        200,
        {"actionIds": ["single_button_node_1"], "params": {"id": "po.no|1", "card": "approval"}},
    )


async def test_fields_are_shown_as_declared(wire):
    card = await shown(wire, {"inputs": [WORDS], "form": [REASON]})
    assert card["fields"] == [
        {**WORDS, "type": "TEXT", "required": False, "options": []},
        {
            **REASON,
            "defaultValue": "",
            "required": False,
            "options": [{"value": "太贵", "text": "价格太高"}, {"value": "规格不符", "text": "规格不符"}],
        },
    ]


@pytest.mark.parametrize(
    ("declared", "entered", "params"),
    [
        ({"inputs": [WORDS]}, {"words": "再谈"}, {"words": "再谈"}),
        ({"inputs": [WORDS]}, {"words": ""}, {"words": ""}),
        ({"inputs": [WORDS]}, {}, {"words": "无"}),
        ({"inputs": [REASON]}, {"reason": "规格不符"}, {"reason": {"index": 1, "value": "规格不符"}}),
        ({"inputs": [REASON]}, {"reason": ""}, {}),
        (
            {"form": [REASON, WORDS]},
            {"reason": "太贵", "words": "再谈"},
            {"form": {"reason": {"index": 0, "value": "太贵"}, "words": "再谈"}},
        ),
        ({"form": [REASON]}, {}, {"form": {}}),
    ],
    ids=["text", "empty text", "default", "select", "nothing selected", "form", "empty form"],
)
async def test_what_stands_in_the_fields_goes_with_the_click(wire, declared, entered, params):
    await shown(wire, declared)
    status, sent = await click(wire, entered)
    assert status == 200
    assert sent["params"] == {"id": "po.no|1", "card": "approval", **params}


CHOICE = {"name": "f", "options": [{"value": "1"}, {"value": "2"}, {"value": "3"}]}


@each_row(
    "kind, entered, sent",
    [
        ("TEXT", "a", "a"),
        ("TEXT_AREA", "a\nb", "a\nb"),
        ("TEXT_ARRAY", '["a", "b"]', ["a", "b"]),
        ("NUMBER", "12.50", "12.50"),
        ("DATE", "2026-12-01", "2026-12-01"),
        ("TIME", "08:30", "08:30"),
        ("DATETIME", "2026-12-01 08:30", "2026-12-01 08:30"),
        ("SELECT", "2", {"index": 1, "value": "2"}),
        ("MULTI_SELECT", '["2", "3"]', {"index": [1, 2], "value": ["2", "3"]}),
        ("CHECKBOX_GROUP", "2", "2"),
        ("MULTI_CHECKBOX_GROUP", '["1", "3"]', ["1", "3"]),
        ("CHECKBOX", "true", True),
        ("SWITCH", "false", False),
    ],
)
def test_each_type_of_field_sends_its_value(kind, entered, sent):
    field = _read_field({**CHOICE, "type": kind})
    assert field.value(entered) == sent


@each_row(
    "kind, entered",
    [
        ("TEXT_ARRAY", "a"),
        ("NUMBER", "many"),
        ("NUMBER", "NaN"),
        ("DATE", "soon"),
        ("TIME", "25:00"),
        ("DATETIME", "2026-12-01"),
        ("SELECT", "4"),
        ("MULTI_SELECT", '["4"]'),
        ("CHECKBOX_GROUP", "4"),
        ("MULTI_CHECKBOX_GROUP", "1"),
        ("CHECKBOX", "perhaps"),
        ("SWITCH", "1"),
    ],
)
def test_no_type_sends_what_cannot_be_entered(kind, entered):
    with pytest.raises(InvalidFieldValue):
        _read_field({**CHOICE, "type": kind}).value(entered)


async def test_what_is_hidden_or_fixed_sends_its_default(wire):
    fields = [{**WORDS, "hidden": True}, {**CHOICE, "type": "SELECT", "readOnly": True, "defaultValue": "2"}]
    await shown(wire, {"form": fields})
    _, sent = await click(wire, {"words": "mine", "f": "3"})
    assert sent["params"]["form"] == {"words": "无", "f": {"index": 1, "value": "2"}}


@pytest.mark.parametrize("entered", [{"reason": "太冷"}, {"price": "1"}, {"reason": 1}, ["reason"]], ids=str)
async def test_what_nobody_can_enter_is_refused(wire, entered):
    await shown(wire, {"form": [REASON]})
    status, _ = await click(wire, entered)
    assert status == 400


async def test_a_required_field_keeps_the_click_back(wire):
    await shown(wire, {"form": [{**WORDS, "defaultValue": "", "required": True}]})
    status, answer = await click(wire, {"words": " "})
    assert (status, answer["ok"], answer["toast"]) == (200, False, "请填写说明")
    status, sent = await click(wire, {"words": "再谈"})
    assert sent["params"]["form"] == {"words": "再谈"}


async def test_fields_are_there_as_long_as_their_condition_holds(wire):
    declared = {"form": [REASON], "fieldsIf": {"state": "open"}}
    assert (await shown(wire, declared, state="over"))["fields"] == []
    assert (await click(wire, {"reason": "太贵"}))[0] == 400
    _, sent = await click(wire, {})
    assert "form" not in sent["params"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": "x", "form": REASON},
        {"id": "x", "form": [{**REASON, "type": "PICTURE"}]},
        {"id": "x", "form": [{**REASON, "colour": "red"}]},
        {"id": "x", "form": [{"label": "原因"}]},
        {"id": "x", "form": [REASON], "inputs": [REASON]},
        {"id": "x", "fieldsIf": ["state"]},
        {"id": "x", "buttons": [{"params": {}}]},
        {"id": "x", "buttons": [{"text": "x", "params": {"n": 1}}]},
    ],
    ids=str,
)
async def test_a_template_that_is_none_or_not_simulated(wire, body):
    with pytest.raises(InvalidTemplate):
        read_template(body)
    assert (await wire.call("PUT", "/sim/templates", body))[0] == 400


FORM = "c2a6355b-9724-4f7e-9653-d33fcb3311bb.schema"
ASKED = {
    "question_id": "q_1",
    "question_title": "拒绝 PO-1001",
    "question_desc": "请填写",
    "form_btn_text": "待填写",
    "card_status": "pending",
}
FIELDS = [
    {"name": "reason", "label": "原因", "type": "TEXT_AREA", "required": True},
    {"name": "day", "label": "日期", "type": "DATE"},
]


async def form_shown(wire, **changes):
    """Show a form and return its card as the control API has it."""
    values = {**ASKED, "form": orjson.dumps({"fields": FIELDS}).decode(), **changes}
    await wire.card(cardTemplateId=FORM, cardData={"cardParamMap": values})
    query = {"conversation": WAREHOUSE, "viewer": "keeper01"}
    return (await wire.call("GET", "/sim/messages", params=query))[1]["items"][-1]["card"]


@pytest.mark.parametrize(
    ("button", "entered", "params"),
    [
        (
            "确定",
            {"reason": "太贵\n再谈", "day": "2026-06-06"},
            {"form": {"reason": "太贵\n再谈", "day": "2026-06-06"}},
        ),
        ("确定", {"reason": "太贵"}, {"form": {"reason": "太贵"}}),
        ("取消", {"reason": "太贵"}, {"user_cancel": "true"}),
    ],
    ids=["all", "without a day", "cancelled"],
)
async def test_the_public_form_sends_what_was_filled_in(wire, button, entered, params):
    card = await form_shown(wire)
    assert (card["title"], card["markdown"], card["tips"]) == ("拒绝 PO-1001", "请填写", "待填写")
    _, sent = await click(wire, entered, button)
    assert sent == {"actionIds": ["q_1"], "params": params}


@pytest.mark.parametrize("changes", [{"card_status": "expired"}, {"form": "nonsense"}, {"form": "[]"}])
async def test_a_form_that_is_over_or_malformed_shows_no_fields(wire, changes):
    card = await form_shown(wire, **changes)
    assert card["fields"] == []


async def test_what_is_no_day_is_not_sent(wire):
    await form_shown(wire)
    status, _ = await click(wire, {"reason": "x", "day": "soon"}, "确定")
    assert status == 400
