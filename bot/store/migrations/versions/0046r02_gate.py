"""What programs ask leave for, and the keys that sign the answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046r02"
down_revision = "0046r01"


def upgrade() -> None:
    op.create_table(
        "gate_request",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("asked_as", sa.String(), nullable=False),
        sa.Column("gate_class", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("asked_us", sa.BigInteger(), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_gate_request"),
        sa.UniqueConstraint("key_id", "asked_as", name="uq_gate_request_key_id"),
    )
    op.create_index("ix_gate_request_asked_us", "gate_request", ["asked_us"])
    due = sa.text("due_us IS NOT NULL")
    op.create_index("ix_gate_request_due_us", "gate_request", ["due_us"], sqlite_where=due, postgresql_where=due)
    op.create_table(
        "gate_key",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("made_us", sa.BigInteger(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_gate_key"),
    )
