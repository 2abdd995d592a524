"""The documents of the company, kept so that sums over months ask no ERP."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "kept_document",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=True),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("has_lines", sa.Boolean(), nullable=False),
        sa.Column("walk", sa.Integer(), nullable=False),
        sa.Column("partner", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "area", "number", name="pk_kept_document"),
    )
    op.create_index("ix_kept_document_area_day", "kept_document", ["area", "day"])
    op.create_index("ix_kept_document_partner", "kept_document", ["partner"])
    where = sa.text("is_open")
    op.create_index(
        "ix_kept_document_open", "kept_document", ["area", "source"], sqlite_where=where, postgresql_where=where
    )
    op.create_table(
        "kept_line",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "area", "number", "position", name="pk_kept_line"),
    )
    op.create_index("ix_kept_line_sku", "kept_line", ["sku", "area"])
    op.create_table(
        "kept_tally",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("tally", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "area", "kind", "day", name="pk_kept_tally"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "followed_area",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("followed", sa.Boolean(), nullable=False),
        sa.Column("walk", sa.Integer(), nullable=False),
        sa.Column("walking", sa.Boolean(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("began_ms", sa.BigInteger(), nullable=True),
        sa.Column("walked_ms", sa.BigInteger(), nullable=True),
        sa.Column("complete_day", sa.Integer(), nullable=True),
        sa.Column("synced_ms", sa.BigInteger(), nullable=True),
        sa.Column("trouble", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", "area", name="pk_followed_area"),
    )
