"""The sentences about wrong rules, whole: what to write instead stands at their ends."""

from __future__ import annotations

from bot.alerts.rules.rule_set import AlertRuleContext
from tests.alerts.rules.builders import SHANGHAI
from tests.alerts.rules.test_rule_errors import when, wrong
from tests.rows import each_row

FIGURE = "an example is amount >= 10000.50 CNY"
BRACKETS = f"or compare with one number: {FIGURE}"
MATCHES = "an example is subject.matches('^A[0-9]+$')"
PLACES = 'examples are "group:cidKp3Lr==", "person:manager01", "role:finance", "owner"'
WINDOW = 'a window has both or neither of from and to, an example is from = "08:30", to = "17:30"'
NAME = 'a name has up to 40 characters and no /, an example is "finance"'
DAYS = 'days: days are "workdays", "restdays", "weekdays" or a list such as ["mon", "sat"]'
TIME = 'a time of day is expected, an example is "08:30"'

WHOLE = [
    (
        '[default]\nrepeat = "1m"\n',
        'line 2: repeat: shorter than five minutes nobody reads it; examples are "1d", "never"',
    ),
    ('[default]\nrepeat = "299s"\n', 'line 2: repeat: a duration is expected, examples are "30m", "2h", "1d"'),
    (
        '[[routes]]\ncustomers = ["*东"]\n',
        "line 2: customers: '*东': a * stands at the end only, an example is \"stock.*\"",
    ),
    ('[[routes]]\ntypes = ["stok.*"]\n', "line 2: types: no event has the type 'stok.*'; did you mean 'stock.low'?"),
    ('[[routes]]\ntypes = ["stock."]\n', "line 2: types: no event has the type 'stock.'; did you mean 'stock.low'?"),
    (
        '[[routes]]\nseverities = ["error"]\n',
        "line 2: severities: no severity 'error'; there are: info, warning, critical",
    ),
    (
        f'[[severity]]\nmin_age = 1\nseverity = "{"x" * 60}"\n',
        f"line 3: severity: no severity '{'x' * 39}; there are: info, warning, critical",
    ),
    ("[[routes]]\nmin_age = 0\n", "line 2: min_age: a number of days is expected, an example is 7"),
    ("[[routes]]\nmin_age = 10001\n", "line 2: min_age: a number of days is expected, an example is 7"),
    ("[[routes]]\nmin_age = true\n", "line 2: min_age: a number of days is expected, an example is 7"),
    ('[default]\ngroup_by = ["typ"]\n', "line 2: group_by: 'typ' is no variable for this; did you mean 'type'?"),
    ('[default]\nto = ["cidX", "finance"]\n', f"line 2: to: 'finance' is no place, {PLACES}"),
    (f'[owners]\nW1 = "{"x" * 60}"\n', f"line 2: W1: '{'x' * 40}' is no place, {PLACES}"),
    (
        '[default]\nto = ["role:finanse"]\n',
        "line 2: to: nobody has the role 'finanse' in access.roles; did you mean 'finance'?",
    ),
    ('[[routes]]\nname = "a/b"\n', f"line 2: name: {NAME}"),
    (f'[[routes]]\nname = "{"x" * 41}"\n', f"line 2: name: {NAME}"),
    ('[[routes]]\nname = "a\\u200b"\n', f"line 2: name: {NAME}"),
    (
        '[[routes]]\nname = "default"\n',
        "line 2: name: something else is called 'default' already, an example is name = \"default 2\"",
    ),
    (
        '[[routes]]\nname = "a"\n[[routes.routes]]\nname = "b"\nmin_age = 1\n[[routes.routes]]\nname = "b"\n',
        "line 7: name: something else is called 'a/b' already, an example is name = \"b 2\"",
    ),
    (
        "[[routes]]\nto = []\n[[routes]]\nmin_age = 1\n",
        "line 3: no event comes here: '1' before it takes everything; put it last",
    ),
    (
        '[[routes]]\nwindow = "work"\n',
        "line 2: window: no window 'work'; write [windows.workhours] with"
        ' days = "workdays", from = "08:30", to = "17:30"',
    ),
    (
        '[windows.work]\n[[routes]]\nwindow = "wort"\n',
        "line 3: window: no window 'wort'; did you mean 'work'?",
    ),
    (
        '[windows.day]\nfrom = "09:00"\nto = "17:00"\n[[routes]]\ndigest = ["17:00"]\n'
        '[[routes.routes]]\nwindow = "day"\n',
        "line 7: digest: 17:00 is never inside the window 'day' (09:00-17:00)",
    ),
    (
        '[[routes]]\ndigest = "08:30"\n',
        'line 2: digest: a list of times of day is expected, an example is ["08:30", "17:00"]',
    ),
    ('[[routes]]\ndigest = ["24:00"]\n', f"line 2: digest: {TIME}"),
    ('[[routes]]\ndigest = ["12:60"]\n', f"line 2: digest: {TIME}"),
    ("[[routes]]\ndigest = [12]\n", f"line 2: digest: {TIME}"),
    (
        '[[routes]]\nescalate = [\n  {after = "1h", to = ["role:boss"]},\n  {to = ["role:boss"]},\n]\n',
        'line 4: a step of escalation says when and to whom: {after = "30m", to = ["role:finance"]}',
    ),
    ('[windows.a]\nfrom = "08:30"\n', f"line 1: {WINDOW}"),
    ('[windows.a]\nto = "08:30"\n', f"line 1: {WINDOW}"),
    ('[windows.a]\nfrom = "08:30"\nto = "8:30"\n', f"line 1: {WINDOW}"),
    ('[windows.a]\ndays = ["monday"]\n', f"line 2: {DAYS}"),
    ("[windows.a]\ndays = []\n", f"line 2: {DAYS}"),
    (
        '[windows.a]\nzone = "Asia/Peking"\n',
        "line 2: zone: unknown time zone 'Asia/Peking', an example is \"Asia/Shanghai\"",
    ),
    (
        f'[windows.a]\nzone = "{"x" * 60}"\n',
        f'line 2: zone: unknown time zone \'{"x" * 39}, an example is "Asia/Shanghai"',
    ),
    (
        '[[severity]]\nseverity = "critical"\n',
        "line 1: every event would become this severe; write a condition, an example is min_age = 30",
    ),
    (
        "[[inhibit]]\ntarget = {min_age = 1}\n",
        'line 1: source: a condition is expected, an example is source = {types = ["stock.out"]}',
    ),
    ("[[silences]]\nfrom = 2026-10-01\nuntil = 2026-10-01\n", "line 3: until: the silence ends before it begins"),
    ("[[routes]]\nwhen = 5\n", "line 2: when: a condition in quotes is expected, an example is 'amount >= 10000 CNY'"),
    (when(" "), "line 3: when: the condition is empty, an example is \"severity == 'critical'\""),
    (
        when("type =="),
        "line 3: when: column 8: mismatched input 'the end'; an example is \"type == 'stock.low' && hour < 18\"",
    ),
    (
        when("type ==\\n  == 5"),
        "line 3: when: line 2 of the text, column 3: extraneous input '=='; an example is"
        " \"type == 'stock.low' && hour < 18\"",
    ),
    (when("type = 'x'"), "line 3: when: write == to compare, an example is \"warehouse == 'W1'\""),
    (when("hour < 5 or workday"), "line 3: when: write || for 'or'"),
    (when("not workday"), "line 3: when: write ! for 'not'"),
    (when("warehous == 'W1'"), "line 3: when: no variable 'warehous'; did you mean 'warehouse'?"),
    (when("amount * 2 > 5"), f"line 3: when: amount stands in a comparison with one number, {FIGURE}"),
    (when("quantity"), f"line 3: when: quantity stands in a comparison with one number, {FIGURE}"),
    (when("amount > 5 + 5"), f"line 3: when: write brackets around 'amount > 5', {BRACKETS}"),
    (when("5 + 5 > amount"), f"line 3: when: write brackets around '5 > amount', {BRACKETS}"),
    (when("!amount > 5"), f"line 3: when: write brackets around 'amount > 5', {BRACKETS}"),
    (when("quantity > 5 CNY"), f"line 3: when: only amount has a currency, {FIGURE}"),
    (when("5 CNY < decimal(data.x)"), f"line 3: when: only amount has a currency, {FIGURE}"),
    (when("amount > null"), "line 3: when: null is compared by == and != only, an example is amount != null"),
    (when("null <= quantity"), "line 3: when: null is compared by == and != only, an example is amount != null"),
    (
        when("severity >= 'warning'"),
        'line 3: when: severity has no order for >=; write severities = ["warning", "critical"] beside `when`',
    ),
    (
        when("'warning' < severity"),
        'line 3: when: severity has no order for <; write severities = ["warning", "critical"] beside `when`',
    ),
    (when("_0 == 1"), "line 3: when: '_0': names do not begin with an underscore"),
    (when("subject.matches('(')"), f"line 3: when: '(' is no pattern, {MATCHES}"),
    (
        when("subject.matches('((a{50}){50})')"),
        f"line 3: when: '((a{{50}}){{50}})' costs too much for each event, write [a-z0-9] for \\w; {MATCHES}",
    ),
    (when("subject.matches(title)"), f"line 3: when: matches takes a pattern that is written out, {MATCHES}"),
    (when("subject.matches('a' + 'b')"), f"line 3: when: matches takes a pattern that is written out, {MATCHES}"),
    (when("subject.matches()"), f"line 3: when: matches takes a pattern that is written out, {MATCHES}"),
    (
        when("data.a.all(x, data.b.all(y, y == x))"),
        "line 3: when: one loop in a condition (exists, all, filter, map); write several rules",
    ),
    (
        when("(" * 21 + "true" + ")" * 21),
        "line 3: when: the condition has more than 20 brackets in each other; write several rules",
    ),
    (
        when("true".ljust(1001)),
        "line 3: when: the condition has 1001 characters, 1000 are allowed; write several rules",
    ),
]


