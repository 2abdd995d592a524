"""The local index of products, how far each source has been followed, and how characters are read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "indexed_product",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("walk", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("plain", sa.Text(), nullable=False),
        sa.Column("initials", sa.Text(), nullable=False),
        sa.Column("syllables", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("barcode", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "key", name="pk_indexed_product"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "indexed_source",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("walk", sa.Integer(), nullable=False),
        sa.Column("walking", sa.Boolean(), nullable=False),
        sa.Column("walked_ms", sa.BigInteger(), nullable=True),
        sa.Column("synced_ms", sa.BigInteger(), nullable=True),
        sa.Column("trouble", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", name="pk_indexed_source"),
    )
    op.create_table(
        "pinyin",
        sa.Column("sign", sa.String(), nullable=False),
        sa.Column("readings", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("sign", name="pk_pinyin"),
    )
