"""Exact figures in conditions: what is a comparison, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from bot.alerts.rules.cel_engine import check_pattern
from bot.alerts.rules.comparisons import DecimalComparison, Operand, Token, TokenKind, take_comparisons, tokenize
from bot.alerts.rules.expression import MAX_LENGTH, UnanswerableCondition, parse_expression
from bot.alerts.rules.facts import Facts
from tests.alerts.rules.builders import NOW, event
from tests.rows import each_row


def operand(text: str) -> Operand:
    (_, _, found), *_ = take_comparisons(tokenize(f"{text} == amount"))[0]
    return found.left


@each_row(
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


@each_row(
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
    assert str(said) == f"{name} stands in a comparison with one number, an example is amount >= 10000.50 CNY"


def test_comparisons_are_found_where_they_stand() -> None:
    text = "type == 'x' && (amount >= 5 CNY || null != quantity) && data.amount > 5 && 5 < 6"
    tokens = tokenize(text)
    found, said = take_comparisons(tokens)
    assert said == ""
    pieces = [text[tokens[start].start : tokens[end - 1].end] for start, end, _ in found]
    assert pieces == ["amount >= 5 CNY", "null != quantity"]
    assert found[0][2] == DecimalComparison(Operand(path=("amount",)), ">=", Operand(number=Decimal(5), currency="CNY"))


@each_row("text", ["amount > 5 cny", "amount > 5 CN", "amount > 5 CNYX", "amount > 5 C1Y", "amount > 5 'CNY'"])
def test_a_currency_has_three_capitals(text: str) -> None:
    _, said = take_comparisons(tokenize(text))
    assert str(said).startswith("write brackets around 'amount > 5', or compare with one number")


@each_row(
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


@each_row(
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


@each_row("literal", ["'a{100}'", "'(a{10}){10}'", r"'\\d{50}'", "'^A[0-9]+$'", "'[^a]*'", "'a{5,}'"])
def test_patterns_that_are_cheap_enough(literal: str) -> None:
    check_pattern(literal)
