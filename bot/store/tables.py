"""The tables, as statements see them. Nobody needs their rows as objects.

So there are no models here: SQLModel would bring SQLAlchemy's whole object mapper, 6 MB of every bot's memory.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Our own, so that an adapter's tables never mix with the bot's."""

_QUEUED = "state = 'queued'"

INBOX = Table(
    "inbox",
    METADATA,
    Column("msg_id", String, primary_key=True),
    Column("state", String, nullable=False, index=True),
    Column("received_ms", BigInteger, nullable=False, index=True),
    Column("payload", Text, nullable=False),
)
"""Questions that were acknowledged to DingTalk. ``received_ms`` is in milliseconds since 1970; ``payload`` is the
message as DingTalk sent it, emptied as soon as it is answered (it holds the reply address)."""

LANGUAGE = Table(
    "language",
    METADATA,
    Column("user_id", String, primary_key=True),
    Column("code", String, nullable=False),
)
"""The languages that people chose."""

API_MONTH = Table(
    "api_month",
    METADATA,
    Column("month", String, primary_key=True),
    Column("calls", Integer, nullable=False),
)
"""Calls of each month (as ``2026-11``) that count against the organisation's quota."""

ERP_COPY = Table(
    "erp_copy",
    METADATA,
    Column("source", String, primary_key=True),
    Column("call", String, primary_key=True),
    Column("asked", String, primary_key=True),
    Column("as_of_ms", BigInteger, nullable=False, index=True),
    Column("value", Text, nullable=False),
)
"""What sources said last, as JSON (see `bot.erp.cache`), for the time in which they do not answer."""

