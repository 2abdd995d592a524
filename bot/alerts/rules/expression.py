"""A CEL condition, compiled when the rules are read. Nothing of an event is ever code.

Its cost is bounded: limited length and nesting, at most one loop over an event's data, and only literal, cheap text
patterns (`bot.alerts.rules.cel_engine`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.alerts.rules.cel_engine import check_pattern, compile_program
from bot.alerts.rules.comparisons import (
    DECIMAL,
    FIGURES,
    DecimalComparison,
    MissingFigure,
    Token,
    TokenKind,
    take_comparisons,
    tokenize,
)
from bot.alerts.rules.facts import VARIABLES, Facts
from bot.rulefiles.errors import did_you_mean
from bot.words.phrase import Phrase, phrase

if TYPE_CHECKING:
    from cel import Program

MAX_LENGTH = 1000
_MAX_DEPTH = 20
_LOOPS = frozenset(("all", "exists", "exists_one", "filter", "map"))
_FUNCTIONS = frozenset(("contains", "endsWith", "has", "matches", "size", "startsWith", "int", "string", DECIMAL))
_KNOWN = (*FIGURES, *VARIABLES)
_WORDS = {"and": "&&", "or": "||", "not": "!"}
_ORDERED = frozenset(("<", "<=", ">", ">="))
_RUNTIME = (LookupError, ArithmeticError, TypeError, ValueError, RuntimeError)
"""Errors of CEL for missing data, or data of an unexpected type."""


class UnanswerableCondition(Exception):
    """A condition that cannot be evaluated for one event. The message gives the reason without the event's data."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled condition; ``text`` is its source on one line."""

    text: str
    program: Program
    names: tuple[str, ...]
    comparisons: tuple[tuple[str, DecimalComparison], ...]

    def holds(self, facts: Facts) -> bool:
        """Return the result. Raises `UnanswerableCondition`."""
        missing = ""
        try:
            context = facts.context(self.names)
            for name, comparison in self.comparisons:
                try:
                    context.add_variable(name, comparison.holds(facts))
                except MissingFigure as error:
                    # Unknown is neither true nor false; the other side of `||` or `&&` may still decide.
                    context.add_variable(name, None)
                    missing = missing or str(error)
            answer = self.program.execute(context)
        except _RUNTIME as error:
            raise UnanswerableCondition(missing or _reason(error)) from None
        if not isinstance(answer, bool):
            raise UnanswerableCondition(missing or "it is neither true nor false")
        return answer


def parse_expression(text: str) -> Expression:
    """Compile a condition. Raises `ValueError` with the reason and an example."""
    _check_size(text)
    tokens = tokenize(text)
    for check in (_check_words, _check_loops, _check_patterns, _check_severity):
        check(tokens)
    comparisons, wrong = take_comparisons(tokens)
    if wrong:
        raise ValueError(wrong)
    program = _compile(_with_answers(text, tokens, comparisons))
    names = [name for name in program.variables() if name[0] != "_"]
    bound = _bound(tokens)
    _check_known(names, [*_KNOWN, *bound], phrase("variable"))
    _check_known(_called(tokens), sorted(_FUNCTIONS | _LOOPS), phrase("function"))
    answers = tuple((f"_{number}", comparison) for number, (_, _, comparison) in enumerate(comparisons))
    return Expression(" ".join(text.split()), program, tuple(name for name in names if name not in bound), answers)


def _check_size(text: str) -> None:
    if not text.strip():
        raise ValueError(phrase("the condition is empty, an example is \"severity == 'critical'\""))
    if len(text) > MAX_LENGTH:
        raise ValueError(
            phrase(
                "the condition has %(num)s characters, %(most)s are allowed; write several rules",
                num=len(text),
                most=MAX_LENGTH,
            )
        )


