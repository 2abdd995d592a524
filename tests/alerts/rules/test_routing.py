"""Which event goes where, and why."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from bot.alerts.event import Event
from bot.alerts.routing import Target
from bot.alerts.rules.parser import default_rules
from bot.outbox.delivery import DingWay
from bot.outbox.place import Place
from bot.words.severity import Severity
from tests.alerts.rules.builders import COMPANY, NOW, event, rule_set
from tests.rows import each_row

X = Place.parse("group:cidX")

RULES = """
[default]
to = ["group:cidOffice"]

[owners]
W1 = "group:cidShanghai"
W2 = ["group:cidNingbo", "person:keeper02"]
sales01 = "person:sales01"

[[routes]]
name = "stock"
types = ["stock.*"]
to = ["owner"]

[[routes.routes]]
name = "out"
types = ["stock.out"]
to = ["owner", "person:manager01"]

[[routes]]
name = "audit"
types = ["invoice.*"]
when = "amount >= 100000 CNY"
to = ["role:boss"]
continue = true

[[routes]]
name = "finance"
types = ["invoice.*"]
to = ["role:finance"]

[[routes.routes]]
name = "old"
min_age = 30
to = ["group:cidOld"]
continue = true

[[routes.routes]]
name = "east"
customers = ["华东*"]
to = ["group:cidEast"]

[[routes]]
name = "noise"
types = ["custom.test"]
to = []

[[routes]]
name = "sales"
types = ["order.*"]
severities = ["warning", "critical"]
companies = ["01"]
sources = ["main"]
to = ["owner", "group:cidSales"]
"""


@each_row(
    ("what", "places"),
    [
        # Each warehouse sees its own; the inner route adds the manager.
        (event("stock.low", warehouse="W1"), ["group:cidShanghai"]),
        (event("stock.low", warehouse="W2"), ["group:cidNingbo", "person:keeper02"]),
        (event("stock.out", warehouse="W1"), ["group:cidShanghai", "person:manager01"]),
        # The owner's account goes before the warehouse.
        (event("stock.low", warehouse="W1", owner="sales01"), ["person:sales01"]),
        # Nobody's: to the default places, not to nowhere.
        (event("stock.low", warehouse="W9"), ["group:cidOffice"]),
        (event("stock.out", warehouse="W9"), ["person:manager01"]),
        # `continue`: the boss hears of it besides finance.
        (event("invoice.overdue", amount="99999.99 CNY"), ["person:fin01", "person:fin02"]),
        (event("invoice.overdue", amount="100000 CNY"), ["person:boss01", "person:fin01", "person:fin02"]),
        # Another currency, or no amount at all, is not that much money.
        (event("invoice.overdue", amount="900000 JPY"), ["person:fin01", "person:fin02"]),
        (event("invoice.overdue"), ["person:fin01", "person:fin02"]),
        # Inner routes: both fit, one fits.
        (event("invoice.overdue", due_on="2026-10-25", customer="华东机械"), ["group:cidOld", "group:cidEast"]),
        (event("invoice.overdue", due_on="2026-10-26", customer="华东机械"), ["group:cidEast"]),
        (event("invoice.overdue", due_on="2026-01-01", customer="中华东"), ["group:cidOld"]),
        # All keys of a route have to fit.
        (event("order.late", company="01", owner="sales01"), ["person:sales01", "group:cidSales"]),
        (event("order.late", company="02", owner="sales01"), ["group:cidOffice"]),
        (event("order.late", company="01", source="other"), ["group:cidOffice"]),
        # Explicitly to nobody, and what no route takes.
        (event("custom.test"), []),
        (event("production.late"), ["group:cidOffice"]),
    ],
)
def test_places(what: Event, places: list[str]) -> None:
    routing = rule_set(RULES).route(what, what.severity, NOW)
    assert [str(target.place) for target in routing.targets] == places


def test_severity_after_grading_counts() -> None:
    rules, what = rule_set(RULES), event("order.late", company="01")
    assert rules.route(what, Severity.INFO, NOW).targets[0].route == "default"
    assert rules.route(what, Severity.CRITICAL, NOW).targets[0].route == "sales"


def test_why_has_a_line_for_each_rule_that_was_looked_at() -> None:
    what = event("invoice.overdue", amount="120000 CNY", customer="华东机械")
    assert rule_set(RULES).route(what, what.severity, NOW).why == (
        "stock: no, types = stock.*",
        "audit: yes",
        "finance: yes",
        "finance/old: no, min_age = 30",
        "finance/east: yes",
        "audit: to person:boss01",
        "finance/east: to group:cidEast",
    )


def test_why_says_when_a_place_has_it_already() -> None:
    rules = rule_set(
        '[[routes]]\nname = "a"\nwhen = "hour > 25"\n'
        '[[routes]]\nname = "b"\nto = ["group:cidX"]\ncontinue = true\n'
        '[[routes]]\nname = "c"\nto = ["group:cidX"]\n'
    )
    routing = rules.route(event(), Severity.INFO, NOW)
    assert [target.route for target in routing.targets] == ["b"]
    assert routing.why == (
        "a: no, when = hour > 25",
        "b: yes",
        "c: yes",
        "b: to group:cidX",
        "c: group:cidX has it from b",
    )


def test_why_says_whose_nobody_knows() -> None:
    why = rule_set(RULES).route(event(warehouse="W9", owner="kim"), Severity.INFO, NOW).why
    assert "stock: owner 'kim' of warehouse 'W9' is not in [owners]" in why
    assert rule_set(RULES).route(event("custom.test"), Severity.INFO, NOW).why[-1] == "noise: to nobody"


def test_without_rules_everything_goes_to_the_default_groups() -> None:
    rules = default_rules(COMPANY)
    what = event()
    (target,) = rules.route(what, Severity.INFO, NOW).targets
    assert target == Target(place=Place.parse("group:cidOffice"), route="default", group="stock:main::A1")
    assert rules.shows_at(target, Severity.INFO, NOW) == NOW


TERMS = """
[default]
to = ["group:cidOffice"]
interval = "10m"
repeat = "1d"
group_by = ["type"]

