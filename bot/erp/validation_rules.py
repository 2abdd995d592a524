"""What can be wrong with a record of an ERP: small rules, each of which looks for one kind of thing.

A rule returns None when it finds nothing. It repairs only what has one meaning, and rejects what must not be shown as
a fact. Rules run on every answer, so each first makes sure, cheaply, that nothing is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from operator import attrgetter
from typing import Any, TypeAlias

from bot.erp.model import InvoiceRecord, Money, Payment, Product, ProductionOrder, Quantities, StockLevel
from bot.erp.model.goods import (
    Arrival,
    ComponentUse,
    PricePoint,
    Prices,
    ProductDetails,
    Shortage,
    Supply,
    WarehouseItem,
)
from bot.erp.units import Units


class Defect(StrEnum):
    """What can be wrong with a record, by kind."""

    MISSING = "missing value"
    BLANKS = "blanks around a text"
    CONTROL = "control characters"
    SURROGATE = "half a character"
    ENCODING = "wrong encoding"
    DUPLICATE = "duplicate"
    NEGATIVE = "negative quantity"
    ABSURD = "absurd quantity"
    UNIT = "unknown unit"
    DATE = "date outside reason"
    TOTAL = "total does not add up"
    CURRENCY = "currency missing or mixed"
    UNREADABLE = "cannot be read"


@dataclass(frozen=True, slots=True)
class Violation:
    """What a rule found: ``record`` is the repaired record, None if it is rejected. ``why`` holds no figures."""

    defect: Defect
    why: str
    record: Any = None


@dataclass(frozen=True, slots=True)
class PlausibilityBounds:
    """What is taken for reasonable: days, units, and whether stock may be negative."""

    first: date
    last: date
    latest: datetime
    units: Units
    negative_stock: bool

    @classmethod
    def of(cls, now: datetime, units: Units, *, negative_stock: bool) -> PlausibilityBounds:
        """Return the bounds as of ``now``: from 1990 to 30 years ahead, and no record of tomorrow's tomorrow."""
        today = now.date()
        latest = now + timedelta(days=1)
        return cls(date(1990, 1, 1), date(today.year + 30, 1, 1), latest, units, negative_stock)


RecordRule: TypeAlias = Callable[[Any, PlausibilityBounds], Violation | None]

_MOST = Decimal(10) ** 15
_LEAST = -_MOST
_NO_NAMES = frozenset({"null", "none", "nan", "undefined", "n/a", "#n/a", "#ref!", "#value!"})
_NO_DAYS = frozenset({1, 1753, 1899, 1900, 9999})
"""Years by which ERPs say that there is no date."""


def missing_key(key: str) -> RecordRule:
    """Return the rule that a record has its code or number."""

    def rule(record: Any, _: PlausibilityBounds) -> Violation | None:
        value = getattr(record, key)
        if value and value.casefold() not in _NO_NAMES:
            return None
        return Violation(Defect.MISSING, f"no {key}")

    return rule


def missing_name(field: str) -> RecordRule:
    """Return the rule that a name is not a word by which programs say *none*."""

    def rule(record: Any, _: PlausibilityBounds) -> Violation | None:
        if getattr(record, field).casefold() not in _NO_NAMES:
            return None
        return Violation(Defect.MISSING, f"{field} is a word for nothing")

    return rule


_NAME_IS_NONE = missing_name("name")


def product_name(record: Product, bounds: PlausibilityBounds) -> Violation | None:
    """A product without a name is called by its code."""
    if record.name:
        return _NAME_IS_NONE(record, bounds)
    return Violation(Defect.MISSING, "no name: the code stands for it", replace(record, name=record.sku))


def product_unit(record: Product, bounds: PlausibilityBounds) -> Violation | None:
    """A unit is a unit; where units are listed in the configuration, it is one of them or a common one."""
    unit = record.unit
    if not unit or (bounds.units.knows(unit) if bounds.units.listed else _looks_like_unit(unit)):
        return None
    return Violation(Defect.UNIT, "the unit is none that is known")


