"""Files to and from DingTalk (docs: platform/dingtalk/files.md)."""

from __future__ import annotations

from enum import StrEnum

import aiohttp

from bot.dingtalk.apis import FILE_ADDRESS, FILE_FETCH, MEDIA_UPLOAD
from bot.dingtalk.errors import DingTalkOutcomeUnknown
from bot.dingtalk.openapi import OpenApi
from bot.dingtalk.payload import text

MAX_BYTES = 20 * 1024 * 1024
"""DingTalk's own limit for pictures and files."""


class MediaKind(StrEnum):
    """What kind of file an upload is."""

    IMAGE = "image"
    VOICE = "voice"
    VIDEO = "video"
    FILE = "file"


class MediaApi:
    """Uploads files and fetches those that people sent."""

    def __init__(self, api: OpenApi) -> None:
        self._api = api

    async def upload(self, kind: MediaKind, name: str, content: bytes, content_type: str) -> str:
        """Upload a file and return its media id, which also works as a picture's target in markdown."""

        def form() -> aiohttp.FormData:
            data = aiohttp.FormData()
            data.add_field("media", content, filename=name, content_type=content_type)
            return data

        answer = await self._api.call(MEDIA_UPLOAD, form=form, query={"type": kind.value})
        media_id = text(answer.get("media_id"))
        if not media_id:
            raise DingTalkOutcomeUnknown(f"{MEDIA_UPLOAD.name}: an answer without a media id")
        return media_id

    async def download(self, download_code: str, robot_code: str, *, limit: int = MAX_BYTES) -> bytes:
        """Return the content of a file that somebody sent; raises `Refused` when it is larger than ``limit``."""
        answer = await self._api.call(FILE_ADDRESS, {"robotCode": robot_code, "downloadCode": download_code})
        address = text(answer.get("downloadUrl"))
        if not address:
            raise DingTalkOutcomeUnknown(f"{FILE_ADDRESS.name}: an answer without an address")
        return await self._api.fetch(FILE_FETCH, address, limit=limit)
