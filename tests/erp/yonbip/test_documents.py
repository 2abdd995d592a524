"""State tables (docs: platform/erp/records.md#states) and unusual values."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.erp.model import InvoiceStatus, Money, OrderStatus, ProductionStatus, Progress, ReviewState
from bot.erp.values import is_true, number
from bot.erp.yonbip import documents
from bot.erp.yonbip.documents import DocumentMapper
from bot.erp.yonbip.mapping import ValueReader
from tests.rows import each_row

SHANGHAI = ValueReader(ZoneInfo("Asia/Shanghai"), {"金元": "XAU"})
DOCUMENTS = DocumentMapper(SHANGHAI)


@each_row(
    ("told", "status"),
    [
        ("CONFIRMORDER", OrderStatus.DRAFT),
        ("APPROVING", OrderStatus.DRAFT),
        ("DELIVERGOODS", OrderStatus.OPEN),
        ("DELIVERY_PART", OrderStatus.PARTLY_DELIVERED),
        ("DELIVERY_TAKE_PART", OrderStatus.PARTLY_DELIVERED),
        ("TAKEDELIVERY", OrderStatus.DELIVERED),
        ("ENDORDER", OrderStatus.DELIVERED),
        ("CLOSEDORDER", OrderStatus.CLOSED),
        ("OPPOSE", OrderStatus.CANCELLED),
    ],
)
def test_sales_orders_by_their_next_step(told: str, status: OrderStatus) -> None:
    assert documents.order_status(told, "1") is status


def test_an_unknown_next_step_leaves_the_state_of_the_document() -> None:
    states = [documents.order_status("SOMETHING_NEW", status) for status in ("0", "1", "2", "3")]
    assert states == [OrderStatus.DRAFT, OrderStatus.OPEN, OrderStatus.CLOSED, OrderStatus.DRAFT]


@each_row(
    ("status", "verified", "wanted"),
    [
        ("0", "0", ReviewState.DRAFT),
        ("0", "", ReviewState.DRAFT),
        ("0", "1", ReviewState.WAITING),
        ("3", "1", ReviewState.WAITING),
        ("3", "", ReviewState.WAITING),
        ("1", "2", ReviewState.APPROVED),
        ("2", "2", ReviewState.DONE),
        ("0", "-1", ReviewState.REJECTED),
        ("0", "4", ReviewState.REJECTED),
        ("0", "3", ReviewState.REJECTED),
        ("2", "-1", ReviewState.DONE),
    ],
)
def test_purchase_orders(status: str, verified: str, wanted: ReviewState) -> None:
    assert documents.purchase_status(status, verified) is wanted


@each_row(
    ("verified", "settled", "wanted"),
    [
        ("0", "0", InvoiceStatus.DRAFT),
        ("1", "0", InvoiceStatus.DRAFT),
        ("2", "0", InvoiceStatus.UNPAID),
        ("2", "2", InvoiceStatus.PART_PAID),
        ("2", "1", InvoiceStatus.PAID),
        ("2", "", InvoiceStatus.UNPAID),
        ("3", "0", InvoiceStatus.VOID),
        ("4", "1", InvoiceStatus.VOID),
    ],
)
def test_receivables(verified: str, settled: str, wanted: InvoiceStatus) -> None:
    assert documents.invoice_status(verified, settled) is wanted


@each_row(
    ("told", "wanted"),
    [
        ("0", ProductionStatus.PLANNED),
        ("1", ProductionStatus.RELEASED),
        ("2", ProductionStatus.DONE),
        ("3", ProductionStatus.PLANNED),
        ("4", ProductionStatus.CANCELLED),
        ("5", ProductionStatus.RUNNING),
        ("6", ProductionStatus.DONE),
    ],
)
def test_production_orders(told: str, wanted: ProductionStatus) -> None:
    assert documents.production_status(told) is wanted


@each_row(
    ("told", "wanted"),
    [
        (None, None),
        ("", None),
        (0, Decimal(0)),
        ("12.0", Decimal(12)),
        ("1,234.50", Decimal("1234.5")),
        (Decimal("12345678901234.56789000"), Decimal("12345678901234.56789")),
        ("1E+3", Decimal(1000)),
        (True, None),
    ],
)
def test_numbers_are_exact_and_nothing_is_not_zero(told: Any, wanted: Decimal | None) -> None:
    assert number(told) == wanted


def test_what_is_no_number_is_refused() -> None:
    for wrong in ("NaN", "Infinity", "twelve"):
        with pytest.raises(ValueError, match="not a number"):
            number(wrong)


def test_truth_comes_in_three_spellings() -> None:
    assert [is_true(value) for value in (True, "true", 1, "1", False, "false", 0, "", None)] == [True] * 4 + [False] * 5


def test_times_are_chinas_unless_they_say_otherwise() -> None:
    assert SHANGHAI.time("2026-11-24 10:30:00") == datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
    assert SHANGHAI.time("2024-03-23T13:45:31.340+08:00") == datetime(2024, 3, 23, 5, 45, 31, tzinfo=UTC)
    assert SHANGHAI.time(1_654_499_920_123) == datetime(2022, 6, 6, 7, 18, 40, tzinfo=UTC)
    assert SHANGHAI.day("2026-11-24 00:00:00") == date(2026, 11, 24)
    assert [SHANGHAI.time(value) for value in (None, "", "9999-12-31 00:00:00")] == [None] * 3


def test_currencies_by_code_and_by_name() -> None:
    codes = [
        SHANGHAI.currency(*names) for names in (("CNY",), ("CHI",), (None, "美元"), ("金元",), ("", "?"), ("usd",))
    ]
    assert codes == ["CNY", "CNY", "USD", "XAU", "", ""]
    assert SHANGHAI.money("1.50", "") is None
    assert SHANGHAI.money(None, "CNY") is None
    assert SHANGHAI.money("1.50", "CNY") == Money(Decimal("1.5"), "CNY")


def test_an_order_that_says_little_claims_little() -> None:
    order = DOCUMENTS.order({"id": 1234567890123456789, "code": "X", "nextStatus": "DELIVERY_PART"})
    assert (order.id, order.delivery, order.billing, order.payment) == (
        "1234567890123456789",
        Progress.PARTIAL,
        None,
        None,
    )
    assert (order.total, order.ordered_on, order.changed_at) == (None, None, None)


def test_payment_that_nobody_saw_is_no_payment() -> None:
    codes = ("NOTPAYMENT", "PARTPAYMENT", "CONFIRMPAYMENT", "CONFIRMPAYMENT_ALL", "FINISHPAYMENT", "")
    payments = [DOCUMENTS.order({"id": 1, "code": "X", "payStatusCode": code}).payment for code in codes]
    assert payments == [Progress.NONE, Progress.PARTIAL, Progress.PARTIAL, Progress.NONE, Progress.FULL, None]


def test_red_receivables_are_credit_notes_with_either_sign() -> None:
    for amount in (-5, 5):
        row = {"id": 1, "code": "R", "verifyState": 2, "direction": "-1", "oriTaxIncludedAmount": amount}
        note = DOCUMENTS.invoice({**row, "oriCurrencyCode": "CNY"}, {})
        assert note.is_credit_note
        assert note.total == note.open_amount == Money(Decimal(-5), "CNY")


_APPROVED = {"id": 1, "code": "R", "verifyState": 2, "oriTaxIncludedAmount": 5, "oriCurrencyCode": "CNY"}


@each_row(
    ("balance", "status", "owed"),
    [
        (Decimal(5), InvoiceStatus.UNPAID, 5),
        (Decimal(2), InvoiceStatus.PART_PAID, 2),
        (Decimal(0), InvoiceStatus.PAID, 0),
        (None, InvoiceStatus.UNPAID, None),
    ],
)
def test_what_was_paid_is_told_by_the_accounting(
    balance: Decimal | None, status: InvoiceStatus, owed: int | None
) -> None:
    for read in (DOCUMENTS.invoice, DOCUMENTS.bill):
        invoice = read({**_APPROVED, "writeOffState": "0"}, {"1": balance})
        assert (invoice.status, invoice.open_amount) == (status, owed if owed is None else Money(Decimal(owed), "CNY"))


def test_who_created_a_bill_is_told_by_name_where_the_key_for_it_holds_an_id() -> None:
    made = {"creator": "3fedff26-29d5-405e-ae01-eadd2b8d1778", "creatorUserName": "Dora"}
    for read in (DOCUMENTS.invoice, DOCUMENTS.bill):
        assert read({**_APPROVED, **made}, {}).created_by == ("Dora",)
        assert read({**_APPROVED, **made, "creatorUserName": None}, {}).created_by == ()


def test_red_payables_are_settled_by_a_balance_with_either_sign() -> None:
    for balance in (-2, 2):
        note = DOCUMENTS.bill({**_APPROVED, "direction": "-1"}, {"1": Decimal(balance)})
        assert (note.status, note.open_amount) == (InvoiceStatus.PART_PAID, Money(Decimal(-2), "CNY"))


@pytest.mark.parametrize(("balances", "owed"), [({}, [5, 0, None]), (None, [None, 0, None])])
def test_without_accounting_only_what_was_taken_back_is_settled(
    balances: dict[str, Decimal | None] | None, owed: list[int | None]
) -> None:
    found = [DOCUMENTS.invoice({**_APPROVED, "writeOffState": state}, balances) for state in ("0", "1", "2")]
    assert [each.open_amount and each.open_amount.amount for each in found] == owed


def test_the_second_line_of_a_production_order_has_a_number_of_its_own() -> None:
    numbers = [documents.production_number({"code": "MO-1", "OrderProduct_lineNo": line}) for line in (10, "20", None)]
    assert numbers == ["MO-1", "MO-1#20", "MO-1"]


def test_what_came_into_stock_counts_where_nobody_reports_completion() -> None:
    row = {"id": 1, "code": "M", "OrderProduct_quantity": 9, "OrderProduct_incomingQuantity": 4}
    assert DOCUMENTS.production_order(row).produced == 4
    assert DOCUMENTS.production_order({**row, "OrderProduct_completedQuantity": 6}).produced == 6
    assert DOCUMENTS.production_order({"id": 1, "code": "M", "OrderProduct_quantity": 9}).produced is None


def test_a_purchase_order_is_due_with_the_first_line_that_is_owed() -> None:
    lines = [
        {"qty": 1, "totalInQty": 1, "recieveDate": "2026-11-01 00:00:00"},
        {"qty": 1, "totalInQty": 0, "recieveDate": "2026-11-20 00:00:00"},
        {"qty": 1, "recieveDate": "2026-11-30 00:00:00"},
    ]
    order = DOCUMENTS.purchase_order({"id": 1, "code": "P", "status": "1", "purchaseOrders": lines}, None)
    assert order.due_on == date(2026, 11, 20)
    assert order.received is Progress.PARTIAL
    assert DOCUMENTS.purchase_order({"id": 1, "code": "P", "expectDate": "2026-12-01 00:00:00"}, None).due_on == date(
        2026, 12, 1
    )
