"""Figures of efficiency: a row for each decision and each alert, counts of questions by day; weekly subscriptions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"


def upgrade() -> None:
    op.add_column("subscription", sa.Column("weekday", sa.Integer(), nullable=True))
    op.create_table(
        "decision_wait",
        sa.Column("at_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("waited_s", sa.Integer(), nullable=False),
        sa.Column("worked_s", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("in_time", sa.Boolean(), nullable=True),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("changed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("at_ms", "case_id", "person", name="pk_decision_wait"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "alert_wait",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("acknowledged_s", sa.Integer(), nullable=True),
        sa.Column("resolved_s", sa.Integer(), nullable=True),
        sa.Column("ignored", sa.Boolean(), nullable=False),
        sa.Column("repeated", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_alert_wait"),
    )
    op.create_index("ix_alert_wait_at_ms", "alert_wait", ["at_ms"])
    op.create_table(
        "question_day",
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("command", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "command", "department", name="pk_question_day"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "efficiency_mark",
        sa.Column("records", sa.String(), nullable=False),
        sa.Column("reached", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("records", name="pk_efficiency_mark"),
    )
