"""One question in the making: who asks, where, what line, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.access.person import Person
from bot.chat.message import Conversation, ConversationKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What a command may know about the question besides its arguments; injected by type.

    ``line`` is the text as typed (or a button's line), ``offset`` the first row wanted of a list, ``now`` an aware
    time in the organisation's zone. ``clicked``: a button was tapped, whose answer the clicker alone sees and must get
    within DingTalk's two seconds. ``said`` are words of the person's own that came with it: a field of the card's form,
    or the message that answers a question of ours (`bot.chat.replies`).
    """

    person: Person
    conversation: Conversation
    line: str
    offset: int = 0
    now: datetime
    clicked: bool = False
    said: str = ""

    @property
    def is_private(self) -> bool:
        """Whether the asker alone sees the answer."""
        return self.clicked or self.conversation.kind is ConversationKind.DIRECT
