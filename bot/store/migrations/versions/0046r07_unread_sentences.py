"""Sentences that were not understood, counted without names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046r07"
down_revision = "0046r06"


def upgrade() -> None:
    op.create_table(
        "unread_sentence",
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("week", sa.String(), nullable=False),
        sa.Column("asker", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("form", "week", "asker", name="pk_unread_sentence"),
        sqlite_with_rowid=False,
    )
