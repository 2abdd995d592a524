"""Proves by its syntax tree that an administrator's query only reads, and reads nothing but the company's own tables.

`bot.erp.sql.query` has looked at the words before; the connection and the account's rights stand behind. What is not
known to be harmless is refused: every function of the database that is neither a usual one nor named by the
administrator.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from bot.erp.sql.query import Statement, without_parameters

_DIALECTS: Mapping[str, str] = MappingProxyType({"postgresql": "postgres", "mssql": "tsql", "mariadb": "mysql"})
"""What sqlglot calls the databases of SQLAlchemy, where the names differ."""

_REFUSED = (
    "DML DDL Command Copy Into Lock Pragma Set Use Kill Transaction Commit Rollback LoadData Attach Detach Execute"
    " NextValueFor ReadCSV ReadParquet Analyze Describe Show Grant Revoke Comment PropertyEQ"
)
"""Parts of syntax that write, lock, or leave the company's tables."""

_UNTYPED = (
    "age date datetime datefromparts format from_unixtime ifnull julianday lpad printf quarter rpad strftime time total"
    " to_days unixepoch unix_timestamp yearweek to_number months_between"
)
"""Usual functions that sqlglot knows only by name."""

_NEVER = re.compile(
    r"pg_|lo_|dblink|xp_|sp_|utl_|dbms_|load_|openrowset|openquery|opendatasource|query_to_|table_to_|cursor_to_"
    r"|database_to_|set_config|setval|nextval|sleep|benchmark|get_lock|release_|readfile|writefile|edit$|fts|pragma_"
    r"|txid_|sys_|master_|xmlparse",
    re.IGNORECASE,
)
"""Functions that wait, lock, read files, ask other servers or run a text as a query: naming them does not help."""

_OWN_SCHEMAS = frozenset(
    {"pg_catalog", "information_schema", "mysql", "performance_schema", "sys", "msdb", "master", "pg_toast"}
)
_OWN_TABLES = re.compile(r"pg_|sqlite_|pragma_|sys(objects|columns|users|logins|processes)$", re.IGNORECASE)
"""What a database tells of itself: accounts, sessions, and the text of others' queries."""

_HINTS = frozenset({"NOLOCK", "READPAST", "READUNCOMMITTED"})
"""Table hints of SQL Server that lock nothing."""


def prove_reading(text: str, columns: Mapping[str, object], database: str, functions: frozenset[str]) -> None:
    """Raise `ValueError` unless a query only reads, gives all ``columns`` and says in which order.

    ``database`` is SQLAlchemy's name of its dialect; ``functions`` are further ones that it may call, in small letters.
    """
    # Takes a third of a second to import, and few companies have such queries.
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import ErrorLevel, SqlglotError

    dialect = _DIALECTS.get(database, database)
    try:
        parsed = sqlglot.parse(without_parameters(Statement.parse(text)), read=dialect, error_level=ErrorLevel.RAISE)
    except (SqlglotError, RecursionError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"is not understood as SQL of {database}: {reason[:120]}") from None
    if len(parsed) != 1:
        raise ValueError("one query only")
    query = parsed[0]
    if not isinstance(query, exp.Select | exp.SetOperation):
        raise ValueError("only queries that begin with SELECT or WITH are run here")
    for node in query.walk():
        _refuse(node, exp, functions)
    if not query.args.get("order"):
        raise ValueError("has no ORDER BY at its end, and a part of it is shown at a time")
    _refuse_missing(query, columns)


def _refuse(node: Any, exp: Any, functions: frozenset[str]) -> None:
    if any(isinstance(node, getattr(exp, name)) for name in _REFUSED.split()):
        raise ValueError(f"{node.key.upper()} does not only read")
    if isinstance(node, exp.Table) and not isinstance(node.this, exp.Func):
        _refuse_table(node)
    if isinstance(node, exp.WithTableHint):
        _refuse_hints(node)
    if isinstance(node, exp.Func):
        _refuse_function(node, exp, functions)


def _refuse_table(table: Any) -> None:
    schemas = {part.lower() for part in (table.db, table.catalog) if part}
    if schemas & _OWN_SCHEMAS or _OWN_TABLES.match(table.name):
        raise ValueError(f"{table.name} is the database's own table, not the company's")


def _refuse_hints(node: Any) -> None:
    for hint in node.expressions:
        if hint.name.upper() not in _HINTS:
            raise ValueError(f"the hint {hint.name.upper()} locks")


def _refuse_function(node: Any, exp: Any, functions: frozenset[str]) -> None:
    name = ".".join(_dotted(node, exp)).lower()
    plain = name.rpartition(".")[2]
    if _NEVER.match(plain) or _NEVER.match(name):
        raise ValueError(f"calls {name}, which does more than read the company's tables")
    is_usual = name == plain and (
        not isinstance(node, exp.Anonymous | exp.AnonymousAggFunc) or plain in _UNTYPED.split()
    )
    if not is_usual and name not in functions:
        raise ValueError(f'calls {name}, which is not known to only read; if it does, write functions = ["{name}"]')


def _dotted(node: Any, exp: Any) -> Iterator[str]:
    """Yield the schemas in front of a function, and its name."""
    parent = node.parent
    if isinstance(parent, exp.Dot) and parent.expression is node:
        yield from (part.name for part in parent.this.walk() if isinstance(part, exp.Identifier))
    elif isinstance(parent, exp.Table):
        yield from filter(None, (parent.catalog, parent.db))
    yield node.name if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc) else node.sql_name()


def _refuse_missing(query: Any, columns: Mapping[str, object]) -> None:
    given = [name.lower() for name in query.named_selects]
    if "*" in given:
        return  # told when it is tried
    for column in columns:
        if given.count(column.lower()) != 1:
            wrong = "several columns" if column.lower() in given else "no column"
            raise ValueError(f"gives {wrong} {column!r}; it gives {', '.join(given)}")
