"""Tables of ERP data: last answers, invalid records, the product index, and polling progress."""

from __future__ import annotations

from sqlalchemy import BigInteger, String, Text
from sqlmodel import Field

from bot.store.sealed_columns import Sealed, SealedKey
from bot.store.tables.base import ROW_NUMBER, StoreTable, core_table, partial_index


class ErpCopyRow(StoreTable, table=True):
    """The last answer of a source to a call, for use while the source does not answer."""

    __tablename__ = "erp_copy"

    source: str = Field(primary_key=True)
    call: str = Field(primary_key=True)
    """Method of the ERP port."""
    asked: str = Field(sa_type=SealedKey("erp_copy.asked", String()), primary_key=True)
    """Its arguments."""
    as_of_ms: int = Field(sa_type=BigInteger, index=True)
    value: str = Field(sa_type=Sealed("erp_copy.value"))
    """The answer as JSON (see `bot.erp.cache`)."""


class ErpRejectedRow(StoreTable, table=True):
    """An invalid record of an ERP; a record has one row per defect."""

    __tablename__ = "erp_rejected"

    source: str = Field(primary_key=True)
    area: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    defect: str = Field(primary_key=True)
    why: str = Field(sa_type=Sealed("erp_rejected.why"))
    record: str = Field(sa_type=Sealed("erp_rejected.record"))
    """The record as JSON."""
    first_ms: int = Field(sa_type=BigInteger)
    """When the defect was first seen."""
    last_ms: int = Field(sa_type=BigInteger, index=True)
    """When it was last seen."""


class IndexedProductRow(StoreTable, table=True):
    """A product in its searchable form (see `bot.erp.index.port.IndexEntry`).

    A search reads all rows of a source: without SQLite's row numbers they are adjacent on disk, source by source.
    """

    __tablename__ = "indexed_product"
    __table_args__ = ({"sqlite_with_rowid": False},)

    source: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    walk: int
    """The last walk through the whole source that met the product."""
    code: str = Field(sa_type=Text)
    folded: str = Field(sa_type=Text)
    """The folded name."""
    plain: str = Field(sa_type=Text)
    initials: str = Field(sa_type=Text)
    syllables: str = Field(sa_type=Text)
    sku: str = Field(sa_type=Text)
    """From here on, the product's own fields."""
    name: str = Field(sa_type=Text)
    spec: str = Field(sa_type=Text)
    unit: str = Field(sa_type=Text)
    category: str = Field(sa_type=Text)
    barcode: str = Field(sa_type=Text)


class IndexedSourceRow(StoreTable, table=True):
    """The index's progress in a source (see `bot.erp.index.port.SyncState`)."""

    __tablename__ = "indexed_source"

    source: str = Field(primary_key=True)
    cursor: str = Field(sa_type=Text)
    walk: int
    walking: bool
    walked_ms: int | None = Field(sa_type=BigInteger)
    synced_ms: int | None = Field(sa_type=BigInteger)
    trouble: str
    """The error class that ended the last attempt."""
    version: int


class PinyinRow(StoreTable, table=True):
    """The pinyin of a Chinese character."""

    __tablename__ = "pinyin"

    sign: str = Field(primary_key=True)
    readings: str
    """The usual reading first, separated by blanks; empty for a character without one."""


class PollPositionRow(StoreTable, table=True):
    """The polling progress of one area of a source (see `bot.alerts.intake.poll_state.Checkpoint`)."""

    __tablename__ = "poll_position"

    source: str = Field(primary_key=True)
    area: str = Field(primary_key=True)
    round: int = Field(sa_type=BigInteger)
    """Grows with every stored step."""
    cursor: str = Field(sa_type=Text)
    """Where the feed of changes continues."""
    followed: bool
    """Whether the feed has reached its end once."""
    place: str = Field(sa_type=Text)
    """Where the sweep continues."""
    sweeping: bool
    began_ms: int | None = Field(sa_type=BigInteger)
    swept_ms: int | None = Field(sa_type=BigInteger)
    good_ms: int | None = Field(sa_type=BigInteger)
    """When the source last answered everything."""


class PollSubjectRow(StoreTable, table=True):
    """A subject that polling found, or once found, in a bad state (see `PolledSubject`, same module)."""

    __tablename__ = "poll_subject"
    __table_args__ = (partial_index("ix_poll_subject_open", "source", "area", "seen_ms", where="state <> ''"),)

    source: str = Field(primary_key=True)
    area: str = Field(primary_key=True)
    key: str = Field(sa_type=Text, primary_key=True)
    """The code in lower case."""
    code: str = Field(sa_type=Text)
    state: str
    """Empty for a subject without problems."""
    told: bool
    """Whether an event reported the state."""
    at_ms: int = Field(sa_type=BigInteger)
    """Time of the last event about it."""
    said: str = Field(sa_type=Sealed("poll_subject.said"))
    """The fields compared to detect changes, as JSON."""
    seen_ms: int = Field(sa_type=BigInteger)
    """When the ERP last confirmed the state."""


class PollUnsentRow(StoreTable, table=True):
    """A polled event that the intake has not confirmed yet."""

    __tablename__ = "poll_unsent"

    number: int = Field(sa_type=ROW_NUMBER, primary_key=True)
    """The order in which events are handed over."""
    source: str = Field(index=True)
    event: str = Field(sa_type=Sealed("poll_unsent.event"))
    """A CloudEvent as JSON."""


ERP_COPY = core_table(ErpCopyRow)
ERP_REJECTED = core_table(ErpRejectedRow)
INDEXED_PRODUCT = core_table(IndexedProductRow)
INDEXED_SOURCE = core_table(IndexedSourceRow)
PINYIN = core_table(PinyinRow)
POLL_POSITION = core_table(PollPositionRow)
POLL_SUBJECT = core_table(PollSubjectRow)
POLL_UNSENT = core_table(PollUnsentRow)
