"""Substitutes in a circle."""

from __future__ import annotations

from itertools import product

from bot.approvals.policy.feasibility import find_substitution_loop
from bot.approvals.policy.rules import Substitute
from tests.approvals.policy.test_evaluation import HOUR, stands_in
from tests.rows import each_row


def substitutes(text: str) -> list[Substitute]:
    """Return substitutes written as ``a>b`` (b stands in for a) with hours: ``a>b@0-5``."""
    found = []
    for word in text.split():
        names, _, hours = word.partition("@")
        person, _, by = names.partition(">")
        first, _, last = (hours or "0-1").partition("-")
        found.append(stands_in(by, person, begins=int(first) * HOUR, ends=int(last) * HOUR))
    return found


@each_row(
    ("text", "loop"),
    [
        ("", ()),
        ("a>b", ()),
        ("a>b b>a", (0, 1)),
        ("a>b b>c c>a", (0, 1, 2)),
        ("x>a a>b b>a", (1, 2)),
        ("a>x a>b b>y b>a", (1, 3)),
        ("a>b b>c a>c c>d", ()),
        ("a>b c>d d>e e>c", (1, 2, 3)),
        ("a>b@0-5 b>a@5-9", ()),
        ("a>b@0-5 b>a@4-9", (0, 1)),
        ("a>b@4-9 b>a@0-5", (0, 1)),
        ("a>b@0-9 b>c@1-3 c>a@3-5", ()),
        ("a>b@0-9 b>c@1-4 c>a@3-5", (0, 1, 2)),
    ],
)
def test_circles_at_one_moment(text: str, loop: tuple[int, ...]) -> None:
    assert find_substitution_loop(substitutes(text)) == loop


def test_many_ways_that_lead_nowhere_are_walked_once() -> None:
    layers = [
        stands_in(f"{by}{depth + 1}", f"{person}{depth}", begins=-HOUR, ends=HOUR)
        for depth in range(40)
        for person, by in product("ab", "ab")
    ]
    assert find_substitution_loop(layers) == ()
