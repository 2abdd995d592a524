"""Common to all calls: token, flow control, faults, envelopes, the timeline.

A call itself is a plain function of engine and `SimApiCall` that returns the answer or raises `SimApiError` or
`SimOapiError`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Literal

import orjson
from aiohttp import BodyPartReader, web

from bot.kit.simulator.engine import ENGINE_KEY, SimEngine
from bot.kit.simulator.faults import SimFault
from bot.kit.simulator.media import StoredFile

Json = dict[str, Any]

_TOKEN_HEADER = "x-acs-dingtalk-access-token"  # noqa: S105 - a header's name
_HTML = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"


class SimApiError(Exception):
    """An error of the new API: HTTP status, code, message; by default the message repeats the code."""

    def __init__(self, code: str, message: str = "", *, status: int = 400, detail: Json | None = None) -> None:
        super().__init__(code)
        self.code, self.message, self.status, self.detail = code, message or code, status, detail


class SimOapiError(Exception):
    """An error of the old API: always HTTP 200, with ``errcode``."""

    def __init__(self, errcode: int, errmsg: str, **more: str) -> None:
        super().__init__(errmsg)
        self.errcode, self.errmsg, self.more = errcode, errmsg, more


@dataclass(frozen=True, slots=True)
class SimApiCall:
    """One call. ``body`` is the decoded JSON object (empty without one); ``file`` is a multipart upload."""

    body: Json
    query: Mapping[str, str]
    path: Mapping[str, str]
    content_type: str
    token: str = ""
    file: StoredFile | None = None

    def text(self, key: str, otherwise: Exception) -> str:
        """Return a non-empty string of the body; raises ``otherwise``."""
        value = self.body.get(key)
        if not isinstance(value, str) or not value:
            raise otherwise
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class SimApiRoute:
    """A call of the API. ``token``: app token needed; ``billed``: counts against the month.

    Docs: platform/dingtalk/limits.md#monthly-quotas
    """

    method: str
    path: str
    serve: Callable[[SimEngine, SimApiCall], Json]
    host: Literal["api", "oapi"] = "api"
    token: bool = True
    billed: bool = True
    scope: str = ""

    @property
    def name(self) -> str:
        """The name under which it is counted."""
        return f"{self.method} {self.path}"


def handler_for(route: SimApiRoute) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return the aiohttp handler of a call."""
    name = route.name

    async def handle(request: web.Request) -> web.StreamResponse:
        engine = request.app[ENGINE_KEY]
        started = perf_counter()
        engine.flow.calls[name] += 1
        if engine.faults.active:
            early = await _edge_fault(engine, request, name)
            if early is not None:
                engine.timeline.record("call", name, status=early.status, summary="fault", detail={"answer": "fault"})
                return early
        call: SimApiCall | None = None
        try:
            call = await _read(request)
            _check_limits(engine, route, name, call)
            status, answer = 200, route.serve(engine, call)
        except SimApiError as error:
            status, answer = error.status, api_envelope(engine, error)
        except SimOapiError as error:
            status, answer = 200, oapi_envelope(engine, error)
        summary = str(answer.get("code") or answer.get("errcode") or "")
        engine.timeline.record(
            "call",
            name,
            status=status,
            ms=(perf_counter() - started) * 1000,
            summary=summary,
            detail={"request": call.body if call is not None else None, "answer": answer},
        )
        if engine.faults.active and (lie := engine.faults.trigger("lying_timeout", name)):
            return await _abort_connection(engine, request, lie.delay_ms)
        return web.Response(status=status, body=orjson.dumps(answer), content_type="application/json")

    return handle


async def answer_unknown(request: web.Request) -> web.Response:
    """Return the envelope for unknown paths, in the style of the path's host."""
    engine = request.app[ENGINE_KEY]
    name = f"{request.method} {request.path}"
    engine.timeline.record("call", name, status=404, summary="unknown path")
    if request.path.startswith("/v1.0/"):
        error = SimApiError(
            "InvalidAction.NotFound", "Specified api is not found, please check your url and method.", status=404
        )
        return web.Response(status=404, body=orjson.dumps(api_envelope(engine, error)), content_type="application/json")
    if request.path.startswith(("/topapi/", "/robot/", "/media/", "/gettoken")):
        words = "不合法ApiName"
        answer = oapi_envelope(engine, SimOapiError(22, words, sub_code="22", sub_msg=words))
        return web.Response(status=200, body=orjson.dumps(answer), content_type="application/json")
    return web.Response(status=404, body=orjson.dumps({"error": f"no {request.path}"}), content_type="application/json")


def api_envelope(engine: SimEngine, error: SimApiError) -> Json:
    """Return the new API's error body; its keys are all lower case."""
    body: Json = {"code": error.code, "message": error.message, "requestid": _request_id(engine)}
    return {**body, "accessdenieddetail": error.detail} if error.detail is not None else body


def oapi_envelope(engine: SimEngine, error: SimOapiError) -> Json:
    """Return the old API's error body."""
    return {"errcode": error.errcode, "errmsg": error.errmsg, **error.more, "request_id": _request_id(engine)}


def oapi_result(engine: SimEngine, result: Any) -> Json:
    """Return the old API's success body."""
    return {"errcode": 0, "errmsg": "ok", "result": result, "request_id": _request_id(engine)}


