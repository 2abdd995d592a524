"""A message to the bot, independent of the wire format: `bot.dingtalk.messages` parses DingTalk's many forms."""

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
    """The place of a message. ``id`` is case-sensitive and must never be normalised."""

    id: str
    kind: ConversationKind
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """The sender, as far as the platform tells. ``staff_id`` is None for outsiders."""

    staff_id: str | None
    nick: str
    union_id: str = ""
    corp_id: str = ""
    is_admin: bool = False


@dataclass(frozen=True, slots=True)
class Mention:
    """Another person who was @-mentioned; ``staff_id`` is None for outsiders."""

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
    """A picture, identified by its download code, and the bot it was sent to."""

    download_code: str = field(repr=False)
    robot_code: str


class MessageKind(StrEnum):
    """The kind of content. The first three can hold a question, and so can a picture of a code."""

    TEXT = "text"
    RICH_TEXT = "rich_text"
    AUDIO = "audio"
    PICTURE = "picture"
    VIDEO = "video"
    FILE = "file"
    UNKNOWN = "unknown"
    QUOTA_EXHAUSTED = "quota_exhausted"
    """The organisation's push quota is used up: DingTalk omits the text (error code 20001)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to the bot. ``text`` has no mention of the bot and no surrounding blanks."""

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
    """Whether the quoted card or message is certainly the bot's own."""
    picture: Picture | None = None
    """The picture if there is no text; the first of several."""

    @property
    def only_reader(self) -> str:
        """Return the only reader of a message's place: the sender in their own chat; None in a group."""
        return self.sender.staff_id or "" if self.conversation.kind is ConversationKind.DIRECT else ""
