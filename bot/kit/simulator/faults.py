"""Faults: failures of the real platform, on demand, with a probability and a countdown."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class InvalidFault(ValueError):
    """A fault, or a setting of a fault, that does not exist."""


@dataclass(slots=True)
class SimFault:
    """One fault. ``rate`` is the probability of each strike, ``count`` the number of strikes left (None: unlimited)."""

    name: str
    label: Mapping[str, str]
    help: Mapping[str, str]
    on: bool = False
    rate: float = 1.0
    count: int | None = None
    delay_ms: int = 0
    api: str = ""
    """Strikes only calls whose ``METHOD path`` contains this text; empty: all."""
    code: str = ""
    """The code of the refusal; empty: the fault's usual one."""
    default_delay_ms: int = field(default=0)

    def render(self) -> dict[str, Any]:
        """Return the fault for the control API."""
        return {
            "on": self.on,
            "rate": self.rate,
            "count": self.count,
            "delayMs": self.delay_ms,
            "api": self.api,
            "code": self.code,
            "label": dict(self.label),
            "help": dict(self.help),
        }

    def clear(self) -> None:
        """Switch it off and restore the defaults."""
        self.on, self.rate, self.count, self.delay_ms = False, 1.0, None, self.default_delay_ms
        self.api = self.code = ""


class _FaultText(NamedTuple):
    """One line of the table below: label and help in Chinese and English."""

    name: str
    zh: str
    en: str
    help_zh: str
    help_en: str
    delay_ms: int = 0


_TABLE: tuple[_FaultText, ...] = (
    _FaultText(
        "disconnect",
        "断开通知",
        "Disconnect frame",
        "推送后发送 disconnect 帧，10 秒后强制断开",
        "after a push the connection is told to go and is cut 10 s later",
    ),
    _FaultText(
        "reset", "连接重置", "TCP reset", "推送时连接被重置，该帧丢失", "the connection is cut instead of the push"
    ),
    _FaultText(
        "half_open",
        "半开连接",
        "Half-open connection",
        "连接静默：不再收发，但服务端仍向其推送",
        "silence both ways, yet pushes still go to that connection",
    ),
    _FaultText(
        "duplicate_push",
        "重复推送",
        "Duplicate push",
        "同一消息立即推送两次",
        "each message is pushed twice, with another messageId",
    ),
    _FaultText(
        "no_redelivery", "不重推", "No redelivery", "未确认的消息不再重推", "a message without ACK is not pushed again"
    ),
    _FaultText(
        "drop_offline",
        "离线丢弃",
        "Drop while offline",
        "没有连接时消息丢弃而不是排队",
        "without a connection messages are lost instead of queued",
    ),
    _FaultText(
        "quota_payload",
        "推送额度用尽",
        "Push quota used up",
        "推送缺少正文，errorCode 20001",
        "messages come without text, with errorCode 20001",
    ),
    _FaultText(
        "unpublished_bot",
        "应用未发布",
        "Version not published",
        "消息缺少 senderStaffId 与 isAdmin",
        "messages lack senderStaffId and isAdmin",
    ),
    _FaultText(
        "slow_open", "开连接缓慢", "Slow open", "connections/open 延迟应答", "connections/open answers late", 3_000
    ),
    _FaultText(
        "open_401", "开连接 401", "Open: 401", "connections/open 返回 authFailed", "connections/open says authFailed"
    ),
    _FaultText("open_503", "开连接 503", "Open: 503", "connections/open 返回 503", "connections/open says 503"),
    _FaultText(
        "open_close",
        "连上即断",
        "Closed at once",
        "连接建立后立即被关闭（诱发重连风暴）",
        "every connection is closed right after the handshake",
    ),
    _FaultText(
        "html_error", "HTML 错误页", "HTML error page", "接口返回 502 与 HTML", "calls are answered 502 with HTML"
    ),
    _FaultText(
        "waf",
        "WAF 拦截",
        "WAF block",
        "接口返回 status 1111 的拦截报文，并要求等待",
        "calls are answered with the edge's own body, which asks to wait",
        5_000,
    ),
    _FaultText("slow_api", "接口缓慢", "Slow API", "接口延迟应答", "calls are answered late", 3_000),
    _FaultText(
        "api_reset", "接口重置", "API reset", "接口连接被重置，未执行", "the call's connection is cut, nothing is done"
    ),
    _FaultText(
        "lying_timeout",
        "已执行但无应答",
        "Lying timeout",
        "操作已完成，但始终没有应答",
        "the work is done, the answer never comes",
        15_000,
    ),
    _FaultText("qps_limit", "QPS 限流", "QPS limit", "接口返回 QpsLimit", "calls are refused with QpsLimit"),
    _FaultText(
        "refused",
        "按错误码拒绝",
        "Refused by code",
        "接口返回所填错误码（默认为每分钟限流）",
        "calls are refused with the code that is set, by default the limit per minute",
    ),
    _FaultText(
        "quota_exhausted",
        "月度额度用尽",
        "Monthly quota used up",
        "计费接口返回 ApiCountLimitForOrg",
        "billed calls are refused with ApiCountLimitForOrg",
    ),
    _FaultText(
        "scope_denied", "缺少权限点", "Scope denied", "接口返回缺少权限点", "calls are refused for a missing permission"
    ),
    _FaultText(
        "invalid_auth",
        "令牌失效",
        "Invalid token",
        "接口返回 InvalidAuthentication",
        "calls are refused with InvalidAuthentication",
    ),
    _FaultText(
        "system_busy", "系统繁忙", "System busy", "接口返回 500 system.busy", "calls are answered 500 system.busy"
    ),
    _FaultText(
        "deliver_failed",
        "投放失败",
        "Delivery failed",
        "HTTP 200 但 deliverResults 失败",
        "HTTP 200, yet the deliverResult has failed",
    ),
    _FaultText(
        "template_unpublished",
        "模板未发布",
        "Template not published",
        "创建卡片返回 templateUnpublished",
        "creating a card says templateUnpublished",
    ),
    _FaultText(
        "card_exists_error",
        "重复卡片报错",
        "Card exists",
        "重复 outTrackId 返回 cardAlreadyExist 而不是静默成功",
        "a repeated outTrackId is an error instead of a no-op",
    ),
    _FaultText(
        "no_params_id",
        "回调缺 params.id",
        "Callback without params.id",
        "卡片回调不带 params.id",
        "card callbacks leave params.id out",
    ),
    _FaultText(
        "no_action_ids",
        "回调缺 actionIds",
        "Callback without actionIds",
        "卡片回调不带 actionIds",
        "card callbacks leave actionIds out",
    ),
    _FaultText(
        "slow_toast",
        "回调应答迟到",
        "Late click answer",
        "机器人的应答在途中延迟，客户端提示失败",
        "the bot's answer to a click is held up on its way",
        2_500,
    ),
    _FaultText(
        "late_ack_applies",
        "迟到应答仍生效",
        "Late answer applies",
        "超过 2 秒的应答仍更新卡片",
        "an answer after 2 s still changes the card",
    ),
    _FaultText(
        "session_expired",
        "会话地址过期",
        "Session expired",
        "sessionWebhook 返回 300001",
        "session webhooks say 300001",
    ),
)