@each_row(("text", "said"), WHOLE)
def test_says_what_to_write_instead(text: str, said: str) -> None:
    assert wrong(text) == [said]


def test_where_nothing_is_meant_to_go_anywhere_that_is_written() -> None:
    assert wrong("default = true\n", AlertRuleContext(zone=SHANGHAI)) == [
        'line 1: what no route takes goes nowhere: write [default] with to = ["group:cid…"] (to = [] if that is meant),'
        " or set alerts.default_groups"
    ]


def test_a_greedy_route_is_blamed_once_and_only_if_nothing_else_is_wrong_with_it() -> None:
    assert wrong('[[routes]]\ntyps = ["stock.*"]\n[[routes]]\nmin_age = 1\n') == [
        "line 2: unknown key 'typs'; did you mean 'types'?"
    ]
    assert wrong("[[routes]]\n[[routes]]\n[[routes]]\nmin_age = 1\n") == [
        "line 2: no event comes here: '1' before it takes everything; put it last"
    ]


def test_a_step_that_is_wrong_is_not_called_incomplete() -> None:
    assert wrong('[[routes]]\nescalate = [{after = "soon", to = ["role:boss"]}]\n') == [
        'line 2: after: a duration is expected, examples are "30m", "2h", "1d"'
    ]
    assert wrong('[[routes]]\nescalate = [{after = "1h", to = ["role:boss"], then = 1}]\n')[0].startswith(
        "line 2: unknown key 'then'"
    )
