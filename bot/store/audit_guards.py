"""The triggers by which the database itself refuses to change the audit log: checked, and restored.

Revision 0013 created them. Anybody who may change the database's schema can drop them, so the bot keeps checking.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.engine import Connection

SQLITE_GUARDS: Final = {
    "audit_unchanged": "BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END",
    "audit_kept": "BEFORE DELETE ON audit WHEN OLD.seq > (SELECT purged_seq FROM audit_head) "
    "BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END",
    "audit_head_forward": "BEFORE UPDATE ON audit_head "
    "WHEN NEW.seq < OLD.seq OR NEW.purged_seq < OLD.purged_seq OR NEW.purged_seq > NEW.seq "
    "BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END",
    "audit_head_kept": "BEFORE DELETE ON audit_head BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END",
}

_REFUSE, _KEEP = "audit_refuse", "audit_keep"
_FUNCTIONS: Final = {
    _REFUSE: " BEGIN RAISE EXCEPTION 'the audit log only grows'; END ",
    _KEEP: " BEGIN IF OLD.seq > (SELECT purged_seq FROM audit_head) THEN "
    "RAISE EXCEPTION 'the audit log only grows'; END IF; RETURN OLD; END ",
}
_BACK: Final = (
    "WHEN (NEW.seq < OLD.seq OR NEW.purged_seq < OLD.purged_seq OR NEW.purged_seq > NEW.seq) "
    "EXECUTE FUNCTION audit_refuse()"
)

POSTGRESQL_GUARDS: Final = {
    "audit_unchanged": "BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "audit_kept": "BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_keep()",
    "audit_head_forward": f"BEFORE UPDATE ON audit_head FOR EACH ROW {_BACK}",
    "audit_head_kept": "BEFORE DELETE ON audit_head FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "audit_emptied": "BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    "audit_head_emptied": "BEFORE TRUNCATE ON audit_head FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
}

# Row 1, before 2, delete 8, update 16, truncate 32 (https://www.postgresql.org/docs/current/catalog-pg-trigger.html).
_TYPES: Final = {
    "audit_unchanged": ("audit", _REFUSE, 1 + 2 + 16, False),
    "audit_kept": ("audit", _KEEP, 1 + 2 + 8, False),
    "audit_head_forward": ("audit_head", _REFUSE, 1 + 2 + 16, True),
    "audit_head_kept": ("audit_head", _REFUSE, 1 + 2 + 8, False),
    "audit_emptied": ("audit", _REFUSE, 2 + 32, False),
    "audit_head_emptied": ("audit_head", _REFUSE, 2 + 32, False),
}
"""Table, function, type and whether there is a condition, as in PostgreSQL's catalogue."""

_SQLITE_THERE: Final = text(
    "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
    " AND tbl_name IN ('audit', 'audit_head', 'audit_document')"
)
_POSTGRESQL_THERE: Final = text(
    "SELECT t.tgname AS name, t.tgrelid::regclass::text AS tbl_name, p.proname AS function, p.prosrc AS source,"
    " t.tgtype AS type, t.tgqual IS NOT NULL AS conditional, t.tgenabled IN ('O', 'A') AS enabled"
    " FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE NOT t.tgisinternal"
    " AND t.tgrelid IN (to_regclass('audit'), to_regclass('audit_head'), to_regclass('audit_document'))"
)


def find_missing_guards(connection: Connection) -> list[str]:
    """Return the names of missing, disabled or changed guards."""
    if connection.dialect.name == "postgresql":
        sound = {row.name for row in connection.execute(_POSTGRESQL_THERE) if _is_sound(row)}
        return [name for name in POSTGRESQL_GUARDS if name not in sound]
    there = {row.name: row.sql for row in connection.execute(_SQLITE_THERE)}
    return [name for name, rest in SQLITE_GUARDS.items() if there.get(name) != _create(name, rest)]


def find_strange_triggers(connection: Connection) -> list[str]:
    """Return the triggers on the log's tables that are not the bot's: one could refuse its writes."""
    on_postgresql = connection.dialect.name == "postgresql"
    there = connection.execute(_POSTGRESQL_THERE if on_postgresql else _SQLITE_THERE)
    known = POSTGRESQL_GUARDS if on_postgresql else SQLITE_GUARDS
    return sorted(row.name for row in there if row.name not in known)


def put_back_guards(connection: Connection, names: list[str]) -> None:
    """Recreate these guards within the caller's transaction."""
    if not names:
        return
    if connection.dialect.name == "postgresql":
        for function, body in _FUNCTIONS.items():
            connection.exec_driver_sql(
                f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$"
            )
        for name in names:
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name} ON {_TYPES[name][0]}")
            connection.exec_driver_sql(_create(name, POSTGRESQL_GUARDS[name]))
        return
    for name in names:
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
        connection.exec_driver_sql(_create(name, SQLITE_GUARDS[name]))


def _create(name: str, rest: str) -> str:
    return f"CREATE TRIGGER {name} {rest}"


def _is_sound(row: Row[Any]) -> bool:
    known = _TYPES.get(row.name)
    if known is None:
        return False
    there = (row.tbl_name, row.function, row.type, row.conditional)
    return there == known and row.enabled and row.source == _FUNCTIONS[known[1]]
