"""App tokens in their three forms, web login, and login inside the client.

Docs: platform/dingtalk/openapi.md#app-token, platform/dingtalk/login.md
"""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from bot.kit.simulator.engine import ENGINE_KEY, SimEngine
from bot.kit.simulator.openapi.dispatch import (
    Json,
    SimApiCall,
    SimApiError,
    SimApiRoute,
    SimOapiError,
    oapi_result,
    token_error,
)

_PAGE = """<!doctype html><html lang="zh"><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:16px system-ui;max-width:28rem;margin:2rem auto;padding:0 1rem}}
button{{display:block;width:100%;margin:.4rem 0;padding:.7rem;text-align:left;border:1px solid #ccc;
border-radius:.5rem;background:#fff;font:inherit}}</style>
<h1>{title}</h1><form method="post">{buttons}</form></html>"""

_BUTTON = '<button name="userId" value="{value}">{words}</button>'


def add_pages(app: web.Application) -> None:
    """Install the browser pages."""
    app.router.add_get("/oauth2/auth", show)
    app.router.add_post("/oauth2/auth", choose)


async def show(request: web.Request) -> web.Response:
    """The login page: pick who you are."""
    engine = request.app[ENGINE_KEY]
    problem = _problem(engine, request)
    if problem is not None:
        return web.Response(status=400, text=problem)
    buttons = [
        _BUTTON.format(value=escape(person.user_id), words=escape(f"{person.name} · {person.title}"))
        for person in engine.enterprise.people.values()
    ]
    buttons.append(_BUTTON.format(value="", words="拒绝授权 · Refuse"))
    title = f"登录 {engine.config.robot_name} · Log in"
    return web.Response(text=_PAGE.format(title=escape(title), buttons="".join(buttons)), content_type="text/html")


async def choose(request: web.Request) -> web.Response:
    """Redirect the chosen person back to the application with `authCode` (not `code`) and `state`."""
    engine = request.app[ENGINE_KEY]
    problem = _problem(engine, request)
    if problem is not None:
        return web.Response(status=400, text=problem)
    person = engine.enterprise.people.get(str((await request.post()).get("userId", "")))
    state = request.query.get("state", "")
    if person is None:
        answer = {"error": "access_denied", "state": state}
    else:
        code, _ = engine.credentials.auth_codes.issue(person)
        answer = {"authCode": code, "state": state}
    target = request.query["redirect_uri"]
    joiner = "&" if urlsplit(target).query else "?"
    return web.Response(status=302, headers={"Location": f"{target}{joiner}{urlencode(answer)}"})


def _problem(engine: SimEngine, request: web.Request) -> str | None:
    query = request.query
    if query.get("client_id") != engine.config.client_id:
        return "client_id is unknown"
    if query.get("response_type") != "code" or query.get("prompt") != "consent":
        return "response_type=code and prompt=consent are required"
    if "openid" not in query.get("scope", "").split():
        return "scope must hold openid"
    if urlsplit(query.get("redirect_uri", "")).scheme not in ("http", "https"):
        return "redirect_uri is not valid"
    return None


