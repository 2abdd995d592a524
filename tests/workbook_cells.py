"""Reads workbooks back as Excel would show them, without a library for it."""

from __future__ import annotations

import io
import zipfile
from decimal import Decimal
from typing import NamedTuple
from xml.etree import ElementTree

_NS = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


class ReadCell(NamedTuple):
    """A cell: text or a number, and how the number is shown."""

    value: str | Decimal
    pattern: str = ""


class ReadSheet(NamedTuple):
    """The rows of a sheet, and the parts of its XML that a test may forbid."""

    rows: list[list[ReadCell]]
    xml: str

    @property
    def values(self) -> list[list[str | Decimal]]:
        return [[cell.value for cell in row] for row in self.rows]


def read_sheets(content: bytes) -> list[ReadSheet]:
    """Return the sheets of a workbook in their order."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        shared = _tree(book, "xl/sharedStrings.xml")
        texts = ["".join(node.text or "" for node in item.iterfind(".//m:t", _NS)) for item in shared]
        patterns = _patterns(_tree(book, "xl/styles.xml"))
        names = sorted(name for name in book.namelist() if name.startswith("xl/worksheets/sheet"))
        return [_sheet(book.read(name).decode(), texts, patterns) for name in names]


def _tree(book: zipfile.ZipFile, name: str) -> ElementTree.Element:
    return ElementTree.fromstring(book.read(name))


def _patterns(styles: ElementTree.Element) -> list[str]:
    own = {node.get("numFmtId"): node.get("formatCode", "") for node in styles.iterfind("m:numFmts/m:numFmt", _NS)}
    return [own.get(node.get("numFmtId"), "") for node in styles.iterfind("m:cellXfs/m:xf", _NS)]


def _sheet(xml: str, texts: list[str], patterns: list[str]) -> ReadSheet:
    rows = []
    for row in ElementTree.fromstring(xml).iterfind("m:sheetData/m:row", _NS):
        cells = []
        for cell in row.iterfind("m:c", _NS):
            value = cell.findtext("m:v", "", _NS)
            pattern = patterns[int(cell.get("s", "0"))]
            cells.append(ReadCell(texts[int(value)] if cell.get("t") == "s" else Decimal(value), pattern))
        rows.append(cells)
    return ReadSheet(rows, xml)
