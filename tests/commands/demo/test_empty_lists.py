"""Lists of the demo company that hold nothing: nobody has the name, or a condition emptied them."""

from __future__ import annotations

from bot.cards.notices import NotFoundNotice
from bot.chat.document_views import DocumentListView
from commands.arrivals import ArrivalsView
from tests.commands.conftest import Ask, as_, lines
from tests.commands.demo.company import OWN_CHAT, OWNER
from tests.rows import each_row

LISTS = (
    *("order", "order open", "order late", "order 上个月", "order >1000", "order open due this week"),
    *("invoice", "invoice open", "invoice overdue", "invoice 去年", "invoice open balance>1000"),
    *("bill", "bill open", "bill overdue", "bill 上个月", "bill due today"),
    *("po", "po open", "po pending", "po late", "po 今年", "po >1000"),
    *("payment", "payment received", "payment paid", "payment 上个月"),
    *("delivery", "delivery late", "delivery due today", "receipt", "receipt 上个月"),
    *("mo", "mo open", "mo late", "mo done"),
)


async def test_a_name_that_nobody_has_is_not_found_whatever_else_is_asked(ask: Ask) -> None:
    for name in ("大疆", "Baosteel"):
        for line in LISTS:
            command, _, rest = line.partition(" ")
            answer = await ask(f"/{command} {name} {rest}".strip(), where=OWN_CHAT, person=OWNER)
            assert answer.outcome == "not_found", (line, name, answer.view)
            assert isinstance(answer.view, NotFoundNotice)
            assert answer.view.what == name


async def test_a_name_like_another_offers_it_with_the_rest_of_the_line(ask: Ask) -> None:
    for line, offered in (
        ("/invoice 宝钢", "/vendor 宝钢线材销售（上海）有限公司"),
        ("/invoice open 杭州宏达机电设备厂", "/invoice open 杭州宏达机电设备有限公司"),
        ("/po late 永康市金工工具厂", "/po late 永康市金工量具有限公司"),
        ("/invoice open 永康市金工工具厂", "/vendor 永康市金工量具有限公司"),
    ):
        view = as_(NotFoundNotice, await ask(line, where=OWN_CHAT, person=OWNER))
        assert offered in lines(view)


@each_row(
    "line, wider",
    [
        ("/order late 2020-01-01", "/order late"),
        ("/order 2020-01-01", "/order"),
        ("/order 宏达 2020-01-01", "/order 宏达"),
        ("/order >99999999", "/order"),
        ("/order open 宏达 >99999999", "/order open 宏达"),
        ("/order 我的 >99999999", "/order 我的"),
        ("/invoice overdue 2020-01-01", "/invoice overdue"),
        ("/bill open 2020-01-01 >99999999", "/bill open"),
        ("/po pending 2020-01-01", "/po pending"),
        ("/payment received 2020-01-01", "/payment received"),
        ("/payment received 宝钢", "/payment received"),
        ("/delivery late 2020-01-01", "/delivery late"),
        ("/receipt 2020-01-01", "/receipt"),
        ("/mo done 2020-01-01", "/mo done"),
    ],
)
async def test_an_empty_list_says_what_emptied_it(ask: Ask, line: str, wider: str) -> None:
    view = as_(DocumentListView, await ask(line, where=OWN_CHAT, person=OWNER))
    assert (view.total, lines(view)[0]) == (0, wider)
    again = as_(DocumentListView, await ask(wider, where=OWN_CHAT, person=OWNER))
    assert again.total == view.emptied[0].total > 0


async def test_no_goods_on_a_day_says_how_much_is_on_its_way_at_all(ask: Ask) -> None:
    view = as_(ArrivalsView, await ask("/arrivals 宝钢 2030-01-01", where=OWN_CHAT, person=OWNER))
    (wider,) = lines(view)
    again = as_(ArrivalsView, await ask(wider, where=OWN_CHAT, person=OWNER))
    assert (view.total, wider) == (0, "/arrivals 宝钢")
    assert again.total == view.emptied[0].total > 0
