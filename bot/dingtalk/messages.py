"""Reads bot callbacks as typed messages, tolerating omissions and changes by the person's client.

Docs: platform/dingtalk/messages.md
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from bot.chat.message import (
    Conversation,
    ConversationKind,
    Mention,
    Message,
    MessageKind,
    Picture,
    Sender,
    SessionWebhook,
)
from bot.dingtalk.errors import BadPayload
from bot.dingtalk.payload import flag, items, moment, part, text, trimmed, whole_object

QUOTA_CODE = "20001"
"""The organisation's pushes are used up; text and content are then missing (docs:
platform/dingtalk/limits.md#push-quota).
"""

_WEBHOOK_LIFE = timedelta(minutes=90)
"""The lifetime of a session webhook if the message gives none (docs: platform/dingtalk/messages.md#fields)."""

_KINDS = {
    "text": MessageKind.TEXT,
    "richtext": MessageKind.RICH_TEXT,
    "audio": MessageKind.AUDIO,
    "picture": MessageKind.PICTURE,
    "video": MessageKind.VIDEO,
    "file": MessageKind.FILE,
}


@dataclass(frozen=True, slots=True)
class _Content:
    """The text of a message, still with mentions."""

    kind: MessageKind
    text: str
    download_code: str = ""
    """Of the first picture."""


def parse_message(
    data: object,
    *,
    robot_names: Collection[str] = (),
    fallback_id: str = "",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Message:
    """Return the message in a callback's ``data``, decoded or not.

    ``robot_names`` are the names by which the bot is mentioned; rich text repeats them literally. ``fallback_id`` (the
    frame's ``messageId``) replaces a missing ``msgId``, ``now`` (aware) a missing time. Raises only `BadPayload`, if
    there is no conversation or no id.
    """
    raw = whole_object(data, "bot message")
    conversation = _conversation(raw)
    msg_id = text(raw.get("msgId")) or fallback_id
    if not msg_id:
        raise BadPayload("bot message without msgId")
    sent_at = moment(raw.get("createAt")) or now()
    body = _body(raw)
    mentions = _mentions(raw)
    robot_code = text(raw.get("robotCode"))
    quotes = _has_quotation(raw)
    has_picture = body.kind is MessageKind.PICTURE and body.download_code
    return Message(
        msg_id=msg_id,
        kind=body.kind,
        text=_without_robot(body, robot_names, alone=not mentions),
        conversation=conversation,
        sender=_sender(raw),
        sent_at=sent_at,
        robot_code=robot_code,
        robot_id=text(raw.get("chatbotUserId")),
        organisation=text(raw.get("chatbotCorpId")),
        webhook=_webhook(raw, sent_at),
        mentions=mentions,
        quoted_text=_quoted(raw) if quotes else "",
        quotes_bot=quotes and _quotes_bot(raw),
        picture=Picture(body.download_code, robot_code) if has_picture else None,
    )


def write_typed(msg_id: str, line: str, *, user_id: str, conversation: str, at: datetime) -> str:
    """Return a callback's ``data`` for a line that a member types in their own chat with the bot."""
    written = {
        "msgId": msg_id,
        "msgtype": "text",
        "text": {"content": line},
        "conversationId": conversation,
        "conversationType": "1",
        "senderStaffId": user_id,
        "createAt": int(at.timestamp() * 1000),
    }
    return orjson.dumps(written).decode()


def _conversation(raw: Mapping[str, Any]) -> Conversation:
    identity = text(raw.get("conversationId"))
    if not identity:
        raise BadPayload("bot message without conversationId")
    kind = text(raw.get("conversationType"))
    # Only groups have a title and a list of mentions.
    group = kind == "2" or (kind != "1" and any(key in raw for key in ("conversationTitle", "isInAtList", "atUsers")))
    return Conversation(
        identity, ConversationKind.GROUP if group else ConversationKind.DIRECT, text(raw.get("conversationTitle"))
    )


def _sender(raw: Mapping[str, Any]) -> Sender:
    return Sender(
        staff_id=text(raw.get("senderStaffId")) or None,
        nick=text(raw.get("senderNick")),
        union_id=text(raw.get("senderUnionId")),
        corp_id=text(raw.get("senderCorpId")),
        is_admin=flag(raw.get("isAdmin")),
    )


def _webhook(raw: Mapping[str, Any], sent_at: datetime) -> SessionWebhook | None:
    url = text(raw.get("sessionWebhook"))
    if not url.startswith(("https://", "http://")):
        return None
    expires_at = moment(raw.get("sessionWebhookExpiredTime"))
    if expires_at is None:
        try:
            expires_at = sent_at + _WEBHOOK_LIFE
        except OverflowError:
            return None
    return SessionWebhook(url, expires_at)


def _mentions(raw: Mapping[str, Any]) -> tuple[Mention, ...]:
    if not (people := items(raw.get("atUsers"))):
        return ()
    robot = text(raw.get("chatbotUserId"))
    return tuple(
        [
            Mention(text(user.get("staffId")) or None)
            for user in people
            if isinstance(user, dict) and not (robot and text(user.get("dingtalkId")) == robot)
        ]
    )


def _body(raw: Mapping[str, Any]) -> _Content:
    kind = _KINDS.get(text(raw.get("msgtype")).lower(), MessageKind.UNKNOWN)
    content = part(raw.get("content"))
    if not content and not raw.get("text") and text(raw.get("errorCode")) == QUOTA_CODE:
        return _Content(MessageKind.QUOTA_EXHAUSTED, "")
    if kind is MessageKind.TEXT:
        return _Content(kind, _plain(raw.get("text")) or _plain(raw.get("content")))
    if kind is MessageKind.RICH_TEXT:
        return _rich(content, robot=text(raw.get("chatbotUserId")))
    if kind is MessageKind.AUDIO:
        return _Content(kind, text(content.get("recognition")))
    if kind is MessageKind.PICTURE:
        return _Content(kind, "", _download_code(content))
    return _Content(kind, "")


def _plain(value: object) -> str:
    """Return the text of ``{"content": …}``, which some clients shorten to the text alone."""
    content = part(value)
    return text(content.get("content")) if content else text(value)


def _rich(content: Mapping[str, Any], *, robot: str) -> _Content:
    words: list[str] = []
    pictures: list[str] = []
    for piece in items(content.get("richText")):
        if not isinstance(piece, dict):
            continue
        kind = text(piece.get("type") or piece.get("msgType")).lower()
        if kind == "picture":
            pictures.append(_download_code(piece))
        elif kind == "at":
            if not robot or text(piece.get("atUserId")) != robot:
                words.append(f"@{text(piece.get('atName')).removeprefix('@')} ")
        else:
            words.append(text(piece.get("text")) or text(piece.get("content")))
    said = "".join(words)
    if trimmed(said) or not pictures:
        return _Content(MessageKind.RICH_TEXT, said)
    return _Content(MessageKind.PICTURE, said, next(filter(None, pictures), ""))


def _download_code(picture: Mapping[str, Any]) -> str:
    return text(picture.get("downloadCode")) or text(picture.get("pictureDownloadCode"))


def _without_robot(body: _Content, robot_names: Collection[str], *, alone: bool) -> str:
    """Return the text without the bot's own mention.

    DingTalk removes it from plain text but leaves it in rich text (docs: platform/dingtalk/messages.md#mentions). If
    only the bot is mentioned, a mention at the beginning of rich text is the bot's, under any name.
    """
    said = trimmed(body.text)
    if "@" not in said:
        return said
    for name in sorted(filter(None, robot_names), key=len, reverse=True):
        said = trimmed(re.sub(rf"@{re.escape(name)}(?![0-9A-Za-z_-])", " ", said, flags=re.IGNORECASE))
    if alone and body.kind is MessageKind.RICH_TEXT and said.startswith("@"):
        said = trimmed(re.sub(r"^@[^\s\u2000-\u200b\u3000/／]+", "", said))
    return said


def _has_quotation(raw: Mapping[str, Any]) -> bool:
    """Return whether a message seems to be a reply; hardly any is."""
    if "quoteMessage" in raw:
        return True
    content = part(raw.get("content"))
    return "repliedMsg" in part(raw.get("text")) or "repliedMsg" in content or "quoteContent" in content


def _quoted(raw: Mapping[str, Any]) -> str:
    """Return the text of the message this one replies to; it comes in one of three shapes."""
    content = part(raw.get("content"))
    for carrier in (part(raw.get("text")), content):
        if replied := part(carrier.get("repliedMsg")):
            return trimmed(_quoted_words(replied.get("content")))
    if quoted := part(raw.get("quoteMessage")):
        return trimmed(_plain(quoted.get("text")) or _quoted_words(quoted.get("content")))
    return trimmed(_quoted_words(content.get("quoteContent")))


def _quotes_bot(raw: Mapping[str, Any]) -> bool:
    """Return whether this message certainly replies to one of the bot's."""
    robot = text(raw.get("chatbotUserId"))
    carriers = (
        part(raw.get("text")).get("repliedMsg"),
        part(raw.get("content")).get("repliedMsg"),
        raw.get("quoteMessage"),
    )
    return any(robot and text(part(carrier).get("senderId")) == robot for carrier in carriers)


def _quoted_words(value: object) -> str:
    if value is None:
        return ""
    content = part(value)
    if not content:
        return text(value)
    if "richText" in content:
        return _rich(content, robot="").text
    for key in ("text", "content", "recognition", "title", "summary"):
        if words := text(content.get(key)):
            return words
    return ""
