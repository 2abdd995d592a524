from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cards.card import Click
from bot.dingtalk.callbacks import parse_click
from bot.dingtalk.card_wire import CardTemplate, card_params, own_template
from bot.dingtalk.errors import BadPayload
from tests.dingtalk.conftest import stock_card
from tests.dingtalk.test_messages import JSON
from tests.examples import examples
from tests.rows import each_row

CALLBACK: Mapping[str, Any] = {
    "extension": "{}",
    "corpId": "dingcorp0001",
    "spaceType": "im",
    "spaceId": "cidKp3Lr==",
    "userIdType": 1,
    "type": "actionCallback",
    "userId": "manager4220",
    "outTrackId": "po-1001-3f0c9a",
}


def click(content: Any = ..., **changes: Any) -> Click:
    """Parse a callback whose ``content`` is, as on the wire, JSON text; ``...`` leaves it out."""
    wrapped = {} if content is ... else {"content": content if isinstance(content, str) else json.dumps(content)}
    return parse_click({**CALLBACK, **wrapped, **changes})


def private(**values: Any) -> dict[str, Any]:
    return {"cardPrivateData": values}


def test_a_click() -> None:
    found = click(private(actionIds=["approve"], params={"action": "approve", "po": "PO-1001"}))
    assert (found.track_id, found.user_id, found.corp_id) == ("po-1001-3f0c9a", "manager4220", "dingcorp0001")
    assert (found.space_id, found.space_type) == ("cidKp3Lr==", "im")
    assert found.token == "approve"
    assert found.values == {"po": "PO-1001"}


@each_row(
    "content",
    [
        private(params={"action": "approve", "id": "no", "actionId": "no"}, actionIds=["no"]),
        private(params={"id": "approve", "actionId": "no"}, actionIds=["no"]),
        private(params={"actionId": "approve"}, actionIds=["no"]),
        private(params={}, actionIds=["approve", "no"]),
        private(params=None, actionIds=[None, "", "approve"]),
        private(actionIds=["approve"]),
        private(actionIds='["approve"]', params="{}"),
        {"actionId": "approve", **private(params={})},
        {"actionId": "no", "actionData": private(params={"id": "approve"})},
        {"actionId": "no", "actionData": json.dumps(private(params={"id": "approve"}))},
        {"actionData": {"actionId": "approve"}},
        {"actionId": "approve"},
        {"params": {"id": "approve"}},
        {"cardPrivateData": json.dumps({"params": {"id": "approve"}})},
    ],
)
def test_where_a_token_may_be(content: Any) -> None:
    assert click(content).token == "approve"


@each_row("content", [..., "", "not JSON", "null", "[]", None, 5])
def test_value_stands_in_for_content(content: Any) -> None:
    value = json.dumps(private(params={"id": "approve"}))
    assert click(content, value=value).token == "approve"


@each_row("content", [..., "", "not JSON", {}, private(), private(params=[], actionIds={}), [1]])
@each_row("extension", ["{}", "", "not JSON", None, {"a": 1}])
def test_a_click_without_a_token(content: Any, extension: Any) -> None:
    found = click(content, extension=extension)
    assert (found.token, dict(found.values)) == ("", {})


def test_beside_the_content() -> None:
    assert click(actionId="approve").token == "approve"
    assert click(actionData=private(actionIds=["approve"])).token == "approve"


def test_already_decoded_or_not_at_all() -> None:
    content = private(params={"id": "approve"})
    assert parse_click({**CALLBACK, "content": content}).token == "approve"
    assert parse_click(json.dumps({**CALLBACK, "content": json.dumps(content)})).token == "approve"
    assert parse_click(json.dumps({**CALLBACK, "content": content}).encode()).token == "approve"


def test_forms() -> None:
    params = {"id": "reject", "form": {"reason": "太贵", "date": "2026-06-06"}, "pick": {"index": 0, "value": "a"}}
    assert click(private(params=params)).values == {
        "reason": "太贵",
        "date": "2026-06-06",
        "pick": {"index": 0, "value": "a"},
    }


@each_row("key", ["outTrackId", "userId"])
@each_row("value", [None, "", [], {}])
def test_a_click_on_nothing_or_by_nobody(key: str, value: Any) -> None:
    with pytest.raises(BadPayload):
        parse_click({**CALLBACK, key: value})


@each_row("data", [None, "", "x", [], 5, b"\x00"])
def test_what_is_no_callback(data: Any) -> None:
    with pytest.raises(BadPayload):
        parse_click(data)


def test_both_forms_of_our_buttons_come_back() -> None:
    button = json.loads(card_params(stock_card(), CardTemplate())["sys_full_json_obj"])["msgButtons"][0]
    assert click(private(params=button["params"])).token == "ask|8|/stock"
    assert click(private(actionIds=[button["id"]])).token == "ask|8|/stock"
    event = json.loads(card_params(stock_card(), own_template("x"))["btns"])[0]["event"]["params"]
    assert click(private(params=event["params"], actionIds=["node_1"])).token == "ask|8|/stock"
    assert click(private(params={}, actionIds=[event["actionId"]])).token == "ask|8|/stock"


KEYS = st.sampled_from([*CALLBACK, "content", "value", "actionId", "actionData", "cardPrivateData"])


@settings(max_examples=examples(3))
@given(data=JSON, changes=st.dictionaries(KEYS, JSON, max_size=6))
def test_arbitrary_json_gives_a_click_or_a_bad_payload(data: Any, changes: dict[str, Any]) -> None:
    deep = {**CALLBACK, "content": json.dumps({"cardPrivateData": {"params": data, "actionIds": data}})}
    for raw in (data, changes, {**CALLBACK, **changes}, {**deep, **changes}):
        for sent in (raw, json.dumps(raw)):
            try:
                found = parse_click(sent)
            except BadPayload:
                continue
            assert found.track_id
            assert found.user_id
            found.token.encode()
