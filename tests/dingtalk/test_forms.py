"""Forms on the wire: the template's variables, what a submit shows, and when none is sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from bot.cards.card import CardForm, CardFormField, FormReply, FormState
from bot.cards.form import FormFieldKind
from bot.chat.message import Conversation, ConversationKind
from bot.dingtalk.card_api import CardApi
from bot.dingtalk.card_wire import CardTemplate
from bot.dingtalk.form_channel import REFUSED_FOR, DingTalkFormChannel
from bot.dingtalk.form_wire import PUBLIC_FORM, form_params, shown_response
from bot.dingtalk.openapi import OpenApi
from tests.dingtalk.test_answer_channel import CREATE_URL, KEYS, SHOWN
from tests.rows import each_row

from .conftest import FakeDingTalk

NOW = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
GROUP = Conversation("cidA==", ConversationKind.GROUP)
DIRECT = Conversation("cidB==", ConversationKind.DIRECT)
FORM = CardForm(
    language="zh_CN",
    title="为什么拒绝 PO-1001？",
    text="还没有记录。",
    fields=(
        CardFormField(name="reason", label="原因", kind=FormFieldKind.WORDS, placeholder="例如"),
        CardFormField(name="value", label="数量", kind=FormFieldKind.QUANTITY, placeholder=""),
        CardFormField(name="day", label="日期", kind=FormFieldKind.DATE, placeholder=""),
    ),
    token="po.no|c1|ab12",
)


@pytest.fixture(autouse=True)
def token(dingtalk: FakeDingTalk) -> None:
    dingtalk.token()


def channel(api: OpenApi, **changes: Any) -> DingTalkFormChannel:
    terms: dict[str, Any] = {
        "template_id": PUBLIC_FORM,
        "say": lambda language, words: str(words),
        "now": lambda: NOW,
        "spared": lambda: False,
    }
    return DingTalkFormChannel(CardApi(api), KEYS, **{**terms, **changes})


async def show(forms: DingTalkFormChannel, where: Conversation = GROUP) -> bool:
    return await forms.show(FORM, user_id="boss01", where=where, track_id="f1-a-b")


def sent(dingtalk: FakeDingTalk) -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads(dingtalk.asked(CREATE_URL)[-1]["data"])
    return body


def test_the_variables_of_the_public_template() -> None:
    params = form_params(FORM, "待填写")
    assert orjson.loads(params.pop("form")) == {
        "fields": [
            {"name": "reason", "label": "原因", "type": "TEXT_AREA", "required": True, "placeholder": "例如"},
            {"name": "value", "label": "数量", "type": "TEXT", "required": True, "placeholder": ""},
            {"name": "day", "label": "日期", "type": "DATE", "required": True, "placeholder": ""},
        ]
    }
    assert params == {
        "question_id": "po.no|c1|ab12",
        "question_title": "为什么拒绝 PO-1001？",
        "question_desc": "还没有记录。",
        "form_btn_text": "待填写",
        "card_status": "pending",
    }


@each_row("state", FormState)
def test_what_a_submit_shows(state: FormState) -> None:
    """Only an open form shows its fields; nothing is green, for what the ERP accepts is not the form's to say."""
    reply = FormReply(state=state, label="已答复", title="PO-1001", text="已记录")
    response = shown_response(reply, CardTemplate())
    params = response["cardData"]["cardParamMap"]
    assert (params["card_status"] == "pending") is (state is FormState.OPEN)
    assert params["card_status"] not in ("submitted", "processing")
    assert "form" not in params, "an open form keeps its fields"
    assert response["cardUpdateOptions"]["updateCardDataByKey"] is True


@pytest.mark.parametrize(
    ("where", "in_own_chat", "space", "recipients"),
    [
        (GROUP, False, "IM_GROUP.cidA==", ["boss01"]),
        (GROUP, True, "IM_ROBOT.boss01", None),
        (DIRECT, False, "IM_ROBOT.boss01", None),
    ],
)
async def test_it_is_for_one_person(
    api: OpenApi,
    dingtalk: FakeDingTalk,
    where: Conversation,
    in_own_chat: bool,
    space: str,
    recipients: list[str] | None,
) -> None:
    dingtalk.post(CREATE_URL, payload=SHOWN)
    assert await show(channel(api, in_own_chat=in_own_chat), where)
    body = sent(dingtalk)
    assert body["openSpaceId"] == f"dtv1.card//{space}"
    assert body.get("imGroupOpenDeliverModel", {}).get("recipients") == recipients
    assert body["cardTemplateId"] == PUBLIC_FORM
    assert body["callbackType"] == "STREAM"
    assert "PO-1001" not in orjson.dumps(body.get("imGroupOpenSpaceModel", {})).decode()


async def test_none_is_sent_while_calls_are_spared(api: OpenApi, dingtalk: FakeDingTalk) -> None:
    assert not await show(channel(api, spared=lambda: True))
    assert not dingtalk.asked(CREATE_URL)


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (400, {"code": "param.templateNotExist"}),
        (400, {"code": "param.templateUnpublished"}),
        (403, {"code": "Forbidden.AccessDenied.AccessTokenPermissionDenied"}),
    ],
)
async def test_a_refused_template_rests(
    api: OpenApi, dingtalk: FakeDingTalk, status: int, answer: dict[str, str]
) -> None:
    now = [NOW]
    forms = channel(api, now=lambda: now[0])
    dingtalk.post(CREATE_URL, status=status, payload={**answer, "requestid": "r"})
    assert not await show(forms)
    assert not await show(forms)
    assert len(dingtalk.asked(CREATE_URL)) == 1
    now[0] += REFUSED_FOR + timedelta(seconds=1)
    dingtalk.post(CREATE_URL, payload=SHOWN)
    assert await show(forms)


async def test_what_one_person_does_not_get_others_may(api: OpenApi, dingtalk: FakeDingTalk) -> None:
    failed = {"success": True, "result": {"deliverResults": [{"success": False, "errorMsg": "user not exist"}]}}
    dingtalk.post(CREATE_URL, payload=failed)
    forms = channel(api)
    assert not await show(forms)
    dingtalk.post(CREATE_URL, payload=SHOWN)
    assert await show(forms)


async def test_one_of_unknown_outcome_is_sent_again_under_its_id(api: OpenApi, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, exception=TimeoutError())
    dingtalk.post(CREATE_URL, payload=SHOWN)
    assert await show(channel(api))
    tracks = {orjson.loads(call["data"])["outTrackId"] for call in dingtalk.asked(CREATE_URL)}
    assert tracks == {"f1-a-b"}
