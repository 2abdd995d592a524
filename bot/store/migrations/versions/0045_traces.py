"""Traces of what was answered, by the reference on its card."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"


def upgrade() -> None:
    op.create_table(
        "trace",
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("reference", name="pk_trace"),
    )
    op.create_index("ix_trace_at_ms", "trace", ["at_ms"])
