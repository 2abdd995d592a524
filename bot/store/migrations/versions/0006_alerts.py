"""Alerts, their cards, mutes, watches, and the story of it all."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_HELD = sa.text("held")
_LIVING = sa.text("state <> 'closed'")


def upgrade() -> None:
    _make_alerts()
    _make_cards()
    _make_wishes()
    op.create_table(
        "alert_note",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("alert", sa.String(), nullable=False),
        sa.Column("card", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_alert_note"),
    )
    for column in ("at_ms", "fact", "alert"):
        op.create_index(f"ix_alert_note_{column}", "alert_note", [column])


def _make_alerts() -> None:
    op.create_table(
        "alert",
        sa.Column("number", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("reported", sa.Integer(), nullable=False),
        sa.Column("hands", sa.Text(), nullable=False),
        sa.Column("snoozed_ms", sa.BigInteger(), nullable=True),
        sa.Column("resolved_ms", sa.BigInteger(), nullable=True),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("escalate_ms", sa.BigInteger(), nullable=True),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("look_ms", sa.BigInteger(), nullable=True),
        sa.Column("revivals", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_alert"),
        sa.UniqueConstraint("id", name="uq_alert_id"),
    )
    op.create_index("ix_alert_due_ms", "alert", ["due_ms"])
    op.create_index("ix_alert_key_number", "alert", ["key", "number"])
    op.create_index("ix_alert_state_number", "alert", ["state", "number"])
    op.create_index("ix_alert_held", "alert", ["number"], sqlite_where=_HELD, postgresql_where=_HELD)


def _make_cards() -> None:
    op.create_table(
        "alert_card",
        sa.Column("number", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("shared", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=True),
        sa.Column("shown_ms", sa.BigInteger(), nullable=True),
        sa.Column("changed_ms", sa.BigInteger(), nullable=True),
        sa.Column("behind", sa.Boolean(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("next_card", sa.String(), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_alert_card"),
        sa.UniqueConstraint("id", name="uq_alert_card_id"),
    )
    op.create_index("ix_alert_card_due_ms", "alert_card", ["due_ms"])
    op.create_index(
        "uq_alert_card_shared",
        "alert_card",
        ["shared", "place"],
        unique=True,
        sqlite_where=_LIVING,
        postgresql_where=_LIVING,
    )
    op.create_index(
        "ix_alert_card_place", "alert_card", ["place", "number"], sqlite_where=_LIVING, postgresql_where=_LIVING
    )
    op.create_table(
        "alert_card_member",
        sa.Column("card", sa.String(), nullable=False),
        sa.Column("alert", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("card", "alert", name="pk_alert_card_member"),
    )
    op.create_index("ix_alert_card_member_alert", "alert_card_member", ["alert"])


def _make_wishes() -> None:
    op.create_table(
        "mute",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_mute"),
    )
    op.create_index("ix_mute_place", "mute", ["place"])
    op.create_table(
        "watch",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("comparison", sa.String(), nullable=False),
        sa.Column("bound", sa.String(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_watch"),
    )
    op.create_index("ix_watch_user_id", "watch", ["user_id"])
    op.create_index("ix_watch_folded", "watch", ["folded"])
