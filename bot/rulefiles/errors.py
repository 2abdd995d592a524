"""Errors of rules: all at once, each with its line, and with a guess at misspelt words."""

from __future__ import annotations

from dataclasses import dataclass

from bot.words.errors import ConfigurationError
from bot.words.phrase import Phrase, Words, join_words, phrase
from bot.words.spelling import closest as closest
from bot.words.spelling import did_you_mean as did_you_mean
from bot.words.spelling import is_meant as is_meant

_SHOWN = 20
"""Errors written out; a file with more is probably not meant as rules."""


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """One error: ``line`` counts from 1, ``reason`` ends with a correct example."""

    line: int
    reason: Words

    def __str__(self) -> str:
        """Return the error as one line in English."""
        return str(self.words)

    @property
    def words(self) -> Phrase:
        """Return the error as a phrase for any language."""
        return phrase("line %(line)s: %(reason)s", line=str(self.line), reason=self.reason)


class RulesError(ConfigurationError):
    """The rules are wrong."""

    def __init__(self, name: str, problems: tuple[RuleProblem, ...]) -> None:
        self.problems = problems
        told: list[Words] = [problem.words for problem in problems[:_SHOWN]]
        if len(problems) > _SHOWN:
            told.append(phrase("and %(num)s more", num=len(problems) - _SHOWN))
        super().__init__(phrase("%(file)s: %(problems)s", file=name, problems=join_words(told)))
