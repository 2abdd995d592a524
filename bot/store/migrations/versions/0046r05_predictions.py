"""What rehearsals predicted of changed rules, and whether it came true."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046r05"
down_revision = "0046r04"


def upgrade() -> None:
    op.create_table(
        "prediction",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("kinds", sa.String(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("begins_ms", sa.BigInteger(), nullable=True),
        sa.Column("cases", sa.Integer(), nullable=True),
        sa.Column("all_cases", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("sha256", name="pk_prediction"),
    )
