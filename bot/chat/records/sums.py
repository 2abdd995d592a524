"""Sums of amounts: one a currency, and none at all where a part of it is not known."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from bot.erp.model import Money


def sum_by_currency(amounts: Iterable[Money | None]) -> tuple[Money, ...] | None:
    """Return one sum a currency; None when the ERP does not say one of the amounts."""
    sums: dict[str, Decimal] = {}
    for money in amounts:
        if money is None:
            return None
        sums[money.currency] = sums.get(money.currency, Decimal()) + money.amount
    return tuple(Money(amount, currency) for currency, amount in sorted(sums.items()))
