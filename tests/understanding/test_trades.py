"""Whether a name is a customer's or a vendor's, a seller's or a buyer's, decides what is asked for."""

from __future__ import annotations

from bot.understanding.grammar import Grammar
from bot.understanding.vocabulary import Trade, Vocabulary
from tests.rows import each_row

COMPANY = Vocabulary(
    partners=("宏达机电", "宝钢线材", "上海五金", "上海钢厂", "两面贸易"),
    vendors=("宝钢线材", "上海钢厂"),
    sellers=("李娜", "王伟"),
    buyers=("陈立", "王伟"),
    pinyin={"李娜": "\nlina", "陈立": "\nchenli", "王伟": "\nwangwei"},
    initials={"李娜": "\nln", "陈立": "\ncl", "王伟": "\nww"},
)


@each_row(
    ("name", "trade"),
    [
        ("宏达", Trade.SALE),
        ("宝钢", Trade.PURCHASE),
        ("上海", None),
        ("没有人", None),
        ("李娜", Trade.SALE),
        ("陈立", Trade.PURCHASE),
        ("王伟", None),
    ],
)
def test_the_side_on_which_somebody_stands(name: str, trade: Trade | None) -> None:
    assert COMPANY.trade(name) is trade


@each_row(("typed", "person"), [("李娜", "李娜"), ("LINA", "李娜"), ("cl", "陈立"), ("li", None), ("l", None)])
def test_people_are_found_by_their_whole_names(typed: str, person: str | None) -> None:
    assert COMPANY.person(typed) == person


@each_row(
    ("sentence", "line"),
    [
        ("宏达的订单", "/order 宏达"),
        ("宝钢的订单", "/po 宝钢"),
        ("宏达的联系电话", "/customer 宏达"),
        ("宝钢的联系电话", "/vendor 宝钢"),
        ("宝钢的发票", "/bill 宝钢"),
        ("lina的订单", "/order 李娜"),
        ("chenli的单子", "/po 陈立"),
        ("欠宝钢多少钱", "/bill open 宝钢"),
        ("给宏达开过哪些票", "/invoice 宏达"),
    ],
)
def test_what_is_asked_of_them(sentence: str, line: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert reading.line == line


def test_a_verb_is_left_out_only_before_a_name_that_the_company_has(grammar: Grammar) -> None:
    """A part that is unknown stays in the line: the answer says that it was not found."""
    reading = grammar.read("欠宏图机电多少钱")
    assert reading is not None
    assert reading.line == "/invoice open 宏图机电"
