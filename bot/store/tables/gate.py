"""Tables of the gate."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlmodel import Field

from bot.store.sealed_columns import Sealed
from bot.store.tables.base import StoreTable, core_table, partial_index


class GateRequestRow(StoreTable, table=True):
    """A request of a program for leave (see `bot.gate.request.GateRequest`)."""

    __tablename__ = "gate_request"
    __table_args__ = (
        UniqueConstraint("key_id", "asked_as"),
        Index("ix_gate_request_asked_us", "asked_us"),
        partial_index("ix_gate_request_due_us", "due_us", where="due_us IS NOT NULL"),
    )

    id: str = Field(primary_key=True)
    key_id: str
    """The id of the program's key."""
    asked_as: str
    """The program's idempotency key."""
    gate_class: str
    state: str
    asked_us: int = Field(sa_type=BigInteger)
    due_us: int | None = Field(sa_type=BigInteger)
    """When time alone changes it."""
    body: str = Field(sa_type=Sealed("gate_request.body"))
    """The rest of the request as JSON."""


class GateKeyRow(StoreTable, table=True):
    """A key by which verdicts are signed (see `bot.gate.verdict.SigningKey`); the newest signs."""

    __tablename__ = "gate_key"

    id: str = Field(primary_key=True)
    """Its thumbprint."""
    made_us: int = Field(sa_type=BigInteger)
    secret: str = Field(sa_type=Sealed("gate_key.secret", short_lived=True))


GATE_REQUEST = core_table(GateRequestRow)
GATE_KEY = core_table(GateKeyRow)
