"""People type sentences: the card answers, and says which line it answers."""

from __future__ import annotations

from tests.scenario.conftest import ENGLISH, KEEPER, BotSystem


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
    assert [button.text for button in card.buttons] == ["/invoice INV-7", "/invoice INV-24"]


async def test_before_anything_is_learnt_no_name_is_said_not_to_exist(system: BotSystem) -> None:
    card = await system.ask("大疆的SKU123还有多少")
    assert "按 /stock SKU123 查询。没有按“大疆”来查" in card.tips
    english = await system.ask("stock of SKU123 in mars", who=ENGLISH)
    assert "Read as /stock SKU123. Not taken into account: “mars”" in english.tips


async def test_what_no_line_holds_is_told(system: BotSystem) -> None:
    card = await system.ask("SKU123上个月的库存")
    assert "按 /stock SKU123 查询。没有按“上个月”来查" in card.tips


async def test_a_choice_tells_it_too(system: BotSystem) -> None:
    card = await system.ask("大疆的SKU123和SKU124什么时候到货")
    assert [button.text for button in card.buttons] == ["/arrivals SKU123", "/arrivals SKU124"]
    assert "没有按“大疆”来查" in card.tips
