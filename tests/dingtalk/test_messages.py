from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.message import ConversationKind, Mention, Message, MessageKind, Picture
from bot.dingtalk.errors import BadPayload
from bot.dingtalk.messages import parse_message
from tests.dingtalk.conftest import NOW
from tests.examples import examples
from tests.rows import each_row

BOT = "$:LWCP_v1:$BotAAAAAAAAAAAAA=="
IN_GROUP: Mapping[str, Any] = {
    "conversationId": "cidKp3Lr+/00==",
    "atUsers": [{"dingtalkId": BOT}],
    "chatbotCorpId": "dingcorp0001",
    "chatbotUserId": BOT,
    "msgId": "msgZc1Q==",
    "senderNick": "王小明",
    "isAdmin": False,
    "senderStaffId": "manager4220",
    "sessionWebhookExpiredTime": 1769857097756,
    "createAt": 1769851697312,
    "senderCorpId": "dingcorp0001",
    "conversationType": "2",
    "senderId": "$:LWCP_v1:$UserBBBBBBBBBBBB==",
    "senderPlatform": "Win",
    "conversationTitle": "采购群",
    "isInAtList": True,
    "sessionWebhook": "https://oapi.dingtalk.com/robot/sendBySession?session=0f1e2d3c",
    "text": {"content": " /stock SKU123"},
    "robotCode": "dingappkey0001",
    "msgtype": "text",
}


def parse(robot_names: tuple[str, ...] = ("ErpBot", "ERP 助手"), **changes: Any) -> Message:
    """Parse the sample with changed keys; a key set to ``...`` is left out."""
    raw = {key: value for key, value in {**IN_GROUP, **changes}.items() if value is not ...}
    return parse_message(raw, robot_names=robot_names, fallback_id="frame-1", now=lambda: NOW)


def rich(*pieces: Any, **changes: Any) -> Message:
    return parse(msgtype="richText", text=..., content={"richText": list(pieces)}, **changes)


def test_a_text_in_a_group() -> None:
    message = parse()
    assert message.msg_id == "msgZc1Q=="
    assert (message.kind, message.text) == (MessageKind.TEXT, "/stock SKU123")
    assert message.conversation.id == "cidKp3Lr+/00=="
    assert (message.conversation.kind, message.conversation.title) == (ConversationKind.GROUP, "采购群")
    assert (message.sender.staff_id, message.sender.nick) == ("manager4220", "王小明")
    assert (message.sender.corp_id, message.sender.is_admin) == ("dingcorp0001", False)
    assert message.sent_at == datetime(2026, 1, 31, 9, 28, 17, 312000, tzinfo=UTC)
    assert message.robot_code == "dingappkey0001"
    assert message.webhook is not None
    assert message.webhook.expires_at == datetime(2026, 1, 31, 10, 58, 17, 756000, tzinfo=UTC)
    assert message.mentions == ()
    assert message.quoted_text == ""
    assert "0f1e2d3c" not in repr(message)


def test_data_may_be_decoded_or_not() -> None:
    assert parse_message(json.dumps(IN_GROUP)) == parse_message(orjson.dumps(IN_GROUP)) == parse_message(IN_GROUP)


def test_a_direct_text() -> None:
    message = parse(
        conversationType="1", atUsers=..., isInAtList=..., conversationTitle=..., text={"content": "/stock"}
    )
    assert (message.conversation.kind, message.conversation.title) == (ConversationKind.DIRECT, "")
    assert message.text == "/stock"


@each_row(
    ("changes", "kind"),
    [
        ({"conversationType": 2}, ConversationKind.GROUP),
        ({"conversationType": 1}, ConversationKind.DIRECT),
        ({"conversationType": ...}, ConversationKind.GROUP),
        (
            {"conversationType": ..., "conversationTitle": ..., "isInAtList": ..., "atUsers": ...},
            ConversationKind.DIRECT,
        ),
    ],
)
def test_the_kind_of_conversation(changes: dict[str, Any], kind: ConversationKind) -> None:
    assert parse(**changes).conversation.kind is kind


@each_row(
    "said",
    [
        "\u2005/stock SKU123\u2005",
        "\u00a0\u3000/stock SKU123\u200b",
        "\ufeff\u200e/stock SKU123\u200d \n",
        "\t/stock SKU123\x00".replace("\x00", ""),
        "@ErpBot /stock SKU123",
        "/stock SKU123 @erpbot",
        "@ERP 助手/stock SKU123",
    ],
)
def test_odd_blanks_and_the_bots_own_name_are_gone(said: str) -> None:
    assert parse(text={"content": said}).text == "/stock SKU123"


@each_row("said", ["@ErpBot2 /stock", "@李四 /stock", "/stock 螺丝 @上海仓", "a\u2005b"])
def test_other_words_stay(said: str) -> None:
    assert parse(text={"content": said}).text == said


