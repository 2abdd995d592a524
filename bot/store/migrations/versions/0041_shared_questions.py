"""Which replica has a question, its place among those of its conversation, and what people are asked back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    op.add_column("inbox", sa.Column("replica", sa.String(), nullable=True))
    op.add_column("inbox", sa.Column("conversation", sa.String(), nullable=True))
    op.add_column("inbox", sa.Column("arrived_us", sa.BigInteger(), nullable=True))
    op.create_index("ix_inbox_conversation", "inbox", ["conversation"])
    op.create_table(
        "prompt",
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("places", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_prompt"),
    )
