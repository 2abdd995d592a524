"""Which lines are asked in which hours, so that what many ask by hand is found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046r04"
down_revision = "0046r03"


def upgrade() -> None:
    op.create_table(
        "question_hour",
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("hour", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "hour", "line", name="pk_question_hour"),
        sqlite_with_rowid=False,
    )
