"""Tables of questions and their askers: the inbox, standing answers, chosen languages, and what DingTalk bills."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, false
from sqlmodel import Field

from bot.store.sealed_columns import Sealed
from bot.store.tables.base import StoreTable, core_table


class InboxRow(StoreTable, table=True):
    """A question acknowledged to DingTalk."""

    __tablename__ = "inbox"

    msg_id: str = Field(primary_key=True)
    """DingTalk's id of the message, which a redelivery keeps."""
    state: str = Field(index=True)
    """See `bot.chat.answers.ports.InboxState`."""
    received_ms: int = Field(sa_type=BigInteger, index=True)
    payload: str = Field(sa_type=Sealed("inbox.payload", short_lived=True))
    """The message as DingTalk sent it; emptied once answered, because it contains the reply address."""
    replica: str | None
    """The replica that answers it; None on SQLite, as are the next two."""
    conversation: str | None = Field(index=True)
    arrived_us: int | None = Field(sa_type=BigInteger)
    """When it was stored, by the database's clock: the order of a conversation's questions among replicas."""


class StandingAnswerRow(StoreTable, table=True):
    """The card of an answer that is redrawn when a document on it is decided."""

    __tablename__ = "standing_answer"

    track: str = Field(primary_key=True)
    """The card's ``outTrackId``."""
    place: str
    """See `bot.outbox.place.Place`."""
    conversation: str
    """DingTalk's id of the conversation of the question."""
    user_id: str = Field(index=True)
    """The asker."""
    line: str = Field(sa_type=Sealed("standing_answer.line"))
    """The line it answers."""
    first_row: int
    """The first row shown of a list, counted from 0."""
    readers: str
    """See `bot.chat.answers.standing_answers.CardReaders`."""
    made_as: str
    """The name of the card at its creation."""
    at_ms: int = Field(sa_type=BigInteger, index=True)
    revision: int
    """Grows with every change of one of its documents."""


class StandingDocumentRow(StoreTable, table=True):
    """A document shown on an answer's card."""

    __tablename__ = "standing_document"
    __table_args__ = (Index("ix_standing_document_source_folded", "source", "folded"),)

    track: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    folded: str = Field(primary_key=True)
    """The document's number in lower case."""
    at_ms: int = Field(sa_type=BigInteger, index=True)


class LanguageRow(StoreTable, table=True):
    """The language that a person chose."""

    __tablename__ = "language"

    user_id: str = Field(primary_key=True)
    code: str


class DialogueRow(StoreTable, table=True):
    """A person's last question in a conversation (see `bot.chat.questions.dialogues.LastQuestion`)."""

    __tablename__ = "dialogue"

    user_id: str = Field(primary_key=True)
    conversation_id: str = Field(primary_key=True)
    at_ms: int = Field(sa_type=BigInteger)
    line: str = Field(sa_type=Sealed("dialogue.line", short_lived=True))
    rows: str = Field(sa_type=Sealed("dialogue.rows", short_lived=True))
    """A JSON list of lines."""


class PromptRow(StoreTable, table=True):
    """A line that a person's next message completes (see `bot.chat.questions.prompts.OpenPrompt`)."""

    __tablename__ = "prompt"

    user_id: str = Field(primary_key=True)
    until_ms: int = Field(sa_type=BigInteger)
    line: str = Field(sa_type=Sealed("prompt.line", short_lived=True))
    places: str
    """A JSON list of places."""


class ReadingUseRow(StoreTable, table=True):
    """A question, document or file that counts towards a limit of a person or conversation."""

    __tablename__ = "reading_use"

    party: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    """A digest of the document, or any text that no other use has."""
    at_ms: int = Field(sa_type=BigInteger, index=True)


class WelcomeRow(StoreTable, table=True):
    """A conversation that was welcomed (see `bot.chat.answers.welcome`)."""

    __tablename__ = "welcome"

    conversation_id: str = Field(primary_key=True)
    msg_id: str
    """Its first message; empty for a conversation older than the welcomes."""


class OutsiderGroupRow(StoreTable, table=True):
    """A conversation in which an outsider was seen."""

    __tablename__ = "outsider_group"

    conversation_id: str = Field(primary_key=True)
    seen_ms: int = Field(sa_type=BigInteger)
    """When one was first seen there."""


class SubscriptionRow(StoreTable, table=True):
    """A line answered at a place at a time of day."""

    __tablename__ = "subscription"

    id: str = Field(primary_key=True)
    """See `bot.alerts.subscriptions.Subscription.id`."""
    place: str = Field(index=True)
    """See `bot.outbox.place.Place`."""
    conversation: str
    """DingTalk's id of the conversation where it was created."""
    user_id: str = Field(index=True)
    """Who created it."""
    line: str = Field(sa_type=Sealed("subscription.line"))
    at: str
    """As ``08:30``."""
    workdays: bool
    """Whether it pauses on days off."""
    next_ms: int = Field(sa_type=BigInteger, index=True)
    """The next time."""
    ended: bool
    """Whether it has ended, because its owner left."""
    waits: bool = Field(sa_column_kwargs={"server_default": false()})
    """Whether the rules currently forbid it."""
    weekday: int | None
    """The only day of the week on which it comes; Monday is 1."""


class QuotaMonthRow(StoreTable, table=True):
    """The spending of one purpose and group on one of the organisation's quotas in a month; also the cost of a language
    model.
    """

    __tablename__ = "api_month"

    month: str = Field(primary_key=True)
    """As ``2026-11``."""
    spent: int
    quota: str = Field(primary_key=True)
    """See `bot.outbox.spending.Quota` and `bot.store.outbox.call_counts`."""
    purpose: str = Field(primary_key=True)
    conversation: str = Field(primary_key=True)
    """The openConversationId of a group; empty for chats with single people."""


class QuotaDayRow(StoreTable, table=True):
    """A quota's progress in the month when a day was last checked, for the forecast."""

    __tablename__ = "api_day"

    day: str = Field(primary_key=True)
    """As ``2026-11-24``, in China."""
    spent: int
    quota: str = Field(primary_key=True)


class QuotaWarningRow(StoreTable, table=True):
    """A quota step reported to administrators in a month."""

    __tablename__ = "quota_warning"

    month: str = Field(primary_key=True)
    quota: str = Field(primary_key=True)
    percent: int = Field(primary_key=True)


class CardProbeRow(StoreTable, table=True):
    """A person's answer about a card of a template (see `bot.chat.answers.card_probes.CardProbe`)."""

    __tablename__ = "card_probe"

    template: str = Field(primary_key=True)
    """DingTalk's id of the template."""
    track: str
    """The ``outTrackId`` of the newest probe."""
    user_id: str
    sent_ms: int = Field(sa_type=BigInteger)
    looked_ms: int | None = Field(sa_type=BigInteger)
    private_values: bool | None
    own_answers: bool | None


INBOX = core_table(InboxRow)
CARD_PROBE = core_table(CardProbeRow)
STANDING_ANSWER = core_table(StandingAnswerRow)
STANDING_DOCUMENT = core_table(StandingDocumentRow)
DIALOGUE = core_table(DialogueRow)
SUBSCRIPTION = core_table(SubscriptionRow)
LANGUAGE = core_table(LanguageRow)
WELCOME = core_table(WelcomeRow)
OUTSIDER_GROUP = core_table(OutsiderGroupRow)
QUOTA_MONTH = core_table(QuotaMonthRow)
PROMPT = core_table(PromptRow)
READING_USE = core_table(ReadingUseRow)
QUOTA_DAY = core_table(QuotaDayRow)
QUOTA_WARNING = core_table(QuotaWarningRow)
