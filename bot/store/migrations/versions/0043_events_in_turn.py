"""Events for programs in the outbox: found by their receiver, and by their subject."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"

_WHERE = sa.text("state = 'queued' AND kind = 'event'")


def upgrade() -> None:
    for name, columns in (
        ("ix_delivery_receiver", ["place", "due_ms"]),
        ("ix_delivery_subject", ["fact", "place", "due_ms"]),
    ):
        op.create_index(name, "delivery", columns, sqlite_where=_WHERE, postgresql_where=_WHERE)
