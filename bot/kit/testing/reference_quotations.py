"""What the reference company offered: quotations of every state, some of which became its orders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import cycle

from bot.erp.kinds.quotations import Quotation, QuotationStatus
from bot.erp.model import SalesOrder
from bot.kit.testing.reference_records import Numbering, change_times, document_day


def quotations(today: date, orders: Sequence[SalesOrder], number: Numbering) -> Iterator[Quotation]:
    """Yield 15 quotations of the same goods as orders; those that were accepted became them."""
    states, times = cycle(QuotationStatus), change_times(today - timedelta(days=7))
    for n, order in enumerate(orders[:15]):
        status = next(states)
        yield Quotation(
            id=str(7001 + n),
            number=number("QT", 1001 + n),
            customer=order.customer,
            status=status,
            quoted_on=document_day(today, n),
            valid_until=None if n == 10 else today + timedelta(days=(n % 7 - 3) * 2),
            total=order.total,
            lines=tuple(replace(line, delivered=None, invoiced=None, due_on=None) for line in order.lines),
            salesperson=order.salesperson,
            order_number=order.number if status is QuotationStatus.ACCEPTED else "",
            changed_at=next(times),
        )
