"""What the bot remembers of shared tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046r10"
down_revision = "0046r09"


def upgrade() -> None:
    op.create_table(
        "sheet_state",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("refreshed_us", sa.BigInteger(), nullable=True),
        sa.Column("failed_us", sa.BigInteger(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_sheet_state"),
    )