@each_row(
    ("changes", "said"),
    [
        ({"text": None}, ""),
        ({"text": ...}, ""),
        ({"text": {"content": None}}, ""),
        ({"text": {"content": 123}}, "123"),
        ({"text": "bare words"}, "bare words"),
        ({"text": '{"content":"once more decoded"}'}, "once more decoded"),
        ({"text": ["list"]}, ""),
        ({"text": ..., "content": {"content": "in content"}}, "in content"),
        ({"text": {"content": "half \ud83d emoji"}}, "half ? emoji"),
    ],
)
def test_texts_that_are_bent(changes: dict[str, Any], said: str) -> None:
    message = parse(**changes)
    assert (message.kind, message.text) == (MessageKind.TEXT, said)
    message.text.encode()


def test_rich_text_with_the_bots_literal_name() -> None:
    message = rich(
        {"text": "@ErpBot "},
        {"type": "picture", "downloadCode": "m"},
        {"text": "/stock"},
        {"type": "at", "atName": "李四", "atUserId": "u"},
        {"text": "\n"},
    )
    assert (message.kind, message.text) == (MessageKind.RICH_TEXT, "/stock@李四")


@each_row(
    "pieces",
    [
        [{"text": "@谁知道叫什么 /stock SKU123"}],
        [{"text": "@谁知道叫什么"}, {"text": "\u2005/stock SKU123"}],
        [{"type": "at", "atName": "机器人", "atUserId": BOT}, {"text": " /stock SKU123"}],
        [{"text": "@谁知道/stock SKU123"}],
    ],
)
def test_in_rich_text_a_leading_mention_is_the_bots_when_nobody_else_is_mentioned(pieces: list[Any]) -> None:
    assert rich(*pieces, robot_names=()).text == "/stock SKU123"


def test_in_rich_text_a_leading_mention_stays_when_somebody_else_is_mentioned() -> None:
    others = [{"dingtalkId": BOT}, {"dingtalkId": "$:x", "staffId": "lisi"}]
    assert rich({"text": "@李四 /stock"}, robot_names=(), atUsers=others).text == "@李四 /stock"


def test_rich_text_with_nothing_but_pictures_is_a_picture() -> None:
    assert rich({"type": "picture", "downloadCode": "m"}, {"text": "\n"}).kind is MessageKind.PICTURE


@pytest.mark.parametrize("code", ["downloadCode", "pictureDownloadCode"])
def test_pictures_can_be_fetched(code: str) -> None:
    expected = Picture("mIof", "dingappkey0001")
    assert parse(msgtype="picture", text=..., content={code: "mIof"}).picture == expected
    assert (
        rich({"type": "picture"}, {"type": "picture", code: "mIof"}, {"type": "picture", code: "x"}).picture == expected
    )
    assert "mIof" not in repr(expected)


@each_row("content", [None, {}, {"downloadCode": None}, {"downloadCode": ["m"]}])
def test_a_picture_that_cannot_be_fetched(content: Any) -> None:
    message = parse(msgtype="picture", text=..., content=content)
    assert (message.kind, message.picture) == (MessageKind.PICTURE, None)


def test_words_win_over_the_picture_beside_them() -> None:
    message = rich({"text": "库存 SKU123"}, {"type": "picture", "downloadCode": "mIof"})
    assert (message.text, message.picture) == ("库存 SKU123", None)


@each_row("content", [None, {}, {"richText": None}, {"richText": [None, 1, "x", {}]}, [], "x"])
def test_rich_text_that_is_bent(content: Any) -> None:
    message = parse(msgtype="richText", text=..., content=content)
    assert (message.kind, message.text) == (MessageKind.RICH_TEXT, "")


@each_row(
    ("msgtype", "content", "kind", "said"),
    [
        ("audio", {"duration": 3200, "recognition": "查库存 SKU123 "}, MessageKind.AUDIO, "查库存 SKU123"),
        ("audio", {"duration": 3200}, MessageKind.AUDIO, ""),
        ("picture", {"downloadCode": "mIof"}, MessageKind.PICTURE, ""),
        ("video", {"duration": "5", "videoType": "mp4"}, MessageKind.VIDEO, ""),
        ("file", {"fileName": "po.xlsx"}, MessageKind.FILE, ""),
        ("unknownMsgType", {"unknownMsgType": "x"}, MessageKind.UNKNOWN, ""),
        ("interactiveCard", {}, MessageKind.UNKNOWN, ""),
        ("chatRecord", None, MessageKind.UNKNOWN, ""),
        (None, {}, MessageKind.UNKNOWN, ""),
        ("TEXT", {"content": "x"}, MessageKind.TEXT, "x"),
    ],
)
def test_other_kinds(msgtype: Any, content: Any, kind: MessageKind, said: str) -> None:
    message = parse(msgtype=msgtype, text=..., content=content)
    assert (message.kind, message.text) == (kind, said)


@pytest.mark.parametrize("code", [20001, "20001"])
def test_an_exhausted_quota_leaves_the_text_out(code: Any) -> None:
    message = parse(text=..., errorCode=code, errorMessage="quota exhausted")
    assert (message.kind, message.text) == (MessageKind.QUOTA_EXHAUSTED, "")


