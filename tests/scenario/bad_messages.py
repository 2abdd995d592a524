"""Messages that DingTalk distorts or leaves incomplete, and senders about whom the bot knows little or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.scenario.notice_checks import Notice

_SCREW = "SKU123 "
_STOCK = "/stock SKU123"
_WHOAMI = "/whoami"


@dataclass(frozen=True, slots=True, kw_only=True)
class BadMessage:
    """A message whose payload keys are replaced by ``raw``; None removes a key.

    ``direct``: in the keeper's own chat with the bot. ``title`` is how the answer's title begins, empty for no answer;
    ``as_text``: the answer is a text, because no card can be sent. ``ack`` is the code of the ACK, ``logs`` are the
    log's entries.
    """

    title: str
    text: str = _STOCK
    msgtype: str = "text"
    content: Mapping[str, Any] | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)
    says: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    direct: bool = False
    as_text: bool = False
    ack: int = 200
    logs: tuple[str, ...] = ()


def _bent(raw: Mapping[str, Any], title: str = _SCREW, *says: str, text: str = _STOCK) -> BadMessage:
    return BadMessage(title=title, text=text, raw=raw, says=says)


def _kind(msgtype: str, content: Mapping[str, Any], title: str, *says: str) -> BadMessage:
    in_groups = msgtype in {"picture", "richText"}
    return BadMessage(title=title, text="", msgtype=msgtype, content=content, says=says, direct=not in_groups)


def _rich(parts: object, title: str, *says: str) -> BadMessage:
    return _kind("richText", {"richText": parts}, title, *says)


KINDS: Mapping[str, BadMessage] = {
    "a picture that DingTalk does not have": replace(
        _kind("picture", {"downloadCode": "x"}, Notice.HINT, "图片"), logs=("picture.not_fetched",)
    ),
    "a picture without a code to fetch it by": _kind("picture", {}, Notice.HINT, "图片", _STOCK),
    "a file": _kind("file", {"fileName": "po.xlsx", "downloadCode": "x"}, Notice.HINT, "文件"),
    "a video whose length is a text": _kind("video", {"duration": "5"}, Notice.HINT, "视频"),
    "a voice message with words in it": _kind("audio", {"recognition": "查库存 SKU123。"}, _SCREW),
    "a voice message without words": _kind("audio", {"duration": 3200}, Notice.HINT, "语音"),
    "a voice message whose words are no text": _kind("audio", {"recognition": ["x"]}, Notice.HINT, "语音"),
    "rich text with the bot's mention, words and a picture": _rich(
        [{"text": "@ERP 助手 /stock "}, {"type": "picture"}, {"text": "SKU123"}], _SCREW
    ),
    "rich text with nothing but a picture": _rich([{"type": "picture"}], Notice.HINT, "图片"),
    "rich text with nothing but the bot's mention": _rich([{"text": "@ERP 助手"}], Notice.HELP),
    "rich text without any parts": _rich([], Notice.HELP),
    "rich text whose parts are no list": _rich("/stock", Notice.HELP),
    "rich text whose parts are no objects": _rich([1, None, "x", [{}]], Notice.HELP),
    "a message of the kind unknown": _kind("unknownMsgType", {"unknownMsgType": "x"}, Notice.HINT, "暂不支持", _STOCK),
    "a card sent to the bot": _kind("interactiveCard", {}, Notice.HINT, "暂不支持"),
    "a forwarded chat": _kind("chatRecord", {"chatRecord": "[]"}, Notice.HINT, "暂不支持"),
    "a kind of message of the future": _kind("hologram", {"x": 1}, Notice.HINT, "暂不支持"),
    "a message of no kind": _bent({"msgtype": None}, Notice.HINT, "暂不支持"),
    "a kind that is a list": _bent({"msgtype": ["text"]}, Notice.HINT, "暂不支持"),
}

PAYLOADS: Mapping[str, BadMessage] = {
    "no text, for the quota of pushes is used up": _bent(
        {"text": None, "errorCode": 20001, "errorMessage": "推送额度已用尽"}, Notice.QUOTA, "管理员"
    ),
    "the code of the used up quota travels as a text": _bent({"text": None, "errorCode": "20001"}, Notice.QUOTA),
    "an error code although there is a text": _bent({"errorCode": 20001}),
    "a text without its text": _bent({"text": None}, Notice.HELP),
    "a text whose words are null": _bent({"text": {"content": None}}, Notice.HELP),
    "a text that is a list": _bent({"text": [1, 2]}, Notice.HELP),
    "a text that is the words alone": _bent({"text": _STOCK}),
    "a text that is JSON inside JSON": _bent({"text": '{"content": "/stock SKU123"}'}),
    "a text that is a number": _bent({"text": {"content": 987654321}}, Notice.NOT_FOUND, "“987654321”"),
    "keys that nobody knows": _bent({"brandNew": {"a": [1]}, "k" * 300: None, "atUsers": "oops"}),
    "an answer to a message that is gone": _bent({"text": {"content": _STOCK, "isReplyMsg": True, "repliedMsg": None}}),
    "no msgId": _bent({"msgId": None}),
    "a msgId that is a list": _bent({"msgId": [1]}),
    "a msgId of 5 000 characters": _bent({"msgId": "x" * 5_000}),
    "no conversation": BadMessage(title="", raw={"conversationId": None}, ack=400, logs=("stream.bad_data",)),
    "a conversation that is a list": BadMessage(
        title="", raw={"conversationId": ["x"]}, ack=400, logs=("stream.bad_data",)
    ),
    "a conversation that DingTalk does not know is answered by webhook": BadMessage(
        title=_SCREW,
        raw={"conversationId": "cidNobody=="},
        as_text=True,
        logs=("answer_way_failed", "answer_way_failed"),
    ),
    "a kind of conversation that is a number": _bent({"conversationType": 2}),
    "no kind of conversation": _bent({"conversationType": None}),
    "no session webhook": _bent({"sessionWebhook": None}),
    "a session webhook that is a file": _bent({"sessionWebhook": "file:///etc/passwd"}),
    "a session webhook that ends in the year 300 000": _bent({"sessionWebhookExpiredTime": 10**16}),
    "the time is a text": _bent({"createAt": "1769851697312"}),
    "the time is a word": _bent({"createAt": "yesterday"}),
    "the time is too large for any calendar": _bent({"createAt": 1e300}),
    "there is no time": _bent({"createAt": None}),
    "the robot code is the word normal": _bent({"robotCode": "normal"}),
    "there is no robot code": _bent({"robotCode": None}),
    "the robot code of another bot is answered by webhook": BadMessage(
        title=_SCREW,
        raw={"robotCode": "dingsomebodyelse"},
        direct=True,  # in the group outsiders may have written before: its webhook tells nothing then
        as_text=True,
        logs=("answer_way_failed", "answer_way_failed"),
    ),
}

SENDERS: Mapping[str, BadMessage] = {
    "no staffId in a group": _bent({"senderStaffId": None}, Notice.EXTERNAL, "本企业成员", "管理员发布"),
    "no staffId in a direct chat": BadMessage(
        title=Notice.EXTERNAL, raw={"senderStaffId": None}, direct=True, as_text=True
    ),
    "an empty staffId": _bent({"senderStaffId": ""}, Notice.EXTERNAL),
    "a staffId that is a list": _bent({"senderStaffId": ["keeper01"]}, Notice.EXTERNAL),
    "a stranger's picture is no exception": BadMessage(
        title=Notice.EXTERNAL, msgtype="picture", text="", content={}, raw={"senderStaffId": None}
    ),
    "a colleague who is mentioned first": _bent(
        {"atUsers": [{"dingtalkId": "$:LWCP_v1:$x", "staffId": "sales01"}]}, text="@李娜 /stock SKU123"
    ),
    "a staffId that the directory does not know": BadMessage(
        title=Notice.EXTERNAL, raw={"senderStaffId": "ghost"}, logs=("directory.no_member",)
    ),
    "a staffId that is a number": BadMessage(
        title=Notice.EXTERNAL, raw={"senderStaffId": 42}, logs=("directory.no_member",)
    ),
    "an empty nick": _bent({"senderNick": ""}, "王仓", "keeper01", text=_WHOAMI),
    "a nick that is missing": _bent({"senderNick": None}, "王仓", text=_WHOAMI),
    "a nick of 5 000 characters": _bent({"senderNick": "王" * 5_000}, "王王王", "…", text=_WHOAMI),
    "a nick with markup": BadMessage(
        title="＊＊x＊＊ ＜b＞［a］",
        text=_WHOAMI,
        raw={"senderNick": "**x** <b>[a](http://b)"},
        never=("**x", "<b>", "[a]"),
    ),
    "a nick that is a template": _bent({"senderNick": "{{ 7*7 }}"}, "{{ 7＊7 }}", text=_WHOAMI),
    "the mark of an administrator as a text": _bent({"isAdmin": "true"}, "王仓", "管理员", text=_WHOAMI),
    "the mark of an administrator as a number is none": BadMessage(
        title="王仓", text=_WHOAMI, raw={"isAdmin": 1}, never=("管理员",)
    ),
}

MESSAGES: Mapping[str, BadMessage] = {**KINDS, **PAYLOADS, **SENDERS}
