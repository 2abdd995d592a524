"""Workbooks for Excel. Text stays text whatever it looks like; numbers are numbers, amounts with their currency."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from babel.numbers import get_currency_precision

from bot.erp.model import Money

Cell: TypeAlias = str | int | Decimal | Money | date | datetime

_EXACT_DIGITS = 15
"""Digits that a spreadsheet's numbers keep; longer ones are written as text."""
_MOST_CHARACTERS = 32_767
"""Characters of a cell in Excel."""
_NARROW, _WIDE = 9, 48
"""Characters between which the width of a column is fitted to its content."""
_NO_CODE = re.compile(r"[^A-Z]")
_FORBIDDEN = re.compile(r"[\[\]:*?/\\']")
_LONGEST_NAME = 31


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: a name, headings, and rows below them."""

    name: str
    headings: Sequence[str]
    rows: Iterable[Sequence[Cell]]


def write_workbook(sheets: Sequence[Sheet]) -> bytes:
    """Return the content of an .xlsx file. Times must be in the reader's zone already; files know none."""
    # Loaded with the first export: it takes 2 MB and 40 modules.
    import xlsxwriter

    content = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "remove_timezone": True,
    }
    book = xlsxwriter.Workbook(content, options)
    formats = _Formats(book)
    for sheet in sheets:
        _write_sheet(book.add_worksheet(_FORBIDDEN.sub(" ", sheet.name)[:_LONGEST_NAME]), sheet, formats)
    book.close()
    return content.getvalue()


class _Formats:
    """The number formats of one workbook, each made once."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[str, Any] = {}
        self.heading = book.add_format({"bold": True, "bottom": 1})

    def of(self, pattern: str) -> Any:
        if pattern not in self._made:
            self._made[pattern] = self._book.add_format({"num_format": pattern})
        return self._made[pattern]


def _write_sheet(page: Any, sheet: Sheet, formats: _Formats) -> None:
    widths = [_width(heading) for heading in sheet.headings]
    for column, heading in enumerate(sheet.headings):
        page.write_string(0, column, heading, formats.heading)
    line = 0
    for line, row in enumerate(sheet.rows, 1):
        for column, cell in enumerate(row):
            widths[column] = max(widths[column], _write_cell(page, line, column, cell, formats))
    for column, width in enumerate(widths):
        page.set_column(column, column, min(max(width + 2, _NARROW), _WIDE))
    page.freeze_panes(1, 0)
    if line and sheet.headings:
        page.autofilter(0, 0, line, len(sheet.headings) - 1)


def _write_cell(page: Any, line: int, column: int, cell: Cell, formats: _Formats) -> int:
    """Write one cell and return about how many characters wide it is."""
    match cell:
        case datetime():
            page.write_datetime(line, column, cell, formats.of("yyyy-mm-dd hh:mm"))
            return 16
        case date():
            page.write_datetime(line, column, cell, formats.of("yyyy-mm-dd"))
            return 10
        case Money():
            return _write_number(page, line, column, cell.amount, formats.of(_money_pattern(cell)), cell.currency)
        case int() | Decimal():
            return _write_number(page, line, column, Decimal(cell), formats.of(_quantity_pattern(Decimal(cell))))
    text = cell.encode(errors="replace").decode()[:_MOST_CHARACTERS]
    page.write_string(line, column, text)
    return _width(text)


def _write_number(page: Any, line: int, column: int, number: Decimal, form: Any, currency: str = "") -> int:
    digits = number.normalize().as_tuple()
    exact = number.is_finite() and len(digits.digits) <= _EXACT_DIGITS
    text = f"{number:,f} {currency}".strip() if number.is_finite() else str(number)
    if exact:
        page.write_number(line, column, number, form)
    else:
        page.write_string(line, column, text)
    return len(text)


def _places(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _quantity_pattern(number: Decimal) -> str:
    places = _places(number)
    return f"#,##0.{'0' * places}" if places else "#,##0"


def money_places(money: Money) -> int:
    """Return the decimals that an amount is written with: those of its currency, or as many as it has."""
    currency = _NO_CODE.sub("", money.currency.upper())
    return max(get_currency_precision(currency) if currency else 2, _places(money.amount))


def _money_pattern(money: Money) -> str:
    currency, places = _NO_CODE.sub("", money.currency.upper()), money_places(money)
    number = f"#,##0.{'0' * places}" if places else "#,##0"
    return f'{number} "{currency}"' if currency else number


def _width(text: str) -> int:
    return sum(1 if char.isascii() else 2 for char in text)
