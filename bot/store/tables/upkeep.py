"""Tables of the bot's own upkeep: data keys, heartbeat, replicas, the files of its rules and their versions, held
rights, and traces.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field

from bot.store.sealed_columns import Sealed
from bot.store.tables.base import ROW_NUMBER, StoreTable, core_table


class DataKeyRow(StoreTable, table=True):
    """A key that seals values of this database (see `bot.words.sealing`), itself wrapped with the company's key."""

    __tablename__ = "data_key"

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    """0 for the key of searchable values; of the others the highest seals."""
    wrapped: str = Field(sa_type=Text)
    company_key: str
    """The name of the company key that wrapped it (see `bot.words.sealing.CompanyKey.name`)."""
    made_ms: int = Field(sa_type=BigInteger)


class HeartbeatRow(StoreTable, table=True):
    """One row, written every few seconds to test whether the database is writable."""

    __tablename__ = "heartbeat"

    id: int = Field(primary_key=True)
    at_ms: int = Field(sa_type=BigInteger)


class ReplicaRow(StoreTable, table=True):
    """A process that works on this database with others; all times are of the database's clock."""

    __tablename__ = "replica"

    id: str = Field(primary_key=True)
    host: str
    process: int
    version: str
    joined_ms: int = Field(sa_type=BigInteger)
    beat_ms: int = Field(sa_type=BigInteger)
    """When it last said that it lives."""
    backend: int
    """The server's process behind its connection, which ends with it; and when that began."""
    backend_us: int = Field(sa_type=BigInteger)
    settings: str = Field(sa_type=Text)
    """Digests of the settings that must agree, by section, as JSON."""
    rules: str = Field(sa_type=Text)
    """Digests of the rules in force, by file, as JSON."""


class TraceRow(StoreTable, table=True):
    """What one question or click did (see `bot.mechanisms.tracing.Trace`)."""

    __tablename__ = "trace"

    reference: str = Field(primary_key=True)
    at_ms: int = Field(sa_type=BigInteger, index=True)
    told: str = Field(sa_type=Sealed("trace.told"))
    """All else, as JSON."""


class LeadRow(StoreTable, table=True):
    """One row: which replica leads, until when, and how often the lead has changed hands."""

    __tablename__ = "lead"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    fence: int = Field(sa_type=BigInteger, unique=True)
    """Grows with each take-over. It is unique so that PostgreSQL treats its change as that of a key: a take-over waits
    for transactions that hold ``FOR KEY SHARE`` on it, and a renewal does not."""
    holder: str
    """A replica's id; empty while nobody leads."""
    until_ms: int = Field(sa_type=BigInteger)


class RuleFileRow(StoreTable, table=True):
    """A file whose rules are in force: if it is missing after a restart, nothing opens because of that."""

    __tablename__ = "rule_file"

    name: str = Field(primary_key=True)
    """The subject of its rules, such as ``access rules``."""
    path: str = Field(sa_type=Text)
    since_ms: int = Field(sa_type=BigInteger)
    content: str | None = Field(sa_type=Sealed("rule_file.content"))
    """Its content; None if recorded by a version before this column."""


class RuleVersionRow(StoreTable, table=True):
    """A text of a rule file that was proposed on a page, or came into force (see `bot.rulefiles.versions`)."""

    __tablename__ = "rule_version"
    __table_args__ = (Index("ix_rule_version_subject_state", "subject", "state"),)

    number: int | None = Field(primary_key=True, default=None, sa_type=ROW_NUMBER)
    subject: str
    state: str
    text: str = Field(sa_type=Sealed("rule_version.text"))
    sha256: str
    base: str
    author: str
    """userId, empty for a file that was changed outside the pages."""
    reason: str = Field(sa_type=Sealed("rule_version.reason"))
    made_ms: int = Field(sa_type=BigInteger)
    publisher: str
    published_ms: int | None = Field(sa_type=BigInteger)


class HeldRightRow(StoreTable, table=True):
    """A right that a restored backup brought back, until its owner confirms it (see `bot.chat.held_rights`)."""

    __tablename__ = "held_right"

    id: str = Field(primary_key=True)
    kind: str
    user_id: str = Field(index=True)
    about: str = Field(sa_type=Sealed("held_right.about"))
    content: str = Field(sa_type=Sealed("held_right.content"))
    """The original row, as JSON."""
    since_ms: int = Field(sa_type=BigInteger)


DATA_KEY = core_table(DataKeyRow)
HEARTBEAT = core_table(HeartbeatRow)
HELD_RIGHT = core_table(HeldRightRow)
LEAD = core_table(LeadRow)
REPLICA = core_table(ReplicaRow)
RULE_FILE = core_table(RuleFileRow)
RULE_VERSION = core_table(RuleVersionRow)
TRACE = core_table(TraceRow)
