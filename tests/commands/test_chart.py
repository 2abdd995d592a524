"""/chart: pictures of what the asker may see, of the documents kept, without a call to the ERP."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest

from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.cards.language import load_languages
from bot.cards.notices import BadArgumentNotice
from bot.cards.renderer import CardRenderer
from bot.charts.chart import ChartNotDrawn, NoChartFont
from bot.chat.chart_views import AgeingChart, PayablesChart, SalesChart, StockChart
from bot.chat.charts import MissingPicture
from bot.chat.context import QuestionContext
from bot.chat.message import Conversation, ConversationKind
from bot.chat.questions.dispatcher import QuestionDispatcher
from bot.erp.model import Money, OrderStatus, SalesOrder
from bot.outbox.spending import Purpose, current_spending
from bot.read_model.stock_days import StockDay
from bot.words.disclosure import ALL_FIELDS, HIDDEN, SHARED_FIELDS, FieldClass, cut
from bot.words.errors import DingerpError
from commands.report import ReportView
from tests.commands.chart_fakes import MemoryGallery, MemoryPainter
from tests.commands.company import NOW, TODAY, Company, cny, invoice, level, place, product
from tests.commands.conftest import GROUP, KEEPER, Ask, as_, lines
from tests.commands.export_fakes import MemoryCourier
from tests.read_model.memory_documents import MemoryDocuments
from tests.read_model.memory_stock import MemoryStockDays
from tests.workbook_cells import read_sheets

DIRECT = Conversation("cidOwn", ConversationKind.DIRECT)
SALES = Person(user_id="sales01", name="李销", roles=frozenset({"sales"}))


def told(svg: str) -> list[str]:
    """Return what the bars of a drawing say of themselves."""
    return [title.text or "" for title in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}title")]


def orders(company: Company, *totals: tuple[int, Money | None]) -> tuple[SalesOrder, ...]:
    """Return open orders of so many days ago."""
    order = replace(company.sales[0], status=OrderStatus.OPEN)
    return tuple(
        replace(order, number=f"SO-{number}", ordered_on=TODAY - timedelta(days=days), total=total)
        for number, (days, total) in enumerate(totals)
    )


@pytest.fixture
def kept(company: Company) -> MemoryDocuments:
    """The documents of the company, and orders of these days."""
    ordered = orders(company, (0, cny("300.50")), (1, cny("20")))
    return MemoryDocuments(NOW, (*ordered, *company.issued))


async def test_sales_are_drawn_day_by_day(
    ask: Ask, company: Company, kept: MemoryDocuments, painter: MemoryPainter, gallery: MemoryGallery
) -> None:
    kept.documents_kept = orders(
        company, (0, cny("300.50")), (0, cny("100")), (2, cny("80")), (2, Money(Decimal(20), "EUR")), (31, cny("9"))
    )
    view = as_(SalesChart, await ask("/chart"))
    assert view.line == "/chart sales"
    assert company.calls == []
    assert (view.last - view.first, view.last) == (timedelta(days=29), TODAY)
    assert (view.count, view.sums) == (4, (cny("480.50"), Money(Decimal(20), "EUR")))
    assert (view.picture, view.lack) == ("@lAD1", None)
    (svg,) = painter.painted
    assert gallery.pictures == [svg.encode()]
    shown = [each for each in told(svg) if "0.00" not in each.replace("80.00", "").replace("20.00", "")]
    assert shown == ["11月3日: ¥80.00", "11月5日: ¥400.50", "11月3日: €20.00"]
    assert len(told(svg)) == 60, "a bar for each day and currency"


async def test_a_file_counts_what_has_two_currencies_once(ask: Ask, company: Company, kept: MemoryDocuments) -> None:
    euro = Money(Decimal(20), "EUR")
    owed = (invoice("INV-1", "甲", cny("100.10"), overdue=3), invoice("INV-2", "甲", euro, overdue=4))
    kept.documents_kept = (*orders(company, (0, cny("100")), (0, euro), (1, cny("80"))), *owed)
    sales, ageing = as_(SalesChart, await ask("/chart sales")), as_(AgeingChart, await ask("/chart ageing"))
    assert (sales.count, ageing.count) == (3, 2)
    for table, count in ((sales.table(), sales.count), (ageing.table(), ageing.count)):
        assert sum(int(str(row[-2])) for row in table.rows if row[-2] is not None) == count
        assert [row[-1] for row in table.rows if row[-2] is None] == [euro]


async def test_the_picture_says_what_the_report_says(ask: Ask, kept: MemoryDocuments, painter: MemoryPainter) -> None:
    report = as_(ReportView, await ask("/report month"))
    chart = as_(SalesChart, await ask("/chart sales month"))
    assert report.sales is not None
    assert chart.sums == tuple(each.now for each in report.sales.ordered.sums if each.now.amount)
    assert chart.count == report.sales.ordered.count
    assert report.invoices is not None
    ageing = as_(AgeingChart, await ask("/chart ageing"))
    assert ageing.ages == report.invoices.ageing
    assert (ageing.picture, ageing.lack) == ("@lAD2", None)
    assert told(painter.painted[-1])[:2] == ["1–30 天: ¥100.10", "1–30 天: €20.00"]


def noted(ago: int, warehouse: str, on_hand: str, source: str = "main") -> StockDay:
    return StockDay(source=source, warehouse=warehouse, day=TODAY - timedelta(days=ago), on_hand=Decimal(on_hand))


async def test_stock_is_drawn_from_the_first_day_that_is_known(
    ask: Ask, company: Company, stock_days: MemoryStockDays, painter: MemoryPainter
) -> None:
    company.levels = (level(product("SKU123", "螺栓"), place("N", "北仓", "4"), place("S", "南仓", "6")),)
    stock_days.days["sku123"] = [
        noted(40, "N", "9"),
        noted(2, "S", "5"),
        noted(1, "N", "3"),
        noted(1, "N", "1000", source="other"),
        noted(1, "CLOSED", "1000"),
    ]
    view = as_(StockChart, await ask("/chart stock sku123"))
    assert view.line == "/chart stock SKU123"
    assert [each.on_hand for each in view.days[-4:]] == [Decimal(9), Decimal(14), Decimal(8), Decimal(10)]
    assert (len(view.days), view.since, view.last) == (30, TODAY - timedelta(days=40), TODAY)
    assert [(TODAY - each.first).days for each in view.changes] == [0, 1, 2, 29]
    assert told(painter.painted[0])[-1] == "11月5日: 10"
    assert lines(view)[0] == "/stock SKU123"
    assert cut(view, ALL_FIELDS - {FieldClass.QUANTITY}).picture is HIDDEN
    by_month = as_(StockChart, await ask("/图表 库存 SKU123 2026-09-01..2026-11-05"))
    assert [each.on_hand for each in by_month.days] == [Decimal(9), Decimal(9), Decimal(10)]


async def test_without_a_figure_of_earlier_days_it_begins_today(ask: Ask, company: Company) -> None:
    company.levels = (level(product("SKU123", "螺栓"), place("N", "北仓", "4")),)
    view = as_(StockChart, await ask("/chart stock SKU123"))
    assert ([each.on_hand for each in view.days], view.since) == ([Decimal(4)], None)
    assert "/chart stock SKU123" in lines((await ask("/stock SKU123")).view)


@pytest.mark.parametrize("line", ["/chart stock", "/chart SKU123", "/chart ageing SKU123"])
async def test_a_chart_is_of_something(ask: Ask, line: str) -> None:
    as_(BadArgumentNotice, await ask(line))


async def test_what_is_owed_to_vendors_has_a_chart_of_its_own(
    ask: Ask, company: Company, kept: MemoryDocuments, painter: MemoryPainter
) -> None:
    kept.documents_kept = (*company.owed, *company.issued)
    view = as_(PayablesChart, await ask("/chart payables"))
    assert (view.count, view.sums, view.picture) == (1, (cny("70"),), "@lAD1")
    assert told(painter.painted[0])[0] == "1–30 天: ¥70.00"
    assert company.calls == []
    assert lines(view)[:2] == ["/bill overdue", "/export chart payables"]
    hidden = cut(view, ALL_FIELDS - {FieldClass.COST})
    assert hidden.sums is HIDDEN
    assert hidden.picture is HIDDEN


async def test_bills_that_are_not_kept_are_a_list_of_the_erp(ask: Ask, kept: MemoryDocuments) -> None:
    kept.followed = ()
    view = as_(PayablesChart, await ask("/chart payables"))
    assert (view.coverage.as_of, view.coverage.sources_missing) == (None, ("main",))
    assert lines(view)[0] == "/bill overdue"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/chart", "/chart sales"),
        ("/图表", "/chart sales"),
        ("/图表 销售", "/chart sales"),
        ("/销售图", "/chart sales"),
        ("/chart sales month", "/chart sales month"),
        ("/图表 月报", "/chart sales month"),
        ("/chart sales last month", "/chart sales last month"),
        ("/走势图 上个月", "/chart sales 上个月"),
        ("/chart ageing", "/chart ageing"),
        ("/图表 账龄", "/chart ageing"),
        ("/账龄图", "/chart ageing"),
        ("/图表 应收账龄", "/chart ageing"),
        ("/图表 应付账龄", "/chart payables"),
        ("/chart payables ageing", "/chart payables"),
    ],
)
async def test_charts_are_named_in_many_ways(ask: Ask, line: str, expected: str) -> None:
    view = (await ask(line)).view
    assert isinstance(view, SalesChart | AgeingChart)
    assert view.line == expected
    again = (await ask(expected)).view
    assert isinstance(again, SalesChart | AgeingChart)
    assert again.line == expected


async def test_a_report_leads_to_its_chart(ask: Ask) -> None:
    report = as_(ReportView, await ask("/report last month"))
    assert "/chart sales last month" not in lines(report), "nothing was ordered"
    report = as_(ReportView, await ask("/report month"))
    assert "/chart sales month" in lines(report)
    assert "/chart sales month" not in lines(cut(report, SHARED_FIELDS))


async def test_many_days_are_told_by_month(
    ask: Ask, company: Company, kept: MemoryDocuments, painter: MemoryPainter
) -> None:
    kept.documents_kept = orders(company, (0, cny("300")), (4, cny("100")), (40, cny("80")))
    view = as_(SalesChart, await ask("/chart sales 2026-01-15..2026-11-05"))
    assert [(f"{each.first}", f"{each.last}") for each in (view.days[0], view.days[-1])] == [
        ("2026-01-15", "2026-01-31"),
        ("2026-11-01", "2026-11-05"),
    ]
    assert told(painter.painted[-1])[-3:] == ["2026年9月: ¥80.00", "2026年10月: ¥0.00", "2026年11月: ¥400.00"]


async def test_too_many_years_are_refused(ask: Ask) -> None:
    as_(BadArgumentNotice, await ask("/chart sales 1926-01-01..2026-11-05"))
    as_(BadArgumentNotice, await ask("/chart ageing last month"))


async def test_nothing_ordered_is_no_picture(ask: Ask, kept: MemoryDocuments, gallery: MemoryGallery) -> None:
    kept.documents_kept = ()
    view = as_(SalesChart, await ask("/chart sales"))
    assert (view.picture, view.lack, view.sums, gallery.pictures) == ("", None, (), [])


async def test_what_is_not_read_yet_is_not_drawn(ask: Ask, kept: MemoryDocuments, gallery: MemoryGallery) -> None:
    kept.followed = ()
    view = as_(SalesChart, await ask("/chart sales"))
    assert (view.coverage.as_of, view.picture, view.lack) == (None, "", None)
    report = as_(ReportView, await ask("/report month"))
    assert not [line for line in lines(report) if line.startswith("/chart")]
    assert gallery.pictures == []


async def test_the_same_picture_is_uploaded_once(ask: Ask, painter: MemoryPainter, gallery: MemoryGallery) -> None:
    first = as_(SalesChart, await ask("/chart sales"))
    second = as_(SalesChart, await ask("/chart sales", person=SALES))
    assert first.picture == second.picture == "@lAD1"
    assert len(painter.painted) == len(gallery.pictures) == 1


class TestRights:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        rules = [
            AccessRule(commands=frozenset({"chart"}), roles=SALES.roles),
            AccessRule(
                commands=frozenset({"order", "invoice"}), roles=SALES.roles, fields=frozenset({FieldClass.QUANTITY})
            ),
        ]
        return AccessPolicy(rules=rules)

    @pytest.mark.parametrize("line", ["/chart sales", "/chart ageing"])
    async def test_without_the_right_to_amounts_nothing_is_drawn(
        self, ask: Ask, line: str, painter: MemoryPainter, gallery: MemoryGallery
    ) -> None:
        view = (await ask(line, person=SALES)).view
        assert isinstance(view, SalesChart | AgeingChart)
        assert view.sums is HIDDEN
        assert (view.picture, view.lack, painter.painted, gallery.pictures) == ("", None, [], [])
        assert view.count, "how many there are is no amount"
        rows = (view.table()).rows
        assert rows
        assert all(row[-1] is HIDDEN or row[-1] is None for row in rows)


async def test_a_group_that_may_see_no_amounts_sees_no_picture(ask: Ask) -> None:
    view = as_(SalesChart, await ask("/chart sales"))
    shared = cut(view, SHARED_FIELDS)
    assert shared.picture is HIDDEN
    assert FieldClass.AMOUNT in shared.withheld
    assert cut(view, ALL_FIELDS).picture == view.picture
    card = CardRenderer(languages=load_languages()).render(shared, "zh_CN", zone=NOW.tzinfo)
    assert view.picture not in card.body + card.twin


@pytest.mark.parametrize(
    ("trouble", "lack"), [(NoChartFont(), MissingPicture.NO_FONT), (ChartNotDrawn("x"), MissingPicture.FAILED)]
)
async def test_without_a_picture_the_card_tells_in_words(
    ask: Ask, painter: MemoryPainter, gallery: MemoryGallery, trouble: DingerpError, lack: MissingPicture
) -> None:
    painter.trouble = trouble
    view = as_(SalesChart, await ask("/chart sales"))
    assert (view.picture, view.lack, gallery.pictures) == ("", lack, [])
    assert view.busy_days
    painter.trouble = None
    assert as_(SalesChart, await ask("/chart sales")).picture, "the next time it is tried again"


async def test_an_upload_that_fails_leaves_the_words(ask: Ask, gallery: MemoryGallery) -> None:
    gallery.trouble = DingerpError("gone")
    assert as_(SalesChart, await ask("/chart sales")).lack is MissingPicture.FAILED


async def test_while_calls_are_spared_there_are_no_new_pictures(
    ask: Ask, sparing: list[bool], gallery: MemoryGallery
) -> None:
    sparing[0] = True
    assert as_(SalesChart, await ask("/chart sales")).lack is MissingPicture.SPARED
    sparing[0] = False
    known = as_(SalesChart, await ask("/chart sales"))
    sparing[0] = True
    assert as_(SalesChart, await ask("/chart sales")).picture == known.picture, "it costs nothing"
    assert len(gallery.pictures) == 1


async def test_a_click_does_not_wait_for_the_picture(
    dispatcher: QuestionDispatcher, painter: MemoryPainter, gallery: MemoryGallery
) -> None:
    painter.gate = asyncio.Event()
    clicked = QuestionContext(person=KEEPER, conversation=DIRECT, line="/chart sales", now=NOW, clicked=True)
    view = as_(SalesChart, await dispatcher.view_for(clicked))
    assert view.lack is MissingPicture.COMING
    assert lines(view)[0] == "/chart sales", "the button that shows it"
    painter.gate.set()
    await gallery.uploaded.wait()
    view = as_(SalesChart, await dispatcher.view_for(clicked))
    assert (view.picture, view.lack) == ("@lAD1", None)
    assert len(gallery.pictures) == 1


async def test_the_upload_is_counted_as_a_charts(ask: Ask, gallery: MemoryGallery) -> None:
    spent: list[tuple[Purpose, str]] = []
    upload = gallery.upload

    async def counting(name: str, content: bytes) -> str:
        spent.append((current_spending().purpose, current_spending().conversation))
        return await upload(name, content)

    gallery.upload = counting  # type: ignore[method-assign]
    await ask("/chart sales")
    await ask("/chart ageing", where=DIRECT)
    assert spent == [(Purpose.CHART, GROUP.id), (Purpose.CHART, "")]


@pytest.mark.parametrize(
    ("line", "headings"),
    [
        ("chart sales", ["开始日期", "结束日期", "订单", "金额", "币种"]),
        ("chart ageing", ["逾期时长", "发票", "金额", "币种"]),
    ],
)
async def test_a_chart_is_exported_as_figures(
    ask: Ask, line: str, headings: Sequence[str], courier: MemoryCourier, gallery: MemoryGallery
) -> None:
    await ask(f"/export {line}", where=DIRECT)
    ((_, name, content),) = courier.files
    assert name.startswith("图表-")
    assert read_sheets(io.BytesIO(content).getvalue())[0].values[0] == headings
    assert gallery.pictures == [], "a file needs no picture"
