"""How the last try of a delivery failed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.add_column("delivery", sa.Column("trouble", sa.String(), server_default="", nullable=False))