def _looks_like_unit(unit: str) -> bool:
    return len(unit) <= 24 and not unit.strip().isdigit() and unit.casefold() not in _NO_NAMES


def stock_figures(record: StockLevel, bounds: PlausibilityBounds) -> Violation | None:
    """Quantities are finite, within reason, and not negative where they count things."""
    try:
        finding = _figures(record.total, bounds)
        for place in record.per_warehouse:
            finding = finding or _figures(place.quantities, bounds)
    except InvalidOperation:  # not a number: it cannot be compared
        return Violation(Defect.ABSURD, "a stock figure")
    lots = record.lots
    if finding is None and lots and any(lot.quantity is not None and not _sane(lot.quantity) for lot in lots):
        return Violation(Defect.ABSURD, "quantity of a lot")
    if finding is None and record.reorder_point is not None and not _sane(record.reorder_point):
        return Violation(Defect.ABSURD, "reorder point")
    return finding


_FIGURES = attrgetter("on_hand", "reserved", "available", "incoming", "outgoing", "forecast")


def _figures(figures: Quantities, bounds: PlausibilityBounds) -> Violation | None:
    _, reserved, *_ = every = _FIGURES(figures)
    for figure in every:
        if figure is not None and not _LEAST < figure < _MOST:
            return Violation(Defect.ABSURD, "a stock figure")
    if not bounds.negative_stock and figures.is_negative:
        return Violation(Defect.NEGATIVE, "stock on hand, and negative_stock is off")
    if reserved is not None and reserved < 0:
        return Violation(Defect.NEGATIVE, "reserved")
    return None


def _sane(figure: Decimal) -> bool:
    return figure.is_finite() and -_MOST < figure < _MOST


def stock_total(record: StockLevel, _: PlausibilityBounds) -> Violation | None:
    """The warehouses hold no more than the whole; the whole may be elsewhere too, such as on the way."""
    places = record.per_warehouse
    whole = record.total.on_hand
    if not places or whole is None:
        return None
    codes = {place.code for place in places}
    if len(codes) < len(places) and "" not in codes:
        return Violation(Defect.DUPLICATE, "a warehouse comes twice")
    known = [place.quantities.on_hand for place in places if place.quantities.on_hand is not None]
    if known and min(known) >= 0 and sum(known) > whole:
        return Violation(Defect.TOTAL, "warehouses hold more than the whole")
    return None


def days(*names: str) -> RecordRule:
    """Return the rule for dates; those by which ERPs say *none* are taken for that."""

    def rule(record: Any, bounds: PlausibilityBounds) -> Violation | None:
        for name in names:
            day = getattr(record, name)
            if day is None or bounds.first <= day <= bounds.last:
                continue
            if day.year in _NO_DAYS:
                return Violation(Defect.DATE, f"{name} is a date for none", replace(record, **{name: None}))
            return Violation(Defect.DATE, name)
        return None

    return rule


def moment(name: str) -> RecordRule:
    """Return the rule that a time is aware and not of the future."""

    def rule(record: Any, bounds: PlausibilityBounds) -> Violation | None:
        at = getattr(record, name)
        if at is None or (at.tzinfo is not None and at <= bounds.latest):
            return None
        return Violation(Defect.DATE, name)

    return rule


def money(*names: str) -> RecordRule:
    """Return the rule that amounts are finite, and of one known currency."""

    def rule(record: Any, _: PlausibilityBounds) -> Violation | None:
        amounts = [amount for name in names if (amount := getattr(record, name)) is not None]
        for line in getattr(record, "lines", ()):
            amounts.extend(amount for amount in (line.price, line.amount) if amount is not None)
        return _amounts(amounts)

    return rule


