"""Two ERPs, one of which lacks one thing: its name stands where it could not be asked, and no button leads there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.cards.actions import Ask as AskAction
from bot.cards.notices import ErpDownNotice, NotFoundNotice
from bot.cards.view import View, lead_on
from bot.chat.document_views import DocumentListView
from bot.chat.message import Conversation, ConversationKind
from bot.chat.view_parts import Freshness
from bot.erp.hub import ErpHub
from bot.erp.model import PartnerKind, ReviewState
from bot.erp.model.goods import Prices
from bot.erp.port import Capability
from bot.mechanisms.metrics import Metrics
from tests.commands.company import (
    NOW,
    TODAY,
    Company,
    bill,
    cny,
    customer,
    invoice,
    level,
    order,
    payment,
    place,
    product,
    production,
    purchase,
    vendor,
)
from tests.commands.conftest import Ask, as_
from tests.commands.goods_company import GoodsCompany, delivery
from tests.read_model.memory_documents import MemoryDocuments
from tests.rows import each_row

OWN_CHAT = Conversation("cidOwn==", ConversationKind.DIRECT)
ASKED_FOR = frozenset(Capability) - {
    *(Capability.APPROVE, Capability.REJECT, Capability.CHANGED_SINCE, Capability.FINISHED_DAYS),
}
"""What commands ask an ERP for."""
OF_SOUTH = (
    *("/order SO-70", "/invoice INV-70", "/po PO-70", "/bill BILL-70", "/mo MO-70", "/payment PAY-70"),
    *("/payment PAY-71", "/customer C070", "/vendor V070", "/stock S-70", "/product S-70", "/price S-70"),
    *("/delivery SO-70", "/delivery DN-70", "/receipt PO-70", "/find S-70", "/stock @南方仓"),
)
"""Cards of the ERP that lacks something."""
LISTS: dict[Capability, tuple[str, ...]] = {
    Capability.SALES_ORDERS: (
        *("/order", "/order late", "/customer best", "/product best", "/chart sales", "/report month"),
        "/customer C001",
    ),
    Capability.INVOICES: (
        *("/invoice", "/invoice open", "/customer owing", "/chart ageing", "/report month", "/customer C001"),
    ),
    Capability.PURCHASE_ORDERS: ("/po", "/po late", "/vendor biggest", "/report month", "/vendor V001"),
    Capability.BILLS: ("/bill", "/bill open", "/vendor payable", "/chart payables", "/report month", "/vendor V001"),
    Capability.PAYMENTS: ("/payment", "/payment received", "/report month"),
    Capability.PRODUCTION_ORDERS: ("/mo", "/mo late", "/report month"),
    Capability.CUSTOMERS: ("/customer", "/customer C001"),
    Capability.VENDORS: ("/vendor", "/vendor V001"),
    Capability.DELIVERIES: ("/delivery",),
    Capability.RECEIPTS: ("/receipt",),
    Capability.ARRIVALS: ("/arrivals",),
    Capability.SHORTAGES: ("/shortage",),
    Capability.STOCK: ("/stock SKU123",),
    Capability.PRICES: ("/price SKU123",),
    Capability.WAREHOUSE_STOCK: ("/stock @成品",),
}
"""Lists, sums and cards over both ERPs → by what one of them lacks."""


class South(GoodsCompany):
    deliveries_known = (delivery("DN-70", "SO-70"),)

    async def prices(self, sku: str, *, customer: str) -> Prices:
        return replace(await super().prices(sku, customer=customer), standard_cost=cny("1"))


def south_without(lacking: Capability | None) -> Company:
    return South(
        name="south",
        capabilities=frozenset(Capability) - {lacking},
        levels=(level(product("S-70", "南方螺丝"), place("SH", "南方仓", "4")),),
        sales=(order("SO-70", "南方机电", late=3, lines=1),),
        issued=(invoice("INV-70", "南方机电", cny("7"), overdue=2, order_number="SO-70"),),
        purchases=(purchase("PO-70", "南方钢材", ReviewState.APPROVED),),
        productions=(production("MO-70", "S-70", "南方螺丝", "5", late=1, sales_order="SO-70"),),
        clients=(customer("C070", "南方机电"),),
        suppliers=(vendor("V070", "南方钢材"),),
        owed=(bill("BILL-70", "南方钢材", cny("7"), overdue=1, order_number="PO-70"),),
        paid=(
            payment("PAY-70", "南方机电", "5", "INV-70"),
            payment("PAY-71", "南方钢材", "5", "BILL-70", kind=PartnerKind.VENDOR),
        ),
    )


@pytest.fixture
def lacking(request: pytest.FixtureRequest) -> Capability | None:
    return getattr(request, "param", None)


@pytest.fixture
def north() -> Company:
    return GoodsCompany(name="north")


@pytest.fixture
def clock() -> list[datetime]:
    """The moment, for a test to change."""
    return [NOW]


@pytest.fixture
async def hub(lacking: Capability | None, north: Company, clock: list[datetime]) -> AsyncIterator[ErpHub]:
    hub = ErpHub([north, south_without(lacking)], metrics=Metrics(), now=lambda: clock[0])
    yield hub
    await hub.close()


@pytest.fixture
def kept(north: Company) -> MemoryDocuments:
    made = (*north.sales, *north.purchases, *north.productions, *north.issued, *north.owed, *north.paid)
    return MemoryDocuments(NOW, made, source="north")


def told(view: View) -> str:
    """Return what a card says of sources that do not tell."""
    seen = getattr(view, "freshness", None)
    notes = seen.failures if isinstance(seen, Freshness) else getattr(view, "notes", ())
    return " ".join(map(str, (*notes, *getattr(view, "silences", ()))))


def asked_by(view: View) -> Iterator[str]:
    """Yield the lines that the buttons of a card ask, as its reader's card has them."""
    for button in lead_on(view, (*view.buttons(), *view.spare_buttons())):
        if isinstance(button.does, AskAction):
            yield button.does.line


