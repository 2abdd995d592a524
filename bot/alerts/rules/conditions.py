"""Reads the keys by which a rule says which events it is for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.alerts.rules.condition import Age, Condition, Test, words_test
from bot.alerts.rules.expression import Expression, read_expression
from bot.alerts.rules.unanswered import Unanswered
from bot.alerts.rules.values import read_days, read_patterns, read_severities, read_types
from bot.rulefiles.table import Table

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


def read_condition(table: Table, rule: str, unanswered: Unanswered) -> Condition:
    """Take the keys of a condition from ``table``."""
    tests: list[Test] = []
    for key, (variable, read) in _KEYS.items():
        words = table.take(key, read, ())
        if words:
            tests.append(words_test(key, variable, words))
    days = table.take("min_age", read_days, 0)
    if days:
        tests.append(Age(f"min_age = {days}", days))
    return Condition(rule, tuple(tests), table.take("when", _read_when, None), unanswered)


def _read_when(value: object) -> Expression | None:
    if not isinstance(value, str):
        raise ValueError("a condition in quotes is expected, an example is 'amount >= 10000 CNY'")
    return read_expression(value)