ERP_REJECTED = Table(
    "erp_rejected",
    METADATA,
    Column("source", String, primary_key=True),
    Column("area", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("defect", String, primary_key=True),
    Column("why", Text, nullable=False),
    Column("record", Text, nullable=False),
    Column("first_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False, index=True),
)
"""Records of ERPs that cannot be right, each defect once, with when it was first and last seen."""

INDEXED_PRODUCT = Table(
    "indexed_product",
    METADATA,
    Column("source", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("walk", Integer, nullable=False),
    Column("code", Text, nullable=False),
    Column("folded", Text, nullable=False),
    Column("plain", Text, nullable=False),
    Column("initials", Text, nullable=False),
    Column("syllables", Text, nullable=False),
    Column("sku", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("spec", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("barcode", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""Products as they are searched (see `bot.erp.index.port.IndexEntry`); ``folded`` is the name, ``walk`` the last
reading of the whole source that came upon the product. A search reads all rows of a source: without SQLite's row
numbers they lie in one piece, source by source."""

INDEXED_SOURCE = Table(
    "indexed_source",
    METADATA,
    Column("source", String, primary_key=True),
    Column("cursor", Text, nullable=False),
    Column("walk", Integer, nullable=False),
    Column("walking", Boolean, nullable=False),
    Column("walked_ms", BigInteger),
    Column("synced_ms", BigInteger),
    Column("trouble", String, nullable=False),
    Column("version", Integer, nullable=False),
)
"""How far each source has been followed (see `bot.erp.index.port.SyncState`); times in milliseconds since 1970."""

PINYIN = Table(
    "pinyin",
    METADATA,
    Column("sign", String, primary_key=True),
    Column("readings", String, nullable=False),
)
"""How Chinese characters are read, the usual way first, with blanks between; empty for one that nobody knows."""

DELIVERY = Table(
    "delivery",
    METADATA,
    Column("card", String, primary_key=True),
    Column("place", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("ref", String, nullable=False),
    Column("fact", String, nullable=False),
    Column("urgency", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("via", String, nullable=False),
    Column("wanted", Integer, nullable=False),
    Column("shown", Integer, nullable=False),
    Column("doubt", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("next_ms", BigInteger, nullable=False),
    Column("lease", String, nullable=False),
    Column("lease_ms", BigInteger, nullable=False),
    Column("made_as", String, nullable=False),
    Column("making", Integer, nullable=False),
    Column("track", String, nullable=False, index=True),
    Column("changed_ms", BigInteger, nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Index("ix_delivery_queued", "urgency", "due_ms", sqlite_where=text(_QUEUED), postgresql_where=text(_QUEUED)),
)
"""The outbox: one row for each card (see `bot.outbox.delivery`). A row is tried at ``next_ms``, which is ``due_ms`` or
later; it belongs to the worker ``lease`` until ``lease_ms``. ``doubt`` is the revision of a try to make the card whose
outcome nobody knows, 0 for none; ``making`` counts how often a card that was given up unseen was begun anew."""

DELIVERY_STEP = Table(
    "delivery_step",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("card", String, nullable=False, index=True),
    Column("at_ms", BigInteger, nullable=False, index=True),
    Column("what", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("late_ms", BigInteger, nullable=False),
    Column("detail", Text, nullable=False),
)
"""Every delivery's story, step by step (see `bot.outbox.delivery.DeliveryStepKind`)."""

DELIVERY_SPEND = Table(
    "delivery_spend",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("bucket", String, nullable=False, index=True),
    Column("card", String, nullable=False),
    Column("worker", String, nullable=False, index=True),
    Column("window_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
)
"""What deliveries took of their budgets (see `bot.outbox.budgets`): each row counts until ``until_ms``, which is one
window after its call ended. While the call is under way, ``worker`` says whose it is."""

API_DAY = Table(
    "api_day",
    METADATA,
    Column("day", String, primary_key=True),
    Column("calls", Integer, nullable=False),
)
"""How far the month's calls had come when a day (as ``2026-11-24``, in China) was last looked at, for the forecast."""

EVENT = Table(
    "event",
    METADATA,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("source", String, nullable=False),
    Column("origin", String, nullable=False),
    Column("event_id", String, nullable=False),
    Column("type", String, nullable=False),
    Column("subject", String, nullable=False, index=True),
    Column("via", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False, index=True),
    Column("state", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("raw", Text, nullable=False),
    UniqueConstraint("source", "origin", "event_id"),
    Index("ix_event_state_seq", "state", "seq"),
    # A number is never given twice, also when the newest rows were deleted.
    sqlite_autoincrement=True,
)
"""Events in the order in which they came, each once, with what became of them (see `bot.alerts.intake.port`)."""

ALERT = Table(
    "alert",
    METADATA,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("id", String, nullable=False, unique=True),
    Column("key", Text, nullable=False),
    Column("state", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("event", Text, nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("reported", Integer, nullable=False),
    Column("hands", Text, nullable=False),
    Column("snoozed_ms", BigInteger),
    Column("resolved_ms", BigInteger),
    Column("step", Integer, nullable=False),
    Column("escalate_ms", BigInteger),
    Column("held", Boolean, nullable=False),
    Column("look_ms", BigInteger),
    Column("revivals", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("due_ms", BigInteger, index=True),
    Index("ix_alert_key_number", "key", "number"),
    Index("ix_alert_state_number", "state", "number"),
    Index("ix_alert_held", "number", sqlite_where=text("held"), postgresql_where=text("held")),
)
"""Alerts (see `bot.alerts.alert.Alert`), numbered in the order in which they began. ``event`` is the latest event as
JSON, ``hands`` who acknowledged, put off and has it; ``due_ms`` is when time alone will change the alert."""

_LIVING = text("state <> 'closed'")

ALERT_CARD = Table(
    "alert_card",
    METADATA,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("id", String, nullable=False, unique=True),
    Column("place", String, nullable=False),
    Column("route", Text, nullable=False),
    Column("shared", Text, nullable=False),
    Column("state", String, nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("due_ms", BigInteger, index=True),
    Column("shown_ms", BigInteger),
    Column("changed_ms", BigInteger),
    Column("behind", Boolean, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("next_card", String, nullable=False),
    Column("repeats", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Index("uq_alert_card_shared", "shared", "place", unique=True, sqlite_where=_LIVING, postgresql_where=_LIVING),
    Index("ix_alert_card_place", "place", "number", sqlite_where=_LIVING, postgresql_where=_LIVING),
)
"""Cards of alerts, one for each place and group (``shared``) that is not closed (see `bot.alerts.alert.AlertCard`)."""

ALERT_CARD_MEMBER = Table(
    "alert_card_member",
    METADATA,
    Column("card", String, primary_key=True),
    Column("alert", String, primary_key=True, index=True),
    Column("position", Integer, nullable=False),
)
"""Which alerts a card shows, in the order in which they came."""

MUTE = Table(
    "mute",
    METADATA,
    Column("id", String, primary_key=True),
    Column("place", String, nullable=False, index=True),
    Column("pattern", Text, nullable=False),
    Column("author", String, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
)
"""Silences that people asked for (see `bot.alerts.alert.Mute`)."""

WATCH = Table(
    "watch",
    METADATA,
    Column("id", String, primary_key=True),
    Column("user_id", String, nullable=False, index=True),
    Column("area", String, nullable=False),
    Column("subject", Text, nullable=False),
    Column("folded", Text, nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("comparison", String, nullable=False),
    Column("bound", String, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
)
"""What people watch (see `bot.alerts.alert.Watch`); ``folded`` is the subject without capitals, ``bound`` the limit
as exact text, both empty where there is none."""

ALERT_NOTE = Table(
    "alert_note",
    METADATA,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at_ms", BigInteger, nullable=False, index=True),
    Column("what", String, nullable=False),
    Column("fact", Text, nullable=False, index=True),
    Column("alert", String, nullable=False, index=True),
    Column("card", String, nullable=False),
    Column("detail", Text, nullable=False),
)
"""The story of events and alerts, line by line (see `bot.alerts.repository.AlertHistoryEntry`)."""

POLL_POSITION = Table(
    "poll_position",
    METADATA,
    Column("source", String, primary_key=True),
    Column("area", String, primary_key=True),
    Column("round", BigInteger, nullable=False),
    Column("cursor", Text, nullable=False),
    Column("followed", Boolean, nullable=False),
    Column("place", Text, nullable=False),
    Column("sweeping", Boolean, nullable=False),
    Column("began_ms", BigInteger),
    Column("swept_ms", BigInteger),
    Column("good_ms", BigInteger),
)
"""How far each area of each source has been polled (see `bot.alerts.intake.poll_state.Checkpoint`)."""

_MATTERS = text("state <> ''")

POLL_SUBJECT = Table(
    "poll_subject",
    METADATA,
    Column("source", String, primary_key=True),
    Column("area", String, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("code", Text, nullable=False),
    Column("state", String, nullable=False),
    Column("told", Boolean, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("said", Text, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Index("ix_poll_subject_open", "source", "area", "seen_ms", sqlite_where=_MATTERS, postgresql_where=_MATTERS),
)
"""What polling found to be the matter, or once did (see `bot.alerts.intake.poll_state.PolledSubject`)."""

POLL_UNSENT = Table(
    "poll_unsent",
    METADATA,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("source", String, nullable=False, index=True),
    Column("event", Text, nullable=False),
)
"""Events of polling whose hand-over to the intake has not been confirmed, as JSON, in their order."""

_UNDECIDED = text("state IN ('open', 'writing', 'unknown')")
_DUE = text("due_us IS NOT NULL")
_IS_OPEN = text("state = 'open'")

APPROVAL_CASE = Table(
    "approval_case",
    METADATA,
    Column("id", String, primary_key=True),
    Column("source", String, nullable=False),
    Column("folded", String, nullable=False),
    Column("round", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("opened_us", BigInteger, nullable=False),
    Column("due_us", BigInteger),
    Column("stamp", Integer, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("folded", "source", "round"),
    Index(
        "uq_approval_case_undecided",
        "source",
        "folded",
        unique=True,
        sqlite_where=_UNDECIDED,
        postgresql_where=_UNDECIDED,
    ),
    Index("ix_approval_case_due_us", "due_us", sqlite_where=_DUE, postgresql_where=_DUE),
    Index("ix_approval_case_open", "opened_us", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
)
"""Purchase orders on their way to a decision (see `bot.approvals.case.Case`), of which at most one case of a document
is undecided. Times are in microseconds since 1970; ``folded`` is the number without capitals, ``stamp`` counts the
writings of the row, ``body`` is the case as JSON."""

APPROVAL_VOTE = Table(
    "approval_vote",
    METADATA,
    Column("case_id", String, primary_key=True),
    Column("user_id", String, primary_key=True),
    Column("verdict", String, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("currency", String, nullable=False),
    Column("amount", String, nullable=False),
    Index("ix_approval_vote_user_id_at_us", "user_id", "at_us"),
)
"""Who spoke about a case, each person once; currency and amount are of what counts against limits per day."""

APPROVAL_DECISION = Table(
    "approval_decision",
    METADATA,
    Column("case_id", String, primary_key=True),
    Column("verdict", String, nullable=False),
    Column("user_id", String, nullable=False),
    Column("at_us", BigInteger, nullable=False),
)
"""The decision of a case: there is one, and only who takes it back makes room for another."""

APPROVAL_PERSON = Table(
    "approval_person",
    METADATA,
    Column("user_id", String, primary_key=True),
    Column("case_id", String, primary_key=True, index=True),
)
"""Whom a case names (see `bot.approvals.case`)."""

APPROVAL_CARD = Table(
    "approval_card",
    METADATA,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("card", String, nullable=False, unique=True),
    Column("case_id", String, nullable=False, index=True),
    Column("place", String, nullable=False),
    Column("for_user", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("copy", Integer, nullable=False),
)
"""Where the cards of cases stand (see `bot.approvals.case.CaseCard`)."""

APPROVAL_AUDIT = Table(
    "approval_audit",
    METADATA,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("case_id", String, nullable=False, index=True),
    Column("at_us", BigInteger, nullable=False),
    Column("what", String, nullable=False),
    Column("user_id", String, nullable=False),
    Column("detail", Text, nullable=False),
    Column("seen", String, nullable=False),
    sqlite_autoincrement=True,
)
"""The record of cases, line by line (see `bot.approvals.case.AuditRow`). Triggers refuse to change or delete a line."""

APPROVAL_SOURCE = Table(
    "approval_source",
    METADATA,
    Column("source", String, primary_key=True),
)
"""Sources that were looked through once for what waits for a decision."""

APPROVAL_NATIVE = Table(
    "approval_native",
    METADATA,
    Column("case_id", String, primary_key=True),
    Column("instance", String, unique=True),
    Column("state", String, nullable=False, index=True),
    Column("due_us", BigInteger, nullable=False),
    Column("news", Integer, nullable=False),
    Column("seen", Integer, nullable=False),
    Column("stamp", Integer, nullable=False),
    Column("body", Text, nullable=False),
)
"""Approvals in DingTalk's own app (see `bot.approvals.native.oa_forms.NativeRecord`). ``news`` counts the events
about one, ``seen`` those that were looked into."""
