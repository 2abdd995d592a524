from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import orjson
import pytest

from bot.cards.budget import Budget
from bot.cards.card import CardReply
from bot.dingtalk.card_wire import (
    ButtonStyle,
    CardTemplate,
    TemplateChoice,
    card_params,
    click_response,
    clicked_card,
    own_template,
)
from bot.words.errors import ConfigurationError
from tests.dingtalk.conftest import stock_card
from tests.rows import each_row

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "own-card-template.md"
SHIPPED = Path(__file__).parents[2] / "docs" / "templates" / "dingerp-card.json"


def test_the_public_template() -> None:
    params = card_params(stock_card(), CardTemplate())
    assert {key: params[key] for key in ("title", "markdown", "tips")} == {
        "title": "库存 SKU123",
        "markdown": "**可用** 12",
        "tips": "截至 17:28",
    }
    assert params["logo"].startswith("@")
    assert orjson.loads(params["config"]) == {"autoLayout": True, "enableForward": False}
    assert orjson.loads(params["sys_full_json_obj"]) == {
        "msgButtons": [
            {
                "text": "下一页",
                "color": "blue",
                "id": "ask|8|/stock",
                "request": True,
                "params": {"id": "ask|8|/stock"},
            },
            {"text": "打开", "color": "gray", "url": "https://erp/1", "iosUrl": "https://erp/1"},
        ]
    }
    assert all(isinstance(value, str) for value in params.values())


def test_a_card_without_buttons_removes_those_that_were_there() -> None:
    assert card_params(stock_card(buttons=()), CardTemplate())["sys_full_json_obj"] == '{"msgButtons":[]}'


def test_a_template_of_ones_own_with_a_button_group() -> None:
    params = card_params(stock_card(), own_template("mine.schema"))
    assert set(params) == {"title", "markdown", "tips", "btns"}
    assert orjson.loads(params["btns"]) == [
        {
            "text": "下一页",
            "color": "blue",
            "status": "normal",
            "event": {
                "type": "sendCardRequest",
                "params": {"actionId": "ask|8|/stock", "params": {"id": "ask|8|/stock", "card": "stock"}},
            },
        },
        {
            "text": "打开",
            "color": "gray",
            "status": "normal",
            "event": {"type": "openLink", "params": {"url": "https://erp/1"}},
        },
    ]


def test_static_buttons_and_fields_of_the_card() -> None:
    variables = {
        "headline": "title",
        "kind": "name",
        "lang": "language",
        "free": "available",
        "first": "button1.text",
        "action1": "button1.token",
        "link2": "button2.url",
        "action3": "button3.token",
    }
    assert card_params(stock_card(), own_template("mine.schema", ButtonStyle.STATIC, variables)) == {
        "headline": "库存 SKU123",
        "kind": "stock",
        "lang": "zh_CN",
        "free": "12",
        "first": "下一页",
        "action1": "ask|8|/stock",
        "link2": "https://erp/1",
        "action3": "",
    }


@each_row("source", ["pricee", "button1", "button1.colour", "buttonx.text", ""])
def test_a_field_that_does_not_exist_is_named(source: str) -> None:
    with pytest.raises(ConfigurationError, match=f"no field “{source}”"):
        card_params(stock_card(), own_template("mine.schema", variables={"v": source}))


