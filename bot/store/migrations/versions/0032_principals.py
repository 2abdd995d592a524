"""In whose place a vote was given, so that it counts against that person's limit of the day as well."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.add_column("approval_vote", sa.Column("principal", sa.String(), nullable=False, server_default=""))
    op.create_index("ix_approval_vote_principal_at_us", "approval_vote", ["principal", "at_us"])
