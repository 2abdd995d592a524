"""Whether money was already paid, or is still to be paid: 付给宝钢的钱, 宏达这个月付了没."""

from __future__ import annotations

import re

from bot.chat.days import names_days, names_days_ahead
from bot.understanding.command_kinds import OWED
from bot.understanding.scanning.spans import Scan, SpanKind

_PAYING = "付"
_MOVED = re.compile(
    "(?!.*(?:票|账单|没有|应(?!商)))(?:.*?[^没未要该应])??(?:付给|付了(?!吗|没)|付款了|打款|汇了|打了|收到|收了)"
)
"""Says that money moved, where no document is named on which it is owed."""
_PAID_ALREADY = re.compile(
    "(?<![要该应没未需待得])付给[^要该应没未，,]{1,16}的(?:钱|款|货款)(?![^，,]*(?:没付|未付|票))"
)
_MOVED_IN_THESE_DAYS = re.compile(
    "(?!.*(?:票|账单|(?<!没)有没有|[天周月年]份?的(?:款|钱|账|货款)))(?:.*?[^没未])?(?:付|打|汇|转|收|回|进)(?:款|钱|账)?了(?:吗|没有?|么)"
)
"""Asks whether money moved, and not whether what is owed of these days was paid: 宏达这个月付了没."""


def paid_or_to_pay(name: str, scan: Scan) -> str:
    """Return the command for payments on past days, or on future ones."""
    days = [span.text for span in scan.of_kind(SpanKind.DATE)]
    if name == "payment" and any(map(names_days_ahead, days)):
        return "bill" if _PAYING in scan.text else "invoice"
    if name in OWED and any(map(names_days, days)):
        moved = _MOVED.match(scan.text) or _MOVED_IN_THESE_DAYS.match(scan.text)
        return "payment" if moved and not any(map(names_days_ahead, days)) else name
    if name in OWED and _PAID_ALREADY.search(scan.text):
        return "payment"
    return name
