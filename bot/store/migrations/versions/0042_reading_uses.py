"""What people and conversations used of their limits, for replicas that count together."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    op.create_table(
        "reading_use",
        sa.Column("party", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("party", "kind", "subject", name="pk_reading_use"),
    )
    op.create_index("ix_reading_use_at_ms", "reading_use", ["at_ms"])
