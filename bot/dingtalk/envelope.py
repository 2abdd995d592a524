"""Reads DingTalk's answers: the content of a success, or an error that determines the reaction.

The order of the checks matters: rate limits and quotas also come as ``Forbidden.AccessDenied`` and must not be mistaken
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
from bot.dingtalk.refusals import ADDRESS_BLOCKED, SECOND, Refusal, api_refusal, oapi_refusal

_QUOTED = 200
"""Characters of DingTalk's text repeated in a detail."""

_BLOCK_PAGE = re.compile(rb"_____tmd_____|\bpunish\b|\bx5sec")
"""Parts of the page with which the edge blocks an address (docs: platform/dingtalk/openapi.md#firewall)."""

_SCOPE_NAME = re.compile(r"\bqyapi_\w+|\b[A-Z]\w+\.\w+\.(?:ReadWrite\.All|Read|Write)\b")


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
        raise _no_json_error(api, status, body)
    if answer.get("status") == 1111 or "punish" in answer:
        # The edge throttles our IP address and says for how long (docs: platform/dingtalk/openapi.md#firewall).
        raise DingTalkRateLimited(f"{api.name}: the address of this machine is throttled", retry_after=_wait(answer))
    error = _api_error if api.host is Host.API else _oapi_error
    if (failure := error(api, status, answer, client_id)) is not None:
        raise failure
    return answer


def _no_json_error(api: ApiCall, status: int, body: bytes) -> DingTalkError:
    """Return the error for an answer that is a web page, XML or empty."""
    if _BLOCK_PAGE.search(body):
        detail = f"{api.name}: HTTP {status}, the address of this machine is blocked"
        return DingTalkRateLimited(detail, retry_after=ADDRESS_BLOCKED)
    detail = f"{api.name}: HTTP {status} with something that is not a JSON object"
    if 400 <= status < 500 or status == 503:
        return DingTalkUnavailable(detail)
    return DingTalkOutcomeUnknown(detail)


def _wait(answer: dict[str, Any]) -> float:
    wait = answer.get("wait")
    return float(wait) if isinstance(wait, int | float) and wait > 0 else ADDRESS_BLOCKED


def _api_error(api: ApiCall, status: int, answer: dict[str, Any], client_id: str) -> DingTalkError | None:
    if status < 400 and str(answer.get("success", True)).lower() != "false":
        return None
    code = str(answer.get("code") or "")
    known: _Known = {"code": code, "request_id": str(answer.get("requestid") or "")}
    detail = f"{api.name}: HTTP {status} {code} {str(answer.get('message') or '')[:_QUOTED]}".rstrip()
    refusal = api_refusal(code)
    if refusal is not None and issubclass(refusal.error, DingTalkRateLimited | DingTalkQuotaExhausted):
        return _refused(refusal, detail, known)
    if status == 429:
        return DingTalkRateLimited(detail, retry_after=SECOND, **known)
    if api is ACCESS_TOKEN and status in (400, 401, 403):
        # The code of a wrong secret is known from one report only
        # (docs: platform/dingtalk/openapi.md#wrong-credentials): any refusal counts.
        return DingTalkAuthFailed(detail, **known)
    scopes = _required_scopes(answer.get("accessdenieddetail"))
    if scopes or (refusal is not None and refusal.error is DingTalkScopeMissing):
        return DingTalkScopeMissing(api.name, client_id=client_id, scopes=scopes, **known)
    if refusal is not None:
        return _refused(refusal, detail, known)
    if status == 401:
        return DingTalkTokenExpired(detail, **known)
    if code.startswith("Forbidden.AccessDenied"):
        return DingTalkAccessDenied(detail, **known)
    if status == 503:
        return DingTalkUnavailable(detail, **known)
    if status >= 500:
        return DingTalkOutcomeUnknown(detail, **known)
    return DingTalkRefused(detail, **known)


def _refused(refusal: Refusal, detail: str, known: _Known) -> DingTalkError:
    return refusal.error(detail, retry_after=refusal.wait, **known)


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
    refusal = oapi_refusal(reason) or oapi_refusal(code)
    if refusal is not None and not _fits(refusal, api):
        refusal = None
    if refusal is not None and refusal.error is DingTalkScopeMissing:
        return DingTalkScopeMissing(api.name, client_id=client_id, scopes=_SCOPE_NAME.findall(message), **known)
    if refusal is not None:
        # DingTalk's text is omitted if it repeats the session, which is a key.
        keyless = f"{api.name}: the session is over or unknown"
        return _refused(refusal, keyless if refusal.error is DingTalkSessionExpired else detail, known)
    if status == 503:
        return DingTalkUnavailable(detail, **known)
    if not code or status >= 500:
        return DingTalkOutcomeUnknown(detail, **known)
    return DingTalkRefused(detail, **known)


def _fits(refusal: Refusal, api: ApiCall) -> bool:
    """Return whether this refusal can apply to a call: only some have a token, and only webhooks a session."""
    if refusal.error is DingTalkTokenExpired:
        return api.token
    return refusal.error is not DingTalkSessionExpired or api.host is Host.WEBHOOK
