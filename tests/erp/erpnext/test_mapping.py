"""Numbers from floats, HTML texts, times without a zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.erp.erpnext import documents
from bot.erp.erpnext.mapping import Site, html_to_text, number, text_to_html
from bot.erp.errors import Invalid
from tests.erp.erpnext.rows import SITE, order_row
from tests.rows import each_row

BERLIN = Site(ZoneInfo("Europe/Berlin"), source="main", url="https://erp.example.com")


@each_row(
    ("value", "wanted"),
    [
        (None, None),
        ("", None),
        (0, Decimal(0)),
        (Decimal("0.1"), Decimal("0.1")),
        (Decimal("1E-6"), Decimal("0.000001")),
        (Decimal("0.30000000000000004"), Decimal("0.3")),
        (Decimal("19.999999999999996"), Decimal(20)),
        (Decimal("12345678901234.568"), Decimal("12345678901234.568")),
        ("12.50", Decimal("12.5")),
    ],
)
def test_numbers_are_exact_and_without_what_floats_add(value: Any, wanted: Decimal | None) -> None:
    found = number(value)
    assert found == wanted
    assert not isinstance(found, float)


def test_a_record_that_cannot_be_read_says_which() -> None:
    for broken in ({"qty": "many"}, {"qty": None}, {"qty": 1, "status": "No such status"}, {"qty": "NaN"}):
        with pytest.raises(Invalid, match="unreadable record 'MO-1'"):
            SITE.read(documents.production_order, {"name": "MO-1", "docstatus": 1, "status": "Closed", **broken})
    with pytest.raises(Invalid, match="unreadable"):
        SITE.read(documents.sales_order, order_row(transaction_date="yesterday"))


@each_row(
    "text", ["too dear", "*really* <b>& „teuer“ 太贵", "a \"b\" 'c'", "two\nlines", "&lt; &amp;", "1 < 2 > 0", "a<br>b"]
)
def test_a_text_survives_its_way_through_html(text: str) -> None:
    assert html_to_text(text_to_html(text)) == text
    assert html_to_text(f'<div class="ql-editor read-mode"><p>{text_to_html(text)}</p></div>') == text


def test_naive_times_are_the_sites() -> None:
    assert SITE.time("2026-11-24 21:56:25.640465") == datetime(2026, 11, 24, 13, 56, 25, 640465, tzinfo=UTC)
    assert SITE.time("2026-11-24 21:56:25") == datetime(2026, 11, 24, 13, 56, 25, tzinfo=UTC)
    assert SITE.time(None) is None
    assert SITE.text(datetime(2026, 11, 24, 13, 56, 25, 5, tzinfo=UTC)) == "2026-11-24 21:56:25.000005"
    assert SITE.day("2026-11-24 00:30:00.000000") == date(2026, 11, 24)


def test_in_the_hour_that_comes_twice_changes_are_looked_for_an_hour_longer() -> None:
    usual = BERLIN.late(datetime(2026, 10, 24, 12, tzinfo=UTC))
    assert usual == SITE.late(datetime(2026, 10, 25, 0, 30, tzinfo=UTC)) == timedelta(minutes=2)
    # 02:30 in Berlin, before and after the clocks go back.
    for hour in (0, 1):
        assert BERLIN.late(datetime(2026, 10, 25, hour, 30, tzinfo=UTC)) == usual + timedelta(hours=1)
    assert BERLIN.late(datetime(2026, 10, 25, 2, 1, tzinfo=UTC)) == usual + timedelta(hours=1)
    assert BERLIN.late(datetime(2026, 10, 25, 2, 2, tzinfo=UTC)) == usual
    assert BERLIN.late(datetime(2026, 3, 29, 1, 30, tzinfo=UTC)) == usual


def test_the_owner_of_a_document_created_it() -> None:
    assert SITE.read(documents.sales_order, order_row(owner="li@example.com")).created_by == ("li@example.com",)
    assert SITE.read(documents.sales_order, order_row(owner=None)).created_by == ()
