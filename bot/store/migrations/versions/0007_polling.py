"""What polling knows: positions, subjects, and events that are still to be handed over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_OPEN = sa.text("state <> ''")


def upgrade() -> None:
    op.create_table(
        "poll_position",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("followed", sa.Boolean(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("sweeping", sa.Boolean(), nullable=False),
        sa.Column("began_ms", sa.BigInteger(), nullable=True),
        sa.Column("swept_ms", sa.BigInteger(), nullable=True),
        sa.Column("good_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("source", "area", name="pk_poll_position"),
    )
    op.create_table(
        "poll_subject",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "area", "key", name="pk_poll_subject"),
    )
    op.create_index(
        "ix_poll_subject_open",
        "poll_subject",
        ["source", "area", "seen_ms"],
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_table(
        "poll_unsent",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_poll_unsent"),
    )
    op.create_index("ix_poll_unsent_source", "poll_unsent", ["source"])
