"""The outbox: deliveries, their steps, what they spend, and the days of the month's calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_QUEUED = sa.text("state = 'queued'")


def upgrade() -> None:
    op.create_table(
        "delivery",
        sa.Column("card", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("fact", sa.String(), nullable=False),
        sa.Column("urgency", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("via", sa.String(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("doubt", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("next_ms", sa.BigInteger(), nullable=False),
        sa.Column("lease", sa.String(), nullable=False),
        sa.Column("lease_ms", sa.BigInteger(), nullable=False),
        sa.Column("made_as", sa.String(), nullable=False),
        sa.Column("making", sa.Integer(), nullable=False),
        sa.Column("track", sa.String(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("card", name="pk_delivery"),
    )
    op.create_index(
        "ix_delivery_queued", "delivery", ["urgency", "due_ms"], sqlite_where=_QUEUED, postgresql_where=_QUEUED
    )
    op.create_index("ix_delivery_track", "delivery", ["track"])
    op.create_index("ix_delivery_changed_ms", "delivery", ["changed_ms"])
    op.create_table(
        "delivery_step",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("card", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("late_ms", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_delivery_step"),
    )
    op.create_index("ix_delivery_step_card", "delivery_step", ["card"])
    op.create_index("ix_delivery_step_at_ms", "delivery_step", ["at_ms"])
    op.create_table(
        "delivery_spend",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("bucket", sa.String(), nullable=False),
        sa.Column("card", sa.String(), nullable=False),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("window_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_delivery_spend"),
    )
    op.create_index("ix_delivery_spend_bucket", "delivery_spend", ["bucket"])
    op.create_index("ix_delivery_spend_worker", "delivery_spend", ["worker"])
    op.create_table(
        "api_day",
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_api_day"),
    )
