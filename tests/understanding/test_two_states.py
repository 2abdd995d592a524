"""Two states that documents are to have at once are told, with a list of each: a list holds one of them."""

from __future__ import annotations

import pytest

from bot.understanding.grammar import Grammar
from bot.understanding.limits.states import StateFinder
from tests.rows import each_row


@pytest.fixture
def finder(grammar: Grammar) -> StateFinder:
    return grammar.limits.states


@each_row(
    ("sentence", "words", "alone"),
    [
        ("开了票没发货的订单", "开了票没发货", ("开了票 的订单", "没发货的订单")),
        ("付了款但是没到货的采购单", "付了款但是没到货", ("付了款 的采购单", "没到货的采购单")),
        ("没发货也没开票的订单", "没发货也没开票", ("没发货 的订单", "没开票的订单")),
        ("钱收了货没发的订单", "钱收了货没发", ("钱收了 的订单", "货没发的订单")),
        ("shipped but unpaid orders", "shipped but unpaid", ("shipped  orders", "unpaid orders")),
        ("orders paid but not delivered", "paid but not delivered", ("orders paid", "orders  not delivered")),
    ],
)
def test_two_states_are_found(sentence: str, words: str, alone: tuple[str, str], finder: StateFinder) -> None:
    states = finder.two_states(sentence)
    assert states is not None
    assert states.words_in(sentence) == words
    assert states.alone_in(sentence) == alone


@each_row(
    "sentence",
    [
        "开了票没付款的",
        "invoiced but unpaid",
        "发货的订单付款了没",
        "发货了没 付款了没",
        "逾期没付款的发票",
        "有没有付款",
        "unpaid invoices of orders that are shipped",
    ],
)
def test_one_list_or_question_is_none(sentence: str, finder: StateFinder) -> None:
    assert finder.two_states(sentence) is None


def test_what_did_not_come_was_approved(finder: StateFinder) -> None:
    assert finder.without_implied("已审批但没到货的采购单") == "没到货的采购单"
    assert finder.without_implied("开了票没发货的订单") == "开了票没发货的订单"


def test_the_card_says_so_and_offers_each(grammar: Grammar) -> None:
    reading = grammar.read("开了票没发货的订单")
    assert reading is not None
    assert reading.unsure
    assert "two states at once: “开了票没发货”" in str(reading.unsupported)
    assert "/order open" in reading.alternatives


def test_a_document_tells_all_its_states(grammar: Grammar) -> None:
    reading = grammar.read("SO-1001货发了票没开")
    assert reading is not None
    assert not reading.unsure