async def _read(request: web.Request) -> SimApiCall:
    """Decode the body. Anything but a JSON object counts as empty: the call itself reports what is missing."""
    body: Json = {}
    file = None
    if request.content_type.startswith("multipart/"):
        with contextlib.suppress(ValueError):
            body, file = await _read_multipart(request)
    elif request.body_exists:
        try:
            decoded = orjson.loads(await request.read())
        except orjson.JSONDecodeError:
            decoded = None
        body = decoded if isinstance(decoded, dict) else {}
    return SimApiCall(
        body, request.query, request.match_info, request.content_type, request.headers.get(_TOKEN_HEADER, ""), file
    )


async def _read_multipart(request: web.Request) -> tuple[Json, StoredFile | None]:
    fields: Json = {}
    file = None
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        if part.name == "media":
            content = bytes(await part.read())
            kind = part.headers.get("Content-Type", "application/octet-stream")
            file = StoredFile(part.filename or "", kind, content)
        elif part.name is not None:
            fields[part.name] = await part.text()
    return fields, file


def _check_limits(engine: SimEngine, route: SimApiRoute, name: str, call: SimApiCall) -> None:
    """Check token, permission and flow control, in the platform's order."""
    faults = engine.faults
    api = route.host == "api"
    if faults.active and not api and not route.token and (refused := faults.trigger("refused", name)) is not None:
        raise SimOapiError(int(refused.code or 410100), "消息发送太频繁")
    if not route.token:
        return
    token = call.token if api else call.query.get("access_token", "")
    if not engine.credentials.is_valid_token(token) or (faults.active and faults.trigger("invalid_auth", name)):
        raise token_error(token, api=api)
    if faults.active and faults.trigger("scope_denied", name):
        raise scope_denied(route)
    if not engine.flow.within_qps(name) or (faults.active and faults.trigger("qps_limit", name)):
        raise (
            SimApiError("Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", "调用频率超过限制", status=403)
            if api
            else SimOapiError(90018, "应用调用该接口的频率过高")
        )
    if faults.active and (refused := faults.trigger("refused", name)) is not None:
        raise _refusal(refused.code, api=api)
    spent = bool(faults.active) and route.billed and faults.trigger("quota_exhausted", name) is not None
    if spent or (route.billed and not engine.flow.within_quota()):
        raise (
            SimApiError("Forbidden.AccessDenied.ApiCountLimitForOrg", "企业本月API调用次数已用完", status=403)
            if api
            else SimOapiError(90020, "企业本月API调用次数已用完")
        )
    if faults.active and faults.trigger("system_busy", name):
        raise SimApiError("system.busy", status=500) if api else SimOapiError(-1, "系统繁忙")


def token_error(token: str, *, api: bool) -> SimApiError | SimOapiError:
    """Return the refusal of a missing, wrong or expired token.

    Docs: platform/dingtalk/openapi.md#wrong-credentials
    """
    if api and not token:
        return SimApiError("AuthenticationFailed.MissingParameter", "x-acs-dingtalk-access-token is mandatory")
    if api:
        return SimApiError("InvalidAuthentication", "不合法的access_token")
    code, words = ("40014", "不合法的access_token") if token else ("40000", "缺少access_token")
    return SimOapiError(88, f"ding talk error[subcode={code},submsg={words}]", sub_code=code, sub_msg=words)


def _refusal(code: str, *, api: bool) -> SimApiError | SimOapiError:
    """Return the refusal with a code; a number is one of the old API's, wrapped in 88 there."""
    if api:
        code = code or "Forbidden.AccessDenied.QpmLimitForAppkeyAndApi"
        return SimApiError(code, "调用频率超过限制", status=403 if code.startswith("Forbidden") else 400)
    return SimOapiError(88, "ding talk error", sub_code=code or "90006", sub_msg="调用频率超过限制")


def scope_denied(route: SimApiRoute) -> SimApiError | SimOapiError:
    """Return the refusal for a missing permission; it names the scope.

    Docs: platform/dingtalk/openapi.md#token-errors
    """
    scope = route.scope or "qyapi_base"
    if route.host == "api":
        return SimApiError(
            "Forbidden.AccessDenied.AccessTokenPermissionDenied",
            f"应用尚未开通所需的权限：[{scope}]",
            status=403,
            detail={"requiredScopes": [scope]},
        )
    words = f"没有调用该接口的权限，请申请权限点：{scope}"
    return SimOapiError(88, f"ding talk error[subcode=60011,submsg={words}]", sub_code="60011", sub_msg=words)


async def _edge_fault(engine: SimEngine, request: web.Request, name: str) -> web.StreamResponse | None:
    """Apply faults that strike before the platform sees the call."""
    faults = engine.faults
    slow: SimFault | None = faults.trigger("slow_api", name)
    if slow is not None:
        await engine.pause(slow.delay_ms / 1000)
    if faults.trigger("api_reset", name):
        return await _abort_connection(engine, request, 0)
    if faults.trigger("html_error", name):
        return web.Response(status=502, text=_HTML, content_type="text/html")
    if (waf := faults.trigger("waf", name)) is not None:
        wait = waf.delay_ms / 1000
        blocked = {"status": 1111, "wait": wait, "source": "x5", "punish": "deny", "uuid": _request_id(engine)}
        return web.Response(body=orjson.dumps(blocked), content_type="application/json")
    return None


async def _abort_connection(engine: SimEngine, request: web.Request, delay_ms: int) -> web.StreamResponse:
    """Cut the connection instead of answering."""
    if delay_ms:
        await engine.pause(delay_ms / 1000)
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)


def _request_id(engine: SimEngine) -> str:
    return f"{engine.rng.getrandbits(128):032X}"
