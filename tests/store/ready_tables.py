"""Tables as a migration leaves them, made without the time that migrations take."""

from __future__ import annotations

from sqlalchemy import insert
from sqlalchemy.engine import Connection

from bot.store.tables import AUDIT_HEAD, METADATA


def make_tables(connection: Connection) -> None:
    """Make all tables, with the row at which the chain of the audit log begins."""
    METADATA.create_all(connection)
    nothing = "0" * 64
    connection.execute(
        insert(AUDIT_HEAD), {"id": 1, "seq": 0, "hash": nothing, "purged_seq": 0, "purged_hash": nothing}
    )
