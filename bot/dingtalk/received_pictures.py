"""Pictures that people sent: fetched and scanned for codes (docs: platform/dingtalk/files.md#download)."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from bot.chat.message import Picture
from bot.chat.questions.code_scanner import CodeScanner
from bot.chat.questions.pictures import CALLS_SPARED, NOT_FETCHED, TOO_LARGE, PictureUnreadable
from bot.dingtalk.apis import MESSAGE_FILE, MESSAGE_FILE_CONTENT
from bot.dingtalk.errors import DingTalkError, DingTalkRefused, DingTalkTooLarge
from bot.dingtalk.openapi import OpenApi
from bot.dingtalk.payload import text

log = structlog.get_logger(__name__)

MAX_PICTURE_BYTES = 10 << 20
"""Photos of today's telephones have 2 to 8 MB."""


class ReceivedPictures:
    """Implements `bot.chat.questions.pictures.PictureReader`, one call each. While calls are spared, it reads none."""

    def __init__(
        self, api: OpenApi, scanner: CodeScanner, *, sparing: Callable[[], bool], most: int = MAX_PICTURE_BYTES
    ) -> None:
        """``most``: bytes of a picture that are fetched."""
        self._api = api
        self._scanner = scanner
        self._sparing = sparing
        self._most = most

    async def codes_in(self, picture: Picture) -> tuple[str, ...]:
        """Return what the codes say; raises `PictureUnreadable`, also for a picture that cannot be fetched."""
        if self._sparing():
            raise PictureUnreadable(CALLS_SPARED)
        try:
            fetched = await self._fetch(picture)
        except DingTalkTooLarge as error:
            raise PictureUnreadable(TOO_LARGE, error.detail) from error
        except DingTalkError as error:
            log.warning("picture.not_fetched", error=type(error).__name__, detail=error.detail)
            raise PictureUnreadable(NOT_FETCHED, error.detail) from error
        return await self._scanner.scan(fetched)

    async def _fetch(self, picture: Picture) -> bytes:
        robot_code = self._api.keys.robot(picture.robot_code)
        answer = await self._api.call(MESSAGE_FILE, {"robotCode": robot_code, "downloadCode": picture.download_code})
        address = text(answer.get("downloadUrl"))
        if not address.startswith(("https://", "http://")):
            raise DingTalkRefused(f"{MESSAGE_FILE.name}: no address")
        return await self._api.fetch(MESSAGE_FILE_CONTENT, address, limit=self._most)
