"""Queries of SQL Server, translated to PostgreSQL; the usual collations of SQL Server know no case."""

from __future__ import annotations

import re
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel

_PARAMETER = re.compile(r"(?<![:\w]):([A-Za-z_]\w*)")
_TYPED = frozenset({"sku", "number", "like"})
"""Parameters that hold what a person typed."""


def parsed(sql: str) -> Any:
    """Return a query of SQL Server, where parameters are variables; raises for what its dialect does not have."""
    return sqlglot.parse_one(_PARAMETER.sub(r"@\1", sql), read="tsql", error_level=ErrorLevel.RAISE)


def translated(sql: str) -> str:
    """Return a query for PostgreSQL; raises if a part of it has no counterpart there."""
    tree = _joined(parsed(sql)).transform(_without_case).transform(_as_parameter)
    return tree.sql("postgres", unsupported_level=ErrorLevel.RAISE)


def translated_options(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a source with all queries translated."""
    return {key: _translated(key, value) for key, value in options.items()}


def queries(options: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the queries of a source, with their places."""
    found: list[tuple[str, str]] = []
    for key, value in options.items():
        if isinstance(value, dict) and key != "fields":
            found += [(f"{key}.{place}", query) for place, query in queries(value)]
        elif _is_query(value):
            found.append((key, value))
    return found


def _translated(key: str, value: Any) -> Any:
    if isinstance(value, dict) and key != "fields":
        return translated_options(value)
    return translated(value) if _is_query(value) else value


def _is_query(value: Any) -> bool:
    return isinstance(value, str) and value.lstrip().upper().startswith("SELECT")


def _without_case(node: exp.Expression) -> exp.Expression:
    typed = isinstance(node, exp.EQ | exp.Like) and isinstance(node.expression, exp.Parameter)
    if typed and node.expression.name in _TYPED:
        return type(node)(this=exp.Lower(this=node.this), expression=exp.Lower(this=node.expression))
    return node


def _as_parameter(node: exp.Expression) -> exp.Expression:
    return exp.var(f":{node.name}") if isinstance(node, exp.Parameter) else node


def _joined(tree: exp.Expression) -> exp.Expression:
    """Return a query whose texts joined by + are joined as other databases do."""
    for node in list(tree.find_all(exp.Add)):
        if any(map(_is_text, node.flatten())):
            node.replace(exp.DPipe(this=node.left, expression=node.right))
    return tree


def _is_text(node: Any) -> bool:
    """Return whether a part of a sum is surely a text: it is one, or a text stands in for it where it is missing."""
    return (
        node.is_string
        or isinstance(node, exp.National)
        or (isinstance(node, exp.Coalesce) and any(map(_is_text, node.expressions)))
    )
