"""Files to people's own chats with the bot, and pictures for cards.

Docs: platform/dingtalk/files.md, platform/dingtalk/robots.md#message-types
"""

from __future__ import annotations

from bot.cards.card import Card
from bot.dingtalk.apis import AppKeys
from bot.dingtalk.robot import Robot

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class DingTalkFileCourier:
    """Implements `bot.chat.exports.FileCourier`."""

    def __init__(self, robot: Robot, keys: AppKeys) -> None:
        self._robot = robot
        self._robot_code = keys.robot_code

    async def send_file(self, user_id: str, name: str, content: bytes) -> None:
        """Send a workbook."""
        await self._robot.send_file(user_id, self._robot_code, name=name, content=content, media_type=_XLSX)

    async def write(self, user_id: str, card: Card) -> None:
        """Send the text of a card as markdown."""
        await self._robot.send_to_people([user_id], self._robot_code, title=card.title, markdown=card.twin)


class DingTalkPictureHost:
    """Implements `bot.chat.charts.PictureHost`."""

    def __init__(self, robot: Robot) -> None:
        self._robot = robot

    async def upload(self, name: str, content: bytes) -> str:
        return await self._robot.upload("image", name=name, content=content, media_type="image/png")
