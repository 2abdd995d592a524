"""How fast answers and ERPs were, by day; before which decisions the requester was asked something."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046r06"
down_revision = "0046r05"


def upgrade() -> None:
    op.create_table(
        "speed_day",
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("timed", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("within_ms", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "timed", "source", "within_ms", name="pk_speed_day"),
        sqlite_with_rowid=False,
    )
    op.add_column("decision_wait", sa.Column("asked", sa.Boolean(), nullable=False, server_default=sa.false()))
