"""``$filter`` of the Service Layer: comparisons, ``contains``, ``and``, ``or`` and parentheses.

Docs: platform/erp/sap-b1.md#odata
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]
Condition = Callable[[Row], bool]

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<day>\d{4}-\d\d-\d\d)|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>\w+(?:/\w+)*)|(?P<sign>[(),]))"
)


class ODataBadQuery(Exception):
    """A query that the server does not understand, with the server's message."""


class ODataFilter:
    """Parses a filter; ``fields`` are those of the entity."""

    def __init__(self, text: str, fields: frozenset[str], *, folded: bool) -> None:
        self._tokens = list(_tokens(text))
        self._fields = fields
        self._folded = folded

    def condition(self) -> Condition:
        """Return the filter as a function of a record."""
        found = self._either()
        if self._tokens:
            raise ODataBadQuery("Query string error: unexpected end of filter")
        return found

    def _either(self) -> Condition:
        parts = [self._all()]
        while self._take("or"):
            parts.append(self._all())
        return lambda row: any(part(row) for part in parts)

    def _all(self) -> Condition:
        parts = [self._one()]
        while self._take("and"):
            parts.append(self._one())
        return lambda row: all(part(row) for part in parts)

    def _one(self) -> Condition:
        if self._take("("):
            found = self._either()
            self._expect(")")
            return found
        if self._take("contains"):
            self._expect("(")
            field = self._field()
            self._expect(",")
            operand = self._fold(self._value())
            self._expect(")")
            return lambda row: row[field] is not None and str(operand) in str(self._fold(row[field]))
        return self._comparison()

    def _comparison(self) -> Condition:
        field, (_, op) = self._field(), self._next()
        operand = self._fold(self._value())
        compare: dict[str, Callable[[Any, Any], bool]] = {
            "eq": lambda left, value: left == value,
            "ne": lambda left, value: left != value,
            "lt": lambda left, value: left < value,
            "gt": lambda left, value: left > value,
            "le": lambda left, value: left <= value,
            "ge": lambda left, value: left >= value,
        }
        if op not in compare:
            raise ODataBadQuery(f"Query string error: {op}")

        def holds(row: Row) -> bool:
            left = self._fold(row[field])
            if left is None:
                return False
            # Days and the prefix of a time have the same format in both versions.
            left = left[: len(operand)] if isinstance(operand, str) and _is_day(operand) else left
            if isinstance(left, str) is not isinstance(operand, str):
                raise ODataBadQuery(f"Invalid value for property '{field}'")
            return compare[op](left, operand)

        return holds

    def _field(self) -> str:
        kind, name = self._next()
        if kind != "word" or name not in self._fields:
            raise ODataBadQuery(f"Property '{name}' is invalid")
        return name

    def _value(self) -> str | Decimal:
        kind, token = self._next()
        if kind == "text":
            return token[1:-1].replace("''", "'")
        if kind == "number":
            if abs(Decimal(token)) >= 2**31:
                raise ODataBadQuery("Value is too large for Edm.Int32")
            return Decimal(token)
        if kind == "day":
            return token
        raise ODataBadQuery(f"Query string error: {token}")

    def _fold(self, value: Any) -> Any:
        return value.lower() if self._folded and isinstance(value, str) else value

    def _take(self, token: str) -> bool:
        if self._tokens and self._tokens[0][1] == token and self._tokens[0][0] != "text":
            self._tokens.pop(0)
            return True
        return False

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise ODataBadQuery(f"Query string error: {token} is missing")

    def _next(self) -> tuple[str, str]:
        if not self._tokens:
            raise ODataBadQuery("Query string error: end of filter")
        return self._tokens.pop(0)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            raise ODataBadQuery("Query string error: unexpected character")
        kind = str(found.lastgroup)
        yield kind, found[kind]
        at = found.end()


def _is_day(text: str) -> bool:
    return re.fullmatch(r"\d{4}-\d\d-\d\d", text) is not None
