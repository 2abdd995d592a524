"""Lots of the demo company: materials come in batches, some with an expiry date, and the oldest is used first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from bot.erp.model import Lot, Quantities, by_expiry
from bot.kit.company.catalogue import Article

_HEATS = ("H1", "H2")
_PARTS = (Decimal("0.4"), Decimal("0.6"))
"""Each heat's share of the stock."""
_CARTONS = (("B1", Decimal("0.05"), -20), ("B2", Decimal("0.35"), 12), ("B3", Decimal("0.6"), 200))
"""Batch, its share of the stock, and the days until it expires."""


def lots_of(article: Article, per_warehouse: Mapping[str, Quantities], today: date) -> tuple[Lot, ...]:
    """Return the lots of an article: steel by heat, cartons by batch with an expiry date, none for anything else."""
    name = article.product.name
    if name == "包装纸箱":
        plan: tuple[tuple[str, Decimal, int | None], ...] = _CARTONS
    elif name in ("冷镦钢线材", "不锈钢盘条"):
        plan = tuple((heat, part, None) for heat, part in zip(_HEATS, _PARTS, strict=True))
    else:
        return ()
    return by_expiry(
        Lot(
            number=f"{warehouse}-{number}",
            quantity=quantity,
            expires_on=None if days is None else today + timedelta(days=days),
            warehouse=warehouse,
        )
        for warehouse, figures in per_warehouse.items()
        for number, part, days in plan
        if (quantity := (figures.on_hand or Decimal(0)) * part // article.step * article.step)
    )


def lying(lots: Iterable[Lot], on_hand: Mapping[str, Decimal]) -> tuple[Lot, ...]:
    """Return the remaining lots; the first to expire leave first. ``on_hand`` is by warehouse."""
    return by_expiry(_left(lots, dict(on_hand)))


def _left(lots: Iterable[Lot], rest: dict[str, Decimal]) -> Iterator[Lot]:
    for lot in reversed(by_expiry(lots)):
        quantity = min(lot.quantity or Decimal(0), rest.get(lot.warehouse, Decimal(0)))
        if quantity > 0:
            rest[lot.warehouse] -= quantity
            yield replace(lot, quantity=quantity)
