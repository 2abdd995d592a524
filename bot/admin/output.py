"""How commands print their results: times in the company's zone, and no control characters that could trick a
terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

import orjson

from bot.cards.language import choose_language, load_languages
from bot.outbox.place import Place
from bot.words.names import NameProblem
from bot.words.phrase import Phrase, Say, Words, phrase


def escape_invisible(text: str) -> str:
    """Return a text with control and invisible characters escaped."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def say_words(words: Words, language: str) -> str:
    """Return a phrase in a language."""
    return choose_language(load_languages(), language).say(words)


def say_lines(lines: Iterable[Words], say: Say) -> list[str]:
    """Return lines in a language."""
    return [escape_invisible(say(line)) for line in lines]


def at(where: Path | Words | None, words: Words) -> Phrase:
    """Return words with the file, or the line of a file, that they are about."""
    return phrase("%(file)s: %(problems)s", file=where if isinstance(where, Phrase) else str(where), problems=words)


def warning(words: Words) -> Phrase:
    """Return words as a warning."""
    return phrase("warning: %(words)s", words=words)


def describe_names(problems: Iterable[NameProblem]) -> tuple[bool, list[Words]]:
    """Return whether all names in the settings are right, and a line for each wrong or doubtful one."""
    found = tuple(problems)
    lines: list[Words] = [each.words if each.is_error else warning(each.words) for each in found]
    return not any(each.is_error for each in found), lines


def format_minute(moment: datetime, zone: tzinfo) -> str:
    """Return a time in readable form, to the minute."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def format_second(moment: datetime, zone: tzinfo) -> str:
    """Return a time in readable form, to the second."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def format_exact(moment: datetime, zone: tzinfo) -> str:
    """Return a time in machine-readable form."""
    return moment.astimezone(zone).isoformat(timespec="milliseconds")


def format_delay(delay: timedelta) -> str:
    """Return a delay as text; empty below one second."""
    seconds = delay.total_seconds()
    return f"{seconds:.1f} s after its time" if seconds >= 1 else ""


def join_details(*details: str) -> str:
    """Return the non-empty details joined into one text."""
    return "; ".join(filter(None, details))


def as_json(value: object) -> str:
    """Return a value as machine-readable JSON."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def fields_of(record: object, names: str, zone: tzinfo) -> dict[str, Any]:
    """Return these attributes of a record in machine-readable form: words, places and times as texts."""
    return {name: _for_programs(getattr(record, name), zone) for name in names.split()}


def _for_programs(value: object, zone: tzinfo) -> object:
    match value:
        case datetime():
            return format_exact(value, zone)
        case Place():
            return str(value)
        case StrEnum():
            return value.value
        case _:
            return value


def align_columns(rows: Iterable[Sequence[str]]) -> list[str]:
    """Return rows as lines with aligned columns; Chinese characters are two wide."""
    cells = [[escape_invisible(cell) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def count_noun(count: int, singular: str, plural: str) -> str:
    """Return a count with its noun."""
    return f"{count} {singular if count == 1 else plural}"


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - _width(cell))


def _width(text: str) -> int:
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)
