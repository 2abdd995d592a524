"""/order, /invoice, /po and /mo: one document, a partner's, a named list; pages and drill-downs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, timedelta
from decimal import Decimal

import pytest

from bot.cards.language import load_languages
from bot.cards.notices import ErpDownNotice, NotFoundNotice
from bot.cards.renderer import CardRenderer
from bot.cards.view import Color, View
from bot.chat.document_views import DocumentListView, DocumentView, view_of_list, view_of_one
from bot.chat.records.stock_views import StockView
from bot.erp.errors import Ambiguous, NotPermitted, Unavailable
from bot.erp.kinds import INVOICES, PRODUCTION_ORDERS, SALES_ORDERS
from bot.erp.model import InvoiceStatus, Money, OrderStatus, SalesOrder
from commands.invoice import InvoiceList
from commands.order import OrderList
from commands.po import PurchaseList
from tests.commands.company import TODAY, Company, cny, invoice, order
from tests.commands.conftest import Ask, as_, body_of, lines
from tests.rows import each_row

InvoiceListView = view_of_list(INVOICES)
ProductionListView = view_of_list(PRODUCTION_ORDERS)
OrderListView = view_of_list(SALES_ORDERS)

InvoiceView = view_of_one(INVOICES)
ProductionView = view_of_one(PRODUCTION_ORDERS)
OrderView = view_of_one(SALES_ORDERS)

ERP_LINK = "https://erp.example.com/SO-1001"


async def test_an_order_with_its_lines(ask: Ask, company: Company) -> None:
    view = as_(OrderView, await ask("/order so-1001"))
    assert (view.days_late, view.document.number, view.document.customer) == (6, "SO-1001", "上海宏图机械")
    assert view.document.total == cny("100")
    assert (len(view.rows), view.total) == (8, 11)
    assert lines(view) == [
        "/mo SO-1001",
        "/why SO-1001",
        *(f"/stock W-{i}" for i in range(1, 9)),
        "/order SO-1001 +8",
        "/customer 上海宏图机械",
        ERP_LINK,
        "/export order SO-1001",
    ]
    assert company.calls == ["order so-1001"]


async def test_a_line_of_goods_that_come_back_is_marked(ask: Ask, company: Company) -> None:
    exchange = company.sales[0]
    back = replace(exchange.lines[0], quantity=Decimal(-1), amount=cny("-1"))
    company.sales = (replace(exchange, lines=(exchange.lines[1], back)),)
    view = as_(OrderView, await ask("/order so-1001"))
    body = CardRenderer(languages=load_languages()).render(view, "zh_CN", zone=UTC).body
    assert body.count("退货") == 1


@pytest.mark.parametrize(("taxed", "told"), [(True, "行金额含税"), (False, "行金额不含税"), (None, "")])
async def test_whether_amounts_of_lines_include_tax_is_said(ask: Ask, taxed: bool | None, told: str) -> None:
    view = as_(OrderView, await ask("/order so-1001"))
    view = replace(view, rows=tuple(replace(line, taxed=taxed) for line in view.rows))
    body = CardRenderer(languages=load_languages()).render(view, "zh_CN", zone=UTC).body
    assert told in body
    assert ("税" in body) is bool(told)


async def test_a_line_without_a_code_has_no_empty_bold(ask: Ask) -> None:
    view = as_(OrderView, await ask("/order so-1001"))
    rows = (replace(view.rows[0], sku="", name="Down payment"),)
    body = CardRenderer(languages=load_languages()).render(replace(view, rows=rows), "en", zone=UTC).body
    assert "****" not in body
    assert "Down payment" in body


async def test_a_number_of_two_companies_is_a_choice(ask: Ask, company: Company) -> None:
    company.sales = tuple(replace(company.sales[0], number=f"SO-1001*{key}") for key in (7, 8))

    async def order(number: str) -> SalesOrder:
        raise Ambiguous(number, 2)

    company.order = order  # type: ignore[method-assign]
    view = as_(OrderListView, await ask("/order SO-1001"))
    assert lines(view)[:2] == ["/order SO-1001*7", "/order SO-1001*8"]


@each_row("name", ["(PROV7)", "(12)", "*12", "D7001"])
async def test_a_draft_without_a_number_is_a_line_and_a_button_by_what_its_erp_calls_it(
    ask: Ask, company: Company, name: str
) -> None:
    company.sales = (order(name, "深圳创新", status=OrderStatus.DRAFT, lines=1), order("SO-1001", "深圳创新"))
    listed = lines(as_(OrderListView, await ask("/order 深圳创新")))
    (button,) = [line for line in listed if line.startswith("/order") and name in line]
    for line in (button, f"/order {name}", f"/order {name.lower()}"):
        view = as_(OrderView, await ask(line))
        assert (view.document.number, view.document.status) == (name, OrderStatus.DRAFT)
    assert f"/export order {name}" in lines(view)


async def test_the_lines_of_an_order_are_paged(ask: Ask) -> None:
    view = as_(OrderView, await ask("/order SO-1001", offset=8))
    assert [row.sku for row in view.rows] == ["W-9", "W-10", "W-11"]
    assert lines(view)[-4:] == ["/order SO-1001", "/customer 上海宏图机械", ERP_LINK, "/export order SO-1001"]


async def test_a_list_leads_to_an_order_and_its_lines_to_their_stock_by_buttons_alone(ask: Ask) -> None:
    listed = as_(OrderListView, await ask("/order late"))
    order = as_(OrderView, await ask(lines(listed)[0]))
    assert as_(StockView, await ask(lines(order)[2])).level.product.sku == "W-1"


async def test_the_orders_of_a_customer_cost_one_call(ask: Ask, company: Company) -> None:
    view = as_(OrderListView, await ask("/订单 深圳"))
    assert (view.text, view.total, len(view.rows)) == ("深圳", 14, 12)
    assert company.calls == ["orders 深圳"]
    assert lines(view)[-2:] == ["/order 深圳 +12", "/export order 深圳"]
    second = as_(OrderListView, await ask("/order 深圳 +12"))
    assert [row.number for row in second.rows] == ["SO-2012", "SO-2013"]


@pytest.mark.parametrize("line", ["/order late", "/订单 晚", "/dd 延期", "延期订单", "有哪些延期的订单？", "订单逾期"])
async def test_the_late_orders(ask: Ask, line: str) -> None:
    view = as_(OrderListView, await ask(line))
    assert view.which is OrderList.LATE
    assert {(row.number, row.days_late(view.today)) for row in view.rows} == {("SO-1001", 6), ("SO-1003", 9)}


async def test_the_late_orders_of_a_customer(ask: Ask) -> None:
    view = as_(OrderListView, await ask("/order acme, inc late"))
    assert [row.number for row in view.rows] == ["SO-1003"]
    assert view.line == '/order late "acme, inc"'
    assert as_(OrderListView, await ask(view.line)) == view


async def test_nothing_late_is_an_answer_too(ask: Ask) -> None:
    answer = await ask("/order 深圳 late")
    assert (answer.outcome, as_(OrderListView, answer).rows, as_(OrderListView, answer).total) == ("answered", (), 0)


async def test_without_an_argument_the_newest_are_shown(ask: Ask) -> None:
    view = as_(OrderListView, await ask("/order"))
    assert (view.which, view.text, view.total) == (None, "", 17)
    assert lines(view)[-2:] == ["/order +12", "/export order"]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("/order 1003", OrderView),
        ("/order acme", OrderView),
        ("/invoice inv-10", InvoiceView),
        ("/invoice 深圳", InvoiceView),
        ("/po 宁波", DocumentView),
        ("/po 1001", DocumentView),
        ("/mo 步进", ProductionView),
        ("/mo sku205", ProductionView),
    ],
)
async def test_the_only_hit_is_opened(ask: Ask, line: str, kind: type[View]) -> None:
    as_(kind, await ask(line))


async def test_a_stale_page_behind_the_end_is_the_last_page(ask: Ask) -> None:
    view = as_(OrderListView, await ask("/order 深圳", offset=40))
    assert (view.offset, view.offset + len(view.rows)) == (12, view.total)
    assert lines(view)[-2:] == ["/order 深圳 +6", "/export order 深圳"]


async def test_an_invoice_leads_to_its_order(ask: Ask) -> None:
    view = as_(InvoiceView, await ask("/发票 INV-7"))
    assert (view.document.total, view.document.open_amount) == (cny("100.10"), cny("100.10"))
    assert view.days_late == 16
    assert view.document.due_on == TODAY - timedelta(days=16)
    assert lines(view) == ["/order SO-1001", "/invoice 上海宏图机械", "/customer 上海宏图机械", "/payment 上海宏图机械"]


async def test_amounts_of_different_currencies_are_never_added(ask: Ask) -> None:
    view = as_(InvoiceListView, await ask("/invoice 上海宏图机械"))
    assert view.open_amounts == (Money(Decimal("101.00"), "CNY"), Money(Decimal("20"), "EUR"))


async def test_an_amount_that_the_erp_does_not_say_is_told_beside_the_sum(ask: Ask, company: Company) -> None:
    first, *_ = company.issued
    company.issued = (first, replace(first, number="INV-99", total=None, open_amount=None))
    view = as_(InvoiceListView, await ask("/invoice"))
    assert (view.total_amounts, view.not_added_up.without_amount) == ((first.total,), 1)


async def test_nothing_is_owed_on_drafts_and_void_invoices(ask: Ask, company: Company) -> None:
    owed, draft, void, *_ = company.issued
    draft = replace(draft, status=InvoiceStatus.DRAFT)
    void = replace(void, status=InvoiceStatus.VOID, open_amount=None)
    company.issued = (owed, draft, void)
    assert as_(InvoiceListView, await ask("/invoice 上海宏图机械")).open_amounts == (cny("100.10"),)
    company.issued = (draft, replace(draft, number="INV-11"))
    assert as_(InvoiceListView, await ask("/invoice 上海宏图机械")).open_amounts == ()


@pytest.mark.parametrize("line", ["/invoice overdue", "/fp 逾期", "逾期发票", "发票 欠款"])
async def test_the_overdue_invoices(ask: Ask, line: str) -> None:
    view = as_(InvoiceListView, await ask(line))
    assert view.which is InvoiceList.OVERDUE
    assert [(row.number, row.days_overdue(view.today)) for row in view.rows] == [("INV-7", 16), ("INV-8", 3)]


async def test_a_purchase_order_says_whose_word_it_awaits_by_name(ask: Ask) -> None:
    view = as_(DocumentView, await ask("/po PO-1001"))
    assert "Awaits: 陈经理, 周总 (1/2)" in body_of(view)
    assert lines(view) == ["/stock SKU123", "/vendor 宁波标准件厂", "/bill 宁波标准件厂", "/export po PO-1001"]


@pytest.mark.parametrize("line", ["/po pending", "/采购 待审批", "待审批采购单", "/cg dsp", "采购订单 待审"])
async def test_the_purchase_orders_to_approve(ask: Ask, line: str) -> None:
    view = as_(DocumentListView, await ask(line))
    assert view.which is PurchaseList.PENDING
    (row,) = view.rows
    assert row.number == "PO-1001"
    assert "Awaits: 陈经理, 周总" in body_of(view)


async def test_the_late_purchase_orders(ask: Ask) -> None:
    view = as_(DocumentListView, await ask("/po 延期"))
    assert [(row.number, row.days_late(view.today)) for row in view.rows] == [("PO-1002", 4)]


async def test_a_production_order(ask: Ask) -> None:
    view = as_(ProductionView, await ask("/生产 MO-1"))
    order = view.document
    assert (order.planned, order.produced, order.scrapped) == (Decimal(200), Decimal(125), Decimal(3))
    assert view.days_late == 4
    assert lines(view) == ["/order SO-1001", "/stock SKU205", "/why MO-1"]


async def test_what_is_not_known_to_be_made_has_no_percentage(ask: Ask) -> None:
    view = as_(ProductionView, await ask("/mo MO-2"))
    assert view.document.produced is None
    assert lines(view) == ["/stock SKU206", "/why MO-2"]


@pytest.mark.parametrize(
    ("produced", "planned", "shown"),
    [
        ("999", "1000", "(99%)"),
        ("1000", "1000", "(100%)"),
        ("1001", "1000", "(100%)"),
        ("0", "10", "(0%)"),
        ("5", "0", ""),
        (None, "10", ""),
    ],
)
async def test_the_percentage_is_rounded_down(ask: Ask, produced: str | None, planned: str, shown: str) -> None:
    view = as_(ProductionView, await ask("/mo MO-1"))
    order = replace(view.document, planned=Decimal(planned), produced=None if produced is None else Decimal(produced))
    body = CardRenderer(languages=load_languages()).render(replace(view, document=order), "en", zone=UTC).body
    assert shown in body
    assert ("%" in body) is bool(shown)


@pytest.mark.parametrize("line", ["/mo late", "/sc 延期", "延期的生产订单"])
async def test_the_late_production_orders(ask: Ask, line: str) -> None:
    view = as_(ProductionListView, await ask(line))
    assert [(row.number, row.days_late(view.today)) for row in view.rows] == [("MO-1", 4)]


@pytest.mark.parametrize(
    ("line", "closest"),
    [
        ("/order SO-1O01", "/order SO-1001"),
        ("/po PO-1009", "/po PO-1001"),
        ("/order 上海宏图机器厂", "/order 上海宏图机械"),
    ],
)
async def test_a_number_that_nobody_has_offers_the_closest(ask: Ask, line: str, closest: str) -> None:
    answer = await ask(line)
    assert answer.outcome == "not_found"
    assert lines(as_(NotFoundNotice, answer))[0] == closest


async def test_a_list_from_an_erp_that_went_away_is_marked(ask: Ask, company: Company) -> None:
    await ask("/order late")
    company.broken = Unavailable("gone")
    assert as_(OrderListView, await ask("/order late")).freshness.stale
    down = as_(ErpDownNotice, await ask("/order", offset=8))
    assert (down.source, lines(down)) == ("main", ["/order +8"])


async def test_a_refusal_of_the_erp_is_not_to_be_tried_again(ask: Ask, company: Company) -> None:
    company.broken = NotPermitted("role missing")
    answer = await ask("/invoice INV-7")
    assert (answer.outcome, lines(answer.view)) == ("erp_down", [])


async def test_a_paid_invoice_in_a_list_says_what_it_was_about(ask: Ask) -> None:
    view = as_(InvoiceListView, await ask("/invoice"))
    rows = tuple(replace(row, status=InvoiceStatus.PAID, open_amount=cny("0"), total=cny("120")) for row in view.rows)
    body = CardRenderer(languages=load_languages()).render(replace(view, rows=rows), "zh_CN", zone=UTC).body
    assert "¥120.00" in body
    assert "¥0.00" not in body


async def test_pages_are_turned_by_plain_buttons(ask: Ask) -> None:
    view = as_(OrderListView, await ask("/order 深圳创新"))
    (further,) = [button for button in view.buttons() if str(button.label) == "Next"]
    assert further.color is Color.GRAY


@pytest.mark.parametrize(
    ("line", "title", "again"),
    [
        ("/order 本月", "订单 · 11月1日至11月30日", "/order 2026-11-01..2026-11-30"),
        (
            "/order 上海 due next month",
            "订单：上海 · 12月1日至12月31日 应交货",
            "/order 上海 due 2026-12-01..2026-12-31",
        ),
        ("/mo 明天到期", "生产订单 · 11月6日 应完工", "/mo due 2026-11-06"),
    ],
)
async def test_a_list_of_days_says_which(ask: Ask, line: str, title: str, again: str) -> None:
    view = (await ask(line)).view
    assert isinstance(view, (OrderListView, ProductionListView))
    assert CardRenderer(languages=load_languages()).render(view, "zh_CN", zone=UTC).title.startswith(title)
    assert view.line == again


async def test_a_named_list_and_days_hold_together(ask: Ask) -> None:
    view = as_(InvoiceListView, await ask("/invoice 逾期 上个月"))
    assert view.which is InvoiceList.OVERDUE
    assert view.days is not None
    assert view.days.due
    assert all(row.due_on is not None and view.days.period.holds(row.due_on) for row in view.rows)


@pytest.mark.parametrize(
    ("line", "numbers"),
    [
        ("/invoice overdue", ["INV-1", "INV-2", "INV-3"]),
        ("/invoice overdue 10月", ["INV-2", "INV-3"]),
        ("/invoice overdue 本月", ["INV-1"]),
        ("/invoice 逾期 今天", ["INV-1", "INV-2", "INV-3"]),
        ("/order late 本周", ["SO-1"]),
        ("/order late today", ["SO-1", "SO-2"]),
        ("/order late last month", ["SO-2"]),
        ("/order late due last month", ["SO-2"]),
    ],
)
async def test_what_was_late_in_some_days_was_due_then_and_today_is_now(
    ask: Ask, company: Company, line: str, numbers: Sequence[str]
) -> None:
    company.issued = tuple(
        invoice(f"INV-{number}", "ACME", cny("1"), overdue=days) for number, days in ((1, 2), (2, 10), (3, 30), (4, 0))
    )
    company.sales = tuple(order(f"SO-{number}", "ACME", late=days) for number, days in ((1, 2), (2, 20), (3, 0)))
    found = (await ask(line)).view
    assert isinstance(found, DocumentListView)
    assert sorted(row.number for row in found.rows) == numbers
    assert found.total == len(numbers)
    assert found.days is None or "due" in found.line


async def test_a_list_of_days_may_be_empty(ask: Ask) -> None:
    view = as_(OrderListView, await ask("/order 上海 1999年"))
    assert (view.total, view.rows) == (0, ())
