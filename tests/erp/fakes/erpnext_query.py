"""Frappe's lists: fields, filters, order and pages over documents, with the peculiarities of its SQL on MariaDB."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

Document = dict[str, Any]

PAGE = 20
"""Default length of a page; 0 means all rows."""

_NO_DATE = "0001-01-01"
"""The value that a missing date or time compares as."""


class ErpNextUnknownField(Exception):
    """A field that the DocType does not have; ``args[0]`` is its name."""


def parameter(parameters: Mapping[str, Any], name: str, default: Any) -> Any:
    """Return a parameter: JSON in a URL, plain in a body."""
    value = parameters.get(name, default)
    return json.loads(value) if isinstance(value, str) and value[:1] in "[{" else value


def joined(documents: Sequence[Document], parameters: Mapping[str, Any]) -> tuple[list[Document], dict[str, Any]]:
    """Return documents as a condition on a child table repeats them, and the parameters without such conditions."""
    filters = parameter(parameters, "filters", [])
    found = list(documents)
    for child, *test in (condition for condition in filters if len(condition) == 4):
        found = [
            document
            for document in found
            for field, value in document.items()
            if isinstance(value, list)
            for row in value
            if row.get("doctype") == child and _holds(row, *test)
        ]
    return found, {**parameters, "filters": [condition for condition in filters if len(condition) == 3]}


def select(documents: Sequence[Document], parameters: Mapping[str, Any], known: Iterable[str]) -> list[Document]:
    """Return a page of a list; raises `ErpNextUnknownField`."""
    documents, parameters = joined(documents, parameters)
    fields = parameter(parameters, "fields", ["name"])
    known = set(known)
    for name in fields:
        _check(name, known)
    found = matching(documents, parameters, known)
    for part in reversed(str(parameters.get("order_by") or "modified desc").split(",")):
        # Qualified by its table, whose name has blanks: `tabSales Order`.`name` desc
        name, _, direction = part.strip().rpartition("`.")[2].replace("`", "").partition(" ")
        _check(name, known)
        # Nothing is before everything.
        found.sort(key=lambda row: (row.get(name) is not None, row.get(name)), reverse=direction == "desc")
    start, length = int(parameters.get("limit_start", 0)), int(parameters.get("limit_page_length", PAGE))
    page = found[start : start + length] if length else found[start:]
    return [{name: row.get(name) for name in fields} for row in page]


def matching(documents: Sequence[Document], parameters: Mapping[str, Any], known: Iterable[str]) -> list[Document]:
    """Return the documents that fulfil all ``filters`` and any of ``or_filters``."""
    documents, parameters = joined(documents, parameters)
    known = set(known)
    filters, any_of = parameter(parameters, "filters", []), parameter(parameters, "or_filters", [])
    for name, *_ in (*filters, *any_of):
        _check(name, known)
    return [
        row
        for row in documents
        if all(_holds(row, *test) for test in filters)
        and (not any_of or any(_holds(row, *condition) for condition in any_of))
    ]


def _check(name: str, known: set[str]) -> None:
    if name not in known:
        raise ErpNextUnknownField(name)


def _holds(row: Document, name: str, operator: str, operand: Any) -> bool:
    value = row.get(name)
    match operator.lower():
        case "like":
            return value is not None and _like(str(value), operand)
        case "in":
            return _key(value) in map(_key, operand)
        case "not in":
            return _key(value) not in map(_key, operand)
        case "is":
            return (value not in (None, "")) is (operand == "set")
        case "=":
            return _key(value) == _key(operand)
        case "!=":
            return _key(value) != _key(operand)
        case "<":
            return bool(_comparable(value, operand) < operand)
        case ">":
            return bool(_comparable(value, operand) > operand)
        case ">=":
            return bool(_comparable(value, operand) >= operand)
    raise ValueError(f"operator {operator}")


def _comparable(value: Any, operand: Any) -> Any:
    if value is None:
        return _NO_DATE if isinstance(operand, str) else 0
    return value


def _key(value: Any) -> str:
    """Return a value for an SQL comparison: texts ignoring case, numbers equal to texts, null as an empty text."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).casefold()


def _like(value: str, pattern: str) -> bool:
    return _compiled(pattern.casefold()).fullmatch(value.casefold()) is not None


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    # A backslash is doubled before SQL, so it stands for itself and no wildcard can be escaped.
    signs = {"%": ".*", "_": "."}
    return re.compile("".join(signs.get(sign) or re.escape(sign) for sign in pattern), re.DOTALL)
