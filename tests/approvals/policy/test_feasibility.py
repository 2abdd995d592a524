"""Plans that nobody could complete."""

from __future__ import annotations

from bot.approvals.plan import ApprovalLevel, Quorum
from bot.approvals.policy.feasibility import blocked_level
from tests.rows import each_row


def levels(text: str) -> list[ApprovalLevel]:
    """Return levels written as ``a|b a&b``: any of some, then all of some."""
    return [
        ApprovalLevel(
            number=number,
            quorum=Quorum.ALL if "&" in word else Quorum.ANY,
            approvers=tuple(one for one in word.replace("&", "|").split("|") if one),
            excluded={},
        )
        for number, word in enumerate(text.split(), 1)
    ]


@each_row(
    ("plan", "unable", "blocked"),
    [
        ("a", "", 0),
        ("a", "a", 1),
        ("|", "", 1),
        ("&", "", 1),
        ("a|b", "a", 0),
        ("a|b", "ab", 1),
        ("a&b", "", 0),
        ("a&b", "b", 1),
        ("a b", "", 0),
        ("a a", "", 2),
        ("a|b a", "", 0),
        ("a a|b", "", 0),
        ("a|b a|b", "", 0),
        ("a|b a|b a|b", "", 3),
        ("a|b b|c c|a a|b|c", "", 4),
        ("a|b b|c c|d d|a", "", 0),
        ("a|b a&c", "", 0),
        ("a a&c", "", 2),
        ("a&b b&c", "", 2),
        ("a&b c|a", "", 0),
        ("a&b c|a", "c", 2),
        ("a|b a|b|c b", "c", 3),
        ("a|b b c", "b", 2),
    ],
)
def test_the_first_level_that_cannot_be_passed(plan: str, unable: str, blocked: int) -> None:
    steps = levels(plan)
    able = {level.number: [one for one in level.approvers if one not in unable] for level in steps}
    assert blocked_level(steps, able) == blocked
