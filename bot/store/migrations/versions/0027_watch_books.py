"""The books in which a watched document is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    for name in ("source", "company"):
        op.add_column("watch", sa.Column(name, sa.String(), nullable=False, server_default=""))
