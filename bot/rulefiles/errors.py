"""Errors of rules: all at once, each with its line, and with a guess at misspelt words."""

from __future__ import annotations

from dataclasses import dataclass

from bot.errors import ConfigurationError
from bot.spelling import closest as closest
from bot.spelling import did_you_mean as did_you_mean

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