class SimFaults:
    """All switches. ``on_change`` is called when a switch changes, including at the end of its countdown."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._faults = {
            row.name: SimFault(
                row.name,
                {"zh": row.zh, "en": row.en},
                {"zh": row.help_zh, "en": row.help_en},
                delay_ms=row.delay_ms,
                default_delay_ms=row.delay_ms,
            )
            for row in _TABLE
        }
        self.active: dict[str, SimFault] = {}
        """The active switches; usually empty, which is all that the hot path checks."""
        self.on_change: Callable[[], None] | None = None

    def trigger(self, name: str, api: str = "") -> SimFault | None:
        """Return the fault if it strikes this time, and count it down."""
        fault = self.active.get(name)
        if fault is None or fault.api not in api or (fault.rate < 1 and self._dice.random() >= fault.rate):
            return None
        if fault.count is not None:
            fault.count -= 1
            if fault.count <= 0:
                self.set(name, on=False)
        return fault

    def set(self, name: str, **settings: Any) -> None:
        """Switch one fault: ``on``, ``rate`` (0…1), ``count`` (None: unlimited), ``delay_ms``, ``api``, ``code``.
        Raises `InvalidFault`.

        Switching on without a count means unlimited.
        """
        fault = self._faults.get(name)
        if fault is None:
            raise InvalidFault(f"no fault is called {name!r}")
        if settings.get("on") and not fault.on:
            settings.setdefault("count", None)
        for key, value in settings.items():
            _check(key, value)
        for key, value in settings.items():
            setattr(fault, key, value)
        if fault.count is not None and fault.count <= 0:
            fault.on, fault.count = False, None
        if fault.on:
            self.active[name] = fault
        else:
            self.active.pop(name, None)
        self._changed()

    def merge(self, wanted: Mapping[str, Any]) -> None:
        """Set some of the switches, in the form of the control API.

        Raises `InvalidFault` before anything is changed.
        """
        changes = {name: self._settings(name, part) for name, part in wanted.items()}
        for name, settings in changes.items():
            self.set(name, **settings)

    def clear(self) -> None:
        """Switch all faults off."""
        for fault in self._faults.values():
            fault.clear()
        self.active.clear()
        self._changed()

    def render(self) -> dict[str, Any]:
        """Return all switches for the control API."""
        return {name: fault.render() for name, fault in self._faults.items()}

    def _settings(self, name: str, part: Any) -> dict[str, Any]:
        """Return the checked settings of one fault, without its descriptive keys."""
        if name not in self._faults:
            raise InvalidFault(f"no fault is called {name!r}")
        if not isinstance(part, dict):
            raise InvalidFault(f"{name}: an object is expected")
        settings = {_ATTRIBUTES.get(str(key), str(key)): value for key, value in part.items() if key not in _READ_ONLY}
        for key, value in settings.items():
            _check(key, value)
        return settings

    def _changed(self) -> None:
        if self.on_change is not None:
            self.on_change()


_ATTRIBUTES = {"on": "on", "rate": "rate", "count": "count", "delayMs": "delay_ms", "api": "api", "code": "code"}
_READ_ONLY = frozenset({"label", "help"})


def _check(key: str, value: Any) -> None:
    """Raise `InvalidFault` for a setting that does not exist or is out of range."""
    good = {
        "on": isinstance(value, bool),
        "rate": _is_number(value) and 0 <= value <= 1,
        "count": value is None or (_is_number(value) and isinstance(value, int) and value >= 0),
        "delay_ms": _is_number(value) and isinstance(value, int) and value >= 0,
        "api": isinstance(value, str),
        "code": isinstance(value, str),
    }
    if not good.get(key, False):
        raise InvalidFault(f"bad value for {key}: {value!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
