"""What the owner of a watch knows of the document: so far the polls kept what they had seen first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    op.add_column("watch", sa.Column("said", sa.Text(), nullable=False, server_default=""))
    op.execute("DELETE FROM poll_subject WHERE source = ''")
    op.execute("DELETE FROM poll_position WHERE source = ''")
