"""What a company's own events tell, and to whom: facts by their class, words by what they speak of."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from bot.alerts import labels
from bot.alerts.event import Event
from bot.alerts.intake.normalization import split_events
from bot.alerts.intake.port import EventState, ReceivedEvent
from bot.words.disclosure import MONEY_FIELDS, FieldClass
from tests.alerts.intake.samples import cloud_event, kept, stored
from tests.rows import each_row

AMOUNT, COST, NOTHING = frozenset({FieldClass.AMOUNT}), frozenset({FieldClass.COST}), frozenset[FieldClass]()


def received(**data: object) -> ReceivedEvent:
    return kept(cloud_event(type="custom.x", data={"title": "x", **data}))


def event(**data: object) -> Event:
    [happened] = split_events(stored(cloud_event(type="custom.x", data={"title": "x", **data})))
    return happened


@each_row(
    ("label", "fact", "shown", "classes"),
    [
        ("温度", "7.4 °C", "7.4 °C", NOTHING),
        ("Total", "12 800", "12 800", MONEY_FIELDS),
        ("货款", Decimal("12800"), "12800", MONEY_FIELDS),
        ("剩余", "12,800 元", "12,800 元", MONEY_FIELDS),
        ("Total", {"value": "12", "class": "quantity"}, "12", {FieldClass.QUANTITY}),
        ("at risk", {"value": Decimal("128000"), "class": "amount"}, "128000", AMOUNT),
        ("at risk", {"value": "128000", "class": "cost"}, "128000", COST),
        ("at risk", {"value": "CNY 128000", "class": "quantity"}, "CNY 128000", {FieldClass.QUANTITY} | MONEY_FIELDS),
        ("who", {"value": "华东机械", "class": "partner"}, "华东机械", {FieldClass.PARTNER}),
        ("call", {"value": "138 0000 0000", "class": "contact"}, "138 0000 0000", {FieldClass.CONTACT}),
    ],
)
def test_a_fact_tells_what_its_sender_says_or_what_it_speaks_of(
    label: str, fact: object, shown: str, classes: frozenset[FieldClass]
) -> None:
    [told] = labels.facts(event(facts={label: fact}), date(2026, 11, 24))
    assert (told.value, told.classes) == (shown, classes)


@each_row(
    ("text", "classes"),
    [
        ("Above 5 °C since 08:10.", NOTHING),
        ("The goods are worth 128000.", MONEY_FIELDS),
        ("损失约 3 万", MONEY_FIELDS),
        ("欠款三万，请尽快处理", MONEY_FIELDS),
        ("第 2 行：应付 12800", MONEY_FIELDS),
        ("付款方式未填", NOTHING),
        ("合计 12 箱，¥9", MONEY_FIELDS),
    ],
)
def test_text_that_names_money_is_an_amount(text: str, classes: frozenset[FieldClass]) -> None:
    happened = event(text=text)
    assert labels.lines_classes(happened) == classes
    assert replace(happened, title=text).words_classes == classes


@pytest.mark.parametrize("said", ["money", "", None, 7, "AMOUNT"])
def test_a_class_that_does_not_exist_is_a_rejected_event_with_the_reason(said: object) -> None:
    found = received(facts={"at risk": {"value": "128000", "class": said}})
    assert found.state is EventState.REJECTED
    assert "class" in found.reason
    assert "128000" not in found.reason


def test_a_fact_of_another_shape_is_rejected() -> None:
    assert received(facts={"at risk": {"value": "1", "class": "cost", "unit": "CNY"}}).state is EventState.REJECTED
    assert received(facts={"at risk": {"value": "1"}}).state is EventState.REJECTED
