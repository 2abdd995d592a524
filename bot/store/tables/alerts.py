"""Tables of events and alerts."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text, UniqueConstraint, false, text
from sqlmodel import Field

from bot.store.sealed_columns import Sealed, SealedKey
from bot.store.tables.base import ROW_NUMBER, StoreTable, core_table, partial_index


class EventRow(StoreTable, table=True):
    """An event and its outcome, each event once (see `bot.alerts.intake.port`)."""

    __tablename__ = "event"
    __table_args__ = (
        UniqueConstraint("source", "origin", "event_id"),
        # The order in which events are processed: `bot.store.alerts.events`.
        partial_index("ix_event_waiting", "rank", "source", "seq", where="state = 'waiting'"),
        partial_index("ix_event_waiting_subject", "source", "subject", "seq", where="state = 'waiting'"),
        partial_index("ix_event_rejected", "seq", where="state = 'rejected'"),
        # A number is never reused, even after the newest rows were deleted.
        {"sqlite_autoincrement": True},
    )

    seq: int = Field(sa_type=ROW_NUMBER, primary_key=True, sa_column_kwargs={"autoincrement": True})
    """The order of arrival."""
    source: str
    """The configured name of the sender."""
    origin: str
    """The CloudEvent's own ``source``."""
    event_id: str
    type: str
    subject: str = Field(index=True)
    via: str
    """The way it came in."""
    severity: str
    """As stated by the sender; empty: the type's own."""
    time_ms: int = Field(sa_type=BigInteger)
    received_ms: int = Field(sa_type=BigInteger, index=True)
    state: str
    """See `bot.alerts.intake.port.EventState`."""
    reason: str = Field(sa_type=Sealed("event.reason"))
    """Why it was rejected."""
    raw: str = Field(sa_type=Sealed("event.raw"))
    """The whole CloudEvent as received JSON, if an older version stored it; empty with a ``pack``."""
    rank: int = Field(sa_column_kwargs={"server_default": "1"})
    """Its severity rank (`bot.words.severity.Severity.rank`): the worst comes first."""
    pack: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    """The row of `EventPackRow` that holds the CloudEvent."""
    position: int = Field(sa_column_kwargs={"server_default": "0"})
    """Its position in the pack."""


class EventPackRow(StoreTable, table=True):
    """CloudEvents stored together: as one value they take a tenth of the space."""

    __tablename__ = "event_pack"

    number: int = Field(sa_type=ROW_NUMBER, primary_key=True)
    received_ms: int = Field(sa_type=BigInteger, index=True)
    """When the last of them was received."""
    bodies: str = Field(sa_type=Sealed("event_pack.bodies"))
    """See `bot.store.alerts.packs`."""


class StoredAlertRow(StoreTable, table=True):
    """An alert (see `bot.alerts.alert.Alert`)."""

    __tablename__ = "alert"
    __table_args__ = (
        # A sealed key begins with 96 bits, which are practically unique (`bot.words.sealing.KeyRing.seal_same`).
        Index("ix_alert_key_start", text("substr(key, 1, 18)"), "number"),
        partial_index("ix_alert_open", "number", where="state = 'open'"),
        partial_index("ix_alert_held", "number", where="held"),
        partial_index("ix_alert_due_ms", "due_ms", where="due_ms IS NOT NULL"),
    )

    number: int = Field(sa_type=ROW_NUMBER, primary_key=True, sa_column_kwargs={"autoincrement": False})
    """The order in which alerts began."""
    id: str = Field(unique=True)
    key: str = Field(sa_type=SealedKey("alert.key"))
    """The common key of its events."""
    state: str
    severity: str
    event: str = Field(sa_type=Sealed("alert.event"))
    """The latest event as JSON; empty while the ``pack`` holds it."""
    opened_ms: int = Field(sa_type=BigInteger)
    last_ms: int = Field(sa_type=BigInteger)
    reported: int
    """How often it was reported since it opened."""
    hands: str = Field(sa_type=Sealed("alert.hands"))
    """Who acknowledged it, snoozed it and was assigned to it, as JSON; empty if nobody."""
    snoozed_ms: int | None = Field(sa_type=BigInteger)
    """Until when it is snoozed."""
    resolved_ms: int | None = Field(sa_type=BigInteger)
    step: int
    """Escalation steps taken."""
    escalate_ms: int | None = Field(sa_type=BigInteger)
    held: bool
    """Suppressed at some place."""
    look_ms: int | None = Field(sa_type=BigInteger)
    """When the earliest of its suppressions ends."""
    revivals: int
    revision: int
    due_ms: int | None = Field(sa_type=BigInteger)
    """When time alone will change the alert."""
    pack: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    """The row of `AlertPackRow` with its initial event; 0 for none."""


class AlertPackRow(StoreTable, table=True):
    """The events of alerts that began together: as one value they take a tenth of the space."""

    __tablename__ = "alert_pack"

    first: int = Field(sa_type=ROW_NUMBER, primary_key=True, sa_column_kwargs={"autoincrement": False})
    """The number of the first of them; the others follow."""
    events: str = Field(sa_type=Sealed("alert_pack.events"))
    """See `bot.store.alerts.packs`."""


