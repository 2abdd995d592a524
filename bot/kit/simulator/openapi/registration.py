"""An app by QR code (docs: platform/dingtalk/openapi.md#an-app-by-qr-code): the simulator hands over its one app."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from aiohttp import web

from bot.kit.simulator.credentials import NONCE_SECONDS, REGISTRATION_SECONDS, SimRegistration
from bot.kit.simulator.engine import ENGINE_KEY, SimEngine
from bot.kit.simulator.openapi.dispatch import Json, SimApiCall, SimApiRoute, SimOapiError

PAGE = "/app/registration/confirm"
_INTERVAL = 5
_HTML = """<!doctype html><html lang="zh"><meta charset="utf-8"><title>创建应用</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<h1>创建钉钉应用 · Create an app</h1><p>{words}</p>{form}</html>"""
_FORM = """<form method="post"><button name="agree" value="yes">同意 · Agree</button>
<button name="agree" value="">拒绝 · Refuse</button></form>"""


def add_pages(app: web.Application) -> None:
    """Install the page behind the QR code."""
    app.router.add_get(PAGE, show)
    app.router.add_post(PAGE, answer)


async def show(request: web.Request) -> web.Response:
    """Ask the person."""
    found = _of_page(request)
    words = f"验证码 {escape(found.user_code)}" if found else "验证码已失效 · The code has expired"
    return web.Response(text=_HTML.format(words=words, form=_FORM if found else ""), content_type="text/html")


async def answer(request: web.Request) -> web.Response:
    """Take the person's answer."""
    found, agreed = _of_page(request), bool((await request.post()).get("agree"))
    if found is not None:
        found.agreed = agreed
    words = "已完成 · Done" if found and agreed else "未创建 · Nothing was created"
    return web.Response(text=_HTML.format(words=words, form=""), content_type="text/html")


def init(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /app/registration/init`."""
    nonce, _ = engine.credentials.nonces.issue("")
    return {"errcode": 0, "errmsg": "ok", "nonce": nonce, "expires_in": NONCE_SECONDS}


def begin(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /app/registration/begin`; a nonce works once."""
    if engine.credentials.nonces.redeem(call.body.get("nonce")) is None:
        raise SimOapiError(400002, "nonce")
    digits = f"{engine.rng.getrandbits(48):012X}"
    user_code = f"{digits[:4]}-{digits[4:8]}-{digits[8:]}"
    device_code, _ = engine.credentials.registrations.issue(SimRegistration(user_code))
    address = f"{engine.base_url}{PAGE}"
    return {
        "errcode": 0,
        "errmsg": "ok",
        "device_code": device_code,
        "user_code": user_code,
        "verification_uri": address,
        "verification_uri_complete": f"{address}?user_code={user_code}",
        "expires_in": REGISTRATION_SECONDS,
        "interval": _INTERVAL,
    }


def poll(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /app/registration/poll`."""
    found = engine.credentials.registrations.peek(call.body.get("device_code"))
    body: Json = {"errcode": 0, "errmsg": "ok"}
    if found is None:
        return {**body, "status": "EXPIRED"}
    if found.agreed is None:
        return {**body, "status": "WAITING"}
    if not found.agreed:
        return {**body, "status": "FAIL", "fail_reason": "用户拒绝授权"}
    keys = {"client_id": engine.config.client_id, "client_secret": engine.config.client_secret}
    return {**body, "status": "SUCCESS", **keys}


def _of_page(request: web.Request) -> SimRegistration | None:
    code = request.query.get("user_code", "")
    valid = request.app[ENGINE_KEY].credentials.registrations.values()
    return next((each for each in valid if each.user_code == code), None)


def _route(name: str, serve: Callable[[SimEngine, SimApiCall], Json]) -> SimApiRoute:
    return SimApiRoute(
        method="POST",
        path=f"/app/registration/{name}",
        serve=serve,
        host="oapi",
        token=False,
        billed=False,
    )


ROUTES = (_route("init", init), _route("begin", begin), _route("poll", poll))
