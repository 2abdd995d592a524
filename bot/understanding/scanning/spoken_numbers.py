"""Document numbers and codes as spoken: 一零二三, 一千零五号, and the further ones in SKU123、124、125."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.chat.records.demand import read_amount
from bot.understanding.scanning.finding import DIGIT_OF, take_number
from bot.understanding.scanning.spans import Scan, Span, SpanKind
from bot.understanding.vocabulary import Vocabulary

_SIGNS = "零〇幺一二三四五六七八九"
_COUNTED = f"[{_SIGNS}十百千]*[百千][{_SIGNS}十百千]*"
_DIGIT_BY_DIGIT = re.compile(
    rf"(?<![{_SIGNS}十百千万两半几第])[{_SIGNS}]{{3,14}}(?![{_SIGNS}十百千万半]|个?月|[天日年点分秒个件只台把套箱米吨斤成])"
)
"""三四五个 are some, and 三四五月 are months."""
_YEAR = re.compile("[零〇一二三四五六七八九]{4}(?=年)")
_NUMBERED = re.compile(
    rf"(?<![{_SIGNS}十百千万两])(?:(?P<number>{_COUNTED})(?=号(?![仓库线厂楼门机店车]))"
    rf"|(?<=[单票号])(?P<after>{_COUNTED})(?![万半个件只台把套箱米吨斤块元张笔]))"
)
_PREFIXED = re.compile(rf"(?<![A-Za-z0-9])(?P<prefix>[A-Za-z]{{1,8}}[-_/.#]? ?)(?P<number>{_COUNTED})(?![万半])")
_SECOND = re.compile(r"\s*(?:[、,，/]|和|跟|与|及|以及|还有|and\b|&)\s*(?P<digits>\d{2,12})(?![\d.])", re.IGNORECASE)
_WITH_A_STROKE = re.compile(
    r"(?<![A-Za-z0-9])(?P<code>[A-Za-z]{1,8}-?(?P<first>\d{2,8}))/(?P<second>\d{2,8})(?![\d/-])"
)
_LAST_DIGITS = re.compile(r"(?P<prefix>.*?)(?P<digits>\d+)")
_NEEDED = re.compile(r"够|要|需|\b(?:enough|need|needs)\b", re.IGNORECASE)
"""Says how much is needed: SKU123，500够吗 names one product."""


def part_codes(scan: Scan, vocabulary: Vocabulary) -> None:
    """Separate two product codes by 、: SKU123/124 is not a code of its own."""
    for match in _WITH_A_STROKE.finditer(scan.rest):
        if len(match["first"]) == len(match["second"]) and vocabulary.product(match["code"]):
            at = match.start("second") - 1
            scan.respell(f"{scan.rest[:at]}、{scan.rest[at + 1 :]}")


def take_spoken_codes(scan: Scan, vocabulary: Vocabulary) -> None:
    """Take prefixed numbers spoken as amounts: SO一千零二十三; only those of the company."""
    for match in _PREFIXED.finditer(scan.rest):
        if number := _counted(match["number"]):
            take_number(scan, match.start(), match.end(), f"{match['prefix'].strip()}{number}", vocabulary)


def spell_digits(scan: Scan) -> None:
    """Convert digits spoken one by one: 一零二三 is 1023, 二零二六年 is 2026年."""
    for pattern in (_YEAR, _DIGIT_BY_DIGIT):
        scan.respell(pattern.sub(lambda match: match[0].translate(DIGIT_OF), scan.rest))


def take_counted_numbers(scan: Scan) -> None:
    """Take document numbers spoken as amounts: 一千零五号订单 is 1005."""
    for match in _NUMBERED.finditer(scan.rest):
        group = "number" if match["number"] else "after"
        if number := _counted(match[group]):
            scan.take(SpanKind.DIGITS, match.start(group), match.end(group), number)


def _counted(text: str) -> str:
    """Return the digits of a whole number; empty if it is none."""
    amount = read_amount(text.replace("幺", "一"))
    return f"{amount:f}" if amount is not None and amount == amount.to_integral_value() else ""


def take_further_numbers(scan: Scan, vocabulary: Vocabulary, units: Iterable[str]) -> None:
    """Take numbers of the same length whose prefix was given before: 124 and 125 in SKU123、124、125."""
    if _NEEDED.search(scan.text):
        return
    counted = tuple(units)
    for span in (*scan.of_kind(SpanKind.PRODUCT), *scan.of_kind(SpanKind.DOCUMENT)):
        whole, end = _LAST_DIGITS.fullmatch(span.value), span.start + len(span.text)
        while whole and (match := _second(scan, end, len(whole["digits"]), counted)):
            if not take_number(scan, match.start("digits"), match.end(), whole["prefix"] + match["digits"], vocabulary):
                break
            if not _are_alike(span, scan.spans[-1]):
                scan.spans.pop()  # another kind of number begins like this
                break
            end = match.end()


def _second(scan: Scan, start: int, digits: int, units: tuple[str, ...]) -> re.Match[str] | None:
    match = _SECOND.match(scan.rest, start)
    if match is None or len(match["digits"]) != digits or scan.rest[match.end() :].lstrip().startswith(units):
        return None
    return match


def _are_alike(first: Span, further: Span) -> bool:
    return (first.kind, first.command) == (further.kind, further.command)
