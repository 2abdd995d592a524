"""What is there of a product for a need, and when the rest comes: stock, less what others were promised, and arrivals.

All that others were promised is taken off first, whatever its day. What is late, or comes on a day that nobody knows,
is told and not counted on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from bot.access.policy import AccessPolicy
from bot.chat.context import QuestionContext
from bot.chat.records.demand import counted_in
from bot.erp.answer import Answer
from bot.erp.errors import ErpError
from bot.erp.goods.lists import promised
from bot.erp.goods.port import ArrivalQuery
from bot.erp.hub import ErpHub
from bot.erp.kinds import PRODUCTION_ORDERS
from bot.erp.model import Area, ProductionOrder, ProductionStatus, Quantities, Quantity, Slice, StockLevel
from bot.erp.model.goods import Arrival, ArrivalKind
from bot.erp.port import Capability, Filter, ListQuery
from bot.words.disclosure import FieldClass
from bot.words.phrase import Phrase, phrase

MOST_ARRIVALS = 200
"""Arrivals of one product that a question looks at; of more it says so."""
COMMANDS = {ArrivalKind.PURCHASE: "po", ArrivalKind.PRODUCTION: "mo"}
"""The commands that show where goods come from."""

_NOTHING = Decimal(0)
_NOT_BEGUN = frozenset({ProductionStatus.PLANNED, ProductionStatus.ON_HOLD})
_CUT = phrase("More is on its way than was looked at, so it may be there earlier.")
_RESERVED_ONLY = phrase("Only what is reserved is taken off: the ERP doesn't tell all that others were promised.")
_PROMISES_UNTOLD = phrase("The ERP doesn't tell what others were promised.")


@dataclass(frozen=True, slots=True)
class Coming:
    """Goods on their way; ``quantity`` is in the product's unit, None where that cannot be told."""

    arrival: Arrival
    quantity: Quantity | None
    days_late: int

    @property
    def is_sure(self) -> bool:
        """Whether it may be counted on: neither late, nor on an unknown day, nor in an unknown quantity."""
        return self.arrival.due_on is not None and not self.days_late and self.quantity is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """How a need of a product is met. What is None cannot be told.

    ``left`` is what is there and promised to nobody else, below zero where more was promised. ``missing`` is
    the part of the need that is not there, ``short`` what is missing even after all that is sure to come.
    ``whole_on`` is the first day on which all is there: today where nothing is missing.
    """

    needed: Quantity
    on_hand: Quantity | None
    promised: Quantity | None
    """What others were promised."""
    left: Quantity | None
    missing: Quantity | None
    short: Quantity | None
    whole_on: Annotated[date | None, FieldClass.QUANTITY]
    sure: tuple[Coming, ...]
    """What comes on a known day, due first."""
    unsure: tuple[Coming, ...]

    def by(self, day: date) -> Decimal | None:
        """Return how much of the need is there by the end of a day."""
        return None if self.left is None else _part(self.needed, self.left + _sum(self.sure, day))


def cover(
    needed: Decimal, stock: Quantities, coming: Sequence[Coming], today: date, *, own: Decimal = _NOTHING
) -> Cover:
    """Return how a need is met; ``own`` is the part of what is promised that is this very need."""
    theirs = promised(stock)
    others = None if theirs is None else max(_NOTHING, theirs - own)
    left = _left(stock, others, own)
    sure = tuple(sorted((each for each in coming if each.is_sure), key=lambda each: each.arrival.due_on or date.max))
    days = (today, *(each.arrival.due_on for each in sure if each.arrival.due_on))
    whole = None if left is None else left + _sum(sure, date.max)
    return Cover(
        needed=needed,
        on_hand=stock.on_hand,
        promised=others,
        left=left,
        missing=None if left is None else needed - _part(needed, left),
        short=None if whole is None else needed - _part(needed, whole),
        whole_on=None if left is None else next((day for day in days if left + _sum(sure, day) >= needed), None),
        sure=sure,
        unsure=tuple(each for each in coming if not each.is_sure),
    )