def _check_words(tokens: list[Token]) -> None:
    depth = 0
    for token in tokens:
        depth += (token.text in "([{") - (token.text in ")]}")
        if depth > _MAX_DEPTH:
            raise ValueError(
                phrase(
                    "the condition has more than %(most)s brackets in each other; write several rules",
                    most=_MAX_DEPTH,
                )
            )
        if token.kind is TokenKind.WORD and token.text in _WORDS:
            raise ValueError(phrase("write %(meant)s for %(text)s", meant=_WORDS[token.text], text=f"{token.text!r}"))
        if token.kind is TokenKind.WORD and token.text[0] == "_":
            raise ValueError(phrase("%(text)s: names do not begin with an underscore", text=f"{token.text!r}"))
        if token.text == "=":
            raise ValueError(phrase("write == to compare, an example is \"warehouse == 'W1'\""))


def _check_loops(tokens: list[Token]) -> None:
    if sum(_is_call(tokens, at) and token.text in _LOOPS for at, token in enumerate(tokens)) > 1:
        raise ValueError(phrase("one loop in a condition (exists, all, filter, map); write several rules"))


def _check_patterns(tokens: list[Token]) -> None:
    for at, token in enumerate(tokens):
        if token.text != "matches" or not _is_call(tokens, at):
            continue
        pattern = tokens[at + 2] if at + 2 < len(tokens) else token
        if pattern.kind is not TokenKind.STRING or at + 3 >= len(tokens) or tokens[at + 3].text != ")":
            raise ValueError(
                phrase("matches takes a pattern that is written out, an example is subject.matches('^A[0-9]+$')")
            )
        check_pattern(pattern.text)


def _check_severity(tokens: list[Token]) -> None:
    for left, sign, right in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if sign.text in _ORDERED and "severity" in (left.text, right.text):
            raise ValueError(
                phrase(
                    'severity has no order for %(text)s; write severities = ["warning", "critical"] beside `when`',
                    text=sign.text,
                )
            )


def _with_answers(text: str, tokens: list[Token], comparisons: Iterable[tuple[int, int, DecimalComparison]]) -> str:
    for number, (first, last, _) in enumerate(comparisons):
        start, end = tokens[first].start, tokens[last - 1].end
        # Padded to the comparison's length, so that columns in CEL's errors are right.
        text = text[:start] + f"_{number}".ljust(end - start) + text[end:]
    return text


def _compile(source: str) -> Program:
    try:
        return compile_program(source)
    except ValueError as error:
        match = re.search(r"<input>:(\d+):(\d+): (?:Syntax error: )?([^\n]*)", str(error))
        if match is None:
            raise ValueError(phrase("no condition: %(why)s", why=str(error).splitlines()[0][:200])) from None
        reason = match[3].split(" expecting ")[0].replace("<EOF>", "the end").strip()
        where = phrase("column %(column)s", column=match[2])
        if match[1] != "1":
            where = phrase("line %(line)s of the text, column %(column)s", line=match[1], column=match[2])
        raise ValueError(
            phrase(
                "%(where)s: %(reason)s; an example is \"type == 'stock.low' && hour < 18\"", where=where, reason=reason
            )
        ) from None


def _check_known(names: Iterable[str], known: list[str], kind: Phrase) -> None:
    for name in names:
        if name not in known:
            raise ValueError(
                phrase("no %(kind)s %(name)s; %(hint)s", kind=kind, name=f"{name!r}", hint=did_you_mean(name, known))
            )


def _called(tokens: list[Token]) -> list[str]:
    return [token.text for at, token in enumerate(tokens) if _is_call(tokens, at)]


def _bound(tokens: list[Token]) -> set[str]:
    return {
        tokens[at + 2].text
        for at, token in enumerate(tokens)
        if _is_call(tokens, at) and token.text in _LOOPS and at + 2 < len(tokens)
    } - set(_KNOWN)


def _is_call(tokens: list[Token], at: int) -> bool:
    return (
        tokens[at].kind is TokenKind.WORD
        and tokens[at].text != "in"
        and tokens[at + 1 : at + 2] != []
        and (tokens[at + 1].text == "(")
    )


def _reason(error: Exception) -> str:
    """Return the reason without the event's own text."""
    if isinstance(error, KeyError):
        return f"data have no {error.args[0]!r}"[:100]
    if isinstance(error, TypeError):
        return "it compares or calls what are not of one type; decimal(data.x) reads text as a number"
    return f"CEL answers {type(error).__name__}"
