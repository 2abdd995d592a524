"""Ways to write to a conversation without spending a call: the session webhooks of people's latest messages.

They are keys, so they are kept only in memory (docs: platform/dingtalk/robots.md#session-webhooks).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.cards.card import Card
from bot.chat.message import ConversationKind, Message, SessionWebhook
from bot.dingtalk.errors import DingTalkError, DingTalkOutcomeUnknown
from bot.dingtalk.robot import Robot
from bot.mechanisms.recency import RecentItems
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import SendFailed, SendFailureKind

_REMEMBERED = 10_000


class ReplyAddresses:
    """A `bot.outbox.ports.UnbilledWriter` through session webhooks; ``now`` returns an aware time."""

    def __init__(self, robot: Robot, now: Callable[[], datetime]) -> None:
        self._robot = robot
        self._now = now
        self._known: RecentItems[Place, SessionWebhook] = RecentItems(_REMEMBERED)
        self._titles: RecentItems[str, str] = RecentItems(_REMEMBERED)

    def note(self, message: Message) -> Place | None:
        """Remember a message's webhook and return its place; None if it has none."""
        conversation = message.conversation
        if conversation.title:
            self._titles.put(conversation.id, conversation.title)
        place = _place(message)
        if place is None or message.webhook is None:
            return None
        self._known.put(place, message.webhook)
        return place

    def title(self, conversation_id: str) -> str:
        """Return the name of a group that somebody wrote in; otherwise empty."""
        return self._titles.get(conversation_id) or ""

    async def write(self, place: Place, card: Card) -> bool:
        """Write where somebody wrote within the last hour or so; a refused webhook is dropped."""
        webhook = self._known.get(place)
        if webhook is None or webhook.expires_at <= self._now():
            return False
        try:
            await self._robot.answer_session(webhook, title=card.title, markdown=card.twin)
        except DingTalkOutcomeUnknown as error:
            # As if nothing had arrived: silence about an urgent matter is worse than a duplicate.
            raise SendFailed(SendFailureKind.BUSY, error.detail) from error
        except DingTalkError as error:
            if error.retry:
                raise SendFailed(SendFailureKind.LIMITED, error.detail, retry_after=error.retry_after) from error
            self._known.pop(place)
            return False
        return True


def _place(message: Message) -> Place | None:
    if message.conversation.kind is ConversationKind.GROUP:
        return Place(PlaceKind.GROUP, message.conversation.id)
    user_id = message.sender.staff_id
    return Place(PlaceKind.PERSON, user_id) if user_id else None