def _left(stock: Quantities, others: Decimal | None, own: Decimal) -> Decimal | None:
    """Return what nobody else was promised: the least of what the ERP's figures say."""
    said = [] if stock.on_hand is None else [stock.on_hand if others is None else stock.on_hand - others]
    if stock.available is not None:
        # What is available leaves out what is reserved for this very need.
        free = stock.available + min(own, stock.reserved or _NOTHING)
        said.append(free)
    return min(said, default=None)


def _part(needed: Decimal, there: Decimal) -> Decimal:
    return max(_NOTHING, min(needed, there))


def _sum(coming: Sequence[Coming], day: date) -> Decimal:
    return sum((each.quantity or _NOTHING for each in coming if (each.arrival.due_on or date.max) <= day), _NOTHING)


@dataclass(frozen=True, slots=True)
class SupplyOfProduct:
    """What was read of one product; ``answers`` say from where, and ``notes`` what could not be told."""

    level: StockLevel
    coming: tuple[Coming, ...]
    answers: tuple[Answer[Any], ...]
    notes: tuple[Phrase, ...]
    is_whole: bool
    """Whether all was read: else the rest may lie at a source that did not answer, or be on its way."""

    def cover(self, needed: Decimal, today: date, *, own: bool = False) -> Cover:
        """Return how a need is met; ``own``: the ERP counts it among what is promised."""
        return cover(needed, self.level.total, self.coming, today, own=needed if own else _NOTHING)


async def read_supply(sku: str, erp: ErpHub, today: date) -> SupplyOfProduct:
    """Read a product's stock and what is on its way; raises `NotFound` for a product that the reader may not see."""
    stock, arrivals = await asyncio.gather(erp.stock(sku), _arrivals(sku, erp))
    level = stock.value
    rows = arrivals.value.items if isinstance(arrivals, Answer) else ()
    coming = tuple(
        Coming(each, counted_in(each.quantity, each.unit, level.product.unit), each.days_late(today)) for each in rows
    )
    notes = [*erp.silences(Capability.ARRIVALS, (Area.PURCHASING,))]
    if not isinstance(arrivals, Answer):
        notes += [] if notes else [arrivals]
    elif arrivals.value.total > len(rows):
        notes.append(_CUT)
    if level.total.outgoing is None and level.is_stocked:
        notes.append(_PROMISES_UNTOLD if level.total.reserved is None else _RESERVED_ONLY)
    answers = (stock, arrivals) if isinstance(arrivals, Answer) else (stock,)
    whole = len(answers) > 1 and not any(each.failures or any(part.error for part in each.parts) for each in answers)
    return SupplyOfProduct(level, coming, answers, tuple(notes), whole)


async def _arrivals(sku: str, erp: ErpHub) -> Answer[Slice[Arrival]] | Phrase:
    """Return what is on its way, or why that is not told: the stock is told all the same."""
    try:
        return await erp.arrivals(ArrivalQuery(sku=sku, limit=MOST_ARRIVALS))
    except ErpError as error:
        return error.tell()


async def read_not_begun(sku: str, erp: ErpHub) -> tuple[ProductionOrder, ...]:
    """Return the production of a product that was not begun: it is not on its way, and may be."""
    if not erp.offers(PRODUCTION_ORDERS.capability):
        return ()
    listed = await erp.documents(PRODUCTION_ORDERS, ListQuery(filter=Filter.OPEN, text=sku))
    same = (each for each in listed.value.items if each.sku.casefold() == sku.casefold())
    return tuple(each for each in same if each.status in _NOT_BEGUN)


_PARTS = {"stock": phrase("stock"), "po": phrase("purchase orders"), "mo": phrase("production")}


def closed_parts(policy: AccessPolicy, context: QuestionContext) -> tuple[Phrase, ...]:
    """Return what of supplies the asker may not see at all: it is told as closed, not as none."""
    return tuple(
        name
        for command, name in _PARTS.items()
        if not policy.decide_area(context.person, command, context.conversation.id).allowed
    )
