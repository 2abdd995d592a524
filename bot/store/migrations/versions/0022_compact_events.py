"""Events share the rows of their bodies and of their story, and each membership of a digest is stored once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

_ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "event_pack",
        sa.Column("number", _ROW_NUMBER, nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("bodies", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_event_pack"),
    )
    op.create_index("ix_event_pack_received_ms", "event_pack", ["received_ms"])
    # What was stored before keeps its own body.
    op.add_column("event", sa.Column("pack", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("event", sa.Column("position", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "alert_note_key",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("note", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", "note", name="pk_alert_note_key"),
        sqlite_with_rowid=False,
    )
    for column in ("fact", "alert"):
        where = sa.text(f"{column} <> ''")
        op.drop_index(f"ix_alert_note_{column}", "alert_note")
        op.create_index(f"ix_alert_note_{column}", "alert_note", [column], sqlite_where=where, postgresql_where=where)
    is_due = sa.text("due_ms IS NOT NULL")
    op.drop_index("ix_alert_due_ms", "alert")
    op.create_index("ix_alert_due_ms", "alert", ["due_ms"], sqlite_where=is_due, postgresql_where=is_due)
    if op.get_bind().dialect.name == "sqlite":
        _store_members_once()


def _store_members_once() -> None:
    """Make the key of memberships their table; on PostgreSQL there is no such table."""
    op.drop_index("ix_alert_card_member_alert", "alert_card_member")
    op.rename_table("alert_card_member", "alert_card_member_before")
    op.create_table(
        "alert_card_member",
        sa.Column("card", sa.String(), nullable=False),
        sa.Column("alert", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("card", "alert", name="pk_alert_card_member"),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO alert_card_member SELECT card, alert, position FROM alert_card_member_before")
    op.drop_table("alert_card_member_before")
    op.create_index("ix_alert_card_member_alert", "alert_card_member", ["alert"])
