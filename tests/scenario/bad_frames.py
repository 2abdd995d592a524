"""What a gateway should never send, each with its ACK, if it can have one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from bot.kit.simulator.push_dispatcher import CALLBACK, CARD_CALLBACK, EVENT, MESSAGES, SYSTEM
from tests.scenario.notice_checks import Notice

_SCREW = "SKU123 "
_UNANSWERED: Mapping[str, Any] = {"response": None}

MESSAGE_ID = "bad-frame"


@dataclass(frozen=True, slots=True, kw_only=True)
class BadFrame:
    """A ``text`` that is sent as it is.

    ``ack``: code and data of the ACK under `MESSAGE_ID`, None where there can be none. ``title`` is how the answer's
    title begins where the frame still contains a question.
    """

    text: str
    ack: tuple[int, Any] | None = None
    title: str = ""
    logs: tuple[str, ...] = ()


def _frame(*without: str, headers: Mapping[str, Any] = {}, **changes: Any) -> str:
    """Return a frame of a bot message that is correct except for the changes."""
    frame: dict[str, Any] = {
        "specVersion": "1.0",
        "type": CALLBACK,
        "headers": {
            "contentType": "application/json",
            "messageId": MESSAGE_ID,
            "time": "1769851697756",
            "topic": MESSAGES,
            **headers,
        },
        "data": "",
        **changes,
    }
    return orjson.dumps({key: value for key, value in frame.items() if key not in without}).decode()


def question(content: str, **changes: Any) -> str:
    """Return the data of a bot message; ``{group}`` and ``{msg_id}`` are filled in when it is sent."""
    return orjson.dumps(
        {
            "conversationId": "{group}",
            "conversationType": "2",
            "msgId": "{msg_id}",
            "senderStaffId": "keeper01",
            "msgtype": "text",
            "text": {"content": content},
            **changes,
        }
    ).decode()


def _unreadable(text: str) -> BadFrame:
    return BadFrame(text=text, logs=("stream.bad_frame",))


def _bad_data(data: Any, topic: str = MESSAGES) -> BadFrame:
    text = _frame(data=data, headers={"topic": topic})
    return BadFrame(text=text, ack=(400, _UNANSWERED), logs=("stream.bad_data",))


def _nobody(topic: Any) -> BadFrame:
    text = _frame(headers={"topic": topic}, data="{}")
    return BadFrame(text=text, ack=(404, _UNANSWERED), logs=("stream.unknown_topic",))


def _system(topic: str, data: Any, ack: tuple[int, Any] | None = None) -> BadFrame:
    return BadFrame(text=_frame(type=SYSTEM, headers={"topic": topic}, data=data), ack=ack)


UNREADABLE: Mapping[str, BadFrame] = {
    "an empty frame": _unreadable(""),
    "broken JSON": _unreadable('{"specVersion": "1.0", "type": "CALL'),
    "plain words": _unreadable("502 Bad Gateway"),
    "a page": _unreadable("<html><body>502</body></html>"),
    "a JSON list": _unreadable("[1, 2, 3]"),
    "a JSON number": _unreadable("42"),
    "a JSON null": _unreadable("null"),
    "lists nested too deeply": _unreadable("[" * 100_000),
    "no headers": _unreadable('{"type": "CALLBACK", "data": "{}"}'),
    "headers that are a list": _unreadable('{"type": "CALLBACK", "headers": []}'),
    "header without its s": _unreadable('{"type": "CALLBACK", "header": {"messageId": "bad-frame"}}'),
}

TYPES: Mapping[str, BadFrame] = {
    "a type that nobody knows": BadFrame(text=_frame(type="GREETING"), logs=("stream.unknown_type",)),
    "a type in small letters": BadFrame(text=_frame(type="callback"), logs=("stream.unknown_type",)),
    "a type that is a number": BadFrame(text=_frame(type=1), logs=("stream.unknown_type",)),
    "no type": BadFrame(text=_frame("type"), logs=("stream.unknown_type",)),
    "an event that nobody handles is asked for again": BadFrame(
        text=_frame(type=EVENT, headers={"topic": "*", "eventType": "bpms_task_change", "eventId": "e1"}, data="{}"),
        ack=(404, {"status": "LATER", "message": "no handler for this topic"}),
        logs=("stream.unknown_topic",),
    ),
    "a topic that nobody handles": _nobody("/v1.0/graph/api/invoke"),
    "a topic in capitals": _nobody(MESSAGES.upper()),
    "a topic that is a list": _nobody([MESSAGES]),
    "no topic": _nobody(None),
    "a system topic of the future": _system("MAINTENANCE", "{}"),
    "a sign of life of another SDK": _system("KEEPALIVE", "{}"),
    "a ping with an odd mark is echoed": _system(
        "ping", '{"opaque": "\\u202e<&>\\"😀"}', (200, {"opaque": '\u202e<&>"😀'})
    ),
    "a ping with a number for a mark is echoed": _system("ping", '{"opaque": 5}', (200, {"opaque": 5})),
    "a ping without data is answered": _system("ping", None, (200, {})),
}

DATA: Mapping[str, BadFrame] = {
    "data that is no JSON": _bad_data("{oops"),
    "data that is a JSON list": _bad_data("[]"),
    "data that is a JSON text": _bad_data('"hello"'),
    "data that is a number": _bad_data(5),
    "data that is a list": _bad_data([1]),
    "data that is null": _bad_data(None),
    "data that is an empty object": _bad_data("{}"),
    "a click whose data is no JSON": _bad_data("oops", CARD_CALLBACK),
    "a click whose data is a list": _bad_data("[]", CARD_CALLBACK),
    "a click without data": _bad_data("", CARD_CALLBACK),
    "data that is decoded already": BadFrame(
        text=_frame(data=orjson.loads(question("/stock SKU123"))), ack=(200, _UNANSWERED), title=_SCREW
    ),
    "half an emoji costs one sign": BadFrame(
        text=_frame(data=question("/stock NONE-1HALF").replace("HALF", "\\ud83d")),
        ack=(200, _UNANSWERED),
        title=Notice.NOT_FOUND,
    ),
    "a lone half of an emoji": BadFrame(
        text=_frame(data=question("HALF").replace("HALF", "\\udfff")), ack=(200, _UNANSWERED), title=Notice.HELP
    ),
}

HEADERS: Mapping[str, BadFrame] = {
    "headers that nobody knows and a time that is none": BadFrame(
        text=_frame(data=question("/stock SKU123"), headers={"time": "soon", "x": {"y": 1}, "appId": 7}),
        ack=(200, _UNANSWERED),
        title=_SCREW,
    ),
    "no version and more keys": BadFrame(
        text=_frame("specVersion", data=question("/stock SKU123"), time=1, trace=[]),
        ack=(200, _UNANSWERED),
        title=_SCREW,
    ),
    "no messageId: answered, though nobody can be told": BadFrame(
        text=_frame(data=question("/stock SKU123"), headers={"messageId": None}),
        title=_SCREW,
        logs=("stream.no_message_id",),
    ),
    "neither messageId nor msgId: nothing tells it from others": BadFrame(
        text=_frame(data=question("/stock SKU123", msgId=None), headers={"messageId": None}),
        logs=("stream.bad_data", "stream.no_message_id"),
    ),
}

FRAMES: Mapping[str, BadFrame] = {**UNREADABLE, **TYPES, **DATA, **HEADERS}
