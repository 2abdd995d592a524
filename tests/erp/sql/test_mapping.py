"""Odd values on the way from tables to records, and changes however their times are kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.erp.errors import Invalid
from bot.erp.model import Area, OrderStatus
from bot.erp.port import Capability, Filter, ListQuery
from tests.erp.sql.minimal_source import ORDERS, Open, sales, tiny


async def test_numeric_columns_of_sqlite_lose_digits_and_say_so(tmp_path: Path, open_erp: Open) -> None:
    url = tiny(
        tmp_path,
        "CREATE TABLE o (no TEXT, c TEXT, s TEXT, t NUMERIC, p TEXT)",
        "INSERT INTO o VALUES ('1', 'c', 'open', '12345678901234.56789', NULL)",
        "INSERT INTO o VALUES ('2', 'c', 'open', '12.10', NULL)",
    )
    erp = open_erp(**sales(url))
    with capture_logs() as logged:
        assert (await erp.order("2")).total.amount == Decimal("12.1")  # type: ignore[union-attr]
        assert not logged
        await erp.order("1")
    assert [(entry["area"], entry["field"]) for entry in logged] == [(Area.SALES, "total")]


async def test_sums_over_text_columns_are_exact_in_python(tmp_path: Path, open_erp: Open) -> None:
    """SUM() would make floats of SQLite's text, so batches are added up here."""
    url = tiny(
        tmp_path,
        "CREATE TABLE i (no TEXT, c TEXT)",
        "CREATE TABLE h (no TEXT, store TEXT, q TEXT)",
        "INSERT INTO i VALUES ('A', 'Bolt')",
        "INSERT INTO h VALUES ('A', 'M', '12345678901234.56789'), ('A', 'M', '0.00001'), ('A', 'N', '0.1')",
    )
    erp = open_erp(
        url=url,
        zone="UTC",
        unit="PCS",
        products={
            "one": "SELECT * FROM i WHERE no = :sku",
            "list": "SELECT * FROM i",
            "fields": {"sku": "no", "name": "c"},
        },
        stock={
            "places": {"query": "SELECT * FROM h WHERE no = :sku", "fields": {"code": "store", "on_hand": "q"}},
        },
    )
    assert erp.capabilities == {Capability.STOCK, Capability.STOCK_PER_WAREHOUSE}
    level = await erp.stock("A")
    assert level.total.on_hand == Decimal("12345678901234.6679")
    assert [place.quantities.on_hand for place in level.per_warehouse] == [
        Decimal("12345678901234.5679"),
        Decimal("0.1"),
    ]
    assert level.total.reserved is None


async def test_one_text_in_a_wrong_encoding_does_not_hide_the_list(tmp_path: Path, open_erp: Open) -> None:
    url = tiny(
        tmp_path,
        ORDERS,
        "INSERT INTO o VALUES ('1', CAST(x'D6D0B9FA' AS TEXT), 'open', '1', NULL)",
        "INSERT INTO o VALUES ('2', '中国', 'open', '1', NULL)",
    )
    found = {order.number: order.customer for order in (await open_erp(**sales(url)).orders(ListQuery())).items}
    assert found["2"] == "中国"
    assert "\N{REPLACEMENT CHARACTER}" in found["1"]


async def test_a_dirty_table_is_read_around_its_dirt_and_left_as_it_is(tmp_path: Path, open_erp: Open) -> None:
    url = tiny(
        tmp_path,
        ORDERS,
        "INSERT INTO o VALUES ('1', 'c', 'open', '1', '2026-11-20')",
        "INSERT INTO o VALUES ('2', 'c', 'opne', '1', NULL)",
        "INSERT INTO o VALUES ('3', 'c', 'open', 'much', '20.11.2026')",
        "INSERT INTO o VALUES (NULL, 'c', 'open', '1', NULL)",
    )
    file = tmp_path / "tiny.db"
    before = file.read_bytes()
    erp = open_erp(**sales(url))
    assert sorted(order.number for order in (await erp.orders(ListQuery())).items) == ["1", "3"]
    assert sorted((bad.key, bad.name, bad.kept) for bad in erp.bad_values) == [
        ("", "number", False),
        ("2", "status", False),
        ("3", "promised_on", True),
        ("3", "total", True),
    ]
    assert file.read_bytes() == before