class AlertCardRow(StoreTable, table=True):
    """A card of alerts (see `bot.alerts.alert.AlertCard`): at a place each group has at most one that is not closed."""

    __tablename__ = "alert_card"
    __table_args__ = (
        partial_index("uq_alert_card_shared", "shared", "place", unique=True, where="state <> 'closed'"),
        partial_index("ix_alert_card_place", "place", "number", where="state <> 'closed'"),
    )

    number: int = Field(sa_type=ROW_NUMBER, primary_key=True, sa_column_kwargs={"autoincrement": False})
    """The order in which cards began."""
    id: str = Field(unique=True)
    place: str
    route: str = Field(sa_type=Text)
    """Name of the route that brought it here."""
    shared: str = Field(sa_type=SealedKey("alert_card.shared"))
    """The group: the common key of the alerts on the card."""
    state: str
    opened_ms: int = Field(sa_type=BigInteger)
    due_ms: int | None = Field(sa_type=BigInteger, index=True)
    shown_ms: int | None = Field(sa_type=BigInteger)
    changed_ms: int | None = Field(sa_type=BigInteger)
    """When the outbox was last asked for its newest state."""
    behind: bool
    """The place has yet to see a change."""
    late: bool
    """It brings news that the bot learnt long after the fact."""
    next_card: str
    """The card that replaced it."""
    repeats: int
    revision: int
    digest: str = Field(sa_type=Text, sa_column_kwargs={"server_default": ""})
    """The alerts named by a digest, and the counts of the others, as JSON; empty for another card."""


class AlertCardMemberRow(StoreTable, table=True):
    """An alert on a card, or one that a digest counts."""

    __tablename__ = "alert_card_member"
    __table_args__ = ({"sqlite_with_rowid": False},)

    card: str = Field(primary_key=True)
    alert: str = Field(primary_key=True, index=True)
    position: int
    """The order of arrival of the alerts."""


class StoredMuteRow(StoreTable, table=True):
    """A silence requested by a person (see `Mute` in `bot.alerts`)."""

    __tablename__ = "mute"

    id: str = Field(primary_key=True)
    place: str = Field(index=True)
    pattern: str = Field(sa_type=Text)
    author: str
    made_ms: int = Field(sa_type=BigInteger)
    until_ms: int = Field(sa_type=BigInteger)
    critical: bool = Field(sa_column_kwargs={"server_default": false()})


class WatchRow(StoreTable, table=True):
    """A person's watch (see `Watch` in `bot.alerts`)."""

    __tablename__ = "watch"

    id: str = Field(primary_key=True)
    user_id: str = Field(index=True)
    area: str
    subject: str = Field(sa_type=Text)
    folded: str = Field(sa_type=Text, index=True)
    """The subject in lower case."""
    title: str = Field(sa_type=Sealed("watch.title"))
    comparison: str
    """Empty for a watch without a limit."""
    bound: str
    """The limit as exact text; empty for a watch without one."""
    made_ms: int = Field(sa_type=BigInteger)
    source: str = Field(sa_column_kwargs={"server_default": ""})
    """The books of the watched document; empty for all."""
    said: str = Field(sa_type=Sealed("watch.said"), sa_column_kwargs={"server_default": ""})
    """The owner's knowledge of the document, as JSON; empty for a product."""


class AlertNoteRow(StoreTable, table=True):
    """Lines in the history of events and alerts (`bot.alerts.repository.AlertHistoryEntry`): those of a transaction.

    Older versions stored a row for each line; there ``what`` is not empty.
    """

    __tablename__ = "alert_note"
    __table_args__ = (
        partial_index("ix_alert_note_fact", "fact", where="fact <> ''"),
        partial_index("ix_alert_note_alert", "alert", where="alert <> ''"),
    )

    number: int = Field(sa_type=ROW_NUMBER, primary_key=True)
    at_ms: int = Field(sa_type=BigInteger, index=True)
    what: str
    fact: str = Field(sa_type=Text)
    """The event that caused it, as ``source/id``."""
    alert: str
    card: str
    detail: str = Field(sa_type=Sealed("alert_note.detail"))
    """The lines as JSON."""


class AlertNoteKeyRow(StoreTable, table=True):
    """Where the history has lines about an event (``source/id``) or an alert."""

    __tablename__ = "alert_note_key"
    __table_args__ = ({"sqlite_with_rowid": False},)

    key: str = Field(primary_key=True)
    note: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})


EVENT = core_table(EventRow)
EVENT_PACK = core_table(EventPackRow)
ALERT = core_table(StoredAlertRow)
ALERT_PACK = core_table(AlertPackRow)
ALERT_CARD = core_table(AlertCardRow)
ALERT_CARD_MEMBER = core_table(AlertCardMemberRow)
MUTE = core_table(StoredMuteRow)
WATCH = core_table(WatchRow)
ALERT_NOTE = core_table(AlertNoteRow)
ALERT_NOTE_KEY = core_table(AlertNoteKeyRow)
