"""State tables and unusual values."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.erp.kingdee.decisions import KingdeeTask, last_run, was_rejected
from bot.erp.kingdee.documents import (
    invoice_status,
    order_status,
    production_status,
    reorder_point,
    review_state,
)
from bot.erp.kingdee.mapping import ValueReader, code, text
from bot.erp.kingdee.query import PRODUCTION
from bot.erp.model import InvoiceStatus, Money, OrderStatus, ProductionStatus, Progress, ReviewState
from bot.erp.values import is_true, number, progress
from tests.rows import each_row

VALUES = ValueReader(ZoneInfo("Asia/Shanghai"), {"PRE999": "XAU"})

# States (docs: platform/erp/records.md#states)


@each_row(
    ("document", "close", "cancel", "delivery", "status"),
    [
        *[(document, "A", "A", Progress.NONE, OrderStatus.DRAFT) for document in "ZABD"],
        ("C", "A", "A", Progress.NONE, OrderStatus.OPEN),
        ("C", "A", "A", None, OrderStatus.OPEN),
        ("C", "A", "A", Progress.PARTIAL, OrderStatus.PARTLY_DELIVERED),
        ("C", "A", "A", Progress.FULL, OrderStatus.DELIVERED),
        ("C", "B", "A", Progress.PARTIAL, OrderStatus.CLOSED),
        ("C", "B", "B", Progress.FULL, OrderStatus.CANCELLED),
        ("A", "A", "B", Progress.NONE, OrderStatus.CANCELLED),
        ("", "A", "A", Progress.NONE, OrderStatus.DRAFT),
    ],
)
def test_sales_order(document: str, close: str, cancel: str, delivery: Progress | None, status: OrderStatus) -> None:
    assert order_status(document, close, cancel, delivery) is status


@each_row(
    ("document", "close", "cancel", "rejected", "status"),
    [
        *[(document, "A", "A", False, ReviewState.DRAFT) for document in "ZAD"],
        ("B", "A", "A", False, ReviewState.WAITING),
        ("B", "A", "A", True, ReviewState.WAITING),
        ("C", "A", "A", False, ReviewState.APPROVED),
        ("D", "A", "A", True, ReviewState.REJECTED),
        ("C", "B", "A", False, ReviewState.DONE),
        ("C", "B", "B", False, ReviewState.CANCELLED),
        ("A", "A", "B", False, ReviewState.CANCELLED),
        ("?", "A", "A", False, ReviewState.DRAFT),
    ],
)
def test_purchase_order(document: str, close: str, cancel: str, rejected: bool, status: ReviewState) -> None:
    assert review_state(document, close, cancel, rejected=rejected) is status


@each_row(
    ("document", "cancel", "written_off", "status"),
    [
        *[(document, "A", "A", InvoiceStatus.DRAFT) for document in "ZABD"],
        ("C", "A", "A", InvoiceStatus.UNPAID),
        ("C", "A", "B", InvoiceStatus.PART_PAID),
        ("C", "A", "C", InvoiceStatus.PAID),
        ("C", "B", "A", InvoiceStatus.VOID),
        ("C", "", "", InvoiceStatus.UNPAID),
    ],
)
def test_receivable(document: str, cancel: str, written_off: str, status: InvoiceStatus) -> None:
    assert invoice_status(document, cancel, written_off) is status


@each_row(
    ("document", "cancel", "line", "status"),
    [
        ("C", "A", "1", ProductionStatus.PLANNED),
        ("C", "A", "2", ProductionStatus.PLANNED),
        ("C", "A", "3", ProductionStatus.RELEASED),
        ("C", "A", "4", ProductionStatus.RUNNING),
        *[("C", "A", line, ProductionStatus.DONE) for line in "567"],
        ("B", "A", "4", ProductionStatus.PLANNED),
        ("C", "B", "4", ProductionStatus.CANCELLED),
        ("C", "", "", ProductionStatus.PLANNED),
    ],
)
def test_production_order(document: str, cancel: str, line: str, status: ProductionStatus) -> None:
    assert production_status(document, cancel, line) is status


@each_row(
    ("parts", "whole"),
    [
        ([], None),
        ([(None, 5)], None),
        ([(0, 5), (0, 1)], Progress.NONE),
        ([(5, 5), (0, 1)], Progress.PARTIAL),
        ([(1, 5), (None, 1)], Progress.PARTIAL),
        ([(5, 5), (2, 1)], Progress.FULL),
        ([(0, 0), (3, 3)], Progress.FULL),
    ],
)
def test_progress(parts: list[tuple[int | None, int]], whole: Progress | None) -> None:
    pairs = [(None if done is None else Decimal(done), Decimal(wanted)) for done, wanted in parts]
    assert progress(pairs) is whole


# Unusual values


@each_row(
    ("value", "wanted"),
    [
        (5, "5"),
        ("12.50", "12.5"),
        (Decimal("24.9500000000"), "24.95"),
        ("1,234.5", "1234.5"),
        (Decimal("12345678901234.56789"), "12345678901234.56789"),
        (Decimal("1E-6"), "0.000001"),
        ("1E+3", "1000"),
        (Decimal("0E-10"), "0"),
        (100, "100"),
        (Decimal("-3.10"), "-3.1"),
        (Decimal("0." + "1" * 40), "0." + "1" * 40),
    ],
)
def test_numbers_are_exact(value: Any, wanted: str) -> None:
    assert str(number(value)) == wanted


@each_row("value", [None, "", " ", "null", True])
def test_no_number_is_not_zero(value: Any) -> None:
    assert number(value) is None


@each_row("value", ["abc", "NaN", "Infinity", [], {"a": 1}])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="number"):
        number(value)


@each_row(
    ("value", "wanted"),
    [
        (None, ""),
        (" ", ""),
        (" a ", " a "),
        ("多\n行", "多\n行"),
        ([{"Key": 2052, "Value": "螺栓"}, {"Key": 1033, "Value": "bolt"}], "螺栓"),
        (7, "7"),
    ],
)
def test_texts_are_untouched_and_the_single_blank_is_none(value: Any, wanted: str) -> None:
    assert text(value) == wanted


def test_codes_lose_the_blanks_of_fixed_columns() -> None:
    assert code("C   ") == "C"
    assert code(100012) == "100012"


@each_row(
    ("value", "wanted"),
    [
        ("2026-11-24T10:30:00", datetime(2026, 11, 24, 2, 30, tzinfo=UTC)),
        ("2026-11-24T10:30:00.647", datetime(2026, 11, 24, 2, 30, 0, 647_000, tzinfo=UTC)),
        ("2026-11-24 10:30:00", datetime(2026, 11, 24, 2, 30, tzinfo=UTC)),
        ("2026-11-24T10:30:00+09:00", datetime(2026, 11, 24, 1, 30, tzinfo=UTC)),
        *[(value, None) for value in (None, "", " ", "null", "0001-01-01T00:00:00")],
    ],
)
def test_times_are_the_servers(value: Any, wanted: datetime | None) -> None:
    assert VALUES.time(value) == wanted


def test_a_day_stays_the_day_of_the_server() -> None:
    assert VALUES.day("2026-11-24T00:00:00") == date(2026, 11, 24)


@each_row("value", [True, "true", "True", "1", 1])
def test_true_is_spelled_in_several_ways(value: Any) -> None:
    assert is_true(value)


@each_row("value", [False, "false", "0", 0, None, ""])
def test_false_too(value: Any) -> None:
    assert not is_true(value)


@each_row(
    ("iso", "name", "wanted"),
    [
        ("CNY", "人民币", "CNY"),
        ("RMB", "人民币", "CNY"),
        (" ", "美元", "USD"),
        ("PRE999", "黄金", "XAU"),
        ("$$", "Taler", ""),
        ("usd", "x", ""),
    ],
)
def test_currencies_have_iso_codes(iso: str, name: str, wanted: str) -> None:
    assert VALUES.currency({"F.FCode": iso, "F.FName": name}, "F") == wanted


def test_an_amount_without_a_known_currency_is_none() -> None:
    assert VALUES.money("5", "") is None
    assert VALUES.money("5", "CNY") == Money(Decimal(5), "CNY")


@each_row(
    ("lines", "wanted"),
    [
        ([{"FIsEnableReOrder": True, "FReOrderGood": 50}], 50),
        ([{"FIsEnableReOrder": "true", "FReOrderGood": 0}], 0),
        ([{"FIsEnableReOrder": False, "FReOrderGood": 50}], None),
        ([{"FIsEnableReOrder": False, "FReOrderGood": 5, "FIsEnableSafeStock": True, "FSafeStock": 7}], 7),
        ([{"FReOrderGood": 50}], 50),
        ([{"FReOrderGood": 0}], None),
        ([{}], None),
        ([{"FReOrderGood": 50, "FStoreUnitID.FName": "箱"}], None),
        ([{"FReOrderGood": 50, "FStoreUnitID.FName": "个"}], 50),
        ([{"FReOrderGood": 50}, {"FReOrderGood": 50}], 50),
        ([{"FReOrderGood": 50}, {"FReOrderGood": 60}], None),
    ],
)
def test_reorder_point(lines: list[dict[str, Any]], wanted: int | None) -> None:
    assert reorder_point([{"FBaseUnitId.FName": "个", **line} for line in lines]) == wanted


@each_row(("line", "wanted"), [(1, "MO-1"), (2, "MO-1#2"), ("12", "MO-1#12"), (None, "MO-1")])
def test_a_line_of_a_production_bill_has_a_number_of_its_own(line: Any, wanted: str) -> None:
    assert PRODUCTION.number({"FBillNo": "MO-1", "FTreeEntity_FSeq": line}) == wanted


# Workflow


def a_task(
    id: str,  # noqa: A002  # a task's id is its id
    node: str,
    person: str,
    *,
    run: str = "w1",
    created: int = 1,
    done: int | None = None,
    waiting: bool = False,
    result: str = "",
) -> KingdeeTask:
    return KingdeeTask(
        id=id,
        bill="PO-1",
        run=run,
        step=node,
        person=person,
        name=person,
        post="",
        open=waiting,
        result=result,
        comment=result,
        created_at=datetime(2026, 1, created, tzinfo=UTC),
        done_at=None if done is None else datetime(2026, 1, done, tzinfo=UTC),
    )


def test_levels_are_nodes_not_people() -> None:
    run = last_run(
        [
            a_task("1", "n1", "1", done=2, result="通过"),
            a_task("2", "n1", "2"),
            a_task("3", "n2", "3", created=2, waiting=True),
            a_task("4", "n2", "4", created=2, waiting=True),
        ]
    )
    approval = run.approval()
    assert (approval.level, approval.pending_for, approval.decided_by) == (2, ("3", "4"), "1")


def test_a_node_that_needs_all_its_people_stays_one_level() -> None:
    approval = last_run([a_task("1", "n1", "1", done=2), a_task("2", "n1", "2", waiting=True)]).approval()
    assert (approval.level, approval.pending_for, approval.decided_by) == (1, ("2",), "1")


def test_an_order_submitted_again_starts_anew() -> None:
    run = last_run(
        [
            a_task("1", "n1", "1", done=2, result="打回"),
            a_task("2", "n9", "1", run="w2", created=5, waiting=True),
        ]
    )
    assert not was_rejected(run, ("打回",))
    assert (run.approval().level, run.approval().decided_by, run.approval().reason) == (1, "", "")


@each_row(("result", "rejected"), [("打回发起人", True), ("Reject", True), ("审批通过", False), ("", False)])
def test_a_rejection_is_told_by_its_words(result: str, rejected: bool) -> None:
    run = last_run([a_task("1", "n1", "1", done=2, result=result)])
    assert was_rejected(run, ("打回", "reject")) is rejected
