"""Answers that once misled (finding 10): each stays mended on the running bot, in both languages."""

from __future__ import annotations

import re
from datetime import datetime

from bot.erp.port import Filter, ListQuery
from bot.kit.demo import suggested_commands
from tests.scenario.conftest import ENGLISH, KEEPER, BotSystem, OpenSystem

BOSS = "boss01"
APPROVING = {
    "access": {"roles": {"approver": frozenset({BOSS})}, "accounts": {BOSS: {"demo": BOSS}, KEEPER: {"demo": KEEPER}}},
    "poll": {"enabled": True},
}


async def test_finding_10_a_search_counts_more_than_it_read(system: BotSystem) -> None:
    card = await system.ask("/find 螺丝")
    assert re.search(r"产品：40 多条结果", card.markdown), card.markdown
    assert "more than 40 hits" in (await system.ask("/find 螺丝", who=ENGLISH)).markdown


async def test_finding_10_a_warehouse_counts_without_the_slash(reading_system: BotSystem) -> None:
    bare, typed = await reading_system.ask("SKU123 @上海仓"), await reading_system.ask("/stock SKU123 @上海仓")
    assert bare.markdown == typed.markdown
    assert "深圳仓" not in bare.markdown
    alone = await reading_system.ask("/stock 上海仓")
    assert alone.title == (await reading_system.ask("/stock @上海仓")).title


async def test_finding_10_numbers_are_found_as_people_spell_them(reading_system: BotSystem) -> None:
    for typed, number in (("INV7", "INV-7"), ("inv 7", "INV-7"), ("SO1001", "SO-1001"), ("SKU 123", "SKU123")):
        assert number in (await reading_system.ask(typed)).title, typed


async def test_finding_10_a_paid_invoice_owes_nothing_and_says_no_zero(system: BotSystem) -> None:
    newest = (await system.app.hub.invoices(ListQuery(filter=Filter.ALL, limit=500))).value
    paid = next(invoice for invoice in newest.items if invoice.status.value == "paid")
    for who in (KEEPER, ENGLISH):
        assert "0.00" not in re.sub(r"[\d,]*[1-9][\d,]*\.00", "", (await system.ask(paid.number, who=who)).markdown)


async def test_finding_10_dates_of_this_year_have_no_year_and_stay_whole(system: BotSystem) -> None:
    year = str(datetime.now().astimezone().year)
    for line in ("/order SO-1001", "/invoice overdue", "/order late"):
        card = await system.ask(line)
        assert year not in card.markdown, line
        assert not re.search(r"\d月", card.markdown.replace("承诺交期", "")) or "list" not in card.title
    assert "\u2060月\u2060" in (await system.ask("/order late")).markdown


async def test_finding_10_turning_a_page_is_never_the_next_sensible_step(system: BotSystem) -> None:
    for line in ("/order", "/invoice overdue", "/stock @上海仓", "/find 螺丝", "/alerts"):
        card = await system.ask(line)
        assert not [button.text for button in card.buttons if button.color == "blue" and "页" in button.text]


async def test_finding_6_an_ordinary_customer_leads_the_late_orders(system: BotSystem) -> None:
    listed = (await system.ask("/order late", who="boss01")).markdown
    total, first, *_ = re.split(r"\n\n|<br>", listed)
    assert total.startswith("总额：")
    assert re.fullmatch(r"\*\*SO-\d+\*\* [\u4e00-\u9fff（）]+(有限公司|店|厂|…)", first), first
    assert "7＊7" not in listed


def test_finding_10_completion_knows_every_command() -> None:
    offered = {command.name for command in suggested_commands()}
    assert {"order", "stock", "find", "export", "subscribe", "whoami", "why", "bind"} <= offered
    assert len(offered) >= 30


async def test_unit_prices_have_the_sign_of_their_currency(system: BotSystem) -> None:
    chinese, english = await system.ask("/price SKU123"), await system.ask("/price SKU123", who=ENGLISH)
    assert "CNY" not in chinese.markdown + english.markdown
    assert "标价：¥0.1062/个" in chinese.markdown


