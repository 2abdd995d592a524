"""Uploads by the bot, and downloads of people's files (docs: platform/dingtalk/files.md)."""

from __future__ import annotations

from aiohttp import web

from bot.kit.simulator.engine import ENGINE_KEY, SimEngine
from bot.kit.simulator.openapi.dispatch import Json, SimApiCall, SimApiRoute, SimOapiError

_MB = 1 << 20
_LIMITS: dict[str, tuple[int, frozenset[str]]] = {
    "image": (20 * _MB, frozenset({"jpg", "jpeg", "gif", "png", "bmp"})),
    "voice": (2 * _MB, frozenset({"amr", "mp3", "wav"})),
    "video": (20 * _MB, frozenset({"mp4"})),
    "file": (20 * _MB, frozenset({"doc", "docx", "xls", "xlsx", "ppt", "pptx", "zip", "pdf", "rar"})),
}


def upload(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /media/upload?access_token=…`, multipart with `type` and `media`."""
    kind = call.body.get("type") or call.query.get("type")
    if kind not in _LIMITS:
        raise SimOapiError(40004, "不合法的媒体文件类型")
    if call.file is None:
        raise SimOapiError(40035, "缺少参数 media")
    size, extensions = _LIMITS[kind]
    if call.file.name.rpartition(".")[2].lower() not in extensions:
        raise SimOapiError(40005, "不合法的文件类型")
    if len(call.file.content) > size:
        raise SimOapiError(40006, "不合法的文件大小")
    media_id = engine.media.add_media(call.file)
    return {"errcode": 0, "errmsg": "ok", "media_id": media_id, "created_at": engine.milliseconds(), "type": kind}


async def fetch(request: web.Request) -> web.Response:
    """`GET /files/{key}`: the address from `messageFiles/download`; short-lived, no token."""
    engine = request.app[ENGINE_KEY]
    file = engine.media.get(engine.credentials.downloads.peek(request.match_info["key"]))
    if file is None:
        return web.Response(status=403, text="AccessDenied: Request has expired.")
    return web.Response(body=file.content, headers={"Content-Type": file.content_type})


def add_download(app: web.Application) -> None:
    """Install the download address, which is not an API call."""
    app.router.add_get("/files/{key}", fetch)


ROUTES = (SimApiRoute(method="POST", path="/media/upload", serve=upload, host="oapi"),)
