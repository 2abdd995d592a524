"""Tables of the audit log: its append-only entries, the end of their chain, and the document index."""

from __future__ import annotations

from sqlalchemy import BigInteger, Text
from sqlmodel import Field

from bot.store.tables.base import StoreTable, core_table


class AuditEntryRow(StoreTable, table=True):
    """One entry of the audit log (`bot.access.audit.AuditEntry`). Triggers prevent changes and deletions."""

    __tablename__ = "audit"

    seq: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    """Counted without gaps, by the chain and not by the database."""
    at_ms: int = Field(sa_type=BigInteger, index=True)
    kind: str
    actor: str = Field(index=True)
    action: str = Field(index=True)
    conversation: str
    documents: str = Field(sa_type=Text)
    """JSON list."""
    shown: str
    """JSON list."""
    rule: str
    outcome: str
    detail: str = Field(sa_type=Text)
    previous: str
    """The ``hash`` of the previous entry."""
    hash: str
    """SHA-256 of all other columns (`bot.store.audit.chain`)."""


class AuditHeadRow(StoreTable, table=True):
    """Both ends of the chain, in one row: every writer locks it."""

    __tablename__ = "audit_head"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    seq: int = Field(sa_type=BigInteger)
    """Number of the newest entry, 0 before the first."""
    hash: str
    purged_seq: int = Field(sa_type=BigInteger)
    """Number of the newest purged entry, 0 if there is none."""
    purged_hash: str


FIRST_HASH = "0" * 64
"""The predecessor of the first entry."""


class AuditDocumentRow(StoreTable, table=True):
    """Finds the entries about a document; the entries contain the same data."""

    __tablename__ = "audit_document"

    document: str = Field(primary_key=True)
    """The number, compared case-insensitively."""
    seq: int = Field(primary_key=True, sa_type=BigInteger, index=True, sa_column_kwargs={"autoincrement": False})


AUDIT = core_table(AuditEntryRow)
AUDIT_HEAD = core_table(AuditHeadRow)
AUDIT_DOCUMENT = core_table(AuditDocumentRow)
