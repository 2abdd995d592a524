"""Answers whose cards are drawn again when a document on them is decided."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "standing_answer",
        sa.Column("track", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("conversation", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("first_row", sa.Integer(), nullable=False),
        sa.Column("readers", sa.String(), nullable=False),
        sa.Column("made_as", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("track", name="pk_standing_answer"),
    )
    op.create_index("ix_standing_answer_user_id", "standing_answer", ["user_id"])
    op.create_index("ix_standing_answer_at_ms", "standing_answer", ["at_ms"])
    op.create_table(
        "standing_document",
        sa.Column("track", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("folded", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("track", "source", "folded", name="pk_standing_document"),
    )
    op.create_index("ix_standing_document_source_folded", "standing_document", ["source", "folded"])
    op.create_index("ix_standing_document_at_ms", "standing_document", ["at_ms"])
