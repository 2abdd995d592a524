"""A whole document of rules, read value by value."""

from __future__ import annotations

from datetime import time, timedelta
from zoneinfo import ZoneInfo

from bot.alerts.routing import RuleSuppression, Target
from bot.alerts.rules.parser import default_rules
from bot.alerts.rules.route_tree import DynamicTarget, EscalationRule
from bot.alerts.rules.rule_set import RESERVED, REVIVE, ROOT, AlertRuleContext
from bot.alerts.rules.schedule import DigestSchedule, TimeWindow
from bot.outbox.place import Place
from bot.words.severity import Severity
from tests.alerts.rules.builders import COMPANY, NOW, SHANGHAI, alert, at, event, rule_set
from tests.rows import each_row

OFFICE, X = Place.parse("group:cidOffice"), Place.parse("group:cidX")


DOCUMENT = """
revive = "30m"

[default]
to = ["group:cidOffice", "owner"]
interval = "10m"

[windows.day]
zone = "Europe/Berlin"
days = ["mon"]
from = "09:00"
to = "17:00"

[windows.all]

[owners]
W1 = ["group:cidX"]

[[routes]]
types = ["stock.*"]
to = ["role:finance", "role:boss", "person:fin01", "owner"]
wait = "1m"
digest = ["10:00"]
window = "day"
escalate = [{after = "2h", to = ["owner"]}, {after = "1h", to = ["role:boss"]}]

[[routes.routes]]
name = "in"
severities = ["critical"]
digest = []

[[routes.routes]]
name = "also"
severities = ["info"]
window = "all"

[[severity]]
min_age = 5
severity = "critical"

[[inhibit]]
source = {types = ["stock.out"], when = "quantity < 5"}
target = {types = ["order.*"], when = "quantity < 5"}

[[silences]]
until = 2026-10-08
when = "quantity < 5"

[[silences]]
name = "named"
from = 2026-10-01
until = 2026-10-08
places = ["group:cidX"]
comment = "why"
"""


def test_a_document_is_read_as_it_is_written() -> None:
    rules = rule_set(DOCUMENT)
    assert (rules.zone, rules.revive) == (SHANGHAI, timedelta(minutes=30))
    root = rules.tree.root
    assert (root.name, root.condition.is_empty, root.terms.to, root.continues) == (
        ROOT,
        True,
        (OFFICE, DynamicTarget.OWNER),
        False,
    )
    assert (root.terms.interval, root.terms.wait, root.terms.digest) == (timedelta(minutes=10), timedelta(0), None)
    (stock,) = root.inner
    people = [Place.parse(f"person:{user}") for user in ("fin01", "fin02", "boss01")]
    assert (stock.name, stock.terms.to) == ("1", (*people, DynamicTarget.OWNER))
    assert (stock.terms.interval, stock.terms.wait) == (timedelta(minutes=10), timedelta(minutes=1))
    day = TimeWindow(
        name="day",
        zone=ZoneInfo("Europe/Berlin"),
        weekdays=frozenset({1}),
        start=time(9),
        end=time(17),
    )
    assert stock.terms.window == day
    assert stock.terms.digest == DigestSchedule((time(10),), ZoneInfo("Europe/Berlin"), day)
    assert stock.terms.escalate == (
        EscalationRule(timedelta(hours=1), (people[2],)),
        EscalationRule(timedelta(hours=2), (DynamicTarget.OWNER,)),
    )
    first, second = stock.inner
    assert (first.name, first.terms.digest, first.terms.escalate) == ("1/in", None, stock.terms.escalate)
    assert (first.terms.window, first.terms.wait, first.terms.to) == (day, timedelta(minutes=1), stock.terms.to)
    assert (second.name, second.terms.window) == ("1/also", TimeWindow(name="all", zone=SHANGHAI))
    assert second.terms.digest == DigestSchedule((time(10),), SHANGHAI, TimeWindow(name="all", zone=SHANGHAI))
    assert rules.tree.owners == {"W1": (X,)}
    assert [(one.condition.rule, one.severity) for one in rules.thresholds] == [("severity 1", Severity.CRITICAL)]
    (rule,) = rules.inhibitions
    assert (rule.name, rule.source.rule, rule.target.rule) == ("inhibit 1", "inhibit 1, source", "inhibit 1, target")
    assert rule.common(event()) is rule.common(event("order.late", "other")) is None
    plain, named = rules.silences
    assert (plain.name, plain.condition.rule, plain.places, plain.begins, plain.comment) == (
        "silence 1",
        "silence 1",
        frozenset(),
        None,
        "",
    )
    assert plain.ends == at("2026-10-08 00:00")
    assert (named.name, named.places, named.begins, named.comment) == (
        "named",
        frozenset({X}),
        at("2026-10-01 00:00"),
        "why",
    )


@each_row(("days", "workdays"), [("workdays", True), ("restdays", False), ("weekdays", None)])
def test_a_window_of_working_days_is_read_as_one(days: str, workdays: bool | None) -> None:
    rules = rule_set(f'[windows.w]\ndays = "{days}"\n[[routes]]\nwindow = "w"\n')
    read = rules.tree.root.inner[0].terms.window
    assert read is not None
    assert read.workdays is workdays


