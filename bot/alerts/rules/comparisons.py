"""The tokens of a condition, and its comparisons of amounts and quantities: these are cut out and evaluated with exact
decimals, which CEL lacks.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from bot.alerts.rules.facts import Facts
from bot.words.phrase import Words, phrase

_TOKEN = re.compile(
    r"""(?P<blank>(?:\s|//[^\n]*)+)
    |(?P<string>[rRbB]{0,2}(?:\"{3}.*?\"{3}|'{3}.*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<number>0[xX][0-9a-fA-F]+|(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?[uU]?)
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign><=|>=|==|!=|&&|\|\||.)""",
    re.X | re.S,
)


class TokenKind(StrEnum):
    """The kind of a token."""

    STRING = "string"
    NUMBER = "number"
    WORD = "word"
    SIGN = "sign"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text from ``start`` to ``end``."""

    kind: TokenKind
    text: str
    start: int
    end: int


def tokenize(text: str) -> list[Token]:
    """Return the tokens of a condition. Any text can be tokenized; CEL reports syntax errors."""
    return [
        Token(TokenKind(match.lastgroup or "sign"), match[0], match.start(), match.end())
        for match in _TOKEN.finditer(text)
        if match.lastgroup != "blank"
    ]


FIGURES = ("amount", "quantity")
DECIMAL = "decimal"
_OPERATORS: Mapping[str, Callable[[Decimal, Decimal], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_BEFORE = frozenset(("(", "[", ",", "&&", "||", "?", ":"))
_AFTER = frozenset((")", "]", ",", "&&", "||", "?", ":"))
_EXAMPLE = phrase("an example is amount >= 10000.50 CNY")


class MissingFigure(Exception):
    """The event lacks a figure; the message names it."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A number, a figure of the event, or (``path``) text of its data or tags that is read as a number."""

    number: Decimal | None = None
    currency: str = ""
    path: tuple[str, ...] = ()
    factor: Decimal = Decimal(1)
    """What the text of ``path`` is multiplied by: ``decimal(data.reorder_point) * 0.7``."""
    nothing: bool = False
    """``null``: the other side is missing."""

    def value(self, facts: Facts) -> Decimal:
        """Return the number. Raises `MissingFigure`."""
        if self.number is not None:
            return self.number
        found = facts.number[self.path[0]] if self.path[0] in FIGURES else _found(facts, self.path)
        if found is None:
            raise MissingFigure(f"{'.'.join(self.path)} is missing")
        return found * self.factor


@dataclass(frozen=True, slots=True)
class DecimalComparison:
    """Two operands with an operator between them."""

    left: Operand
    sign: str
    right: Operand

    def holds(self, facts: Facts) -> bool:
        """Return the result; an amount in a currency other than the named one never matches. Raises `MissingFigure`."""
        if self.left.nothing or self.right.nothing:
            return self._is_missing(facts) == (self.sign == "==")
        left, right = self.left.value(facts), self.right.value(facts)
        currency = self.left.currency or self.right.currency
        amount = facts.event.amount
        if currency and (amount is None or amount.currency != currency):
            return False
        return _OPERATORS[self.sign](left, right)

    def _is_missing(self, facts: Facts) -> bool:
        try:
            (self.right if self.left.nothing else self.left).value(facts)
        except MissingFigure:
            return True
        return False


def take_comparisons(tokens: list[Token]) -> tuple[list[tuple[int, int, DecimalComparison]], Words]:
    """Return the comparisons, each with the range of its tokens, and the first error."""
    found: list[tuple[int, int, DecimalComparison]] = []
    at = 0
    while at < len(tokens):
        taken = _comparison(tokens, at)
        if taken is not None:
            found.append((at, taken[1], taken[0]))
            at = taken[1]
        elif _is_figure(tokens, at):
            name = tokens[at].text
            return found, phrase(
                "%(name)s stands in a comparison with one number, %(example)s", name=name, example=_EXAMPLE
            )
        else:
            at += 1
    for start, end, comparison in found:
        wrong = _wrong(tokens, start, end, comparison)
        if wrong:
            return found, wrong
    return found, ""


def _wrong(tokens: list[Token], start: int, end: int, comparison: DecimalComparison) -> Words:
    text = " ".join(token.text for token in tokens[start:end])
    before = tokens[start - 1].text if start else "("
    after = tokens[end].text if end < len(tokens) else ")"
    if before not in _BEFORE or after not in _AFTER:
        return phrase(
            "write brackets around %(text)s, or compare with one number: %(example)s",
            text=f"{text!r}",
            example=_EXAMPLE,
        )
    if (comparison.left.nothing or comparison.right.nothing) and comparison.sign not in ("==", "!="):
        return phrase("null is compared by == and != only, an example is amount != null")
    sides = (comparison.left, comparison.right)
    if any(side.currency for side in sides) and not any(side.path == ("amount",) for side in sides):
        return phrase("only amount has a currency, %(example)s", example=_EXAMPLE)
    return ""


def _comparison(tokens: list[Token], at: int) -> tuple[DecimalComparison, int] | None:
    left = _operand(tokens, at)
    if left is None or left[1] >= len(tokens) or tokens[left[1]].text not in _OPERATORS:
        return None
    right = _operand(tokens, left[1] + 1)
    if right is None or not (left[0].path or right[0].path):
        return None
    return DecimalComparison(left[0], tokens[left[1]].text, right[0]), right[1]


def _operand(tokens: list[Token], at: int) -> tuple[Operand, int] | None:
    words = [token.text for token in tokens[at : at + 2]]
    if not words or (at and tokens[at - 1].text == "."):
        return None
    if words[0] in FIGURES:
        return Operand(path=(words[0],)), at + 1
    if words[0] == "null":
        return Operand(nothing=True), at + 1
    if words == [DECIMAL, "("]:
        return _multiplied(tokens, _read_path(tokens, at + 2))
    return _literal(tokens, at)


def _multiplied(tokens: list[Token], read: tuple[Operand, int] | None) -> tuple[Operand, int] | None:
    """Return an operand with the factor behind it, if there is one."""
    if read is None or read[1] >= len(tokens) or tokens[read[1]].text != "*":
        return read
    factor = _literal(tokens, read[1] + 1) if read[1] + 1 < len(tokens) else None
    if factor is None or factor[0].number is None or factor[0].currency:
        return None
    return replace(read[0], factor=factor[0].number), factor[1]


def _literal(tokens: list[Token], at: int) -> tuple[Operand, int] | None:
    minus = tokens[at].text == "-"
    at += minus
    if at >= len(tokens) or tokens[at].kind is not TokenKind.NUMBER:
        return None
    try:
        number = Decimal(tokens[at].text)
    except InvalidOperation:  # hexadecimal, or with the u of CEL's unsigned
        return None
    number, at = -number if minus else number, at + 1
    currency = tokens[at].text if at < len(tokens) and _is_currency(tokens[at]) else ""
    return Operand(number=number, currency=currency), at + bool(currency)


def _read_path(tokens: list[Token], at: int) -> tuple[Operand, int] | None:
    path: list[str] = []
    while at < len(tokens):
        texts = [token.text for token in tokens[at : at + 3]]
        if not path and texts[0] in ("data", "tags"):
            path, at = [texts[0]], at + 1
        elif path and texts[0] == "." and len(texts) > 1 and tokens[at + 1].kind is TokenKind.WORD:
            path, at = [*path, texts[1]], at + 2
        elif path and texts[0] == "[" and texts[2:] == ["]"] and texts[1][0] in "\"'":
            path, at = [*path, texts[1].strip("\"'")], at + 3
        else:
            break
    closed = at < len(tokens) and tokens[at].text == ")" and len(path) > 1
    return (Operand(path=tuple(path)), at + 1) if closed else None


def _is_figure(tokens: list[Token], at: int) -> bool:
    return tokens[at].text in (*FIGURES, DECIMAL) and not (at and tokens[at - 1].text == ".")


def _is_currency(token: Token) -> bool:
    return token.kind is TokenKind.WORD and len(token.text) == 3 and token.text.isalpha() and token.text.isupper()


def _found(facts: Facts, path: tuple[str, ...]) -> Decimal | None:
    found: object = {"data": facts.event.data, "tags": facts.event.tags}[path[0]]
    for key in path[1:]:
        found = found.get(key) if isinstance(found, Mapping) else None
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return None
    try:
        # The shortest text of a JSON fraction is its original spelling.
        number = Decimal(str(found))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
