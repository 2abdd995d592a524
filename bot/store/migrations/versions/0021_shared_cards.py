"""Cards that stand at several places."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.add_column("delivery", sa.Column("also", sa.Text(), nullable=False, server_default=""))
    op.add_column("approval_card", sa.Column("shared", sa.String(), nullable=False, server_default=""))
