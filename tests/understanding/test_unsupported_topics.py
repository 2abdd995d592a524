"""What no line holds is said, and what comes nearest is offered."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from bot.access.policy import AccessPolicy
from bot.cards.language import load_languages
from bot.cards.notices import ChoiceNotice
from bot.chat.questions.dialogues import LastQuestion
from bot.chat.questions.dispatcher import QuestionDispatcher
from bot.chat.registry import Commands
from bot.understanding.grammar import Grammar
from bot.understanding.reader import GrammarReader
from bot.understanding.sentences import Sentences
from bot.understanding.unsupported_topics import UnsupportedTopic
from bot.understanding.vocabulary import NumberShape, Vocabulary
from tests.rows import each_row

from .test_dialogues import NOW
from .test_reader import CONTEXT, StubModel, StubReader, count, post


@each_row(
    ("sentence", "gap", "lines"),
    [
        ("本月新客户", UnsupportedTopic.NEW_CUSTOMER, ("/customer best 本月", "/customer")),
        ("new vendors", UnsupportedTopic.NEW_VENDOR, ("/vendor biggest", "/vendor")),
        ("流失的客户", UnsupportedTopic.LOST_CUSTOMER, ("/customer best", "/customer")),
        ("本月新品", UnsupportedTopic.NEW_PRODUCT, ("/product best 本月",)),
        ("快过期的有哪些", UnsupportedTopic.EXPIRY, ("/stock",)),
        ("SKU123有替代品吗", UnsupportedTopic.SUBSTITUTE, ("/product SKU123", "/stock SKU123")),
        ("昨天入库了多少电机", UnsupportedTopic.RECEIVED_OF_PRODUCT, ("/receipt 昨天",)),
        ("昨天电机到货了吗", UnsupportedTopic.RECEIVED_OF_PRODUCT, ("/receipt 昨天",)),
        ("昨天批的采购单", UnsupportedTopic.APPROVED, ("/po 昨天", "/po pending")),
        ("昨天付清的发票", UnsupportedTopic.SETTLED, ("/payment 昨天", "/invoice 昨天")),
        ("昨天取消的订单", UnsupportedTopic.CANCELLED, ("/order 昨天",)),
        ("已审批的采购单", UnsupportedTopic.STATE, ("/po",)),
        ("挂起的工单", UnsupportedTopic.STATE, ("/mo",)),
        ("昨天完工的订单", UnsupportedTopic.STATE, ("/order 昨天",)),
        ("paid invoices", UnsupportedTopic.STATE, ("/invoice",)),
        ("一月和三月对比", UnsupportedTopic.COMPARISON, ("/report 一月", "/report 三月")),
        ("本月宏达和上月比", UnsupportedTopic.COMPARISON, ("/order 宏达 本月", "/order 宏达 上月")),
        ("SKU123昨天库存多少", UnsupportedTopic.NOW_ONLY, ("/chart stock SKU123 昨天", "/stock SKU123")),
        ("宝钢上个月的准时率", UnsupportedTopic.NOW_ONLY, ("/vendor 宝钢",)),
        ("单价超过10万的订单", UnsupportedTopic.BOUND, ("/order",)),
        ("SKU123的销量", UnsupportedTopic.TURNOVER, ("/stock SKU123",)),
    ],
)
def test_what_no_line_holds_is_said(
    sentence: str, gap: UnsupportedTopic, lines: tuple[str, ...], grammar: Grammar
) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert (reading.unsure, reading.unsupported) == (True, gap.said)
    assert (reading.line, *reading.alternatives) == lines


@each_row(
    "sentence",
    [
        "MO-1昨天完工了吗",  # its card tells
        "今天要完工的工单",
        "该完工没完工的",
        "昨天完工的工单",
        "finished yesterday",
        "还没完工的工单",
        "明天完工的工单",
        "今天到货",
        "昨天到了哪些货",
        "昨天该到的货",
        "没批的采购单",
        "RM-52快过期了吗",
        "宏达是新客户吗",
        "最近3天的订单",
        "昨天的订单",
    ],
)
def test_what_a_line_or_a_card_tells_is_no_gap(sentence: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert reading.unsupported is None


def test_every_gap_is_said_in_both_languages() -> None:
    chinese = load_languages()["zh_CN"]
    assert [gap for gap in UnsupportedTopic if chinese.say(gap.said) == str(gap.said)] == []


def test_when_an_order_left_is_a_gap_where_no_erp_tells_of_deliveries(commands: Commands) -> None:
    orders = NumberShape.of("SO-1001")
    assert orders is not None
    without = Grammar(commands, Sentences.load(commands), Vocabulary(documents={"order": (orders,)}))
    reading = without.read("昨天发货的订单")
    assert reading is not None
    assert (reading.unsupported, reading.line) == (UnsupportedTopic.SHIPPED.said, "/order 昨天到期")


@each_row("sentence", ["昨天到了哪些货", "昨天的入库单", "昨天收了哪些货", "what came in yesterday"])
def test_what_came_in_is_a_gap_where_no_erp_tells_of_receipts(sentence: str, commands: Commands) -> None:
    orders = NumberShape.of("PO-1001")
    assert orders is not None
    without = Grammar(commands, Sentences.load(commands), Vocabulary(documents={"po": (orders,)}))
    reading = without.read(sentence)
    assert reading is not None
    assert reading.unsupported == UnsupportedTopic.RECEIVED.said
    assert reading.line in {"/po 昨天到期", "/po due yesterday"}


async def test_the_card_says_it_and_no_model_is_asked(grammar: Grammar) -> None:
    reading = grammar.read("本月新客户")
    assert reading is not None
    asked = replace(reading, line="/count bolts", alternatives=())
    model = StubModel("/count bolts")
    dispatcher = QuestionDispatcher(
        commands=Commands([count, post]),
        policy=AccessPolicy,
        collaborators={},
        seconds=1.0,
        reader=StubReader(asked),
        model=model,
    )
    answer = await dispatcher.view_for(replace(CONTEXT, line="本月新客户"))
    assert isinstance(answer.view, ChoiceNotice)
    assert (answer.view.gap, model.asked) == (UnsupportedTopic.NEW_CUSTOMER.said, [])


@each_row(
    ("last", "sentence", "gap", "lines"),
    [
        ("/delivery late", "五万以上的", UnsupportedTopic.BOUND, ("/delivery late",)),
        ("/customer", "本月新客户呢", UnsupportedTopic.NEW_CUSTOMER, ("/customer best 本月", "/customer")),
        ("/po", "已审批的呢", UnsupportedTopic.STATE, ("/po",)),
        ("/stock SKU123", "有替代品吗", UnsupportedTopic.SUBSTITUTE, ("/product SKU123", "/stock SKU123")),
        ("/stock SKU123", "昨天呢", UnsupportedTopic.NOW_ONLY, ("/chart stock SKU123 昨天", "/stock SKU123")),
    ],
)
def test_it_is_said_of_what_follows_as_well(
    last: str, sentence: str, gap: UnsupportedTopic, lines: tuple[str, ...], commands: Commands, vocabulary: Vocabulary
) -> None:
    async def learn() -> Vocabulary:
        return vocabulary

    reader = GrammarReader(commands, lambda: Sentences.load(commands), learn)
    asyncio.run(reader.learn())
    reading = reader.read(sentence, None, LastQuestion(line=last, at=NOW))
    assert reading is not None
    assert (reading.unsure, reading.unsupported) == (True, gap.said)
    assert (reading.line, *reading.alternatives) == lines
