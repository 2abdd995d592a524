"""A message to the bot, freed of the wire: what `bot.dingtalk.messages` makes of DingTalk's many shapes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ConversationKind(StrEnum):
    """A group or a one-to-one chat."""

    GROUP = "group"
    DIRECT = "direct"


@dataclass(frozen=True, slots=True)
class Conversation:
    """Where a message was written. ``id`` is case-sensitive and must never be normalised."""

    id: str
    kind: ConversationKind
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who wrote, as far as the platform says. ``staff_id`` is None for people outside the organisation."""

    staff_id: str | None
    nick: str
    union_id: str = ""
    corp_id: str = ""
    is_admin: bool = False


@dataclass(frozen=True, slots=True)
class Mention:
    """Somebody else who was @-mentioned; ``staff_id`` is None for people outside the organisation."""

    staff_id: str | None


@dataclass(frozen=True, slots=True)
class SessionWebhook:
    """A reply address that is itself a secret: never logged (its repr hides it)."""

    url: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"SessionWebhook(expires_at={self.expires_at.isoformat()})"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was sent, by the code that fetches it, and the bot to whom it was sent."""

    download_code: str = field(repr=False)
    robot_code: str


class MessageKind(StrEnum):
    """What was sent. The first three can hold a question, and so can a picture of a code."""

    TEXT = "text"
    RICH_TEXT = "rich_text"
    AUDIO = "audio"
    PICTURE = "picture"
    VIDEO = "video"
    FILE = "file"
    UNKNOWN = "unknown"
    QUOTA_EXHAUSTED = "quota_exhausted"
    """The organisation's push quota is used up: DingTalk leaves the text out (error code 20001)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to the bot. ``text`` is free of the bot's own mention and of blanks around it."""

    msg_id: str
    kind: MessageKind
    text: str
    conversation: Conversation
    sender: Sender
    sent_at: datetime
    robot_code: str
    robot_id: str = ""
    """The bot's own id among DingTalk's users (``chatbotUserId``)."""
    organisation: str = ""
    """The corpId of the bot's organisation, as the platform says (``chatbotCorpId``)."""
    webhook: SessionWebhook | None = None
    mentions: tuple[Mention, ...] = ()
    quoted_text: str = ""
    quotes_bot: bool = False
    """Whether what is quoted is certainly the bot's own."""
    picture: Picture | None = None
    """The picture where nothing else was said; the first of several."""

    @property
    def only_reader(self) -> str:
        """Who alone sees what is written where this was: its sender in their own chat; in a group nobody."""
        return self.sender.staff_id or "" if self.conversation.kind is ConversationKind.DIRECT else ""
