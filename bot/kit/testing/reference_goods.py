"""What the reference company tells of its goods beyond stock and documents (`bot.kit.testing.reference_records`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from bot.erp.model import Money, OrderLine, OrderStatus, Product, PurchaseOrder, SalesOrder
from bot.erp.model.goods import (
    ComponentUse,
    DeliveryLine,
    DeliveryStatus,
    GoodsDelivery,
    GoodsReceipt,
    ReceiptLine,
    Supply,
)
from bot.kit.testing.reference_records import WAREHOUSES, Numbering, change_times

_OWED = {OrderStatus.OPEN, OrderStatus.PARTLY_DELIVERED}
_SENT_FROM = _TAKEN_IN_AT = WAREHOUSES["MAIN"]

_COMPONENTS = (
    ("SKU128", "SKU125", "2.5"),
    ("SKU128", "SKU123", "8"),
    ("SKU203", "SKU201", "0.5"),
    ("SKU204", "SKU201", "1"),
)
"""Product, what it is made of, and how much of it goes into one."""

_SUPPLIES = (
    ("SKU123", "Acme Ltd.", "ACME-6x20", 7),
    ("SKU123", "上海|*贸易*_公司_", "", 14),
    ("SKU125", 'O\'Reilly & "Sons" <GmbH>', "CU/2.5", 30),
)


def list_prices(products: Iterable[Product]) -> dict[str, Money]:
    """Return what one unit of each product costs by the list, with odd cents."""
    return {product.sku: Money(Decimal("1.25") * (n + 1), "CNY") for n, product in enumerate(products)}


def components(products: Iterable[Product]) -> dict[str, tuple[ComponentUse, ...]]:
    """Return what products are made of, by their codes."""
    known = {product.sku: product for product in products}
    found: dict[str, tuple[ComponentUse, ...]] = {}
    for sku, part, quantity in _COMPONENTS:
        found[sku] = (*found.get(sku, ()), use_of(known[part], Decimal(quantity)))
    return found


def use_of(product: Product, quantity: Decimal) -> ComponentUse:
    """Return the use of a product in another, or of another in it."""
    return ComponentUse(sku=product.sku, name=product.name, unit=product.unit, quantity=quantity)


def supplies() -> dict[str, tuple[Supply, ...]]:
    """Return who supplies products, by their codes."""
    found: dict[str, tuple[Supply, ...]] = {}
    for sku, vendor, code, days in _SUPPLIES:
        found[sku] = (*found.get(sku, ()), Supply(vendor=vendor, code=code, lead_days=days))
    return found


def deliveries(today: date, orders: Iterable[SalesOrder], number: Numbering) -> Iterator[GoodsDelivery]:
    """Yield what left for each order, and what is to leave; of every fifth order what is to leave is picked already.

    One was cancelled.
    """
    times = change_times(today - timedelta(days=5))
    parts = [part for order in orders for part in _parts(order)]
    for n, (order, status, lines) in enumerate(parts):
        assert order.ordered_on is not None
        status = DeliveryStatus.READY if status is DeliveryStatus.PLANNED and n % 5 == 0 else status
        status = DeliveryStatus.CANCELLED if n == 9 else status
        shipped = status is DeliveryStatus.SHIPPED
        yield GoodsDelivery(
            id=str(9001 + n),
            number=number("DN", 1001 + n),
            order_number=order.number,
            customer=order.customer,
            status=status,
            planned_on=order.promised_on,
            shipped_on=order.ordered_on + timedelta(days=3) if shipped else None,
            carrier="顺丰|SF *Express*" if shipped and n % 2 else "",
            tracking=f"SF{n:012}" if shipped and n % 2 else "",
            lines=lines,
            salesperson=order.salesperson,
            warehouse=_SENT_FROM,
            changed_at=next(times),
        )


def _parts(order: SalesOrder) -> Iterator[tuple[SalesOrder, DeliveryStatus, tuple[DeliveryLine, ...]]]:
    sent = tuple(_line(line, line.delivered) for line in order.lines if line.delivered)
    if sent:
        yield order, DeliveryStatus.SHIPPED, sent
    left = tuple(_line(line, rest) for line in order.lines if (rest := line.quantity - (line.delivered or 0)))
    if left and order.status in _OWED:
        yield order, DeliveryStatus.PLANNED, left


def _line(line: OrderLine, quantity: Decimal) -> DeliveryLine:
    return DeliveryLine(sku=line.sku, name=line.name, unit=line.unit, quantity=quantity)


def receipts(today: date, purchases: Iterable[PurchaseOrder], number: Numbering) -> Iterator[GoodsReceipt]:
    """Yield what came in of each order: together it is what the orders' lines say.

    Of the first order too much came in, and the vendor took it back. The next two orders came together. Of the last,
    every line came by itself.
    """
    times = change_times(today - timedelta(days=4))
    for n, (orders, lines, returned) in enumerate(_taken_in([order for order in purchases if _came_in(order)])):
        (first, *_), ordered_on = orders, max(each.ordered_on or date.min for each in orders)
        yield GoodsReceipt(
            id=str(9501 + n),
            number=number("GRN", 1001 + n),
            order_numbers=tuple(order.number for order in orders),
            vendor=first.vendor,
            received_on=ordered_on + timedelta(days=4 + n),
            warehouse=_TAKEN_IN_AT,
            is_return=returned,
            lines=lines,
            owners=(first.buyer, first.review.requester),
            changed_at=next(times),
        )


def order_of_line(receipt: GoodsReceipt, line: ReceiptLine, purchases: Mapping[str, PurchaseOrder]) -> PurchaseOrder:
    """Return the order that a line of a receipt came in for: most ERPs say so line by line."""
    orders = (purchases[number] for number in receipt.order_numbers)
    return next(order for order in orders if any(each.sku == line.sku for each in order.lines))


def _taken_in(
    orders: list[PurchaseOrder],
) -> Iterator[tuple[tuple[PurchaseOrder, ...], tuple[ReceiptLine, ...], bool]]:
    first, second, third, *others, last = orders
    more, *rest = _came_in(first)
    yield (first,), (replace(more, quantity=more.quantity + 1), *rest), False
    yield (first,), (replace(more, quantity=Decimal(-1), lot=""),), True
    yield (second, replace(third, vendor=second.vendor)), (*_came_in(second), *_came_in(third)), False
    yield from (((order,), _came_in(order), False) for order in others)
    yield from (((last,), (line,), False) for line in _came_in(last))


def _came_in(order: PurchaseOrder) -> tuple[ReceiptLine, ...]:
    return tuple(
        ReceiptLine(
            sku=line.sku, name=line.name, unit=line.unit, quantity=line.received, lot=f"L-{order.id}" if n else ""
        )
        for n, line in enumerate(order.lines)
        if line.received
    )
