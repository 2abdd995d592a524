"""Documents that people begin from the chat."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046r09"
down_revision = "0046r08"


def upgrade() -> None:
    op.create_table(
        "creation",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("made_us", sa.BigInteger(), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_creation"),
    )
    op.create_index("ix_creation_user_id", "creation", ["user_id"])
    op.create_index("ix_creation_made_us", "creation", ["made_us"])
    due = sa.text("due_us IS NOT NULL")
    op.create_index("ix_creation_due_us", "creation", ["due_us"], sqlite_where=due, postgresql_where=due)
