"""Questions that no line holds, such as new customers: the card says so, and offers the nearest lines.

A new kind is a member of `UnsupportedTopic`, its words in the sentence files, and an entry in the table below.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.chat.days import names_days_ahead, names_days_over
from bot.chat.parsing import quote
from bot.words.phrase import Phrase, phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedStep:
    """An action on a day that the ERPs do not report: the question must be about one of ``commands``.

    A question without a subject means the first of them, if the action applies to that alone (``says_what``).
    """

    commands: tuple[str, ...]
    says_what: bool = False
    only_over: bool = False
    """Whether days up to now are those of what is still to be done: 今天到货 asks what comes today."""

    def is_past(self, days: str) -> bool:
        """Return whether the question is about past actions on days, not planned ones."""
        return names_days_over(days) if self.only_over else not names_days_ahead(days)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """The card's text for a gap, and the nearest lines."""

    said: Phrase
    nearest: tuple[str, ...] = ()
    """Those where nothing is named."""
    of_product: tuple[str, ...] = ()
    """Those of a product."""
    is_due_then: bool = False
    """Whether lists of what is due on the days come nearest to what was done on them."""
    step: DatedStep | None = None


class UnsupportedTopic(StrEnum):
    """A topic that no command covers. Its words stand under its name among the ``gaps`` of the sentence files."""

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

    @property
    def said(self) -> Phrase:
        """The card's text."""
        return _KINDS[self].said

    @property
    def step(self) -> DatedStep | None:
        """The action on an unknown day; None for anything else."""
        return _KINDS[self].step

    def nearest(self, days: str) -> Iterator[str]:
        """Yield the nearest lines for a question without a subject."""
        for line in _KINDS[self].nearest:
            yield line.format(days=days, due=_due(days)).rstrip()

    def of_products(self, skus: Iterable[str], days: str) -> Iterator[str]:
        """Yield the nearest lines about products."""
        for sku in skus:
            yield from (line.format(sku=quote(sku), days=days).rstrip() for line in _KINDS[self].of_product)

    def by_due_days(self, lines: Iterable[str], days: str) -> Iterator[str]:
        """Yield lines for the due dates of actions on unknown days."""
        if days and _KINDS[self].is_due_then:
            yield from (f"{line.removesuffix(days)}{_due(days)}" for line in lines if line.endswith(f" {days}"))


_KINDS: Mapping[UnsupportedTopic, _Kind] = {
    UnsupportedTopic.BOUND: _Kind(said=phrase("No list here has such a bound.")),
    UnsupportedTopic.TURNOVER: _Kind(
        said=phrase("What was sold of one product is not known here."), of_product=("/stock {sku}",)
    ),
    UnsupportedTopic.COMPARISON: _Kind(said=phrase("A report compares with the days before or with last year only.")),
    UnsupportedTopic.NEW_CUSTOMER: _Kind(
        said=phrase("Since when somebody is a customer is not known here."),
        nearest=("/customer best {days}", "/customer"),
    ),
    UnsupportedTopic.NEW_VENDOR: _Kind(
        said=phrase("Since when somebody is a vendor is not known here."), nearest=("/vendor biggest {days}", "/vendor")
    ),
    UnsupportedTopic.LOST_CUSTOMER: _Kind(
        said=phrase("No list here tells which customers no longer order."),
        nearest=("/customer best {days}", "/customer"),
    ),
    UnsupportedTopic.NEW_PRODUCT: _Kind(
        said=phrase("Since when there is a product is not known here."), nearest=("/product best {days}",)
    ),
    UnsupportedTopic.EXPIRY: _Kind(
        said=phrase("When goods expire is told of one product at a time, by its batches."), nearest=("/stock",)
    ),
    UnsupportedTopic.SUBSTITUTE: _Kind(
        said=phrase("Which product may take the place of another is not known here."),
        nearest=("/stock",),
        of_product=("/product {sku}", "/stock {sku}"),
    ),
    UnsupportedTopic.RECEIVED: _Kind(
        said=phrase("On which day goods came in is not known here, only when they are due."),
        nearest=("/po {due}", "/arrivals"),
        is_due_then=True,
        step=DatedStep(commands=("po", "arrivals", "product", "receipt"), says_what=True, only_over=True),
    ),
    UnsupportedTopic.RECEIVED_OF_PRODUCT: _Kind(
        said=phrase("What came in is not listed by product here; each receipt says its products."),
        nearest=("/receipt {days}",),
        step=DatedStep(commands=("po", "arrivals", "product", "receipt"), says_what=True, only_over=True),
    ),
    UnsupportedTopic.APPROVED: _Kind(
        said=phrase("On which day a purchase order was approved is not known here."),
        nearest=("/po {days}", "/po pending"),
        step=DatedStep(commands=("po", "pending", "why"), says_what=True),
    ),
    UnsupportedTopic.SETTLED: _Kind(
        said=phrase("On which day an invoice was settled is not known here, only when money was paid."),
        nearest=("/payment {days}",),
        step=DatedStep(commands=("invoice", "bill")),
    ),
    UnsupportedTopic.CANCELLED: _Kind(
        said=phrase("On which day a document was cancelled is not known here."),
        step=DatedStep(commands=("order", "po", "mo", "invoice", "delivery")),
    ),
    UnsupportedTopic.SHIPPED: _Kind(
        said=phrase("On which day an order left is not known here, only when it is due."),
        nearest=("/order {due}", "/order {days}"),
        is_due_then=True,
        step=DatedStep(commands=("order", "delivery")),
    ),
    UnsupportedTopic.STATE: _Kind(said=phrase("No list here holds documents of that state alone; each says its own.")),
    UnsupportedTopic.NOW_ONLY: _Kind(
        said=phrase("This is known as it is now, and not as it was on earlier days."),
        of_product=("/chart stock {sku} {days}",),
    ),
}
_NOT_DONE = re.compile(
    r"(?:[没未不别要应该将会能待等在]|预计|计划|准备|即将|尚未)(?:有|能|再|按时|准时|及时|按期|全部|都|被|我|你|他)?(?<!有没有)$"
    r"|(?:\b(?:not|never|to|will|must|should|when|who|expected|planned|due)\b|n'?t)"
    r"(?: (?:yet|be|been|get|is|are|to|has|have)){0,2} ?$"
)
"""Stands before a deed that was not done, or is to be done."""
_PLAN = re.compile("计划|安排|日期|时间|率|清单|单号|情况|通知|台账")
"""Stands after a deed that is spoken of and was not done."""


def is_done(text: str, match: re.Match[str]) -> bool:
    """Return whether a word in ``text`` describes a completed action: not 要完工 and not 完工计划."""
    before, after = text[: match.start()].replace("\x00", ""), text[match.end() :]
    return not _NOT_DONE.search(before) and not _PLAN.match(after)


def _due(days: str) -> str:
    return "" if not days else f"due {days}" if days.isascii() else f"{days}到期"
