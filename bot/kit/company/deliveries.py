"""Goods that left the demo company's warehouses for customers, and goods still to leave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from random import Random

from bot.erp.model import OrderLine, OrderStatus, SalesOrder
from bot.erp.model.goods import DeliveryLine, DeliveryStatus, GoodsDelivery
from bot.kit.company.sales import WAREHOUSES, Shipment, moment

FIRST_NUMBER = 1001

_CARRIERS = (("顺丰速运", "SF", 13), ("德邦快递", "DPK", 12), ("京东物流", "JDVB", 11), ("中通快运", "ZT", 12))
_ABROAD = (("DHL Express", "", 10), ("FedEx", "", 12))
_FIRST_LEFT = (30, 48)
"""Days after which the two parts of SO-1001 were shipped."""
_OWED = {OrderStatus.OPEN, OrderStatus.PARTLY_DELIVERED}


def make_deliveries(rng: Random, today: date, shipments: Sequence[Shipment]) -> list[GoodsDelivery]:
    """Return the deliveries of all orders, order by order: they add up to the orders' lines.

    SO-1001 left in two parts, DN-1001 and DN-1002; the rest of it is DN-1003, which is late.
    """
    numbers = count(FIRST_NUMBER)
    return [
        _numbered(delivery, f"DN-{next(numbers)}")
        for shipment in shipments
        for delivery in _deliveries(rng, today, shipment)
    ]


def _numbered(delivery: GoodsDelivery, number: str) -> GoodsDelivery:
    return replace(delivery, id=number, number=number)


def _deliveries(rng: Random, today: date, shipment: Shipment) -> Iterator[GoodsDelivery]:
    order = shipment.order
    for place, lines in enumerate(_parts(order)):
        days = _FIRST_LEFT[place] if order.number == "SO-1001" else rng.randrange(1, 20)
        yield _shipped(rng, today, shipment, lines, days)
    rest = tuple(_line(line, left) for line in order.lines if (left := line.quantity - (line.delivered or Decimal(0))))
    if rest and order.status in _OWED:
        yield planned_delivery(order, WAREHOUSES[shipment.warehouse], rest)


def _parts(order: SalesOrder) -> Iterator[tuple[DeliveryLine, ...]]:
    """Yield the lines that left together; for SO-1001 part of the first line separately."""
    sent = tuple(_line(line, line.delivered) for line in order.lines if line.delivered)
    if order.number == "SO-1001":
        first, *others = sent
        half = _line(order.lines[0], first.quantity - 2_000)
        yield half, others[0]
        yield _line(order.lines[0], Decimal(2_000)), *others[1:]
    elif sent:
        yield sent


def _line(line: OrderLine, quantity: Decimal) -> DeliveryLine:
    return DeliveryLine(sku=line.sku, name=line.name, unit=line.unit, quantity=quantity)


def _shipped(rng: Random, today: date, shipment: Shipment, lines: tuple[DeliveryLine, ...], days: int) -> GoodsDelivery:
    order = shipment.order
    assert order.ordered_on is not None
    last = today - timedelta(days=1)
    shipped_on = min(order.ordered_on + timedelta(days=days), last)
    carrier, tracking = choose_carrier(rng, abroad=order.total is not None and order.total.currency != "CNY")
    return GoodsDelivery(
        id="",
        number="",
        order_number=order.number,
        customer=order.customer,
        status=DeliveryStatus.SHIPPED,
        planned_on=order.promised_on,
        shipped_on=shipped_on,
        carrier=carrier,
        tracking=tracking,
        lines=lines,
        salesperson=order.salesperson,
        warehouse=WAREHOUSES[shipment.warehouse],
        changed_at=moment(shipped_on, rng),
    )


def planned_delivery(
    order: SalesOrder, warehouse: str, lines: Iterable[DeliveryLine], number: str = ""
) -> GoodsDelivery:
    """Return the delivery of an order's open quantities."""
    return GoodsDelivery(
        id=number,
        number=number,
        order_number=order.number,
        customer=order.customer,
        status=DeliveryStatus.PLANNED,
        planned_on=order.promised_on,
        shipped_on=None,
        lines=tuple(lines),
        salesperson=order.salesperson,
        warehouse=warehouse,
        changed_at=order.changed_at,
    )


def choose_carrier(rng: Random, *, abroad: bool) -> tuple[str, str]:
    """Return the carrier of a delivery, and its tracking number."""
    carrier, prefix, digits = rng.choice(_ABROAD if abroad else _CARRIERS)
    return carrier, prefix + "".join(str(rng.randrange(10)) for _ in range(digits))
