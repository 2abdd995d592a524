"""Tables of questions and of the people who ask: the inbox, chosen languages, and what DingTalk
bills.
"""

from __future__ import annotations

from sqlalchemy import BigInteger
from sqlmodel import Field

from bot.store.sealed_columns import Sealed
from bot.store.tables.base import StoreTable, core_table


class InboxRow(StoreTable, table=True):
    """A question that was acknowledged to DingTalk."""

    __tablename__ = "inbox"

    msg_id: str = Field(primary_key=True)
    """DingTalk's id of the message: a redelivery has the same."""
    state: str = Field(index=True)
    """See `bot.chat.ports.InboxState`."""
    received_ms: int = Field(sa_type=BigInteger, index=True)
    payload: str = Field(sa_type=Sealed("inbox.payload"))
    """The message as DingTalk sent it; emptied as soon as it is answered, for it holds the reply address."""


class LanguageRow(StoreTable, table=True):
    """The language that a person chose."""

    __tablename__ = "language"

    user_id: str = Field(primary_key=True)
    code: str


class DialogueRow(StoreTable, table=True):
    """What a person asked last in a conversation (see `bot.chat.dialogues.LastQuestion`)."""

    __tablename__ = "dialogue"

    user_id: str = Field(primary_key=True)
    conversation_id: str = Field(primary_key=True)
    at_ms: int = Field(sa_type=BigInteger)
    line: str = Field(sa_type=Sealed("dialogue.line"))
    rows: str = Field(sa_type=Sealed("dialogue.rows"))
    """A JSON list of lines."""


class OutsiderGroupRow(StoreTable, table=True):
    """A conversation in which somebody from outside the organisation was seen."""

    __tablename__ = "outsider_group"

    conversation_id: str = Field(primary_key=True)
    seen_ms: int = Field(sa_type=BigInteger)
    """When that was first seen."""


class QuotaMonthRow(StoreTable, table=True):
    """What one purpose and group spent of one of the organisation's quotas in a month."""

    __tablename__ = "api_month"

    month: str = Field(primary_key=True)
    """As ``2026-11``."""
    spent: int
    quota: str = Field(primary_key=True)
    """See `bot.outbox.spending.Quota`."""
    purpose: str = Field(primary_key=True)
    conversation: str = Field(primary_key=True)
    """The openConversationId of a group; empty for chats with single people."""


class QuotaDayRow(StoreTable, table=True):
    """How far a quota's month had come when a day was last looked at, for the forecast."""

    __tablename__ = "api_day"

    day: str = Field(primary_key=True)
    """As ``2026-11-24``, in China."""
    spent: int
    quota: str = Field(primary_key=True)


class QuotaWarningRow(StoreTable, table=True):
    """A step of a quota that administrators were told of in a month."""

    __tablename__ = "quota_warning"

    month: str = Field(primary_key=True)
    quota: str = Field(primary_key=True)
    percent: int = Field(primary_key=True)


INBOX = core_table(InboxRow)
DIALOGUE = core_table(DialogueRow)
LANGUAGE = core_table(LanguageRow)
OUTSIDER_GROUP = core_table(OutsiderGroupRow)
QUOTA_MONTH = core_table(QuotaMonthRow)
QUOTA_DAY = core_table(QuotaDayRow)
QUOTA_WARNING = core_table(QuotaWarningRow)
