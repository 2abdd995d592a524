"""The demo company's quotations: those that became orders, those that wait for an answer, and those that were lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from bot.erp.kinds.quotations import Quotation, QuotationStatus
from bot.erp.model import OrderLine, SalesOrder
from bot.kit.company.sales import moment

QUOTATIONS, FIRST_NUMBER = 80, 1001
_HOLDS_FOR = (15, 30, 30, 60)
"""Days."""
_ANSWERS = (QuotationStatus.LOST, QuotationStatus.SENT, QuotationStatus.SENT, QuotationStatus.CANCELLED)


def make_quotations(rng: Random, today: date, orders: Sequence[SalesOrder]) -> Iterator[Quotation]:
    """Yield quotations of the last 60 days, oldest first; QT-1001 became SO-1001.

    Every other one became the order that was made a few days later, the others ask for the same goods again.
    """
    step = len(orders) // QUOTATIONS
    for count, order in enumerate(orders[::step][:QUOTATIONS]):
        assert order.ordered_on is not None
        became = count % 2 == 0
        quoted_on = min(today - timedelta(days=1), order.ordered_on + timedelta(days=-3 if became else 1))
        status = QuotationStatus.ACCEPTED if became else rng.choice(_ANSWERS)
        if not became and (today - quoted_on).days < 4:
            status = QuotationStatus.DRAFT
        yield Quotation(
            id=f"QT-{FIRST_NUMBER + count}",
            number=f"QT-{FIRST_NUMBER + count}",
            customer=order.customer,
            status=status,
            quoted_on=quoted_on,
            valid_until=quoted_on + timedelta(days=rng.choice(_HOLDS_FOR)),
            total=order.total,
            lines=_offered_lines(order),
            salesperson=order.salesperson,
            order_number=order.number if became else "",
            changed_at=moment(quoted_on, rng),
        )


def taken_offer(order: SalesOrder, number: str) -> Quotation:
    """Return the quotation of the day before of which an order came."""
    assert order.ordered_on is not None
    quoted_on = order.ordered_on - timedelta(days=1)
    return Quotation(
        id=number,
        number=number,
        customer=order.customer,
        status=QuotationStatus.ACCEPTED,
        quoted_on=quoted_on,
        valid_until=quoted_on + timedelta(days=_HOLDS_FOR[0]),
        total=order.total,
        lines=_offered_lines(order),
        salesperson=order.salesperson,
        order_number=order.number,
        changed_at=order.changed_at,
    )


def _offered_lines(order: SalesOrder) -> tuple[OrderLine, ...]:
    return tuple(replace(line, delivered=None, invoiced=None, due_on=None) for line in order.lines)
