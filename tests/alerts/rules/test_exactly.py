"""What a document is read as, value by value, and where the edges of windows and figures are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.alerts.routing import RuleSuppression, Target
from bot.alerts.rules.cel_engine import check_pattern
from bot.alerts.rules.comparisons import DecimalComparison, Operand, Token, TokenKind, take_comparisons, tokenize
from bot.alerts.rules.condition import MinimumAgeTest, words_test
from bot.alerts.rules.expression import MAX_LENGTH, UnanswerableCondition, parse_expression
from bot.alerts.rules.facts import Facts
from bot.alerts.rules.parser import default_rules
from bot.alerts.rules.route_tree import DynamicTarget, EscalationRule
from bot.alerts.rules.rule_set import RESERVED, REVIVE, ROOT, AlertRuleContext
from bot.alerts.rules.schedule import DigestSchedule, TimeWindow
from bot.alerts.rules.values import (
    read_days,
    read_names,
    read_patterns,
    read_place,
    read_places,
    read_repeat,
    read_severities,
    read_severity,
    read_time,
    read_times,
    read_types,
    read_weekdays,
    read_zone,
)
from bot.outbox.place import Place
from bot.severity import Severity
from tests.alerts.rules.builders import COMPANY, NOW, SHANGHAI, alert, at, event, rule_set

OFFICE, X = Place.parse("group:cidOffice"), Place.parse("group:cidX")

# Values


@pytest.mark.parametrize(
    ("read", "value", "wanted"),
    [
        (read_days, 1, 1),
        (read_days, 10_000, 10_000),
        (read_patterns, "stock.*", ("stock.*",)),
        (read_patterns, ["a", "b*", "*"], ("a", "b*", "*")),
        (read_types, ["stock.low", "stock.*", "custom.x", "custom.*", "cus*", "*"], None),
        (read_severity, "critical", Severity.CRITICAL),
        (read_severities, ["info", "critical"], ("info", "critical")),
        (read_repeat, "never", None),
        (read_repeat, "5m", timedelta(minutes=5)),
        (read_time, "8:30", time(8, 30)),
        (read_time, " 08:30 ", time(8, 30)),
        (read_time, "23:59", time(23, 59)),
        (read_time, "0:00", time(0)),
        (read_time, time(8, 30, 15, 7), time(8, 30)),
        (read_times, ["17:00", "08:30", "8:30"], (time(8, 30), time(17))),
        (read_times, [], ()),
        (read_weekdays, "workdays", (frozenset(range(1, 8)), True)),
        (read_weekdays, "restdays", (frozenset(range(1, 8)), False)),
        (read_weekdays, "weekdays", (frozenset({1, 2, 3, 4, 5}), None)),
        (read_weekdays, ["mon", "tue", "wed", "thu"], (frozenset({1, 2, 3, 4}), None)),
        (read_weekdays, ["fri", "sat", "sun"], (frozenset({5, 6, 7}), None)),
        (read_weekdays, "sat", (frozenset({6}), None)),
        (read_zone, "Europe/Berlin", ZoneInfo("Europe/Berlin")),
        (read_place, "group:cidX", X),
        (read_places, "group:cidX", (X,)),
        (read_places, ["group:cidX", "group:cidOffice"], (X, OFFICE)),
        (read_names(("a", "b")), ["b", "a"], ("b", "a")),
        (read_names(("a", "b")), [], ()),
    ],
)
def test_a_value_is_read_as(read: Any, value: object, wanted: object) -> None:
    assert read(value) == (tuple(value) if wanted is None and isinstance(value, list) else wanted)


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (read_days, 0),
        (read_days, 10_001),
        (read_days, True),
        (read_days, "7"),
        (read_patterns, ["a*b"]),
        (read_patterns, ["**"]),
        (read_types, ["stock.low*x"]),
        (read_types, ["customs.*"]),
        (read_severity, 5),
        (read_repeat, "4m"),
        (read_time, "24:00"),
        (read_time, "8:3"),
        (read_time, 830),
        (read_times, "08:30"),
        (read_weekdays, []),
        (read_weekdays, ["mon", "monday"]),
        (read_weekdays, ["workdays"]),
        (read_zone, ""),
        (read_zone, "Europe"),
        (read_place, "nowhere"),
        (read_names(("a", "b")), ["a", "c"]),
    ],
)
def test_a_value_is_refused(read: Any, value: object) -> None:
    with pytest.raises(ValueError, match=r"^.+$"):
        read(value)


# Windows


def window(start: str, end: str, **more: Any) -> TimeWindow:
    zone = more.pop("zone", SHANGHAI)
    return TimeWindow(name="w", zone=zone, start=time.fromisoformat(start), end=time.fromisoformat(end), **more)


DAYTIME, NIGHT, WHOLE = window("08:30", "17:30"), window("22:00", "06:00"), window("00:00", "00:00")


@pytest.mark.parametrize(
    ("of", "moment", "inside"),
    [
        (DAYTIME, "08:29", False),
        (DAYTIME, "08:30", True),
        (DAYTIME, "17:29", True),
        (DAYTIME, "17:30", False),
        (NIGHT, "21:59", False),
        (NIGHT, "22:00", True),
        (NIGHT, "00:00", True),
        (NIGHT, "05:59", True),
        (NIGHT, "06:00", False),
        (WHOLE, "00:00", True),
        (WHOLE, "12:00", True),
        (window("09:00", "09:00"), "08:59", True),
    ],
)
def test_a_window_covers_its_start_and_not_its_end(of: TimeWindow, moment: str, inside: bool) -> None:
    assert of.covers(time.fromisoformat(moment)) is inside
    assert of.contains(at(f"2026-11-24 {moment}")) is inside


def test_spans_are_moments() -> None:
    day = date(2026, 11, 24)
    assert DAYTIME.span(day) == (at("2026-11-24 08:30"), at("2026-11-24 17:30"))
    assert NIGHT.span(day) == (at("2026-11-24 22:00"), at("2026-11-25 06:00"))
    assert WHOLE.span(day) == (at("2026-11-24 00:00"), at("2026-11-25 00:00"))
    assert NIGHT.hours == "22:00-06:00"


@pytest.mark.parametrize(
    ("more", "days"),
    [
        ({}, [24, 28]),
        ({"weekdays": frozenset({2})}, [24]),
        ({"workdays": True}, [24]),
        ({"workdays": False}, [28]),
        ({"weekdays": frozenset({6}), "workdays": True}, []),
    ],
)
def test_days_count_by_their_name_and_by_the_calendar(more: dict[str, Any], days: list[int]) -> None:
    of = window("08:30", "17:30", **more)
    assert [day for day in (24, 28) if of.counts(date(2026, 11, day))] == days


def test_a_window_that_never_opens_holds_nothing_back() -> None:
    never = window("08:30", "17:30", weekdays=frozenset())
    assert never.opens_at(NOW) == NOW
    assert DigestSchedule((time(8, 30),), SHANGHAI, never).comes_at(NOW) == at("2026-11-25 08:30")
    assert DigestSchedule((), SHANGHAI).comes_at(NOW) == NOW


def test_times_are_told_in_utc_by_the_windows_own_days() -> None:
    opens = NIGHT.opens_at(at("2026-11-24 07:00"))
    assert (opens, opens.tzinfo) == (at("2026-11-24 22:00"), UTC)
    comes = DigestSchedule((time(0, 30), time(23)), SHANGHAI).comes_at(at("2026-11-24 23:01"))
    assert (comes, comes.tzinfo) == (at("2026-11-25 00:30"), UTC)
    assert DigestSchedule((time(23, 30),), ZoneInfo("Pacific/Kiritimati")).comes_at(at("2026-11-24 10:00")) == datetime(
        2026, 11, 24, 9, 30, tzinfo=UTC
    )
    inside = DigestSchedule((time(7), time(9)), SHANGHAI, DAYTIME)
    assert inside.comes_at(at("2026-11-24 06:00")) == at("2026-11-24 09:00")


def test_the_longest_holidays_are_waited_for_and_no_more_than_two_months() -> None:
    yearly = window("08:30", "17:30", weekdays=frozenset({1}), workdays=False)
    # The next Monday off after the National Day week is one of the Spring Festival: too far to wait.
    assert yearly.opens_at(at("2026-10-06 00:00")) == at("2026-10-06 00:00")
    assert yearly.opens_at(at("2026-10-01 00:00")) == at("2026-10-05 08:30")


# Figures


def operand(text: str) -> Operand:
    (_, _, found), *_ = take_comparisons(tokenize(f"{text} == amount"))[0]
    return found.left


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("5", Operand(number=Decimal(5))),
        ("-5.50", Operand(number=Decimal("-5.50"))),
        ("5 CNY", Operand(number=Decimal(5), currency="CNY")),
        ("1e3", Operand(number=Decimal(1000))),
        ("null", Operand(nothing=True)),
        ("quantity", Operand(path=("quantity",))),
        ("decimal(data.a)", Operand(path=("data", "a"))),
        ("decimal(tags.a.b)", Operand(path=("tags", "a", "b"))),
        ("decimal(data['a b'].c)", Operand(path=("data", "a b", "c"))),
        ('decimal(data.a["b"])', Operand(path=("data", "a", "b"))),
        ("decimal(data['data'])", Operand(path=("data", "data"))),
        ("decimal(data['XX'])", Operand(path=("data", "XX"))),
        ("decimal(data.tags)", Operand(path=("data", "tags"))),
    ],
)
def test_what_stands_on_a_side_of_a_comparison(text: str, wanted: Operand) -> None:
    assert operand(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "decimal(data) == 5",
        "decimal(title) == 5",
        "decimal(data.a == 5",
        "decimal(data.a",
        "decimal(data.",
        "decimal(data[5]) == 5",
        "decimal(data[a]) == 5",
        "decimal(data['a') == 5",
        "decimal('a') == 5",
        "decimal(data.a.5) == 5",
        "decimal(data tags) == 5",
        "decimal() == 5",
        "decimal",
        "amount",
        "amount ==",
        "amount == 0x1F",
        "amount == 5u",
        "amount == -",
        "amount == -title",
    ],
)
def test_what_is_no_comparison_of_figures(text: str) -> None:
    name = text.split("(")[0].split(" ")[0]
    found, said = take_comparisons(tokenize(text))
    assert found == []
    assert said == f"{name} stands in a comparison with one number, an example is amount >= 10000.50 CNY"


def test_comparisons_are_found_where_they_stand() -> None:
    text = "type == 'x' && (amount >= 5 CNY || null != quantity) && data.amount > 5 && 5 < 6"
    tokens = tokenize(text)
    found, said = take_comparisons(tokens)
    assert said == ""
    pieces = [text[tokens[start].start : tokens[end - 1].end] for start, end, _ in found]
    assert pieces == ["amount >= 5 CNY", "null != quantity"]
    assert found[0][2] == DecimalComparison(Operand(path=("amount",)), ">=", Operand(number=Decimal(5), currency="CNY"))


@pytest.mark.parametrize(
    "text", ["amount > 5 cny", "amount > 5 CN", "amount > 5 CNYX", "amount > 5 C1Y", "amount > 5 'CNY'"]
)
def test_a_currency_has_three_capitals(text: str) -> None:
    _, said = take_comparisons(tokenize(text))
    assert said.startswith("write brackets around 'amount > 5', or compare with one number")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("1.50", "1.50"),
        (2, "2"),
        (0.1, "0.1"),
        ("-3", "-3"),
        (True, None),
        (None, None),
        ("", None),
        ("x", None),
        ("NaN", None),
        ("Infinity", None),
        ([1], None),
        ({"b": 1}, None),
    ],
)
def test_text_and_numbers_of_data_are_read_as_figures(value: object, number: str | None) -> None:
    what = event(quantity="1", data={"a": value})
    facts = Facts(what, what.severity, NOW)
    for text, wanted in (("decimal(data.a) == null", number is None), ("null != decimal(data.a)", number is not None)):
        assert parse_expression(text).holds(facts) is wanted
    if number is not None:
        assert parse_expression(f"decimal(data.a) == {number}").holds(facts)
    assert parse_expression("decimal(data.a.b) == null").holds(facts) is (value != {"b": 1})


@pytest.mark.parametrize(
    ("when", "wanted"),
    [
        ("amount == null", [False, True]),
        ("amount != null", [True, False]),
        ("null == amount", [False, True]),
        ("null != quantity", [True, True]),
        ("amount >= 5 CNY", [True, None]),
        ("5 CNY <= amount", [True, None]),
        ("amount >= 5 USD", [False, None]),
        ("5 USD <= amount", [False, None]),
        ("quantity >= 5 || amount > 0", [True, None]),
        ("amount < 6", [True, None]),
    ],
)
def test_a_comparison_with_and_without_an_amount(when: str, wanted: Sequence[bool | None]) -> None:
    for what, expected in zip((event(amount="5 CNY", quantity="1"), event(quantity="1")), wanted, strict=True):
        facts = Facts(what, what.severity, NOW)
        if expected is None:
            with pytest.raises(UnanswerableCondition) as caught:
                parse_expression(when).holds(facts)
            assert str(caught.value) == "amount is missing"
        else:
            assert parse_expression(when).holds(facts) is expected


def test_of_several_missing_figures_the_first_is_named() -> None:
    what = event()
    with pytest.raises(UnanswerableCondition) as caught:
        parse_expression("quantity > 5 && amount > 5").holds(Facts(what, what.severity, NOW))
    assert str(caught.value) == "quantity is missing"


def test_a_name_of_data_is_told_up_to_a_hundred_characters() -> None:
    what = event()
    with pytest.raises(UnanswerableCondition) as caught:
        parse_expression(f"data.{'x' * 200} == 1").holds(Facts(what, what.severity, NOW))
    assert str(caught.value) == f"data have no '{'x' * 200}"[:100]


def test_an_expression_knows_its_variables_and_its_text() -> None:
    read = parse_expression(" type == 'x' &&\n\tdata.lines.exists(line, line.a == hour) && amount > 5 ")
    assert read.text == "type == 'x' && data.lines.exists(line, line.a == hour) && amount > 5"
    assert sorted(read.names) == ["data", "hour", "type"]
    assert [name for name, _ in read.comparisons] == ["_0"]
    assert parse_expression("true".ljust(MAX_LENGTH)).text == "true"
    assert parse_expression("(" * 20 + "true" + ")" * 20).names == ()
    assert parse_expression("size([{'a': [1]}]) == 1").names == ()


def test_the_words_of_a_condition() -> None:
    assert tokenize("a1 >= 'it''s' // no\n .5e3u == \"\\\"\" 万") == [
        Token(TokenKind.WORD, "a1", 0, 2),
        Token(TokenKind.SIGN, ">=", 3, 5),
        Token(TokenKind.STRING, "'it'", 6, 10),
        Token(TokenKind.STRING, "'s'", 10, 13),
        Token(TokenKind.NUMBER, ".5e3u", 21, 26),
        Token(TokenKind.SIGN, "==", 27, 29),
        Token(TokenKind.STRING, '"\\""', 30, 34),
        Token(TokenKind.SIGN, "万", 35, 36),
    ]
    assert tokenize("") == []


@pytest.mark.parametrize("literal", ["'a{100}'", "'(a{10}){10}'", r"'\\d{50}'", "'^A[0-9]+$'", "'[^a]*'", "'a{5,}'"])
def test_patterns_that_are_cheap_enough(literal: str) -> None:
    check_pattern(literal)


# Conditions


def test_words_and_their_beginnings() -> None:
    test = words_test("types", "type", ("stock.low", "order.*"))
    kinds = ("stock.low", "stock.low.x", "order.late", "order.", "order", "")
    fits = [test.fits(Facts(event(kind), Severity.INFO, NOW)) for kind in kinds]
    assert fits == [True, False, True, True, False, False]
    assert test.text == "types = stock.low, order.*"
    assert words_test("owners", "owner", ("a",)).fits(Facts(event(owner="a"), Severity.INFO, NOW))


def test_an_age_is_reached_on_its_day() -> None:
    test = MinimumAgeTest("min_age = 4", 4)
    days = ("2026-11-21", "2026-11-20", "2026-11-19")
    assert [test.fits(Facts(event(due_on=day), Severity.INFO, NOW)) for day in days] == [False, True, True]
    assert not MinimumAgeTest("min_age = 1", 1).fits(Facts(event(), Severity.INFO, NOW))


def test_every_key_of_a_condition_asks_for_its_own_word() -> None:
    keys = {
        "types": ("stock.low", {}),
        "severities": ("warning", {}),
        "sources": ("main", {}),
        "companies": ("01", {"company": "01"}),
        "warehouses": ("W1", {"warehouse": "W1"}),
        "categories": ("screws", {"category": "screws"}),
        "customers": ("宏图", {"customer": "宏图"}),
        "suppliers": ("宝钢", {"supplier": "宝钢"}),
    }
    for key, (word, fields) in keys.items():
        rules = rule_set(f'[[routes]]\n{key} = ["{word}"]\nto = ["group:cidX"]\n')
        routing = rules.route(event(**fields), Severity.WARNING, NOW)
        assert routing.why == ("1: yes", "1: to group:cidX")
        if fields:
            refused = rules.route(event(), Severity.WARNING, NOW)
            assert refused.why[0] == f"1: no, {key} = {word}"
    assert rule_set('[[routes]]\nmin_age = 2\nto = ["group:cidX"]\n').route(event(), Severity.INFO, NOW).why[0] == (
        "1: no, min_age = 2"
    )


# Documents

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


@pytest.mark.parametrize(("days", "workdays"), [("workdays", True), ("restdays", False), ("weekdays", None)])
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
    chat = AlertRuleContext(zone=SHANGHAI, default=(X,), decides_in_chat=True)
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
    chat = AlertRuleContext(zone=SHANGHAI, default=(X,), decides_in_chat=True)
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


# Where an event goes


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


@pytest.mark.parametrize(
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
