"""Frames of the stream connection: decoded from bytes, answered by ACKs.

Docs: platform/dingtalk/stream.md#frames, #acks, #system-frames, #redelivery
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

from bot.dingtalk.errors import BadPayload
from bot.dingtalk.sdk import AckMessage, CallbackMessage, ChatbotMessage, EventMessage, Headers

_BOT_TOPICS: Final = frozenset({ChatbotMessage.TOPIC, ChatbotMessage.DELEGATE_TOPIC})
_HEADERS: Final = {
    "appId": "app_id",
    "connectionId": "connection_id",
    "contentType": "content_type",
    "messageId": "message_id",
    "topic": "topic",
    "eventCorpId": "event_corp_id",
    "eventId": "event_id",
    "eventType": "event_type",
    "eventUnifiedAppId": "event_unified_app_id",
}
_MILLISECONDS: Final = {"time": "time", "eventBornTime": "event_born_time"}
_FIELDS: Final = frozenset({"specVersion", "type", "headers", "data"})


class BadFrame(ValueError):
    """Text from the gateway that is not a frame and cannot be answered. The message gives the reason."""


class Frame(NamedTuple):
    """One message of the gateway. A field that is missing or of an unexpected type is an empty string."""

    type: str
    topic: str
    message_id: str
    headers: Mapping[str, Any]
    body: Mapping[str, Any]
    """The whole decoded frame; its ``data`` is still a JSON string."""


class Push:
    """A callback in the form our handlers get."""

    __slots__ = ("_text", "data", "message_id", "topic")

    def __init__(self, frame: Frame, data: dict[str, Any]) -> None:
        self.topic = frame.topic
        self.message_id = frame.message_id
        self.data = data
        """The frame's ``data``, decoded."""
        self._text = frame.body.get("data")

    @property
    def text(self) -> str:
        """``data`` as the original JSON text."""
        return self._text if isinstance(self._text, str) and self._text else orjson.dumps(self.data).decode()


class FrameReply(NamedTuple):
    """The content of an ACK. ``data`` is a JSON string. A failure is not ``settled``: a redelivery is handled again."""

    code: int
    message: str
    data: str
    settled: bool


def read_frame(payload: bytes | str) -> Frame:
    """Decode one WebSocket message. Raises `BadFrame`."""
    try:
        body = _decode(payload)
    except ValueError:
        raise BadFrame("not JSON") from None
    if not isinstance(body, dict):
        raise BadFrame("not a JSON object")
    headers = body.get("headers")
    if not isinstance(headers, dict):
        raise BadFrame("no headers")
    return Frame(
        type=_text(body.get("type")),
        topic=_text(headers.get("topic")),
        message_id=_text(headers.get("messageId")),
        headers=headers,
        body=body,
    )


def read_data(frame: Frame) -> dict[str, Any]:
    """Decode the frame's ``data``, which is JSON inside JSON; missing data is an empty object. Raises `BadPayload`."""
    data = frame.body.get("data")
    if data is None or data == "":
        return {}
    if isinstance(data, str):
        try:
            data = _decode(data)
        except ValueError:
            raise BadPayload("data is not JSON") from None
    if not isinstance(data, dict):
        raise BadPayload("data is not a JSON object")
    return data


def dedupe_key(frame: Frame, data: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the id that a redelivery keeps; None if there is none.

    A redelivered bot message keeps its ``msgId``, an event its ``eventId``; whether ``messageId`` survives a redelivery
    is unknown (docs: platform/dingtalk/stream.md#redelivery). Card callbacks have no identity but their ``messageId``:
    two clicks on one button have the same content and are two clicks.
    """
    if frame.type == EventMessage.TYPE:
        own = frame.headers.get("eventId")
    elif frame.topic in _BOT_TOPICS:
        own = data.get("msgId")
    else:
        own = None
    key = _text(own) or frame.message_id
    return (frame.topic, key) if key else None


def callback_message(frame: Frame, data: dict[str, Any]) -> CallbackMessage:
    """Return the frame as the SDK's type, bypassing the SDK's parser, which fails on an unusual header."""
    return _fill(CallbackMessage(), frame, data)


def event_message(frame: Frame, data: dict[str, Any]) -> EventMessage:
    """Return the frame as the SDK's type; see `callback_message`."""
    return _fill(EventMessage(), frame, data)


def callback_reply(value: object) -> FrameReply:
    """Return the ACK of a handled callback. Raises `TypeError` for a value that is not JSON."""
    if value is None:
        return EMPTY_REPLY
    data = orjson.dumps({"response": value}, default=_plain).decode()
    return FrameReply(AckMessage.STATUS_OK, "OK", data, settled=True)


def failure_reply(code: int, message: str) -> FrameReply:
    """Return the ACK of a callback that could not be handled."""
    return FrameReply(code, message, EMPTY_REPLY.data, settled=False)


def event_reply(code: int, message: str, *, again: bool) -> FrameReply:
    """Return the ACK of an event; ``again`` asks the gateway to redeliver it later.

    Docs: platform/dingtalk/stream.md#acks
    """
    data = orjson.dumps({"status": "LATER" if again else "SUCCESS", "message": message}).decode()
    return FrameReply(code, message, data, settled=not again)


def write_ack(message_id: str, answer: FrameReply) -> bytes:
    """Return the ACK frame of ``answer`` as compact JSON."""
    return orjson.dumps(
        {
            "code": answer.code,
            "headers": {"contentType": Headers.CONTENT_TYPE_APPLICATION_JSON, "messageId": message_id},
            "message": answer.message,
            "data": answer.data,
        }
    )


def ping_reply(frame: Frame) -> bytes:
    """Return the answer to a ``ping``: the same data string under the same ``messageId``.

    Docs: platform/dingtalk/stream.md#system-frames
    """
    data = frame.body.get("data")
    text = data if isinstance(data, str) else "{}"
    return write_ack(frame.message_id, FrameReply(AckMessage.STATUS_OK, "OK", text, settled=True))


EMPTY_REPLY: Final = FrameReply(AckMessage.STATUS_OK, "OK", '{"response":null}', settled=True)


def _decode(text: bytes | str) -> Any:
    """Decode JSON. Raises `ValueError`.

    A name or text cut inside an emoji holds half a surrogate pair: invalid UTF-8, but no reason to lose the message.
    The half becomes a question mark.
    """
    try:
        return orjson.loads(text)
    except ValueError:
        pass
    try:
        return orjson.loads(json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8", "replace"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _fill(message: Any, frame: Frame, data: dict[str, Any]) -> Any:
    headers = message.headers
    for name, value in frame.headers.items():
        if name in _HEADERS:
            setattr(headers, _HEADERS[name], value)
        elif name in _MILLISECONDS:
            setattr(headers, _MILLISECONDS[name], _milliseconds(value))
        else:
            headers.extensions[name] = value
    message.spec_version = frame.body.get("specVersion", "")
    message.extensions = {name: value for name, value in frame.body.items() if name not in _FIELDS}
    message.data = data
    return message


def _milliseconds(value: object) -> int | None:
    """Return a time header, a number as a string; None for anything else."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _plain(value: object) -> dict[object, object]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
