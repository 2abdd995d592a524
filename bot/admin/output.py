"""How the commands print what they found: times of the company's zone, and nothing that plays tricks on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from unicodedata import east_asian_width

import orjson


def escape_invisible(text: str) -> str:
    """Return a text with signs written out that a terminal would obey, or that nobody would see."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def format_minute(moment: datetime, zone: tzinfo) -> str:
    """Return a time for people, to the minute."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def format_second(moment: datetime, zone: tzinfo) -> str:
    """Return a time for people, to the second."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def format_exact(moment: datetime, zone: tzinfo) -> str:
    """Return a time for programs."""
    return moment.astimezone(zone).isoformat(timespec="milliseconds")


def as_json(value: object) -> str:
    """Return what programs read."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def align_columns(rows: Iterable[Sequence[str]]) -> list[str]:
    """Return rows as lines whose columns stand below each other; Chinese characters are two wide."""
    cells = [[escape_invisible(cell) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def count_noun(count: int, one: str, several: str) -> str:
    """Return a count with its noun."""
    return f"{count} {one if count == 1 else several}"


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - _width(cell))


def _width(text: str) -> int:
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)