@each_row(
    "changes",
    [
        {"text": {"content": " 同意", "repliedMsg": {"msgType": "text", "content": {"text": "PO-1001 待审批"}}}},
        {"text": {"content": "同意", "repliedMsg": {"msgType": "text", "content": '{"text":"PO-1001 待审批"}'}}},
        {
            "text": {
                "content": "同意",
                "repliedMsg": {"content": {"richText": [{"msgType": "text", "content": "PO-1001 待审批"}]}},
            }
        },
        {"text": {"content": "同意", "repliedMsg": {"content": {"title": "PO-1001 待审批", "summary": "x"}}}},
        {"quoteMessage": {"msgtype": "text", "text": {"content": "PO-1001 待审批"}}},
        {"content": {"quoteContent": "PO-1001 待审批"}},
    ],
)
def test_quoted_words(changes: dict[str, Any]) -> None:
    assert parse(**changes).quoted_text == "PO-1001 待审批"


@each_row(
    ("changes", "own"),
    [
        ({"text": {"content": "同意", "repliedMsg": {"senderId": BOT, "content": {"title": "PO-1001"}}}}, True),
        ({"text": {"content": "同意", "repliedMsg": {"senderId": "$:x", "content": {"title": "PO-1001"}}}}, False),
        ({"text": {"content": "同意", "repliedMsg": {"content": {"title": "PO-1001"}}}}, False),
        ({"quoteMessage": {"senderId": BOT, "text": {"content": "PO-1001"}}}, True),
        ({"text": {"content": "同意", "repliedMsg": {"senderId": ""}}, "chatbotUserId": ""}, False),
        ({}, False),
    ],
)
def test_only_what_the_bot_certainly_wrote_counts_as_its_own(changes: dict[str, Any], own: bool) -> None:
    assert parse(**changes).quotes_bot is own


@each_row("replied", [None, {}, {"content": None}, {"content": {"downloadCode": "m"}}, "x", 5])
def test_a_quote_without_words(replied: Any) -> None:
    assert parse(text={"content": "同意", "repliedMsg": replied}).quoted_text == ""


def test_mentions_are_all_but_the_bot() -> None:
    users = [{"dingtalkId": BOT}, {"dingtalkId": "$:1", "staffId": "lisi"}, {"dingtalkId": "$:2", "staffId": ""}, 7]
    assert parse(atUsers=users).mentions == (Mention("lisi"), Mention(None))


@each_row("staff_id", [..., "", None, [], {}])
def test_people_outside_the_organisation(staff_id: Any) -> None:
    assert parse(senderStaffId=staff_id).sender.staff_id is None


def test_numbers_may_be_text() -> None:
    message = parse(createAt="1769851697312", sessionWebhookExpiredTime="1769857097756", senderStaffId=4220)
    assert message == parse(senderStaffId="4220")


@each_row("created", [..., None, "x", True, 1e300, "nan", "inf", -1e18, 10**400, {}])
def test_a_time_that_is_none(created: Any) -> None:
    assert parse(createAt=created).sent_at == NOW


def test_a_webhook_without_its_time_lives_ninety_minutes() -> None:
    webhook = parse(sessionWebhookExpiredTime=...).webhook
    assert webhook is not None
    assert webhook.expires_at == parse().sent_at + timedelta(minutes=90)


@each_row("url", [..., None, "", "javascript:x", 5])
def test_no_webhook(url: Any) -> None:
    assert parse(sessionWebhook=url).webhook is None


@each_row("missing", [..., None, "", []])
def test_the_frames_id_stands_in(missing: Any) -> None:
    assert parse(msgId=missing).msg_id == "frame-1"


@each_row(
    "data", [None, 5, "", "x", "[]", b"\xff", [], "null", "[" * 100_000, {}, {"conversationId": ""}, '{"msgId":"m"}']
)
def test_what_is_no_message(data: Any) -> None:
    with pytest.raises(BadPayload):
        parse_message(data, fallback_id="frame-1")


def test_a_message_without_any_id() -> None:
    with pytest.raises(BadPayload):
        parse_message({"conversationId": "cid"})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(
    [
        *IN_GROUP,
        "content",
        "errorCode",
        "quoteMessage",
        "senderUnionId",
    ]
)
KINDS = st.sampled_from(["text", "richText", "audio", "picture", "video", "file", "x"])


@settings(max_examples=examples(1))
@given(data=JSON, changes=st.dictionaries(KEYS, JSON, max_size=6), kind=KINDS)
def test_arbitrary_json_gives_a_message_or_a_bad_payload(data: Any, changes: dict[str, Any], kind: str) -> None:
    nested = {**IN_GROUP, "msgtype": kind, "content": {"richText": [data], "quoteContent": data}, **changes}
    for raw in (data, changes, nested, {**nested, "text": {"content": data, "repliedMsg": {"content": data}}}):
        for sent in (raw, json.dumps(raw)):
            try:
                message = parse_message(sent, robot_names=("ErpBot",), fallback_id="frame-1", now=lambda: NOW)
            except BadPayload:
                continue
            assert message.conversation.id
            assert message.sent_at.tzinfo is not None
            for words in (message.text, message.quoted_text, message.sender.nick, message.msg_id):
                words.encode()
