"""Workbooks: text stays text, numbers are numbers, amounts have their currency."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from bot.cards.workbook import Cell, Sheet, write_workbook
from bot.erp.model import Money
from tests.rows import each_row
from tests.workbook_cells import ReadCell, ReadSheet, read_sheets


def written(*cells: Cell) -> ReadSheet:
    (sheet,) = read_sheets(write_workbook([Sheet("list", [f"c{number}" for number in range(len(cells))], [cells])]))
    return sheet


@each_row(
    "text",
    [
        '=HYPERLINK("http://example.com","x")',
        "=1+1",
        "+1",
        "-2",
        "@SUM(A1)",
        "https://example.com/x",
        "mailto:a@example.com",
        "internal:Sheet1!A1",
        "{=A1}",
        "0012",
        "12.50",
        "\ttext",
        "螺丝 <b>&",
    ],
)
def test_text_stays_text(text: str) -> None:
    sheet = written(text)
    assert sheet.rows[1] == [ReadCell(text)]
    assert "<f>" not in sheet.xml
    assert "hyperlink" not in sheet.xml


def test_what_no_file_can_hold_is_replaced() -> None:
    assert written("a\ud800b").values[1] == ["a?b"]
    assert len(str(written("长" * 40_000).values[1][0])) == 32_767


@each_row(
    ("cell", "value", "pattern"),
    [
        (Decimal("12.50"), "12.5", "#,##0.0"),
        (Decimal("1E+3"), "1000", ""),
        (7, "7", ""),
        (Money(Decimal("1234.5"), "CNY"), "1234.5", '#,##0.00 "CNY"'),
        (Money(Decimal("100"), "JPY"), "100", '#,##0 "JPY"'),
        (Money(Decimal("0.1234"), "USD"), "0.1234", '#,##0.0000 "USD"'),
        (date(2026, 11, 5), "46331", "yyyy-mm-dd"),
        (datetime(2026, 11, 5, 12, tzinfo=UTC), "46331.5", "yyyy-mm-dd hh:mm"),
    ],
)
def test_numbers_are_numbers(cell: Cell, value: str, pattern: str) -> None:
    (found,) = written(cell).rows[1]
    assert found.value == Decimal(value)
    assert found.pattern == pattern or not pattern


def test_a_number_that_a_spreadsheet_would_round_is_text() -> None:
    assert written(Money(Decimal("1234567890123456.78"), "CNY")).values[1] == ["1,234,567,890,123,456.78 CNY"]


def test_a_currency_is_no_code() -> None:
    (found,) = written(Money(Decimal("1"), '"]CN;Y')).rows[1]
    assert found.pattern == '#,##0.00 "CNY"'


def test_a_name_that_excel_forbids() -> None:
    assert len(read_sheets(write_workbook([Sheet("a[b]:*?/\\'" * 9, ["x"], [])]))) == 1