def test_what_is_critical_waits_for_no_digest_and_no_window() -> None:
    rules = rule_set('[windows.w]\nfrom = "20:00"\nto = "21:00"\n[[routes]]\nname = "r"\nwindow = "w"\n')
    target = Target(place=X, route="r", group="g")
    assert rules.shows_at(target, Severity.CRITICAL, NOW) == NOW
    assert rules.shows_at(target, Severity.WARNING, NOW) == at("2026-11-24 20:00")


def test_all_rules_of_a_document_count_together_what_they_could_not_answer() -> None:
    rules = rule_set(DOCUMENT)
    nothing = event("order.late")
    assert rules.inhibited(nothing, Severity.INFO, [alert(event("stock.out"))]) is None
    assert rules.unanswered.counts == {"inhibit 1, target": 1}
    told = event("order.late", quantity="1")
    assert rules.inhibited(told, Severity.INFO, [alert(event("stock.out"))]) is None
    assert rules.silenced(nothing, Severity.INFO, OFFICE, at("2026-10-02 00:00")) is None
    assert rules.unanswered.counts == {"inhibit 1, target": 1, "inhibit 1, source": 1, "silence 1": 1}


def test_an_inhibition_goes_by_the_severity_of_the_alert_and_looks_at_all() -> None:
    rules = rule_set(
        '[[inhibit]]\nsource = {severities = ["critical"]}\ntarget = {severities = ["info"]}\nequal = ["company"]\n'
    )
    what = event("order.late", company="01")
    others = [
        alert(event("stock.out", "B1", company="02"), Severity.CRITICAL),
        alert(event("order.late", company="01"), Severity.CRITICAL),
        alert(event("stock.out", "B2", company="01"), Severity.WARNING),
        alert(event("stock.out", "B3", company="01"), Severity.CRITICAL),
    ]
    assert rules.inhibited(what, Severity.INFO, others) == RuleSuppression(
        "inhibit 1: while stock.out B3 is open", None
    )
    assert rules.inhibited(what, Severity.WARNING, others) is None
    assert rules.inhibited(what, Severity.INFO, others[:3]) is None


def test_thresholds_and_silences_go_by_the_severity() -> None:
    rules = rule_set(
        '[[severity]]\nseverities = ["info"]\nseverity = "warning"\n'
        '[[silences]]\nuntil = 2027-01-01\nseverities = ["critical"]\n'
    )
    assert rules.graded(event(severity=Severity.INFO)) == (Severity.WARNING, "severity 1")
    assert rules.graded(event(severity=Severity.CRITICAL)) == (Severity.CRITICAL, "the event's own")
    assert rules.silenced(event(), Severity.WARNING, X, NOW) is None
    suppression = rules.silenced(event(), Severity.CRITICAL, X, NOW)
    assert suppression == RuleSuppression("silence 1: until 2027-01-01 00:00", at("2027-01-01 00:00"))


def test_the_rules_of_a_company_that_wrote_none() -> None:
    chat = AlertRuleContext(zone=SHANGHAI, default=(X,), decides_in_chat=lambda: True)
    rules = default_rules(chat)
    assert (rules.zone, rules.revive, rules.tree.owners) == (SHANGHAI, REVIVE, {})
    assert rules.tree.root.name == rules.tree.root.condition.rule == ROOT
    assert rules.tree.root.condition.is_empty
    assert rules.tree.root.condition.unanswered is rules.unanswered
    assert rules.unanswered.counts == {}
    purchase = rules.route(event("po.submitted", "PO-1"), Severity.INFO, NOW)
    assert (purchase.targets, purchase.why) == (
        (),
        ("default: no, purchase orders have cards of their own for those who decide",),
    )
    assert len(rules.route(event(), Severity.INFO, NOW).targets) == 1
    assert len(default_rules(COMPANY).route(event("po.submitted", "PO-1"), Severity.INFO, NOW).targets) == 1
    assert {ROOT, "escalation", "assigned", "watch", "digest"} == RESERVED


def test_a_route_may_name_purchase_orders_that_are_decided_in_the_chat() -> None:
    chat = AlertRuleContext(zone=SHANGHAI, default=(X,), decides_in_chat=lambda: True)
    rules = rule_set('[[routes]]\ntypes = ["po.*"]\nto = ["group:cidPo"]\n', chat)
    (target,) = rules.route(event("po.submitted", "PO-1"), Severity.INFO, NOW).targets
    assert str(target.place) == "group:cidPo"


def test_people_of_a_role_have_chats_of_their_own() -> None:
    assert [str(place) for place in COMPANY.people("finance")] == ["person:fin01", "person:fin02"]
    assert COMPANY.people("unknown") == COMPANY.people("nobody") == ()


def test_routes_may_lie_eight_deep() -> None:
    text = "".join(f"[[{'.'.join(['routes'] * depth)}]]\nmin_age = {depth}\n" for depth in range(1, 9))
    what = event(due_on="2026-01-01")
    assert rule_set(text).route(what, Severity.INFO, NOW).targets[0].route == "/".join(["1"] * 8)


def test_names_of_forty_characters_are_allowed() -> None:
    assert rule_set(f'[[routes]]\nname = "{"x" * 40}"\n').tree.root.inner[0].name == "x" * 40
