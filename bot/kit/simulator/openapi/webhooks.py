"""Session webhooks and custom group robots (docs: platform/dingtalk/robots.md#session-webhooks, #custom-robots)."""

from __future__ import annotations

import base64
import hashlib
import hmac

from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.flow_control import CustomRobot
from bot.kit.simulator.openapi.dispatch import Json, SimApiCall, SimApiRoute, SimOapiError
from bot.kit.simulator.openapi.message_bodies import from_webhook

_OK: Json = {"errcode": 0, "errmsg": "ok"}
_SKEW_MS = 3_600_000
_CUSTOM_ROBOT = "群机器人"


def send_by_session(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /robot/sendBySession?session=…`; needs no token and spends no call of the month."""
    conversation_id = engine.credentials.sessions.peek(call.query.get("session"))
    conversation = engine.chat.conversations.get(conversation_id or "")
    if conversation is None or engine.faults.trigger("session_expired"):
        raise SimOapiError(300001, "session 不存在")
    _check_json(call)
    engine.flow.use()
    fields = from_webhook(engine, call.body)
    if fields is not None:
        engine.chat.add_message(conversation, sender=None, **fields)
    return _OK


def send_by_robot(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /robot/send?access_token=…[&timestamp=…&sign=…]`."""
    robot = engine.robots.get(call.query.get("access_token", ""))
    if robot is None:
        raise SimOapiError(300005, "token is not exist")
    _check_json(call)
    _check_sign(engine, robot, call)
    unique = call.body.get("msgUuid")
    if isinstance(unique, str) and unique in robot.seen:
        return _OK
    fields = from_webhook(engine, call.body)
    if not robot.admits(engine.config.now().timestamp()):
        raise SimOapiError(130101, "send too fast, exceed 20 times per minute")
    engine.flow.use()
    if isinstance(unique, str):
        robot.seen[unique] = None
    if fields is not None:
        conversation = engine.chat.conversations[robot.conversation_id]
        engine.chat.add_message(conversation, sender=None, robot=_CUSTOM_ROBOT, **fields)
    return _OK


def _check_json(call: SimApiCall) -> None:
    if call.content_type != "application/json":
        raise SimOapiError(43004, "无效的HTTP HEADER Content-Type")
    if not call.body:
        raise SimOapiError(40035, "缺少参数 json")


def _check_sign(engine: SimEngine, robot: CustomRobot, call: SimApiCall) -> None:
    if not robot.secret:
        return
    timestamp = call.query.get("timestamp", "")
    if not timestamp.isdigit() or abs(engine.milliseconds() - int(timestamp)) > _SKEW_MS:
        raise SimOapiError(310000, "错误描述:无效的时间戳;解决方案:请使用当前的毫秒时间戳;")
    if not hmac.compare_digest(call.query.get("sign", ""), sign(robot.secret, timestamp)):
        raise SimOapiError(310000, "错误描述:签名不匹配;解决方案:请检查加签密钥;")


def sign(secret: str, timestamp: str) -> str:
    """Return base64 of HMAC-SHA256 over timestamp, newline and secret, keyed with the secret."""
    text = f"{timestamp}\n{secret}"
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


ROUTES = (
    SimApiRoute(
        method="POST", path="/robot/sendBySession", serve=send_by_session, host="oapi", token=False, billed=False
    ),
    SimApiRoute(method="POST", path="/robot/send", serve=send_by_robot, host="oapi", token=False, billed=False),
)
