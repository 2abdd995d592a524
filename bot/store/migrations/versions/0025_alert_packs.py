"""Alerts that begin together share the row of their events, and the indices of alerts take half of the room."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

_ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "alert_pack",
        sa.Column("first", _ROW_NUMBER, autoincrement=False, nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("first", name="pk_alert_pack"),
    )
    # What was stored before keeps its own event.
    op.add_column("alert", sa.Column("pack", sa.BigInteger(), nullable=False, server_default="0"))
    op.drop_index("ix_alert_key_number", "alert")
    op.create_index("ix_alert_key_start", "alert", [sa.text("substr(key, 1, 18)"), "number"])
    is_open = sa.text("state = 'open'")
    op.drop_index("ix_alert_state_number", "alert")
    op.create_index("ix_alert_open", "alert", ["number"], sqlite_where=is_open, postgresql_where=is_open)
