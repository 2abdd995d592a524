"""What a user does on the first day: asks, picks, pages, drills down, in Chinese and English, in group and direct."""

from __future__ import annotations

from bot.erp.port import Filter, ListQuery
from tests.scenario.conftest import ENGLISH, KEEPER, OUTSIDER, Town

CREATE = "POST /v1.0/card/instances/createAndDeliver"


async def test_stock_shows_the_figures_of_the_erp(town: Town) -> None:
    card = await town.ask("/stock SKU123")
    level = (await town.app.hub.stock("SKU123")).value
    assert level.product.sku in card.title
    assert level.product.name in card.title
    for place in level.per_warehouse:
        assert place.name in card.markdown
        for figure in (place.quantities.on_hand, place.quantities.available, place.quantities.reserved):
            assert figure is not None
            assert f"{figure:,}" in card.markdown
    assert f"{level.reorder_point:,}" in card.markdown


async def test_an_answer_costs_one_call_and_a_page_none(town: Town) -> None:
    before = town.engine.flow.used
    card = await town.ask("/order late")
    assert town.engine.flow.used == before + 1
    await town.click(card, "下一页")
    assert town.engine.flow.used == before + 1


async def test_pages_show_every_row_once_and_lead_back(town: Town) -> None:
    late = (await town.app.hub.orders(ListQuery(filter=Filter.LATE, limit=500))).value
    card = await town.ask("/order late")
    seen: list[str] = []
    while True:
        seen += [button.text for button in card.buttons if button.text.startswith("SO-")]
        if not any(button.text == "下一页" for button in card.buttons):
            break
        card = await town.click(card, "下一页")
    assert seen == [order.number for order in late.items]
    first = await town.click(card, "上一页")
    assert first.title == card.title


async def test_a_page_turn_is_seen_by_the_clicker_alone(town: Town) -> None:
    card = await town.ask("/order late")
    await town.click(card, "下一页", who=ENGLISH)
    assert town.see(card, ENGLISH).private_to_viewer
    assert town.see(card, KEEPER).markdown == card.markdown


async def test_part_of_a_name_gives_a_pick_list(town: Town) -> None:
    picks = await town.ask("库存 螺丝")
    choice = next(button for button in picks.buttons if button.text.startswith("SKU123"))
    card = await town.click(picks, choice.text)
    assert card.title.startswith("SKU123")


async def test_drill_down_from_an_order_to_the_stock_of_a_line(town: Town) -> None:
    order = await town.ask("so-1001")
    assert "SO-1001" in order.title
    stock = await town.click(order, "SKU123")
    assert stock.title.startswith("SKU123")


async def test_an_english_reader_reads_english(town: Town) -> None:
    card = await town.ask("/invoice overdue", who=ENGLISH)
    assert "overdue" in card.title.casefold()
    chinese = await town.ask("/invoice overdue", who=KEEPER)
    assert "逾期" in chinese.title


async def test_a_language_is_chosen_for_oneself_and_kept(town: Town) -> None:
    await town.ask("/lang en")
    assert "Available" in (await town.ask("/stock SKU123")).markdown
    other = await town.ask("/stock SKU123", who="sales01")
    assert "可用" in other.markdown


async def test_direct_chat_answers_in_the_direct_chat(town: Town) -> None:
    direct = town.engine.direct(KEEPER).id
    card = await town.ask("SKU123 库存", where=direct)
    assert card.title.startswith("SKU123")
    assert not town.engine.items(town.group)


async def test_a_group_message_that_is_not_for_the_bot_is_left_alone(town: Town) -> None:
    chatter = town.engine.say(town.group, KEEPER, "/stock SKU123", at_bot=False)
    await town.ask("/help")
    (only,) = town.answers(chatter)
    assert only.card.face(KEEPER).title != "SKU123"  # type: ignore[union-attr]  # a card, for the bot answers so


async def test_an_outsider_is_refused_politely(town: Town) -> None:
    card = await town.ask("/stock SKU123", who=OUTSIDER)
    assert "SKU123" not in card.title
    await town.settle()
    assert town.count("questions_total", command="none", outcome="denied") == 1


async def test_every_command_answers(town: Town) -> None:
    for line in ("/stock SKU123", "/order SO-1001", "/invoice INV-7", "/po PO-1001", "/mo MO-1", "/help", "/whoami"):
        await town.ask(line)
    await town.settle()
    answered = [
        sample.value
        for metric in town.app.metrics.registry.collect()
        for sample in metric.samples
        if sample.name == "dingerp_questions_total" and sample.labels["outcome"] == "answered"
    ]
    assert sum(answered) == 7
