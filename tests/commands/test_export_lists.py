"""Every list that a card shows can be taken along: the same rows, as the asker may see them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from openpyxl import load_workbook

from bot.access.audit import AuditReader
from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.alerts.views import WatchList
from bot.approvals.cards.list_views import ApprovalAll
from bot.cards.notices import BadArgumentNotice, DeniedNotice
from bot.cards.view import ListView, View
from bot.chat.exports import ExportState, ExportView
from bot.chat.message import Conversation, ConversationKind
from bot.chat.records.products import ProductChoice
from bot.chat.records.stock_views import StockListView, StockView
from bot.chat.registry import Commands
from bot.erp.model import StockLevel
from bot.words.disclosure import ALL_FIELDS, FieldClass
from commands.audit import NEWEST, AuditTrail
from commands.find import Hits
from tests.commands.approval_fakes import ApprovalFixture
from tests.commands.company import Company, level, place, product
from tests.commands.conftest import GROUP, KEEPER, Ask, as_, lines
from tests.commands.export_fakes import MemoryCourier
from tests.commands.test_audit import SAW, KeptEntries

OWN_CHAT = Conversation("cidKeeper==", ConversationKind.DIRECT)
ENGLISH = replace(KEEPER, language="en")
BOSS = Person(user_id="boss01", name="赵总", language="en", is_admin=True)
MANAGER = Person(user_id="manager01", name="陈经理", language="en")

TO_DECIDE = {"ApprovalView", "ApprovalPeople"}
TO_PICK_A_DEED = {"AlertAssignees", "MuteList", "SubscriptionList", "Help", "QuestionList", "GateList", "ProposalList"}
SENT_BY_ITSELF = {"AlertGroup", "AlertDigest"}
"""Lists without a file: what is on them is there to press, or the list of open alerts has it."""


def cells(courier: MemoryCourier, sheet: int = 0) -> list[list[Any]]:
    """Return what a spreadsheet program finds in the newest file."""
    book = load_workbook(io.BytesIO(courier.files[-1][2]))
    rows = book.worksheets[sheet].iter_rows(values_only=True)
    return [[cell.strip() or None if isinstance(cell, str) else cell for cell in row] for row in rows]


async def exported(ask: Ask, line: str, person: Person = ENGLISH) -> ExportView:
    view = as_(ExportView, await ask(f"/export {line}", person=person, where=OWN_CHAT))
    assert view.state is ExportState.SENT
    return view


def _views(cls: type[View]) -> Iterator[type[View]]:
    for child in cls.__subclasses__():
        yield child
        yield from _views(child)


def test_no_list_is_forgotten(commands: Commands) -> None:
    ours = [cls for cls in _views(ListView) if cls.__module__.startswith(("bot.", "commands."))]
    without = {cls.__name__ for cls in ours if "card" in vars(cls) and cls.table is View.table}
    assert without == TO_DECIDE | TO_PICK_A_DEED | SENT_BY_ITSELF


@pytest.fixture
def widgets(company: Company) -> tuple[StockLevel, ...]:
    """Twelve products of one name, each in three warehouses."""
    company.levels = tuple(
        level(
            product(f"WID-{number}", f"挂件 {number}"),
            place("SH", "上海仓", str(number), "1"),
            place("SZ", "深圳仓", "20"),
            place("BJ", "北京仓", "3"),
            reorder_point="5",
        )
        for number in range(1, 13)
    )
    return company.levels


async def test_the_warehouses_of_a_product(ask: Ask, widgets: tuple[StockLevel, ...], courier: MemoryCourier) -> None:
    assert "/export stock WID-7" in lines(as_(StockView, await ask("/stock WID-7")))
    assert (await exported(ask, "stock WID-7")).total == 3
    headings, *rows = cells(courier)
    assert headings[:7] == ["Product", "Name", "Warehouse", "On hand", "Reserved", "Available", "Incoming"]
    assert [row[:7] for row in rows] == [
        ["WID-7", "挂件 7", "上海仓", 7, 1, 6, None],
        ["WID-7", "挂件 7", "深圳仓", 20, 0, 20, None],
        ["WID-7", "挂件 7", "北京仓", 3, 0, 3, None],
    ]


async def test_one_warehouse_of_a_product(ask: Ask, widgets: tuple[StockLevel, ...], courier: MemoryCourier) -> None:
    assert "/export stock WID-7 @深圳" not in lines(as_(StockView, await ask("/stock WID-7 @深圳"))), "one figure"
    assert (await exported(ask, "stock WID-7 @深圳")).total == 1
    assert [row[2:4] for row in cells(courier)[1:]] == [["深圳仓", 20]]


async def test_several_products_at_a_glance(ask: Ask, widgets: tuple[StockLevel, ...], courier: MemoryCourier) -> None:
    line = "stock WID-1 WID-2 挂件 @上海"
    assert f"/export {line}" in lines(as_(StockListView, await ask(f"/{line}")))
    await exported(ask, line)
    headings, *rows = cells(courier)
    shown = [dict(zip(headings, row, strict=True)) for row in rows]
    assert [(row["Product"], row["On hand"], row["Products found"]) for row in shown] == [
        ("WID-1", 1, 1),
        ("WID-2", 2, 1),
        ("挂件", None, 12),
    ]
    assert [row["Reorder point"] for row in shown] == [5, 5, None]


async def test_the_products_that_a_word_may_mean(
    ask: Ask, widgets: tuple[StockLevel, ...], courier: MemoryCourier
) -> None:
    shown = as_(ProductChoice, await ask("/stock 挂件"))
    assert "/export stock 挂件" not in lines(shown), "the buttons are there to choose"
    view = await exported(ask, "stock 挂件")
    assert (view.rows, view.total) == (12, 12)
    codes = [row[0] for row in cells(courier)[1:]]
    assert codes[: len(shown.rows)] == [row.sku for row in shown.rows]
    assert sorted(codes) == sorted(each.product.sku for each in widgets)


async def test_more_products_than_are_counted_are_said(ask: Ask, company: Company, courier: MemoryCourier) -> None:
    company.levels = tuple(level(product(f"WID-{number}", "挂件"), place("SH", "上海仓", "1")) for number in range(60))
    view = await exported(ask, "stock 挂件")
    assert (view.rows, view.total) == (40, 40)
    assert "There are more rows than this list tells." in [row[0] for row in cells(courier, 1)]


async def test_what_has_a_name_in_any_area(ask: Ask, widgets: tuple[StockLevel, ...], courier: MemoryCourier) -> None:
    shown = as_(Hits, await ask("/find 1", person=ENGLISH, where=OWN_CHAT))
    assert (await exported(ask, "find 1")).total == shown.total
    headings, *rows = cells(courier)
    assert headings == ["Area", "Number", "Name", "Hits"]
    assert [row[1] or None for row in rows] == [row.key or None for row in shown.rows]


async def test_what_one_watches(ask: Ask, courier: MemoryCourier, widgets: tuple[StockLevel, ...]) -> None:
    for number in range(1, 13):
        await ask(f"/watch WID-{number} < {number}", person=ENGLISH)
    await ask("/watch SO-1001", person=ENGLISH)
    shown = as_(WatchList, await ask("/watches", person=ENGLISH, where=OWN_CHAT))
    assert "/export watches" in lines(shown)
    view = await exported(ask, "watches")
    assert (view.rows, view.total) == (13, 13)
    told = {row[1]: row[3] for row in cells(courier)[1:]}
    assert told["WID-4"] == "available stock below 4"
    assert told["SO-1001"] == "any change"
    as_(WatchList, await ask("/export watches", person=MANAGER, where=OWN_CHAT))
    assert len(courier.files) == 1, "the manager watches nothing"


async def test_all_that_waits_is_a_list_too(ask: Ask, approvals: ApprovalFixture, courier: MemoryCourier) -> None:
    await approvals.submit()
    as_(ApprovalAll, await ask("/pending all", person=MANAGER, where=OWN_CHAT))
    assert (await exported(ask, "pending all", MANAGER)).total == 1
    assert cells(courier)[1][0] == "PO-1001"


class TestAudit:
    @pytest.fixture
    def audit_reader(self) -> AuditReader:
        return KeptEntries(*(replace(SAW, at=SAW.at + timedelta(minutes=n)) for n in range(NEWEST + 7)))

    async def test_the_newest_entries_are_a_file(self, ask: Ask, courier: MemoryCourier) -> None:
        shown = as_(AuditTrail, await ask("/audit PO-1001", person=BOSS, where=OWN_CHAT))
        assert "/export audit PO-1001" in lines(shown)
        view = await exported(ask, "audit PO-1001", BOSS)
        assert (view.rows, view.total) == (NEWEST, NEWEST)
        headings, *rows = cells(courier)
        assert headings == ["Time", "Who", "Action", "About", "Seen of it", "Details"]
        assert rows[0][1:5] == ["赵采", "saw", "PO-1001", "costs"]
        assert rows[0][0] == (SAW.at + timedelta(minutes=NEWEST + 6)).replace(tzinfo=None)
        assert "There are more rows than this list tells." in [row[0] for row in cells(courier, 1)]

    async def test_others_get_none(self, ask: Ask, courier: MemoryCourier) -> None:
        as_(DeniedNotice, await ask("/export audit PO-1001", where=OWN_CHAT))
        assert not courier.files

    async def test_a_group_learns_nothing_of_it(self, ask: Ask, courier: MemoryCourier) -> None:
        view = as_(ExportView, await ask("/export audit PO-1001", person=BOSS, where=GROUP))
        assert (view.state, view.rows, view.total) == (ExportState.SENT, None, None)
        assert courier.files[-1][0] == "boss01"


class TestWithoutQuantities:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        shown = ALL_FIELDS - {FieldClass.QUANTITY}
        return AccessPolicy(
            rules=(AccessRule(commands=frozenset({"stock"}), roles=frozenset({"warehouse"}), fields=shown),)
        )

    async def test_they_are_hidden_in_the_file(
        self, ask: Ask, widgets: tuple[StockLevel, ...], courier: MemoryCourier
    ) -> None:
        await exported(ask, "stock WID-7")
        assert {cell for row in cells(courier)[1:] for cell in row[3:7]} <= {"🔒", None}
        await exported(ask, "stock WID-1 WID-2")
        assert {cell for row in cells(courier)[1:] for cell in row[3:8]} <= {"🔒", None}


async def test_formulas_of_the_erp_stay_text(ask: Ask, company: Company, courier: MemoryCourier) -> None:
    evil = '=HYPERLINK("http://example.com","pay")'
    company.levels = tuple(level(product(f"WID-{n}", evil), place("SH", evil, "1")) for n in (1, 2))
    for line in ("stock WID-1", "stock WID-1 WID-2", "stock HYPERLINK", "find HYPERLINK"):
        await exported(ask, line, replace(ENGLISH, user_id=f"clerk{line[-2:]}"))
        book = load_workbook(io.BytesIO(courier.files[-1][2]))
        found = [cell for row in book.worksheets[0].iter_rows() for cell in row if cell.value == evil]
        assert found, line
        assert {cell.data_type for cell in found} == {"s"}


async def test_what_is_there_to_be_pressed_is_no_file(ask: Ask, courier: MemoryCourier) -> None:
    for line in ("help", "mute", "whoami"):
        view = (await ask(f"/export {line}", where=OWN_CHAT)).view
        assert isinstance(view, BadArgumentNotice) or type(view).__name__.endswith("Notice"), view
    assert not courier.files


async def test_the_file_of_a_products_orders_says_how_much_each_has(
    ask: Ask, company: Company, courier: MemoryCourier
) -> None:
    await exported(ask, "order W-3")
    headings, *rows = [row for row in cells(courier) if row[0]]
    assert headings[-5:] == ["Product", "Quantity", "Still to deliver", "Unit", "Currency"]
    assert [(row[0], *row[-5:-1]) for row in rows] == [("SO-1001", "W-3", 3, None, "pcs")]
