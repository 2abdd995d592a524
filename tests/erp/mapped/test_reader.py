"""Whole records: what follows from what, what is kept aside, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from bot.erp.errors import Invalid
from bot.erp.mapped import builders
from bot.erp.mapped.bad_values import BadValue, BadValues
from bot.erp.mapped.builders import DocumentMapping
from bot.erp.mapped.reader import MappingContext, RecordMapping, RecordReader, matching
from bot.erp.mapped.sources import FieldSource
from bot.erp.model import (
    Approval,
    Area,
    InvoiceStatus,
    Money,
    OrderStatus,
    PartnerKind,
    PaymentDirection,
    Product,
    Progress,
    Quantities,
    ReviewState,
    WarehouseStock,
)
from tests.rows import each_row

NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)


def ground(**changed: Any) -> MappingContext:
    given: dict[str, Any] = {
        "source": "main",
        "zone": ZoneInfo("Asia/Shanghai"),
        "currency": "CNY",
        "unit": "PCS",
        "now": lambda: NOW,
        "bad_values": BadValues("main"),
    }
    return MappingContext(**given | changed)


def mapped(document: DocumentMapping[Any], names: str, lines: str = "", **origins: FieldSource) -> RecordMapping[Any]:
    """Return the layout of a document whose fields are columns of the same name."""
    fields = {name: FieldSource(from_=name) for name in names.split()} | origins
    of_lines = (
        RecordMapping(document.lines, {name: FieldSource(from_=name) for name in lines.split()})
        if document.lines
        else None
    )
    return RecordMapping(document.layout, fields, of_lines)


def reader(**changed: Any) -> RecordReader:
    def look(row: Mapping[str, Any], path: str) -> Any:
        return row.get(path)

    return RecordReader(ground(**changed), look)


SALE = {"number": "SO-1", "customer": "Acme", "status": "open"}
SALES = mapped(builders.SALES, "number customer status delivery total currency promised_on", "sku quantity price")


@each_row(
    ("delivery", "status"),
    [
        (None, OrderStatus.OPEN),
        ("none", OrderStatus.OPEN),
        ("partial", OrderStatus.PARTLY_DELIVERED),
        ("full", OrderStatus.DELIVERED),
    ],
)
def test_an_open_order_is_as_far_as_its_delivery(delivery: str | None, status: OrderStatus) -> None:
    assert reader().single(SALES, SALE | {"delivery": delivery}).status is status


def test_a_closed_order_stays_closed() -> None:
    assert reader().single(SALES, SALE | {"status": "closed", "delivery": "partial"}).status is OrderStatus.CLOSED


@each_row(
    ("total", "unpaid", "status"),
    [("100", "100", InvoiceStatus.UNPAID), ("100", "40", InvoiceStatus.PART_PAID), ("100", None, InvoiceStatus.UNPAID)],
)
def test_an_unpaid_invoice_with_less_open_is_part_paid(total: str, unpaid: str | None, status: InvoiceStatus) -> None:
    layout = mapped(builders.FINANCE, "number customer status total open_amount")
    row = {"number": "INV-1", "customer": "A", "status": "unpaid", "total": total, "open_amount": unpaid}
    assert reader().single(layout, row).status is status


@pytest.mark.parametrize("sign", ["", "-"])
def test_credit_notes_are_negative_whatever_the_erp_writes(sign: str) -> None:
    layout = mapped(builders.FINANCE, "number customer status total open_amount is_credit_note")
    row = {"number": "CN-1", "customer": "A", "status": "unpaid", "is_credit_note": 1}
    note = reader().single(layout, row | {"total": f"{sign}50.10", "open_amount": f"{sign}50.10"})
    assert note.is_credit_note
    assert note.total == note.open_amount == Money(Decimal("-50.10"), "CNY")


def test_a_negative_invoice_is_a_credit_note_where_nothing_else_says_so() -> None:
    layout = mapped(builders.FINANCE, "number customer status total")
    row = {"number": "CN-1", "customer": "A", "status": "unpaid"}
    assert reader().single(layout, row | {"total": "-1"}).is_credit_note
    assert not reader().single(layout, row | {"total": "1"}).is_credit_note


def test_a_bill_reads_like_an_invoice() -> None:
    layout = mapped(builders.BILLS, "number vendor status total open_amount is_credit_note reference")
    row = {"number": "B-1", "vendor": "A", "status": "unpaid", "total": "100", "reference": " F/7 "}
    bill = reader().single(layout, row | {"open_amount": "40"})
    assert (bill.status, bill.reference, bill.total) == (InvoiceStatus.PART_PAID, "F/7", Money(Decimal(100), "CNY"))
    note = reader().single(layout, row | {"is_credit_note": 1, "open_amount": "100"})
    assert (note.is_credit_note, note.open_amount) == (True, Money(Decimal(-100), "CNY"))


@each_row(
    ("amount", "way", "direction"),
    [
        ("12.50", "received", PaymentDirection.RECEIVED),
        ("-12.50", "received", PaymentDirection.SPENT),
        ("-12.50", "spent", PaymentDirection.RECEIVED),
    ],
)
def test_a_negative_payment_went_the_other_way(amount: str, way: str, direction: PaymentDirection) -> None:
    layout = mapped(
        builders.PAYMENTS,
        "number partner status amount direction",
        "number",
        partner_kind=FieldSource(default="customer"),
    )
    row = {"number": "P-1", "partner": "Acme", "status": "booked", "amount": amount, "direction": way}
    payment = reader().single(layout, row, [{"number": "INV-1"}, {"number": "INV-2"}])
    assert (payment.direction, payment.amount) == (direction, Money(Decimal("12.50"), "CNY"))
    assert (payment.partner_kind, payment.settles) == (PartnerKind.CUSTOMER, ("INV-1", "INV-2"))
    assert reader().many(layout, [row])[0].settles == ()


def test_a_payment_whose_way_nobody_knows_is_not_told() -> None:
    layout = mapped(builders.PAYMENTS, "number partner partner_kind direction status amount")
    row = {"number": "P-1", "partner": "A", "partner_kind": "customer", "status": "booked", "amount": "1"}
    with pytest.raises(Invalid, match="direction"):
        reader().single(layout, row)


def test_a_partner_without_a_word_about_it_is_active() -> None:
    layout = mapped(builders.CUSTOMERS, "code name credit_limit is_active")
    customer = reader().single(layout, {"code": "C1", "name": "Acme", "credit_limit": "0"})
    assert (customer.is_active, customer.credit_limit) == (True, Money(Decimal(0), "CNY"))
    assert not reader().single(layout, {"code": "C1", "name": "Acme", "is_active": 0}).is_active


def test_what_the_erp_does_not_say_is_none_and_not_zero() -> None:
    order = reader().single(SALES, SALE)
    assert (order.total, order.delivery, order.promised_on, order.changed_at) == (None, None, None, None)
    assert (order.id, order.salesperson, order.source) == ("SO-1", "", "main")


def test_currency_and_unit_come_from_the_row_its_document_or_the_source() -> None:
    lines = [{"sku": "A", "quantity": 1, "price": "2.50"}]
    order = reader().single(SALES, SALE | {"total": "1", "currency": " usd "}, lines)
    assert order.total == Money(Decimal(1), "USD")
    assert order.lines[0].price == Money(Decimal("2.50"), "USD")
    assert order.lines[0].unit == "PCS"
    assert reader().single(SALES, SALE | {"total": "1"}).total == Money(Decimal(1), "CNY")


def test_an_amount_without_a_currency_is_not_told() -> None:
    read = reader(currency="")
    assert read.single(SALES, SALE | {"total": "1", "currency": "¥"}).total is None
    assert [(bad.name, bad.kept) for bad in read.context.bad_values] == [("currency", True)]


def test_words_are_translated_in_any_case_and_may_mean_nothing() -> None:
    state = FieldSource(from_="status", words={"Freigegeben": "open", "7": "closed"})
    until = FieldSource(from_="promised_on", words={"1900-01-01": ""})
    layout = mapped(builders.SALES, "number customer", status=state, promised_on=until)
    order = reader().single(layout, SALE | {"status": "FREIGEGEBEN ", "promised_on": "1900-01-01"})
    assert (order.status, order.promised_on) == (OrderStatus.OPEN, None)
    assert reader().single(layout, SALE | {"status": 7}).status is OrderStatus.CLOSED
    assert reader().single(layout, SALE | {"status": "open"}).status is OrderStatus.OPEN


def test_codes_lose_the_blanks_of_fixed_columns_and_names_keep_theirs() -> None:
    order = reader().single(SALES, {"number": "SO-1   ", "customer": " Acme  ", "status": "open    "})
    assert (order.number, order.customer, order.status) == ("SO-1", " Acme  ", OrderStatus.OPEN)


def test_an_unreadable_field_that_may_lack_is_left_out_and_noted() -> None:
    read = reader()
    order = read.single(SALES, SALE | {"promised_on": "2026-13-45", "total": "12,5"})
    assert (order.promised_on, order.total) == (None, None)
    assert [(bad.area, bad.key, bad.name, bad.kept) for bad in read.context.bad_values] == [
        (Area.SALES, "SO-1", "promised_on", True),
        (Area.SALES, "SO-1", "total", True),
    ]


def test_a_list_goes_on_without_the_record_that_cannot_be_told() -> None:
    read = reader()
    rows = [SALE, SALE | {"number": "SO-2", "status": "half open"}, SALE | {"number": " "}, SALE | {"number": "SO-4"}]
    assert [order.number for order in read.many(SALES, rows)] == ["SO-1", "SO-4"]
    assert [(bad.key, bad.name, bad.kept) for bad in read.context.bad_values] == [
        ("SO-2", "status", False),
        ("", "number", False),
    ]
    assert next(iter(read.context.bad_values)).record == rows[1]


def test_a_single_record_that_cannot_be_told_says_why() -> None:
    with pytest.raises(Invalid, match="sales: status has the unknown word 'half open'"):
        reader().single(SALES, SALE | {"status": "half open"})
    with pytest.raises(Invalid, match="sales: quantity is no number"):
        reader().single(SALES, SALE, [{"sku": "A", "quantity": "many"}])


def test_a_sort_of_bad_value_is_logged_once_and_never_with_its_value() -> None:
    read = reader()
    with capture_logs() as logged:
        for n in range(5):
            read.single(SALES, SALE | {"number": f"SO-{n}", "total": "99,95"})
    assert len(logged) == 1
    assert logged[0]["field"] == "total"
    assert "99,95" not in str(logged)


def test_float_columns_are_warned_of() -> None:
    read = reader()
    with capture_logs() as logged:
        assert read.single(SALES, SALE | {"total": 12345678901234.56789}).total.amount == Decimal("12345678901234.568")
        read.single(SALES, SALE | {"total": 12.5})
    assert [entry["field"] for entry in logged] == ["total"]
    assert "float" in logged[0]["reason"]


def test_bad_values_are_bounded() -> None:
    bad_values = BadValues("main")
    for n in range(1_500):
        bad_values.note(BadValue(Area.SALES, str(n), "total", "is no number", kept=True))
    held = [bad.key for bad in bad_values]
    assert (len(held), held[0], held[-1]) == (1_000, "500", "1499")


PURCHASES = mapped(
    builders.PURCHASING,
    "number vendor status total version changed_at pending_for level levels decided_by decided_at reason due_on",
)
PURCHASE = {"number": "PO-1", "vendor": "V", "status": "waiting", "total": "100", "version": "7"}


def test_a_version_changes_with_everything_that_is_told() -> None:
    version = reader().single(PURCHASES, PURCHASE).review.version
    assert builders.own_version(version) == "7"
    for change in ({"total": "100.01"}, {"version": "8"}, {"level": 2}, {"due_on": "2026-01-01"}, {"reason": "x"}):
        assert reader().single(PURCHASES, PURCHASE | change).review.version != version, change


def test_a_version_is_the_same_however_the_same_is_written() -> None:
    time = "2026-11-24T02:30:00"
    one = reader().single(PURCHASES, PURCHASE | {"total": Decimal("100.00"), "changed_at": f"{time}Z"})
    other = reader().single(PURCHASES, PURCHASE | {"total": 100, "changed_at": "2026-11-24 10:30:00"})
    assert one.review.version == other.review.version


def test_a_version_with_the_sign_between_is_taken_apart_rightly() -> None:
    assert builders.own_version(reader().single(PURCHASES, PURCHASE | {"version": "a~b"}).review.version) == "a~b"


@each_row(
    ("row", "approval"),
    [
        ({}, Approval()),
        ({"pending_for": "anna,carla", "levels": 2}, Approval(pending_for=("anna", "carla"), levels=2)),
        ({"status": "draft"}, None),
        ({"status": "approved", "decided_by": "anna"}, Approval(decided_by="anna")),
    ],
)
def test_approvals(row: Mapping[str, Any], approval: Approval | None) -> None:
    order = reader().single(PURCHASES, {**PURCHASE, **row})
    assert order.review.approval == approval
    assert order.status is ReviewState(row.get("status", "waiting"))


def test_who_changed_an_order_is_told_and_is_no_part_of_its_version() -> None:
    """Where it is not mapped, versions are what they were before it could be."""
    purchases = replace(PURCHASES, fields={**PURCHASES.fields, "changed_by": FieldSource(from_="editor")})
    told = [reader().single(purchases, {**PURCHASE, "editor": editor}) for editor in ("anna ", "carla", None)]
    assert [order.review.changed_by for order in told] == ["anna", "carla", ""]
    assert {order.review.version for order in told} == {reader().single(PURCHASES, PURCHASE).review.version}


def place(code: str, on_hand: str | None, reserved: str | None = None) -> WarehouseStock:
    figures = Quantities(
        on_hand=None if on_hand is None else Decimal(on_hand), reserved=None if reserved is None else Decimal(reserved)
    )
    return WarehouseStock(code=code, name=code, quantities=figures)


@each_row(
    ("places", "on_hand", "reserved"),
    [
        ((place("A", "1.1", "1"), place("B", "2.2", "0")), Decimal("3.3"), Decimal(1)),
        ((place("A", "1", "1"), place("B", "2")), Decimal(3), None),
        ((), Decimal(0), Decimal(0)),
    ],
)
def test_a_total_is_what_the_places_add_up_to(
    places: tuple[WarehouseStock, ...], on_hand: Decimal, reserved: Decimal | None
) -> None:
    product = Product(sku="A", name="A", unit="PCS")
    level = builders.stock_level(product, None, places, frozenset({"on_hand", "reserved"}), ground())
    assert (level.total.on_hand, level.total.reserved, level.total.incoming) == (on_hand, reserved, None)
    assert level.as_of == NOW


def test_batches_of_one_place_are_added_up() -> None:
    product = Product(sku="A", name="A", unit="PCS")
    rows = (place("A", "0.1", "1"), place("B", "5", "1"), place("A", "0.2"))
    level = builders.stock_level(product, None, rows, frozenset({"on_hand"}), ground())
    assert [(p.code, p.quantities.on_hand, p.quantities.reserved) for p in level.per_warehouse] == [
        ("A", Decimal("0.3"), None),
        ("B", Decimal(5), Decimal(1)),
    ]


def test_a_lookup_takes_only_what_was_asked_for() -> None:
    rows = ["SO-1", "so-10", "SO-10", "SO-11", "dup", "DUP"]

    def find(wanted: str) -> Any:
        return matching(rows, wanted, str, source="main")

    assert find("SO-10") == "SO-10"
    assert find("so-11") == "SO-11"
    assert find("SO-1%") is None
    with pytest.raises(Invalid, match="2 records"):
        find("Dup")


def test_progress_by_percent() -> None:
    layout = mapped(
        builders.SALES, "number customer status", delivery=FieldSource(from_="per_delivered", full=Decimal(100))
    )
    assert reader().single(layout, SALE | {"per_delivered": "40"}).delivery is Progress.PARTIAL


def test_who_created_a_document_is_told_by_name_and_account() -> None:
    layout = mapped(builders.SALES, "number customer status created_by")
    row = {"number": "SO-1", "customer": "Acme", "status": "open"}
    assert reader().single(layout, row | {"created_by": "李娜,li"}).created_by == ("李娜", "li")
    assert reader().single(layout, row | {"created_by": None}).created_by == ()
    assert reader().single(layout, row).creator == ""
