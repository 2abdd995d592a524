"""What is late, where nobody says what: the asker's work says it, or a choice asks."""

from __future__ import annotations

from dataclasses import replace

from bot.access.people import Person
from bot.chat.questions.reading import of_work
from bot.chat.questions.work import kept_on_time, work_of
from bot.chat.registry import Commands
from bot.understanding.grammar import Grammar
from tests.rows import each_row

EVERYTHING = ("/order late", "/delivery late", "/po late", "/mo late", "/invoice overdue", "/bill overdue")


def lines_for(sentence: str, roles: set[str], grammar: Grammar, usable: set[str] | None = None) -> tuple[str, ...]:
    reading = grammar.read(sentence)
    assert reading is not None
    assert reading.by_work
    person = Person(user_id="u1", name="王磊", roles=frozenset(roles))
    own = kept_on_time(work_of(person.roles, person.department_names))
    narrowed = of_work(reading, grammar.commands, own, usable or set(grammar.commands))
    assert narrowed.unsure is (len(narrowed.alternatives) > 0)
    return (narrowed.line, *narrowed.alternatives)


@each_row("sentence", ["what is late", "有什么逾期的", "哪些晚了"])
@each_row(
    ("roles", "lines"),
    [
        ({"sales"}, ("/order late", "/invoice overdue")),
        ({"采购"}, ("/po late",)),
        ({"warehouse"}, ("/delivery late", "/po late")),
        ({"planner"}, ("/mo late",)),
        ({"finance"}, ("/invoice overdue",)),
        ({"boss"}, EVERYTHING),
        (set[str](), EVERYTHING),
        ({"采购", "planner"}, ("/po late", "/mo late")),
    ],
)
def test_what_is_late_depends_on_the_work(
    sentence: str, roles: set[str], lines: tuple[str, ...], grammar: Grammar
) -> None:
    assert lines_for(sentence, roles, grammar) == lines


def test_what_is_due_depends_on_the_work_as_well(grammar: Grammar) -> None:
    assert lines_for("快到期的有哪些", {"finance"}, grammar) == ("/invoice open 7天内到期",)
    assert lines_for("本周到期的", {"planner"}, grammar) == ("/mo 本周到期",)
    assert lines_for("what is due today", {"buyer"}, grammar) == ("/po open due today",)


def test_a_file_of_it_too(grammar: Grammar) -> None:
    assert lines_for("导出逾期的", {"buyer"}, grammar) == ("/export po late",)


def test_nothing_is_offered_that_the_asker_may_not_use(grammar: Grammar) -> None:
    assert lines_for("逾期的", {"boss"}, grammar, {"order", "mo"}) == ("/order late", "/mo late")
    assert lines_for("逾期的", {"warehouse"}, grammar, {"delivery"}) == ("/delivery late",)
    assert lines_for("逾期的", {"warehouse"}, grammar, {"order"}) == ("/order late",)


def test_who_may_use_none_of_it_is_told_so(grammar: Grammar, commands: Commands) -> None:
    reading = grammar.read("逾期的")
    assert reading is not None
    assert of_work(reading, commands, (), ()) == replace(reading)


@each_row("sentence", ["逾期的发票", "谁逾期了", "哪些单子晚了", "生产延期的有哪些", "我的延期订单"])
def test_what_is_said_needs_no_choice(sentence: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert not reading.by_work
