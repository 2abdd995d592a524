"""Acts of sales: customers order, goods leave, invoices go out and are paid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, select, update

from bot.erp.demo import tables as t
from bot.erp.demo.activity_step import (
    PINNED_KEYS,
    ActivityStep,
    StockedProduct,
    adjust_stock,
    allocate,
    is_delayed,
    stocked_product,
    stocked_products,
)
from bot.erp.demo.company import DemoCompany
from bot.erp.demo.sales import CUSTOMERS, PERSON_ABROAD, SALESPEOPLE, priced, quantity_for, total_of
from bot.erp.demo.seeding import insert_company
from bot.erp.demo.tables import fold
from bot.erp.model import Area, Invoice, InvoiceStatus, Money, OrderStatus, Progress, SalesOrder

_ORDER, _LINE, _INVOICE = t.table(t.OrderRow), t.table(t.OrderLineRow), t.table(t.InvoiceRow)
_OWED = (OrderStatus.OPEN, OrderStatus.PARTLY_DELIVERED)
_UNPAID = (InvoiceStatus.UNPAID, InvoiceStatus.PART_PAID)

DELAYED_ORDERS_ONE_IN, DELAYED_INVOICES_ONE_IN = 7, 6
"""One in so many orders is shipped, and one in so many invoices paid, only when it is late."""
_NEAR = 4
"""Days around today; what is due then has the most attention, together with what is oldest."""


def sell(scene: ActivityStep) -> None:
    """Take an order of an ordinary size, which leaves enough of everything."""
    plenty = [shelf for shelf in stocked_products(scene) if _sold(shelf) and not shelf.is_low]
    wanted = [
        (shelf, quantity)
        for shelf in scene.rng.sample(plenty, min(len(plenty), scene.rng.randrange(1, 4)))
        if (quantity := quantity_for(shelf.article, scene.rng.randrange(200, 3_000))) * 10 <= shelf.available
        and shelf.available - quantity >= (shelf.reorder_point or 0)
    ]
    if wanted:
        _take_order(scene, wanted)


def sell_out(scene: ActivityStep, share: int) -> None:
    """Let somebody order so much of one product that ``share`` tenths of its reorder point are left."""
    enough = [shelf for shelf in stocked_products(scene) if _sold(shelf) and shelf.article.made and not shelf.is_low]
    enough = [shelf for shelf in enough if shelf.reorder_point]
    if not enough:
        return
    # What is nearest to its reorder point needs the most believable order.
    enough.sort(key=lambda shelf: (shelf.available / (shelf.reorder_point or 1), shelf.sku))
    shelf = scene.rng.choice(enough[:20])
    step = shelf.article.step
    left = (shelf.reorder_point or Decimal(0)) * share / 10 // step * step
    _take_order(scene, [(shelf, shelf.available - left)])


def _sold(shelf: StockedProduct) -> bool:
    return shelf.article.product.category != "原材料"


def _take_order(scene: ActivityStep, wanted: Sequence[tuple[StockedProduct, Decimal]]) -> None:
    customer, currency = scene.rng.choice(CUSTOMERS)
    promised_on = scene.today + timedelta(days=scene.rng.randrange(3, 15))
    lines = tuple(priced(shelf.article, quantity, Decimal(0), currency, promised_on) for shelf, quantity in wanted)
    number = scene.next_number(_ORDER, "SO", 1001)
    order = SalesOrder(
        id=number,
        number=number,
        customer=customer,
        status=OrderStatus.OPEN,
        delivery=Progress.NONE,
        billing=Progress.NONE,
        payment=Progress.NONE,
        ordered_on=scene.today,
        promised_on=promised_on,
        total=total_of(lines, currency),
        lines=lines,
        salesperson=PERSON_ABROAD if currency != "CNY" else scene.rng.choice(SALESPEOPLE),
        changed_at=scene.now,
    )
    insert_company(
        scene.connection, DemoCompany(holdings=(), orders=(order,), invoices=(), purchases=(), productions=())
    )
    for shelf, quantity in wanted:
        for place, some in allocate("available", shelf.places, quantity):
            adjust_stock(scene, place, outgoing=some)
    scene.record_change(Area.SALES, number)


def ship(scene: ActivityStep) -> None:
    """Deliver one order in full, and bill it."""
    open_orders = select(_ORDER).where(_ORDER.c.status.in_(_OWED), _ORDER.c.number_key.not_in(PINNED_KEYS))
    rows = scene.connection.execute(open_orders.order_by(_ORDER.c.promised_on, _ORDER.c.number_key)).all()
    ready = [row for row in rows if _is_time(scene, row, row.promised_on, DELAYED_ORDERS_ONE_IN)]
    for order in _by_attention(scene, ready, "promised_on")[:10]:
        lines = scene.connection.execute(select(_LINE).where(_LINE.c.number_key == order.number_key)).all()
        owed = [(stocked_product(scene, line.sku), line.quantity - line.delivered) for line in lines]
        if all(shelf.reserved >= quantity and fold(shelf.sku) not in PINNED_KEYS for shelf, quantity in owed):
            _deliver(scene, order, lines)
            return


def _deliver(scene: ActivityStep, order: Row[Any], lines: Sequence[Row[Any]]) -> None:
    for line in lines:
        shelf = stocked_product(scene, line.sku)
        for place, some in allocate("reserved", shelf.places, line.quantity - line.delivered):
            adjust_stock(scene, place, on_hand=-some, outgoing=-some)
        own = (_LINE.c.number_key == line.number_key, _LINE.c.position == line.position)
        scene.connection.execute(update(_LINE).where(*own).values(delivered=line.quantity, invoiced=line.quantity))
    owed = sum((line.price * (line.quantity - line.invoiced) for line in lines), Decimal(0)).quantize(Decimal("0.01"))
    if owed > 0:
        _bill(scene, order, owed)
    scene.connection.execute(
        update(_ORDER)
        .where(_ORDER.c.number_key == order.number_key)
        .values(
            status=OrderStatus.DELIVERED,
            delivery=Progress.FULL,
            billing=Progress.FULL,
            payment=Progress.NONE if order.payment == Progress.NONE else Progress.PARTIAL,
            changed_at=scene.now,
        )
    )
    scene.record_change(Area.SALES, order.number)


def _bill(scene: ActivityStep, order: Row[Any], owed: Decimal) -> None:
    number = scene.next_number(_INVOICE, "INV", 1)
    amount = Money(owed, order.currency)
    invoice = Invoice(
        id=number,
        number=number,
        customer=order.customer,
        status=InvoiceStatus.UNPAID,
        issued_on=scene.today,
        due_on=scene.today + timedelta(days=30 if order.currency == "CNY" else 45),
        total=amount,
        open_amount=amount,
        order_number=order.number,
        changed_at=scene.now,
    )
    insert_company(
        scene.connection, DemoCompany(holdings=(), orders=(), invoices=(invoice,), purchases=(), productions=())
    )
    scene.record_change(Area.FINANCE, number)


def pay(scene: ActivityStep) -> None:
    """Let a customer pay an invoice."""
    unpaid = select(_INVOICE).where(
        _INVOICE.c.status.in_(_UNPAID), _INVOICE.c.is_credit_note.is_(False), _INVOICE.c.number_key.not_in(PINNED_KEYS)
    )
    rows = scene.connection.execute(unpaid.order_by(_INVOICE.c.due_on, _INVOICE.c.number_key)).all()
    ready = [row for row in rows if _is_time(scene, row, row.due_on, DELAYED_INVOICES_ONE_IN)]
    if not ready:
        return
    invoice = _by_attention(scene, ready, "due_on")[0]
    own = _INVOICE.c.number_key == invoice.number_key
    paid = {"status": InvoiceStatus.PAID, "open_amount": Decimal(0), "changed_at": scene.now}
    scene.connection.execute(update(_INVOICE).where(own).values(paid))
    scene.record_change(Area.FINANCE, invoice.number)
    _note_payment(scene, invoice.order_number)


def _note_payment(scene: ActivityStep, number: str) -> None:
    key = fold(number)
    if key in PINNED_KEYS:
        return
    order = scene.connection.execute(select(_ORDER).where(_ORDER.c.number_key == key)).one()
    left = select(_INVOICE.c.number_key).where(
        _INVOICE.c.order_number == number, _INVOICE.c.status.in_(_UNPAID), _INVOICE.c.is_credit_note.is_(False)
    )
    is_all = order.billing == Progress.FULL and scene.connection.execute(left).first() is None
    payment = Progress.FULL if is_all else Progress.PARTIAL
    changed = update(_ORDER).where(_ORDER.c.number_key == key).values(payment=payment, changed_at=scene.now)
    scene.connection.execute(changed)
    scene.record_change(Area.SALES, number)


def _is_time(scene: ActivityStep, row: Row[Any], due_on: date | None, one_in: int) -> bool:
    """Return whether somebody thinks of a document: of one that is forgotten only when it is late."""
    return due_on is not None and (not is_delayed(row.number, one_in) or due_on < scene.today)


def _by_attention(scene: ActivityStep, rows: Sequence[Row[Any]], day: str) -> list[Row[Any]]:
    """Return documents in the order in which they are thought of: chance decides between the oldest and what is due."""
    near = [row for row in rows if abs((scene.today - getattr(row, day)).days) <= _NEAR]
    chosen = list(dict.fromkeys((*rows[:5], *near)))
    scene.rng.shuffle(chosen)
    return chosen
