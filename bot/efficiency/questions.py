"""How often which questions are asked: counts, which keep nobody's name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from bot.efficiency.folding import Folded, fold


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionHour:
    """How many people asked the same line by hand in an hour of a day, and how often."""

    day: date
    hour: int
    line: str
    number: int
    people: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionCount:
    """How often a command was asked in a month, by a department: its id, empty if it is not known.

    ``people`` is the most of one day: at least so many asked.
    """

    command: str
    department: str
    number: int
    people: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadSentence:
    """A sentence that was not understood, in its general form: how often, by how many people, in how many weeks."""

    text: str
    number: int
    people: int
    weeks: int


def fold_questions(counts: Iterable[QuestionCount]) -> Folded[QuestionCount]:
    """Fold the departments of one command, or commands, that few people asked; the reader may be one of them."""
    return fold(counts, lambda some: max((count.people for count in some), default=0) - 1)


def sum_up(counts: Sequence[QuestionCount]) -> QuestionCount:
    """Return the departments of one command as one: each person counts for one of them."""
    return QuestionCount(
        command=counts[0].command,
        department="",
        number=sum(count.number for count in counts),
        people=sum(count.people for count in counts),
    )


def sum_up_commands(counts: Iterable[QuestionCount]) -> dict[str, QuestionCount]:
    """Return the sum of each command."""
    by_command: dict[str, list[QuestionCount]] = {}
    for count in counts:
        by_command.setdefault(count.command, []).append(count)
    return {command: sum_up(of) for command, of in by_command.items()}
