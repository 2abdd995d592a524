"""Reads DingTalk's answers: the content of a success, or the error that says how to react to a failure.

The order of the checks matters: rate limits and quotas come under ``Forbidden.AccessDenied`` too and must not be taken
for a missing permission (docs: platform/dingtalk/limits.md#too-fast).
"""

from __future__ import annotations

import re
from typing import Any, TypedDict

import orjson

from bot.dingtalk.apis import ACCESS_TOKEN, ApiCall, Host
from bot.dingtalk.errors import (
    DingTalkAccessDenied,
    DingTalkAuthFailed,
    DingTalkError,
    DingTalkOutcomeUnknown,
    DingTalkQuotaExhausted,
    DingTalkRateLimited,
    DingTalkRefused,
    DingTalkScopeMissing,
    DingTalkSessionExpired,
    DingTalkTokenExpired,
    DingTalkUnavailable,
)

QPS_PAUSE = 1.0
"""Seconds to wait after too many calls in one second (docs: platform/dingtalk/limits.md#calls-per-second)."""

_MUTED = 600.0
"""Seconds for which a robot is muted after too many messages in a minute
(docs: platform/dingtalk/robots.md#custom-robots)."""

_QUOTED = 200
"""Characters of DingTalk's own words that a detail repeats."""

_TOO_FAST = frozenset({"send.too.fast", "send.byToken.tooFast"})
_BUSY = frozenset({"system.busy", "ServiceUnavailable"})
_OAPI_TOKEN = frozenset({"40014", "42001"})
_OAPI_QPS = frozenset({"90002", "90018"})
_OAPI_QUOTA = frozenset({"90020", "90030"})
_OAPI_SCOPE = frozenset({"60011"})
_OAPI_MUTED = frozenset({"130101", "410100"})
_SCOPE_NAME = re.compile(r"\bqyapi_\w+|\b[A-Z]\w+\.\w+\.(?:Read|Write)\b")


class _Known(TypedDict):
    """The parts of an answer that every error repeats."""

    code: str
    request_id: str


def read_answer(api: ApiCall, status: int, body: bytes, *, client_id: str) -> dict[str, Any]:
    """Return the decoded answer of ``api``. Raises the `DingTalkError` of a failure."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        answer = None
    if not isinstance(answer, dict):
        raise _no_json_error(api, status)
    if answer.get("status") == 1111 or "punish" in answer:
        # The edge throttles our IP address and says for how long (docs: platform/dingtalk/openapi.md#firewall).
        raise DingTalkRateLimited(f"{api.name}: the address of this machine is throttled", retry_after=_wait(answer))
    error = _api_error if api.host is Host.API else _oapi_error
    if (failure := error(api, status, answer, client_id)) is not None:
        raise failure
    return answer


def _no_json_error(api: ApiCall, status: int) -> DingTalkError:
    """Return the error of an answer that is a web page, XML or nothing."""
    detail = f"{api.name}: HTTP {status} with something that is not a JSON object"
    if 400 <= status < 500 or status == 503:
        return DingTalkUnavailable(detail)
    return DingTalkOutcomeUnknown(detail)


def _wait(answer: dict[str, Any]) -> float:
    wait = answer.get("wait")
    return float(wait) if isinstance(wait, int | float) and wait > 0 else QPS_PAUSE


def _api_error(api: ApiCall, status: int, answer: dict[str, Any], client_id: str) -> DingTalkError | None:
    if status < 400 and str(answer.get("success", True)).lower() != "false":
        return None
    code = str(answer.get("code") or "")
    known: _Known = {"code": code, "request_id": str(answer.get("requestid") or "")}
    detail = f"{api.name}: HTTP {status} {code} {str(answer.get('message') or '')[:_QUOTED]}".rstrip()
    if "QpsLimit" in code or code in _TOO_FAST or status == 429:
        return DingTalkRateLimited(detail, retry_after=QPS_PAUSE, **known)
    if "ApiCountLimit" in code:
        return DingTalkQuotaExhausted(detail, **known)
    if api is ACCESS_TOKEN and status in (400, 401, 403):
        # The code of a wrong secret is known from one report only
        # (docs: platform/dingtalk/openapi.md#wrong-credentials): any refusal counts.
        return DingTalkAuthFailed(detail, **known)
    if status == 401 or code == "InvalidAuthentication":
        return DingTalkTokenExpired(detail, **known)
    if code.startswith("Forbidden.AccessDenied"):
        scopes = _required_scopes(answer.get("accessdenieddetail"))
        if scopes or code.endswith("PermissionDenied"):
            return DingTalkScopeMissing(api.name, client_id=client_id, scopes=scopes, **known)
        return DingTalkAccessDenied(detail, **known)
    if code in _BUSY or status == 503:
        return DingTalkUnavailable(detail, **known)
    if status >= 500 or code == "unknown.send.result":
        return DingTalkOutcomeUnknown(detail, **known)
    return DingTalkRefused(detail, **known)


def _required_scopes(detail: object) -> list[str]:
    scopes = detail.get("requiredScopes") if isinstance(detail, dict) else None
    return [str(scope) for scope in scopes] if isinstance(scopes, list) else []


def _oapi_error(api: ApiCall, status: int, answer: dict[str, Any], client_id: str) -> DingTalkError | None:
    code = str(answer.get("errcode", ""))
    if status < 400 and code == "0":
        return None
    message = str(answer.get("sub_msg") or answer.get("errmsg") or "")
    # The gateway hides the real reason in sub_code (docs: platform/dingtalk/openapi.md#errors).
    reason = str(answer.get("sub_code") or code) if code in ("88", "15") else code
    known: _Known = {"code": reason, "request_id": str(answer.get("request_id") or "")}
    detail = f"{api.name}: errcode {code} {reason if reason != code else ''} {message[:_QUOTED]}".rstrip()
    if reason in _OAPI_QUOTA:
        return DingTalkQuotaExhausted(detail, **known)
    if reason in _OAPI_QPS or reason.startswith("900"):
        return DingTalkRateLimited(detail, retry_after=QPS_PAUSE, **known)
    if reason in _OAPI_MUTED:
        return DingTalkRateLimited(detail, retry_after=_MUTED, **known)
    if reason in _OAPI_TOKEN and api.token:
        return DingTalkTokenExpired(detail, **known)
    if reason in _OAPI_SCOPE:
        return DingTalkScopeMissing(api.name, client_id=client_id, scopes=_SCOPE_NAME.findall(message), **known)
    if api.host is Host.WEBHOOK and reason == "300001":
        return DingTalkSessionExpired(f"{api.name}: the session is over or unknown", **known)
    if code == "-1" or status == 503:
        return DingTalkUnavailable(detail, **known)
    if code in ("", "15") or status >= 500:
        return DingTalkOutcomeUnknown(detail, **known)
    return DingTalkRefused(detail, **known)
