"""Which subscriptions wait for the rules to allow them again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    op.add_column("subscription", sa.Column("waits", sa.Boolean(), server_default=sa.false(), nullable=False))
