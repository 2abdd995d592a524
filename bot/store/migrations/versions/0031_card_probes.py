"""What people said they see on cards that ask them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.create_table(
        "card_probe",
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("track", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("sent_ms", sa.BigInteger(), nullable=False),
        sa.Column("looked_ms", sa.BigInteger(), nullable=True),
        sa.Column("private_values", sa.Boolean(), nullable=True),
        sa.Column("own_answers", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("template", name="pk_card_probe"),
    )
