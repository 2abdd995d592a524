"""Messages on the bot's initiative, their recall and read status, and files sent to the bot.

Docs: platform/dingtalk/robots.md, platform/dingtalk/files.md
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.kit.simulator.chat import ChatItem, SimConversation
from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.openapi.dispatch import Json, SimApiCall, SimApiError, SimApiRoute
from bot.kit.simulator.openapi.message_bodies import from_sample

_MAX_RECIPIENTS = 20
_MAX_DING_RECEIVERS = {1: 200, 2: 20, 3: 20}
"""By way of calling: in the app, by text message, by phone."""
_MAX_PAGE = 200
_SCOPE = "qyapi_robot_sendmsg"
_DING_SCOPE = "Premium.Ding.Write"


def send_to_group(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /v1.0/robot/groupMessages/send`."""
    _check_robot(engine, call.body.get("robotCode"))
    conversation = _group(engine, call.body)
    return {"processQueryKey": _write(engine, conversation, from_sample(engine, call.body))}


def send_to_people(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /v1.0/robot/oToMessages/batchSend`: HTTP 200 even if some recipients are unknown."""
    _check_robot(engine, call.body.get("robotCode"))
    user_ids = call.body.get("userIds")
    if not isinstance(user_ids, list) or not user_ids:
        raise SimApiError("invalidParameter.userIds.empty")
    if len(user_ids) > _MAX_RECIPIENTS:
        raise SimApiError("invalidParameter.userIds.overMax")
    fields = from_sample(engine, call.body)
    chats = {user_id: engine.chat.direct_chat(user_id) for user_id in user_ids if isinstance(user_id, str)}
    key = _query_key(engine)
    for chat in chats.values():
        if chat is not None:
            engine.chat.add_message(chat, sender=None, carrier_id=key, **fields)
    invalid = [user_id for user_id in user_ids if chats.get(user_id) is None]
    return {"processQueryKey": key, "invalidStaffIdList": invalid, "flowControlledStaffIdList": []}


def send_ding(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /v1.0/robot/ding/send`: shown as a message in each person's chat.

    Docs: platform/dingtalk/robots.md#ding
    """
    _check_robot(engine, call.body.get("robotCode"))
    user_ids, content = call.body.get("receiverUserIdList"), call.body.get("content")
    most = _MAX_DING_RECEIVERS.get(call.body.get("remindType", 0))
    if most is None:
        raise SimApiError("invalidParameter.param.invalid", "remindType")
    if not isinstance(user_ids, list) or not user_ids:
        raise SimApiError("miss.staffId")
    if len(user_ids) > most:
        raise SimApiError("ding.receivercount.limit")
    if not isinstance(content, str) or not content:
        raise SimApiError("invalidParameter.param.invalid", "content")
    failed: dict[str, list[str]] = {}
    ding_id = f"ding{engine.rng.getrandbits(96):024x}"
    for user_id in map(str, user_ids):
        chat = engine.chat.direct_chat(user_id)
        if chat is None:
            failed.setdefault("user not exist", []).append(user_id)
        else:
            engine.chat.add_message(chat, sender=None, msgtype="ding", text=content, title="DING", carrier_id=ding_id)
    return {"openDingId": ding_id, "failedList": failed}


def recall_ding(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /v1.0/robot/ding/recall`: removes it from all chats. Docs: platform/dingtalk/robots.md#ding"""
    _check_robot(engine, call.body.get("robotCode"))
    ding_id = call.text("openDingId", SimApiError("invalidParameter.param.invalid", "openDingId"))
    sent = engine.chat.by_carrier(ding_id)
    if not sent:
        raise SimApiError("invalidParameter.param.invalid", "openDingId")
    _take_back(engine, sent)
    return {"openDingId": ding_id}


def recall(engine: SimEngine, call: SimApiCall) -> Json:
    """`…/groupMessages/recall` and `…/otoMessages/batchRecall`."""
    _check_robot(engine, call.body.get("robotCode"))
    keys = call.body.get("processQueryKeys")
    if not isinstance(keys, list) or not keys:
        raise SimApiError("miss.param.processQueryKeys")
    done, failed = [], {}
    for key in keys:
        if sent := engine.chat.by_carrier(key):
            _take_back(engine, sent)
            done.append(key)
        else:
            failed[str(key)] = "processQueryKey.expireTime"
    return {"successResult": done, "failedResult": failed}


def _take_back(engine: SimEngine, sent: Sequence[ChatItem]) -> None:
    for item in sent:
        item.recalled = True
    engine.chat.notify_changed(sent)


def group_read_status(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /v1.0/robot/groupMessages/query`."""
    _check_robot(engine, call.body.get("robotCode"))
    _group(engine, call.body)
    limit = call.body.get("maxResults", _MAX_PAGE)
    if not isinstance(limit, int) or not 0 < limit <= _MAX_PAGE:
        raise SimApiError("invalid.param.maxResults")
    item = _sent(engine, call.body.get("processQueryKey"))
    readers = [user_id for user_id in item.conversation.members if _read_at(item, user_id) is not None]
    return {"sendStatus": "SUCCESS", "readUserIds": readers[:limit], "hasMore": len(readers) > limit, "nextToken": ""}


def read_status(engine: SimEngine, call: SimApiCall) -> Json:
    """`GET /v1.0/robot/oToMessages/readStatus`."""
    _check_robot(engine, call.query.get("robotCode"))
    item = _sent(engine, call.query.get("processQueryKey"))
    infos = []
    for user_id in item.conversation.members:
        seen = _read_at(item, user_id)
        infos.append(
            {
                "name": engine.person(user_id).name,
                "userId": user_id,
                "readStatus": "READ" if seen is not None else "UNREAD",
                "readTimestamp": seen or 0,
            }
        )
    return {"sendStatus": "SUCCESS", "messageReadInfoList": infos}


def group_robots(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /v1.0/robot/groups/robots/query`."""
    group = _group(engine, call.body)
    ours = {"robotCode": engine.config.client_id, "name": engine.config.robot_name, "downloadIconURL": ""}
    return {"chatbotInstanceVOList": [ours] if group.bot_member else []}


def download(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /v1.0/robot/messageFiles/download`."""
    robot, code = call.body.get("robotCode"), call.body.get("downloadCode")
    if not robot or not code:
        raise SimApiError("invalidParameter.robotCode.empty")
    if robot != engine.config.client_id:
        raise SimApiError("invalidParameter.robotCode.auth")
    if not isinstance(code, str) or engine.media.get(code) is None:
        raise SimApiError("invalidParameter.robotCode.downloadCode")
    key, _ = engine.credentials.downloads.issue(code)
    return {"downloadUrl": f"{engine.base_url}/files/{key}"}


def _check_robot(engine: SimEngine, code: Any) -> None:
    if code is None:
        raise SimApiError("invalidParameter.robotCode.missing")
    if code == "":
        raise SimApiError("invalidParameter.robotCode.empty")
    if code != engine.config.client_id:
        raise SimApiError("invalidParameter.robotCode.notExsit")


def _group(engine: SimEngine, body: Json) -> SimConversation:
    wanted = body.get("openConversationId")
    if not isinstance(wanted, str) or not wanted:
        raise SimApiError("miss.openConversationId")
    conversation = engine.chat.conversations.get(wanted)
    if conversation is None or conversation.kind != "group":
        raise SimApiError("invalid.openConversationId")
    if not conversation.bot_member:
        raise SimApiError("chatbotNotInstall")
    return conversation


def _write(engine: SimEngine, conversation: SimConversation, fields: dict[str, Any]) -> str:
    key = _query_key(engine)
    engine.chat.add_message(conversation, sender=None, carrier_id=key, **fields)
    return key


def _sent(engine: SimEngine, key: Any) -> ChatItem:
    sent = engine.chat.by_carrier(key)
    if not sent:
        raise SimApiError("invalid.param.processQueryKey")
    return sent[-1]


def _read_at(item: ChatItem, user_id: str) -> int | None:
    seq, at = item.conversation.read.get(user_id, (0, 0))
    return at if seq >= item.seq else None


def _query_key(engine: SimEngine) -> str:
    return f"pqk{engine.rng.getrandbits(120):030x}"


def _robot_route(method: str, path: str, serve: Any, scope: str = _SCOPE) -> SimApiRoute:
    return SimApiRoute(method=method, path=f"/v1.0/robot/{path}", serve=serve, scope=scope)


ROUTES = (
    _robot_route("POST", "groupMessages/send", send_to_group),
    _robot_route("POST", "oToMessages/batchSend", send_to_people),
    _robot_route("POST", "ding/send", send_ding, _DING_SCOPE),
    _robot_route("POST", "ding/recall", recall_ding, _DING_SCOPE),
    _robot_route("POST", "groupMessages/recall", recall),
    _robot_route("POST", "otoMessages/batchRecall", recall),
    _robot_route("POST", "groupMessages/query", group_read_status),
    _robot_route("GET", "oToMessages/readStatus", read_status),
    _robot_route("POST", "groups/robots/query", group_robots),
    _robot_route("POST", "messageFiles/download", download),
)
