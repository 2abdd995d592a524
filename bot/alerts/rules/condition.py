"""What a rule asks of an event: every one of its keys has to fit, ``when`` comes last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bot.alerts.rules.expression import Expression, Unanswerable
from bot.alerts.rules.facts import VARIABLES, Facts
from bot.alerts.rules.unanswered import Unanswered


class Test(Protocol):
    """One key of a condition."""

    @property
    def text(self) -> str:
        """How it is written."""
        ...

    def fits(self, facts: Facts) -> bool:
        """Return whether the event fits."""
        ...


@dataclass(frozen=True, slots=True)
class Words:
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
class Age:
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
    tests: tuple[Test, ...]
    when: Expression | None
    unanswered: Unanswered

    def refusal(self, facts: Facts) -> str:
        """Return what does not fit, empty if everything does. A condition that cannot be answered does not fit."""
        for test in self.tests:
            if not test.fits(facts):
                return test.text
        if self.when is None:
            return ""
        try:
            return "" if self.when.holds(facts) else f"when = {self.when.text}"
        except Unanswerable as error:
            self.unanswered.count(self.rule, str(error))
            return f"when cannot be answered: {error}"

    @property
    def is_empty(self) -> bool:
        """Whether everything fits."""
        return not self.tests and self.when is None


def words_test(key: str, variable: str, words: tuple[str, ...]) -> Words:
    """Return the test that ``key`` writes; a ``*`` at the end of a word stands for anything."""
    return Words(
        f"{key} = {', '.join(words)}",
        VARIABLES[variable],
        frozenset(word for word in words if not word.endswith("*")),
        tuple(word[:-1] for word in words if word.endswith("*")),
    )
