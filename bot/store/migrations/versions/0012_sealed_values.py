"""Sealed values: the data keys, and the first sealing of what was stored in plain text."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.rotation import SealedTable, seal_plain
from bot.store.sealed_columns import Sealed, SealedKey, keys_in_use

revision = "0012"
down_revision = "0011"


def _sealed(table: str, keys: tuple[str, ...], *columns: str, searched: tuple[str, ...] = ()) -> SealedTable:
    kinds: dict[str, Sealed] = {name: Sealed(f"{table}.{name}") for name in columns}
    return SealedTable(table, keys, kinds | {name: SealedKey(f"{table}.{name}") for name in searched})


_SEALED = (
    _sealed("inbox", ("msg_id",), "payload"),
    _sealed("event", ("seq",), "reason", "raw"),
    _sealed("alert", ("number",), "event", "hands", searched=("key",)),
    _sealed("alert_card", ("number",), searched=("shared",)),
    _sealed("alert_note", ("number",), "detail"),
    _sealed("watch", ("id",), "title"),
    _sealed("poll_subject", ("source", "area", "key"), "said"),
    _sealed("poll_unsent", ("number",), "event"),
    _sealed("erp_rejected", ("source", "area", "key", "defect"), "why", "record"),
    _sealed("erp_copy", ("source", "call", "asked"), "value", searched=("asked",)),
    _sealed("approval_case", ("id",), "body"),
    _sealed("approval_vote", ("case_id", "user_id"), "amount"),
    _sealed("approval_audit", ("number",), "detail"),
    _sealed("approval_native", ("case_id",), "body"),
)


def upgrade() -> None:
    op.create_table(
        "data_key",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("wrapped", sa.Text(), nullable=False),
        sa.Column("company_key", sa.String(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_data_key"),
    )
    # The answers kept of ERPs are found by what was asked, which is sealed now: few enough for one batch.
    plain = [table for table in _SEALED if op.get_bind().scalar(sa.text(f"SELECT 1 FROM {table.name} LIMIT 1"))]  # noqa: S608 - names of our tables
    if plain:
        ring = keys_in_use().unlock(op.get_bind())
        for table in plain:
            seal_plain(op.get_bind(), table, ring)
