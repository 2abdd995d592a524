"""DingTalk's refusal codes and the bot's reaction to each, in one table per API family.

The code decides, never the HTTP status: a rate limit, an exhausted month and a missing permission are all HTTP 403
(docs: platform/dingtalk/limits.md#too-fast).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.dingtalk.errors import (
    DingTalkAuthFailed,
    DingTalkError,
    DingTalkOutcomeUnknown,
    DingTalkQuotaExhausted,
    DingTalkRateLimited,
    DingTalkScopeMissing,
    DingTalkSessionExpired,
    DingTalkTokenExpired,
    DingTalkUnavailable,
)

SECOND, MINUTE = 1.0, 60.0

MUTED = 600.0
"""Seconds for which a robot is muted after too many messages in a minute
(docs: platform/dingtalk/robots.md#custom-robots)."""

ADDRESS_BLOCKED = 300.0
"""Seconds for which an address is blocked after too many calls (docs: platform/dingtalk/limits.md#per-address)."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The meaning of a code; ``wait`` is the time in seconds after which the same call may work."""

    error: type[DingTalkError]
    wait: float | None = None


_TOO_FAST = Refusal(DingTalkRateLimited, SECOND)
_MINUTE_FULL = Refusal(DingTalkRateLimited, MINUTE)
_SILENCED = Refusal(DingTalkRateLimited, MUTED)
_MONTH_OVER = Refusal(DingTalkQuotaExhausted)
_BUSY = Refusal(DingTalkUnavailable)
_NEW_TOKEN = Refusal(DingTalkTokenExpired)
_WRONG_KEYS = Refusal(DingTalkAuthFailed)
_NO_SESSION = Refusal(DingTalkSessionExpired)

API_REFUSALS: Mapping[str, Refusal] = MappingProxyType(
    {
        "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi": _TOO_FAST,
        "Forbidden.AccessDenied.QpsLimitForApi": _TOO_FAST,
        "Forbidden.AccessDenied.QpmLimitForAppkeyAndApi": _MINUTE_FULL,
        "Forbidden.AccessDenied.QpmLimitForApi": _MINUTE_FULL,
        "Forbidden.AccessDenied.ApiCountLimitForOrg": _MONTH_OVER,
        "Forbidden.AccessDenied.AccessTokenPermissionDenied": Refusal(DingTalkScopeMissing),
        "qps.exceed.limit": _TOO_FAST,
        "request.overlimit": _TOO_FAST,
        "oaplus.query.limit": _TOO_FAST,
        "send.too.fast": _TOO_FAST,
        "send.byToken.tooFast": _TOO_FAST,
        "todo.taskCreate.flowControlError": _MINUTE_FULL,
        "todo.taskCreate.lockError": _BUSY,
        "InvalidAuthentication": _NEW_TOKEN,
        "AuthenticationFailed.MissingParameter": _NEW_TOKEN,
        "system.busy": _BUSY,
        "ServiceUnavailable": _BUSY,
        "unknown.send.result": Refusal(DingTalkOutcomeUnknown),
    }
)

_API_FAMILIES = (("QpsLimit", _TOO_FAST), ("QpmLimit", _MINUTE_FULL), ("ApiCountLimit", _MONTH_OVER))
"""Prefixes of codes: DingTalk uses more than it documents."""

OAPI_REFUSALS: Mapping[str, Refusal] = MappingProxyType(
    {
        **{str(code): _TOO_FAST for code in range(90001, 90015)},
        "90018": _TOO_FAST,
        "90020": _MONTH_OVER,
        "90030": _MONTH_OVER,
        "660026": _MINUTE_FULL,
        "130101": _SILENCED,
        "410100": _SILENCED,
        "40000": _NEW_TOKEN,
        "40014": _NEW_TOKEN,
        "42001": _NEW_TOKEN,
        "40089": _WRONG_KEYS,
        "40096": _WRONG_KEYS,
        "60011": Refusal(DingTalkScopeMissing),
        "300001": _NO_SESSION,
        "300005": _NO_SESSION,
        "-1": _BUSY,
        "15": Refusal(DingTalkOutcomeUnknown),
    }
)

_OAPI_FAMILIES = (("900", _TOO_FAST),)


def api_refusal(code: str) -> Refusal | None:
    """Return the meaning of a code of the new API; None for one without a specific reaction."""
    return API_REFUSALS.get(code) or next((refusal for part, refusal in _API_FAMILIES if part in code), None)


def oapi_refusal(code: str) -> Refusal | None:
    """Return the meaning of an ``errcode``, or of the ``sub_code`` behind it."""
    known = OAPI_REFUSALS.get(code)
    return known or next((refusal for start, refusal in _OAPI_FAMILIES if code.startswith(start)), None)
