"""What conditions answer: exact figures, missing data, what is not there."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from bot.alerts.event import Event
from bot.alerts.rules.condition import MinimumAgeTest, words_test
from bot.alerts.rules.expression import UnanswerableCondition, parse_expression
from bot.alerts.rules.facts import VARIABLES, Facts
from bot.words.severity import Severity
from tests.alerts.rules.builders import NOW, at, event, rule_set
from tests.rows import each_row

INVOICE = event(
    "invoice.overdue",
    "INV-7",
    amount="10000.10 CNY",
    company="01",
    customer="华东机械",
    owner="sales01",
    due_on="2026-11-20",
    title="Overdue",
    tags={"region": "east", "discount": "0.15"},
    data={"number": "INV-7", "paid": "9999.90", "lines": [{"sku": "A"}, {"sku": "B"}], "version": 3},
)
STOCK = event(quantity="4.999", warehouse="W1", category="screws", data={"reorder_point": "5.000"})


def holds(when: str, what: Event = INVOICE, moment: datetime = NOW) -> bool:
    return parse_expression(when).holds(Facts(what, what.severity, moment))


@each_row(
    "when",
    [
        "type == 'invoice.overdue' && severity == 'warning' && source == 'main' && subject == 'INV-7'",
        "company == '01' && customer.startsWith('华东') && owner in ['sales01', 'sales02']",
        "warehouse == '' && supplier == '' && category == ''",
        "title.contains('due') && tags.region == 'east' && !has(tags.other)",
        "age == 4 && hour == 10 && weekday == 2 && workday",
        "subject.matches('^INV-[0-9]+$')",
        "data.lines.exists(line, line.sku == 'B') && size(data.lines) == 2",
        "data.version == 3",
        "'region' in tags ? true : false",
        # Figures, exactly.
        "amount == 10000.10 && amount == 10000.1 && amount != 10000.1000000000000000001",
        "amount > 10000.0999999999999999999999 CNY",
        "10000.10 CNY <= amount",
        "amount>=1e4",
        "!(amount > 10000.10)",
        "amount >= 10000 CNY || amount >= 1500 USD",
        "amount > decimal(data.paid)",
        "decimal(tags['discount']) == 0.15",
        "decimal(data.version) == 3",
        "amount > -5 && currency == 'CNY'",
        "amount != null && quantity == null",
        "(amount > 5000 ? age > 3 : age > 30)",
        # What is decided already needs no figure.
        "quantity < 5 || type == 'invoice.overdue'",
        "!(quantity < 5 && type == 'stock.low')",
        # Text is text, whatever it looks like.
        "title != 'amount > 5' && 'quantity' != ''",
    ],
)
def test_holds(when: str) -> None:
    assert holds(when)


@each_row(
    "when",
    [
        "amount > 10000.10",
        "amount >= 1 USD",
        "amount < 1 USD",
        "quantity == null && amount == null",
        "!has(data.number)",
        "tags.region == 'west'",
    ],
)
def test_does_not_hold(when: str) -> None:
    assert not holds(when)


def test_quantities() -> None:
    assert holds("quantity < 5", STOCK)
    assert holds("quantity < decimal(data.reorder_point)", STOCK)
    assert holds("decimal(data.reorder_point) * 0.9998 == quantity", STOCK), "exactly, not as a binary fraction"
    assert not holds("quantity < decimal(data.reorder_point) * 0.9998", STOCK)
    assert not holds("quantity <= 4.998", STOCK)


def test_figures_that_no_binary_fraction_holds_are_told_apart() -> None:
    huge = event("invoice.overdue", amount="9007199254740992.01 CNY")
    assert holds("amount > 9007199254740992 CNY", huge)
    assert not holds("amount > 9007199254740992.01 CNY", huge)
    assert float("9007199254740992.01") == float("9007199254740992"), "as floats they would be one"


@each_row(
    ("when", "reason"),
    [
        ("quantity < 5", "quantity is missing"),
        ("type == 'invoice.overdue' && quantity < 5", "quantity is missing"),
        ("data.colour == 'red'", "data have no 'colour'"),
        ("decimal(data.number) > 5", "data.number is missing"),
        ("decimal(data.lines) > 5", "data.lines is missing"),
        ("data.number > 5", "it compares or calls what are not of one type; decimal(data.x) reads text as a number"),
        ("data.lines[7].sku == 'A'", "CEL answers IndexError"),
        ("age", "it is neither true nor false"),
        ("data.version / 0 == 1", "CEL answers ZeroDivisionError"),
    ],
)
def test_what_cannot_be_answered_says_why(when: str, reason: str) -> None:
    with pytest.raises(UnanswerableCondition) as caught:
        holds(when)
    assert str(caught.value) == reason


def test_what_cannot_be_answered_does_not_fit_and_is_counted() -> None:
    rules = rule_set(
        '[[routes]]\nname = "few"\nwhen = "quantity < 5"\nto = ["group:cidFew"]\n'
        "[[severity]]\nwhen = \"data.colour == 'red'\"\nseverity = 'critical'\n"
    )
    for _ in range(3):
        routing = rules.route(INVOICE, Severity.WARNING, NOW)
        assert rules.grade(INVOICE) is Severity.WARNING
    assert [str(target.place) for target in routing.targets] == ["group:cidOffice"], "the event is not lost"
    assert routing.why[0] == "few: no, when cannot be answered: quantity is missing"
    assert rules.unanswered.counts == {"few": 3, "severity 1": 3}


def test_an_unanswered_condition_is_logged_once_without_data(capsys: pytest.CaptureFixture[str]) -> None:
    rules = rule_set('[[routes]]\nname = "few"\nwhen = "decimal(data.number) < 5"\n')
    for _ in range(5):
        rules.route(INVOICE, Severity.WARNING, NOW)
    said = capsys.readouterr()
    lines = [line for line in (said.out + said.err).splitlines() if "cannot be answered" in line]
    assert len(lines) == 1
    assert "data.number is missing" in lines[0]
    assert "INV-7" not in lines[0]


def test_the_time_is_the_companys() -> None:
    midnight = at("2026-10-08 00:30")
    assert holds("hour == 0 && weekday == 4 && workday", moment=midnight)
    rules = rule_set('[[routes]]\nname = "night"\nwhen = "hour == 0"\n')
    utc = at("2026-10-08 00:30").astimezone(UTC)
    assert rules.route(INVOICE, Severity.INFO, utc).targets[0].route == "night"


def test_every_variable_can_be_asked_for() -> None:
    for name in VARIABLES:
        assert holds(f"{name} == {name}")


def test_grades_take_the_first_threshold_that_fits() -> None:
    rules = rule_set(
        "[[severity]]\ntypes = ['invoice.*']\nwhen = 'amount > 50000'\nseverity = 'critical'\n"
        "[[severity]]\nmin_age = 3\nseverity = 'info'\n"
    )
    assert rules.graded(event("invoice.overdue", amount="50000.01 CNY", due_on="2026-01-01")) == (
        Severity.CRITICAL,
        "severity 1",
    )
    assert rules.graded(INVOICE) == (Severity.INFO, "severity 2")
    assert rules.graded(event()) == (Severity.WARNING, "the event's own")


def test_texts_of_events_are_never_code() -> None:
    hostile = event(title="' || true || '", subject="amount > 0", data={"x": json.dumps("__import__('os')")})
    assert not holds("title == 'x'", hostile)
    assert holds("title.contains('|| true ||') && subject == 'amount > 0'", hostile)


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
