"""A day goes by: what is due some day is due a day earlier, as if today were tomorrow."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Table, func, select, update

from bot.erp.demo import tables as t
from bot.erp.demo.scene import KEPT_KEYS, Scene
from bot.erp.model import PurchaseStatus

_ORDER, _LINE, _INVOICE = t.table(t.OrderRow), t.table(t.OrderLineRow), t.table(t.InvoiceRow)
_PURCHASE, _PRODUCTION = t.table(t.PurchaseRow), t.table(t.ProductionRow)


def pass_day(scene: Scene) -> None:
    """Let everything that is not due yet come a day nearer.

    Nothing notes it as a change: in no ERP does time alone change a document. What is late already, or lies before
    somebody who decides, keeps its dates: a reader could only take others for an edit.
    """
    today = scene.today
    lines = _LINE.c.number_key.in_(select(_ORDER.c.number_key).where(_ORDER.c.promised_on >= today))
    _age(scene, _LINE, ("due_on",), lines)
    _age(scene, _ORDER, ("ordered_on", "promised_on"), _ORDER.c.promised_on >= today)
    _age(scene, _INVOICE, ("issued_on", "due_on"), _INVOICE.c.due_on >= today)
    _age(scene, _PRODUCTION, ("start_on", "due_on"), _PRODUCTION.c.due_on >= today)
    decided = _PURCHASE.c.status != PurchaseStatus.WAITING
    _age(scene, _PURCHASE, ("ordered_on", "due_on"), decided & (_PURCHASE.c.due_on >= today))


def _age(scene: Scene, table: Table, columns: tuple[str, ...], which: ColumnElement[bool]) -> None:
    older = {name: func.date(table.c[name], "-1 day") for name in columns}
    scene.connection.execute(update(table).where(table.c.number_key.not_in(KEPT_KEYS), which).values(older))