async def test_column_names_are_found_in_any_case(tmp_path: Path, open_erp: Open) -> None:
    url = tiny(tmp_path, ORDERS, "INSERT INTO o VALUES ('1', 'c', 'open', '1', NULL)")
    one = 'SELECT no AS "NO", c AS C, s AS "S", t, p FROM o WHERE no = :number'
    assert (await open_erp(**sales(url, one=one)).order("1")).status is OrderStatus.OPEN


async def test_two_records_of_one_number_are_not_guessed_between(tmp_path: Path, open_erp: Open) -> None:
    url = tiny(tmp_path, ORDERS, *["INSERT INTO o VALUES ('1', 'c', 'open', '1', NULL)"] * 2)
    with pytest.raises(Invalid, match="2 records have this number"):
        await open_erp(**sales(url)).order("1")


# Changes

CHANGES = "SELECT no AS key, p AS changed_at FROM o WHERE p >= :since ORDER BY p, no LIMIT :limit"
MOMENT = datetime(2026, 11, 24, 2, 30, 5, 250000, tzinfo=UTC)

AS_KEPT: list[tuple[str, Callable[[datetime], Any]]] = [
    ("", lambda at: (at + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S.%f")),
    ("", lambda at: (at + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S")),
    ("%Y-%m-%dT%H:%M:%S", lambda at: (at + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M:%S+08:00")),
    ("epoch", lambda at: int(at.timestamp())),
    ("epoch_ms", lambda at: int(at.timestamp() * 1000)),
]


@pytest.mark.parametrize(("form", "kept"), AS_KEPT)
async def test_changes_are_followed_however_the_times_are_kept(
    tmp_path: Path, open_erp: Open, form: str, kept: Callable[[datetime], Any]
) -> None:
    url = tiny(tmp_path, ORDERS)
    engine = sqlite3.connect(tmp_path / "tiny.db")

    def add(number: str, at: datetime) -> None:
        with engine:
            engine.execute("INSERT INTO o VALUES (?, 'c', 'open', '1', ?)", (number, kept(at)))

    erp = open_erp(**sales(url, changes=CHANGES), time_format=form)
    for n in range(5):
        add(f"A{n}", MOMENT + timedelta(seconds=n // 2))
    first = await erp.changed_since(Area.SALES, "", limit=3)
    rest = await erp.changed_since(Area.SALES, first.cursor, limit=3)
    assert [change.key for change in (*first.items, *rest.items)] == ["A0", "A1", "A2", "A3", "A4"]
    assert (first.more, rest.more) == (True, False)
    add("late", MOMENT - timedelta(seconds=5))  # a transaction that took its time
    add("new", MOMENT + timedelta(hours=1))
    last = await erp.changed_since(Area.SALES, rest.cursor, limit=9)
    assert [change.key for change in last.items] == ["late", "new"]
    assert (await erp.changed_since(Area.SALES, last.cursor, limit=9)).items == ()
    engine.close()


async def test_a_partners_documents_are_picked_out_of_a_list_that_pages_itself(tmp_path: Path, open_erp: Open) -> None:
    paged = """
        SELECT o.*, count(*) OVER () AS all_rows FROM o WHERE lower(no) LIKE lower(:like) ESCAPE '!'
        OR lower(c) LIKE lower(:like) ESCAPE '!' ORDER BY no LIMIT :limit OFFSET :offset
    """
    url = tiny(
        tmp_path,
        ORDERS,
        "INSERT INTO o VALUES ('1', 'Acme', 'open', '1', NULL), ('2', 'Acme East', 'open', '1', NULL)",
        "INSERT INTO o VALUES ('3', 'acme', 'closed', '1', NULL), ('4', 'Other', 'open', '1', NULL)",
    )
    erp = open_erp(**sales(url, list=paged, late=paged))
    found = await erp.orders(ListQuery(partner="ACME"))
    assert ([order.number for order in found.items], found.total) == (["1", "3"], 2)
    still_open = await erp.orders(ListQuery(filter=Filter.OPEN, partner="Acme", limit=1))
    assert ([order.number for order in still_open.items], still_open.total) == (["1"], 1)
    assert (await erp.orders(ListQuery(filter=Filter.OPEN))).total == 3
    assert (await erp.orders(ListQuery(partner="\ud800"))).total == 0
