"""Errors of rules: all at once, each with its line, and with a guess at misspelt words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.errors import ConfigurationError
from bot.spelling import most_alike

_SHOWN = 20
"""Errors that are written out; a file with more is probably not meant as rules."""


@dataclass(frozen=True, slots=True, order=True)
class RuleProblem:
    """One error: ``line`` counts from 1, ``reason`` ends with a correct example."""

    line: int
    reason: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"line {self.line}: {self.reason}"


class RulesError(ConfigurationError):
    """The rules are wrong."""

    def __init__(self, name: str, problems: tuple[RuleProblem, ...]) -> None:
        self.problems = problems
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        super().__init__(f"{name}: " + "; ".join(map(str, problems[:_SHOWN])) + more)


_CLOSE = 0.75


def closest(word: str, known: Iterable[str], *, similarity: float = _CLOSE) -> tuple[str, ...]:
    """Return the known word that a misspelt one was meant for, or nothing if no word is close."""
    return most_alike(word, known, limit=1, similarity=similarity)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean 'x'?``, or what there is where nothing is close."""
    words = list(known)
    best = closest(word, words)
    return f"did you mean {best[0]!r}?" if best else f"there are: {', '.join(words) or 'none'}"
