"""A heartbeat, the order in which waiting events are taken, and digests that know how many alerts they stand for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_WAITING = sa.text("state = 'waiting'")
_REJECTED = sa.text("state = 'rejected'")


def upgrade() -> None:
    op.create_table(
        "heartbeat",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_heartbeat"),
    )
    # What waits already, without a severity of its own, comes as a warning: nearly all types are.
    op.add_column("event", sa.Column("rank", sa.Integer(), nullable=False, server_default="1"))
    op.execute("UPDATE event SET rank = 2 WHERE state = 'waiting' AND severity = 'critical'")
    op.execute("UPDATE event SET rank = 0 WHERE state = 'waiting' AND severity = 'info'")
    op.add_column("alert_card", sa.Column("digest", sa.Text(), nullable=False, server_default=""))
    op.drop_index("ix_event_state_seq", "event")
    _index("ix_event_waiting", ["rank", "source", "seq"], _WAITING)
    _index("ix_event_waiting_subject", ["source", "subject", "seq"], _WAITING)
    _index("ix_event_rejected", ["seq"], _REJECTED)


def _index(name: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, "event", columns, sqlite_where=where, postgresql_where=where)
