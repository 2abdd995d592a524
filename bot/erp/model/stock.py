"""Products, and how much of them is where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from bot.erp.model.values import Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """An item that can be stocked, sold, bought or made."""

    sku: str
    name: str
    spec: str = ""
    unit: str
    category: str = ""
    barcode: str = ""
    is_active: bool = True
    """False for one that the ERP has disabled: it is told when somebody asks for its code, and not found else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantities:
    """Quantities in one place, all in the product's unit."""

    on_hand: Quantity | None
    reserved: Quantity | None = None
    available: Quantity | None = None
    incoming: Quantity | None = None
    outgoing: Quantity | None = None
    forecast: Quantity | None = None

    @property
    def is_negative(self) -> bool:
        """Whether more was booked out than was ever booked in."""
        return self.on_hand is not None and self.on_hand < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseStock:
    """The quantities of one product in one warehouse."""

    code: str
    name: str
    quantities: Quantities


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """A batch or a serial number of a product in one warehouse, named by the warehouse's code."""

    number: str
    quantity: Quantity | None
    expires_on: date | None = None
    warehouse: str = ""

    def is_expired(self, today: date) -> bool:
        """Return whether its last day is over."""
        return self.expires_on is not None and self.expires_on < today


def by_expiry(lots: Iterable[Lot]) -> tuple[Lot, ...]:
    """Return lots with the nearest expiry first, and those without a last day at the end."""
    return tuple(sorted(lots, key=lambda lot: (lot.expires_on or date.max, lot.number, lot.warehouse)))


@dataclass(frozen=True, slots=True, kw_only=True)
class StockLevel:
    """A product's stock, in total and per warehouse, as of ``as_of``."""

    product: Product
    total: Quantities
    per_warehouse: tuple[WarehouseStock, ...]
    reorder_point: Quantity | None
    as_of: datetime
    company: str = ""
    source: str = ""
    lots: tuple[Lot, ...] = ()
    """What is in stock there by batch or serial number, nearest expiry first; empty where the ERP does not tell."""
    is_stocked: bool = True
    """Whether the ERP keeps stock of the product at all; it does not of services."""
    is_kit: bool = False
    """Whether it is put together from parts as it is sold: it lies nowhere, ``available`` is what its parts make."""

    @property
    def lies_nowhere(self) -> bool:
        """Whether no warehouse can hold it: nobody keeps stock of it, or only of its parts."""
        return self.is_kit or not self.is_stocked

    @property
    def below_reorder_point(self) -> bool:
        """Whether the available quantity (or, if the ERP lacks it, the quantity on hand) is below the reorder point."""
        on_hand = self.total.available if self.total.available is not None else self.total.on_hand
        return self.reorder_point is not None and on_hand is not None and on_hand < self.reorder_point
