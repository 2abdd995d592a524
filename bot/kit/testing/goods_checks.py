"""What an adapter should tell about goods, worked out from the records of the reference company.

The records are passed as the vendor can hold them, so that what it cannot say is missing here as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from bot.erp.goods.lists import by_arrival, by_price_day, by_urgency
from bot.erp.goods.port import LAST_PRICES
from bot.erp.model import (
    OrderStatus,
    Product,
    ProductionOrder,
    ProductionStatus,
    PurchaseOrder,
    Quantities,
    ReviewState,
    SalesOrder,
    StockLevel,
)
from bot.erp.model.goods import (
    Arrival,
    ArrivalKind,
    PriceKind,
    PricePoint,
    Prices,
    ProductDetails,
    Shortage,
    WarehouseContents,
    WarehouseItem,
)
from bot.kit.testing.company import ReferenceCompany
from bot.kit.testing.reference_goods import use_of

_NOT_SOLD = {OrderStatus.DRAFT, OrderStatus.CANCELLED}
_BOUGHT = {ReviewState.APPROVED, ReviewState.DONE}
_BEING_MADE = {ProductionStatus.RELEASED, ProductionStatus.RUNNING}


def expected_details(company: ReferenceCompany, product: Product) -> ProductDetails:
    """Return the master data of a product."""
    uses = tuple(
        use_of(company.products[whole], part.quantity)
        for whole, parts in sorted(company.components.items())
        for part in parts
        if part.sku == product.sku
    )
    return ProductDetails(
        product=product,
        reorder_point=company.stock[product.sku].reorder_point,
        supplies=company.supplies.get(product.sku, ()),
        components=company.components.get(product.sku, ()),
        used_in=uses,
        used_in_total=len(uses),
    )


def expected_prices(
    company: ReferenceCompany,
    product: Product,
    orders: Iterable[SalesOrder],
    purchases: Iterable[PurchaseOrder],
    customer: str = "",
) -> Prices:
    """Return what a product costs."""
    sales = [
        PricePoint(
            kind=PriceKind.SALE,
            day=order.ordered_on,
            document=order.number,
            partner=order.customer,
            quantity=line.quantity,
            unit=line.unit,
            price=line.price,
            owner=order.salesperson,
        )
        for order in orders
        for line in order.lines
        if line.sku == product.sku
        and order.status not in _NOT_SOLD
        and customer.casefold() in order.customer.casefold()
    ]
    bought = [
        PricePoint(
            kind=PriceKind.PURCHASE,
            day=order.ordered_on,
            document=order.number,
            partner=order.vendor,
            quantity=line.quantity,
            unit=line.unit,
            price=line.price,
            owner=order.buyer,
        )
        for order in purchases
        for line in order.lines
        if line.sku == product.sku and order.status in _BOUGHT
    ]
    return Prices(
        product=product,
        customer=customer,
        list_price=company.list_prices[product.sku],
        sales=by_price_day(sales)[:LAST_PRICES],
        purchases=by_price_day(bought)[:LAST_PRICES],
    )


def expected_arrivals(
    purchases: Iterable[PurchaseOrder],
    productions: Iterable[ProductionOrder],
    sku: str = "",
    until: date | None = None,
    vendor: str = "",
) -> tuple[Arrival, ...]:
    """Return what is on its way, without categories and warehouses."""
    bought = [
        Arrival(
            document=order.number,
            kind=ArrivalKind.PURCHASE,
            sku=line.sku,
            name=line.name,
            unit=line.unit,
            quantity=line.quantity - (line.received or 0),
            due_on=order.due_on,
            partner=order.vendor,
        )
        for order in purchases
        if order.status is ReviewState.APPROVED
        for line in order.lines
        if line.quantity > (line.received or 0)
    ]
    made = [
        Arrival(
            document=order.number,
            kind=ArrivalKind.PRODUCTION,
            sku=order.sku,
            name=order.name,
            unit=order.unit,
            quantity=order.planned - (order.produced or 0),
            due_on=order.due_on,
        )
        for order in productions
        if order.status in _BEING_MADE and order.planned > (order.produced or 0)
    ]
    return by_arrival(
        each
        for each in (*bought, *made)
        if sku in ("", each.sku)
        and vendor.casefold() in each.partner.casefold()
        and (until is None or (each.due_on is not None and each.due_on <= until))
    )


def expected_shortages(levels: Iterable[StockLevel], warehouse: str = "") -> tuple[Shortage, ...]:
    """Return what is short: of all warehouses together by the reorder point, and of each by what is owed from it."""
    found = [short for level in levels for short in _short(level)]
    return by_urgency(short for short in found if warehouse in ("", short.warehouse_code))


def _promised(figures: Quantities) -> Decimal | None:
    return figures.reserved if figures.outgoing is None else figures.outgoing


def _short(level: StockLevel) -> Iterable[Shortage]:
    product, total = level.product, level.total
    if level.below_reorder_point and level.per_warehouse:
        yield Shortage(
            sku=product.sku,
            name=product.name,
            unit=product.unit,
            category=product.category,
            on_hand=total.on_hand or Decimal(0),
            available=total.available,
            reorder_point=level.reorder_point,
            demanded=_promised(total),
            incoming=total.incoming,
        )
    for place in level.per_warehouse:
        figures = place.quantities
        if (_promised(figures) or 0) > (figures.on_hand or 0):
            yield Shortage(
                sku=product.sku,
                name=product.name,
                unit=product.unit,
                category=product.category,
                warehouse=place.name,
                warehouse_code=place.code,
                on_hand=figures.on_hand or Decimal(0),
                available=figures.available,
                demanded=_promised(figures),
                incoming=figures.incoming,
            )


def expected_contents(code: str, name: str, levels: Sequence[StockLevel], text: str = "") -> WarehouseContents:
    """Return the stock of a warehouse."""
    items = [
        WarehouseItem(product=level.product, quantities=place.quantities)
        for level in levels
        for place in level.per_warehouse
        if place.code == code and (place.quantities.on_hand or place.quantities.reserved)
        if _has(level.product, text)
    ]
    items.sort(key=lambda item: item.product.sku)
    return WarehouseContents(code=code, name=name, items=tuple(items), total=len(items))


def _has(product: Product, text: str) -> bool:
    return any(text.casefold() in part.casefold() for part in (product.sku, product.name, product.spec))
