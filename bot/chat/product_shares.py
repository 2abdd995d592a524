"""How much of one product an order has, by the lines of that product which a list tells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bot.erp.model import Money, OrderLine, PurchaseLine, PurchaseOrder, Quantity, SalesOrder
from bot.words.disclosure import HIDDEN

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductShare:
    """How much of a product an order has in a ``unit``, and how much of it is ``left`` to deliver or to come.

    ``left`` is None where nobody waits for the order any more, and where the ERP does not tell what was delivered.
    """

    quantity: Quantity
    left: Quantity | None
    unit: str


def share_of(order: SalesOrder | PurchaseOrder) -> ProductShare | None:
    """Return what an order has of the product that its lines are of; None without lines, and for several units.

    What is hidden in the lines is hidden in the sum.
    """
    lines = order.lines
    units = {line.unit for line in lines}
    if len(units) != 1:
        return None
    left = [_left(line) for line in lines]
    known = [each for each in left if each is not None]
    return ProductShare(
        quantity=_sum(line.quantity for line in lines),
        left=_sum(known) if order.is_open and len(known) == len(left) else None,
        unit=units.pop(),
    )


def amount_of(order: Any) -> Money | None:
    """Return what the lines of the product come to; None where that is not known of one of them."""
    amounts = [_amount(line) for line in order.lines]
    known = [each for each in amounts if each is not None]
    if len(known) < len(amounts) or len({each.currency for each in known}) != 1:
        return None
    return Money(sum((each.amount for each in known), _NOTHING), known[0].currency)


def _amount(line: OrderLine | PurchaseLine) -> Money | None:
    if line.amount is not None or line.price is None:
        return line.amount
    return Money(line.price.amount * line.quantity, line.price.currency)


def _left(line: OrderLine | PurchaseLine) -> Quantity | None:
    done = line.delivered if isinstance(line, OrderLine) else line.received
    if HIDDEN in (line.quantity, done):
        return HIDDEN  # type: ignore[no-any-return]  # it stands for any value
    return None if done is None else max(_NOTHING, line.quantity - done)


def _sum(quantities: Iterable[Quantity]) -> Quantity:
    found = list(quantities)
    return HIDDEN if any(each is HIDDEN for each in found) else sum(found, _NOTHING)
