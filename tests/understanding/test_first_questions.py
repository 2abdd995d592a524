"""The questions that the bot proposes: each is understood as it stands, and they fit what somebody does."""

from __future__ import annotations

from datetime import date

import pytest

from bot.access.people import Person
from bot.cards.language import load_languages
from bot.chat.days import read_days
from bot.chat.questions.first_questions import SHOWN, first_questions
from bot.chat.registry import Commands
from bot.understanding.grammar import Grammar
from tests.rows import each_row

TODAY = date(2026, 11, 4)
WORK = {
    "warehouse": ("arrivals", "delivery", "shortage"),
    "仓管": ("arrivals", "delivery", "shortage"),
    "sales": ("order", "order", "invoice"),
    "采购": ("po", "shortage", "arrivals"),
    "finance": ("invoice", "bill", "report"),
    "planner": ("mo", "shortage", "arrivals"),
    "boss": ("pending", "report", "order"),
    "approver": ("pending", "report", "order"),
}


def lines_of(person: Person, usable: set[str]) -> tuple[str, ...]:
    return tuple(each.line for each in first_questions(person.roles, person.department_names, usable))


def names_of(lines: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(line.removeprefix("/").split()[0] for line in lines)


@each_row("role", WORK)
def test_they_fit_the_role(role: str, commands: Commands) -> None:
    lines = lines_of(Person(user_id="u1", name="王仓", roles=frozenset({role})), set(commands))
    assert names_of(lines) == WORK[role]
    assert len(set(lines)) == SHOWN


def test_a_department_counts_where_no_role_tells_anything(commands: Commands) -> None:
    person = Person(user_id="u1", name="吴敏", roles=frozenset({"it"}), department_names=frozenset({"财务部"}))
    assert names_of(lines_of(person, set(commands))) == WORK["finance"]


def test_nothing_is_proposed_that_the_person_may_not_ask(commands: Commands) -> None:
    person = Person(user_id="u1", name="王仓", roles=frozenset({"warehouse"}))
    assert names_of(lines_of(person, set(commands) - {"arrivals", "delivery"})) == ("shortage", "order", "invoice")
    assert lines_of(person, set()) == ()


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_each_is_understood_as_it_stands(language: str, grammar: Grammar, commands: Commands) -> None:
    say = load_languages()[language].say
    questions = {(each.line, say(each.label)) for role in WORK for each in first_questions({role}, (), set(commands))}
    assert len(questions) > 8
    for line, sentence in questions:
        reading = grammar.read(sentence)
        assert reading is not None, sentence
        assert not reading.unsure, sentence
        assert meaning(reading.line) == meaning(line), sentence


def meaning(line: str) -> tuple[str, object]:
    """Return a line's command, and the days or the list that follow."""
    name, _, rest = line.removeprefix("/").partition(" ")
    days = read_days(rest, TODAY)
    if name == "report":
        return name, rest in {"month", "this month", "这个月"}
    return name, days.period if days else rest
