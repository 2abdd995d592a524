"""The tables of a new SQLite database, made at once from their models.

All migrations in turn make the same (`tests/store/test_schema.py`), but they take 0.4 s of processor time longer, and
with Alembic loaded a bot needs 14 MB more until its end.
"""

from __future__ import annotations

from sqlalchemy import inspect
from sqlalchemy.engine import Connection

from bot.store.audit_guards import SQLITE_GUARDS, put_back_guards
from bot.store.tables import AUDIT_HEAD, METADATA
from bot.store.tables.audit import FIRST_HASH

_REFUSE = "SELECT RAISE(ABORT, 'the record of approvals only grows')"


def make_first_tables(connection: Connection, revision: str) -> bool:
    """Make all tables as they are at the newest ``revision``, or none; return whether the database was empty."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")  # SQLite's driver begins none by itself before it makes tables
    if inspect(connection).get_table_names():
        return False
    METADATA.create_all(connection)
    head = {"id": 1, "seq": 0, "hash": FIRST_HASH, "purged_seq": 0, "purged_hash": FIRST_HASH}
    connection.execute(AUDIT_HEAD.insert(), head)
    put_back_guards(connection, list(SQLITE_GUARDS))
    for event in ("UPDATE", "DELETE"):
        connection.exec_driver_sql(
            f"CREATE TRIGGER approval_audit_{event} BEFORE {event} ON approval_audit BEGIN {_REFUSE}; END"
        )
    # As Alembic makes it.
    connection.exec_driver_sql(
        "CREATE TABLE alembic_version "
        "(version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
    )
    connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (revision,))
    return True