@each_row(
    ("parts", "missing"),
    [(["body2"], "body"), (["body", "body3"], "body2"), (["buttons2"], "buttons"), (["body", "body1"], "body2")],
)
def test_a_part_that_nothing_shows_is_an_error(parts: list[str], missing: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{parts[-1]} without {missing}$"):
        own_template("mine.schema", variables={f"v{number}": part for number, part in enumerate(parts)})


@each_row(("style", "more"), [(ButtonStyle.MSG_BUTTONS, 16), (ButtonStyle.BUTTON_GROUP, 16), (ButtonStyle.STATIC, 10)])
def test_more_bytes_are_for_more_buttons_where_the_template_draws_them(style: ButtonStyle, more: int) -> None:
    template = own_template("mine.schema", style, {"t": "title"}, buttons_bytes=2048)
    assert template.budget.max_buttons == more


def test_static_buttons_have_no_list() -> None:
    with pytest.raises(ConfigurationError, match="static"):
        own_template("mine.schema", ButtonStyle.STATIC)


def test_each_kind_of_card_may_have_its_own_template() -> None:
    mine = own_template("mine.schema")
    choice = TemplateChoice(by_card={"stock": mine})
    assert choice.of("stock") is mine
    assert choice.of("order") == CardTemplate()


def test_the_answer_of_a_click_changes_only_what_it_names() -> None:
    assert click_response(CardReply(shown=stock_card()), own_template("mine.schema", variables={"t": "title"})) == {
        "cardUpdateOptions": {"updateCardDataByKey": True, "updatePrivateDataByKey": True},
        "cardData": {"cardParamMap": {"t": "库存 SKU123"}},
    }


def test_the_answer_of_a_click_covers_the_clickers_own_values() -> None:
    reply = CardReply(shown=stock_card(), own=stock_card())
    answer = click_response(reply, own_template("mine.schema", variables={"t": "title"}))
    assert answer["userPrivateData"] == answer["cardData"]


def test_values_of_the_clickers_own_are_not_in_the_public_data() -> None:
    answer = click_response(CardReply(own=stock_card()), own_template("mine.schema", variables={"t": "title"}))
    assert (answer.get("cardData"), answer["userPrivateData"]) == (None, {"cardParamMap": {"t": "库存 SKU123"}})


def test_a_note_changes_the_tips_alone() -> None:
    note = click_response(CardReply(note="仅发给你"), CardTemplate())
    assert note["cardData"] == {"cardParamMap": {"tips": "仅发给你"}}
    assert click_response(CardReply(note="仅发给你"), own_template("mine.schema", variables={"t": "title"})) == {}


# --- the template file of the documentation ---------------------------------------------------------------------


def _editor() -> dict[str, Any]:
    exported = orjson.loads(SHIPPED.read_bytes())
    assert set(exported) == {"editorData", "widgetInfo", "type", "mode"}
    assert (exported["type"], exported["mode"]) == ("im", "card")
    editor: dict[str, Any] = orjson.loads(exported["editorData"])
    return editor


def _nodes(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *(found for child in node.get("children", []) for found in _nodes(child))]


def _guide() -> CardTemplate:
    """Return the template as the guide says that the file is named in the configuration."""
    [block] = re.findall(r"```toml\n(\[cards\.templates\.default\].*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    named = tomllib.loads(block)["cards"]["templates"]["default"]
    return own_template(named["template_id"], ButtonStyle(named["button_style"]), named["variables"])


def test_the_template_file_has_room_for_a_dozen_rows() -> None:
    budget = _guide().budget
    assert (budget.bodies, budget.button_lists, budget.max_buttons, budget.grouped) == (3, 3, 16, True)


def test_a_template_named_before_it_had_further_variables_gets_none() -> None:
    assert set(card_params(stock_card(), own_template("imported.schema"))) == {"title", "markdown", "tips", "btns"}
    assert own_template("imported.schema").budget == Budget()


def test_what_there_is_no_room_for_goes_into_the_last_variable() -> None:
    long = stock_card(body="\n\n".join("长" * 300 for _ in range(4)), buttons=stock_card().buttons[:1] * 40)
    params = card_params(long, _guide())
    assert [params[name].count("长") for name in ("markdown", "markdown2", "markdown3")] == [300, 300, 600]
    assert sum(len(orjson.loads(params[name])) for name in ("btns", "btns2", "btns3")) == 40


def test_a_shorter_card_empties_the_further_variables() -> None:
    shown = click_response(CardReply(shown=stock_card()), _guide())["cardData"]["cardParamMap"]
    assert [shown[name] for name in ("markdown2", "markdown3", "btns2", "btns3")] == ["", "", "[]", "[]"]


def test_the_template_file_declares_what_the_bot_sends() -> None:
    editor = _editor()
    params = card_params(stock_card(), _guide())
    declared = {variable["id"]: variable for variable in editor["variableList"]}
    assert set(declared) == set(params)
    assert declared["btns"]["type"] == "buttonGroup"
    assert declared["markdown"]["type"] == "markdown"
    assert not any(variable["private"] for variable in declared.values())
    assert all(variable["id"] == variable["name"] for variable in declared.values())


def test_the_template_file_draws_what_it_declares() -> None:
    editor = _editor()
    assert editor["schemaVersion"] == "3.0.0"
    [root] = editor["schema"]["componentsTree"]
    nodes = _nodes(root)
    assert len({node["id"] for node in nodes}) == len(nodes)
    known = {component["componentName"] for component in editor["schema"]["componentsMap"]}
    assert {node["componentName"] for node in nodes} == known
    drawn = orjson.dumps(root).decode()
    for variable in editor["variableList"]:
        named = f'"variable":"{variable["id"]}"' in drawn or f"${{{variable['id']}}}" in drawn
        assert named, f"nothing draws {variable['id']}"


def test_the_template_file_previews_a_card_of_the_bot() -> None:
    preview = _editor()["mockData"]["cardData"]
    params = card_params(stock_card(), _guide())
    assert set(preview) == set(params)
    event = preview["btns"][0]["event"]
    assert event.keys() == orjson.loads(params["btns"])[0]["event"].keys()


def test_a_drill_down_keeps_to_the_template_of_the_card_that_was_clicked() -> None:
    orders = own_template("orders.schema", variables={"t": "title", "late": "days_late", "btns": "buttons"})
    (button, _) = orjson.loads(card_params(stock_card(), own_template("mine.schema"))["btns"])
    assert clicked_card(button["event"]["params"]["params"]) == "stock"
    shown = click_response(CardReply(shown=stock_card()), orders)["cardData"]["cardParamMap"]
    assert (shown["t"], shown["late"]) == ("库存 SKU123", "")


@pytest.mark.parametrize(("made_as", "said"), [("stock", "stock"), ("", "order")])
def test_the_buttons_of_a_drill_down_stand_on_the_card_that_was_clicked(made_as: str, said: str) -> None:
    answer = click_response(CardReply(shown=stock_card(name="order")), own_template("mine.schema"), made_as)
    (button, _) = orjson.loads(answer["cardData"]["cardParamMap"]["btns"])
    assert clicked_card(button["event"]["params"]["params"]) == said


@each_row("values", [{}, {"card": 7}, {"card": None}])
def test_a_button_that_does_not_say_its_card(values: dict[str, object]) -> None:
    assert clicked_card(values) == ""
