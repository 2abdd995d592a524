"""Approvals in DingTalk's own app: which belongs to which case, and how far the two are in step."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "approval_native",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("instance", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=False),
        sa.Column("news", sa.Integer(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("stamp", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", name="pk_approval_native"),
        sa.UniqueConstraint("instance", name="uq_approval_native_instance"),
    )
    op.create_index("ix_approval_native_state", "approval_native", ["state"])
