"""Sales: customers order, goods are shipped, invoices are sent and paid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from sqlalchemy import Row, select, update

from bot.erp.kinds.quotations import Quotation
from bot.erp.model import Area, Feed, Invoice, InvoiceStatus, Money, OrderStatus, Progress, SalesOrder
from bot.erp.model.goods import DeliveryLine, DeliveryStatus
from bot.kit.company import tables as t
from bot.kit.company.activity_step import (
    PINNED_KEYS,
    ActivityStep,
    StockedProduct,
    adjust_stock,
    allocate,
    is_one_in,
    stocked_product,
    stocked_products,
)
from bot.kit.company.company import DemoCompany
from bot.kit.company.deliveries import FIRST_NUMBER, choose_carrier, planned_delivery
from bot.kit.company.quotations import FIRST_NUMBER as FIRST_QUOTATION
from bot.kit.company.quotations import taken_offer
from bot.kit.company.sales import CUSTOMERS, PERSON_ABROAD, SALESPEOPLE, WAREHOUSES, priced, quantity_for, total_of
from bot.kit.company.seeding import insert_company
from bot.kit.company.settlement_activity import settle_document
from bot.kit.company.tables import fold

_ORDER, _LINE, _INVOICE = t.table(t.OrderRow), t.table(t.OrderLineRow), t.table(t.InvoiceRow)
_DELIVERY, _QUOTATION = t.table(t.GoodsDeliveryRow), t.table(t.QuotationRow)
_OWED = (OrderStatus.OPEN, OrderStatus.PARTLY_DELIVERED)
_UNPAID = (InvoiceStatus.UNPAID, InvoiceStatus.PART_PAID)

DELAYED_ORDERS_ONE_IN, DELAYED_INVOICES_ONE_IN = 7, 6
"""One in this many orders is shipped late, and one in this many invoices is paid late."""
OFFERED_ORDERS_ONE_IN = 3
"""One in this many orders had been offered the day before."""
_NEAR = 4
"""Days around today; documents due in them get the most attention, together with the oldest."""


def sell(step: ActivityStep) -> None:
    """Take an order of an ordinary size, which leaves enough stock of everything."""
    plenty = [item for item in stocked_products(step) if _sold(item) and not item.is_low]
    wanted = [
        (item, quantity)
        for item in step.rng.sample(plenty, min(len(plenty), step.rng.randrange(1, 4)))
        if (quantity := quantity_for(item.article, step.rng.randrange(200, 3_000))) * 10 <= item.available
        and item.available - quantity >= (item.reorder_point or 0)
    ]
    if wanted:
        _take_order(step, wanted)


def sell_out(step: ActivityStep, share: int) -> None:
    """Let a customer order a product down to ``share`` tenths of its reorder point."""
    enough = [item for item in stocked_products(step) if _sold(item) and item.article.made and not item.is_low]
    enough = [item for item in enough if item.reorder_point]
    if not enough:
        return
    # The product closest to its reorder point needs the most plausible order.
    enough.sort(key=lambda item: (item.available / (item.reorder_point or 1), item.sku))
    item = step.rng.choice(enough[:20])
    lot = item.article.step
    left = (item.reorder_point or Decimal(0)) * share / 10 // lot * lot
    _take_order(step, [(item, item.available - left)])


def _sold(item: StockedProduct) -> bool:
    return item.article.product.category != "原材料"


def _take_order(step: ActivityStep, wanted: Sequence[tuple[StockedProduct, Decimal]]) -> None:
    customer, currency = step.rng.choice(CUSTOMERS)
    promised_on = step.today + timedelta(days=step.rng.randrange(3, 15))
    lines = tuple(priced(item.article, quantity, Decimal(0), currency, promised_on) for item, quantity in wanted)
    number = step.next_number(_ORDER, "SO", 1001)
    order = SalesOrder(
        id=number,
        number=number,
        customer=customer,
        status=OrderStatus.OPEN,
        delivery=Progress.NONE,
        billing=Progress.NONE,
        payment=Progress.NONE,
        ordered_on=step.today,
        promised_on=promised_on,
        total=total_of(lines, currency),
        lines=lines,
        salesperson=PERSON_ABROAD if currency != "CNY" else step.rng.choice(SALESPEOPLE),
        changed_at=step.now,
    )
    places = [(item, allocate("available", item.places, quantity)) for item, quantity in wanted]
    leaving: dict[str, list[DeliveryLine]] = {}
    for (item, parts), line in zip(places, lines, strict=True):
        for place, some in parts:
            adjust_stock(step, place, outgoing=some)
            part = DeliveryLine(sku=item.sku, name=line.name, unit=line.unit, quantity=some)
            leaving.setdefault(place.warehouse, []).append(part)
    first = int(step.next_number(_DELIVERY, "DN", FIRST_NUMBER).removeprefix("DN-"))
    deliveries = tuple(
        planned_delivery(order, WAREHOUSES[warehouse], parts, f"DN-{first + place}")
        for place, (warehouse, parts) in enumerate(leaving.items())
    )
    quotations: tuple[Quotation, ...] = ()
    if is_one_in(number, OFFERED_ORDERS_ONE_IN):
        quotations = (taken_offer(order, step.next_number(_QUOTATION, "QT", FIRST_QUOTATION)),)
    insert_company(step.connection, DemoCompany(orders=(order,), deliveries=deliveries, quotations=quotations))
    step.record_change(Area.SALES, number)
    for quotation in quotations:
        step.record_change(Feed.QUOTATIONS, quotation.number)
    for delivery in deliveries:
        step.record_change(Feed.DELIVERIES, delivery.number)


def ship(step: ActivityStep) -> None:
    """Deliver one order in full, and bill it."""
    open_orders = select(_ORDER).where(_ORDER.c.status.in_(_OWED), _ORDER.c.number_key.not_in(PINNED_KEYS))
    rows = step.connection.execute(open_orders.order_by(_ORDER.c.promised_on, _ORDER.c.number_key)).all()
    ready = [row for row in rows if _is_time(step, row, row.promised_on, DELAYED_ORDERS_ONE_IN)]
    for order in _by_attention(step, ready, "promised_on")[:10]:
        lines = step.connection.execute(select(_LINE).where(_LINE.c.number_key == order.number_key)).all()
        owed = [(stocked_product(step, line.sku), line.quantity - line.delivered) for line in lines]
        if all(item.reserved >= quantity and fold(item.sku) not in PINNED_KEYS for item, quantity in owed):
            _deliver(step, order, lines)
            return


def _deliver(step: ActivityStep, order: Row[Any], lines: Sequence[Row[Any]]) -> None:
    for line in lines:
        item = stocked_product(step, line.sku)
        for place, some in allocate("reserved", item.places, line.quantity - line.delivered):
            adjust_stock(step, place, on_hand=-some, outgoing=-some)
        own = (_LINE.c.number_key == line.number_key, _LINE.c.position == line.position)
        step.connection.execute(update(_LINE).where(*own).values(delivered=line.quantity, invoiced=line.quantity))
    _send(step, order)
    owed = sum((line.price * (line.quantity - line.invoiced) for line in lines), Decimal(0)).quantize(Decimal("0.01"))
    if owed > 0:
        _bill(step, order, owed)
    step.connection.execute(
        update(_ORDER)
        .where(_ORDER.c.number_key == order.number_key)
        .values(
            status=OrderStatus.DELIVERED,
            delivery=Progress.FULL,
            billing=Progress.FULL,
            payment=Progress.NONE if order.payment == Progress.NONE else Progress.PARTIAL,
            changed_at=step.now,
        )
    )
    step.record_change(Area.SALES, order.number)


def _send(step: ActivityStep, order: Row[Any]) -> None:
    """Ship an order's planned deliveries."""
    own = Random(order.number)  # noqa: S311  # by a chance of its own, so that it changes nothing else
    carrier, tracking = choose_carrier(own, abroad=order.currency != "CNY")
    sent = {
        "status": DeliveryStatus.SHIPPED,
        "shipped_on": step.today,
        "carrier": carrier,
        "tracking": tracking,
        "changed_at": step.now,
    }
    planned = (_DELIVERY.c.order_key == order.number_key, _DELIVERY.c.status == DeliveryStatus.PLANNED)
    leaving = step.connection.scalars(select(_DELIVERY.c.number).where(*planned)).all()
    step.connection.execute(update(_DELIVERY).where(*planned).values(sent))
    for number in leaving:
        step.record_change(Feed.DELIVERIES, number)


