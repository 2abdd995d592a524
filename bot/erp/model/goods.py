"""Records about goods: what a product is and costs, where it is stored, what is to come, came in and was delivered.

They follow the rules of `bot.erp.model` (docs: platform/erp/records.md#goods).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, TypeAlias

from bot.erp.model import Cost, ErpRecord, Money, PartnerName, Product, Quantities, Quantity, SalesAmount
from bot.words.disclosure import ClassedBy, FieldClass


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentUse:
    """A component of a product, or a product that uses it; ``quantity`` is what one unit of the product takes."""

    sku: str
    name: str
    unit: str
    quantity: Quantity


Materials: TypeAlias = Annotated[tuple[ComponentUse, ...], FieldClass.MATERIALS]
"""A part of a bill of materials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """A vendor of a product; ``lead_days`` is the time to deliver, ``code`` the vendor's own code for the product."""

    vendor: PartnerName
    code: str = ""
    lead_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductDetails:
    """The master data of a product.

    ``supplies`` are the vendors that the ERP lists, otherwise those of earlier purchases, the latest first.
    ``components`` is what one unit is made of, ``used_in`` the products that contain it.
    """

    product: Product
    barcodes: tuple[str, ...] = ()
    """Further barcodes, such as those of packages."""
    reorder_point: Quantity | None = None
    supplies: tuple[Supply, ...] = ()
    components: Materials = ()
    used_in: Materials = ()
    used_in_total: Annotated[int, ClassedBy("uses_class")] = 0
    """How many products contain it; ``used_in`` holds only the first of many, by code."""
    url: str = ""
    source: str = ""

    @property
    def uses_class(self) -> FieldClass | None:
        """What their number tells, if there are any."""
        return FieldClass.MATERIALS if self.used_in_total else None


class PriceKind(StrEnum):
    """Which side of the company a price is from."""

    SALE = "sale"
    PURCHASE = "purchase"


@dataclass(frozen=True, slots=True, kw_only=True)
class PricePoint:
    """What one unit cost in a document: an order by a customer or to a vendor. Taxes are as the document has them."""

    kind: PriceKind
    day: date | None
    document: str
    partner: PartnerName
    quantity: Quantity
    unit: str
    price: Annotated[Money | None, ClassedBy("price_class")]
    owner: str = ""
    """The salesperson or buyer."""
    source: str = ""
    books: tuple[str, ...] = field(default=(), compare=False)
    """As of documents (`bot.erp.model.values.ErpRecord`)."""

    @property
    def price_class(self) -> FieldClass:
        """Whether the price is what customers pay or what the goods cost."""
        return FieldClass.AMOUNT if self.kind is PriceKind.SALE else FieldClass.COST


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Prices of a product: the list price, and those of the last documents, the newest first.

    With ``customer``, ``sales`` are only those to customers whose name contains it. ``standard_cost`` is the ERP's
    own valuation.
    """

    product: Product
    customer: PartnerName = ""
    list_price: SalesAmount | None
    standard_cost: Cost | None = None
    sales: tuple[PricePoint, ...] = ()
    purchases: tuple[PricePoint, ...] = ()
    source: str = ""


class ArrivalKind(StrEnum):
    """Where goods come from."""

    PURCHASE = "purchase"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Goods on their way: the open quantity of a line of an approved purchase order, or of production.

    ``owners`` are the people whose document it is, as scopes of rights name them.
    """

    document: str
    kind: ArrivalKind
    sku: str
    name: str
    unit: str
    quantity: Quantity
    due_on: date | None
    partner: PartnerName = ""
    category: str = ""
    warehouse: str = ""
    owners: tuple[str, ...] = ()
    source: str = ""
    books: tuple[str, ...] = field(default=(), compare=False)
    """As of documents (`bot.erp.model.values.ErpRecord`)."""

    def days_late(self, today: date) -> int:
        """Return the days since the goods were due, else 0."""
        return 0 if self.due_on is None else max(0, (today - self.due_on).days)


