"""Files to people's own chats with the bot, pictures for cards, and pictures from people.

Docs: platform/dingtalk/files.md, platform/dingtalk/robots.md#message-types
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from bot.cards.card import Card
from bot.chat.message import Picture
from bot.chat.questions.code_scanner import CodeScanner
from bot.chat.questions.pictures import CALLS_SPARED, NOT_FETCHED, TOO_LARGE, PictureUnreadable
from bot.dingtalk.apis import MESSAGE_FILE, MESSAGE_FILE_CONTENT, AppKeys
from bot.dingtalk.errors import DingTalkError, DingTalkTooLarge
from bot.dingtalk.openapi import OpenApi
from bot.dingtalk.payload import text
from bot.dingtalk.robot import Robot

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class DingTalkFileCourier:
    """Sends files and texts to people's chats."""

    def __init__(self, robot: Robot, keys: AppKeys) -> None:
        self._robot = robot
        self._robot_code = keys.robot_code

    async def send_file(self, user_id: str, name: str, content: bytes, *, allow: Callable[[], Awaitable[None]]) -> None:
        """Send a workbook in two calls; ``allow`` may stop it between them."""
        media_id = await self._robot.upload("file", name=name, content=content, media_type=_XLSX)
        await allow()
        await self._robot.send_file(user_id, self._robot_code, name=name, media_id=media_id)

    async def write(self, user_id: str, card: Card) -> None:
        """Send the text of a card as markdown."""
        await self._robot.send_to_people([user_id], self._robot_code, title=card.title, markdown=card.twin)


class DingTalkPictureHost:
    """Uploads pictures for cards."""

    def __init__(self, robot: Robot) -> None:
        self._robot = robot

    async def upload(self, name: str, content: bytes) -> str:
        return await self._robot.upload("image", name=name, content=content, media_type="image/png")


log = structlog.get_logger(__name__)

MAX_PICTURE_BYTES = 10 << 20
"""Photos from today's phones have 2 to 8 MB."""


class ReceivedPictures:
    """Reads the codes in received pictures, with one call each. While calls are scarce, it reads none.

    Docs: platform/dingtalk/files.md#download
    """

    def __init__(
        self, api: OpenApi, scanner: CodeScanner, *, sparing: Callable[[], bool], most: int = MAX_PICTURE_BYTES
    ) -> None:
        """``most`` is the maximum size of a picture in bytes."""
        self._api = api
        self._scanner = scanner
        self._sparing = sparing
        self._most = most

    async def codes_in(self, picture: Picture) -> tuple[str, ...]:
        """Return the contents of the codes; raises `PictureUnreadable`, also if the picture cannot be fetched."""
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
        return await self._api.fetch(MESSAGE_FILE_CONTENT, text(answer.get("downloadUrl")), limit=self._most)