@pytest.mark.parametrize("lacking", sorted(ASKED_FOR), indirect=True)
async def test_no_button_leads_to_a_source_without_an_answer(ask: Ask, lacking: Capability) -> None:
    dead = []
    for card in OF_SOUTH:
        view = (await ask(card, where=OWN_CHAT)).view
        for line in asked_by(view):
            answer = (await ask(line, where=OWN_CHAT, clicked=True)).view
            if isinstance(answer, ErpDownNotice) or (isinstance(answer, NotFoundNotice) and "not tell" in told(answer)):
                dead.append((card, line, answer))
    assert not dead, dead


@pytest.mark.parametrize("lacking", LISTS, indirect=True)
async def test_what_is_counted_over_both_names_who_was_not_asked(ask: Ask, lacking: Capability) -> None:
    unnamed = [
        line for line in LISTS[lacking] if "south does not tell" not in told((await ask(line, where=OWN_CHAT)).view)
    ]
    assert unnamed == []


@each_row("line", sorted({line for lines in LISTS.values() for line in lines}))
async def test_where_both_tell_everything_nobody_is_named(ask: Ask, line: str) -> None:
    assert "does not tell" not in told((await ask(line, where=OWN_CHAT)).view)


@each_row(
    "now",
    [
        NOW,
        NOW.astimezone(ZoneInfo("America/Los_Angeles")),
        NOW.replace(hour=23).astimezone(ZoneInfo("Pacific/Auckland")),
    ],
)
async def test_the_organisations_day_is_that_of_every_list_and_figure(
    ask: Ask, clock: list[datetime], kept: MemoryDocuments, north: Company, now: datetime
) -> None:
    """An ERP hours away has another date: what is overdue on its card is so on lists, reports and charts."""
    clock[0] = kept.synced_at = now
    south = south_without(None)
    every = [*north.issued, *south.issued]
    overdue = [each for each in every if each.days_overdue(now.date())]
    ours = [each for each in north.issued if each.days_overdue(now.date())]

    async def view(line: str) -> Any:
        return (await ask(line, where=OWN_CHAT, now=now)).view

    listed = as_(DocumentListView, await ask("/invoice overdue", where=OWN_CHAT, now=now))
    assert listed.today == now.date()
    assert {row.number for row in listed.rows} == {each.number for each in overdue}
    assert (await view("/chart ageing")).count == len(ours)
    assert (await view("/report day")).invoices.overdue == len(ours)
    assert (await view("/report day")).span.last == now.date()
    counted = {each.line: each.count for each in (await view("/alerts")).overdue}
    assert counted["/invoice overdue"] == len(overdue)
    for each in overdue:
        assert (await view(f"/invoice {each.number}")).days_overdue == each.days_overdue(now.date())


def test_the_days_of_the_zones_differ() -> None:
    due = Company().issued
    days = [TODAY + timedelta(days=days) for days in (-1, 0, 1)]
    assert len({sum(each.days_overdue(day) > 0 for each in due) for day in days}) > 1
