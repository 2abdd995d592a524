"""What people ask for and no line holds, such as new customers: the card says so, and offers what comes nearest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.chat.days import names_days_ahead, names_days_over
from bot.chat.parsing import command_line
from bot.phrase import Phrase, phrase


class Gap(StrEnum):
    """Something that no command tells. Its words stand under its name among the ``gaps`` of the sentences' files."""

    BOUND = "bound"
    TURNOVER = "turnover"
    COMPARISON = "comparison"
    NEW_CUSTOMER = "new_customer"
    NEW_VENDOR = "new_vendor"
    LOST_CUSTOMER = "lost_customer"
    NEW_PRODUCT = "new_product"
    EXPIRY = "expiry"
    SUBSTITUTE = "substitute"
    RECEIVED = "received"
    RECEIVED_OF_PRODUCT = "received_of_product"
    APPROVED = "approved"
    SETTLED = "settled"
    CANCELLED = "cancelled"
    SHIPPED = "shipped"
    STATE = "state"
    NOW_ONLY = "now_only"


SAID: Mapping[Gap, Phrase] = {
    Gap.BOUND: phrase("No list here has such a bound."),
    Gap.TURNOVER: phrase("What was sold of one product is not known here."),
    Gap.COMPARISON: phrase("A report compares with the days before or with last year only."),
    Gap.NEW_CUSTOMER: phrase("Since when somebody is a customer is not known here."),
    Gap.NEW_VENDOR: phrase("Since when somebody is a vendor is not known here."),
    Gap.LOST_CUSTOMER: phrase("No list here tells which customers no longer order."),
    Gap.NEW_PRODUCT: phrase("Since when there is a product is not known here."),
    Gap.EXPIRY: phrase("When goods expire is told of one product at a time, by its batches."),
    Gap.SUBSTITUTE: phrase("Which product may take the place of another is not known here."),
    Gap.RECEIVED: phrase("On which day goods came in is not known here, only when they are due."),
    Gap.RECEIVED_OF_PRODUCT: phrase("What came in is not listed by product here; each receipt says its products."),
    Gap.APPROVED: phrase("On which day a purchase order was approved is not known here."),
    Gap.SETTLED: phrase("On which day an invoice was settled is not known here, only when money was paid."),
    Gap.CANCELLED: phrase("On which day a document was cancelled is not known here."),
    Gap.SHIPPED: phrase("On which day an order left is not known here, only when it is due."),
    Gap.STATE: phrase("No list here holds documents of that state alone; each says its own."),
    Gap.NOW_ONLY: phrase("This is known as it is now, and not as it was on earlier days."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deed:
    """Something that was done on a day which the ERPs do not tell: what is asked about must be one of ``commands``.

    Where nothing is asked about, it is the first of them, if the deed is done to that alone (``says_what``).
    """

    commands: tuple[str, ...]
    says_what: bool = False
    only_over: bool = False
    """Whether days up to now are those of what is still to be done: 今天到货 asks what comes today."""


DEEDS: Mapping[Gap, _Deed] = {
    Gap.RECEIVED: _Deed(commands=("po", "arrivals", "product", "receipt"), says_what=True, only_over=True),
    Gap.RECEIVED_OF_PRODUCT: _Deed(commands=("po", "arrivals", "product", "receipt"), says_what=True, only_over=True),
    Gap.APPROVED: _Deed(commands=("po", "pending", "why"), says_what=True),
    Gap.SETTLED: _Deed(commands=("invoice", "bill")),
    Gap.SHIPPED: _Deed(commands=("order", "delivery")),
    Gap.CANCELLED: _Deed(commands=("order", "po", "mo", "invoice", "delivery")),
}
_NEAREST: Mapping[Gap, tuple[str, ...]] = {
    Gap.NEW_CUSTOMER: ("/customer best {days}", "/customer"),
    Gap.NEW_VENDOR: ("/vendor biggest {days}", "/vendor"),
    Gap.LOST_CUSTOMER: ("/customer best {days}", "/customer"),
    Gap.NEW_PRODUCT: ("/product best {days}",),
    Gap.EXPIRY: ("/stock",),
    Gap.SUBSTITUTE: ("/stock",),
    Gap.RECEIVED: ("/po {due}", "/arrivals"),
    Gap.RECEIVED_OF_PRODUCT: ("/receipt {days}",),
    Gap.APPROVED: ("/po {days}", "/po pending"),
    Gap.SETTLED: ("/payment {days}",),
    Gap.SHIPPED: ("/order {due}", "/order {days}"),
}
"""The lines that come nearest where nothing is named."""
_NOT_DONE = re.compile(
    r"(?:[没未不别要应该将会能待等在]|预计|计划|准备|即将|尚未)(?:有|能|再|按时|准时|及时|按期|全部|都|被|我|你|他)?(?<!有没有)$"
    r"|(?:\b(?:not|never|to|will|must|should|when|who|expected|planned|due)\b|n'?t)"
    r"(?: (?:yet|be|been|get|is|are|to|has|have)){0,2} ?$"
)
"""Stands before a deed that was not done, or is to be done."""
_PLAN = re.compile("计划|安排|日期|时间|率|清单|单号|情况|通知|台账")
"""Stands after a deed that is spoken of and was not done."""


def is_done(text: str, match: re.Match[str]) -> bool:
    """Whether a word in ``text`` says that something was done: not 要完工 and not 完工计划."""
    before, after = text[: match.start()].replace("\x00", ""), text[match.end() :]
    return not _NOT_DONE.search(before) and not _PLAN.match(after)


def is_past(days: str, gap: Gap) -> bool:
    """Whether what a deed was done on days is asked, and not what is to be done on them."""
    return names_days_over(days) if DEEDS[gap].only_over else not names_days_ahead(days)


def nearest(gap: Gap, days: str) -> Iterator[str]:
    """Yield the lines that come nearest to what is asked about nobody and nothing in particular."""
    due = _due(days)
    for line in _NEAREST.get(gap, ()):
        yield line.format(days=days, due=due).rstrip()


def by_due_days(gap: Gap, lines: Iterable[str], days: str) -> Iterator[str]:
    """Yield lines of the days on which something is due that was done on days nobody knows."""
    if days and gap in {Gap.RECEIVED, Gap.SHIPPED}:
        yield from (f"{line.removesuffix(days)}{_due(days)}" for line in lines if line.endswith(f" {days}"))


def _due(days: str) -> str:
    return "" if not days else f"due {days}" if days.isascii() else f"{days}到期"


def of_product(gap: Gap, skus: tuple[str, ...], days: str) -> Iterator[str]:
    """Yield the lines about products that come nearest."""
    for sku in skus:
        if gap is Gap.SUBSTITUTE:
            yield command_line("product", sku)
        if gap in {Gap.SUBSTITUTE, Gap.TURNOVER}:
            yield command_line("stock", sku)
        if gap is Gap.NOW_ONLY:
            yield f"{command_line('chart', 'stock', sku)} {days}"
