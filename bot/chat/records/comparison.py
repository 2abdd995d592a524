"""The figures of two sides beside each other, of kept documents and of stock: each with its difference."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Annotated, Any

from bot.chat.records.compared_sides import ComparedSide, SideKind
from bot.erp.answer import Answer
from bot.erp.counting import counts, signed
from bot.erp.goods.port import ShortageQuery, WarehouseQuery
from bot.erp.hub import ErpHub
from bot.erp.index.folding import key_of
from bot.erp.kinds import Kind
from bot.erp.model import ErpRecord, Money
from bot.erp.port import Capability, Period
from bot.read_model.queries import Coverage, KeptAnswer, ReadModel
from bot.read_model.rankings import line_amount
from bot.read_model.records import DocumentWithLine
from bot.words.disclosure import ClassedBy, FieldClass
from bot.words.phrase import Phrase, phrase

_NOTHING = Decimal(0)
_Value = Money | Decimal | int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedFigure:
    """One figure of both sides: numbers of documents, amounts in one currency, or quantities in ``units``.

    None stands for what is not known of a side.
    """

    label: Phrase
    one: Annotated[_Value, ClassedBy("value_class")]
    other: Annotated[_Value, ClassedBy("value_class")]
    difference: Annotated[_Value, ClassedBy("value_class")]
    """The first less the second."""
    units: tuple[str, str] = ("", "")
    value_class: FieldClass | None = None


def _number(label: Phrase, one: Decimal | int | None, other: Decimal | int | None) -> ComparedFigure:
    difference = None if one is None or other is None else one - other
    return ComparedFigure(label=label, one=one, other=other, difference=difference)


def _quantity(label: Phrase, one: Decimal | None, other: Decimal | None, units: tuple[str, str]) -> ComparedFigure:
    """Return quantities, without a difference where their units differ."""
    found = _number(label, one, other)
    difference = found.difference if units[0] == units[1] else None
    return replace(found, difference=difference, units=units, value_class=FieldClass.QUANTITY)


@dataclass(slots=True)
class _Sum:
    """How many documents there are, and what they come to by currency; ``left`` is what of it is still to pay."""

    count: int = 0
    late: int = 0
    amounts: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    left: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))


def _add(kind: Kind[Any], side: ComparedSide, today: date, documents: Iterable[Any]) -> _Sum:
    found = _Sum()
    for document in documents:
        if not counts(document) or not side.has(document, kind):
            continue
        found.count += 1
        found.late += kind.days_late(document, today) > 0
        for sums, amount in (
            (found.amounts, signed(document, kind.amounts.total(document))),
            (found.left, signed(document, kind.amounts.left_of(document))),
        ):
            if amount is not None:
                sums[amount.currency] += amount.amount
    return found


async def figures_of_kind(
    kind: Kind[Any], sides: Sequence[ComparedSide], kept: ReadModel, today: date
) -> tuple[list[ComparedFigure], Coverage]:
    """Return what two sides have of a kind in their days, and what is late and left to pay now of two that differ."""

    async def add_up(side: ComparedSide, **which: Any) -> KeptAnswer[_Sum]:
        return await kept.fold(kind.followed, partial(_add, kind, side, today), partner=side.partner, **which)

    in_days = [await add_up(side, since=side.days.first, until=side.days.last) for side in sides]
    coverage = in_days[0].coverage
    one, other = (answer.value for answer in in_days)
    figures = [_number(kind.words.many, one.count, other.count), *_totals(kind, one.amounts, other.amounts)]
    found = [*_only_told(figures, [side.days for side in sides], coverage)]
    if sides[0].name != sides[1].name and sides[0].kind is not SideKind.COMPANY:
        one, other = [(await add_up(side, unfinished=True)).value for side in sides]
        if kind.words.late:
            found.append(_number(kind.words.late, one.late, other.late))
        if kind.amounts.left and kind.words.open:
            found += _amounts(kind.words.open, kind, one.left, other.left)
    return found, coverage


def _only_told(
    figures: Iterable[ComparedFigure], days: Sequence[Period], coverage: Coverage
) -> Iterator[ComparedFigure]:
    """Yield figures without those of days of which no documents are kept."""
    one, other = (coverage.tells_until(each.last) for each in days)
    for each in figures:
        yield replace(
            each,
            one=each.one if one else None,
            other=each.other if other else None,
            difference=each.difference if one and other else None,
        )


def _totals(kind: Kind[Any], one: Mapping[str, Decimal], other: Mapping[str, Decimal]) -> Iterator[ComparedFigure]:
    return _amounts(phrase("%(documents)s, amount", documents=kind.words.many), kind, one, other)


def _amounts(
    label: Phrase, kind: Kind[Any], one: Mapping[str, Decimal], other: Mapping[str, Decimal]
) -> Iterator[ComparedFigure]:
    """Yield amounts, one row a currency."""
    money = next(iter(kind.amounts.classes), None)
    for currency in sorted(one.keys() | other.keys()):
        first, second = one.get(currency, _NOTHING), other.get(currency, _NOTHING)
        values = [Money(each, currency) for each in (first, second, first - second)]
        yield ComparedFigure(label=label, one=values[0], other=values[1], difference=values[2], value_class=money)


@dataclass(slots=True)
class _Lines:
    """What the lines of a product come to."""

    quantity: Decimal = _NOTHING
    units: set[str] = field(default_factory=set)
    amounts: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    @property
    def unit(self) -> str:
        """The unit of all lines; empty for none or several."""
        return "".join(self.units) if len(self.units) == 1 else ""

    @property
    def in_one_unit(self) -> Decimal | None:
        """The quantity of all lines; None where they have several units."""
        return None if len(self.units) > 1 else self.quantity


def _add_lines(skus: Sequence[str], lines: Iterable[DocumentWithLine]) -> tuple[Mapping[str, _Lines], int]:
    """Return what the lines of each product come to, and how many documents have lines of any."""
    found = {key_of(sku): _Lines() for sku in skus}
    documents: set[tuple[str, str]] = set()
    for document, line in ((each.document, each.line) for each in lines if counts(each.document)):
        documents.add((document.source, document.number))
        if line is None or (sums := found.get(key_of(line.sku))) is None:
            continue
        sums.quantity += line.quantity
        sums.units.add(line.unit)
        if (amount := line_amount(line)) is not None:
            sums.amounts[amount.currency] += amount.amount
    return found, len(documents)


async def figures_of_lines(
    kind: Kind[Any], sides: Sequence[ComparedSide], kept: ReadModel
) -> tuple[list[ComparedFigure], Coverage, int]:
    """Return what documents of a kind hold of two products: the quantity where it has one unit, and the amounts.

    With it comes how many documents of the days have lines that are not known.
    """
    skus, days = [side.name for side in sides], [side.days for side in sides]
    read = {
        each: await kept.fold_lines(kind.area, partial(_add_lines, skus), since=each.first, until=each.last)
        for each in dict.fromkeys(days)
    }
    all_in = {each: (await kept.fold(kind.area, _count, since=each.first, until=each.last)).value for each in read}
    unread = max(0, *(all_in[each] - answer.value[1] for each, answer in read.items()))
    one, other = (read[each].value[0][key_of(sku)] for sku, each in zip(skus, days, strict=True))
    units = (one.unit or other.unit or "", other.unit or one.unit or "")
    sold = _quantity(kind.words.many, one.in_one_unit, other.in_one_unit, units)
    coverage = read[days[0]].coverage
    figures = _only_told([sold, *_totals(kind, one.amounts, other.amounts)], days, coverage)
    return [*figures], coverage, unread


def _count(documents: Iterable[ErpRecord]) -> int:
    return sum(map(counts, documents))


async def figures_of_stock(skus: Sequence[str], erp: ErpHub) -> tuple[list[ComparedFigure], list[Answer[Any]]]:
    """Return what is there of two products now, and what of it is free."""
    levels = await asyncio.gather(*(erp.stock(sku) for sku in skus))
    one, other = (each.value for each in levels)
    units = (one.product.unit, other.product.unit)
    figures = (
        (phrase("On hand"), one.total.on_hand, other.total.on_hand),
        (phrase("Available"), one.total.available, other.total.available),
        (phrase("Incoming"), one.total.incoming, other.total.incoming),
    )
    return [_quantity(*each, units) for each in figures], list(levels)


async def figures_of_stores(stores: Sequence[str], erp: ErpHub) -> tuple[list[ComparedFigure], list[Answer[Any]]]:
    """Return how many products lie in two warehouses, and how many are short there."""
    there = await asyncio.gather(*(erp.warehouse_stock(WarehouseQuery(warehouse=each, limit=1)) for each in stores))
    found = [_number(phrase("Products in stock"), *(each.value.total for each in there))]
    answers: list[Answer[Any]] = [*there]
    if erp.offers(Capability.SHORTAGES):
        short = await asyncio.gather(*(erp.shortages(ShortageQuery(warehouse=each, limit=1)) for each in stores))
        found.append(_number(phrase("Products short"), *(each.value.total for each in short)))
        answers += short
    return found, answers
