"""What people let agents ask in their names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046r11"
down_revision = "0046r10"


def upgrade() -> None:
    op.create_table(
        "agent_grant",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("commands", sa.Text(), nullable=False),
        sa.Column("challenge", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("family", sa.String(), nullable=False),
        sa.Column("refresh", sa.String(), nullable=False),
        sa.Column("code_ends_ms", sa.BigInteger(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("ends_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_agent_grant"),
    )
    op.create_index("ix_agent_grant_user_id", "agent_grant", ["user_id"])
    op.create_index("ix_agent_grant_ends_ms", "agent_grant", ["ends_ms"])
