"""What no command line holds is said, with what comes nearest, and never left out of an answer."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.access.policy import AccessPolicy
from bot.cards.language import load_languages
from bot.cards.notices import ChoiceNotice
from bot.chat.questions.dialogues import LastQuestion
from bot.chat.questions.dispatcher import QuestionDispatcher
from bot.chat.registry import Commands
from bot.understanding.grammar import Grammar
from bot.understanding.reader import GrammarReader
from bot.understanding.remarks import is_remark
from bot.understanding.sentences import Sentences
from bot.understanding.vocabulary import Vocabulary
from bot.words.errors import ConfigurationError
from tests.rows import each_row

from .test_dialogues import NOW
from .test_reader import CONTEXT, StubReader, count, post


@each_row(
    ("sentence", "said", "lines"),
    [
        ("SKU123毛利多少", "“毛利” can't be looked up here.", ("/price SKU123", "/stock SKU123")),
        ("宏达付定金了没", "“定金” can't be", ("/invoice 宏达", "/payment 宏达", "/invoice open 宏达")),
        ("SO-1023报关了没", "“报关” can't be", ("/order SO-1023", "/delivery SO-1023")),
        ("没开票的订单有哪些", "“没开票” can't be", ("/order", "/delivery")),
        ("return rate of SKU123", "“return rate” can't be", ("/stock SKU123",)),
        ("铝价涨了没", "“铝价” can't be", ("/help examples",)),
        ("除了宏达还有谁欠钱", "leaves anything out: “除了宏达”", ("/invoice open",)),
        ("orders except Müller", "leaves anything out: “except Müller”", ("/order",)),
        ("申力以外的订单", "leaves anything out: “申力以外”", ("/order",)),
        ("不算宏达本月卖了多少", "leaves anything out: “不算宏达”", ("/report 本月",)),
        ("没有延期的订单", "what is not so: “没有延期”", ("/order", "/order late")),
        ("orders that are not late", "what is not so: “not late”", ("/order", "/order late")),
        ("SKU123比SKU124贵多少", "compares two of them", ("/price SKU123", "/price SKU124")),
        ("宝钢比宁波电机准时吗", "compares two of them", ("/vendor 宝钢", "/vendor 宁波电机")),
        ("宏达这个月和上个月订单比", "compares with the days before", ("/order 宏达 这个月", "/order 宏达 上个月")),
        ("宏达下个月会下多少单", "to come is not known here: “会下”", ("/order 宏达",)),
        ("不要李娜的 其他人的订单", "leaves anything out: “不要李娜”", ("/order",)),
        ("没有发票的发货单", "“没有发票的” can't be looked up", ("/delivery", "/order")),
        ("已经开票但没发货的订单", "two states at once: “已经开票但没发货”", ("/invoice", "/order open")),
        ("既没付款也没发货的单", "two states at once: “没付款也没发货”", ("/invoice open", "/order open")),
        (
            "paid but not shipped orders",
            "two states at once: “paid but not shipped”",
            ("/order", "/payment paid", "/order late"),
        ),
        ("give me profit", "“profit” can't be looked up", ("/report",)),
        ("宏达的税号", "“税号” can't be looked up", ("/find 宏达",)),
        ("明年销售额会有多少", "not of “明年”", ("/report",)),
        ("三天后的库存是多少", "to come is not known here: “三天后”", ("/stock",)),
        ("最不准时的供应商", "no ranking here by “最不准时”", ("/vendor",)),
    ],
)
def test_what_no_line_holds_is_said(sentence: str, said: str, lines: tuple[str, ...], grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert reading.unsure
    assert said in str(reading.unsupported)
    assert (reading.line, *reading.alternatives) == lines


@each_row("sentence", ["那张单子批了没", "那个客户的发票", "上次那批货到了没", "这个多少"])
def test_what_is_only_pointed_at_is_not_all_of_its_kind(sentence: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert reading.unsure
    assert "Which one is meant is not said" in str(reading.unsupported)


@each_row(
    "sentence",
    [
        "有没有逾期的发票",
        "SKU131缺不缺货",
        "宏达是不是逾期了",
        "SO-1031有没有开票",
        "宏达多久没下单了",
        "SKU123成本价多少",
        "这个月赚了多少",
        "谁欠我们最多",
        "SKU122和SKU124哪个库存多",
        "采购单除了待审批的还有哪些没收货",
        "下周会到哪些货",
        "那个螺丝还有没有",
        "供应商的联系方式和地址",
    ],
)
def test_what_a_line_holds_is_answered(sentence: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert not reading.unsure


@each_row(
    ("sentence", "lines"),
    [
        ("宏达的订单和宝钢的采购单", ("/order 宏达", "/po 宝钢")),
        ("SKU123库存还有价格", ("/stock SKU123", "/price SKU123")),
        ("stock and price of FAN-21 both", ("/stock FAN-21", "/price FAN-21")),
        ("SKU123的到货和MO-12的进度", ("/arrivals SKU123", "/mo MO-12")),
        ("今天发了什么明天到什么", ("/delivery 今天", "/arrivals 明天")),
        ("本月销售额和回款", ("/report 本月", "/payment received 本月")),
        ("宏达或者申力的订单", ("/order 宏达", "/order 申力")),
    ],
)
def test_two_questions_are_two_buttons(sentence: str, lines: tuple[str, str], grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert (reading.unsure, reading.unsupported) == (True, None)
    assert (reading.line, *reading.alternatives) == lines


@each_row(
    ("sentence", "line"),
    [
        ("把SKU123调五百个到成都", "/stock SKU123"),
        ("transfer 200 SKU123 from Shanghai to Shenzhen", "/stock SKU123"),
        ("SKU123出库两百个", "/stock SKU123"),
        ("book 500 of SKU123 for Northwind", "/price SKU123 Northwind"),
        ("把宏达的额度调到50万", "/customer 宏达"),
        ("帮我下个采购单给宝钢 500公斤", "/po 宝钢"),
    ],
)
def test_what_only_the_erp_does_is_said(sentence: str, line: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert (reading.line, reading.wants_erp, reading.unsure) == (line, True, False)


def test_what_only_the_erp_does_and_names_nothing_is_a_choice(grammar: Grammar) -> None:
    reading = grammar.read("新建一个采购单买纸箱")
    assert reading is not None
    assert (reading.unsure, str(reading.unsupported)) == (True, "A sentence changes nothing: please do it in the ERP.")


@each_row("sentence", ["SKU160备700个够吗", "上周开了几张发票", "取消的订单有几个"])
def test_who_asks_wants_nothing_done(sentence: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert not reading.wants_erp
    assert "ERP" not in str(reading.unsupported)


@each_row(
    "sentence",
    [
        "SO-1023我刚跟客户说了周五给他",
        "采购单我下午补给你哈",
        "@李娜 美居那单你跟一下",
        "宏达的单子太难做了",
        "Emma is on the phone with Northwind now",
        "ok will check SO-1044 and revert",
    ],
)
def test_a_remark_is_not_read(sentence: str, grammar: Grammar) -> None:
    assert grammar.read(sentence) is None


@each_row(
    "sentence", ["我刚下的单子到哪了", "我给宏达的报价是多少", "/find 我下午补给你哈", "我跟的单子", "我要看宏达的订单"]
)
def test_who_asks_makes_no_remark(sentence: str) -> None:
    assert not is_remark(sentence)


@each_row(
    ("last", "sentence", "lines"),
    [
        ("/price SKU123", "毛利呢", ("/price SKU123",)),
        ("/customer owing", "除了海润", ("/customer owing",)),
        ("/order 宏达 2026-09", "比十月多多少", ("/order 宏达 2026-09",)),
    ],
)
def test_it_is_said_of_what_follows_as_well(
    last: str, sentence: str, lines: tuple[str, ...], commands: Commands, vocabulary: Vocabulary
) -> None:
    async def learn() -> Vocabulary:
        return vocabulary

    reader = GrammarReader(commands, lambda: Sentences.load(commands), learn)
    asyncio.run(reader.learn())
    reading = reader.read(sentence, None, LastQuestion(line=last, at=NOW))
    assert reading is not None
    assert reading.unsure
    assert reading.unsupported is not None
    assert (reading.line, *reading.alternatives) == lines


async def test_the_card_says_which_words_it_cannot_look_up(grammar: Grammar) -> None:
    reading = grammar.read("SKU123毛利多少")
    assert reading is not None
    dispatcher = QuestionDispatcher(
        commands=Commands([count, post]),
        policy=AccessPolicy,
        collaborators={},
        seconds=1.0,
        reader=StubReader(replace(reading, line="/count bolts", alternatives=())),
    )
    view = (await dispatcher.view_for(replace(CONTEXT, line="SKU123毛利多少"))).view
    assert isinstance(view, ChoiceNotice)
    assert view.gap is not None
    assert load_languages()["zh_CN"].say(view.gap) == "“毛利”这里查不到。"


def test_a_company_adds_what_is_unknown(tmp_path: Path, commands: Commands, vocabulary: Vocabulary) -> None:
    own = tmp_path / "sentences.toml"
    own.write_text('[unknown.pallets]\nwords = ["托盘押了#"]\nnearest = ["发货"]\n', encoding="utf-8")
    reading = Grammar(commands, Sentences.load(commands, (own,)), vocabulary).read("宏达托盘押了20个没退")
    assert reading is not None
    assert "托盘押了20" in str(reading.unsupported)
    assert "/delivery 宏达" in (reading.line, *reading.alternatives)


@pytest.mark.parametrize(
    "text",
    [
        "unknown = 1\n",
        "[unknown]\nmargin = 1\n",
        '[unknown.margin]\nwords = ["x"]\nnear = ["y"]\n',
        "[unknown.margin]\nwords = []\n",
        '[unknown.margin]\nwords = ["x"]\nunless = ["weather"]\n',
    ],
)
def test_a_mistake_in_what_is_unknown_is_named(text: str, tmp_path: Path, commands: Commands) -> None:
    own = tmp_path / "sentences.toml"
    own.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="unknown"):
        Sentences.load(commands, (own,))
