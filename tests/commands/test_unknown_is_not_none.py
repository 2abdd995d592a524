"""Two ERPs, of which one tells less: that the other has nothing is not that there is nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.cards.notices import NotFoundNotice
from bot.cards.view import View
from bot.chat.document_views import DocumentListView
from bot.chat.records.rankings import PartnerRankingView
from bot.chat.records.stock_views import WarehouseView
from bot.chat.view_parts import Freshness
from bot.erp.goods.port import ArrivalQuery, ShortageQuery
from bot.erp.hub import ErpHub
from bot.erp.model import Slice
from bot.erp.model.goods import Arrival, Shortage
from bot.erp.port import GOODS, Capability
from bot.mechanisms.metrics import Metrics
from tests.commands.company import NOW, Company, invoice, level, order, place, product
from tests.commands.conftest import Ask, as_, lines
from tests.commands.goods_company import GoodsCompany
from tests.rows import each_row

UNTOLD = "south does not tell this: what it has is not known."
EVERYTHING = frozenset(Capability)
LITTLE = frozenset({Capability.STOCK, Capability.SALES_ORDERS, Capability.CUSTOMERS, Capability.INVOICES}) - GOODS


class NothingComes(GoodsCompany):
    async def arrivals(self, query: ArrivalQuery) -> Slice[Arrival]:
        return Slice(items=(), total=0)

    async def shortages(self, query: ShortageQuery) -> Slice[Shortage]:
        return Slice(items=(), total=0)


@pytest.fixture
def north() -> Company:
    return NothingComes(name="north", purchases=(), owed=(), paid=(), productions=(), suppliers=())


@pytest.fixture
def south() -> Company:
    return Company(
        name="south",
        capabilities=LITTLE,
        levels=(level(product("SOUTH-1", "南方螺丝"), place("SH", "上海仓", "4")),),
        clients=(),
        sales=(replace(order("SO-7001", "深圳创新"), billing=None),),
        issued=(invoice("INV-70", "深圳创新", None, order_number="SO-7001"),),
    )


@pytest.fixture
async def hub(north: Company, south: Company) -> AsyncIterator[ErpHub]:
    hub = ErpHub([north, south], metrics=Metrics(), now=lambda: NOW)
    yield hub
    await hub.close()


def told(view: View) -> str:
    freshness = getattr(view, "freshness", None)
    reasons = freshness.failures if isinstance(freshness, Freshness) else getattr(view, "notes", ())
    return " ".join(map(str, reasons))


@each_row(
    "line",
    ["/po", "/po late", "/po 不存在公司", "/bill overdue", "/bill BILL-1", "/mo late", "/mo MO-1", "/payment received",
     "/payment PAY-1", "/vendor 宝钢", "/delivery DN-99", "/receipt", "/arrivals", "/arrivals SKU123",
     "/price SOUTH-1", "/product SOUTH-1", "/shortage"],
)  # fmt: skip
async def test_nothing_names_who_does_not_tell(ask: Ask, line: str) -> None:
    view = (await ask(line)).view
    assert getattr(view, "total", 0) == 0, line
    assert UNTOLD in told(view), f"{line}: {told(view)}"


@each_row("line", ["/order late", "/invoice 深圳", "/order 没有这个客户", "/invoice INV-999"])
async def test_what_all_of_them_tell_has_no_such_note(ask: Ask, line: str) -> None:
    assert UNTOLD not in told((await ask(line)).view), line


async def test_a_list_that_holds_something_is_not_all_there_is(ask: Ask, north: Company) -> None:
    north.owed = Company().owed
    view = as_(DocumentListView, await ask("/bill open"))
    assert view.sums()
    assert UNTOLD in told(view)


async def test_a_number_that_may_be_elsewhere_is_not_to_be_checked(ask: Ask) -> None:
    assert as_(NotFoundNotice, await ask("/bill BILL-1")).notes
    assert not as_(NotFoundNotice, await ask("/invoice INV-999")).notes


async def test_rankings_name_who_does_not_tell(ask: Ask) -> None:
    assert [str(each) for each in as_(PartnerRankingView, await ask("/vendor payable")).silences] == [UNTOLD]
    assert as_(PartnerRankingView, await ask("/customer owing")).silences == ()


async def test_buttons_lead_where_the_documents_own_source_has_an_answer(ask: Ask) -> None:
    at_north, at_south = [lines((await ask(f"/order {number}")).view) for number in ("SO-1001", "SO-7001")]
    assert any(line.startswith("/delivery") for line in at_north)
    assert not any(line.startswith(("/delivery", "/mo")) for line in at_south)
    assert not any(line.startswith("/payment") for line in lines((await ask("/invoice INV-70")).view))
    assert not any(line.startswith(("/arrivals", "/price")) for line in lines((await ask("/stock SOUTH-1")).view))
    assert any(line.startswith("/arrivals") for line in lines((await ask("/stock SKU123")).view))


async def test_documents_of_one_whose_source_does_not_tell_them_are_not_none(ask: Ask) -> None:
    assert UNTOLD in told(as_(NotFoundNotice, await ask("/mo SO-7001")))


async def test_a_product_that_is_not_in_a_warehouse_is_nothing_there_and_somewhere_else(ask: Ask) -> None:
    view = as_(WarehouseView, await ask("/stock SKU123 @成品二仓"))
    assert (view.name, view.text, view.total) == ("上海成品仓库", "SKU123", 0)
    assert lines(view) == ["/stock @成品二仓", "/stock SKU123"]
