"""A watch keeps to a source, which has the books of one company."""

from __future__ import annotations

from alembic import op

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    with op.batch_alter_table("watch") as batch:
        batch.drop_column("company")
