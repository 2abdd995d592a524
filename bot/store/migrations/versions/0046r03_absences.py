"""When people are away, and who decides instead of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046r03"
down_revision = "0046r02"


def upgrade() -> None:
    op.create_table(
        "absence",
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("begins_ms", sa.BigInteger(), nullable=False),
        sa.Column("ends_ms", sa.BigInteger(), nullable=False),
        sa.Column("substitute", sa.String(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_absence"),
    )
