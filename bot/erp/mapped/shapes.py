"""Which fields a record has that a configuration may map, of what sort each is, and which it must map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from bot.erp.model import InvoiceStatus, OrderStatus, ProductionStatus, Progress, PurchaseStatus


class Sort(StrEnum):
    """How a value is read; an enumeration of the domain stands for its own words."""

    KEY = "key"
    """A code or number: text without the blanks with which fixed-width columns fill it up."""
    TEXT = "text"
    NUMBER = "number"
    COUNT = "count"
    DAY = "day"
    MOMENT = "moment"
    FLAG = "flag"
    NAMES = "names"


@dataclass(frozen=True, slots=True)
class Item:
    """One field of a shape."""

    sort: Sort | type[StrEnum]
    required: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """Return the words that it knows, none where it is no enumeration."""
        return () if isinstance(self.sort, Sort) else tuple(self.sort)


Shape = Mapping[str, Item]


def _shape(required: str, **sorts: Sort | type[StrEnum]) -> Shape:
    needed = required.split()
    return MappingProxyType({name: Item(sort, name in needed) for name, sort in sorts.items()})


_FIGURES = dict.fromkeys(("on_hand", "reserved", "available", "incoming", "outgoing", "forecast"), Sort.NUMBER)

PRODUCT = _shape(
    "sku name",
    sku=Sort.KEY,
    name=Sort.TEXT,
    spec=Sort.TEXT,
    unit=Sort.KEY,
    category=Sort.TEXT,
    barcode=Sort.KEY,
)
PLACE = _shape("code on_hand", code=Sort.KEY, name=Sort.TEXT, **_FIGURES)
STOCK = _shape("", **_FIGURES, reorder_point=Sort.NUMBER, as_of=Sort.MOMENT, company=Sort.TEXT)
SALES_ORDER = _shape(
    "number customer status",
    id=Sort.KEY,
    number=Sort.KEY,
    customer=Sort.TEXT,
    status=OrderStatus,
    delivery=Progress,
    billing=Progress,
    payment=Progress,
    ordered_on=Sort.DAY,
    promised_on=Sort.DAY,
    total=Sort.NUMBER,
    currency=Sort.KEY,
    salesperson=Sort.TEXT,
    url=Sort.KEY,
    changed_at=Sort.MOMENT,
)
ORDER_LINE = _shape(
    "sku quantity",
    sku=Sort.KEY,
    name=Sort.TEXT,
    unit=Sort.KEY,
    quantity=Sort.NUMBER,
    delivered=Sort.NUMBER,
    invoiced=Sort.NUMBER,
    price=Sort.NUMBER,
    amount=Sort.NUMBER,
    currency=Sort.KEY,
    due_on=Sort.DAY,
)
INVOICE = _shape(
    "number customer status",
    id=Sort.KEY,
    number=Sort.KEY,
    customer=Sort.TEXT,
    status=InvoiceStatus,
    issued_on=Sort.DAY,
    due_on=Sort.DAY,
    total=Sort.NUMBER,
    open_amount=Sort.NUMBER,
    currency=Sort.KEY,
    is_credit_note=Sort.FLAG,
    order_number=Sort.KEY,
    url=Sort.KEY,
    changed_at=Sort.MOMENT,
)
PURCHASE_ORDER = _shape(
    "number vendor status",
    id=Sort.KEY,
    number=Sort.KEY,
    vendor=Sort.TEXT,
    status=PurchaseStatus,
    requester=Sort.KEY,
    changed_by=Sort.KEY,
    buyer=Sort.TEXT,
    ordered_on=Sort.DAY,
    due_on=Sort.DAY,
    total=Sort.NUMBER,
    currency=Sort.KEY,
    received=Progress,
    version=Sort.KEY,
    url=Sort.KEY,
    changed_at=Sort.MOMENT,
    pending_for=Sort.NAMES,
    level=Sort.COUNT,
    levels=Sort.COUNT,
    decided_by=Sort.KEY,
    decided_at=Sort.MOMENT,
    reason=Sort.TEXT,
    task_id=Sort.KEY,
)
PURCHASE_LINE = _shape(
    "sku quantity",
    sku=Sort.KEY,
    name=Sort.TEXT,
    unit=Sort.KEY,
    quantity=Sort.NUMBER,
    received=Sort.NUMBER,
    price=Sort.NUMBER,
    amount=Sort.NUMBER,
    currency=Sort.KEY,
)
PRODUCTION_ORDER = _shape(
    "number sku planned status",
    id=Sort.KEY,
    number=Sort.KEY,
    sku=Sort.KEY,
    name=Sort.TEXT,
    unit=Sort.KEY,
    planned=Sort.NUMBER,
    produced=Sort.NUMBER,
    scrapped=Sort.NUMBER,
    status=ProductionStatus,
    start_on=Sort.DAY,
    due_on=Sort.DAY,
    material_ready=Sort.FLAG,
    sales_order=Sort.KEY,
    url=Sort.KEY,
    changed_at=Sort.MOMENT,
)
CHANGE = _shape("key changed_at", key=Sort.KEY, changed_at=Sort.MOMENT)

MONEY = frozenset({"total", "open_amount", "price", "amount"})
"""Numbers that are amounts of the record's currency."""
