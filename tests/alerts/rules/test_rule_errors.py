"""Wrong documents: each error names its line and reason, all at once."""

from __future__ import annotations

import pytest

from bot.alerts.rules.parser import parse_rules
from bot.alerts.rules.rule_set import AlertRuleContext
from bot.rulefiles.errors import RulesError
from tests.alerts.rules.builders import COMPANY, SHANGHAI
from tests.rows import each_row
from tests.words_in_both import told


def wrong(text: str, company: AlertRuleContext = COMPANY) -> list[str]:
    with pytest.raises(RulesError) as caught:
        parse_rules(text.encode(), company)
    return told(caught.value.problems)


def when(condition: str) -> str:
    return f'[[routes]]\ntypes = ["stock.*"]\nwhen = """{condition}"""\n'


WRONG = [
    # ── keys ──
    ("\n[[route]]\n", "line 2: unknown key 'route'; did you mean 'routes'?"),
    ('[[routes]]\nmin_age = 1\n\n[[routes]]\ntype = "x"\n', "line 5: unknown key 'type'; did you mean 'types'?"),
    ("[default]\nwebhook = 1\n", "line 2: unknown key 'webhook'; there are: to, group_by, wait"),
    ("routes = 5\n", "line 1: routes: is written as tables, [[routes]]"),
    ("[routes]\nto = []\n", "line 1: routes: is written as tables, [[routes]]"),
    ("[[routes]]\n[routes.routes]\nto = []\n", "line 2: routes: is written as tables, [[routes.routes]]"),
    ("[[default]]\nto = []\n", "line 1: default: is written as a table, [default]"),
    ('[windows]\nnight = "22:00"\n', "line 2: night: is written as a table, [windows.night]"),
    # ── values ──
    ('revive = "4 hours"\n', 'line 1: revive: a duration is expected, examples are "30m", "2h", "1d"'),
    ("revive = 4\n", 'line 1: revive: a duration is expected, examples are "30m", "2h", "1d"'),
    ('revive = "400d"\n', 'line 1: revive: longer than a year; an example is "30d"'),
    ('[default]\nrepeat = "1m"\n', "line 2: repeat: shorter than five minutes nobody reads it"),
    ('[[routes]]\ncontinue = "yes"\n', "line 2: continue: true or false is expected, without quotes"),
    ('[[routes]]\ntop_box = "app"\n', "line 2: top_box: true or false is expected, without quotes"),
    ('[[routes]]\nding = "fone"\n', "line 2: ding: 'fone'; did you mean 'phone'?"),
    ("[[routes]]\nding = true\n", "line 2: ding: True; there are: off, app, sms, phone"),
    ("[[routes]]\nmin_age = 7.5\n", "line 2: min_age: a number of days is expected, an example is 7"),
    ("[[routes]]\nwarehouses = []\n", "line 2: warehouses: the list is empty, so that nothing would fit"),
    (
        "[[routes]]\nwarehouses = [1, 2]\n",
        'line 2: warehouses: a list of texts is expected, an example is ["W1", "W2"]',
    ),
    ('[[routes]]\ncustomers = ["*东"]\n', "line 2: customers: '*东': a * stands at the end only"),
    (
        '[[routes]]\ntypes = ["stok.low"]\n',
        "line 2: types: no event has the type 'stok.low'; did you mean 'stock.low'?",
    ),
    ('[[routes]]\ntypes = ["stok.*"]\n', "line 2: types: no event has the type 'stok.*'; did you mean 'stock."),
    ('[[routes]]\nseverities = ["error"]\n', "line 2: severities: no severity 'error'; there are: info, warning, crit"),
    ('[default]\ngroup_by = ["typ"]\n', "line 2: group_by: 'typ' is no variable for this; did you mean 'type'?"),
    # ── places ──
    ('[default]\nto = ["cidX", "finance"]\n', "line 2: to: 'finance' is no place, examples are \"group:cidKp3Lr==\""),
    ('[default]\nto = ["team:x"]\n', "line 2: to: 'team:x' is no place"),
    (
        '[default]\nto = ["role:finanse"]\n',
        "line 2: to: nobody has the role 'finanse' in access.roles; did you mean 'fin",
    ),
    ('[default]\nto = ["role:nobody"]\n', "line 2: to: nobody has the role 'nobody' in access.roles"),
    ('[default]\nto = ["owner"]\n', 'line 2: to: "owner" and rosters alone may reach nobody; add a group'),
    ('[owners]\nW1 = "Shanghai"\n', "line 2: W1: 'Shanghai' is no place"),
    # ── routes ──
    ('[[routes]]\nname = "a/b"\n', "line 2: name: a name has up to 40 characters and no /"),
    (
        '[[routes]]\nname = "a"\nmin_age = 1\n[[routes]]\nname = "a"\n',
        "line 5: name: something else is called 'a' already, an example is name = \"a 2\"",
    ),
    ('[[routes]]\nname = "default"\n', "line 2: name: something else is called 'default' already"),
    ('[[routes]]\nname = "escalation"\n', "line 2: name: something else is called 'escalation' already"),
    ("[[routes]]\nto = []\n[[routes]]\nmin_age = 1\n", "line 3: no event comes here: '1' before it takes everything"),
    ('[[routes]]\nwindow = "work"\n', "line 2: window: no window 'work'; write [windows.workhours] with days"),
    (
        '[windows.day]\nfrom = "09:00"\nto = "17:00"\n[[routes]]\nwindow = "day"\ndigest = ["08:30"]\n',
        "line 6: digest: 08:30 is never inside the window 'day' (09:00-17:00)",
    ),
    ('[[routes]]\ndigest = "08:30"\n', 'line 2: digest: a list of times of day is expected, an example is ["08:30"'),
    ('[[routes]]\ndigest = ["8.30"]\n', 'line 2: digest: a time of day is expected, an example is "08:30"'),
    (
        '[[routes]]\nescalate = [\n  {after = "1h", to = ["role:boss"]},\n  {after = "2h"},\n]\n',
        "line 4: a step of escalation says when and to whom",
    ),
    ('[[routes]]\nescalate = ["2h"]\n', "line 2: escalate: is written as tables"),
    # ── windows ──
    ('[windows.a]\nfrom = "08:30"\n', "line 1: a window has both or neither of from and to"),
    ('[windows.a]\nfrom = "08:30"\nto = "08:30"\n', "line 1: a window has both or neither of from and to"),
    ('[windows.a]\ndays = ["monday"]\n', 'line 2: days: days are "workdays", "restdays", "weekdays" or a list'),
    ('[windows.a]\nzone = "Asia/Peking"\n', "line 2: zone: unknown time zone 'Asia/Peking', an example is"),
    # ── thresholds, inhibitions, silences ──
    ('[[severity]]\nmin_age = 5\nseverity = "bad"\n', "line 3: severity: no severity 'bad'; there are: info, warning"),
    ("[[severity]]\nmin_age = 5\n", 'line 1: severity is missing, an example is severity = "critical"'),
    ('[[severity]]\nseverity = "critical"\n', "line 1: every event would become this severe; write a condition"),
    (
        '[[inhibit]]\nsource = {types = ["stock.out"]}\n',
        'line 1: target: a condition is expected, an example is target = {types = ["stock.out"]}',
    ),
    (
        '[[inhibit]]\nsource = {min_age = 1}\ntarget = {min_age = 2}\nequal = ["ware"]\n',
        "line 4: equal: 'ware' is no variable for this; did you mean 'warehouse'?",
    ),
    ("[[silences]]\nmin_age = 1\n", "line 1: until is missing, an example is until = 2026-10-08T09:00:00"),
    ('[[silences]]\nuntil = "soon"\n', "line 2: until: a date and time is expected"),
    (
        "[[silences]]\nfrom = 2026-10-08\nuntil = 2026-10-01\n",
        "line 3: until: the silence ends before it begins",
    ),
    # ── conditions ──
    ("[[routes]]\nwhen = 5\n", "line 2: when: a condition in quotes is expected"),
    (when(" "), "line 3: when: the condition is empty"),
    (when("type =="), "line 3: when: column 8: mismatched input 'the end'"),
    (when("type = 'x'"), "line 3: when: write == to compare"),
    (when("hour < 5 and workday"), "line 3: when: write && for 'and'"),
    (when("warehous == 'W1'"), "line 3: when: no variable 'warehous'; did you mean 'warehouse'?"),
    (when("type.startswith('x')"), "line 3: when: no function 'startswith'; did you mean 'startsWith'?"),
    (when("double(data.x) > 1.0"), "line 3: when: no function 'double'; there are: all, contains, decimal"),
    (when("amount * 2 > 5"), "line 3: when: amount stands in a comparison with one number"),
    (when("amount > 5 + 5"), "line 3: when: write brackets around 'amount > 5', or compare with one number"),
    (when("!amount > 5"), "line 3: when: write brackets around 'amount > 5'"),
    (when("amount > 10,000"), "line 3: when: column "),
    (when("amount > 1万"), "line 3: when: write brackets around 'amount > 1'"),
    (when("amount > '5'"), "line 3: when: amount stands in a comparison with one number"),
    (when("amount in [5]"), "line 3: when: amount stands in a comparison with one number"),
    (when("quantity > 5 CNY"), "line 3: when: only amount has a currency"),
    (when("amount > null"), "line 3: when: null is compared by == and != only"),
    (when("decimal(title) > 5"), "line 3: when: decimal stands in a comparison with one number"),
    (when("severity >= 'warning'"), "line 3: when: severity has no order for >="),
    (when("_0 == 1"), "line 3: when: '_0': names do not begin with an underscore"),
    (when("subject.matches('(')"), "line 3: when: '(' is no pattern"),
    (when(r"subject.matches('^\\\\w{20}$')"), "line 3: when: '^\\\\w{20}$' costs too much for each event"),
    (when("subject.matches('((a{50}){50})')"), "line 3: when: '((a{50}){50})' costs too much for each event"),
    (when("subject.matches(title)"), "line 3: when: matches takes a pattern that is written out"),
    (
        when("data.a.all(x, data.b.all(y, y == x))"),
        "line 3: when: one loop in a condition (exists, all, filter, map); write several rules",
    ),
    (when("(" * 30 + "true" + ")" * 30), "line 3: when: the condition has more than 20 brackets in each other"),
    (when("true || " * 200 + "true"), "line 3: when: the condition has 1604 characters, 1000 are allowed"),
]


