"""What is about few people is not shown, and cannot be found out by subtracting what is shown."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from bot.efficiency.figures import DividedBy, divide, divide_decisions
from bot.efficiency.folding import LEAST, Division, fold_divisions, people_besides
from bot.efficiency.questions import QuestionCount, fold_questions
from bot.efficiency.waits import DecisionWait
from tests.efficiency.year import SHANGHAI, attack, crowd, decided
from tests.rows import each_row

READER = "reader"


def shown_parts(waits: Sequence[DecisionWait]) -> list[list[DecisionWait]]:
    """Return the decisions behind each figure that is shown: all of them, each group, and what is together."""
    divisions = fold_divisions(waits, list(divide_decisions(waits, SHANGHAI).values()), READER)
    whole = [list(waits)] if people_besides(waits, READER) >= LEAST else []
    parts = [[*part] for division in divisions for part in (*division.groups.values(), division.together) if part]
    return whole + parts


@each_row(
    "levels, shown, together",
    [
        ([6, 7], {1, 2}, 0),
        ([6, 7, 2], {2}, 8),  # two people alone would be told of by the difference, so the next smallest goes with them
        ([6, 3, 3], {1}, 6),
        ([4, 9], set(), 13),
        ([4], set(), 0),
    ],
)
def test_small_groups_are_put_together_with_others(levels: list[int], shown: set[int], together: int) -> None:
    waits = [wait for level, count in enumerate(levels, 1) for wait in crowd(count, f"l{level}-", level=level)]
    (division,) = fold_divisions(waits, [divide(waits, lambda wait: wait.level)], READER)
    assert set(division.groups) == shown
    assert len(division.together) == together
    assert division.folded == (shown != set(range(1, len(levels) + 1)))


def test_the_reader_does_not_count_since_they_know_their_own() -> None:
    waits = [*crowd(4), decided(READER)]
    assert shown_parts(waits) == []
    assert shown_parts([*waits, decided("p5")]) != []


def test_decisions_in_the_erp_hide_nobody() -> None:
    assert shown_parts([*crowd(4), decided(""), decided("")]) == []


def test_a_group_of_another_division_does_not_tell_of_the_few_that_it_lacks() -> None:
    """All decisions of one rule but those of one person are of one level, and that person has a level with others."""
    waits = [
        *crowd(7, "a", rule="small", level=1),
        decided("boss", 40, rule="small", level=2),
        *crowd(6, "b", rule="large", level=2),
    ]
    parts = [{id(wait) for wait in part} for part in shown_parts(waits)]
    assert {id(wait) for wait in waits[:7]} not in parts or {id(wait) for wait in waits[:8]} not in parts


def test_groups_added_up_do_not_tell_of_the_few_that_they_lack() -> None:
    """One rule has all decisions of two levels, and those of one person at the third, which others decide as well."""
    waits = [
        *crowd(6, "a", rule="small", level=1),
        *crowd(6, "b", rule="small", level=2),
        decided("boss", 40, rule="small", level=3),
        *crowd(6, "c", rule="large", level=3),
        *crowd(6, "d", rule="large", level=4),
    ]
    levels, rules = (divide(waits, name) for name in (lambda wait: wait.level, lambda wait: wait.rule))
    by_level, by_rule = fold_divisions(waits, [levels, rules], READER)
    assert (set(by_level.groups), by_rule.groups) == ({1, 2, 3, 4}, {})


def test_figures_of_three_divisions_do_not_tell_of_a_few_together() -> None:
    """Level 1 and the card are each of many, and together the rule, but for what one person did."""
    waits = [
        *crowd(6, "a", level=1, way="page", rule="small"),
        *crowd(6, "b", level=2, way="card", rule="small"),
        *crowd(6, "c", level=2, way="page", rule="large"),
        decided("boss", level=2, way="page", rule="small"),
    ]
    names = (lambda wait: wait.level, lambda wait: wait.way, lambda wait: wait.rule)
    shown = fold_divisions(waits, [divide(waits, name) for name in names], READER)
    assert [bool(division.groups) for division in shown] == [True, True, False]


waits = st.lists(
    st.builds(
        decided,
        st.sampled_from([READER, "", *"abcdefghijklm"]),
        st.integers(1, 50),
        level=st.integers(1, 3),
        rule=st.sampled_from(["small", "large"]),
        size=st.integers(0, 2),
        way=st.sampled_from(["card", "page"]),
    ),
    max_size=60,
)


@given(waits)
def test_no_two_figures_differ_by_what_a_few_people_did(waits: list[DecisionWait]) -> None:
    parts = shown_parts(waits)
    assert all(people_besides(part, READER) >= LEAST for part in parts)
    for one, other in combinations(parts, 2):
        less, more = sorted(({id(wait): wait for wait in part} for part in (one, other)), key=len)
        rest = [wait for key, wait in more.items() if key not in less]
        if less.keys() <= more.keys() and rest:
            assert people_besides(rest, READER) >= LEAST


few_people = st.lists(
    st.builds(
        decided,
        st.sampled_from([READER, "", *"abcdefg"]),
        level=st.integers(1, 2),
        rule=st.sampled_from(["small", "large"]),
        way=st.sampled_from(["card", "page"]),
        kind=st.sampled_from(["po", "order"]),
    ),
    min_size=12,
    max_size=40,
)


@given(few_people)
def test_no_sum_of_figures_is_about_a_few_people(waits: list[DecisionWait]) -> None:
    assert not attack(shown_parts(waits), READER)


def test_the_attack_finds_what_it_looks_for() -> None:
    one, two = crowd(6, "a"), crowd(6, "b")
    assert not attack([one, two, one + two], READER)
    assert attack([one, two, [*one, *two, decided("boss")]], READER)


@given(waits)
def test_the_total_without_all_shown_groups_of_a_division_is_of_many_or_none(waits: list[DecisionWait]) -> None:
    for division in fold_divisions(waits, list(divide_decisions(waits, SHANGHAI).values()), READER):
        shown = {id(wait) for part in division.groups.values() for wait in part}
        rest = [wait for wait in waits if id(wait) not in shown]
        assert not shown or not rest or people_besides(rest, READER) >= LEAST


def test_nothing_is_folded_where_all_groups_are_large() -> None:
    waits = crowd(6, level=1) + crowd(6, level=2)
    levels: Division[DecisionWait] = divide_decisions(waits, SHANGHAI)[DividedBy.LEVEL]
    (shown,) = fold_divisions(waits, [levels], READER)
    assert (set(shown.groups), shown.together, shown.folded) == ({1, 2}, [], False)


@each_row(
    "people, shown, together",
    [([9, 8], 2, 0), ([9, 5], 0, 2), ([9, 8, 3, 3], 1, 3), ([3], 0, 0)],
)
def test_departments_of_which_few_asked_are_put_together(people: list[int], shown: int, together: int) -> None:
    """How many people several departments are together is not kept: the largest of them is sure."""
    counts = [
        QuestionCount(command="stock", department=str(number), number=10, people=count)
        for number, count in enumerate(people)
    ]
    folded = fold_questions(counts)
    assert (len(folded.shown), len(folded.together)) == (shown, together)
