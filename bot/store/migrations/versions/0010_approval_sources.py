"""Sources in which the bot looked for what waits: where nothing did, no case tells of that."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "approval_source",
        sa.Column("source", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("source", name="pk_approval_source"),
    )
