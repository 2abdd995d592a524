"""What the cards of customers and vendors have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar, Self

from bot.cards.actions import Ask
from bot.cards.view import Button, View
from bot.chat.context import QuestionContext
from bot.chat.links import more_buttons
from bot.chat.parsing import command_line, marked
from bot.chat.records.list_totals import sum_by_currency
from bot.chat.records.partner_lookup import PartnerDocuments, with_notes
from bot.chat.view_parts import Freshness, ask_buttons, erp_link_buttons, freshness_of_all
from bot.erp.hub import Answer
from bot.erp.model import Bill, Invoice, Money, Slice
from bot.words.phrase import Phrase, phrase

NEWEST = 3
"""Orders that are shown; a button leads to all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerView(View):
    """One customer or vendor, what is open with them, and their newest orders.

    What is None cannot be told: the ERP does not say it, or there are too many documents to add up. ``part``: only
    documents that the reader may see are counted, and there may be others.
    """

    order_command: ClassVar[str]
    """The command that shows an order of theirs; ``card`` is also the command that shows them."""

    document: Any
    overdue: tuple[Money, ...] | None
    overdue_count: int | None
    days_overdue: int
    open_orders: int | None
    late_orders: int | None
    orders: tuple[Any, ...]
    part: bool
    today: date
    freshness: Freshness
    links: tuple[str, ...] = ()
    """The commands that tell more of them."""

    def question(self) -> Ask:
        return Ask(command_line(self.card, self.document.code, books=self.document.books))

    def buttons(self) -> Sequence[Button]:
        links = more_buttons(self.links, self.document.name)
        orders = ask_buttons(self.order_command, (order.number for order in self.orders))
        return (*links, *orders, *erp_link_buttons(self.document.url))

    @classmethod
    def of(
        cls,
        found: Answer[Any],
        newest: Answer[Any] | None,
        ordered: PartnerDocuments[Any],
        unpaid: PartnerDocuments[Any],
        context: QuestionContext,
        silences: Iterable[Phrase] = (),
        **more: Any,
    ) -> Self:
        """Return the view of a partner with the newest orders, those that are open, and what is unpaid.

        ``silences`` name the sources that do not tell such things: what the partner has there is not known.
        """
        today = context.today
        orders = ordered.whole
        overdue = None if unpaid.whole is None else [each for each in unpaid.whole if each.days_overdue(today)]
        answers = (found, newest, ordered.answer, unpaid.answer)
        seen = with_notes(freshness_of_all([each for each in answers if each is not None]), ordered, unpaid)
        return cls(
            overdue=None if overdue is None else sum_by_currency(each.open_amount for each in overdue),
            overdue_count=None if overdue is None else len(overdue),
            days_overdue=max((each.days_overdue(today) for each in overdue or ()), default=0),
            open_orders=ordered.count,
            late_orders=None if orders is None else sum(order.days_late(today) > 0 for order in orders),
            orders=() if newest is None else newest.value.items[:NEWEST],
            part=ordered.part or unpaid.part,
            today=today,
            books=marked(found.value.books),
            freshness=replace(
                seen,
                failures=_each_once(*seen.failures, *_together(newest, ordered.answer, unpaid.answer), *silences),
            ),
            **more,
        )


def _each_once(*said: Phrase) -> tuple[Phrase, ...]:
    return tuple({str(each): each for each in said}.values())


def _together(*answers: Answer[Slice[Any]] | None) -> tuple[Phrase, ...]:
    """Return what to say where documents of several companies are counted together."""
    books = dict.fromkeys(each.books for answer in answers if answer is not None for each in answer.value.items)
    if len(books) < 2:
        return ()
    return (phrase("%(names)s together", names=tuple(" · ".join(names) for names in books)),)


def sum_beside(stated: Money | None, unpaid: Iterable[Invoice | Bill] | None) -> tuple[Money, ...] | None:
    """Return the sum of what is open where the ERP's ledger states another debt; None where they agree."""
    if stated is None or unpaid is None:
        return None
    sums = sum_by_currency(each.open_amount for each in unpaid)
    return None if sums in ((stated,), ()) and (sums or not stated.amount) else sums


def sum_owed(stated: Money | None, unpaid: Iterable[Invoice | Bill] | None) -> tuple[Money, ...] | None:
    """Return what the ERP states, else the sum of what is open."""
    if stated is not None:
        return (stated,)
    return None if unpaid is None else sum_by_currency(each.open_amount for each in unpaid)
