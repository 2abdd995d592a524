"""/product, /price, /arrivals, /delivery, /receipt, /shortage and /stock of a warehouse, on the demo company."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

import pytest

from bot.access.grants import Scope
from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.presets import PRESET_RULES
from bot.access.rules import AccessRule
from bot.cards.escape import WORD_JOINER
from bot.chat.document_views import view_of_list, view_of_one
from bot.chat.records.order_moves import view_of_moves
from bot.chat.records.products import ProductChoice
from bot.chat.records.stock_views import StockView, WarehouseView
from bot.erp.kinds import BILLS, DELIVERIES, RECEIPTS, SALES_ORDERS
from bot.erp.model import OrderStatus, Progress
from bot.erp.model.goods import ArrivalKind
from bot.kit.testing.commands import Chat, Reply, open_chat
from bot.words.disclosure import ALL_FIELDS, HIDDEN, FieldClass, cut
from commands.arrivals import ArrivalsView
from commands.price import PriceView
from commands.product import ProductView
from commands.shortage import ShortageView
from tests.rows import each_row

DeliveryListView = view_of_list(DELIVERIES)

BillView = view_of_one(BILLS)
DeliveryView = view_of_one(DELIVERIES)
OrderDeliveriesView = view_of_moves(DELIVERIES)
OrderView = view_of_one(SALES_ORDERS)
OrderReceiptsView = view_of_moves(RECEIPTS)
ReceiptListView = view_of_list(RECEIPTS)
ReceiptView = view_of_one(RECEIPTS)

pytest_plugins = "bot.kit.testing.commands"

SALES = Person(user_id="sales01", name="李娜", roles=frozenset({"sales"}))
KEEPER = Person(user_id="keeper01", name="王仓", roles=frozenset({"keeper"}))
BUYER = Person(user_id="buyer01", name="陈立", roles=frozenset({"purchasing"}))


def outcome(reply: Reply) -> str:
    return f"{reply.outcome} {type(reply.view).__name__}"


async def test_a_delivery_tells_when_it_left_with_whom_and_under_which_number(chat: Chat) -> None:
    reply = await chat.says("/delivery dn-1001", private=True)
    view = reply.view
    assert isinstance(view, DeliveryView)
    assert (view.document.order_number, view.document.customer) == ("SO-1001", "杭州宏达机电设备有限公司")
    assert view.document.tracking in reply.body
    assert view.document.carrier in reply.body
    assert reply.buttons["SO-1001"] == "/order SO-1001"


@pytest.mark.parametrize("line", ["/delivery SO-1001", "/发货 so1001", "/fh so 1001", "/物流 SO-1001"])
async def test_an_order_tells_what_left_and_what_is_still_to_leave(chat: Chat, line: str) -> None:
    reply = await chat.says(line)
    view = reply.view
    assert isinstance(view, OrderDeliveriesView)
    assert [row.number for row in view.rows] == ["DN-1001", "DN-1002", "DN-1003"]
    assert "延期 9 天" in reply.body
    one = await reply.click("DN-1003")
    assert isinstance(one.view, DeliveryView)
    assert isinstance((await (await one.click("SO-1001")).click("发货单")).view, OrderDeliveriesView)


async def test_an_order_of_which_nothing_left_says_so(chat: Chat) -> None:
    reply = await chat.says("/delivery SO-1002")
    assert isinstance(reply.view, OrderDeliveriesView)
    for number in range(1480, 1500):
        order = (await chat.says(f"/order SO-{number}")).view
        if isinstance(order, OrderView) and order.document.status is OrderStatus.DRAFT:
            reply = await chat.says(f"/delivery SO-{number}")
            assert "还没有发货" in reply.body
            return
    pytest.fail("no draft")


async def test_deliveries_of_a_customer_and_late_ones_are_listed(chat: Chat) -> None:
    reply = await chat.says("/发货 杭州宏达")
    assert isinstance(reply.view, DeliveryListView)
    assert reply.view.total > 3
    late = (await chat.says("/delivery late")).view
    assert isinstance(late, DeliveryListView)
    assert [row.days_late(late.today) > 0 for row in late.rows] == [True] * len(late.rows)
    assert outcome(await chat.says("/delivery DN-99999")).startswith("not_found")


async def test_a_receipt_tells_what_came_in_and_leads_to_its_order_and_bill_and_back(chat: Chat) -> None:
    reply = await chat.says("/receipt grn-1001", private=True)
    view = reply.view
    assert isinstance(view, ReceiptView)
    (number,) = view.document.order_numbers
    assert all(line.sku in reply.body for line in view.rows)
    assert view.document.warehouse in reply.body
    assert f"采购单：{number}" in reply.body
    assert reply.buttons[number] == f"/po {number}"
    assert reply.buttons["应付单"] == f"/bill {number}"
    bill = await chat.says("/bill BILL-1", private=True)
    assert isinstance(bill.view, BillView)
    assert isinstance((await bill.click("收货单")).view, OrderReceiptsView)


@pytest.mark.parametrize("line", ["/receipt PO-1005", "/收货 po1005", "/入库单 po 1005"])
async def test_a_purchase_order_tells_what_came_in(chat: Chat, line: str) -> None:
    view = (await chat.says(line)).view
    assert isinstance(view, OrderReceiptsView)
    assert view.moved is Progress.FULL
    assert all(row.lines for row in view.rows)


async def test_a_purchase_order_of_which_nothing_came_in_says_so(chat: Chat) -> None:
    reply = await chat.says("/receipt PO-1001")
    assert isinstance(reply.view, OrderReceiptsView)
    assert "还没有到货" in reply.body


async def test_receipts_of_a_vendor_and_of_days_are_listed(chat: Chat) -> None:
    yesterday = (await chat.says("/入库 昨天")).view
    assert isinstance(yesterday, ReceiptListView)
    assert yesterday.total > 3
    assert {(yesterday.today - row.received_on).days for row in yesterday.rows if row.received_on} == {1}
    reply = await chat.says("/收货 永康")
    of_vendor = reply.view
    assert isinstance(of_vendor, ReceiptListView)
    assert all(row.lines and row.lines[0].name[:8] in reply.body for row in of_vendor.rows)
    assert {row.vendor for row in of_vendor.rows} == {"永康市金工量具有限公司"}
    assert outcome(await chat.says("/receipt GRN-99999")).startswith("not_found")


async def test_what_is_on_its_way_of_a_product(chat: Chat) -> None:
    reply = await chat.says("/arrivals sku123")
    assert isinstance(reply.view, ArrivalsView)
    assert [(row.document, row.quantity) for row in reply.view.rows] == [("MO-1", 7500)]
    assert (await reply.click("MO-1")).outcome == "answered"
    assert isinstance((await reply.click("库存")).view, StockView)


async def test_what_comes_today_and_this_week(chat: Chat) -> None:
    today, week, everything = [(await chat.says(f"/到货{word}")).view for word in (" 今天", " 本周", "")]
    assert isinstance(today, ArrivalsView)
    assert isinstance(week, ArrivalsView)
    assert isinstance(everything, ArrivalsView)
    assert today.total <= week.total < everything.total
    last = week.today.replace(day=8)  # the Sunday of that week
    assert all(row.due_on and row.due_on <= last for row in week.rows)
    assert everything.rows[0].due_on == min(row.due_on for row in everything.rows if row.due_on)


async def test_what_comes_on_days_ahead_leaves_out_what_is_late(chat: Chat) -> None:
    view = (await chat.says("/到货 下周")).view
    assert isinstance(view, ArrivalsView)
    monday, sunday = view.today.replace(day=9), view.today.replace(day=15)
    assert view.rows
    assert all(row.due_on and monday <= row.due_on <= sunday for row in view.rows)
    page = (await chat.says(view.line)).view
    assert isinstance(page, ArrivalsView)
    assert (page.rows, page.total) == (view.rows, view.total)


@pytest.mark.parametrize(
    ("days", "title"),
    [
        ("本周", "在途 · 截至11月8日应到货 ("),
        ("昨天", "在途 · 截至11月4日应到货 ("),
        ("today", "在途 · 截至11月5日应到货 ("),
        ("下周", "在途 · 11月9日至11月15日 到货 ("),
    ],
)
async def test_days_that_have_begun_are_told_without_their_beginning(chat: Chat, days: str, title: str) -> None:
    reply = await chat.says(f"/arrivals {days}")
    assert reply.title.replace(WORD_JOINER, "").startswith(title), "what is late since last month is on the list, too"


async def test_what_comes_from_a_vendor(chat: Chat) -> None:
    reply = await chat.says("/arrivals 宝钢")
    view = reply.view
    assert isinstance(view, ArrivalsView)
    assert view.rows
    assert all("宝钢" in row.partner and row.kind is ArrivalKind.PURCHASE for row in view.rows)
    assert (view.vendor, view.product, view.line) == ("宝钢", None, "/arrivals 宝钢")
    assert "宝钢" in reply.title
    days = (await chat.says("/arrivals 宝钢 本周")).view
    assert isinstance(days, ArrivalsView)
    assert (days.line, days.total <= view.total) == ("/arrivals 宝钢 2026-11-02..2026-11-08", True)
    assert outcome(await chat.says("/arrivals 无此厂家")).startswith("not_found")


async def test_who_may_not_see_vendors_does_not_ask_by_them(chat: Chat) -> None:
    hidden = cut((await chat.says("/arrivals 宝钢")).view, ALL_FIELDS - {FieldClass.PARTNER})
    assert "宝钢" not in repr(hidden)


async def test_a_product_of_which_nothing_comes_says_so(chat: Chat) -> None:
    reply = await chat.says("/arrivals ODD-5")
    assert "没有在途" in reply.body
    assert isinstance((await chat.says("/arrivals 管钳")).view, ProductChoice)
    assert isinstance((await chat.says("/arrivals M8螺栓")).view, ProductChoice), "name and size without a blank"
    assert outcome(await chat.says("/arrivals 飞机")).startswith("not_found")


async def test_what_is_short_in_all_and_in_a_warehouse(chat: Chat) -> None:
    everywhere, here = (await chat.says("/缺货")).view, (await chat.says("/缺货 上海仓")).view
    assert isinstance(everywhere, ShortageView)
    assert isinstance(here, ShortageView)
    assert 0 < here.total < everywhere.total
    assert {row.warehouse for row in here.rows} == {"上海仓"}
    assert everywhere.rows[0].owed > 0
    assert (await chat.says("/shortage @上海")).body == (await chat.says("/shortage @SH")).body
    assert outcome(await chat.says("/shortage @北京")).startswith("not_found")


async def test_what_lies_in_a_warehouse_page_by_page(chat: Chat) -> None:
    first = await chat.says("/stock @深圳仓")
    assert isinstance(first.view, WarehouseView)
    assert first.view.name == "深圳仓"
    second = await first.click("下一页")
    assert isinstance(second.view, WarehouseView)
    assert 0 < second.view.offset <= len(first.view.rows)
    assert second.view.rows[0].product.sku not in first.body
    screws = (await chat.says("/库存 膨胀螺栓 @上海仓")).view
    assert isinstance(screws, WarehouseView)
    assert {row.product.name for row in screws.rows} == {"膨胀螺栓"}


async def test_prices_are_shown_to_own_eyes_and_kept_from_the_group(chat: Chat) -> None:
    reply = await chat.says("/price SKU146", private=True)
    view = reply.view
    assert isinstance(view, PriceView)
    assert view.prices.list_price is not None
    assert str(view.prices.list_price.amount.normalize()) in reply.body
    assert len(view.prices.sales) == 5
    to_one = (await chat.says("/价格 SKU146 宏达", private=True)).view
    assert isinstance(to_one, PriceView)
    assert {point.partner for point in to_one.prices.sales} == {"杭州宏达机电设备有限公司"}


async def test_a_name_of_two_words_is_a_product_too(chat: Chat) -> None:
    reply = await chat.says("/price 螺母 M3")
    assert isinstance(reply.view, PriceView)
    assert reply.view.prices.product.sku == "SKU146"


async def test_a_product_tells_its_vendors_parts_and_uses(chat: Chat) -> None:
    fan = await chat.says("/product fan-21", private=True)
    assert isinstance(fan.view, ProductView)
    assert "用料" in fan.body
    part = await fan.click("RM-41")
    assert isinstance(part.view, ProductView)
    assert "用于" in part.body
    assert part.view.details.supplies
    assert isinstance((await fan.click("价格")).view, PriceView)
    assert isinstance((await fan.click("在途")).view, ArrivalsView)


def _rule(command: str, fields: Iterable[FieldClass] = ALL_FIELDS, **scope: frozenset[str]) -> AccessRule:
    return AccessRule(
        commands=frozenset(command.split()), roles=frozenset({"sales"}), fields=frozenset(fields), scope=Scope(**scope)
    )


class TestWithReadyRules:
    @pytest.fixture
    async def chat(self) -> AsyncIterator[Chat]:
        async with open_chat(policy=AccessPolicy(PRESET_RULES)) as chat:
            yield chat

    async def test_sales_sees_no_purchase_prices(self, chat: Chat) -> None:
        view = (await chat.says("/price RM-52", person=SALES, private=True)).view
        assert isinstance(view, PriceView)
        assert (view.prices.purchases, view.shows_purchases) == ((), False)

    async def test_a_buyer_sees_no_sales_prices(self, chat: Chat) -> None:
        view = (await chat.says("/price RM-52", person=BUYER, private=True)).view
        assert isinstance(view, PriceView)
        assert view.prices.purchases
        assert (view.prices.sales, view.shows_sales, view.prices.list_price) == ((), False, HIDDEN)
        assert view.withheld, "its tips say why there are locks"

    async def test_a_keeper_sees_quantities_and_no_vendor(self, chat: Chat) -> None:
        reply = await chat.says("/arrivals RM-52", person=KEEPER, private=True)
        view = reply.view
        assert isinstance(view, ArrivalsView)
        assert view.rows
        assert {(row.document, row.partner) for row in view.rows} == {("", "")}
        assert not view.withheld
        assert all(row.quantity > 0 for row in view.rows)
        assert "供应商" not in (await chat.says("/product RM-52", person=KEEPER, private=True)).body
        for name in ("宝钢", "无此厂家"):
            reply = await chat.says(f"/arrivals {name}", person=KEEPER, private=True)
            assert outcome(reply).startswith("not_found"), "it is not told who delivers"

    async def test_a_keeper_does_not_see_deliveries_of_orders(self, chat: Chat) -> None:
        for line in ("/delivery SO-1001", "/delivery DN-1001"):
            assert outcome(await chat.says(line, person=KEEPER, private=True)).startswith("not_found")

    async def test_a_buyer_sees_receipts_and_a_keeper_and_a_salesperson_do_not(self, chat: Chat) -> None:
        for line in ("/receipt PO-1005", "/receipt GRN-1001"):
            assert isinstance((await chat.says(line, person=BUYER)).view, OrderReceiptsView | ReceiptView)
            for stranger in (KEEPER, SALES):
                assert outcome(await chat.says(line, person=stranger, private=True)).startswith("not_found")
        assert (await chat.says("/receipt", person=KEEPER, private=True)).view.total == 0


class TestBillsOfMaterials:
    @each_row(
        ("fields", "scope", "told"),
        [
            ({FieldClass.QUANTITY, FieldClass.MATERIALS}, {}, True),
            (ALL_FIELDS - {FieldClass.MATERIALS}, {}, False),
            # What a product is made of is in other categories.
            (ALL_FIELDS, {"categories": frozenset({"电风扇"})}, False),
            (ALL_FIELDS, {"categories": frozenset({"电风扇", "原材料"})}, True),
            (ALL_FIELDS, {"warehouses": frozenset({"上海成品仓库"})}, True),
        ],
    )
    async def test_are_for_readers_of_their_class_and_of_the_components(
        self, fields: frozenset[FieldClass], scope: dict[str, frozenset[str]], *, told: bool
    ) -> None:
        async with open_chat(policy=AccessPolicy((_rule("stock", fields, **scope),))) as chat:
            reply = await chat.says("/product FAN-21", person=SALES, private=True)
            view = reply.view
            assert isinstance(view, ProductView)
            assert ("RM-41" in reply.body, "RM-41" in reply.buttons, view.total > 0) == (told, told, told)
            assert "FAN-21" in reply.title

    async def test_are_not_counted_on_a_card_that_does_not_show_them(self, chat: Chat) -> None:
        view = (await chat.says("/product FAN-21", private=True)).view
        shared = cut(view, ALL_FIELDS - {FieldClass.MATERIALS})
        assert isinstance(shared, ProductView)
        assert (shared.rows, shared.total, shared.details.components) == (HIDDEN, HIDDEN, HIDDEN)
        assert shared.withheld == {FieldClass.MATERIALS}
        plain = (await chat.says("/product BG-02", private=True)).view
        assert cut(plain, ALL_FIELDS - {FieldClass.MATERIALS}).withheld == frozenset()


async def test_a_tracking_number_tells_whose_goods_they_are(chat: Chat) -> None:
    view = (await chat.says("/delivery dn-1001", private=True)).view
    shown = cut(view, ALL_FIELDS - {FieldClass.PARTNER})
    assert isinstance(shown, DeliveryView)
    assert (shown.document.tracking, shown.document.customer) == (HIDDEN, HIDDEN)


class TestWithoutVendors:
    @pytest.fixture
    async def chat(self) -> AsyncIterator[Chat]:
        rules = (_rule("arrivals stock product"), _rule("po", ALL_FIELDS - {FieldClass.PARTNER}))
        async with open_chat(policy=AccessPolicy(rules)) as chat:
            yield chat

    async def test_the_tips_say_why_there_are_locks(self, chat: Chat) -> None:
        reply = await chat.says("/arrivals RM-52", person=SALES, private=True)
        assert isinstance(reply.view, ArrivalsView)
        assert {row.partner for row in reply.view.rows} == {HIDDEN}
        assert reply.view.withheld == {FieldClass.PARTNER}
        bought = (await chat.says("/product RM-52", person=SALES, private=True)).view
        assert isinstance(bought, ProductView)
        assert {supply.vendor for supply in bought.details.supplies} == {HIDDEN}
        assert bought.withheld >= {FieldClass.PARTNER}
        came_in = (await chat.says("/receipt GRN-1001", person=SALES, private=True)).view
        assert isinstance(came_in, ReceiptView)
        assert (came_in.document.vendor, came_in.withheld) == (HIDDEN, {FieldClass.PARTNER})


class TestOneCustomer:
    @pytest.fixture
    async def chat(self) -> AsyncIterator[Chat]:
        only = frozenset({"杭州宏达机电设备有限公司"})
        async with open_chat(policy=AccessPolicy((_rule("order", partners=only),))) as chat:
            yield chat

    async def test_sees_deliveries_and_prices_of_that_customer(self, chat: Chat) -> None:
        assert isinstance((await chat.says("/delivery SO-1001", person=SALES)).view, OrderDeliveriesView)
        listed = (await chat.says("/delivery", person=SALES)).view
        assert isinstance(listed, DeliveryListView)
        assert {row.customer for row in listed.rows} == {"杭州宏达机电设备有限公司"}
        view = (await chat.says("/price SKU146", person=SALES)).view
        assert isinstance(view, PriceView)
        assert {point.partner for point in view.prices.sales} == {"杭州宏达机电设备有限公司"}
