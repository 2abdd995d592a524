"""Two quotas of DingTalk, counted by purpose and group, and the steps that administrators were told of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "quota_month",
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("quota", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("conversation", sa.String(), nullable=False),
        sa.Column("spent", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("month", "quota", "purpose", "conversation", name="pk_quota_month"),
    )
    op.create_table(
        "quota_day",
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("quota", sa.String(), nullable=False),
        sa.Column("spent", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "quota", name="pk_quota_day"),
    )
    op.create_table(
        "quota_warning",
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("quota", sa.String(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("month", "quota", "percent", name="pk_quota_warning"),
    )
    op.execute("INSERT INTO quota_month SELECT month, 'calls', 'other', '', calls FROM api_month")
    op.execute("INSERT INTO quota_day SELECT day, 'calls', calls FROM api_day")
    op.drop_table("api_day")
    op.drop_table("api_month")


def downgrade() -> None:
    op.create_table(
        "api_month",
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("month", name="pk_api_month"),
    )
    op.create_table(
        "api_day",
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_api_day"),
    )
    op.execute("INSERT INTO api_month SELECT month, sum(spent) FROM quota_month WHERE quota = 'calls' GROUP BY month")
    op.execute("INSERT INTO api_day SELECT day, spent FROM quota_day WHERE quota = 'calls'")
    for table in ("quota_warning", "quota_day", "quota_month"):
        op.drop_table(table)
