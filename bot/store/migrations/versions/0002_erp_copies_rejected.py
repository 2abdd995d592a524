"""Last known answers of ERPs, and their records that cannot be right."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "erp_copy",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("call", sa.String(), nullable=False),
        sa.Column("asked", sa.String(), nullable=False),
        sa.Column("as_of_ms", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "call", "asked", name="pk_erp_copy"),
    )
    op.create_index("ix_erp_copy_as_of_ms", "erp_copy", ["as_of_ms"])
    op.create_table(
        "erp_rejected",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("defect", sa.String(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "area", "key", "defect", name="pk_erp_rejected"),
    )
    op.create_index("ix_erp_rejected_last_ms", "erp_rejected", ["last_ms"])
