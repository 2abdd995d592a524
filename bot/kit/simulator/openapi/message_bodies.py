"""Bodies of ordinary messages from both API families, converted for display in the chat.

Docs: platform/dingtalk/robots.md#session-webhooks, #message-types
"""

from __future__ import annotations

from typing import Any

import orjson

from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.openapi.dispatch import Json, SimApiError, SimOapiError

MAX_PARAM_BYTES = 15_000
MAX_BODY_BYTES = 20_000
_MAX_AT = 50

Fields = dict[str, Any]

_REQUIRED = {
    "sampleText": ("content",),
    "sampleMarkdown": ("title", "text"),
    "sampleImageMsg": ("photoURL",),
    "sampleLink": ("text", "title", "messageUrl"),
    "sampleActionCard": ("title", "text", "singleTitle", "singleURL"),
    "sampleActionCard6": ("title", "text", "buttonTitle1", "buttonUrl1", "buttonTitle2", "buttonUrl2"),
    "sampleAudio": ("mediaId", "duration"),
    "sampleFile": ("mediaId", "fileName", "fileType"),
    "sampleVideo": ("duration", "videoMediaId", "videoType"),
    **{
        f"sampleActionCard{count}": (
            "title",
            "text",
            *(f"action{part}{number}" for number in range(1, count + 1) for part in ("Title", "URL")),
        )
        for count in range(2, 6)
    },
}


def from_sample(engine: SimEngine, body: Json) -> Fields:
    """Return the message of a `msgKey` with its `msgParam`; raises `SimApiError`."""
    key = body.get("msgKey")
    if not isinstance(key, str) or not key:
        raise SimApiError("invalidParameter.msgKey.empty")
    if key not in _REQUIRED:
        raise SimApiError("invalidParameter.msgKey.invalid")
    text = body.get("msgParam")
    if not isinstance(text, str):
        raise SimApiError("msgParam.invalid", "msgParam must be JSON text")
    if len(text.encode()) > MAX_PARAM_BYTES:
        raise SimApiError("msgParam.tooLong")
    try:
        param = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise SimApiError("msgParam.invalid") from error
    if not isinstance(param, dict):
        raise SimApiError("msgParam.invalid")
    for name in _REQUIRED[key]:
        if not isinstance(param.get(name), str) or not param[name]:
            raise SimApiError(f"miss.param.{name}")
    return _sample_fields(engine, key, param)


def from_webhook(engine: SimEngine, body: Json) -> Fields | None:
    """Return the message of a session or robot webhook; None for `empty`. Raises `SimOapiError`."""
    kind = body.get("msgtype")
    if kind == "empty":
        return None
    content = body.get(kind) if isinstance(kind, str) else None
    if not isinstance(content, dict):
        raise SimOapiError(40035, "缺少参数 或参数格式错误")
    if len(orjson.dumps(body)) > MAX_BODY_BYTES:
        raise SimOapiError(460101, "消息体过大")
    at = body.get("at")
    ids = at.get("atUserIds") if isinstance(at, dict) else None
    at_ids = tuple(user_id for user_id in ids if isinstance(user_id, str)) if isinstance(ids, list) else ()
    if len(at_ids) > _MAX_AT:
        raise SimOapiError(40035, "at 人数超过限制")
    return {**_webhook_fields(engine, str(kind), content), "at_user_ids": at_ids}


def _webhook_fields(engine: SimEngine, kind: str, content: Json) -> Fields:
    if kind == "text":
        return {"msgtype": "text", "text": _needed(content, "content")}
    if kind == "markdown":
        return {"msgtype": "markdown", "title": _needed(content, "title"), "text": _needed(content, "text")}
    if kind == "link":
        return {
            "msgtype": "link",
            "title": _needed(content, "title"),
            "text": _needed(content, "text"),
            "url": _needed(content, "messageUrl"),
            "picture_url": picture_url(engine, content.get("picUrl")),
        }
    if kind == "actionCard":
        return {
            "msgtype": "actionCard",
            "title": _needed(content, "title"),
            "text": _needed(content, "text"),
            "buttons": _action_buttons(content),
        }
    if kind == "feedCard" and isinstance(content.get("links"), list):
        links = [link for link in content["links"] if isinstance(link, dict)]
        text = "\n\n".join(f"[{_needed(link, 'title')}]({_needed(link, 'messageURL')})" for link in links)
        return {"msgtype": "markdown", "title": "feedCard", "text": text}
    raise SimOapiError(400105, "不支持的消息类型")


def _action_buttons(content: Json) -> tuple[tuple[str, str], ...]:
    if content.get("singleTitle"):
        return ((_needed(content, "singleTitle"), _needed(content, "singleURL")),)
    buttons = content.get("btns")
    if not isinstance(buttons, list) or not buttons:
        raise SimOapiError(40035, "缺少参数 btns")
    return tuple((_needed(button, "title"), _needed(button, "actionURL")) for button in buttons)


def _needed(content: Any, name: str) -> str:
    value = content.get(name) if isinstance(content, dict) else None
    if not isinstance(value, str) or not value:
        raise SimOapiError(40035, f"缺少参数 {name}")
    return value


def _sample_fields(engine: SimEngine, key: str, param: Json) -> Fields:
    title, text = param.get("title", ""), param.get("text", "")
    if key == "sampleText":
        return {"msgtype": "text", "text": param["content"]}
    if key == "sampleMarkdown":
        return {"msgtype": "markdown", "title": title, "text": text}
    if key == "sampleImageMsg":
        return {"msgtype": "image", "picture_url": picture_url(engine, param["photoURL"])}
    if key == "sampleLink":
        picture = picture_url(engine, param.get("picUrl"))
        return {"msgtype": "link", "title": title, "text": text, "url": param["messageUrl"], "picture_url": picture}
    if key.startswith("sampleActionCard"):
        return {"msgtype": "actionCard", "title": title, "text": text, "buttons": _sample_buttons(key, param)}
    media_id = param.get("mediaId") or param.get("videoMediaId")
    name = param.get("fileName") or f"{key.removeprefix('sample').lower()}.{param.get('videoType', 'amr')}"
    return {"msgtype": "file", "file_name": name, "url": picture_url(engine, media_id)}


def _sample_buttons(key: str, param: Json) -> tuple[tuple[str, str], ...]:
    if key == "sampleActionCard":
        return ((param["singleTitle"], param["singleURL"]),)
    prefix, address = ("buttonTitle", "buttonUrl") if key.endswith("6") else ("actionTitle", "actionURL")
    count = 2 if key.endswith("6") else int(key[-1])
    return tuple((param[f"{prefix}{n}"], param[f"{address}{n}"]) for n in range(1, count + 1))


def picture_url(engine: SimEngine, value: Any) -> str:
    """Return a web address unchanged, and a media id as an address of this simulator."""
    if not isinstance(value, str) or not value:
        return ""
    return f"/sim/media?id={value}" if engine.media.get(value) is not None else value