def _bill(step: ActivityStep, order: Row[Any], owed: Decimal) -> None:
    number = step.next_number(_INVOICE, "INV", 1)
    amount = Money(owed, order.currency)
    invoice = Invoice(
        id=number,
        number=number,
        customer=order.customer,
        status=InvoiceStatus.UNPAID,
        issued_on=step.today,
        due_on=step.today + timedelta(days=30 if order.currency == "CNY" else 45),
        total=amount,
        open_amount=amount,
        order_number=order.number,
        changed_at=step.now,
    )
    insert_company(step.connection, DemoCompany(invoices=(invoice,)))
    step.record_change(Area.FINANCE, number)


def pay(step: ActivityStep) -> None:
    """Let a customer pay an invoice."""
    unpaid = select(_INVOICE).where(
        _INVOICE.c.status.in_(_UNPAID), _INVOICE.c.is_credit_note.is_(False), _INVOICE.c.number_key.not_in(PINNED_KEYS)
    )
    rows = step.connection.execute(unpaid.order_by(_INVOICE.c.due_on, _INVOICE.c.number_key)).all()
    ready = [row for row in rows if _is_time(step, row, row.due_on, DELAYED_INVOICES_ONE_IN)]
    if not ready:
        return
    invoice = _by_attention(step, ready, "due_on")[0]
    settle_document(step, _INVOICE, invoice)
    step.record_change(Area.FINANCE, invoice.number)
    _note_payment(step, invoice.order_number)


def _note_payment(step: ActivityStep, number: str) -> None:
    key = fold(number)
    if key in PINNED_KEYS:
        return
    order = step.connection.execute(select(_ORDER).where(_ORDER.c.number_key == key)).one()
    left = select(_INVOICE.c.number_key).where(
        _INVOICE.c.order_number == number, _INVOICE.c.status.in_(_UNPAID), _INVOICE.c.is_credit_note.is_(False)
    )
    is_all = order.billing == Progress.FULL and step.connection.execute(left).first() is None
    payment = Progress.FULL if is_all else Progress.PARTIAL
    changed = update(_ORDER).where(_ORDER.c.number_key == key).values(payment=payment, changed_at=step.now)
    step.connection.execute(changed)
    step.record_change(Area.SALES, number)


def _is_time(step: ActivityStep, row: Row[Any], due_on: date | None, one_in: int) -> bool:
    """Return whether a document gets attention; a forgotten one has to be late first."""
    return due_on is not None and (not is_one_in(row.number, one_in) or due_on < step.today)


def _by_attention(step: ActivityStep, rows: Sequence[Row[Any]], day: str) -> list[Row[Any]]:
    """Return documents in order of attention: chance decides between the oldest and those due."""
    near = [row for row in rows if abs((step.today - getattr(row, day)).days) <= _NEAR]
    chosen = list(dict.fromkeys((*rows[:5], *near)))
    step.rng.shuffle(chosen)
    return chosen
