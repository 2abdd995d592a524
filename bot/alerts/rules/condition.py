"""The condition of a rule: all keys must match, ``when`` is tested last, and unanswerable ones are counted."""

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
from bot.words.names import NameKind
from bot.words.phrase import phrase

_log = structlog.get_logger(__name__)
_REASONS = 16
"""How many reasons of one rule are logged; counting continues."""


class UnansweredConditions:
    """Counts of conditions that could not be evaluated, for one rule set."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._logged: dict[str, set[str]] = {}

    @property
    def counts(self) -> Mapping[str, int]:
        """The counts by rule."""
        return dict(self._counts)

    def count(self, rule: str, reason: str) -> None:
        """Count one event; each new reason is logged once."""
        self._counts[rule] += 1
        logged = self._logged.setdefault(rule, set())
        if reason not in logged and len(logged) < _REASONS:
            logged.add(reason)
            _log.warning("condition cannot be answered", rule=rule, reason=reason)


class ConditionTest(Protocol):
    """One key of a condition."""

    @property
    def text(self) -> str:
        """The test as written."""
        ...

    def fits(self, facts: Facts) -> bool:
        """Return whether the event matches."""
        ...


@dataclass(frozen=True, slots=True)
class WordsTest:
    """Matches if the event's word is one of these, or begins with one of these (``stock.*``)."""

    text: str
    value: Callable[[Facts], object]
    words: frozenset[str]
    beginnings: tuple[str, ...]

    def fits(self, facts: Facts) -> bool:
        """Return whether the event's word matches."""
        word = self.value(facts)
        return word in self.words or (bool(self.beginnings) and str(word).startswith(self.beginnings))


@dataclass(frozen=True, slots=True)
class MinimumAgeTest:
    """Matches if the event is at least this many days past its due date."""

    text: str
    days: int

    def fits(self, facts: Facts) -> bool:
        """Return whether it is old enough."""
        return facts.age >= self.days


@dataclass(frozen=True, slots=True)
class Condition:
    """The condition of one rule; ``rule`` names it."""

    rule: str
    tests: tuple[ConditionTest, ...]
    when: Expression | None
    unanswered: UnansweredConditions

    def refusal(self, facts: Facts) -> str:
        """Return the first failing test; empty if all match. An unanswerable condition fails."""
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
        """Whether every event matches."""
        return not self.tests and self.when is None


def words_test(key: str, variable: str, words: tuple[str, ...]) -> WordsTest:
    """Return the test for ``key``; a trailing ``*`` in a word matches anything."""
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
"""Key → variable and reader, the most selective ones first."""


def parse_condition(table: RuleTable, rule: str, unanswered: UnansweredConditions) -> Condition:
    """Take the keys of a condition from ``table``."""
    tests: list[ConditionTest] = []
    for key, (variable, read) in _KEYS.items():
        words = table.take(key, read, ())
        if key == "sources":
            table.refer(key, NameKind.EVENT_SOURCE, words)
        if words:
            tests.append(words_test(key, variable, words))
    days = table.take("min_age", read_days, 0)
    if days:
        tests.append(MinimumAgeTest(f"min_age = {days}", days))
    return Condition(rule, tuple(tests), table.take("when", _read_when, None), unanswered)


def _read_when(value: object) -> Expression | None:
    if not isinstance(value, str):
        raise ValueError(phrase("a condition in quotes is expected, an example is 'amount >= 10000 CNY'"))
    return parse_expression(value)