def user_token(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /v1.0/oauth2/userAccessToken`; a code works once."""
    if not engine.credentials.is_app_key(call.body.get("clientId"), call.body.get("clientSecret")):
        raise SimApiError("invalidClientIdOrSecret", "无效的clientId或者clientSecret")
    grant = call.body.get("grantType")
    if grant == "authorization_code":
        person = engine.credentials.auth_codes.redeem(call.body.get("code"))
    elif grant == "refresh_token":
        person = engine.credentials.refresh_tokens.redeem(call.body.get("refreshToken"))
    else:
        raise SimApiError("invalidParameter.grantType.notExist", "grantType")
    if person is None:
        raise SimApiError("invalidParameter.authCode.notFound", "不合法的临时授权码")
    token, _ = engine.credentials.user_tokens.issue(person)
    refresh, _ = engine.credentials.refresh_tokens.issue(person)
    return {
        "accessToken": token,
        "refreshToken": refresh,
        "expireIn": int(engine.config.token_life.total_seconds()),
        # The person's chosen organisation; outsiders choose their own.
        "corpId": f"{engine.config.corp_id}.outside" if person.external else engine.config.corp_id,
    }


def contact(engine: SimEngine, call: SimApiCall) -> Json:
    """`GET /v1.0/contact/users/{unionId}` with a user token; ``me`` is the token's owner."""
    asker = engine.credentials.user_tokens.peek(call.token)
    if asker is None:
        raise token_error(call.token, api=True)
    wanted = call.path.get("union_id", "me")
    people = engine.enterprise.people.values()
    person = asker if wanted == "me" else next((each for each in people if each.union_id == wanted), None)
    if person is None:
        raise SimApiError("invalidParameter.user.notFound", status=404)
    return {
        "nick": person.name,
        "unionId": person.union_id,
        "openId": person.dingtalk_id,
        "avatarUrl": "",
        "mobile": person.mobile,
        "stateCode": "86",
        "visitor": False,
    }


def user_info(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /topapi/v2/user/getuserinfo` with the code of `dd.requestAuthCode`."""
    person = engine.credentials.client_codes.redeem(call.body.get("code"))
    if person is None:
        raise SimOapiError(40078, "不存在的临时授权码")
    level = 1 if person.admin else 100 if person.boss else 0
    return oapi_result(
        engine,
        {
            "userid": person.user_id,
            "unionid": person.union_id,
            "associated_unionid": person.union_id,
            "name": person.name,
            "device_id": "simulator",
            "sys": person.admin,
            "sys_level": level,
        },
    )


def access_token(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /v1.0/oauth2/accessToken`."""
    if call.content_type != "application/json" or not call.body:
        raise SimApiError("MissingBody", "body is mandatory for this action.")
    if not engine.credentials.is_app_key(call.body.get("appKey"), call.body.get("appSecret")):
        raise SimApiError("invalidClientIdOrSecret", "无效的clientId或者clientSecret")
    token, life = engine.credentials.app_token()
    return {"accessToken": token, "expireIn": life}


def jsapi_ticket(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /v1.0/oauth2/jsapiTickets` with the app token."""
    ticket, life = engine.credentials.jsapi_ticket()
    return {"jsapiTicket": ticket, "expireIn": life}


def corp_token(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /v1.0/oauth2/{corpId}/token`."""
    if call.body.get("grant_type") != "client_credentials":
        raise SimApiError("unsupported.grant.type")
    known = engine.credentials.is_app_key(call.body.get("client_id"), call.body.get("client_secret"))
    if not known:
        raise SimApiError("invalid.client")
    if call.path.get("corp_id") != engine.config.corp_id:
        raise SimApiError("unknownError", "未知错误", status=500)
    token, life = engine.credentials.app_token()
    return {"access_token": token, "expires_in": life}


def get_token(engine: SimEngine, call: SimApiCall) -> Json:
    """`GET /gettoken`, the old form."""
    key, secret = call.query.get("appkey"), call.query.get("appsecret")
    if not key or not secret:
        raise SimOapiError(40035, "缺少参数 corpid or appkey")
    if not engine.credentials.is_app_key(key, secret):
        raise SimOapiError(40096, "不合法的appkey或appsecret")
    token, life = engine.credentials.app_token()
    return {"errcode": 0, "access_token": token, "errmsg": "ok", "expires_in": life}


ROUTES = (
    SimApiRoute(method="POST", path="/v1.0/oauth2/userAccessToken", serve=user_token, token=False, billed=False),
    SimApiRoute(method="GET", path="/v1.0/contact/users/me", serve=contact, token=False, billed=False),
    SimApiRoute(method="GET", path="/v1.0/contact/users/{union_id}", serve=contact, token=False, billed=False),
    SimApiRoute(method="POST", path="/v1.0/oauth2/jsapiTickets", serve=jsapi_ticket, billed=False, scope="qyapi_base"),
    SimApiRoute(method="POST", path="/topapi/v2/user/getuserinfo", serve=user_info, host="oapi", billed=False),
    SimApiRoute(method="POST", path="/v1.0/oauth2/accessToken", serve=access_token, token=False, billed=False),
    SimApiRoute(method="POST", path="/v1.0/oauth2/{corp_id}/token", serve=corp_token, token=False, billed=False),
    SimApiRoute(method="GET", path="/gettoken", serve=get_token, host="oapi", token=False, billed=False),
)
