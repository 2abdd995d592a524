"""Sentences that want a list as a file: 导出本月发票 is the list of 本月发票, exported."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.chat.parsing import MAX_LINE_BYTES
from bot.chat.questions.reading import ReadBy, Reading, Understood
from bot.chat.registry import Commands
from bot.understanding.command_kinds import LISTED, RECORDS_OF_PARTNERS

EXPORT = "export"
"""The command that sends a list as a file."""
_LISTS = frozenset(
    {
        *LISTED,
        *RECORDS_OF_PARTNERS,
        *("arrivals", "shortage", "stock", "product", "price", "find"),
        *("report", "chart", "pending", "alerts", "audit", "watches"),
    }
)
"""The commands whose lists can be exported."""

_SHEET = r"(?:(?<![a-z])(?:excel|xlsx?|spreadsheet)(?![a-z])|电子表格)(?:表格?|文件| ?file)?"
_WORDS = re.compile(
    rf"(?:[导倒]出|下载|导成|导(?=表)|导一?[份个张下](?!单)|(?:发|做|出|弄|整|来|给)我?一?[份个张](?=表格|电子表))(?:成|为|到)?(?:出来|来)?\s*(?:一?[份个张])?\s*(?:{_SHEET}|表格?|文件)?"
    rf"|(?:(?:as|to|in|into) (?:an? )?)?(?<![a-z])(?:export|download)(?![a-z])"
    r"|(?:做|弄|整理|汇总|拉|列)成?(?:一?[份个张])?(?:表格|电子表)(?:文件)?|(?:拉|出|打)一?[份个张]表(?!示|现|达|明)"
    rf"|(?:(?:as|to|in|into) (?:an? )?|做成|导成?|成|为|到|用|个|份)?\s*{_SHEET}",
    re.IGNORECASE,
)
_NOTHING_ELSE = re.compile(
    r"(?:[\s,.!]|的|一份|一个|一下|文件|表格?|出来|发给我|发给|发|给我|把|它们?|这个|这些|这张|上面|刚才|那个|那些|列表|清单|单子|请|帮我|吧|成|了?吗|可以|能|要|我"
    r"|\b(?:as|to|an?|in|file|this|that|these|it|them|the|list|please|me|give|send|can|you|for|i|want|pls|plz|thanks|thx|now)\b)*",
    re.IGNORECASE,
)


def drop_export(text: str) -> str | None:
    """Return a normalised sentence without the words for a file; None if there are none."""
    rest, count = _WORDS.subn(" ", text)
    return " ".join(rest.split()) if count else None


def listed_by(line: str, commands: Commands) -> str:
    """Return the line of the exported list; any other line unchanged."""
    parsed = commands.parse(line)
    return f"/{parsed.rest}" if parsed.command == EXPORT and parsed.rest else line


def wants_the_last(rest: str) -> bool:
    """Return whether only the list already shown is meant."""
    return _NOTHING_ELSE.fullmatch(rest) is not None


def as_export(line: str, commands: Commands) -> str | None:
    """Return the line that exports the list of ``line``; None if it is no list, or too long."""
    parsed = commands.parse(line)
    if parsed.command not in _LISTS or commands.named(EXPORT) is None:
        return None
    exported = f"/{EXPORT} {parsed.command} {parsed.rest}".strip()
    return exported if len(exported.encode()) <= MAX_LINE_BYTES else None


def export_reading(reading: Reading, commands: Commands) -> Reading:
    """Return a reading as an export; one that cannot be exported, or may mean two lists, stays as it is."""
    if reading.by_work:
        files = (as_export(each, commands) for each in (reading.line, *reading.alternatives))
        lines = [each for each in files if each is not None]
        return replace(reading, line=lines[0], alternatives=tuple(lines[1:])) if lines else reading
    line = None if reading.unsure else as_export(reading.line, commands)
    if line is None:
        return reading
    by = ReadBy.GRAMMAR if reading.by is ReadBy.COMMAND else reading.by
    understood = (Understood("cue", EXPORT, EXPORT), *reading.understood)
    return replace(reading, line=line, by=by, alternatives=(), understood=understood)
