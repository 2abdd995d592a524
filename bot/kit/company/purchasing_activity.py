"""Purchasing: orders are submitted, decided, and their goods received."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import func, select, update

from bot.erp.model import Approval, Area, Decision, Feed, Money, Progress, PurchaseOrder, Review, ReviewState, Verdict
from bot.kit.company import tables as t
from bot.kit.company.activity_step import (
    PINNED_KEYS,
    STOCK,
    ActivityStep,
    adjust_stock,
    changing_articles,
    stocked_product,
    stocked_products,
)
from bot.kit.company.company import DemoCompany
from bot.kit.company.decisions import decide_within
from bot.kit.company.documents import PURCHASE_ORDERS
from bot.kit.company.receipts import FIRST_NUMBER, receipt_of, received_line
from bot.kit.company.seeding import insert_company
from bot.kit.company.settlement_activity import bill_arrival
from bot.kit.company.supply import (
    BUYERS,
    KEEPER,
    NAMES,
    REQUESTERS,
    SECOND_LEVEL_ABOVE,
    VENDORS,
    pending_for,
    purchase_line,
)

_PURCHASE, _LINE = t.table(t.PurchaseRow), t.table(t.PurchaseLineRow)
_RECEIPT = t.table(t.GoodsReceiptRow)

_APPROVED_LINES = (
    select(_LINE.c.sku, _LINE.c.quantity, _LINE.c.received)
    .join(_PURCHASE, _PURCHASE.c.number_key == _LINE.c.number_key)
    .where(_PURCHASE.c.status == ReviewState.APPROVED)
)
_BOOKED = (
    select(STOCK.c.sku_key, func.sum(STOCK.c.incoming).label("incoming"))
    .where(STOCK.c.incoming != Decimal(0))
    .group_by(STOCK.c.sku_key)
)

DECIDE_AFTER = timedelta(minutes=4)
"""How long an order waits for the people in the chat before a colleague decides."""


def submit(step: ActivityStep) -> None:
    """Submit an order for approval: for a scarce product if there is one, otherwise for any."""
    bought = [item for item in stocked_products(step) if not item.article.made]
    short = [item for item in bought if item.is_low and not item.incoming] or bought
    chosen = step.rng.sample(short, min(len(short), step.rng.randrange(1, 3)))
    large = step.happens(0.2)
    value = range(60_000, 90_000) if large else range(3_000, 25_000)
    lines = tuple(purchase_line(item.article, step.rng.choice(value), Progress.NONE, first=False) for item in chosen)
    total = sum((line.amount.amount for line in lines if line.amount), Decimal(0))
    number, requester = step.next_number(_PURCHASE, "PO", 1001), step.rng.choice(REQUESTERS)
    order = PurchaseOrder(
        id=number,
        number=number,
        vendor=step.rng.choice(VENDORS),
        review=Review(
            state=ReviewState.WAITING,
            version="1",
            approval=Approval(pending_for=pending_for(1, requester, ""), levels=2 if total > SECOND_LEVEL_ABOVE else 1),
            requester=requester,
            changed_by=requester,
            people=NAMES,
        ),
        buyer=step.rng.choice(BUYERS),
        ordered_on=step.today,
        due_on=step.today + timedelta(days=step.rng.randrange(5, 15)),
        total=Money(total, "CNY"),
        received=Progress.NONE,
        lines=lines,
        changed_at=step.now,
    )
    insert_company(step.connection, DemoCompany(purchases=(order,)))
    step.record_change(Area.PURCHASING, number)


def decide(step: ActivityStep) -> None:
    """Let an approver decide the longest-waiting order, if nobody in the chat did."""
    waiting = select(_PURCHASE.c.number).where(
        _PURCHASE.c.status == ReviewState.WAITING,
        _PURCHASE.c.number_key.not_in(PINNED_KEYS),
        _PURCHASE.c.changed_at < step.now - DECIDE_AFTER,
    )
    number = step.connection.scalar(waiting.order_by(_PURCHASE.c.changed_at, _PURCHASE.c.number_key).limit(1))
    if number is None:
        return
    order = PURCHASE_ORDERS.document(step.connection, number, "")
    if not order.review.progress.pending_for:
        return
    rejects = step.happens(0.15)
    decision = Decision(
        number=number,
        version=order.review.version,
        verdict=Verdict.REJECT if rejects else Verdict.APPROVE,
        by=step.rng.choice(order.review.progress.pending_for),
        reason="请再询一家报价" if rejects else "",
    )
    decide_within(step.connection, decision, "", step.now)
    book_approved(step)


def book_approved(step: ActivityStep) -> None:
    """Expect the orders approved since the last step: all purchased goods on their way are for Shanghai."""
    coming: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in step.connection.execute(_APPROVED_LINES):
        coming[line.sku] += line.quantity - line.received
    # Every step does this, and there is mostly nothing to do: only the sums on their way are read.
    booked = {row.sku_key: row.incoming for row in step.connection.execute(_BOOKED)}
    for key, article in changing_articles().items():
        sku = article.product.sku
        expected = booked.get(key, Decimal(0))
        if article.made or coming[sku] == expected:
            continue
        place = next((place for place in stocked_product(step, sku).places if place.warehouse == "SH"), None)
        if place is not None:
            adjust_stock(step, place, incoming=coming[sku] - expected)


def receive(step: ActivityStep) -> None:
    """Receive the goods of the approved order that is due first."""
    approved = select(_PURCHASE).where(
        _PURCHASE.c.status == ReviewState.APPROVED, _PURCHASE.c.number_key.not_in(PINNED_KEYS)
    )
    order = step.connection.execute(approved.order_by(_PURCHASE.c.due_on, _PURCHASE.c.number_key).limit(1)).first()
    if order is None:
        return
    own = _LINE.c.number_key == order.number_key
    _take_in(step, order.number)
    worth = Decimal(0)
    for line in step.connection.execute(select(_LINE).where(own)).all():
        arrived = line.quantity - line.received
        worth += line.price * arrived
        places = stocked_product(step, line.sku).places
        adjust_stock(
            step, next(place for place in places if place.warehouse == "SH"), on_hand=arrived, incoming=-arrived
        )
    step.connection.execute(update(_LINE).where(own).values(received=_LINE.c.quantity))
    done = {
        "status": ReviewState.DONE,
        "received": Progress.FULL,
        "changed_by": KEEPER,
        "changed_at": step.now,
    }
    if worth > 0:
        bill_arrival(step, order, worth)
    step.connection.execute(update(_PURCHASE).where(_PURCHASE.c.number_key == order.number_key).values(done))
    step.record_change(Area.PURCHASING, order.number)


def _take_in(step: ActivityStep, number: str) -> None:
    """Record the receipt of all open quantities of an order."""
    order = PURCHASE_ORDERS.document(step.connection, number, "")
    lines = [
        received_line(line, rest) for line in order.lines if (rest := line.quantity - (line.received or Decimal(0))) > 0
    ]
    if lines:
        own = step.next_number(_RECEIPT, "GRN", FIRST_NUMBER)
        receipt = receipt_of(order, lines, on=step.today, at=step.now, number=own)
        insert_company(step.connection, DemoCompany(receipts=(receipt,)))
        step.record_change(Feed.RECEIPTS, own)
