"""The needed quantity of a product in everyday wording: 够500个吗, "30 FAN-20", 三千个."""

from __future__ import annotations

import re
from decimal import Decimal

from bot.chat.records.demand import ENGLISH_MULTIPLE, read_amount, typed_demand
from bot.understanding.scanning.spans import Scan, SpanKind

_NUMERALS = "[0-9.,]*[零〇一二两三四五六七八九十百千万半]*"
_AMOUNT = re.compile(
    rf"[0-9.,]+\s*{ENGLISH_MULTIPLE}|{_NUMERALS}?(?=\s*千克)|{_NUMERALS}",
    re.IGNORECASE,
)
"""The number before a unit: 千克 is a unit, 千个 are thousand."""
_COUNT = re.compile(
    rf"(?<![\w.,-])(\d{{1,7}}|\d+(?:\.\d+)?\s*{ENGLISH_MULTIPLE})\s*(?:[x×*]|of)?\s*$",
    re.IGNORECASE,
)
_ROUND_NUMBER = re.compile("[0-9一二两三四五六七八九十]+[百千万][零一二三四五六七八九十百千]*")
_ENOUGH = "够"
_BELOW_ZERO = re.compile(r"(?:(?<![a-z0-9])[-−–]|负|\bminus)\s*$", re.IGNORECASE)
"""Before a number makes it one below zero, which nobody needs."""


def quantity_needed(scan: Scan) -> str:
    """Return the one quantity in a sentence, in its typed form; empty if there is none."""
    spans = scan.of_kind(SpanKind.QUANTITY)
    if not spans and any(_ENOUGH in span.text or span.text == "enough" for span in scan.of_kind(SpanKind.CUE)):
        spans = scan.of_kind(SpanKind.DIGITS)
        if not spans and (round_number := _ROUND_NUMBER.search(scan.text)):
            return typed_demand(read_amount(round_number[0]) or Decimal(), "")
    if not spans and (counted := _counted(scan)):
        return typed_demand(counted, "")
    if len(spans) != 1 or (match := _AMOUNT.match(spans[0].text)) is None:
        return ""
    if _BELOW_ZERO.search(scan.text[: spans[0].start]):
        return ""
    amount = read_amount(match[0].strip())
    an_article = match[0] == "一"  # 一个 is a thing, not a quantity
    return "" if amount is None or an_article else typed_demand(amount, spans[0].text[match.end() :].strip())


def _counted(scan: Scan) -> Decimal | None:
    """Return the number right before the only product: 30 FAN-20."""
    products = scan.of_kind(SpanKind.PRODUCT)
    match = _COUNT.search(scan.text[: products[0].start]) if len(products) == 1 else None
    return read_amount(match[1]) if match else None
