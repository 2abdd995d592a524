"""App tokens in their three forms (docs: platform/dingtalk/openapi.md#app-token)."""

from __future__ import annotations

from bot.simulator.engine import SimEngine
from bot.simulator.openapi.dispatch import Json, SimApiCall, SimApiError, SimApiRoute, SimOapiError


def access_token(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /v1.0/oauth2/accessToken`."""
    if call.content_type != "application/json" or not call.body:
        raise SimApiError("MissingBody", "body is mandatory for this action.")
    if not engine.credentials.is_app_key(call.body.get("appKey"), call.body.get("appSecret")):
        raise SimApiError("invalidClientIdOrSecret", "无效的clientId或者clientSecret")
    token, life = engine.credentials.app_token()
    return {"accessToken": token, "expireIn": life}


def corp_token(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /v1.0/oauth2/{corpId}/token`."""
    if call.body.get("grant_type") != "client_credentials":
        raise SimApiError("unsupported.grant.type")
    known = engine.credentials.is_app_key(call.body.get("client_id"), call.body.get("client_secret"))
    if not known:
        raise SimApiError("invalid.client")
    if call.path.get("corp_id") != engine.config.corp_id:
        raise SimApiError("unauthorized.client", status=401)
    token, life = engine.credentials.app_token()
    return {"access_token": token, "expires_in": life}


def get_token(engine: SimEngine, call: SimApiCall) -> Json:
    """`GET /gettoken`, the old form."""
    if not engine.credentials.is_app_key(call.query.get("appkey"), call.query.get("appsecret")):
        raise SimOapiError(40089, "不合法的corpId或corpSecret")
    token, life = engine.credentials.app_token()
    return {"errcode": 0, "access_token": token, "errmsg": "ok", "expires_in": life}


ROUTES = (
    SimApiRoute(method="POST", path="/v1.0/oauth2/accessToken", serve=access_token, token=False, billed=False),
    SimApiRoute(method="POST", path="/v1.0/oauth2/{corp_id}/token", serve=corp_token, token=False, billed=False),
    SimApiRoute(method="GET", path="/gettoken", serve=get_token, host="oapi", token=False, billed=False),
)
