"""How much of one product an order has, from the lines in a list."""

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
    """The quantity of a product in an order in a ``unit``, and the part ``left`` to deliver or receive.

    ``left`` is None if nobody waits for the order any more, or if the ERP does not report deliveries.
    """

    quantity: Quantity
    left: Quantity | None
    unit: str


def share_of(order: SalesOrder | PurchaseOrder) -> ProductShare | None:
    """Return an order's quantity of the product on its lines; None without lines, and for mixed units.

    A sum over hidden lines is hidden.
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
    """Return the total of the product's lines; None if one of them is unknown."""
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
