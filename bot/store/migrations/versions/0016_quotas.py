"""Two quotas of DingTalk, counted by purpose and group, and the steps that administrators were told of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_NEW = {"api_month": {"quota": "calls", "purpose": "other", "conversation": ""}, "api_day": {"quota": "calls"}}
"""New columns of the keys, and what they are of the calls that were counted before."""
_TIMES = {"api_month": "month", "api_day": "day"}


def upgrade() -> None:
    for table, columns in _NEW.items():
        with op.batch_alter_table(table) as batch:
            batch.alter_column("calls", new_column_name="spent", existing_type=sa.Integer(), existing_nullable=False)
            for name, value in columns.items():
                batch.add_column(sa.Column(name, sa.String(), nullable=False, server_default=value))
            batch.drop_constraint(f"pk_{table}", type_="primary")
            batch.create_primary_key(f"pk_{table}", [_TIMES[table], *columns])
        with op.batch_alter_table(table) as batch:
            for name in columns:
                batch.alter_column(name, server_default=None, existing_type=sa.String(), existing_nullable=False)
    op.create_table(
        "quota_warning",
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("quota", sa.String(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("month", "quota", "percent", name="pk_quota_warning"),
    )
