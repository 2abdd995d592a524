"""What lay in each warehouse, day by day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.create_table(
        "stock_day",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("on_hand", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "sku", "warehouse", "day", name="pk_stock_day"),
        sqlite_with_rowid=False,
    )