def _amounts(amounts: Iterable[Money]) -> Violation | None:
    first: str | None = None
    for amount in amounts:
        code = amount.currency
        if code != first:
            if len(code) != 3 or not code.isascii() or not code.isupper():
                return Violation(Defect.CURRENCY, "an amount has no currency")
            if first is not None:
                return Violation(Defect.CURRENCY, "amounts of several currencies in one document")
            first = code
        if not _sane(amount.amount):
            return Violation(Defect.ABSURD, "an amount")
    return None


def line_quantities(record: Any, _: PlausibilityBounds) -> Violation | None:
    """Lines have reasonable quantities; a negative one is goods that come back, also in an order with others."""
    if all(_sane(line.quantity) for line in record.lines):
        return None
    return Violation(Defect.ABSURD, "the quantity of a line")


def lines_total(record: Any, _: PlausibilityBounds) -> Violation | None:
    """The lines are not worth twice the total; freight and taxes may make it more than they are."""
    if record.total is None or not record.lines:
        return None
    amounts = [line.amount.amount for line in record.lines if line.amount is not None]
    if len(amounts) < len(record.lines):
        return None
    if abs(sum(amounts, Decimal())) > 2 * abs(record.total.amount):
        return Violation(Defect.TOTAL, "the lines are worth more than twice the total")
    return None


def open_amount(record: InvoiceRecord, _: PlausibilityBounds) -> Violation | None:
    """No more is open than was invoiced."""
    whole, left = record.total, record.open_amount
    if whole is not None and left is not None and abs(left.amount) > abs(whole.amount):
        return Violation(Defect.TOTAL, "more is open than was invoiced")
    return None


def paid_amount(record: Payment, _: PlausibilityBounds) -> Violation | None:
    """What is paid is counted from zero up: its direction says which way it went."""
    if record.amount is not None and record.amount.amount < 0:
        return Violation(Defect.NEGATIVE, "an amount")
    return None


def made_quantities(record: ProductionOrder, _: PlausibilityBounds) -> Violation | None:
    """What is made is counted from zero up."""
    for figure in (record.planned, record.produced, record.scrapped):
        if figure is None:
            continue
        if not _sane(figure):
            return Violation(Defect.ABSURD, "a quantity")
        if figure < 0:
            return Violation(Defect.NEGATIVE, "a quantity")
    return None


def quantities(*names: str) -> RecordRule:
    """Return the rule that quantities are finite and within reason."""

    def rule(record: Any, _: PlausibilityBounds) -> Violation | None:
        if all((figure := getattr(record, name)) is None or _sane(figure) for name in names):
            return None
        return Violation(Defect.ABSURD, "a quantity")

    return rule


def warehouse_figures(record: WarehouseItem, bounds: PlausibilityBounds) -> Violation | None:
    """The figures of one warehouse follow the same rules as the whole stock."""
    try:
        return _figures(record.quantities, bounds)
    except InvalidOperation:  # not a number: it cannot be compared
        return Violation(Defect.ABSURD, "a stock figure")


_PRODUCT: tuple[RecordRule, ...] = (missing_key("sku"), product_name, product_unit)
GOODS_RULES: Mapping[type, tuple[RecordRule, ...]] = {
    Product: _PRODUCT,
    StockLevel: (stock_figures, stock_total, moment("as_of")),
    Arrival: (missing_key("sku"), days("due_on"), quantities("quantity")),
    Shortage: (
        missing_key("sku"),
        quantities("on_hand", "available", "reorder_point", "demanded", "incoming"),
    ),
    ProductDetails: (quantities("reorder_point"),),
    Supply: (missing_key("vendor"),),
    ComponentUse: (missing_key("sku"), quantities("quantity")),
    # A list may be in another currency than the costs.
    Prices: (money("list_price"), money("standard_cost")),
    PricePoint: (days("day"), money("price"), quantities("quantity")),
    WarehouseItem: (warehouse_figures,),
}
"""The rules for records about goods, besides those for their texts; `bot.erp.kinds` has those for documents."""
