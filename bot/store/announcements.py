"""What a replica tells the others when one of its transactions ends: that there is work of a kind (PostgreSQL alone).

It is told by NOTIFY within the transaction that stores the work, so a rollback tells nobody. Nothing of the work itself
is told.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.engine import Connection

from bot.mechanisms.wakeup import SharedWork

CHANNEL = "'dingerp ' || md5(current_schema())"
"""The channel's name in SQL: bots in other schemas have others. A hash, since the name of a schema may be too long."""
OPTION = "announces"
"""The option of connections whose process is one of several: otherwise there is nobody to tell."""
_TELL = text(f"SELECT pg_notify({CHANNEL}, :work || ' ' || current_setting('application_name'))")


def announce(connection: Connection, work: SharedWork) -> None:
    """Tell the other replicas of work when this transaction is committed."""
    if connection.get_execution_options().get(OPTION):
        connection.execute(_TELL, {"work": work})
