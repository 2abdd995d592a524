"""What an order or production order still needs, and how each product of it is met."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

from bot.chat.records.demand import counted_in
from bot.chat.records.supply import Coming, Cover, SupplyOfProduct, read_not_begun, read_supply
from bot.erp.answer import Answer
from bot.erp.errors import Ambiguous, NotFound
from bot.erp.hub import ErpHub
from bot.erp.kinds import PRODUCTION_ORDERS
from bot.erp.model import ProductionOrder, Progress, Quantity, SalesOrder
from bot.erp.port import Capability
from bot.words.phrase import Phrase, phrase

MOST_PRODUCTS = 20
"""Products of one order that a question looks at: each is two reads."""
_NOTHING = Decimal(0)
_DELIVERED_UNTOLD = phrase("The ERP doesn't tell how much was delivered, so the whole order is counted.")
_SOME_PRODUCTS = phrase("Only the first %(count)s products are looked at.", count=MOST_PRODUCTS)
_NO_MATERIALS = phrase("The ERP tells no bill of materials of this product.")


class NeedState(Enum):
    """How a needed product is met."""

    THERE = "there"
    COMES = "comes"
    UNSURE = "unsure"
    """Only what is late, or comes on no known day, may bring all of it."""
    PLANNED = "planned"
    NOTHING = "nothing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededProduct:
    """A product that an order needs; ``planned`` is production of it that has not begun.

    ``cover`` is None where its stock is not told. ``is_whole`` as of `bot.chat.records.supply.SupplyOfProduct`.
    """

    sku: str
    name: str
    unit: str
    needed: Quantity
    cover: Cover | None = None
    planned: tuple[ProductionOrder, ...] = ()
    is_whole: bool = True

    @property
    def state(self) -> NeedState:
        """Whether it is there, and if not, how it may come."""
        if self.cover is None or self.cover.missing is None:
            return NeedState.UNKNOWN
        if not self.cover.missing:
            return NeedState.THERE
        if self.cover.whole_on:
            return NeedState.COMES
        if self.cover.unsure:
            return NeedState.UNSURE
        if self.planned:
            return NeedState.PLANNED
        return NeedState.NOTHING if self.is_whole else NeedState.UNKNOWN

    @property
    def coming(self) -> tuple[Coming, ...]:
        """What comes of it while something is missing: what is late, or of no known day, first."""
        return (*self.cover.unsure, *self.cover.sure) if self.cover and self.cover.missing else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What an order needs; ``own``: the ERP counts that among what is promised."""

    products: tuple[NeededProduct, ...]
    own: bool
    answers: tuple[Answer[Any], ...] = ()
    notes: tuple[Phrase, ...] = ()


def needs_of_order(order: SalesOrder) -> Needs:
    """Return what is still to be delivered, each product once."""
    found: dict[tuple[str, str], NeededProduct] = {}
    untold = False
    for line in order.lines:
        untold = untold or (line.delivered is None and order.delivery is not Progress.NONE)
        rest = line.quantity - (line.delivered or _NOTHING)
        if rest > 0 and order.is_open:
            key = line.sku.casefold(), line.unit
            known = found.get(key, NeededProduct(sku=line.sku, name=line.name, unit=line.unit, needed=_NOTHING))
            found[key] = replace(known, needed=known.needed + rest)
    return Needs(products=tuple(found.values()), own=True, notes=(_DELIVERED_UNTOLD,) if untold and found else ())


async def needs_of_production(order: ProductionOrder, erp: ErpHub) -> Needs:
    """Return the parts of what is still to be made."""
    rest = order.planned - (order.produced or _NOTHING)
    if not order.is_open or rest <= 0:
        return Needs(products=(), own=False)
    if silences := erp.silences(Capability.PRODUCT_DETAILS, PRODUCTION_ORDERS.areas):
        return Needs(products=(), own=False, notes=silences)
    found = await erp.product(order.sku)
    parts = found.value.components
    products = tuple(
        NeededProduct(sku=part.sku, name=part.name, unit=part.unit, needed=part.quantity * rest) for part in parts
    )
    return Needs(products=products, own=False, answers=(found,), notes=() if parts else (_NO_MATERIALS,))


async def meet(needs: Needs, erp: ErpHub, today: date) -> Needs:
    """Return needs with how each is met, as far as they are looked at, what is missing first."""
    asked = needs.products[:MOST_PRODUCTS]
    read = await asyncio.gather(*(_met(each, needs, erp, today) for each in asked))
    notes = [*needs.notes, *([_SOME_PRODUCTS] if len(needs.products) > len(asked) else [])]
    met = [each for each, _ in read if each is not None]
    supplies = [supply for _, supply in read if supply is not None]
    notes += {str(note): note for supply in supplies for note in supply.notes}.values()
    answers = (*needs.answers, *(answer for supply in supplies for answer in supply.answers))
    ordered = tuple(sorted(met, key=lambda each: each.state is NeedState.THERE))
    return replace(needs, products=ordered, answers=answers, notes=tuple(notes))


async def _met(
    need: NeededProduct, needs: Needs, erp: ErpHub, today: date
) -> tuple[NeededProduct | None, SupplyOfProduct | None]:
    """Return how a product is met; None where nobody keeps stock of it, as of services."""
    try:
        supply = await read_supply(need.sku, erp, today)
    except (NotFound, Ambiguous):
        return need, None
    product = supply.level.product
    amount = counted_in(need.needed, need.unit, product.unit)
    if not supply.level.is_stocked:
        return None, supply
    if amount is None:
        return need, supply
    found = replace(
        need,
        needed=amount,
        unit=product.unit,
        cover=supply.cover(amount, today, own=needs.own),
        is_whole=supply.is_whole,
    )
    if found.state in {NeedState.THERE, NeedState.COMES}:
        return found, supply
    return replace(found, planned=await read_not_begun(need.sku, erp)), supply
