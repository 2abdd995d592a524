"""A user's first day: asks, picks, pages, drills down, in Chinese and English, in group and direct chat."""

from __future__ import annotations

import pytest

from bot.erp.port import Filter, ListQuery
from tests.scenario.conftest import ENGLISH, KEEPER, MILD, OUTSIDER, BotSystem, OpenSystem

CREATE = "POST /v1.0/card/instances/createAndDeliver"


async def test_stock_shows_the_figures_of_the_erp(system: BotSystem) -> None:
    card = await system.ask("/stock SKU123")
    level = (await system.app.hub.stock("SKU123")).value
    assert level.product.sku in card.title
    assert level.product.name in card.title
    for place in level.per_warehouse:
        assert place.name in card.markdown
        for figure in (place.quantities.on_hand, place.quantities.available, place.quantities.reserved):
            assert figure is not None
            assert f"{figure:,}" in card.markdown
    assert f"{level.reorder_point:,}" in card.markdown


async def test_an_answer_costs_one_call_and_a_page_none(system: BotSystem) -> None:
    before = system.engine.flow.used
    card = await system.ask("/order late")
    assert system.engine.flow.used == before + 1
    await system.click(card, "下一页")
    assert system.engine.flow.used == before + 1


async def test_pages_show_every_row_once_and_lead_back(system: BotSystem) -> None:
    late = (await system.app.hub.orders(ListQuery(filter=Filter.LATE, limit=500))).value
    card = await system.ask("/order late")
    seen: list[str] = []
    while True:
        seen += [button.text for button in card.buttons if button.text.startswith("SO-")]
        if not any(button.text == "下一页" for button in card.buttons):
            break
        card = await system.click(card, "下一页")
    assert seen == [order.number for order in late.items]
    first = await system.click(card, "上一页")
    assert first.title == card.title


@pytest.mark.usefixtures("confirmed")
async def test_once_that_is_confirmed_a_page_turn_is_seen_by_the_clicker_alone(open_system: OpenSystem) -> None:
    async with open_system(MILD, cards={"private_way": "private_data"}) as system:
        card = await system.ask("/order late")
        second = await system.click(card, "下一页", who=ENGLISH)
        assert second.private_to_viewer
        assert system.see(card, KEEPER).markdown == card.markdown
        turned = await system.click(card, "下一页")
        assert turned.markdown != card.markdown  # though the asker has values of their own
        assert system.see(card, ENGLISH).markdown == second.markdown


async def test_part_of_a_name_gives_a_pick_list(system: BotSystem) -> None:
    picks = await system.ask("库存 螺丝")
    choice = next(button for button in picks.buttons if button.text.startswith("SKU123"))
    card = await system.click(picks, choice.text)
    assert card.title.startswith("SKU123")


async def test_drill_down_from_an_order_to_the_stock_of_its_lines(system: BotSystem) -> None:
    order = await system.ask("so-1001")
    assert "SO-1001" in order.title
    stock = await system.click(order, "库存")
    assert [button.text for button in stock.buttons[:4]] == ["SKU123", "SKU146", "HT-113", "FAN-21"]


async def test_an_english_reader_reads_english(system: BotSystem) -> None:
    card = await system.ask("/invoice overdue", who=ENGLISH)
    assert "overdue" in card.title.casefold()
    chinese = await system.ask("/invoice overdue", who=KEEPER)
    assert "逾期" in chinese.title


async def test_a_language_is_chosen_for_oneself_and_kept(system: BotSystem) -> None:
    await system.ask("/lang en")
    assert "Available" in (await system.ask("/stock SKU123")).markdown
    other = await system.ask("/stock SKU123", who="sales01")
    assert "可用" in other.markdown


async def test_direct_chat_answers_in_the_direct_chat(system: BotSystem) -> None:
    direct = system.engine.direct(KEEPER).id
    card = await system.ask("SKU123 库存", where=direct)
    assert card.title.startswith("SKU123")
    assert not system.engine.items(system.group)


async def test_a_group_message_that_is_not_for_the_bot_is_left_alone(system: BotSystem) -> None:
    chatter = system.engine.say(system.group, KEEPER, "/stock SKU123", at_bot=False)
    await system.ask("/help")
    (only,) = system.answers(chatter)
    assert only.card.view_for(KEEPER).title != "SKU123"  # type: ignore[union-attr]  # the bot answers with a card


async def test_an_outsider_is_refused_politely(system: BotSystem) -> None:
    card = await system.ask("/stock SKU123", who=OUTSIDER)
    assert "SKU123" not in card.title
    await system.settle()
    assert system.count("questions_total", command="none", outcome="denied") == 1


async def test_every_command_answers(system: BotSystem) -> None:
    for line in ("/stock SKU123", "/order SO-1001", "/invoice INV-7", "/po PO-1001", "/mo MO-1", "/help", "/whoami"):
        await system.ask(line)
    await system.settle()
    answered = [
        sample.value
        for metric in system.app.metrics.registry.collect()
        for sample in metric.samples
        if sample.name == "dingerp_questions_total" and sample.labels["outcome"] == "answered"
    ]
    assert sum(answered) == 7
