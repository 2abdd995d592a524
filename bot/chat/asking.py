"""One question in the making: who asks, where, what line, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.access.person import Person
from bot.chat.message import Conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What a command may know about the question besides its arguments; injected by type.

    ``line`` is the text as typed (or a button's line), ``offset`` the first row wanted of a list, ``now`` an aware
    time in the organisation's zone.
    """

    person: Person
    conversation: Conversation
    line: str
    offset: int = 0
    now: datetime
