"""The tables, as statements see them. Nobody needs their rows as objects.

So there are no models here: SQLModel would bring SQLAlchemy's whole object mapper, 6 MB of every bot's memory.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, Text

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
"""What sources said last, as JSON (see `bot.erp.copies`), for the time in which they do not answer."""

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
