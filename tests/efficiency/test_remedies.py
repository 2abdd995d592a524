"""Remedies: the smallest change of a rule file, which keeps all that its company wrote, and is valid."""

from __future__ import annotations

from datetime import UTC
from difflib import ndiff

from bot.alerts.rules.parser import parse_rules
from bot.alerts.rules.rule_set import AlertRuleContext
from bot.approvals.policy.loader import read_policy
from bot.bootstrap.remedies import quieten, raise_limit
from tests.rows import each_row

APPROVALS = """# Who decides

[[rules]]
name = "machines"                     # others decide these
categories = ["machines"]
amount = "from 50000 CNY"
levels = [{any = ["person:cfo01"]}]

[[rules]]
name = "small"                        # the buyers alone
amount = "from 5000 to below 50000 CNY"   # as agreed in May
levels = [{any = ["role:purchasing"]}]

[[rules]]
name = 'large'
amount = 'from  50000 CNY'
levels = [
    {any = ["role:purchasing"]},      # first these
    {all = ["person:boss01"]},
]

[[rules]]
name = "small sales"
kinds = ["order"]
amount = "below 50000 CNY"
levels = [{any = ["role:purchasing"]}]

[[rules]]
name = "all else"
levels = [{any = ["role:purchasing"]}]
"""

ALERTS = """# Where alerts go
[default]
to = ["group:cidAll000000000000000000=="]

[[routes]]
name = "stock"     # the warehouse
types = ["stock.low"]
to = ["group:cidStore0000000000000000=="]

[[routes]]
name = "money"
types = ["invoice.*"]
when = "amount >= 1000 CNY && 50 > quantity"

[[routes.routes]]
name = "old"
min_age = 10       # days

[[routes]]
name = "odd"
when = "!(amount < 100 CNY)"
digest = ["17:00"]

[[inhibit]]
source = {types = ["stock.out"]}
target = {types = ["stock.low"]}
"""


def _changed(before: str, after: str) -> list[str]:
    return [line for line in ndiff(before.splitlines(), after.splitlines()) if line[0] in "+-" and line[2:].strip()]


@each_row(
    "rule, changed",
    [
        (
            "large",
            [
                '- amount = "from 5000 to below 50000 CNY"   # as agreed in May',
                '+ amount = "from 5000 to below 80000 CNY"   # as agreed in May',
                "- amount = 'from  50000 CNY'",
                '+ amount = "from 80000 CNY"',
            ],
        ),
        ("machines", ['- amount = "from 50000 CNY"', '+ amount = "from 80000 CNY"']),
        (
            "small",
            [
                '- amount = "from 5000 to below 50000 CNY"   # as agreed in May',
                '+ amount = "from 8000 to below 50000 CNY"   # as agreed in May',
            ],
        ),
    ],
)
def test_a_limit_is_raised_where_two_rules_meet(rule: str, changed: list[str]) -> None:
    edit = raise_limit(APPROVALS, rule)
    assert edit is not None
    assert _changed(APPROVALS, edit.text) == changed
    read_policy(edit.text.encode(), UTC)


@each_row(
    "text, rule",
    [
        (APPROVALS, "all else"),
        (APPROVALS, "none of them"),
        ("", "large"),
        (APPROVALS.replace("to below 50000", "to below 7000"), "small"),
    ],
)
def test_no_limit_is_raised_where_none_is_said_or_nothing_would_be_left_of_the_rule(text: str, rule: str) -> None:
    assert raise_limit(text, rule) is None


@each_row(
    "rule, first, second",
    [
        (
            "stock",
            ["[[routes.routes]]", 'when = "quantity >= decimal(data.reorder_point) * 0.7"'],
            ['digest = ["09:00"]'],
        ),
        (
            "money",
            ["[[routes.routes]]", 'when = "amount < 1500 CNY"'],
            ["[[routes.routes]]", 'when = "quantity >= 35"'],
        ),
        ("money/old", ["[[routes.routes.routes]]", 'when = "age < 15"'], ['digest = ["09:00"]']),
        ("default", ['digest = ["09:00"]'], None),
        ("odd", None, None),
        ("gone", None, None),
        ("stock/gone", None, None),
    ],
)
def test_a_rule_is_made_quieter_by_what_it_says(rule: str, first: list[str] | None, second: list[str] | None) -> None:
    edits = list(quieten(ALERTS, rule))
    for wanted, edit in zip([first, second], [*edits, None, None], strict=False):
        assert (wanted is None) == (edit is None)
        if wanted is None or edit is None:
            continue
        changed = _changed(ALERTS, edit.text)
        assert all(line.startswith("+ ") for line in changed)
        assert {line[2:] for line in changed} >= set(wanted)
        parse_rules(edit.text.encode(), AlertRuleContext(zone=UTC))
