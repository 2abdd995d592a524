"""The decoded ``data`` of pushed frames: bot messages and card callbacks.

Docs: platform/dingtalk/messages.md, platform/dingtalk/callbacks.md#clicks
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from bot.kit.simulator.cards import CardInstance, SimButton
from bot.kit.simulator.chat import SimConversation
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.enterprise import SimPerson, opaque_id

GROUP_TYPES = frozenset({"text", "richText", "picture"})
"""Message types with which a bot can be @-mentioned in a group; audio, video and files reach it one-to-one only."""


def bot_user_id(config: SimulatorConfig) -> str:
    """Return the bot's own encrypted id, which is among `atUsers`."""
    return f"$:LWCP_v1:${opaque_id('bot', config.client_id)}"


def without_mention(text: str, robot: str) -> str:
    """Return the text as a group bot gets it: without its own mention, but with the blank after it."""
    mention = f"@{robot}"
    return text.replace(mention, "", 1) if mention in text else f" {text}"


def bot_message(
    config: SimulatorConfig,
    conversation: SimConversation,
    sender: SimPerson,
    *,
    msg_id: str,
    msgtype: str,
    content: Mapping[str, Any] | None,
    text: str,
    created: int,
    session: tuple[str, float],
    at_users: Sequence[SimPerson] = (),
    published: bool = True,
) -> dict[str, Any]:
    """Return the payload of topic `/v1.0/im/bot/messages/get`. ``session``: webhook address and its expiry in
    seconds.
    """
    bot = bot_user_id(config)
    payload: dict[str, Any] = {
        "conversationId": conversation.id,
        "chatbotCorpId": config.corp_id,
        "chatbotUserId": bot,
        "msgId": msg_id,
        "senderNick": sender.name,
        "sessionWebhookExpiredTime": int(session[1] * 1000),
        "createAt": created,
        "conversationType": "2" if conversation.kind == "group" else "1",
        "senderId": sender.dingtalk_id,
        "senderPlatform": "Win",
        "sessionWebhook": session[0],
        "robotCode": config.client_id,
        "msgtype": msgtype,
    }
    if conversation.kind == "group":
        payload["conversationTitle"] = conversation.title
        payload["isInAtList"] = True
        payload["atUsers"] = [{"dingtalkId": bot}, *(_at_user(person) for person in at_users)]
    else:
        payload["openThreadId"] = conversation.id
    if not sender.external:
        payload["senderCorpId"] = config.corp_id
        payload["senderUnionId"] = sender.union_id
        if published:
            payload["senderStaffId"] = sender.user_id
            payload["isAdmin"] = sender.admin
    if msgtype == "text":
        payload["text"] = {"content": text, **(content or {})}
    else:
        payload["content"] = dict(content or {})
    return payload


_USED_UP = "推送额度已用尽"


def without_text(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the message as sent after the organisation's push quota is used up.

    Docs: platform/dingtalk/limits.md#push-quota
    """
    kept = {key: value for key, value in payload.items() if key not in {"text", "content"}}
    return {**kept, "errorCode": 20001, "errorMessage": _USED_UP}


def without_content() -> dict[str, Any]:
    """Return an event's data after the organisation's push quota is used up."""
    return {"errCode": 20001, "errMsg": _USED_UP}


def card_callback(
    config: SimulatorConfig,
    card: CardInstance,
    conversation: SimConversation,
    person: SimPerson,
    *,
    action_ids: Sequence[str],
    params: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the payload of topic `/v1.0/card/instances/callback`: JSON text within JSON text.

    Docs: platform/dingtalk/callbacks.md#clicks
    """
    content = orjson.dumps({"cardPrivateData": {"actionIds": list(action_ids), "params": dict(params)}}).decode()
    return {
        "extension": "{}",
        "corpId": config.corp_id,
        "spaceType": "im",
        "spaceId": conversation.id,
        "userIdType": card.user_id_type,
        "type": "actionCallback",
        "userId": person.union_id if card.user_id_type == 2 else person.user_id,
        "outTrackId": card.out_track_id,
        "content": content,
        "value": content,
    }


def click_params(button: SimButton | None, extra: Mapping[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """Return `actionIds` and `params` of a click.

    Both carry the button's id, whatever the button's form, unless it has an action id of its own. Docs:
    platform/dingtalk/templates.md#buttons
    """
    params = {**(button.params if button is not None else {}), **extra}
    if button is not None and button.action_id:
        return [button.action_id], params
    id_ = button.id if button is not None else str(params.get("id") or "")
    if button is not None and button.id:
        params.setdefault("id", button.id)
    return ([id_] if id_ else []), params


def _at_user(person: SimPerson) -> dict[str, str]:
    who = {"dingtalkId": person.dingtalk_id}
    return who if person.external else {**who, "staffId": person.user_id, "unionId": person.union_id}
