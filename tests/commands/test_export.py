"""/export: the whole list as a file, with the asker's rights, to the asker alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bot.access.audit import AuditKind
from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.approvals.cards.list_views import ApprovalList
from bot.cards.actions import Ask as AskAction
from bot.cards.notices import (
    BadArgumentNotice,
    DeniedNotice,
    ErpDownNotice,
    FailedNotice,
    LimitNotice,
    NotFoundNotice,
    UnknownCommandNotice,
)
from bot.chat import exports as exports_module
from bot.chat.context import QuestionContext
from bot.chat.document_views import view_of_list
from bot.chat.exports import Exports, ExportState, ExportView
from bot.chat.message import Conversation, ConversationKind
from bot.chat.questions.dispatcher import QuestionDispatcher
from bot.erp.errors import Unavailable
from bot.erp.kinds import INVOICES
from bot.outbox.place import Place, PlaceKind
from bot.words.disclosure import ALL_FIELDS, FieldClass
from bot.words.errors import DingerpError
from tests.commands.alert_fakes import InMemoryAlertService, alert
from tests.commands.approval_fakes import ApprovalFixture
from tests.commands.company import NOW, Company, cny, invoice
from tests.commands.conftest import GROUP, KEEPER, Ask, as_, lines
from tests.commands.export_fakes import MemoryCourier
from tests.membership import EverybodyIsMember
from tests.recording_audit import RecordingAudit
from tests.workbook_cells import ReadSheet, read_sheets

InvoiceListView = view_of_list(INVOICES)

OWN_CHAT = Conversation("cidKeeper==", ConversationKind.DIRECT)
ENGLISH = replace(KEEPER, language="en")
MANAGER = Person(user_id="manager01", name="陈经理", language="en")


def list_in(courier: MemoryCourier) -> ReadSheet:
    return read_sheets(courier.files[-1][2])[0]


async def sent(ask: Ask, line: str, person: Person = ENGLISH) -> ExportView:
    view = as_(ExportView, await ask(line, person=person, where=OWN_CHAT))
    assert view.state is ExportState.SENT
    return view


async def test_a_list_becomes_a_file(ask: Ask, courier: MemoryCourier) -> None:
    view = await sent(ask, "/export invoice overdue")
    ((user_id, name, _),) = courier.files
    assert (user_id, name, view.name) == ("keeper01", "invoice-20261105-0830.xlsx", name)
    assert (view.rows, view.total, view.is_cut) == (2, 2, False)
    sheet = list_in(courier)
    assert sheet.values[0] == [
        *("Number", "Customer", "Status", "Issued", "Due", "Days overdue", "Amount", "Open amount", "Order", "Currency")
    ]
    row = dict(zip([str(cell.value) for cell in sheet.rows[0]], sheet.rows[1], strict=True))
    assert (row["Number"].value, row["Customer"].value) == ("INV-7", "上海宏图机械")
    assert row["Open amount"] == (Decimal("100.1"), '#,##0.00 "CNY"')
    assert row["Days overdue"].value == 16
    assert row["Currency"].value == "CNY"


async def test_a_file_is_called_in_the_words_of_its_reader_and_tells_what_it_comes_to(
    ask: Ask, courier: MemoryCourier
) -> None:
    assert (await sent(ask, "/export invoice overdue", KEEPER)).name == "发票-20261105-0830.xlsx"
    about = dict(row[:2] for row in read_sheets(courier.files[-1][2])[1].values)
    assert "未收合计" in about


@pytest.mark.parametrize(
    "line",
    ["order", "invoice", "po", "mo", "bill", "payment", "customer", "vendor", "report month", "订单 上海"],
)
async def test_every_list_and_report_can_be_exported(line: str, ask: Ask, courier: MemoryCourier) -> None:
    view = await sent(ask, f"/export {line}")
    assert len(list_in(courier).rows) == (view.rows or 0) + 1
    assert view.rows


@pytest.mark.parametrize(
    ("line", "headings"),
    [
        ("order SO-1001", "Product Name Quantity Delivered Invoiced Unit Price Amount Promised Currency"),
        ("order so1001", "Product Name Quantity Delivered Invoiced Unit Price Amount Promised Currency"),
        ("po PO-1001", "Product Name Quantity Received Unit Price Amount"),
    ],
)
async def test_the_lines_of_one_document(
    line: str, headings: str, ask: Ask, company: Company, courier: MemoryCourier
) -> None:
    documents: dict[str, Any] = {each.number: each for each in (*company.sales, *company.purchases)}
    document = documents[line.split()[1].upper().replace("SO1", "SO-1")]
    view = await sent(ask, f"/export {line}")
    assert document.lines
    assert view.total == len(document.lines)
    rows = list_in(courier).values
    assert rows[0] == headings.split()
    assert [(row[0], row[2]) for row in rows[1:]] == [(each.sku, each.quantity) for each in document.lines]


async def test_equal_lines_are_all_there(ask: Ask, company: Company, courier: MemoryCourier) -> None:
    order = company.sales[0]
    company.sales = (replace(order, total=None, lines=(order.lines[0],) * 230),)
    view = await sent(ask, f"/export order {order.number}")
    assert (view.rows, view.total, len(list_in(courier).rows)) == (230, 230, 231)


async def test_a_document_offers_its_lines(ask: Ask) -> None:
    assert "/export order SO-1001" in lines((await ask("/order SO-1001")).view)
    assert "/export po PO-1001" in lines((await ask("/po PO-1001")).view)


@pytest.mark.parametrize("line", ["invoice INV-7", "mo MO-1", "bill BILL-1", "payment PAY-1"])
async def test_a_document_without_lines_is_one_row(line: str, ask: Ask, courier: MemoryCourier) -> None:
    view = await sent(ask, f"/export {line}")
    assert (view.rows, view.total) == (1, 1)
    assert list_in(courier).values[1][0] == line.split()[1]


async def test_open_alerts(ask: Ask, service: InMemoryAlertService, courier: MemoryCourier) -> None:
    found = [alert(f"A{number}") for number in range(12)]
    service.show(*found, place=Place(PlaceKind.PERSON, "keeper01"))
    assert "/export alerts mine" in lines((await ask("/alerts mine")).view)
    view = await sent(ask, "/export alerts mine")
    assert (view.rows, view.total) == (12, 12)
    rows = list_in(courier).values
    assert rows[0] == ["Severity", "Alert", "Subject", "Figures", "Since", "Times", "Taken by"]


async def test_a_file_changes_nothing(
    ask: Ask, service: InMemoryAlertService, approvals: ApprovalFixture, courier: MemoryCourier
) -> None:
    service.show(alert("A1"), place=Place(PlaceKind.PERSON, "keeper01"))
    await approvals.submit()
    for line in ("alerts A1 ack", "alerts A1"):
        as_(BadArgumentNotice, await ask(f"/export {line}", where=OWN_CHAT))
    for line in ("pending PO-1001 forward keeper01", "pending PO-1001 forward"):
        as_(BadArgumentNotice, await ask(f"/export {line}", where=OWN_CHAT, person=MANAGER))
    assert service.actions == []
    assert not courier.files


async def test_what_waits_for_ones_decision(ask: Ask, approvals: ApprovalFixture, courier: MemoryCourier) -> None:
    await approvals.submit()
    assert "/export pending" in lines((await ask("/pending", person=MANAGER, where=OWN_CHAT)).view)
    view = await sent(ask, "/export pending", person=MANAGER)
    assert (view.rows, view.total) == (1, 1)
    headings, row = list_in(courier).rows
    told = dict(zip([cell.value for cell in headings], row, strict=True))
    assert told["Number"].value == "PO-1001"
    assert "CNY" in told["Amount"].pattern
    as_(ApprovalList, await ask("/export pending", person=ENGLISH, where=OWN_CHAT))
    assert len(courier.files) == 1, "nothing waits for the keeper"


async def test_headings_are_in_the_readers_language(ask: Ask, courier: MemoryCourier) -> None:
    await sent(ask, "/导出 发票", person=KEEPER)
    assert list_in(courier).values[0][:3] == ["单号", "客户", "状态"]


async def test_the_whole_list_and_not_only_the_page(ask: Ask, company: Company, courier: MemoryCourier) -> None:
    company.issued = tuple(invoice(f"INV-{number}", "上海宏图机械", cny("1")) for number in range(250))
    view = await sent(ask, "/export invoice")
    assert (view.rows, view.total) == (250, 250)
    numbers = [row[0] for row in list_in(courier).values[1:]]
    assert sorted(map(str, numbers)) == sorted(each.number for each in company.issued)


async def test_one_hit_is_a_list_of_one(ask: Ask) -> None:
    assert (await sent(ask, "/export invoice INV-7")).rows == 1


async def test_cells_of_the_erp_stay_text(ask: Ask, company: Company, courier: MemoryCourier) -> None:
    evil = '=HYPERLINK("http://example.com","pay")'
    company.issued = (invoice("INV-1", evil, cny("1")),)
    await sent(ask, "/export invoice")
    assert list_in(courier).values[1][1] == evil
    assert "<f>" not in list_in(courier).xml


class TestRowLimit:
    @pytest.fixture
    def export_rows(self) -> int:
        return 120

    async def test_it_is_said_on_the_card_and_in_the_file(
        self, ask: Ask, company: Company, courier: MemoryCourier, audit: RecordingAudit
    ) -> None:
        company.issued = tuple(invoice(f"INV-{number}", "上海宏图机械", cny("1")) for number in range(250))
        view = await sent(ask, "/export invoice")
        assert (view.rows, view.total, view.is_cut, view.most) == (120, 250, True, 120)
        rows, about = read_sheets(courier.files[0][2])
        assert len(rows.rows) == 121
        assert ["Rows in all", 250] in [row[:2] for row in about.values]
        assert "The list is cut off: a file holds at most 120 rows." in [row[0] for row in about.values if row]
        assert audit.entries[-1].detail == "120 of 250 rows"


async def test_it_is_recorded(ask: Ask, audit: RecordingAudit) -> None:
    await sent(ask, "/export invoice overdue")
    (entry,) = [entry for entry in audit.entries if entry.kind is AuditKind.EXPORT]
    assert (entry.actor, entry.action, entry.conversation) == ("keeper01", "export invoice", OWN_CHAT.id)
    assert entry.documents == ("INV-7", "INV-8")
    assert entry.shown == (FieldClass.AMOUNT, FieldClass.PARTNER)


async def test_a_group_does_not_learn_how_much_there_is(ask: Ask, courier: MemoryCourier) -> None:
    view = as_(ExportView, await ask("/export invoice", where=GROUP))
    assert (view.state, view.rows, view.total) == (ExportState.SENT, None, None)
    assert courier.files[0][0] == "keeper01"


class TestWithoutAmounts:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        shown = ALL_FIELDS - {FieldClass.AMOUNT}
        named = AccessRule(commands=frozenset({"invoice", "order"}), roles=frozenset({"warehouse"}), fields=shown)
        others = AccessRule(commands=frozenset({"po"}), roles=frozenset({"buyer"}))
        return AccessPolicy(rules=(named, others))

    async def test_they_are_hidden_in_the_file(self, ask: Ask, courier: MemoryCourier, audit: RecordingAudit) -> None:
        await sent(ask, "/export invoice overdue")
        rows, about = read_sheets(courier.files[0][2])
        assert {row[6] for row in rows.values[1:]} == {"🔒"}
        assert ["🔒: you may not see it"] in [row[:1] for row in about.values]
        assert audit.entries[-1].shown == (FieldClass.PARTNER,)

    async def test_a_list_that_is_closed_is_refused(self, ask: Ask, courier: MemoryCourier) -> None:
        as_(DeniedNotice, await ask("/export po", where=OWN_CHAT))
        assert not courier.files

    async def test_a_report_holds_no_sums(self, ask: Ask, courier: MemoryCourier) -> None:
        await sent(ask, "/export report")
        cells = [cell for row in list_in(courier).rows for cell in row]
        assert not [cell for cell in cells if "CNY" in cell.pattern or "CNY" in str(cell.value)]
        assert "🔒" in [cell.value for cell in cells]


class TestWithoutQuantities:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        shown = ALL_FIELDS - {FieldClass.QUANTITY}
        named = AccessRule(commands=frozenset({"stock"}), roles=frozenset({"warehouse"}), fields=shown)
        return AccessPolicy(rules=(named,))

    async def test_they_are_hidden_where_no_command_hides_them_before(self, ask: Ask, courier: MemoryCourier) -> None:
        await sent(ask, "/export stock SKU123")
        cells = [cell for row in read_sheets(courier.files[0][2])[0].values[1:] for cell in row]
        assert "🔒" in cells
        assert not [cell for cell in cells if isinstance(cell, Decimal)]


async def test_what_is_no_list_is_not_exported(ask: Ask, courier: MemoryCourier) -> None:
    for line in ("/export", "/export help", "/export whoami", "/导出"):
        as_(BadArgumentNotice, await ask(line))
    for line in ("/export approve PO-1001", "/export export invoice"):
        answer = await ask(line)
        assert isinstance(answer.view, (UnknownCommandNotice, BadArgumentNotice, NotFoundNotice)), answer.view
    assert not courier.files


async def test_nothing_found_names_nothing_else_in_a_group(ask: Ask) -> None:
    alone = as_(NotFoundNotice, await ask("/export invoice INV-77", where=OWN_CHAT))
    assert alone.closest
    assert not as_(NotFoundNotice, await ask("/export invoice INV-77", where=GROUP)).closest


async def test_an_erp_that_is_down_is_said(ask: Ask, company: Company, courier: MemoryCourier) -> None:
    company.broken = Unavailable("down")
    as_(ErpDownNotice, await ask("/export order"))
    assert not courier.files


async def test_nobody_gets_an_empty_file(ask: Ask, company: Company, courier: MemoryCourier) -> None:
    company.issued = ()
    as_(InvoiceListView, await ask("/export invoice overdue"))
    assert not courier.files


async def test_a_file_that_is_not_sent_is_a_failure(ask: Ask, courier: MemoryCourier) -> None:
    courier.trouble = DingerpError("refused")
    as_(FailedNotice, await ask("/export order"))


async def test_so_many_files_in_a_day(ask: Ask, courier: MemoryCourier, audit: RecordingAudit) -> None:
    for _ in range(3):
        await sent(ask, "/export order")
    assert as_(LimitNotice, await ask("/export order", where=OWN_CHAT)).until.day == NOW.day + 1
    assert (len(courier.files), audit.entries[-1].rule) == (3, "limits.person.exports_day")
    await sent(ask, "/export order", person=replace(ENGLISH, user_id="sales01"))


class TestSlow:
    @pytest.fixture
    def courier(self) -> MemoryCourier:
        return MemoryCourier(gate=asyncio.Event())

    @pytest.fixture(autouse=True)
    def _impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(exports_module, "_WAIT_TYPED", 0.0)
        monkeypatch.setattr(exports_module, "_WAIT_CLICKED", 0.0)

    async def test_the_file_comes_behind_the_answer(self, ask: Ask, courier: MemoryCourier, exports: Exports) -> None:
        assert as_(ExportView, await ask("/export order")).state is ExportState.COMING
        assert as_(ExportView, await ask("/export order")).state is ExportState.BUSY
        assert courier.gate is not None
        courier.gate.set()
        await exports.close()
        assert (len(courier.files), courier.written) == (1, [])

    async def test_a_failure_is_told_in_the_persons_own_chat(
        self, ask: Ask, courier: MemoryCourier, exports: Exports
    ) -> None:
        courier.trouble = DingerpError("refused")
        as_(ExportView, await ask("/export order"))
        assert courier.gate is not None
        courier.gate.set()
        await exports.close()
        ((user_id, card),) = courier.written
        assert (user_id, card.name) == ("keeper01", "failed")

    @pytest.mark.parametrize("trouble", [None, DingerpError("refused")])
    async def test_who_leaves_meanwhile_gets_nothing(
        self,
        ask: Ask,
        courier: MemoryCourier,
        exports: Exports,
        staff: EverybodyIsMember,
        audit: RecordingAudit,
        trouble: DingerpError | None,
    ) -> None:
        courier.trouble = trouble
        as_(ExportView, await ask("/export order"))
        staff.left.add("keeper01")
        assert courier.gate is not None
        courier.gate.set()
        await exports.close()
        assert (courier.files, courier.written) == ([], [])
        assert trouble or [(entry.kind, entry.outcome) for entry in audit.entries[-1:]] == [
            (AuditKind.REFUSAL, "denied")
        ]

    async def test_who_loses_the_right_meanwhile_is_told(
        self, ask: Ask, courier: MemoryCourier, exports: Exports
    ) -> None:
        as_(ExportView, await ask("/export order"))
        closed = AccessRule(commands=frozenset({"order"}), roles=frozenset({"boss"}))
        exports._rights = replace(exports._rights, policy=lambda: AccessPolicy(rules=(closed,)))
        assert courier.gate is not None
        courier.gate.set()
        await exports.close()
        assert (courier.files, [card.name for _, card in courier.written]) == ([], ["denied"])

    async def test_what_hangs_is_ended(self, ask: Ask, courier: MemoryCourier, exports: Exports) -> None:
        as_(ExportView, await ask("/export order"))
        await exports.close(grace=0.0)
        assert not courier.files


async def test_lists_offer_it(ask: Ask) -> None:
    assert "/export invoice overdue" in lines(as_(InvoiceListView, await ask("/invoice overdue")))


async def test_a_click_gives_the_file_of_who_clicked(dispatcher: QuestionDispatcher, courier: MemoryCourier) -> None:
    context = QuestionContext(
        person=ENGLISH, conversation=GROUP, line=AskAction("/export order").line, now=NOW, clicked=True
    )
    answer = await dispatcher.view_for(context)
    assert isinstance(answer.view, ExportView)
    assert answer.view.rows == len(list_in(courier).rows) - 1
