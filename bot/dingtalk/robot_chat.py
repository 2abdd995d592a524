"""The address that opens a person's chat with the bot, for links outside the chats."""

from __future__ import annotations

from urllib.parse import quote

from bot.chat.message import Message

_ELSEWHERE = "https://www.dingtalk.com/"
"""Until the bot knows its own id: DingTalk wants some address (docs: platform/dingtalk/todos.md#create)."""


class RobotChat:
    """Learns the bot's own id from the messages to it, which alone tell it."""

    def __init__(self) -> None:
        self._robot_id = ""

    def note(self, message: Message) -> None:
        """Learn the id that a message carries."""
        self._robot_id = message.robot_id or self._robot_id

    def link(self) -> str:
        """Return the address (docs: platform/dingtalk/todos.md#create)."""
        if not self._robot_id:
            return _ELSEWHERE
        return f"dingtalk://dingtalkclient/action/jumprobot?dingtalkid={quote(self._robot_id, safe='')}"
