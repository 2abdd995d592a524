"""Acts of the workshop: it makes what is missing, finishes what it began, and sometimes later than promised."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Row, select, update

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
from bot.erp.demo.seeding import insert_company
from bot.erp.demo.tables import fold
from bot.erp.model import Area, ProductionOrder, ProductionStatus

_PRODUCTION, _CHANGE = t.table(t.ProductionRow), t.table(t.ChangeRow)
_BEING_MADE = (ProductionStatus.RELEASED, ProductionStatus.RUNNING)

DELAYED_ONE_IN = 5
"""One in so many production orders is finished only when it is late."""


def replenish(scene: ActivityStep) -> None:
    """Begin to make products that are short and that nobody makes yet."""
    short = [shelf for shelf in stocked_products(scene) if shelf.is_low and shelf.article.made and not shelf.incoming]
    if not short:
        return
    changed = select(_CHANGE.c.key, _CHANGE.c.revision).where(_CHANGE.c.area == Area.STOCK)
    revisions = {row.key: row.revision for row in scene.connection.execute(changed)}
    short.sort(key=lambda shelf: revisions.get(shelf.sku, 0))
    # What ran out a moment ago, for whoever looks on waits for it, and what has been short for the longest time.
    for shelf in {shelf.sku: shelf for shelf in (short[-1], short[0])}.values():
        _begin(scene, shelf)


def _begin(scene: ActivityStep, shelf: StockedProduct) -> None:
    planned = max((shelf.reorder_point or Decimal(1)) * 2, shelf.article.step)
    number = scene.next_number(_PRODUCTION, "MO", 1)
    order = ProductionOrder(
        id=number,
        number=number,
        sku=shelf.sku,
        name=shelf.article.product.name,
        unit=shelf.article.product.unit,
        planned=planned,
        produced=Decimal(0),
        scrapped=Decimal(0),
        status=ProductionStatus.RUNNING,
        start_on=scene.today,
        due_on=scene.today + timedelta(days=scene.rng.randrange(2, 6)),
        material_ready=True,
        changed_at=scene.now,
    )
    insert_company(
        scene.connection, DemoCompany(holdings=(), orders=(), invoices=(), purchases=(), productions=(order,))
    )
    adjust_stock(scene, shelf.places[0], incoming=planned)
    scene.record_change(Area.PRODUCTION, number)


def begin_planned(scene: ActivityStep) -> None:
    """Begin what was planned to begin by today."""
    planned = select(_PRODUCTION).where(
        _PRODUCTION.c.status == ProductionStatus.PLANNED, _PRODUCTION.c.start_on <= scene.today
    )
    for order in scene.connection.execute(planned.order_by(_PRODUCTION.c.number_key)).all():
        if fold(order.sku) in PINNED_KEYS:
            continue
        adjust_stock(scene, stocked_product(scene, order.sku).places[0], incoming=order.planned)
        begun = {"status": ProductionStatus.RUNNING, "material_ready": True, "changed_at": scene.now}
        scene.connection.execute(update(_PRODUCTION).where(_PRODUCTION.c.number_key == order.number_key).values(begun))
        scene.record_change(Area.PRODUCTION, order.number)


def finish(scene: ActivityStep) -> None:
    """Finish the production order that is due first, if it is time."""
    for order in _running(scene, _PRODUCTION.c.due_on):
        if _is_time(scene, order):
            _finish(scene, order, stocked_product(scene, order.sku))
            return


def finish_short(scene: ActivityStep) -> None:
    """Finish the newest production order of a product that is short."""
    for order in _running(scene, _PRODUCTION.c.changed_at.desc()):
        shelf = stocked_product(scene, order.sku)
        if shelf.is_low:
            _finish(scene, order, shelf)
            return


def _running(scene: ActivityStep, by: ColumnElement[Any]) -> list[Row[Any]]:
    running = select(_PRODUCTION).where(
        _PRODUCTION.c.status.in_(_BEING_MADE), _PRODUCTION.c.number_key.not_in(PINNED_KEYS)
    )
    rows = scene.connection.execute(running.order_by(by, _PRODUCTION.c.number_key))
    return [row for row in rows if fold(row.sku) not in PINNED_KEYS]


def _finish(scene: ActivityStep, order: Row[Any], shelf: StockedProduct) -> None:
    for place, some in allocate("incoming", shelf.places, order.planned - order.produced):
        adjust_stock(scene, place, on_hand=some, incoming=-some)
    done = {"status": ProductionStatus.DONE, "produced": order.planned, "changed_at": scene.now}
    scene.connection.execute(update(_PRODUCTION).where(_PRODUCTION.c.number_key == order.number_key).values(done))
    scene.record_change(Area.PRODUCTION, order.number)


def _is_time(scene: ActivityStep, order: Row[Any]) -> bool:
    """Return whether an order is finished by now: the day before it is due, or too late where it was forgotten."""
    days: int = (scene.today - order.due_on).days
    return days >= (1 if is_delayed(order.number, DELAYED_ONE_IN) else -1)
