"""When each source was last searched for what waits there: a list of it tells what it may lack."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046r01"
down_revision = "0046"

# A kind counted as searched once there was a case of it, too.
_FROM_CASES = """
    INSERT INTO approval_source (source, kind, searched_us)
    SELECT DISTINCT source, kind, 0 FROM approval_case
    WHERE NOT EXISTS (
        SELECT 1 FROM approval_source AS known
        WHERE known.source = approval_case.source AND known.kind = approval_case.kind
    )
"""


def upgrade() -> None:
    op.add_column("approval_source", sa.Column("searched_us", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(_FROM_CASES)
