"""What programs propose to the owners of their keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046r08"
down_revision = "0046r07"


def upgrade() -> None:
    op.create_table(
        "proposal",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("asked_as", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("asked_us", sa.BigInteger(), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_proposal"),
        sa.UniqueConstraint("key_id", "asked_as", name="uq_proposal_key_id"),
    )
    op.create_index("ix_proposal_owner", "proposal", ["owner", "asked_us"])
    op.create_index("ix_proposal_asked_us", "proposal", ["asked_us"])
    due = sa.text("due_us IS NOT NULL")
    op.create_index("ix_proposal_due_us", "proposal", ["due_us"], sqlite_where=due, postgresql_where=due)