async def test_a_list_says_which_day_it_shows(system: BotSystem) -> None:
    assert re.search(r"\d+\D{0,3}月\D{0,3}\d+\D{0,3}日 到期", (await system.ask("/invoice")).markdown)
    assert "交期 " in (await system.ask("/order")).markdown
    assert "due " in (await system.ask("/invoice", who=ENGLISH)).markdown


async def test_the_way_back_ends_where_it_began_also_from_long_lists(system: BotSystem) -> None:
    card = await system.ask("/order", who="boss01")
    for _ in range(4):
        card = await system.click(card, "下一页", "boss01")
    titles = [(card.title, card.markdown)]
    seen: set[str] = set()
    for step in ("SO-", "客户", "SO-", "SKU", "价格"):
        buttons = [each.text for each in card.buttons if each.text.startswith(step) and each.text not in seen]
        if not buttons:
            continue
        seen.add(button := buttons[0])
        card = await system.click(card, button, "boss01")
        titles.append((card.title, card.markdown))
    assert len(titles) >= 4
    for title in reversed(titles[:-1]):
        card = await system.click(card, "返回", "boss01")
        assert (card.title, card.markdown) == title
    for number in [each.text for each in card.buttons if each.text.startswith("SO-")]:
        order = await system.click(card, number, "boss01")
        assert "返回" in [each.text for each in order.buttons]
        assert (await system.click(order, "返回", "boss01")).title == card.title


async def test_examples_are_in_the_readers_language(system: BotSystem) -> None:
    card = await system.ask("/stock", who=ENGLISH)
    assert card.buttons
    assert all(button.text.isascii() for button in card.buttons)


async def test_a_document_shows_its_lines_though_there_is_no_room_for_all_buttons(system: BotSystem) -> None:
    order = (await system.app.hub.purchase_order("PO-1055")).value
    card = await system.ask("/po PO-1055", who="boss01")
    assert all(line.sku in card.markdown for line in order.lines)
    assert "供应商" in [button.text for button in card.buttons]


async def test_finding_10_what_waits_tells_when_it_was_ordered_and_not_when_the_bot_started(
    open_system: OpenSystem,
) -> None:
    async with open_system(**APPROVING) as system:
        await system.app.approvals.pending_poller.poll()
        card = await system.ask("/pending", who=BOSS)
        number = card.buttons[0].text
        order = (await system.app.hub.purchase_order(number)).value
        assert order.ordered_on is not None
        day = f"{order.ordered_on.month}月{order.ordered_on.day}日"
        assert f"下单日期：{day}" in card.markdown.replace("\u2060", "")
        assert "自 " not in card.markdown
        assert "下一页" not in [button.text for button in card.buttons if button.color == "blue"]


async def test_finding_10_who_may_not_approve_is_offered_nothing_to_approve(open_system: OpenSystem) -> None:
    async with open_system(**APPROVING) as system:
        await system.app.approvals.pending_poller.poll()
        number = (await system.ask("/pending", who=BOSS)).buttons[0].text
        for line in (f"/approve {number}", f"/po {number}", f"/why {number}"):
            card = await system.ask(line)
            assert not {"同意", "拒绝", "转交"} & {button.text for button in card.buttons}, line
            assert "default" not in card.markdown + card.tips, "the rule of a company that wrote none has a name"
        assert "您不是此单的审批人" in (await system.ask(f"/approve {number}")).markdown


async def test_finding_10_nothing_to_undo_is_said_so(open_system: OpenSystem) -> None:
    async with open_system(**APPROVING) as system:
        await system.app.approvals.pending_poller.poll()
        number = (await system.ask("/pending", who=BOSS)).buttons[0].text
        assert "没有可撤回的审批" in (await system.ask(f"/approve {number} undo", who=BOSS)).markdown
        done = await system.ask("/approve PO-1054 undo", who=BOSS)
        assert "ERP 中的状态：" in done.markdown
