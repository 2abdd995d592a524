"""What the files of rules in force said, so that one that was cut off while the bot was away is recognised."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    op.add_column("rule_file", sa.Column("content", sa.Text(), nullable=True))
