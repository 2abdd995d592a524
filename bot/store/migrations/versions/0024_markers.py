"""What stands at a place that is no chat, such as to-dos, and which conversations were welcomed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.add_column("delivery", sa.Column("standing", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "welcome",
        sa.Column("conversation_id", sa.String(), nullable=False),
        sa.Column("msg_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", name="pk_welcome"),
    )
    # Whoever asked lately is no newcomer.
    op.execute("INSERT INTO welcome (conversation_id, msg_id) SELECT DISTINCT conversation_id, '' FROM dialogue")
