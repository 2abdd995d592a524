"""Cases of documents of any kind, and figures of them: until now all were of purchase orders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"

_INDICES = {
    "uq_approval_case_undecided": (["source", "folded"], "state IN ('open', 'writing', 'unknown')"),
    "ix_approval_case_due_us": (["due_us"], "due_us IS NOT NULL"),
    "ix_approval_case_open": (["opened_us"], "state = 'open'"),
}
_WITHOUT_ROWID = {"sqlite_with_rowid": False}


def _kind() -> sa.Column[str]:
    return sa.Column("kind", sa.String(), nullable=False, server_default="po")


def upgrade() -> None:
    for name in _INDICES:
        op.drop_index(name, "approval_case")
    with op.batch_alter_table("approval_case") as batch:
        batch.add_column(_kind())
        batch.drop_constraint("uq_approval_case_folded", type_="unique")
        batch.create_unique_constraint("uq_approval_case_folded", ["folded", "source", "kind", "round"])
    for name, (columns, where) in _INDICES.items():
        unique = name.startswith("uq_")
        op.create_index(
            name,
            "approval_case",
            [*columns, "kind"] if unique else columns,
            unique=unique,
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )
    with op.batch_alter_table("approval_source") as batch:
        batch.add_column(_kind())
        batch.drop_constraint("pk_approval_source", type_="primary")
        batch.create_primary_key("pk_approval_source", ["source", "kind"])
    with op.batch_alter_table("decision_wait", table_kwargs=_WITHOUT_ROWID) as batch:
        batch.add_column(_kind())
    for table, kwargs in (("approval_case", {}), ("approval_source", {}), ("decision_wait", _WITHOUT_ROWID)):
        with op.batch_alter_table(table, table_kwargs=kwargs) as batch:
            batch.alter_column("kind", server_default=None, existing_type=sa.String(), existing_nullable=False)