class DeliveryStatus(StrEnum):
    """State of a delivery (docs: platform/erp/records.md#deliveries)."""

    PLANNED = "planned"
    READY = "ready"
    """Picked or reserved, so that it can leave."""
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsLine:
    """One product that is moved."""

    sku: str
    name: str
    unit: str
    quantity: Quantity

    @property
    def comes_back(self) -> bool:
        """Whether it goes back to where it came from."""
        return self.quantity < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryLine(GoodsLine):
    """One product of a delivery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptLine(GoodsLine):
    """One product of a receipt; ``lot`` is the batch under which it was taken in."""

    lot: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsDelivery(ErpRecord):
    """Goods that leave, or left, for a customer.

    ``carrier`` and ``tracking`` are as the ERP has them: empty where nobody entered them.
    """

    number: str
    order_number: str
    customer: PartnerName
    status: DeliveryStatus
    planned_on: date | None
    shipped_on: date | None
    carrier: str = ""
    tracking: Annotated[str, FieldClass.PARTNER] = ""
    """Whoever has it asks the carrier who gets the goods."""
    is_return: bool = False
    lines: tuple[DeliveryLine, ...] = ()
    """Empty in lists."""
    salesperson: str = ""
    warehouse: str = ""

    @property
    def day(self) -> date | None:
        """When it left, or is to leave."""
        return self.shipped_on or self.planned_on

    @property
    def is_open(self) -> bool:
        """Whether it is still to leave."""
        return self.status in {DeliveryStatus.PLANNED, DeliveryStatus.READY}

    def days_late(self, today: date) -> int:
        """Return how many days it is late; 0 once it has left."""
        if self.planned_on is None or not self.is_open:
            return 0
        return max(0, (today - self.planned_on).days)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsReceipt(ErpRecord):
    """Goods of a vendor that came in, or went back to the vendor.

    A draft and a cancelled document are no receipts, and what is still to come is an `Arrival`.
    """

    number: str
    order_numbers: tuple[str, ...] = ()
    """The purchase orders that the goods are of: a vendor brings those of several at once."""
    vendor: PartnerName
    received_on: date | None
    warehouse: str = ""
    is_return: bool = False
    """Whether goods go back to the vendor; the quantities of its lines are negative."""
    lines: tuple[ReceiptLine, ...] = ()
    """Empty in lists."""
    owners: tuple[str, ...] = ()
    """The buyers and requesters of its orders, as scopes of rights name them."""

    @property
    def day(self) -> date | None:
        """When it came in."""
        return self.received_on

    def days_late(self, today: date) -> int:
        """Return 0: what came in is late no longer."""
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """A product that is short: its stock is below its reorder point, or below what open documents need.

    Without ``warehouse`` it is short in all warehouses together: many ERPs keep one reorder point for a product.
    ``demanded`` is what open orders and production still need, ``incoming`` what is on its way.
    """

    sku: str
    name: str
    unit: str
    category: str = ""
    warehouse: str = ""
    warehouse_code: str = ""
    on_hand: Quantity
    available: Quantity | None = None
    reorder_point: Quantity | None = None
    demanded: Quantity | None = None
    incoming: Quantity | None = None
    source: str = ""

    @property
    def owed(self) -> Quantity:
        """How much more open documents need than is in stock there."""
        return max(Decimal(0), (self.demanded or Decimal(0)) - self.on_hand)

    @property
    def missing(self) -> Quantity:
        """How much is missing for open documents and to reach the reorder point."""
        free = self.on_hand if self.available is None else self.available
        return max(self.owed, (self.reorder_point or Decimal(0)) - free)


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseItem:
    """One product in a warehouse."""

    product: Product
    quantities: Quantities
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseContents:
    """Part of the stock of a warehouse, by product code; ``total`` counts all matching products."""

    code: str
    name: str
    items: tuple[WarehouseItem, ...]
    total: int
    source: str = ""
