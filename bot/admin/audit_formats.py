"""The audit log as files for other programs: tables whose cells are never formulas, JSON lines, and syslog."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import tzinfo
from enum import StrEnum
from typing import Any

import orjson

from bot.access.audit import CONTENT_FIELDS, RecordedEntry
from bot.admin.output import escape_invisible, format_exact
from bot.cards.workbook import Sheet, write_workbook


class AuditFormat(StrEnum):
    """The format of exported entries."""

    CSV = "csv"
    JSONL = "jsonl"
    XLSX = "xlsx"
    SYSLOG = "syslog"


COLUMNS = ("seq", "at", *CONTENT_FIELDS, "hash")

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""Characters that spreadsheets treat as the start of a formula (OWASP, CSV Injection)."""

_BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel misreads Chinese characters in a CSV file."""

_PRIORITY = 13 * 8 + 6
"""Facility 13, log audit, and severity 6, informational (RFC 5424, 6.2.1)."""

_STRUCTURE = "dingerp@32473"
"""Name of the structured data: 32473 is the enterprise number for examples (RFC 5612); we have none of our own."""


def format_entries(entries: Iterable[RecordedEntry], form: AuditFormat, zone: tzinfo) -> bytes:
    """Return the content of a file; times are in ``zone``."""
    rows = (row_of(entry, zone) for entry in entries)
    match form:
        case AuditFormat.CSV:
            return _csv(rows)
        case AuditFormat.XLSX:
            return _xlsx(rows)
        case AuditFormat.JSONL:
            return b"".join(orjson.dumps(row) + b"\n" for row in rows)
        case AuditFormat.SYSLOG:
            return "".join(f"{_syslog(row)}\n" for row in rows).encode()


def row_of(kept: RecordedEntry, zone: tzinfo) -> dict[str, Any]:
    """Return an entry keyed by the names in `COLUMNS`."""
    entry = kept.entry
    values = (
        kept.seq,
        format_exact(entry.at, zone),
        entry.kind.value,
        entry.actor,
        entry.action,
        entry.conversation,
        list(entry.documents),
        [part.value for part in entry.shown],
        entry.rule,
        entry.outcome,
        entry.detail,
        kept.hash,
    )
    return dict(zip(COLUMNS, values, strict=True))


def _cells(row: dict[str, Any]) -> list[str]:
    return [" ".join(value) if isinstance(value, list) else str(value) for value in row.values()]


def _csv(rows: Iterable[dict[str, Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([_defused(cell) for cell in _cells(row)] for row in rows)
    return (_BYTE_ORDER_MARK + text.getvalue()).encode()


def _defused(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell


def _xlsx(rows: Iterable[dict[str, Any]]) -> bytes:
    return write_workbook([Sheet("audit", COLUMNS, map(_cells, rows))])


def _syslog(row: dict[str, Any]) -> str:
    """Return one message (RFC 5424)."""
    named = zip(COLUMNS, _cells(row), strict=True)
    data = " ".join(f'{name}="{_quoted(cell)}"' for name, cell in named if cell and name != "at")
    return f"<{_PRIORITY}>1 {row['at']} - dingerp - {row['kind']} [{_STRUCTURE} {data}]"


def _quoted(cell: str) -> str:
    escaped = escape_invisible(cell)
    for char in ("\\", '"', "]"):
        escaped = escaped.replace(char, f"\\{char}")
    return escaped