[windows.night]
from = "22:00"
to = "06:00"

[[routes]]
name = "finance"
types = ["invoice.*"]
wait = "2m"
window = "night"
escalate = [{after = "2h", to = ["role:boss"]}, {after = "30m", to = ["owner", "role:finance"]}]

[[routes.routes]]
name = "quick"
severities = ["critical"]
group_by = []
wait = "0m"
repeat = "never"
window = ""
escalate = []

[[routes]]
name = "orders"
types = ["order.*"]
digest = ["17:00", "08:30"]
group_by = ["type", "customer"]
"""


def only(what: Event, severity: Severity = Severity.WARNING) -> Target:
    (target,) = rule_set(TERMS).route(what, severity, NOW).targets
    return target


def test_inner_routes_take_over_what_they_do_not_say() -> None:
    outer = only(event("invoice.overdue"))
    assert (outer.wait, outer.interval, outer.repeat) == (
        timedelta(minutes=2),
        timedelta(minutes=10),
        timedelta(days=1),
    )
    assert outer.group == "finance|type='invoice.overdue'"
    inner = only(event("invoice.overdue"), Severity.CRITICAL)
    assert (inner.wait, inner.interval, inner.repeat, inner.steps) == (timedelta(0), timedelta(minutes=10), None, ())
    assert inner.group == "finance/quick", "an empty group_by: all of the route on one card"


def test_steps_of_escalation_come_in_order_and_without_empty_ones() -> None:
    steps = only(event("invoice.overdue")).steps
    assert [(step.after, [str(place) for place in step.places]) for step in steps] == [
        (timedelta(minutes=30), ["person:fin01", "person:fin02"]),
        (timedelta(hours=2), ["person:boss01"]),
    ]


def test_groups_do_not_run_into_each_other() -> None:
    first = only(event("order.late", customer="A'|customer='B"))
    second = only(event("order.late", customer="A"))
    assert first.group != second.group
    assert second.group == "orders|type='order.late'|customer='A'"


def test_without_group_by_a_digest_gathers_all_and_what_is_critical_stands_alone() -> None:
    rules = rule_set('[[routes]]\nname = "all"\ndigest = ["08:30"]\n')
    what = event()
    assert [rules.route(what, severity, NOW).targets[0].group for severity in Severity] == [
        "all",
        "all",
        "stock:main::A1",
    ]


def test_reasons_are_single_lines() -> None:
    rules = rule_set('[[routes]]\nwhen = """\n  hour < 5 &&\n  workday // at night\n"""\n')
    assert rules.route(event(), Severity.INFO, NOW).why[0] == "1: no, when = hour < 5 && workday // at night"


