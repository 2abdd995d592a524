"""Ends a day of the demo company: its documents become a day older.

The viewer's clock runs more slowly, so the dates of the documents move instead. The list of changes includes each of
them: from outside it is an edit like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, func, or_, select, update

from bot.erp.kinds import BILLS, INVOICES
from bot.erp.model import Area, Feed, Followed
from bot.erp.port import Filter
from bot.kit.company import tables as t
from bot.kit.company.activity_step import PINNED_KEYS, ActivityStep
from bot.kit.company.document_query import DocumentQuery
from bot.kit.company.documents import ORDERS, PRODUCTION_ORDERS, PURCHASE_ORDERS, QUERIES

_LINE, _DELIVERY, _RECEIPT = t.table(t.OrderLineRow), t.table(t.GoodsDeliveryRow), t.table(t.GoodsReceiptRow)
_PAYMENT, _SETTLED = t.table(t.PaymentRow), t.table(t.SettledRow)
_IN_QUESTION = (Filter.LATE, Filter.OVERDUE, Filter.PENDING)


def advance_day(step: ActivityStep) -> None:
    """Move due dates that have not come a day nearer.

    An order ages together with its papers or not at all, so that nothing is billed before it is ordered, or received
    after it was. Documents already late, or waiting for a decision, keep their dates: changed dates would be news in an
    alert or a request.
    """
    order, purchase, production = ORDERS.table, PURCHASE_ORDERS.table, PRODUCTION_ORDERS.table
    sold = _ageing(step, ORDERS, QUERIES[INVOICES])
    _age(step, _LINE, ("due_on",), _LINE.c.number_key.in_(select(order.c.number_key).where(order.c.number.in_(sold))))
    _age_told(step, Area.SALES, order, ("ordered_on", "promised_on"), order.c.number.in_(sold))
    _age_told(step, Feed.DELIVERIES, _DELIVERY, ("planned_on", "shipped_on"), _DELIVERY.c.order_number.in_(sold))
    _age_bills(step, Area.FINANCE, QUERIES[INVOICES].table, sold)
    bought = _ageing(step, PURCHASE_ORDERS, QUERIES[BILLS])
    _age_told(step, Area.PURCHASING, purchase, ("ordered_on", "due_on"), purchase.c.number.in_(bought))
    _age_told(step, Feed.RECEIPTS, _RECEIPT, ("received_on",), _RECEIPT.c.orders.in_(bought))
    _age_bills(step, Feed.BILLS, QUERIES[BILLS].table, bought)
    to_come = (production.c.due_on >= step.today) & production.c.number_key.not_in(PINNED_KEYS)
    _age_told(step, Area.PRODUCTION, production, ("start_on", "due_on", "finished_on"), to_come)


def _ageing(step: ActivityStep, orders: DocumentQuery[Any], bills: DocumentQuery[Any]) -> Sequence[str]:
    """Return the numbers of the ageing orders: they or their bills are still due, and nothing is late or undecided."""
    order, bill, due = orders.table.c, bills.table.c, orders.due
    assert due is not None, "orders have a day on which they are due"
    held = select(bill.order_number).where(_in_question(bills, step.today))
    billed = select(bill.order_number).where(bill.due_on >= step.today)
    ageing = select(order.number).where(
        ~_in_question(orders, step.today),
        order.number_key.not_in(PINNED_KEYS),
        order.number.not_in(held),
        or_(due >= step.today, order.number.in_(billed)),
    )
    return step.connection.scalars(ageing).all()


def _in_question(documents: DocumentQuery[Any], today: date) -> ColumnElement[bool]:
    """Return the condition for late documents and those waiting for a decision."""
    return or_(*(holds(today) for wanted, (holds, _) in documents.filters.items() if wanted in _IN_QUESTION))


def _age_bills(step: ActivityStep, told: Followed, bill: Table, orders: Sequence[str]) -> None:
    """Age the bills of orders, and their payments."""
    own = bill.c.order_number.in_(orders)
    settling = select(_SETTLED.c.number_key).where(_SETTLED.c.document.in_(select(bill.c.number).where(own)))
    _age_told(step, Feed.PAYMENTS, _PAYMENT, ("paid_on",), _PAYMENT.c.number_key.in_(settling))
    _age_told(step, told, bill, ("issued_on", "due_on"), own)


def _age_told(
    step: ActivityStep, told: Followed, table: Table, days: Sequence[str], which: ColumnElement[bool]
) -> None:
    """Age documents and add them to the list of changes."""
    numbers = step.connection.scalars(select(table.c.number).where(which).order_by(table.c.number_key)).all()
    _age(step, table, days, which, changed_at=step.now)
    for number in numbers:
        step.record_change(told, number)


def _age(step: ActivityStep, table: Table, days: Sequence[str], which: ColumnElement[bool], **more: datetime) -> None:
    older = {name: func.date(table.c[name], "-1 day") for name in days}
    step.connection.execute(update(table).where(which).values(**older, **more))
