"""What a rule asks of an event: how its keys are read, what fits, and what could not be answered. Every key has to
fit, ``when`` comes last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog

from bot.alerts.rules.expression import Expression, UnanswerableCondition, parse_expression
from bot.alerts.rules.facts import VARIABLES, Facts
from bot.alerts.rules.values import read_days, read_patterns, read_severities, read_types
from bot.rulefiles.document import RuleTable

_log = structlog.get_logger(__name__)
_REASONS = 16
"""Reasons of one rule that are logged; the count goes on."""


class UnansweredConditions:
    """The counts of one set of rules."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._said: dict[str, set[str]] = {}

    @property
    def counts(self) -> Mapping[str, int]:
        """Return how often each rule could not be answered."""
        return dict(self._counts)

    def count(self, rule: str, reason: str) -> None:
        """Count one event; the first one of a kind is worth a line."""
        self._counts[rule] += 1
        said = self._said.setdefault(rule, set())
        if reason not in said and len(said) < _REASONS:
            said.add(reason)
            _log.warning("condition cannot be answered", rule=rule, reason=reason)


class ConditionTest(Protocol):
    """One key of a condition."""

    @property
    def text(self) -> str:
        """How it is written."""
        ...

    def fits(self, facts: Facts) -> bool:
        """Return whether the event fits."""
        ...


@dataclass(frozen=True, slots=True)
class WordsTest:
    """One of several words, or of their beginnings (``stock.*``)."""

    text: str
    value: Callable[[Facts], object]
    words: frozenset[str]
    beginnings: tuple[str, ...]

    def fits(self, facts: Facts) -> bool:
        """Return whether the event's word is among these."""
        word = self.value(facts)
        return word in self.words or (bool(self.beginnings) and str(word).startswith(self.beginnings))


@dataclass(frozen=True, slots=True)
class MinimumAgeTest:
    """At least so many days past the due date."""

    text: str
    days: int

    def fits(self, facts: Facts) -> bool:
        """Return whether it is as old."""
        return facts.age >= self.days


@dataclass(frozen=True, slots=True)
class Condition:
    """The condition of one rule; ``rule`` names it."""

    rule: str
    tests: tuple[ConditionTest, ...]
    when: Expression | None
    unanswered: UnansweredConditions

    def refusal(self, facts: Facts) -> str:
        """Return what does not fit, empty if everything does. A condition that cannot be answered does not fit."""
        for test in self.tests:
            if not test.fits(facts):
                return test.text
        if self.when is None:
            return ""
        try:
            return "" if self.when.holds(facts) else f"when = {self.when.text}"
        except UnanswerableCondition as error:
            self.unanswered.count(self.rule, str(error))
            return f"when cannot be answered: {error}"

    @property
    def is_empty(self) -> bool:
        """Whether everything fits."""
        return not self.tests and self.when is None


def words_test(key: str, variable: str, words: tuple[str, ...]) -> WordsTest:
    """Return the test that ``key`` writes; a ``*`` at the end of a word stands for anything."""
    return WordsTest(
        f"{key} = {', '.join(words)}",
        VARIABLES[variable],
        frozenset(word for word in words if not word.endswith("*")),
        tuple(word[:-1] for word in words if word.endswith("*")),
    )


_KEYS: Mapping[str, tuple[str, Callable[[object], tuple[str, ...]]]] = {
    "types": ("type", read_types),
    "severities": ("severity", read_severities),
    "sources": ("source", read_patterns),
    "companies": ("company", read_patterns),
    "warehouses": ("warehouse", read_patterns),
    "categories": ("category", read_patterns),
    "customers": ("customer", read_patterns),
    "suppliers": ("supplier", read_patterns),
}
"""Key → variable and reader, the cheap and telling ones first."""


def parse_condition(table: RuleTable, rule: str, unanswered: UnansweredConditions) -> Condition:
    """Take the keys of a condition from ``table``."""
    tests: list[ConditionTest] = []
    for key, (variable, read) in _KEYS.items():
        words = table.take(key, read, ())
        if words:
            tests.append(words_test(key, variable, words))
    days = table.take("min_age", read_days, 0)
    if days:
        tests.append(MinimumAgeTest(f"min_age = {days}", days))
    return Condition(rule, tuple(tests), table.take("when", _read_when, None), unanswered)


def _read_when(value: object) -> Expression | None:
    if not isinstance(value, str):
        raise ValueError("a condition in quotes is expected, an example is 'amount >= 10000 CNY'")
    return parse_expression(value)
