"""The FilterString of Kingdee's WebAPI as its database evaluates it: SQL conditions over a line of a form.

``and`` binds tighter than ``or``; texts are in single quotes, with quotes inside doubled; comparisons of texts ignore
case and trailing spaces, ``%`` and ``_`` are wildcards of ``like``; no comparison with an empty value is true.
Comparing two fields is not supported here, as the vendor does not document it.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

Line = Mapping[str, Any]
Condition = Callable[[Line], bool]

_TOKENS = re.compile(
    r"\s+|(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<sign><>|<=|>=|!=|[=<>(),])|(?P<word>[A-Za-z_][\w.]*)"
)


class KingdeeBadFilter(Exception):
    """Not a valid condition; MsgCode 4."""


class KingdeeUnknownField(Exception):
    """The form has no such field; MsgCode 9."""


class KingdeeFilter:
    """A parsed filter; raises `KingdeeBadFilter`."""

    def __init__(self, text: str) -> None:
        self.fields: set[str] = set()
        self._tokens = _tokens(text)
        self._next = 0
        self.holds: Condition = self._either() if self._tokens else lambda line: True
        if self._next < len(self._tokens):
            raise KingdeeBadFilter(f"left over: {self._tokens[self._next][1]}")

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._next] if self._next < len(self._tokens) else ("end", "")

    def _take(self, kind: str = "", *words: str) -> str:
        found, text = self._peek()
        if (kind and found != kind) or (words and text.lower() not in words):
            raise KingdeeBadFilter(f"unexpected {text or 'end'}")
        self._next += 1
        return text

    def _is(self, *words: str) -> bool:
        kind, text = self._peek()
        return kind in ("word", "sign") and text.lower() in words

    def _either(self) -> Condition:
        parts = [self._both()]
        while self._is("or"):
            self._take()
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else lambda line: any(part(line) for part in parts)

    def _both(self) -> Condition:
        parts = [self._one()]
        while self._is("and"):
            self._take()
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda line: all(part(line) for part in parts)

    def _one(self) -> Condition:
        if self._is("("):
            self._take()
            inner = self._either()
            self._take("sign", ")")
            return inner
        if self._peek()[0] != "word":
            # A constant condition such as '1'='1' is valid SQL too.
            left = self._literal()
            sign = self._take("sign")
            right = self._literal()
            return lambda line: _compare(left, sign, right)
        field = self._take("word")
        self.fields.add(field)
        negated = self._is("not")
        if negated:
            self._take()
        if self._is("in"):
            return self._in(field, negated)
        if self._is("like"):
            self._take()
            pattern = _like(self._literal())
            return lambda line: line[field] is not None and bool(pattern.fullmatch(str(line[field]))) is not negated
        sign = self._take("sign", "=", "<>", "!=", "<", "<=", ">", ">=")
        operand = self._literal()
        return lambda line: _compare(line[field], sign, operand)

    def _in(self, field: str, negated: bool) -> Condition:
        self._take()
        self._take("sign", "(")
        values = [self._literal()]
        while self._is(","):
            self._take()
            values.append(self._literal())
        self._take("sign", ")")
        texts = {value.rstrip(" ").casefold() for value in values}

        def holds(line: Line) -> bool:
            value = line[field]
            if value is None:
                return False
            if isinstance(value, str | int):
                return (str(value).rstrip(" ").casefold() in texts) is not negated
            return any(_compare(value, "=", literal) for literal in values) is not negated

        return holds

    def _literal(self) -> str:
        kind, text = self._peek()
        if kind == "text":
            self._take()
            return text[1:-1].replace("''", "'")
        return self._take("number")


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while at < len(text):
        match = _TOKENS.match(text, at)
        if match is None:
            raise KingdeeBadFilter(f"unexpected {text[at]}")
        if match.lastgroup is not None:
            found.append((match.lastgroup, match.group()))
        at = match.end()
    return found


def _like(pattern: str) -> re.Pattern[str]:
    wild = {"%": ".*", "_": "."}
    return re.compile("".join(wild.get(sign, re.escape(sign)) for sign in pattern), re.IGNORECASE | re.DOTALL)


_MEETS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _compare(value: Any, sign: str, literal: str) -> bool:
    if value is None:
        return False
    return bool(_MEETS[sign](*_comparable(value, literal)))


def _comparable(value: Any, literal: str) -> tuple[Any, Any]:
    if isinstance(value, str):
        return _folded(value), _folded(literal)
    try:
        if isinstance(value, datetime):
            return value, _moment(literal)
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day), _moment(literal)  # noqa: DTZ001
        if isinstance(value, bool):
            return str(int(value)), literal
        if isinstance(value, int | Decimal):
            return Decimal(value), Decimal(literal)
    except (ValueError, InvalidOperation) as error:
        raise KingdeeBadFilter(f"not comparable: {literal}") from error
    return _folded(str(value)), _folded(literal)


# Cached, because the same few texts are compared with every line of a form.
@lru_cache(maxsize=4096)
def _folded(text: str) -> str:
    return text.rstrip(" ").casefold()


@lru_cache(maxsize=256)
def _moment(literal: str) -> datetime:
    return datetime.fromisoformat(literal)
