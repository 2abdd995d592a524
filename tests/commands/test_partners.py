"""/customer, /vendor, /bill and /payment: one partner with what is open, lists, links, and what may not be seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.access.grants import EVERYTHING, Scope
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.cards.notices import ErpDownNotice, NotFoundNotice
from bot.chat.document_views import view_of_list, view_of_one
from bot.chat.questions.dispatcher import QuestionDispatcher
from bot.chat.records.reader_hub import ReaderHub
from bot.erp.errors import NotPermitted, Unavailable
from bot.erp.hub import ErpHub
from bot.erp.kinds import BILLS, CUSTOMERS, INVOICES, PAYMENTS, VENDORS, Kind
from bot.erp.model import InvoiceStatus, Money, Progress, ReviewState, Slice
from bot.erp.port import PARTNER_READS, Capability, ListQuery
from bot.words.disclosure import ALL_FIELDS, HIDDEN, FieldClass
from commands.bill import BillList
from commands.customer import CustomerView
from commands.payment import PaymentList, PaymentListView
from commands.vendor import Arrived, VendorView
from tests.commands.company import NOW, TODAY, Company, cny, invoice
from tests.commands.conftest import Ask, as_, lines
from tests.read_model.memory_documents import MemoryDocuments

BillListView = view_of_list(BILLS)

BillView = view_of_one(BILLS)
CustomerListView = view_of_list(CUSTOMERS)
VendorListView = view_of_list(VENDORS)
PaymentView = view_of_one(PAYMENTS)

EUR = Money(Decimal("20"), "EUR")


@pytest.fixture
def kept() -> MemoryDocuments:
    """Nothing is kept: figures come from the ERP itself."""
    return MemoryDocuments(NOW, followed=())


async def test_a_customer_with_what_is_open(ask: Ask, company: Company) -> None:
    view = as_(CustomerView, await ask("/customer 上海宏图"))
    assert (view.document.code, view.document.credit_limit) == ("C001", cny("1000"))
    assert view.receivable == (cny("101.00"), EUR)
    assert view.overdue == (cny("100.10"), EUR)
    assert (view.overdue_count, view.days_overdue) == (2, 16)
    assert (view.open_orders, view.late_orders) == (2, 1)
    assert [order.number for order in view.orders] == ["SO-1001", "SO-1002"]
    assert view.credit_left is None, "a debt in euros cannot be taken off a limit in yuan"
    assert not view.part
    assert company.calls == ["customers 上海宏图", *["orders 上海宏图机械"] * 2, "invoices 上海宏图机械"]
    name = "上海宏图机械"
    assert lines(view)[:3] == [f"/order {name}", f"/invoice {name}", f"/payment {name}"]
    assert lines(view)[3:5] == ["/order SO-1001", "/order SO-1002"]


async def test_the_credit_that_is_left(ask: Ask, company: Company) -> None:
    company.issued = (invoice("INV-7", "上海宏图机械", cny("1200")), invoice("INV-8", "上海宏图机械", cny("-50")))
    assert as_(CustomerView, await ask("/customer C001")).credit_left == cny("-150")
    company.issued = ()
    assert as_(CustomerView, await ask("/customer 上海宏图")).credit_left == cny("1000")


async def test_what_the_erp_states_goes_before_a_sum(ask: Ask, company: Company) -> None:
    company.clients = (replace(company.clients[0], receivable=cny("999")),)
    view = as_(CustomerView, await ask("/customer C001"))
    assert (view.receivable, view.credit_left) == ((cny("999"),), cny("1"))
    assert view.open_sums == (cny("101.00"), EUR), "two figures: the ledger's, and that of the documents"


async def test_an_amount_that_is_not_told_makes_the_sum_unknown(ask: Ask, company: Company) -> None:
    company.issued = (invoice("INV-7", "上海宏图机械", None, overdue=3),)
    view = as_(CustomerView, await ask("/customer C001"))
    assert (view.receivable, view.credit_left, view.overdue_count) == (None, None, 0)


async def test_what_the_account_may_not_read_is_said(
    ask: Ask, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = company.documents

    async def refused(kind: Kind[Any], query: ListQuery) -> Slice[Any]:
        if kind == INVOICES:
            raise NotPermitted("no right to invoices")
        return await read(kind, query)

    monkeypatch.setattr(company, "documents", refused)
    view = as_(CustomerView, await ask("/customer C001"))
    assert (view.receivable, view.open_orders) == (None, 2)
    assert len(view.freshness.failures) == 1


async def test_too_many_invoices_are_not_added_up(ask: Ask, company: Company) -> None:
    company.issued = tuple(invoice(f"INV-{n}", "上海宏图机械", cny("1"), overdue=n) for n in range(101))
    view = as_(CustomerView, await ask("/customer C001"))
    assert (view.receivable, view.overdue, view.overdue_count, view.credit_left) == (None, None, None, None)
    assert [str(note) for note in view.freshness.failures] == ["Too many documents to add them up."]


class TestErpWithoutPartners:
    @pytest.fixture
    def company(self) -> Company:
        return Company(capabilities=frozenset(Capability) - PARTNER_READS)

    async def test_no_button_leads_to_a_refusal(self, ask: Ask) -> None:
        for line in ("/order SO-1001", "/invoice INV-7", "/po PO-1001"):
            asked = {typed.partition(" ")[0] for typed in lines((await ask(line)).view)}
            assert asked.isdisjoint({"/customer", "/vendor", "/bill", "/payment"})


class TestErpWithoutInvoices:
    @pytest.fixture
    def company(self) -> Company:
        return Company(capabilities=frozenset(Capability) - {Capability.INVOICES})

    async def test_documents_that_the_erp_lacks_are_left_out(self, ask: Ask) -> None:
        view = as_(CustomerView, await ask("/customer C001"))
        assert (view.receivable, view.overdue_count, view.open_orders) == (None, None, 2)


@pytest.mark.parametrize("typed", ["/customer acme, inc", "/customer C002", "/客户 Acme, Inc"])
async def test_the_whole_name_is_one_customer_though_another_begins_with_it(ask: Ask, typed: str) -> None:
    assert as_(CustomerView, await ask(typed)).document.code == "C002"


async def test_a_part_of_several_names_is_a_choice(ask: Ask) -> None:
    view = as_(CustomerListView, await ask("/customer acme"))
    assert lines(view) == ["/customer C002", "/customer C003", "/export customer acme"]
    assert as_(CustomerListView, await ask("/customer")).total == 3


async def test_an_unknown_customer_with_what_comes_close(ask: Ask) -> None:
    view = as_(NotFoundNotice, await ask("/customer 上海宏伟机械"))
    assert [(each.line, each.name) for each in view.closest] == [("/customer 上海宏图机械", "上海宏图机械")]
    spaced = as_(NotFoundNotice, await ask("/customer acmi"))
    assert ("/customer C002", "Acme, Inc") in [(each.line, each.name) for each in spaced.closest], "no quotes to type"


async def test_an_erp_that_is_down_says_so(ask: Ask, company: Company) -> None:
    company.broken = Unavailable("maintenance")
    as_(ErpDownNotice, await ask("/customer C001"))


async def test_a_vendor_with_what_is_open(ask: Ask, company: Company) -> None:
    first, second, third = company.purchases
    company.purchases = (
        first,
        replace(second, due_on=TODAY - timedelta(days=2)),
        replace(third, received=Progress.FULL),
        replace(second, number="PO-9", due_on=TODAY),
    )
    view = as_(VendorView, await ask("/vendor V002"))
    assert (view.payable, view.overdue) == ((cny("100"),), (cny("70"),))
    assert (view.overdue_count, view.days_overdue) == (1, 5)
    assert (view.open_orders, view.late_orders) == (2, 1)
    assert view.arrived == Arrived(came=1, due=2)
    assert third.status is ReviewState.DONE
    assert company.calls == ["vendor V002", *["purchase_orders 苏州包装"] * 2, "bills 苏州包装"]
    assert lines(view)[:3] == ["/po 苏州包装", "/bill 苏州包装", "/payment 苏州包装"]


async def test_vendors(ask: Ask) -> None:
    assert [row.code for row in as_(VendorListView, await ask("/供应商")).rows] == ["V001", "V002"]


async def test_a_bill_and_its_links(ask: Ask) -> None:
    view = as_(BillView, await ask("/bill bill-1"))
    assert (view.document.open_amount, view.days_overdue) == (cny("70"), 5)
    assert lines(view) == ["/po PO-1002", "/bill 苏州包装", "/vendor 苏州包装", "/payment 苏州包装"]


async def test_lists_of_bills(ask: Ask, company: Company) -> None:
    overdue = as_(BillListView, await ask("/应付 逾期"))
    assert (overdue.which, overdue.open_amounts) == (BillList.OVERDUE, (cny("70"),))
    still_open = as_(BillListView, await ask("/bill open"))
    assert (still_open.which, still_open.open_amounts) == (BillList.OPEN, (cny("100"),))
    company.owed = (*company.owed, replace(company.owed[0], number="BILL-3", status=InvoiceStatus.VOID))
    assert as_(BillListView, await ask("/bill 苏州包")).open_amounts == (cny("100"),)


async def test_lists_of_days(ask: Ask) -> None:
    payments = as_(PaymentListView, await ask("/payment 上个月"))
    assert (payments.total, payments.line) == (2, "/payment 2026-10-01..2026-10-31")
    assert as_(PaymentListView, await ask("/payment 本月")).total == 0
    due = as_(BillListView, await ask("/bill 上个月到期"))
    assert [row.number for row in due.rows] == ["BILL-1"]


async def test_a_payment_and_its_links(ask: Ask) -> None:
    receipt = as_(PaymentView, await ask("/payment pay-1"))
    name = "上海宏图机械"
    assert lines(receipt) == ["/invoice INV-7", f"/payment {name}", f"/customer {name}"]
    spent = as_(PaymentView, await ask("/payment PAY-2"))
    assert lines(spent) == ["/bill BILL-1", "/payment 苏州包装", "/vendor 苏州包装"]
    assert [row.number for row in as_(PaymentListView, await ask("/收付款")).rows] == ["PAY-1", "PAY-2"]


@pytest.mark.parametrize(
    ("line", "which", "numbers"),
    [
        ("/收付款 收款", PaymentList.RECEIVED, ["PAY-1"]),
        ("/payment paid", PaymentList.SPENT, ["PAY-2"]),
        ("/payment 苏州包装 received", PaymentList.RECEIVED, []),
        ("/payment outgoing 上个月", PaymentList.SPENT, ["PAY-2"]),
    ],
)
async def test_payments_in_one_direction(ask: Ask, line: str, which: PaymentList, numbers: list[str]) -> None:
    view = as_(PaymentListView, await ask(line))
    assert (view.which, [row.number for row in view.rows]) == (which, numbers)
    assert which in view.line


ALL_BUT_MONEY = ALL_FIELDS - {FieldClass.AMOUNT, FieldClass.COST}


def rule(*commands: str, fields: frozenset[FieldClass] = ALL_FIELDS, scope: Scope = EVERYTHING) -> AccessRule:
    return AccessRule(commands=frozenset(commands), roles=frozenset({"warehouse"}), fields=fields, scope=scope)


class TestRulesOnDocumentsBindWhatIsAddedUp:
    """Nobody named /customer, /vendor or /payment in a rule: those on /order, /invoice and /po hold there."""

    @pytest.fixture
    def dispatcher(self, dispatcher: QuestionDispatcher, hub: ErpHub) -> QuestionDispatcher:
        dispatcher._hub = ReaderHub(hub)
        return dispatcher


class TestWithoutNames(TestRulesOnDocumentsBindWhatIsAddedUp):
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        return AccessPolicy(rules=(rule("invoice", "po", fields=ALL_FIELDS - {FieldClass.PARTNER}),))

    @pytest.mark.parametrize("name", ["苏州包装", "Nobody"])
    async def test_payments_of_a_hidden_partner_are_not_counted(self, ask: Ask, name: str) -> None:
        for line in (f"/payment {name}", f"/payment {name} paid"):
            assert not as_(NotFoundNotice, await ask(line)).closest
        assert as_(PaymentListView, await ask("/payment paid")).total == 1


class TestWithoutAmounts(TestRulesOnDocumentsBindWhatIsAddedUp):
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        return AccessPolicy(rules=(rule("order", "po"), rule("invoice", fields=ALL_BUT_MONEY)))

    async def test_figures_of_invoices_are_hidden_wherever_they_are_shown(self, ask: Ask) -> None:
        view = as_(CustomerView, await ask("/customer C001"))
        assert view.receivable is view.overdue is HIDDEN
        assert (view.overdue_count, view.days_overdue) == (2, 16)
        assert as_(PaymentView, await ask("/payment PAY-1")).document.amount is HIDDEN
        assert as_(PaymentView, await ask("/payment PAY-2")).document.amount == cny("12.50")
        rows = as_(PaymentListView, await ask("/payment")).rows
        assert [row.amount for row in rows] == [HIDDEN, cny("12.50")] or rows[0].amount is HIDDEN

    async def test_the_vendors_side_is_whole(self, ask: Ask) -> None:
        assert as_(VendorView, await ask("/vendor V002")).payable == (cny("100"),)


class TestWithoutInvoices(TestRulesOnDocumentsBindWhatIsAddedUp):
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        others = AccessRule(commands=frozenset({"invoice", "po"}), roles=frozenset({"finance"}))
        return AccessPolicy(rules=(rule("order"), others))

    async def test_nothing_false_is_said_of_what_is_owed(self, ask: Ask, company: Company) -> None:
        company.clients = (replace(company.clients[0], receivable=cny("999")),)
        view = as_(CustomerView, await ask("/customer C001"))
        assert view.part
        assert (view.receivable, view.overdue, view.credit_left, view.document.receivable) == (None, None, None, None)
        assert view.overdue_count is None
        assert view.open_orders == 2

    async def test_the_other_side_is_not_there(self, ask: Ask) -> None:
        for line in ("/vendor V002", "/bill BILL-1", "/payment PAY-1", "/payment PAY-2"):
            as_(NotFoundNotice, await ask(line))


class TestInvoicesWithoutNames(TestRulesOnDocumentsBindWhatIsAddedUp):
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        return AccessPolicy(rules=(rule("order"), rule("invoice", fields=frozenset({FieldClass.AMOUNT}))))

    async def test_what_may_not_be_looked_for_by_name_is_not_said_to_be_nothing(self, ask: Ask) -> None:
        view = as_(CustomerView, await ask("/customer C001"))
        assert view.part
        assert (view.receivable, view.overdue, view.overdue_count, view.credit_left) == (None, None, None, None)


class TestOwnCustomers(TestRulesOnDocumentsBindWhatIsAddedUp):
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        return AccessPolicy(rules=(rule("order", scope=replace(EVERYTHING, partners=frozenset({"Acme, Inc"}))),))

    async def test_only_they_are_found(self, ask: Ask) -> None:
        assert as_(CustomerView, await ask("/customer acme")).document.code == "C002"
        as_(NotFoundNotice, await ask("/customer C001"))
        assert as_(CustomerListView, await ask("/customer")).total == 1
