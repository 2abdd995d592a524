"""A kind that is asked for with the number of another kind is found by it: /quote SO-1001, for SO-1001的报价单."""

from __future__ import annotations

import pytest

from bot.understanding.command_kinds import LINKED
from bot.understanding.grammar import Grammar

NUMBERS = {"order": "SO-1001", "po": "PO-1075", "invoice": "INV-7", "bill": "BILL-1001"}
NAMED = {
    "quote": ("报价单", "quotations", "quotation"),
    "delivery": ("发货单", "送货单", "deliveries"),
    "invoice": ("发票", "invoices"),
    "mo": ("生产订单", "工单", "production orders"),
    "receipt": ("收货单", "入库单", "goods receipts"),
    "bill": ("账单", "应付账单", "bills"),
    "payment": ("收款单", "付款单", "收款记录", "payments"),
}
PAIRS = [(of, kind) for of, kinds in LINKED.items() for kind in kinds]


def test_every_pair_is_asked_for() -> None:
    assert {of for of, _ in PAIRS} == set(NUMBERS)
    assert {kind for _, kind in PAIRS} == set(NAMED)


@pytest.mark.parametrize(("of", "kind"), PAIRS)
@pytest.mark.parametrize("sentence", ["{number}的{name}", "有没有{number}的{name}", "Any {number}的{name}"])
def test_it_is_found_in_chinese(of: str, kind: str, sentence: str, grammar: Grammar) -> None:
    for name in (each for each in NAMED[kind] if not each.isascii()):
        reading = grammar.read(sentence.format(number=NUMBERS[of], name=name))
        assert reading is not None
        assert (reading.line, reading.unsure) == (f"/{kind} {NUMBERS[of]}", False)


@pytest.mark.parametrize(("of", "kind"), PAIRS)
@pytest.mark.parametrize(
    "sentence", ["{name} for {number}", "show me the {name} of {number}", "any {name} for {number}?"]
)
def test_it_is_found_in_english(of: str, kind: str, sentence: str, grammar: Grammar) -> None:
    for name in filter(str.isascii, NAMED[kind]):
        reading = grammar.read(sentence.format(number=NUMBERS[of], name=name))
        assert reading is not None
        assert (reading.line, reading.unsure) == (f"/{kind} {NUMBERS[of]}", False)


@pytest.mark.parametrize(
    ("sentence", "line"),
    [("QT-1001的订单", "/quote QT-1001"), ("INV-7付款了吗", "/invoice INV-7"), ("SO-1001发了吗", "/delivery SO-1001")],
)
def test_its_own_card_tells_the_rest(sentence: str, line: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert reading.line == line