def test_fifty_rules_cost_little() -> None:
    what = event("invoice.overdue", amount="10000.50 CNY", warehouse="W1")

    def cost(count: int) -> float:
        """Return what so many rules take of the processor, the least of many."""
        routes = (f"[[routes]]\nwhen = \"warehouse == 'X{n}' && amount > {n} CNY\"\n" for n in range(count))
        rules = rule_set("".join(routes))
        costs = []
        for _ in range(20):
            begin = time.thread_time()
            rules.route(what, Severity.WARNING, NOW)
            costs.append(time.thread_time() - begin)
        return min(costs)

    # Measured: 0.1 ms. Each costs the same, however many there are.
    assert cost(50) < 20 * cost(5) + 0.001


def test_an_owner_who_is_in_no_table() -> None:
    rules = rule_set(
        '[owners]\nW1 = "group:cidX"\nnobody = []\n'
        '[[routes]]\nname = "a"\ntypes = ["stock.*"]\nto = ["owner"]\nescalate = [{after = "1h", to = ["owner"]}]\n'
    )
    (target,) = rules.route(event(warehouse="W1", owner="nobody"), Severity.INFO, NOW).targets
    assert (target.place, [step.places for step in target.steps]) == (X, [(X,)])
    lost = rules.route(event(owner="kim", warehouse="W9"), Severity.INFO, NOW)
    assert lost.why == (
        "a: yes",
        "a: owner 'kim' of warehouse 'W9' is not in [owners]",
        "a: to group:cidOffice",
    )
    (target,) = lost.targets
    assert (target.route, target.steps) == ("a", ())


def test_the_default_places_are_not_doubled_where_the_owner_is_unknown() -> None:
    rules = rule_set('[default]\nto = ["group:cidX", "owner"]\n')
    routing = rules.route(event(), Severity.INFO, NOW)
    assert routing.why == ("default: owner '' of warehouse '' is not in [owners]", "default: to group:cidX")
    assert [target.place for target in routing.targets] == [X]


@each_row(
    ("terms", "severity", "group"),
    [
        ("", Severity.INFO, "stock:main::A1"),
        ('digest = ["08:30"]', Severity.INFO, "r"),
        ('digest = ["08:30"]', Severity.CRITICAL, "stock:main::A1"),
        ("group_by = []", Severity.CRITICAL, "r"),
        ('group_by = ["type", "severity"]', Severity.INFO, "r|type='stock.low'|severity='info'"),
    ],
)
def test_what_shares_a_card(terms: str, severity: Severity, group: str) -> None:
    rules = rule_set(f'[[routes]]\nname = "r"\n{terms}\n')
    assert rules.route(event(), severity, NOW).targets[0].group == group


CALLS = """
[default]
to = ["person:boss"]

[[routes]]
name = "stock"
types = ["stock.*"]
ding = "phone"
escalate = [{after = "30m", to = ["person:deputy"]}]

[[routes.routes]]
name = "screws"
when = "subject == 'A1'"
ding = "off"
"""


@each_row(
    ("type_", "subject", "way"),
    [("stock.low", "A2", DingWay.PHONE), ("stock.low", "A1", DingWay.OFF), ("order.late", "SO-1", None)],
)
def test_a_route_says_how_people_are_called(type_: str, subject: str, way: DingWay | None) -> None:
    (target,) = rule_set(CALLS).route(event(type_, subject), Severity.CRITICAL, NOW).targets
    assert target.ding is way
    assert [step.ding for step in target.steps] == ([] if way is None else [way])


TOPS = """
[default]
to = ["group:cidOffice"]

[[routes]]
name = "stock"
types = ["stock.*"]
top_box = true

[[routes.routes]]
name = "out"
types = ["stock.out"]

[[routes.routes]]
name = "screws"
when = "subject == 'A1'"
top_box = false
"""


@each_row(
    ("route", "said"),
    [("stock", True), ("stock/out", True), ("stock/screws", False), ("default", None), ("watch", None)],
)
def test_a_route_says_whether_its_alerts_stand_at_the_top(route: str, said: bool | None) -> None:
    assert rule_set(TOPS).top_box(route) is said


@pytest.mark.parametrize(("rules", "any_box"), [(TOPS, True), (TOPS.replace("top_box = true\n", ""), False)])
def test_whether_any_route_has_boxes(rules: str, any_box: bool) -> None:
    assert rule_set(rules).has_top_boxes is any_box
