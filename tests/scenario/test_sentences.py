"""People type sentences: the card answers, and says which line it answers."""

from __future__ import annotations

import re

import pytest

from tests.rows import each_row
from tests.scenario.conftest import ENGLISH, KEEPER, BotSystem

NOT_KNOWN = "(?:没有按|不认识)"
"""What cards say of a name, before and after the bot has learnt the company's names: not that there is none."""


@pytest.fixture
async def system(reading_system: BotSystem) -> BotSystem:
    return reading_system


async def test_a_sentence_is_answered_and_the_card_says_as_what(system: BotSystem) -> None:
    card = await system.ask("SKU123还有多少")
    assert card.title.startswith("SKU123")
    assert "按 /stock SKU123 查询" in card.tips


async def test_a_deed_in_a_sentence_shows_the_document(system: BotSystem) -> None:
    card = await system.ask("PO-1001批了吧")
    assert "PO-1001" in card.title
    assert "按 /po PO-1001 查询" in card.tips


async def test_a_dialogue_goes_on_and_nobody_elses(system: BotSystem) -> None:
    await system.ask("/stock SKU123", who=KEEPER)
    other = await system.ask("what about SKU124", who=ENGLISH)
    assert "SKU124" in other.title
    mine = await system.ask("那深圳仓呢", who=KEEPER)
    assert mine.title.startswith("SKU123")
    assert "按 /stock SKU123 @深圳仓 查询" in mine.tips


async def test_two_documents_are_a_choice(system: BotSystem) -> None:
    card = await system.ask("INV-7跟INV-24付了吗")
    assert [button.text for button in card.buttons] == ["发票：INV-7", "发票：INV-24"]


async def test_a_name_that_nobody_knows_is_told(system: BotSystem) -> None:
    card = await system.ask("大疆的SKU123还有多少")
    assert re.search(f"按 /stock SKU123 查询。{NOT_KNOWN}“大疆”", card.tips)
    english = await system.ask("stock of SKU123 in mars", who=ENGLISH)
    assert re.search("Read as /stock SKU123. (?:Not known here|Not taken into account): “mars”", english.tips)


async def test_what_no_line_holds_is_told(system: BotSystem) -> None:
    card = await system.ask("上海仓的订单")
    assert "按 /order 查询。没有按“上海仓”来查" in card.tips


async def test_what_is_only_known_as_it_is_now_is_a_choice(system: BotSystem) -> None:
    card = await system.ask("SKU123上个月的库存")
    assert [button.text for button in card.buttons] == ["/chart stock SKU123 上个月", "/stock SKU123"]
    assert "以前某天的查不到" in card.markdown


async def test_a_choice_tells_it_too(system: BotSystem) -> None:
    card = await system.ask("大疆的SKU123和SKU124什么时候到货")
    assert [button.text for button in card.buttons] == ["/arrivals SKU123", "/arrivals SKU124"]
    assert re.search(f"{NOT_KNOWN}“大疆”", card.tips)


@each_row(
    "before, sentence, button, without",
    [
        ("/stock SKU123 @深圳仓", "SKU124呢", "去掉@深圳仓", "/stock SKU124"),
        ("/order late", "SKU123的呢", "去掉延期", "/order SKU123"),
    ],
)
async def test_what_a_sentence_leaves_to_the_question_before_can_be_taken_away(
    system: BotSystem, before: str, sentence: str, button: str, without: str
) -> None:
    named = await system.ask(before)
    assert button not in [each.text for each in named.buttons], "the asker named it"
    following = await system.ask(sentence)
    line = next(each for each in following.buttons if each.text == button).params["id"]
    assert line.endswith(f"|{without}"), line