@each_row(("text", "said"), WRONG)
def test_says_the_line_and_the_reason(text: str, said: str) -> None:
    found = wrong(text)
    assert len(found) == 1, found
    assert found[0].startswith(said)


def test_all_errors_come_at_once_in_their_order() -> None:
    text = """revive = "soon"

[default]
to = ["nowhere"]

[[routes]]
name = "a"
typs = ["stock.*"]
when = "amount >"

[[routes.routes]]
wait = 5
escalate = [{after = "never", to = ["x"]}]

[[silences]]
places = ["y"]
"""
    assert [line.partition(":")[0] for line in wrong(text)] == [
        *("line 1", "line 4", "line 8", "line 9", "line 12"),
        *("line 13", "line 13", "line 15", "line 16"),
    ]


def test_errors_are_single_lines_whatever_keys_are_called() -> None:
    text = '[owners]\n"a\\nb" = 5\n[windows]\n"c\\nd" = 5\n"' + "x" * 500 + '" = 5\n'
    found = wrong(text)
    assert [line.partition(":")[0] for line in found] == ["line 2", "line 4", "line 5"]
    assert all("\n" not in line and len(line) < 250 for line in found)


def test_no_default_and_no_default_groups() -> None:
    nobody = AlertRuleContext(zone=SHANGHAI)
    assert wrong("default = true\n", nobody)[0].startswith("line 1: what no route takes goes nowhere: write [default]")
    parse_rules(b"[default]\nto = []\n", nobody)


def test_routes_may_not_lie_too_deep() -> None:
    text = "".join(f"[[{'.'.join(['routes'] * depth)}]]\nmin_age = {depth}\n" for depth in range(1, 12))
    assert wrong(text) == ["line 17: routes lie more than 8 deep in each other"]
