"""Production: makes scarce products, and finishes its orders, sometimes late."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select, update

from bot.erp.model import Area, ProductionOrder, ProductionStatus
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
from bot.kit.company.seeding import insert_company
from bot.kit.company.tables import fold

_PRODUCTION, _CHANGE = t.table(t.ProductionRow), t.table(t.ChangeRow)
_BEING_MADE = (ProductionStatus.RELEASED, ProductionStatus.RUNNING)

DELAYED_ONE_IN = 5
"""One in this many production orders is finished only when it is late."""


def replenish(step: ActivityStep) -> None:
    """Start production of scarce products not in production yet."""
    short = [item for item in stocked_products(step) if item.is_low and item.article.made and not item.incoming]
    if not short:
        return
    changed = select(_CHANGE.c.key, _CHANGE.c.revision).where(_CHANGE.c.area == Area.STOCK)
    revisions = {row.key: row.revision for row in step.connection.execute(changed)}
    short.sort(key=lambda item: revisions.get(item.sku, 0))
    # The longest shortage, then the most recent one: the viewer waits for it, and the newest order
    # is finished first.
    for item in {item.sku: item for item in (short[0], short[-1])}.values():
        _begin(step, item)


def _begin(step: ActivityStep, item: StockedProduct) -> None:
    planned = max((item.reorder_point or Decimal(1)) * 2, item.article.step)
    number = step.next_number(_PRODUCTION, "MO", 1)
    order = ProductionOrder(
        id=number,
        number=number,
        sku=item.sku,
        name=item.article.product.name,
        unit=item.article.product.unit,
        planned=planned,
        produced=Decimal(0),
        scrapped=Decimal(0),
        status=ProductionStatus.RUNNING,
        start_on=step.today,
        due_on=step.today + timedelta(days=step.rng.randrange(2, 6)),
        material_ready=True,
        changed_at=step.now,
    )
    insert_company(step.connection, DemoCompany(productions=(order,)))
    adjust_stock(step, item.places[0], incoming=planned)
    step.record_change(Area.PRODUCTION, number)


def begin_planned(step: ActivityStep) -> None:
    """Start the orders planned to start by today."""
    planned = select(_PRODUCTION).where(
        _PRODUCTION.c.status == ProductionStatus.PLANNED, _PRODUCTION.c.start_on <= step.today
    )
    for order in step.connection.execute(planned.order_by(_PRODUCTION.c.number_key)).all():
        if fold(order.sku) in PINNED_KEYS:
            continue
        adjust_stock(step, stocked_product(step, order.sku).places[0], incoming=order.planned)
        begun = {"status": ProductionStatus.RUNNING, "material_ready": True, "changed_at": step.now}
        step.connection.execute(update(_PRODUCTION).where(_PRODUCTION.c.number_key == order.number_key).values(begun))
        step.record_change(Area.PRODUCTION, order.number)


def finish(step: ActivityStep) -> None:
    """Finish the production order that is due first, if it is time."""
    for order in _running(step, _PRODUCTION.c.due_on):
        if _is_time(step, order):
            _finish(step, order, stocked_product(step, order.sku))
            return


def finish_short(step: ActivityStep) -> None:
    """Finish the newest production order of a scarce product."""
    for order in _running(step, func.length(_PRODUCTION.c.number_key).desc(), _PRODUCTION.c.number_key.desc()):
        item = stocked_product(step, order.sku)
        if item.is_low:
            _finish(step, order, item)
            return


def _running(step: ActivityStep, *by: ColumnElement[Any]) -> list[Row[Any]]:
    running = select(_PRODUCTION).where(
        _PRODUCTION.c.status.in_(_BEING_MADE), _PRODUCTION.c.number_key.not_in(PINNED_KEYS)
    )
    rows = step.connection.execute(running.order_by(*by, _PRODUCTION.c.number_key))
    return [row for row in rows if fold(row.sku) not in PINNED_KEYS]


def _finish(step: ActivityStep, order: Row[Any], item: StockedProduct) -> None:
    for place, some in allocate("incoming", item.places, order.planned - order.produced):
        adjust_stock(step, place, on_hand=some, incoming=-some)
    done = {
        "status": ProductionStatus.DONE,
        "produced": order.planned,
        "finished_on": step.today,
        "changed_at": step.now,
    }
    step.connection.execute(update(_PRODUCTION).where(_PRODUCTION.c.number_key == order.number_key).values(done))
    step.record_change(Area.PRODUCTION, order.number)


def _is_time(step: ActivityStep, order: Row[Any]) -> bool:
    """Return whether an order is finished by now: the day before it is due, or late if it was forgotten."""
    days: int = (step.today - order.due_on).days
    return days >= (1 if is_one_in(order.number, DELAYED_ONE_IN) else -1)
