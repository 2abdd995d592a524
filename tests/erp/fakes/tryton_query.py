"""Tryton's domains, orders and fields on records that are dictionaries.

A to-one relation is a dictionary or None, a to-many relation a list of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

Record = dict[str, Any]


class TrytonFault(Exception):
    """A fault in the call, such as an unknown field; the server's answer quotes the name."""


def find(records: Iterable[Record], domain: list[Any], order: list[list[str]]) -> list[Record]:
    """Return the records of a domain in an order such as ``[["number", "ASC"], ["sale_date", "DESC NULLS LAST"]]``."""
    found = [record for record in records if _holds(record, domain)]
    for path, direction_text in reversed(order):
        direction, *nulls = direction_text.split(" NULLS ")

        def key(record: Record, path: str = path) -> Any:
            return next(_values(record, path), None)

        filled = [record for record in found if key(record) is not None]
        empty = [record for record in found if key(record) is None]
        filled.sort(key=key, reverse=direction == "DESC")
        found = empty + filled if nulls == ["FIRST"] else filled + empty
    return found


def project(record: Record, fields: Iterable[str]) -> Record:
    """Return the requested fields; those of relations in an object of their own, under the name with a dot."""
    answer: Record = {}
    nested: dict[str, list[str]] = {}
    for path in fields:
        name, _, rest = path.partition(".")
        if name not in record:
            raise TrytonFault(repr(name))
        if rest:
            nested.setdefault(name, ["id"]).append(rest)
        else:
            answer[name] = _plain(record[name])
    for name, paths in nested.items():
        answer[f"{name}."] = _nest(record[name], paths)
    return answer


def _nest(value: Any, paths: list[str]) -> Any:
    if isinstance(value, list):
        return [project(item, paths) for item in value]
    return None if value is None else project(value, paths)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return value["id"]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [item["id"] for item in value]
    return value


def _holds(record: Record, domain: list[Any]) -> bool:
    if not domain:
        return True
    if isinstance(domain[0], str) and domain[0] not in ("AND", "OR"):
        return _clause(record, *domain)
    operator, parts = (domain[0], domain[1:]) if domain[0] in ("AND", "OR") else ("AND", domain)
    join = any if operator == "OR" else all
    return join(_holds(record, part) for part in parts)


def _clause(record: Record, path: str, operator: str, value: Any, _target: str = "") -> bool:
    if operator not in _OPERATORS and operator != "where":
        raise TrytonFault(repr(operator))
    if operator in ("!=", "not in") and path.count("."):
        raise TrytonFault("the fake does not negate across relations")
    if operator == "where":
        return any(_holds(related, value) for related in _values(record, path))
    values = list(_values(record, path)) or [None]
    return any(_OPERATORS[operator](_plain(item), value) for item in values)


def _values(record: Record, path: str) -> Iterator[Any]:
    name, _, rest = path.partition(".")
    if name not in record:
        raise TrytonFault(repr(name))
    value = record[name]
    for item in value if isinstance(value, list) else [value]:
        if not rest:
            yield item
        elif item is not None:
            yield from _values(item, rest)


def _ilike(item: Any, pattern: Any) -> bool:
    if item is None:
        return False
    signs = {"%": ".*", "_": "."}
    parts = re.findall(r"\\.|.", str(pattern), re.DOTALL)
    wanted = "".join(signs.get(part) or re.escape(part[-1]) for part in parts)
    return re.fullmatch(wanted, str(item), re.IGNORECASE | re.DOTALL) is not None


def _compare(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda item, value: item is not None and value is not None and test(item, value)


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda item, value: item == value,
    "!=": lambda item, value: item != value,
    "in": lambda item, values: item in values,
    "not in": lambda item, values: item not in values,
    "ilike": _ilike,
    "<": _compare(lambda item, value: item < value),
    "<=": _compare(lambda item, value: item <= value),
    ">": _compare(lambda item, value: item > value),
    ">=": _compare(lambda item, value: item >= value),
}
