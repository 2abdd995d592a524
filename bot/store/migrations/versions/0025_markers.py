"""What stands at a place that is no chat: to-dos, and boxes at the top of groups."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0023"


def upgrade() -> None:
    op.add_column("delivery", sa.Column("standing", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("delivery", "standing")
